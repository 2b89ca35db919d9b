/**
 * downhill as a Duellist: the op as a program of its own, on buffers that stay, which is how it runs inside a training
 * step. (`compile(fn)` would allocate the results of each call.)
 */

import type { Backend, Program } from '../../src/backend/backend.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../src/ops/convolution/conv.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import type { Duel, Duellist, DuelName, OpCall } from './duels.ts';

const OPS: Readonly<Record<DuelName, (inputs: readonly Tensor[], duel: Duel) => Tensor>> = {
  matmul: ([a, b]) => matmul(a, b),
  conv2d: ([x, kernel]) => conv2d(x, kernel, { padding: 'same' }),
  conv2dInputGrad: ([dy, kernel], { output }) => conv2dInputGrad(dy, kernel, { padding: 'same', inputShape: output }),
  conv2dWeightGrad: ([x, dy], { output }) => conv2dWeightGrad(x, dy, { padding: 'same', kernelShape: output }),
};

/** @param backend stays the caller's. */
export function downhillDuellist(backend: Backend, version: string): Duellist {
  return {
    name: 'downhill',
    version,
    async prepare(duel, values): Promise<OpCall> {
      const buffers = values.map((data, k) => {
        const buffer = backend.createBuffer(data.length, 'f32', `x${k}`);
        backend.write(buffer, data);
        return buffer;
      });
      await backend.finish();
      let program: Program | undefined;
      const load = (): Promise<Program> => {
        const inputs = duel.inputs.map((shape, k) => Tensor.placeholder(`x${k}`, { shape, dtype: 'f32' }));
        const plan = compileGraph(
          {
            name: duel.name,
            inputs: inputs.map((tensor, k) => ({ name: `x${k}`, kind: 'bound', tensor })),
            outputs: [{ name: 'y', tensor: OPS[duel.name](inputs, duel) }],
          },
          backend.target,
        );
        return backend.load(plan, buffers);
      };
      return {
        async run() {
          program ??= await load();
          program.run();
          await backend.finish();
        },
        result: async () => Float32Array.from(await program!.read(0)),
        dispose() {
          program?.dispose();
          for (const buffer of buffers) buffer.dispose();
        },
      };
    },
  };
}
