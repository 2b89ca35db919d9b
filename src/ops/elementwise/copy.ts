/**
 * copy: the value itself, in memory of its own. The compiler puts it where a value must be stored a second time
 * (an output that is also an input, an update read after it was overwritten); users have no need of it.
 */

import { defineOp } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';

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
