/**
 * Counts what a program asks of WebGPU, whatever engine it uses: the methods of WebGPU's own classes are wrapped while
 * counting is on, and put back afterwards, so that timed steps run without it. Works wherever the classes are global.
 */

/** Calls since the beginning of counting, and the bytes of buffers alive. */
export interface CallCounts {
  dispatches: number;
  submits: number;
  passes: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
  shaderModules: number;
  querySets: number;
  liveBytes: number;
  peakBytes: number;
}

export interface Counting {
  readonly counts: Readonly<CallCounts>;
  /** Puts the methods back. */
  stop(): void;
}

type Method = (this: object, ...args: never[]) => unknown;
type Key = Exclude<keyof CallCounts, 'liveBytes' | 'peakBytes'>;

const COUNTED: readonly (readonly [className: string, method: string, key: Key])[] = [
  ['GPUComputePassEncoder', 'dispatchWorkgroups', 'dispatches'],
  ['GPUComputePassEncoder', 'dispatchWorkgroupsIndirect', 'dispatches'],
  ['GPUQueue', 'submit', 'submits'],
  ['GPUCommandEncoder', 'beginComputePass', 'passes'],
  ['GPUDevice', 'createBindGroup', 'bindGroups'],
  ['GPUDevice', 'createComputePipeline', 'pipelines'],
  ['GPUDevice', 'createComputePipelineAsync', 'pipelines'],
  ['GPUDevice', 'createShaderModule', 'shaderModules'],
  ['GPUDevice', 'createQuerySet', 'querySets'],
];

/** Starts to count, on every device of this process. */
export function startCounting(): Counting {
  const counts: CallCounts = {
    dispatches: 0,
    submits: 0,
    passes: 0,
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
    shaderModules: 0,
    querySets: 0,
    liveBytes: 0,
    peakBytes: 0,
  };
  const undo: (() => void)[] = [];
  const wrap = (className: string, method: string, before: (self: object, args: readonly unknown[]) => void): void => {
    const prototype = prototypeOf(className);
    const original = prototype?.[method];
    if (prototype === undefined || original === undefined) return;
    prototype[method] = function (this: object, ...args: never[]) {
      before(this, args);
      return original.apply(this, args);
    };
    undo.push(() => {
      prototype[method] = original;
    });
  };
  for (const [className, method, key] of COUNTED) {
    wrap(className, method, () => {
      counts[key]++;
    });
  }
  const destroyed = new WeakSet<object>();
  wrap('GPUDevice', 'createBuffer', (_, [descriptor]) => {
    counts.buffers++;
    counts.liveBytes += (descriptor as GPUBufferDescriptor).size;
    counts.peakBytes = Math.max(counts.peakBytes, counts.liveBytes);
  });
  wrap('GPUBuffer', 'destroy', (self) => {
    if (!destroyed.has(self)) counts.liveBytes -= (self as GPUBuffer).size;
    destroyed.add(self);
  });
  return {
    counts,
    stop: () => {
      for (const restore of undo.splice(0)) restore();
    },
  };
}

/** What grew from `before` to `now`; `newObjects` are those that a steady step should not make. */
export function grown(before: CallCounts, now: CallCounts): CallCounts & { newObjects: number } {
  const difference = Object.fromEntries(
    (Object.keys(now) as (keyof CallCounts)[]).map((key) => [key, now[key] - before[key]]),
  ) as unknown as CallCounts;
  const { buffers, bindGroups, pipelines, shaderModules, querySets } = difference;
  return { ...difference, newObjects: buffers + bindGroups + pipelines + shaderModules + querySets };
}

function prototypeOf(className: string): Record<string, Method> | undefined {
  return (globalThis as unknown as Record<string, { prototype: Record<string, Method> } | undefined>)[className]
    ?.prototype;
}
