/**
 * `npm run docs:features`: writes docs/features.md, which tells of every layer, loss, optimizer and so on where its
 * figures come from. Names are read from the code's registries, the rest from the golden files and from the tests that
 * read them.
 *
 * Invariant: nothing here vouches for a feature. A mark is set where a golden case names the feature and a test with
 * that backend reads the file; a registry entry without a case is listed, and a test fails unless EXCUSED says why.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { activations } from '../src/nn/activations.ts';
import { constraints } from '../src/nn/constraints.ts';
import { initializers } from '../src/nn/initializers.ts';
import { LAYER_CLASSES, layerCases } from '../src/nn/layers/index.ts';
import { losses } from '../src/nn/losses/index.ts';
import { metrics } from '../src/nn/metrics/index.ts';
import { COMMON_OPTIONS } from '../src/nn/optimizers/common-options.ts';
import { optimizers } from '../src/nn/optimizers/index.ts';
import { regularizers } from '../src/nn/regularizers.ts';
import { schedules } from '../src/nn/schedules/index.ts';
import { callbacks } from '../src/train/callbacks/index.node.ts';
import { ZOO_NAMES } from '../src/zoo/index.ts';
import { type Answer, FEATURE_ROWS } from './feature-rows.ts';
import { runScript } from './run-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${root}docs/features.md`;

/**
 * What is compared with Keras' figures otherwise, or has none in Keras. `group/name` → why, and which test holds it, if
 * one does.
 */
export const EXCUSED: Readonly<Record<string, string>> = {
  'layers/InputLayer': 'passes its input on; kernels-test/layers/conformance.test.ts',
  'layers/Lambda': 'a function of the user; kernels-test/layers/conformance.test.ts',
  'losses/custom': "a function of the user: no figures of Keras' to compare with",
  'metrics/custom': "a function of the user: no figures of Keras' to compare with",
  'metrics/accuracy': 'chooses one of the three accuracies, which have cases; kernels-test/nn/goldens.test.ts',
  'metrics/huber': 'the mean of the loss of that name, which has cases; kernels-test/nn/loss-goldens.test.ts',
  'schedules/oneCycle': "Keras has none; PyTorch's formula in kernels-test/nn/schedules.test.ts",
  'callbacks/progressBar': "Keras' bar says other things; its text in kernels-test/train/callbacks.test.ts",
  'callbacks/gradientStatistics':
    'not in Keras; against the gradients themselves in kernels-test/train/training-insight.test.ts',
  'callbacks/activationStatistics':
    'not in Keras; against the outputs themselves in kernels-test/train/training-insight.test.ts',
  'callbacks/deadUnitMonitor': 'not in Keras; units known to be dead in kernels-test/train/training-insight.test.ts',
  'callbacks/jsonlLogger': 'not in Keras; its lines in kernels-test/train/callback-files.test.ts',
  'callbacks/tensorBoard': "an exchange format: TensorFlow's own bytes in kernels-test/train/tensorboard.test.ts",
  'models/capsnet-small': 'capsnet with fewer maps; its counts and its training in kernels-test/zoo/latent.test.ts',
  'schedules/warmup': 'Keras warms up the cosine only; a line, in kernels-test/nn/schedules.test.ts',
};

/** Golden files that speak of a group. `config`: features are options of the cases, not their names. */
interface Group {
  readonly title: string;
  /** Of the registry. */
  readonly names: readonly string[];
  readonly files: RegExp;
  /** What a case is about. */
  readonly features: (golden: GoldenCase) => readonly string[];
  /** A case is required of each. */
  readonly required: boolean;
}

type GoldenCase = Readonly<Record<string, unknown>> & {
  readonly name?: string;
  readonly config?: Readonly<Record<string, unknown>>;
};

const byName = ({ name }: GoldenCase) => (name === undefined ? [] : [name]);
const ofConfig =
  (...keys: readonly string[]) =>
  ({ config = {} }: GoldenCase) =>
    keys.flatMap((key) => (typeof config[key] === 'string' ? [config[key]] : []));

