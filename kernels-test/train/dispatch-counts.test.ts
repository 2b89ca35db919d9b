/**
 * What a step costs in dispatches, kernels' bindings and memory, as planned at WebGPU's default limits: the models of the
 * benches and ResNet-20. Pure compiling; steady-step.test.ts counts the calls on a device.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { optimizerOf, WORKLOADS, type WorkloadName } from '../../bench/core/workloads.ts';
import { createNullBackend } from '../../src/backend/null.ts';
import { DEFAULT_LIMITS, type Plan } from '../../src/compile/plan.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { resNet20 } from '../../src/zoo/index.ts';

type AdapterClass = (typeof DEFAULT_LIMITS)['adapterClass'];

afterEach(() => setBackend(undefined));

/** The plan of a training step of `model` with accuracy as metric, images resident as bytes. */
async function stepPlan(model: Model, name: WorkloadName, adapterClass: AdapterClass): Promise<Plan> {
  const plans: Plan[] = [];
  const backend = createNullBackend({ ...DEFAULT_LIMITS, adapterClass });
  const load = backend.load.bind(backend);
  backend.load = (plan, ...rest) => {
    plans.push(plan);
    return load(plan, ...rest);
  };
  setBackend(backend);
  const { batch } = WORKLOADS[name];
  const xShape = model.inputShapes![0];
  model.compile({ optimizer: optimizerOf(name), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const data = arrayDataset({ name, x: new Uint8Array(batch * sizeOf(xShape)), xShape, y: new Int32Array(batch) });
  await model.fit(data, { batchSize: batch, verbose: 0 });
  model.dispose();
  return plans.find((plan) => plan.name.startsWith('train'))!;
}

describe.each(['cpu', 'gpu'] as const)('a step as planned for a %s adapter', (adapterClass) => {
  // GPUs get more of the sums in two stages: they live on many workgroups.
  test.each<[WorkloadName, Record<AdapterClass, number>]>([
    ['lenet', { cpu: 18, gpu: 19 }],
    ['mlp', { cpu: 9, gpu: 9 }],
    ['vgg', { cpu: 59, gpu: 62 }],
    ['resnet8', { cpu: 74, gpu: 79 }],
  ])('%s: %o dispatches', async (name, dispatches) => {
    const plan = await stepPlan(WORKLOADS[name].model(false), name, adapterClass);
    expect(plan.dispatches.length).toBe(dispatches[adapterClass]);
    // At most 8 storage buffers and 256 invocations.
    verifyPlan(plan, DEFAULT_LIMITS);
  });

  test('ResNet-20', async () => {
    const plan = await stepPlan(resNet20(), 'resnet8', adapterClass);
    expect(plan.dispatches.length).toBe({ cpu: 170, gpu: 187 }[adapterClass]);
    verifyPlan(plan, DEFAULT_LIMITS);
  });

  test('VGG-small with its weights and batches takes less than 65 MB', async () => {
    const { planBytes, boundBytes } = await stepPlan(WORKLOADS.vgg.model(false), 'vgg', adapterClass);
    expect(planBytes + boundBytes).toBeLessThan(65e6);
  });
});
