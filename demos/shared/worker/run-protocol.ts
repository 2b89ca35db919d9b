/** What a page and a run in its worker say to each other, whatever it is that runs. Plain data: it crosses threads. */

export type BackendName = 'webgpu' | 'cpu';

/** What happens without being asked for. Steps count from the start of the run. */
export type EngineEvent =
  | { readonly type: 'compile'; readonly built: number; readonly total: number }
  /** The device is gone; another one is being opened. */
  | { readonly type: 'lost'; readonly message: string }
  /** The run goes on at step `at` on `device`; `again` steps are taken again. */
  | { readonly type: 'recovered'; readonly device: string; readonly at: number; readonly again: number }
  /** The loss is no longer a number. */
  | { readonly type: 'diverged' }
  | { readonly type: 'ended'; readonly at: number }
  | { readonly type: 'failed'; readonly message: string };

/** What the page gives a run to be told by. */
export interface Listener<Picture> {
  /** Resolves when the picture was drawn: only then the next one is sent. */
  picture(picture: Picture): Promise<void>;
  event(event: EngineEvent): void;
}