export const GROUPS: Readonly<Record<string, Group>> = {
  layers: {
    title: 'Layers and augmentation',
    names: Object.keys(LAYER_CLASSES),
    files: /-layers\.json$|^augmentations\.json$|^random\.json$/,
    features: byName,
    required: true,
  },
  activations: {
    title: 'Activations',
    names: Object.keys(activations),
    files: /-layers\.json$/,
    features: ofConfig('activation'),
    required: true,
  },
  initializers: {
    title: 'Initialisers (moments)',
    names: Object.keys(initializers),
    files: /^initializers\.json$/,
    features: byName,
    required: true,
  },
  regularizers: {
    title: 'Regularisers',
    names: Object.keys(regularizers),
    files: /^regularizers\.json$/,
    features: byName,
    required: true,
  },
  constraints: {
    title: 'Constraints',
    names: Object.keys(constraints),
    files: /^constraints\.json$/,
    features: byName,
    required: true,
  },
  losses: {
    title: 'Losses (with and without weights of examples)',
    names: Object.keys(losses),
    files: /^losses.*\.json$/,
    features: byName,
    required: true,
  },
  metrics: {
    title: 'Metrics (over batches of unequal size)',
    names: Object.keys(metrics),
    files: /^metrics-more\.json$|^confusion-matrix\.json$/,
    features: byName,
    required: true,
  },
  optimizers: {
    title: 'Optimizers (20 steps)',
    names: Object.keys(optimizers),
    files: /^optimizers.*\.json$/,
    features: byName,
    required: true,
  },
  optimizerOptions: {
    title: 'Options of all optimizers, and variants',
    names: [...COMMON_OPTIONS.filter((name) => name !== 'name'), 'momentum', 'nesterov', 'centered', 'amsgrad'],
    files: /^optimizers.*\.json$/,
    features: ({ config = {} }) => Object.keys(config),
    required: false,
  },
  schedules: {
    title: 'Schedules (computed on the host)',
    names: Object.keys(schedules),
    files: /^schedules\.json$/,
    features: byName,
    required: true,
  },
  callbacks: {
    title: 'Callbacks (on the host)',
    names: Object.keys(callbacks),
    files: /^callbacks\.json$/,
    features: byName,
    required: true,
  },
  models: {
    title: 'Models of the zoo',
    names: ZOO_NAMES,
    files: /^zoo\.json$|^latent-models\.json$/,
    features: byName,
    required: true,
  },
};

/** What is known of one feature. */
export interface Evidence {
  readonly name: string;
  readonly cases: number;
  /** Cases with gradients, or with what an update made of one. */
  readonly gradients: number;
  readonly cpu: boolean;
  readonly gpu: boolean;
  /** The tests that read the cases. */
  readonly tests: readonly string[];
}

interface TestFile {
  readonly path: string;
  readonly text: string;
}

/** Files under kernels-test that hold tests. */
function testFiles(): readonly TestFile[] {
  const paths = readdirSync(`${root}kernels-test`, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => path.endsWith('.test.ts'))
    .sort()
    .map((path) => ({ path: `kernels-test/${path}`, text: readFileSync(`${root}kernels-test/${path}`, 'utf8') }));
}

/** The tests that read a golden file of golden/nn: by its name, or all that end in `-layers.json`. */
export function readersOf(file: string, tests: readonly TestFile[]): readonly TestFile[] {
  const family = file.endsWith('-layers.json') ? "endsWith('-layers.json')" : undefined;
  return tests.filter(
    ({ text }) =>
      text.includes(`'${file}'`) ||
      text.includes(`golden/nn/${file}'`) ||
      (family !== undefined && text.includes(family)),
  );
}

function casesOf(file: string): readonly GoldenCase[] {
  const json = JSON.parse(readFileSync(`${root}kernels-test/golden/nn/${file}`, 'utf8'));
  return Array.isArray(json) ? json : (json.cases ?? []);
}

const GRADIENTS = ['dx', 'dxs', 'gradient', 'gradients', 'path'];

/** Evidence for each name of a group, in the order of its registry. */
export function evidenceOf({ names, files, features }: Group): readonly Evidence[] {
  const tests = testFiles();
  const goldens = readdirSync(`${root}kernels-test/golden/nn`)
    .filter((file) => files.test(file))
    .sort()
    .map((file) => ({ cases: casesOf(file), readers: readersOf(file, tests) }))
    .filter(({ readers }) => readers.length > 0);
  return names.map((name) => {
    const found = goldens.map(({ cases, readers }) => ({
      readers,
      cases: cases.filter((golden) => features(golden).includes(name)),
    }));
    const own = found.flatMap(({ cases }) => cases);
    const readers = [...new Set(found.flatMap((one) => (one.cases.length > 0 ? one.readers : [])))];
    return {
      name,
      cases: own.length,
      gradients: own.filter((golden) => GRADIENTS.some((key) => golden[key] !== undefined)).length,
      cpu: readers.length > 0,
      gpu: readers.some(({ text }) => text.includes('createNodeWebGPUBackend(')),
      tests: readers.map(({ path }) => path),
    };
  });
}

