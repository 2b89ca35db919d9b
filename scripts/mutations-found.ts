/**
 * Mistakes that no test noticed when they were planted, each with the test that was written for it since. Part of the
 * list of mutations.ts.
 */

import type { Mutation } from './mutations.ts';

const PLANTED = 'kernels-test/train/planted-faults.test.ts';

// The lines below quote source files, whose `${…}` belong to them.
/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: quoted source */
export const foundMutations: readonly Mutation[] = [
  {
    name: 'train gap: the rate of a layer does not scale its weight decay',
    file: 'src/nn/optimizers/apply.ts',
    from: 'sub(parameters, mul(parameters, scaled[by]));',
    to: 'sub(parameters, mul(parameters, scalars[by]));',
    tests: [PLANTED, '-t', 'weight decay follows'],
  },
  {
    name: 'train gap: the learning rate is shown one step late',
    file: 'src/train/model/compiled-model.ts',
    from: 'rate.rateAfter(this.iterations);',
    to: 'rate.rateAfter(Math.max(0, this.iterations - 1));',
    tests: [PLANTED, '-t', 'learning rate shown'],
  },
  {
    name: 'train gap: a sum of one number is reported as a mean',
    file: 'src/train/step/report.ts',
    from: 'const entry = { ...value, sums: value.sums || width > 1, offset, width };',
    to: 'const entry = { ...value, sums: width > 1, offset, width };',
    tests: [PLANTED, '-t', 'uneven batches'],
  },
  {
    name: 'train gap: an epoch is the mean of its batches',
    file: 'src/train/step/report.ts',
    from: 'const factor = sums ? 1 : count;',
    to: 'const factor = sums ? 1 : this.entries.length && 2;',
    tests: [PLANTED, '-t', 'uneven batches'],
  },
  {
    name: 'train gap: stratified parts are cut from an order without classes',
    file: 'src/data/split.ts',
    from: '.sort((a, b) => places[a] - places[b] || a - b);',
    to: '.sort((a, b) => ranks[a] - ranks[b] || a - b);',
    tests: [PLANTED, '-t', 'stratified splits'],
  },
  {
    name: 'train gap: stratified parts keep their classes in turn',
    file: 'src/data/split.ts',
    from: 'return labels === undefined ? part : new Prng(seed, 1 + stream).shuffle(part);',
    to: 'return part;',
    tests: ['kernels-test/data/split.test.ts', PLANTED, '-t', 'stratif'],
  },
  {
    name: 'train gap: the warm-up of the cosine begins at 0',
    file: 'src/nn/schedules/cosine-decay.ts',
    from: 'return initial + (warmupTarget - initial) * (step / warmupSteps);',
    to: 'return warmupTarget * (step / warmupSteps);',
    tests: [PLANTED, '-t', 'peak'],
  },
  {
    name: 'train gap: the cosine falls from its first rate',
    file: 'src/nn/schedules/cosine-decay.ts',
    from: 'return this.decayed(step - warmupSteps, warmupTarget);',
    to: 'return this.decayed(step - warmupSteps, initial);',
    tests: [PLANTED, '-t', 'peak'],
  },
  {
    name: 'train gap: class weights take the first of equal targets',
    file: 'src/train/data/example-weights.ts',
    from: 'if (equals === 1) continue;',
    to: 'if (equals >= 1) continue;',
    tests: ['kernels-test/train/example-weights.test.ts'],
  },
  {
    name: 'train gap: kernels of unlike workgroup sizes are joined',
    file: 'src/compile/lower/join-kernels.ts',
    from: 'if (kernels.some((kernel) => kernel.workgroupSize !== workgroupSize)) return',
    to: 'if (kernels.every((kernel) => kernel.workgroupSize !== workgroupSize)) return',
    tests: ['kernels-test/compile/join-kernels.test.ts'],
  },
  {
    name: 'train gap: a generator is asked before its batch is copied',
    file: 'src/data/stream.ts',
    from: 'return arrayDataset({ ...about, name, x: x!.slice(), y: y!.slice() });',
    to: 'return arrayDataset({ ...about, name, x: x!, y: y! });',
    tests: ['kernels-test/train/data-handover.test.ts'],
  },
  {
    name: 'train gap: bytes of every shape are images',
    file: 'src/util/bytes.ts',
    from: 'if (shape.length !== 3 || shape[2] > MOST_CHANNELS) return false;',
    to: 'if (shape[2] > MOST_CHANNELS) return false;',
    tests: ['kernels-test/train/bytes.test.ts'],
  },
  {
    name: 'train gap: stages of unlike workgroup sizes are put into one dispatch',
    file: 'src/compile/schedule/dispatch-groups.ts',
    from: 'if (candidate.invocations !== null && invocations != null && candidate.invocations !== invocations) {',
    to: 'if (candidate.invocations === null && invocations != null && candidate.invocations !== invocations) {',
    tests: ['kernels-test/compile/dispatch-groups.test.ts'],
  },
  {
    name: 'train gap: backups are made every so many epochs, counted from 0',
    file: 'src/train/callbacks/backup-and-restore.node.ts',
    from: 'return epoch % this.every === 0 &&',
    to: 'return (epoch - 1) % this.every === 0 &&',
    tests: ['kernels-test/train/backup.test.ts'],
  },
  {
    name: 'train gap: model.json is written before the weights',
    file: 'src/train/weights/files.node.ts',
    from: `  await writeFileAtomic(join(directory, WEIGHTS_FILE), weights);
  await writeFileAtomic(join(directory, MODEL_FILE), json);`,
    to: `  await writeFileAtomic(join(directory, MODEL_FILE), json);
  await writeFileAtomic(join(directory, WEIGHTS_FILE), weights);`,
    tests: ['kernels-test/train/saving.test.ts'],
  },
  {
    name: 'train gap: the command line leaves the targets of an autoencoder in bytes',
    file: 'src/cli/match-model.ts',
    from: 'for (let k = 0; k < y.length; k++) y[k] /= BYTE_RANGE;',
    to: '',
    tests: ['kernels-test/train/bytes.test.ts'],
  },
  {
    name: 'planted: a shuffle leaves the first two alone',
    file: 'src/util/prng.ts',
    from: 'for (let i = items.length - 1; i > 0; i--) {',
    to: 'for (let i = items.length - 1; i > 1; i--) {',
    tests: ['kernels-test/data/prng.test.ts'],
  },
  {
    name: 'planted: keys that are new are no difference',
    file: 'src/util/difference.ts',
    from: 'new Set([...Object.keys(before), ...Object.keys(after)])',
    to: 'new Set(Object.keys(before))',
    tests: ['kernels-test/util/difference.test.ts'],
  },
  {
    name: 'planted: memory of readings is given back one reading late',
    file: 'src/runtime/readings.ts',
    from: '--hold.readings > 0',
    to: 'hold.readings-- > 0',
    tests: ['kernels-test/runtime/history.test.ts'],
  },
  {
    name: 'planted: a compiled function takes a program of another dtype',
    file: 'src/runtime/compile-function.ts',
    from: 'const key = args.map(describe).join();',
    to: 'const key = args.map(({ shape }) => `[${shape}]`).join();',
    tests: ['kernels-test/runtime/compile.test.ts'],
  },
  {
    name: 'planted: a compiled function keeps the programs of another backend',
    file: 'src/runtime/compile-function.ts',
    from: 'if (backend !== backendOfCache) disposeAll();',
    to: '',
    tests: ['kernels-test/runtime/compile.test.ts'],
  },
  {
    name: 'planted: grad counts paths beside its argument',
    file: 'src/transform/grad.ts',
    from: 'const [gradient] = gradients(value, [aliased]);',
    to: 'const [gradient] = gradients(value, [x]);',
    tests: ['kernels-test/transform/grad.test.ts'],
  },
  {
    name: 'planted: symmetric padding mirrors one too far',
    file: 'src/ops/layout/pad-mirrored.ts',
    from: 'return at < 0 ? -at - beside :',
    to: 'return at < 0 ? -at + beside :',
    tests: ['kernels-test/ops/movement.test.ts', '-t', 'numpy.pad'],
  },
  {
    name: 'planted: a buffer that is reused does not grow',
    file: 'src/compile/memory/memory.ts',
    from: 'this.buffers[best].bytes = Math.max(this.buffers[best].bytes, bytes);',
    to: '',
    tests: ['kernels-test/compile/memory.test.ts'],
  },
  {
    name: 'planted: a record takes the beginning of the output’s buffer',
    file: 'src/backend/webgpu/program.ts',
    from: 'encoder.copyBufferToBuffer(source, bytes(output.offset), target',
    to: 'encoder.copyBufferToBuffer(source, 0, target',
    tests: ['kernels-test/backend/all-backends.test.ts'],
  },
  {
    name: 'planted: a smaller batch is cut into more chunks than it has segments',
    file: 'src/tune/tune.ts',
    from: 'chunks: Math.min(entry.tile.chunks, Math.max(1, spec.segments)) };',
    to: 'chunks: entry.tile.chunks };',
    tests: ['kernels-test/tune/choices.test.ts'],
  },
  {
    name: 'planted: of equal outputs the right one is among the top ones',
    file: 'src/nn/metrics/confusion.ts',
    from: 'less(reshape(position, [1, classes]), reshape(position, [classes, 1]))',
    to: 'less(reshape(position, [classes, 1]), reshape(position, [1, classes]))',
    tests: [PLANTED, '-t', 'equal outputs'],
  },
  {
    name: 'planted: a small part of a split is empty',
    file: 'src/data/split.ts',
    from: 'Math.min(size - after, Math.max(from + 1, Math.round(size * Math.min(1, sum))));',
    to: 'Math.min(size - after, Math.round(size * Math.min(1, sum)));',
    tests: ['kernels-test/data/split.test.ts'],
  },
  {
    name: 'planted: weights that were set while they were read are overwritten',
    file: 'src/train/weights/weight-pool.ts',
    from: '|| variable.version !== version) continue;',
    to: ') continue;',
    tests: ['kernels-test/train/shared-models.test.ts'],
  },
  {
    name: 'planted: buffers of a pool that joins another are forgotten',
    file: 'src/train/weights/weight-pool.ts',
    from: 'pool.groups.push(...other.groups);',
    to: '',
    tests: ['kernels-test/train/shared-models.test.ts'],
  },
  {
    name: 'planted: counts of a stream’s last epoch stay',
    file: 'src/train/data/stream-batches.ts',
    from: 'this.otherCounts.clear();',
    to: '',
    tests: [PLANTED, '-t', 'each step anew'],
  },
];
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: quoted source */
