/** Messages between the page and its worker, besides the events of every run (shared/worker/run-protocol.ts). */

import type { Settings } from './settings.ts';

/** A network that is ready. */
export interface Built {
  /** Counts the networks that were made; frames of another one are not for this one. */
  readonly build: number;
  readonly settings: Settings;
  /** Why it starts from fresh weights; undefined when it goes on. */
  readonly restart: string | undefined;
  /** Units of each layer: inputs, hidden layers, output. */
  readonly sizes: readonly number[];
  /** x, y and target of each point, in the plane as shown; those that are trained on first. */
  readonly points: Float32Array;
  readonly trainCount: number;
  readonly updatesPerEpoch: number;
  /** Weights and biases together. */
  readonly parameters: number;
  /** What the optimizer keeps for each weight. */
  readonly slots: readonly string[];
  /** CELLS² bytes for each of all FEATURES, in use or not. */
  readonly inputCells: Uint8Array;
}

/** The network at one moment. */
export interface Frame {
  readonly build: number;
  readonly updates: number;
  readonly epoch: number;
  /** Without the penalty, so that the two can be compared. */
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Undefined for regression; NaN, as the losses, when an output is not a number. */
  readonly trainAccuracy: number | undefined;
  readonly testAccuracy: number | undefined;
  /** CELLS² bytes for each neuron of each layer after the inputs: 1 is −1, 255 is 1, 0 is not a number. */
  readonly cells: Uint8Array;
  /** Kernel [in, out] and bias of each layer after the inputs. */
  readonly layers: readonly { readonly kernel: Float32Array; readonly bias: Float32Array }[];
  /** Over the last second of playing. */
  readonly updatesPerSecond: number;
  /** Updates since the frame before. */
  readonly updatesPerFrame: number;
  /** Milliseconds that this frame's surfaces took to compute and read. */
  readonly surfaceMs: number;
}