/** `group/name` of what has no golden case though it must. */
export function withoutGolden(): readonly string[] {
  return Object.entries(GROUPS).flatMap(([group, entry]) =>
    entry.required ? evidenceOf(entry).flatMap(({ name, cases }) => (cases === 0 ? [`${group}/${name}`] : [])) : [],
  );
}

/** docs/features.md. */
export function featurePage(): string {
  const conformance = new Set(layerCases.map(({ make }) => make().className));
  const sections = Object.entries(GROUPS).map(([group, entry]) => {
    const evidence = evidenceOf(entry);
    const rows = evidence.map(({ name, cases, gradients, cpu, gpu, tests }) => {
      const everywhere = group === 'layers' && conformance.has(name);
      const excuse = EXCUSED[`${group}/${name}`];
      const where = tests.map((path) => `\`${path.replace('kernels-test/', '')}\``).join(', ');
      return [
        `\`${name}\``,
        cpu || everywhere ? 'yes' : '',
        gpu || everywhere ? 'yes' : '',
        gradients > 0 ? String(gradients) : '',
        cases > 0 ? String(cases) : '',
        excuse ?? where,
      ];
    });
    return `## ${entry.title}\n\n${table(['feature', 'CPU', 'GPU', 'gradient', 'golden', 'where, or why not'], rows)}`;
  });
  const rows = Object.entries(FEATURE_ROWS).map(([part, list]) => {
    const lines = list.map(({ feature, answer }) => {
      const { golden, where } = answered(answer);
      return [feature, golden ? 'yes' : 'no', where];
    });
    return `### ${part}\n\n${table(['row', 'golden', 'where, or why not'], lines)}`;
  });
  const all = [
    '## The whole list',
    "The product's list, without sequence models, attention, word2vec, GANs, exchange formats and search.",
    ...rows,
  ].join('\n\n');
  const text = [
    '# Features and what tests them',
    [
      'Generated by `npm run docs:features` from the registries, the golden files in `kernels-test/golden/nn` and the',
      'tests that read them; edit those, not this.',
    ].join('\n'),
    [
      'golden: cases computed by Keras 3 (where Keras lacks the feature, by a Keras program of the paper) that name',
      'the feature; gradient: how many of them include gradients (optimizers: trajectories). CPU, GPU: the backends of',
      'the tests that read these cases. `kernels-test/layers/conformance.test.ts` also runs every layer on both,',
      'forward and backward. GPU is WebGPU, in tests on llvmpipe.',
      'Layers that draw random numbers (dropout, noise, augmentation) draw other numbers than Keras: their cases check',
      'output and gradient for a given draw, and the moments of many draws (`random.json`). Models: outputs, loss and',
      'gradients at the published sizes; ImageNet and CIFAR models as narrow networks or on small images. Counts of',
      'parameters: `zoo/counts.test.ts`.',
    ].join('\n'),
    ...sections,
    all,
  ];
  return `${text.join('\n\n')}\n`;
}

/** Whether Keras' figures answer for a row, and the cell that says where or why not. */
export function answered(answer: Answer): { readonly golden: boolean; readonly where: string } {
  if ('reason' in answer) return { golden: false, where: answer.reason };
  if ('file' in answer) {
    return { golden: true, where: `\`${answer.file}\`, \`${answer.test.replace('kernels-test/', '')}\`` };
  }
  const plain = answer.entries.filter((entry) => !Object.hasOwn(EXCUSED, entry));
  const excused = answer.entries.filter((entry) => Object.hasOwn(EXCUSED, entry));
  const names = excused.map((entry) => `\`${entry.slice(entry.indexOf('/') + 1)}\``).join(', ');
  const group = GROUPS[answer.entries[0].split('/')[0]].title;
  return { golden: plain.length > 0, where: `${group}${names === '' ? '' : `; reasons there for ${names}`}` };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** True when the committed page is as the sources say. */
export function isFeaturePageFresh(): boolean {
  return readFileSync(PAGE, 'utf8') === featurePage();
}

runScript(import.meta.url, () => {
  if (process.argv.includes('--check')) {
    if (!isFeaturePageFresh()) throw new Error(`${relative(root, PAGE)} is not up to date; run npm run docs:features`);
    return;
  }
  writeFileSync(PAGE, featurePage());
  const missing = withoutGolden().filter((feature) => !Object.hasOwn(EXCUSED, feature));
  console.log(missing.length === 0 ? 'every feature has golden cases' : `without golden cases: ${missing.join(', ')}`);
});
