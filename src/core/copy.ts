/**
 * copy: the value itself, in memory of its own. The compiler inserts it where a value needs a second place in memory
 * (an output that is also an input, an update read after it was overwritten); users have no need of it.
 *
 * It is the one op that belongs to the graph itself. It is defined here, so that no pass imports an op from `ops/`.
 */

import { defineOp } from './op.ts';
import type { Tensor } from './tensor.ts';

export const copy = defineOp<Record<string, never>, (x: Tensor) => Tensor>(
  {
    name: 'copy',
    doc: 'The same value in memory of its own. Shape and dtype of the input.',
    infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    cpu: ([x], output) => output.data.set(x.data),
    vjp: (dy) => [dy],
    lower: { kind: 'map', wgsl: ([x]) => x },
    samples: [
      { inputs: [{ shape: [2, 3] }], attrs: {} },
      { inputs: [{ shape: [] }], attrs: {} },
      { inputs: [{ shape: [5], dtype: 'i32', values: { below: 9 } }], attrs: {} },
    ],
    rejects: [],
    tolerance: { relative: 0, source: 'no arithmetic' },
    bench: { flops: () => 0, sample: { inputs: [{ shape: [1024, 1024] }], attrs: {} } },
  },
  (apply) => (x) => apply([x], {}),
);
