/** Collects the inputs of a step's graph as they are asked for, in that order. */

import type { GraphInput } from '../../core/graph.ts';
import { type Aval, Tensor } from '../../core/tensor.ts';

export class Inputs {
  readonly all: GraphInput[] = [];

  add(kind: 'bound' | 'scalar', name: string, aval: Aval): Tensor {
    const tensor = Tensor.placeholder(name, aval);
    this.all.push({ name, kind, tensor });
    return tensor;
  }

  scalar(name: string, dtype: 'f32' | 'u32' = 'f32', shape: readonly number[] = []): Tensor {
    return this.add('scalar', name, { shape, dtype });
  }
}
