/** A buffer of the backend that is validated, which stays alive until the calls before its end have been checked. */

import type { DType } from '../../core/dtype.ts';
import type { BackendBuffer } from '../backend.ts';

export interface Owner {
  /** Does `work` after what was called before. */
  afterwards(work: () => void): void;
}

export class ValidatedBuffer implements BackendBuffer {
  disposed = false;

  constructor(
    readonly owner: Owner,
    readonly inner: BackendBuffer,
    readonly dtype: DType | undefined,
  ) {}

  get elements(): number {
    return this.inner.elements;
  }

  get bytes(): number {
    return this.inner.bytes;
  }

  get label(): string {
    return this.inner.label;
  }

  /** Takes effect after the calls before it, which may still need the memory. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.owner.afterwards(() => this.inner.dispose());
  }
}
