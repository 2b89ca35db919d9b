/**
 * Device memory behind tensors. A tensor that is collected without dispose() gives its memory back too, and is counted:
 * `leakReport()` tells how often that happened.
 */

import type { Backend, BackendBuffer } from '../backend/backend.ts';
import { type Aval, Tensor, type TensorStorage } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';

let forgotten = 0;

export class DeviceStorage implements TensorStorage {
  private released = false;

  constructor(
    readonly backend: Backend,
    readonly buffer: BackendBuffer,
  ) {}

  get bytes(): number {
    return this.buffer.bytes;
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.buffer.dispose();
  }

  /** The memory belongs to another tensor from now on. */
  handOver(): void {
    this.released = true;
  }

  get isReleased(): boolean {
    return this.released;
  }
}

const registry = new FinalizationRegistry<DeviceStorage>((storage) => {
  if (storage.isReleased) return;
  forgotten++;
  storage.release();
});

/** A tensor on memory that it owns from now on. */
export function ownedTensor(aval: Aval, backend: Backend, buffer: BackendBuffer): Tensor {
  const storage = new DeviceStorage(backend, buffer);
  const tensor = Tensor.device(aval, storage);
  registry.register(tensor, storage, storage);
  return tensor;
}

/** Gives a computed tensor its value; one that got it elsewhere meanwhile, or was disposed, stays as it is. */
export function settle(tensor: Tensor, backend: Backend, buffer: BackendBuffer): void {
  const storage = new DeviceStorage(backend, buffer);
  if (tensor.becomeDeviceLeaf(storage)) registry.register(tensor, storage, storage);
  else storage.release();
}

/** @throws DownhillError `state` when `tensor` was disposed. */
export function assertNotDisposed(owner: string, tensor: Tensor): void {
  if (tensor.leaf?.kind !== 'disposed') return;
  throw new DownhillError('state', `${owner}: ${tensor} was used after dispose()`);
}

/** The memory of a device leaf. @throws DownhillError `state` when it belongs to another backend. */
export function storageOf(tensor: Tensor, backend: Backend): DeviceStorage {
  const storage = tensor.leaf?.kind === 'device' ? tensor.leaf.storage : undefined;
  if (!(storage instanceof DeviceStorage)) throw new DownhillError('internal', `${tensor} has no device memory`);
  if (storage.backend !== backend) {
    throw new DownhillError(
      'state',
      `${tensor} is on ${storage.backend.description}; ` +
        `the current backend is ${backend.description}. Read it with data() and make a new tensor`,
    );
  }
  return storage;
}

/** How many tensors were collected without dispose(); their memory was freed then. */
export function leakReport(): { readonly forgottenTensors: number } {
  return { forgottenTensors: forgotten };
}
