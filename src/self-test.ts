/**
 * `downhill/self-test`: every op of the library, forward and backward, on a backend of the caller's, against the f64
 * reference on the CPU. It needs the samples that op records hold, so it is an entry of its own with unstripped records
 * (docs/adr/0014-bundle-sizes.md); the backend may come from `downhill` itself.
 */

import type { Backend } from './backend/backend.ts';
import type { AdapterType } from './compile/target.ts';
import type { Op } from './core/op.ts';
import { allOps } from './ops/index.ts';
import { checkForward, checkGradients, type PassReport } from './self-test/check-op.ts';
import { checkOptions } from './util/check-options.ts';
import { DownhillError, unknownName } from './util/errors.ts';

export type { PassReport } from './self-test/check-op.ts';

export interface SelfTestOptions {
  /** Names of the ops to test; all when left out. */
  readonly ops?: readonly string[];
  /** Draws other operands; 0 when left out. A whole number ≥ 0. */
  readonly seed?: number;
  /** Called for each op when it is done. */
  readonly onProgress?: (progress: SelfTestProgress) => void;
  /** Ends the test after the op that is running. */
  readonly signal?: AbortSignal;
}

export interface SelfTestProgress {
  /** Ops tested so far, this one included. */
  readonly done: number;
  readonly total: number;
  readonly op: OpSelfTest;
}

/** The result for one op; plain data. */
export interface OpSelfTest {
  readonly name: string;
  readonly pass: boolean;
  /** Calls of the op that were compared. */
  readonly samples: number;
  /** Largest error of an output, relative where the reference is above 1; null where NaN or infinities differ. */
  readonly worstError: number | null;
  /** Largest accepted one: the record's. */
  readonly tolerance: number;
  /** Gradients of operands that were compared; 0 where none flows. */
  readonly gradients: number;
  /** As `worstError`, of the gradients. The accepted error is computed for the given numbers. */
  readonly worstGradientError: number | null;
  /** What is wrong; empty when the op passes. */
  readonly message: string;
}

/** The outcome; plain data, `JSON.stringify` gives a report to keep. */
export interface SelfTestReport {
  readonly pass: boolean;
  readonly backend: Backend['kind'];
  /** Description of the adapter, as a person knows it. */
  readonly adapter: string;
  readonly adapterType: AdapterType;
  readonly seed: number;
  /** Names of the ops that do not pass. */
  readonly failed: readonly string[];
  readonly ops: readonly OpSelfTest[];
  /** Wall-clock time. */
  readonly milliseconds: number;
}

/**
 * Tests every kernel of the library on `backend`, which the caller still owns: it does not become the default and is
 * not disposed. An op that does not compile, is refused by the device or gives other values than the reference is in
 * the report, with what is wrong.
 * @throws DownhillError `argument` for unknown options or ops, `device-lost` when the device goes; the signal's reason
 *   when it is aborted.
 */
export async function selfTest(backend: Backend, options: SelfTestOptions = {}): Promise<SelfTestReport> {
  const { ops: names, seed = 0, onProgress, signal } = checkOptions('selfTest', options, OPTIONS);
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new DownhillError('argument', `selfTest: seed must be a whole number ≥ 0, got ${String(seed)}`);
  }
  const wanted = chooseOps(names);
  const started = performance.now();
  const ops: OpSelfTest[] = [];
  for (const op of wanted) {
    signal?.throwIfAborted();
    const result = await testOp(op, backend, seed);
    ops.push(result);
    onProgress?.({ done: ops.length, total: wanted.length, op: result });
  }
  const failed = ops.filter(({ pass }) => !pass).map(({ name }) => name);
  return {
    pass: failed.length === 0,
    backend: backend.kind,
    adapter: backend.description,
    adapterType: backend.target.adapterType,
    seed,
    failed,
    ops,
    milliseconds: performance.now() - started,
  };
}

const OPTIONS = ['ops', 'seed', 'onProgress', 'signal'] as const;

function chooseOps(names: readonly string[] | undefined): readonly Op[] {
  if (names === undefined) return allOps;
  const known = new Map(allOps.map((op) => [op.name, op]));
  return names.map((name) => {
    const op = known.get(name);
    if (op === undefined) throw unknownName('op', name, [...known.keys()].sort());
    return op;
  });
}

async function testOp(op: Op, backend: Backend, seed: number): Promise<OpSelfTest> {
  const forward = await reported(() => checkForward(op, backend, seed));
  const backward = await reported(() => checkGradients(op, backend, seed));
  const message = [forward.message, backward.message].filter((text) => text !== '').join('; ');
  return {
    name: op.name,
    pass: message === '',
    samples: forward.compared,
    worstError: forward.worstError,
    tolerance: op.tolerance.relative,
    gradients: backward.compared,
    worstGradientError: backward.worstError,
    message,
  };
}

/** What a check finds, or why it could not be made: one refused kernel must not hide the state of the others. */
async function reported(check: () => Promise<PassReport>): Promise<PassReport> {
  try {
    return await check();
  } catch (error) {
    // By its code: the backend may bring another copy of the class.
    if ((error as Partial<DownhillError>).code === 'device-lost') throw error;
    return { compared: 0, worstError: null, message: error instanceof Error ? error.message : String(error) };
  }
}
