/**
 * What a step costs in dispatches, kernels' bindings and memory, as planned at WebGPU's default limits: the models of the
 * benches and ResNet-20. Pure compiling; steady-step.test.ts counts the calls on a device.
 */

import { afterEach, describe, expect, test } from 'vitest';
import { optimizerOf, WORKLOADS, type WorkloadName } from '../../bench/core/workloads.ts';
import { createNullBackend } from '../../src/backend/null.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { type AdapterType, DEFAULT_TARGET, makeTarget } from '../../src/compile/target.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { resNet20 } from '../../src/zoo/index.ts';

afterEach(() => setBackend(undefined));

/** The plan of a training step of `model` with accuracy as metric, images resident as bytes. */
async function stepPlan(model: Model, name: WorkloadName, adapterType: AdapterType): Promise<Plan> {
  const plans: Plan[] = [];
  const backend = createNullBackend(makeTarget(adapterType));
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

describe.each(['software', 'hardware'] as const)('a step as planned for a %s adapter', (adapterType) => {
  // GPUs get more of the sums in two stages: they live on many workgroups.
  test.each<[WorkloadName, Record<AdapterType, number>]>([
    ['lenet', { software: 18, hardware: 19 }],
    ['mlp', { software: 9, hardware: 9 }],
    ['vgg', { software: 59, hardware: 62 }],
    ['resnet8', { software: 74, hardware: 79 }],
  ])('%s: %o dispatches', async (name, dispatches) => {
    const plan = await stepPlan(WORKLOADS[name].model(false), name, adapterType);
    expect(plan.dispatches.length).toBe(dispatches[adapterType]);
    // At most 8 storage buffers and 256 invocations.
    verifyPlan(plan, DEFAULT_TARGET);
  });

  test('ResNet-20', async () => {
    const plan = await stepPlan(resNet20(), 'resnet8', adapterType);
    expect(plan.dispatches.length).toBe({ software: 170, hardware: 187 }[adapterType]);
    verifyPlan(plan, DEFAULT_TARGET);
  });

  test('VGG-small with its weights and batches takes less than 65 MB', async () => {
    const { planBytes, boundBytes } = await stepPlan(WORKLOADS.vgg.model(false), 'vgg', adapterType);
    expect(planBytes + boundBytes).toBeLessThan(65e6);
  });
});
