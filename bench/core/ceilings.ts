/**
 * What the adapter can do at all, measured before anything is judged by it: bytes per second read and written, and
 * floating-point operations per second of the fastest kernel among a few: multiply-adds in registers alone (a bound
 * that no real kernel reaches), hand-written matrix products without any library, and this package's own matmul.
 */

import type { Backend } from '../../src/backend/backend.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { type MemoryProbe, memoryProbe, multiplyAddProbe, tiledProductProbe } from './probes.ts';
import { timePlan } from './time-plan.ts';

export interface Ceilings {
  /** GB/s of reading alone, of writing alone, and of a copy (both directions counted). */
  readonly readGBs: number;
  readonly writeGBs: number;
  readonly copyGBs: number;
  /** The fastest probe of each kind of memory access, by size. */
  readonly memory: readonly { readonly label: string; readonly gbs: number }[];
  /** GFLOP/s of multiply-adds in registers. */
  readonly registerGFlops: number;
  /** GFLOP/s of the fastest matrix product measured, and which one it was. */
  readonly gemmGFlops: number;
  readonly gemm: string;
  readonly products: readonly { readonly label: string; readonly gflops: number }[];
}

const MIB = 1 << 20;
/** The size of most samples, which large caches hold, and one that they do not. */
const SIZES = [4 * MIB, 64 * MIB];
/** Vectors a thread and their order. */
const FORMS: Readonly<Record<MemoryProbe, readonly (readonly [each: number, strided: boolean])[]>> = {
  copy: [
    [1, false],
    [16, false],
    [16, true],
  ],
  fill: [
    [1, false],
    [16, false],
    [16, true],
  ],
  read: [
    [64, false],
    [64, true],
  ],
};

/**
 * @param matmul plans of this package's own products, to be measured with the hand-written ones.
 * @param onProbe is told what is about to be measured.
 */
export async function measureCeilings(
  backend: Backend,
  matmul: readonly Plan[],
  onProbe: (label: string) => void = () => {},
): Promise<Ceilings> {
  const rate = async (plan: Plan, work: number): Promise<number> => {
    onProbe(plan.name);
    return work / (await timePlan(backend, plan, { budgetMs: 200 })).bestNs;
  };
  const memory: { kind: MemoryProbe; label: string; gbs: number }[] = [];
  for (const kind of ['read', 'fill', 'copy'] as const) {
    for (const bytes of SIZES) {
      const limit = Math.min(bytes, backend.target.maxStorageBufferBindingSize);
      const found: { kind: MemoryProbe; label: string; gbs: number }[] = [];
      for (const [each, strided] of FORMS[kind]) {
        const plan = memoryProbe(kind, limit / 16, each, strided);
        found.push({ kind, label: plan.name, gbs: await rate(plan, plan.planBytes + plan.boundBytes) });
      }
      memory.push(found.reduce((a, b) => (b.gbs > a.gbs ? b : a)));
    }
  }
  const best = (kind: MemoryProbe): number => Math.max(...memory.filter((m) => m.kind === kind).map(({ gbs }) => gbs));
  const registers = multiplyAddProbe();
  const registerGFlops = await rate(registers.plan, registers.flops);
  const products: { label: string; gflops: number }[] = [];
  for (const n of [256, 512]) {
    for (const [rows, columns] of [
      [4, 4],
      [8, 4],
      [8, 8],
    ]) {
      const probe = tiledProductProbe(n, rows, columns);
      products.push({ label: probe.plan.name, gflops: await rate(probe.plan, probe.flops) });
    }
  }
  for (const plan of matmul) {
    const flops = plan.dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
    products.push({ label: plan.name, gflops: await rate(plan, flops) });
  }
  const fastest = products.reduce((a, b) => (b.gflops > a.gflops ? b : a));
  return {
    readGBs: best('read'),
    writeGBs: best('fill'),
    copyGBs: best('copy'),
    memory: memory.map(({ label, gbs }) => ({ label, gbs })),
    registerGFlops,
    gemmGFlops: fastest.gflops,
    gemm: fastest.label,
    products,
  };
}
