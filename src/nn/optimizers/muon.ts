/**
 * Muon by Keras 3's formulas (keras/src/optimizers/muon.py): the momentum of a weight matrix is made nearly orthogonal by
 * a few steps of a Newton–Schulz iteration before the matrix follows it; all other weights follow AdamW.
 *
 * Invariant: matrices and the others lie in groups of their own (`ruleOf`); everything elementwise is over the flat
 * group, and only the iteration looks at one matrix at a time. It is matmuls of the smaller side, in the same step.
 * Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); Liu et al., "Muon is scalable
 * for LLM training", arXiv 2502.16982 (the factor `rmsRate`).
 */

import type { Tensor } from '../../core/tensor.ts';
import { add, div, mul, sub } from '../../ops/elementwise/binary.ts';
import { sqrt, square } from '../../ops/elementwise/unary.ts';
import { matmul } from '../../ops/matmul/matmul.ts';
import { sum } from '../../ops/reduction/reduce.ts';
import { type Surplus, sole } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Shape } from '../../util/shape.ts';
import { numberBetween, show, trueOrFalse, wholeNumber } from '../check-options.ts';
import { eachWeight } from './each-weight.ts';
import {
  Optimizer,
  type OptimizerConfig,
  type OptimizerOptions,
  type UpdateInputs,
  type UpdateOutputs,
} from './optimizer.ts';

/** `learningRate` is 0.001 when left out, `weightDecay` (of the matrices under Muon) 0.004. */
export interface MuonOptions extends OptimizerOptions {
  /** Decay of the sum of gradients of a matrix, in [0, 1); 0.95 when left out. */
  readonly momentum?: number;
  /** True, also when left out, to look one step of momentum ahead. */
  readonly nesterov?: boolean;
  /** Count of Newton–Schulz steps; 5 when left out. */
  readonly nsSteps?: number;
  /** Coefficients of X ← a X + (b A + c A²) X with A = X Xᵀ; 3.4445, −4.775 and 2.0315 when left out. */
  readonly muonA?: number;
  readonly muonB?: number;
  readonly muonC?: number;
  /** The step of an [m, n] matrix is multiplied by rmsRate · √max(m, n), so that one rate suits both rules; 0.2 when left out, null for none. */
  readonly rmsRate?: number | null;
  /** Regular expressions; matrices whose path (`head/kernel`) one of them matches follow AdamW. None when left out. */
  readonly excludeLayers?: readonly string[];
  /** True, also when left out, to let AdamW have the matrices whose path contains `embedding`. */
  readonly excludeEmbeddings?: boolean;
  /** AdamW's learning rate is this times `learningRate`; 1 when left out. */
  readonly adamLrRatio?: number;
  /** AdamW's decay of the mean of gradients, in [0, 1); 0.9 when left out. */
  readonly adamBeta1?: number;
  /** AdamW's decay of the mean of squares, in [0, 1); 0.999 when left out. */
  readonly adamBeta2?: number;
  /** Weight decay of what follows AdamW; 0.004 when left out. */
  readonly adamWeightDecay?: number;
  /** Added to AdamW's root; 1e-7 when left out. */
  readonly epsilon?: number;
}

const NUMBERS = {
  ...{ momentum: 0.95, muonA: 3.4445, muonB: -4.775, muonC: 2.0315 },
  ...{ adamLrRatio: 1, adamBeta1: 0.9, adamBeta2: 0.999, adamWeightDecay: 0.004, epsilon: 1e-7 },
};
const KNOWN = [...Object.keys(NUMBERS), 'nesterov', 'nsSteps', 'rmsRate', 'excludeLayers', 'excludeEmbeddings'];

/** What `ruleOf` tells apart. */
const MUON = 'muon';
const ADAM_W = 'adamW';

/** Keeps the norm of a momentum of zeros from dividing by zero. */
const TINY = 1e-7;

export class Muon extends Optimizer {
  override readonly name = 'muon';
  override readonly state = { m: 0, v: 0 };
  override readonly ruleScalars = ['learningRate', 'alpha', 'adamDecay'];
  private readonly numbers: typeof NUMBERS;
  private readonly nesterov: boolean;
  private readonly nsSteps: number;
  private readonly rmsRate: number | null;
  private readonly excludeLayers: readonly string[];
  private readonly excludeEmbeddings: boolean;

  /** @throws DownhillError `argument` for an option that is not accepted. */
  constructor(options: MuonOptions = {}) {
    super('muon', withDecay(options), 0.001, KNOWN);
    const share = (name: 'momentum' | 'adamBeta1' | 'adamBeta2') =>
      numberBetween('muon', name, options[name] ?? NUMBERS[name], 0, 1, true);
    const amount = (name: 'adamLrRatio' | 'adamWeightDecay' | 'epsilon') =>
      numberBetween('muon', name, options[name] ?? NUMBERS[name], 0);
    const coefficient = (name: 'muonA' | 'muonB' | 'muonC') =>
      numberBetween('muon', name, options[name] ?? NUMBERS[name], -Number.MAX_VALUE);
    this.numbers = {
      ...{ momentum: share('momentum'), adamBeta1: share('adamBeta1'), adamBeta2: share('adamBeta2') },
      ...{ muonA: coefficient('muonA'), muonB: coefficient('muonB'), muonC: coefficient('muonC') },
      ...{ adamLrRatio: amount('adamLrRatio'), adamWeightDecay: amount('adamWeightDecay'), epsilon: amount('epsilon') },
    };
    this.nesterov = trueOrFalse('muon', 'nesterov', options.nesterov ?? true);
    this.nsSteps = wholeNumber('muon', 'nsSteps', options.nsSteps ?? 5);
    this.rmsRate = options.rmsRate === null ? null : numberBetween('muon', 'rmsRate', options.rmsRate ?? 0.2, 0);
    this.excludeLayers = checkPatterns(options.excludeLayers ?? []);
    this.excludeEmbeddings = trueOrFalse('muon', 'excludeEmbeddings', options.excludeEmbeddings ?? true);
  }

