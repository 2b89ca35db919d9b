/**
 * Every op record in this browser, with its own WGSL compiler, on all samples of the record in one program: the values of
 * the f64 reference within the record's tolerance, NaN and infinities where it has them, the same bits twice. Sizes at
 * which kernels change their form, and the gradients of every op, are tested in Node (kernels-test/conformance).
 */

import {
  allOps,
  type Backend,
  evaluate,
  gradients,
  type Op,
  setBackend,
  softmaxCrossEntropy,
  sum,
  Tensor,
  type TypedArray,
  tensor,
} from '../../../src/index.ts';
import { drawSample } from '../../support/sample-values.ts';
import { type Check, expect } from './check.ts';

/** Tensors to compute, made anew for each backend: a computed tensor belongs to the one that computed it. */
type Build = () => Tensor[];

export async function checkOps(check: Check, backend: Backend, reference: Backend): Promise<void> {
  for (const op of allOps) {
    await check(`${op.name}: WebGPU = CPU in f64, two runs bit-equal`, () => {
      return agree(() => callsOf(op), op.tolerance.relative, backend, reference);
    });
  }
  await check('the gradient of softmaxCrossEntropy: WebGPU = CPU in f64, two runs bit-equal', () => {
    const build = () => {
      const logits = tensor(
        Float32Array.from({ length: 33 * 10 }, (_, k) => Math.sin(k * k)),
        { shape: [33, 10] },
      );
      const labels = tensor(Int32Array.from({ length: 33 }, (_, k) => k % 10));
      return [...gradients(sum(softmaxCrossEntropy(logits, labels)), [logits])];
    };
    const tolerance = softmaxCrossEntropy.tolerance.relative;
    return agree(build, tolerance, backend, reference);
  });
}

/** `op` on the inputs of each of its samples. */
function callsOf(op: Op): Tensor[] {
  return op.samples.map((sample) => {
    const inputs = drawSample(sample).map(({ shape, dtype, data }) => tensor(data, { shape, dtype }));
    return Tensor.computed(op.infer(inputs, sample.attrs), op, inputs, sample.attrs);
  });
}

/**
 * @param tolerance accepted error, relative to the reference where that is above 1.
 * @throws Error naming the first value that breaks the rule, or the first that a second run gives otherwise.
 */
async function agree(build: Build, tolerance: number, backend: Backend, reference: Backend): Promise<string> {
  const expected = await valuesOn(reference, build);
  const found = await valuesOn(backend, build);
  const again = await valuesOn(backend, build);
  const facts = { elements: 0, worst: 0 };
  expected.forEach((values, k) => {
    expect(found[k].length === values.length, `${found[k].length} elements, expected ${values.length}`);
    const [bits, bitsAgain] = [bitsOf(found[k]), bitsOf(again[k])];
    const accepted = values instanceof Float32Array ? tolerance : 0;
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [found[k][i], values[i]];
      expect(bits[i] === bitsAgain[i], `sample ${k}, element ${i}: ${a}, then ${again[k][i]}`);
      const error = Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(b));
      expect(error <= accepted, `sample ${k}, element ${i}: ${a}, expected ${b} (accepted error ${accepted})`);
      facts.worst = Math.max(facts.worst, error);
    }
    facts.elements += values.length;
  });
  expect(facts.elements > 1, 'nothing was compared');
  return `${facts.elements} elements, largest error ${facts.worst.toPrecision(2)} of ${tolerance}`;
}

async function valuesOn(backend: Backend, build: Build): Promise<TypedArray[]> {
  setBackend(backend);
  const tensors = build();
  await evaluate(tensors);
  const values = await Promise.all(tensors.map((one) => one.data()));
  for (const one of tensors) one.dispose();
  return values;
}

function bitsOf(values: TypedArray): ArrayLike<number> {
  return values instanceof Float32Array ? new Uint32Array(values.buffer, values.byteOffset, values.length) : values;
}
