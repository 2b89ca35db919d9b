/**
 * `downhill profile`: where the GPU time of a training step goes: each kernel's time, rates and share, as a table and
 * as a file for a trace viewer. The step is that of `trainOnBatch` on the first examples. A training whose data set is
 * on the device also gathers each batch from it. The weights are not saved.
 */

import type { Backend } from '../../backend/backend.ts';
import { chromeTrace } from '../../backend/chrome-trace.ts';
import { FOR_PROFILES } from '../../backend/webgpu.node.ts';
import { take } from '../../data/dataset.ts';
import { environment } from '../../util/environment.ts';
import { DownhillError } from '../../util/errors.ts';
import { assertWritable, writeFileAtomic } from '../../util/files.node.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { withBackend } from '../open-backend.ts';
import { text, whole } from '../options.ts';
import { describeProfile, type ProfileResult, profileResult } from '../profile-report.ts';
import { loadSetting, SEED_OPTION, SETTING_OPTIONS } from '../train-setting.ts';

export const profile = defineCommand({
  name: 'profile',
  doc: 'time each kernel of a training step on the GPU',
  example: 'profile --model lenet --dataset digits --trace runs/lenet-trace.json',
  options: {
    ...SETTING_OPTIONS,
    runs: whole({ least: 1, fallback: 5, doc: 'steps whose median is shown; drivers may still compile in the first' }),
    top: whole({ least: 1, fallback: 25, doc: 'kernels in the table, the slowest; --json has all of them, in order' }),
    trace: text({ placeholder: 'FILE', doc: 'where to write a trace for chrome://tracing or ui.perfetto.dev' }),
    ...COMMON_OPTIONS,
    seed: SEED_OPTION,
  },
  async run(values, output) {
    if (values.backend === 'cpu') {
      const advice = 'leave it out, or install a software driver: downhill info says what there is';
      throw new DownhillError('argument', `profile: --backend cpu has no GPU time to show; ${advice}`);
    }
    if (environment().validate) {
      throw new DownhillError(
        'argument',
        'profile: VALIDATE=1 runs every dispatch separately on two backends; unset it',
      );
    }
    const { setting, data } = await loadSetting(values, output);
    const { batchSize } = setting.fit;
    if (data.train.size < batchSize) {
      const found = `--batch-size ${batchSize}: ${setting.dataset} has ${data.train.size} training examples`;
      throw new DownhillError('argument', `profile: ${found}; a smaller batch fits`);
    }
    const { model, prepare } = setting.make();
    using _model = model;
    const batch = prepare(take(data.train, batchSize));
    const { runs, top, trace } = values;
    if (trace !== undefined) await assertWritable(trace);
    const work = async (backend: Backend): Promise<ProfileResult> => {
      output.say(
        `${runs} steps of ${setting.name} on ${batchSize} examples of ${setting.dataset}, ${backend.description}`,
      );
      const kernels = await model.profileOnBatch(
        { data: batch.x, shape: [batch.size, ...batch.xShape] },
        { data: batch.y, shape: [batch.size, ...batch.yShape] },
        { runs },
      );
      const { name, dataset } = setting;
      return profileResult({ model: name, dataset, batchSize, runs, adapter: backend.description }, kernels);
    };
    const result = await withBackend('webgpu', output, work, FOR_PROFILES);
    if (trace !== undefined) {
      const title = `${result.model}, batch ${batchSize}, ${result.adapter}`;
      await writeFileAtomic(trace, `${JSON.stringify(chromeTrace(result.kernels, title))}\n`);
      output.say(`trace in ${trace}`);
    }
    output.result(result, describeProfile(result, top));
    return 0;
  },
});