  override get ruleConfig(): OptimizerConfig {
    const { numbers, nesterov, nsSteps, rmsRate, excludeLayers, excludeEmbeddings } = this;
    return { ...numbers, nesterov, nsSteps, rmsRate, excludeLayers, excludeEmbeddings };
  }

  override ruleOf(path: string, shape: Shape): string {
    const excluded =
      (this.excludeEmbeddings && path.toLowerCase().includes('embedding')) ||
      this.excludeLayers.some((pattern) => new RegExp(pattern).test(path));
    return shape.length === 2 && !excluded ? MUON : ADAM_W;
  }

  protected override stateOf(rule: string): Readonly<Record<string, number>> {
    return rule === MUON ? { m: 0 } : this.state;
  }

  override decayOf(rule: string): string {
    return rule === MUON ? 'decay' : 'adamDecay';
  }

  override ruleValues(update: number, rate: number): readonly number[] {
    const { adamLrRatio, adamBeta1, adamBeta2, adamWeightDecay } = this.numbers;
    const alpha = (rate * adamLrRatio * Math.sqrt(1 - adamBeta2 ** update)) / (1 - adamBeta1 ** update);
    return [rate, alpha, adamWeightDecay * rate];
  }

  override update(inputs: UpdateInputs): UpdateOutputs {
    return inputs.rule === MUON ? this.muon(inputs) : this.adamW(inputs);
  }

  private muon({ parameters, gradient, slots, scalars, shapes }: UpdateInputs): UpdateOutputs {
    const { momentum } = this.numbers;
    const m = add(mul(slots.m, momentum), gradient);
    const ahead = this.nesterov ? add(gradient, mul(m, momentum)) : m;
    const direction = eachWeight(ahead, shapes, (matrix) => {
      const step = this.orthogonalized(matrix);
      return this.rmsRate === null ? step : mul(step, this.rmsRate * Math.sqrt(Math.max(...matrix.shape)));
    });
    return { parameters: sub(parameters, mul(direction, scalars.learningRate)), slots: { m } };
  }

  /** [m, n] → [m, n] with singular values near 1: an odd polynomial of the matrix, over its norm, again and again. */
  private orthogonalized(matrix: Tensor): Tensor {
    const { muonA, muonB, muonC } = this.numbers;
    const [rows, columns] = matrix.shape;
    const isTall = rows > columns;
    let x = div(matrix, add(sqrt(sum(square(matrix))), TINY));
    for (let k = 0; k < this.nsSteps; k++) {
      // The square matrix of the smaller side: X Xᵀ from the left or, equal in exact arithmetic, Xᵀ X from the right.
      const a = matmul(x, x, { transposeA: isTall, transposeB: !isTall });
      const b = add(mul(a, muonB), mul(matmul(a, a), muonC));
      x = add(mul(x, muonA), isTall ? matmul(x, b) : matmul(b, x));
    }
    return x;
  }

  private adamW({ parameters, gradient, slots, scalars }: UpdateInputs): UpdateOutputs {
    const { adamBeta1, adamBeta2, epsilon } = this.numbers;
    const m = add(slots.m, mul(sub(gradient, slots.m), 1 - adamBeta1));
    const v = add(slots.v, mul(sub(square(gradient), slots.v), 1 - adamBeta2));
    const change = div(mul(m, scalars.alpha), add(sqrt(v), epsilon));
    return { parameters: sub(parameters, change), slots: { m, v } };
  }
}

/** Muon: `muon({ learningRate: 0.01, excludeLayers: ['head'] })`, the last layer being AdamW's. */
export const muon = (options: MuonOptions = {}, ...surplus: Surplus): Muon => sole('muon', surplus, new Muon(options));

/** Keras' default of the decay; what is no object is refused by the base class. */
function withDecay(options: MuonOptions): MuonOptions {
  if (typeof options !== 'object' || options === null || options.weightDecay !== undefined) return options;
  return { ...options, weightDecay: 0.004 };
}

/** @throws DownhillError `argument` unless it is a list of regular expressions. */
function checkPatterns(value: unknown): readonly string[] {
  const isPattern = (text: unknown): boolean => {
    if (typeof text !== 'string' || text === '') return false;
    try {
      return new RegExp(text) instanceof RegExp;
    } catch {
      return false;
    }
  };
  if (Array.isArray(value) && value.every(isPattern)) return [...value];
  throw new DownhillError(
    'argument',
    `muon: excludeLayers must be a list of words or regular expressions such as ['head', '^dense_3/'], found ${show(value)}`,
  );
}
