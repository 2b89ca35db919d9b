/**
 * Counts the calls that reach a GPUDevice, from outside: tests of "a steady step creates nothing" must not trust the
 * backend's own counters. `instrument` wraps the device, its queue, encoders and passes; the objects they make are the
 * real ones, so they can be passed on to WebGPU.
 */

export interface CallCounts {
  createBuffer: number;
  /** Calls of GPUBuffer.destroy, each buffer once. */
  destroyBuffer: number;
  createBindGroup: number;
  createBindGroupLayout: number;
  createPipelineLayout: number;
  createShaderModule: number;
  createComputePipeline: number;
  createComputePipelineAsync: number;
  createQuerySet: number;
  createCommandEncoder: number;
  beginComputePass: number;
  setPipeline: number;
  setBindGroup: number;
  dispatchWorkgroups: number;
  copyBufferToBuffer: number;
  writeBuffer: number;
  submit: number;
  mapAsync: number;
}

export interface InstrumentedDevice {
  /** Stands for the device wherever one is expected. */
  readonly device: GPUDevice;
  readonly counts: CallCounts;
  /** What `counts` grew by during `body`; entries that did not change are left out. */
  during(body: () => void | Promise<void>): Promise<Partial<CallCounts>>;
  /** Buffers created and not destroyed. */
  liveBuffers(): number;
}

/** Wraps `device`; use only the wrapper afterwards. */
export function instrument(device: GPUDevice): InstrumentedDevice {
  const counts: CallCounts = {
    createBuffer: 0,
    destroyBuffer: 0,
    createBindGroup: 0,
    createBindGroupLayout: 0,
    createPipelineLayout: 0,
    createShaderModule: 0,
    createComputePipeline: 0,
    createComputePipelineAsync: 0,
    createQuerySet: 0,
    createCommandEncoder: 0,
    beginComputePass: 0,
    setPipeline: 0,
    setBindGroup: 0,
    dispatchWorkgroups: 0,
    copyBufferToBuffer: 0,
    writeBuffer: 0,
    submit: 0,
    mapAsync: 0,
  };
  const count = (name: string): void => {
    if (name in counts) counts[name as keyof CallCounts]++;
  };
  const queue = wrap(device.queue, count);
  const wrapped = wrap(device, count, {
    get: (name) => (name === 'queue' ? queue : undefined),
    result: (name, value) => {
      if (name === 'createBuffer') return watchBuffer(value as GPUBuffer, count);
      if (name !== 'createCommandEncoder') return value;
      return wrap(value as GPUCommandEncoder, count, {
        result: (inner, made) => (inner === 'beginComputePass' ? wrap(made as GPUComputePassEncoder, count) : made),
      });
    },
  });
  return {
    device: wrapped,
    counts,
    liveBuffers: () => counts.createBuffer - counts.destroyBuffer,
    async during(body) {
      const before = { ...counts };
      await body();
      const grown: Partial<CallCounts> = {};
      for (const name of Object.keys(counts) as (keyof CallCounts)[]) {
        if (counts[name] !== before[name]) grown[name] = counts[name] - before[name];
      }
      return grown;
    },
  };
}

interface Hooks {
  get?(name: string): unknown;
  result?(name: string, value: unknown): unknown;
}

/** A stand-in for `target` that counts its method calls. Methods run on the real object, as native code demands. */
function wrap<T extends object>(target: T, count: (name: string) => void, hooks: Hooks = {}): T {
  return new Proxy(target, {
    get(_, name) {
      const replaced = hooks.get?.(String(name));
      if (replaced !== undefined) return replaced;
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        count(String(name));
        const result = value.apply(target, args);
        return hooks.result?.(String(name), result) ?? result;
      };
    },
    set: (_, name, value) => Reflect.set(target, name, value, target),
  });
}

/** Buffers go back into native calls, so they are patched in place and not wrapped. */
function watchBuffer(buffer: GPUBuffer, count: (name: string) => void): GPUBuffer {
  const destroy = buffer.destroy.bind(buffer);
  const mapAsync = buffer.mapAsync.bind(buffer);
  let destroyed = false;
  buffer.destroy = () => {
    if (!destroyed) count('destroyBuffer');
    destroyed = true;
    return destroy();
  };
  buffer.mapAsync = (...args) => {
    count('mapAsync');
    return mapAsync(...args);
  };
  return buffer;
}
