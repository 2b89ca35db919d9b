/**
 * A training step of downhill next to other engines, each in its own worker, one after the other. The losses are
 * compared before a time is shown; an engine whose losses differ gets none.
 */

import { peers } from 'virtual:peers';
import { proxy } from 'comlink';
import { type Comparison, compareEngines, PARITY } from '../../bench/core/compare-engines.ts';
import type { EngineReport } from '../../bench/core/engine.ts';
import { largestDifference } from '../../bench/core/statistics.ts';
import { formatMs, formatRatio } from '../../bench/core/table.ts';
import type { WorkloadName } from '../../bench/core/workloads.ts';
import { binaryBytes } from '../shared/adapter.ts';
import { switchControls } from '../shared/controls.ts';
import { element, messageOf, notify } from '../shared/shell.ts';
import { Job, Stopped } from '../shared/worker/start.ts';
import type { EngineName } from './workers.ts';

type PeerName = keyof typeof peers;

const TITLES: Readonly<Record<EngineName, string>> = { downhill: 'downhill', tfjs: 'TensorFlow.js', jax: 'jax-js' };
/** Milliseconds of timed steps an engine. */
const BUDGET_MS = 4000;
const MAX_STEPS = 60;

/** @param onResult is called when there is something to export. */
export function stepView(onResult: () => void): { result(): readonly Comparison[] } {
  /** The last of each network and batch size. */
  const results = new Map<string, Comparison>();
  const measure = element<HTMLButtonElement>('measure-steps');
  const network = element<HTMLSelectElement>('workload');
  const fromCdn = new Set<PeerName>();
  const job = new Job('steps');

  function offerPeers(): void {
    const absent = (Object.keys(peers) as PeerName[]).filter((name) => !peers[name].bundled);
    for (const name of Object.keys(peers) as PeerName[]) {
      const box = checkbox(name);
      box.disabled = absent.includes(name) && !fromCdn.has(name);
      box.checked = !box.disabled;
    }
    element('missing-names').textContent = absent.map((name) => TITLES[name]).join(' and ');
    element('peers-missing').hidden = absent.every((name) => fromCdn.has(name));
  }

  async function run(workload: WorkloadName, batch: number): Promise<void> {
    const engines = (['downhill', 'tfjs', 'jax'] as const).filter(
      (name) => name === 'downhill' || checkbox(name).checked,
    );
    const rows = new Map(engines.map((name) => [name, addRow(name)]));
    const reports: EngineReport[] = [];
    for (const name of engines) {
      const cells = rows.get(name)!;
      try {
        cells[1].textContent = 'running…';
        show(`${TITLES[name]}: ten steps for the losses.`);
        const report = await measureEngine(name, workload, batch, (losses) => {
          const own = reports[0]?.losses ?? losses;
          const difference = largestDifference(losses, own);
          cells[1].textContent = name === 'downhill' ? 'is the measure' : difference.toExponential(1);
          show(`${TITLES[name]}: ${difference <= PARITY ? 'same losses; now its steps are timed.' : 'other losses.'}`);
        });
        reports.push(report);
        showTimes(cells, report, reports[0], compareEngines(workload, [reports[0], report]));
      } catch (error) {
        if (error instanceof Stopped || name === 'downhill') throw error;
        cells[1].textContent = 'failed';
        notify(`${TITLES[name]} failed: ${messageOf(error)}`, { kind: 'error', key: name });
      }
      results.set(`${workload} ${batch}`, compareEngines(workload, reports));
      onResult();
    }
    show('Done.');
  }

  async function measureEngine(
    name: EngineName,
    workload: WorkloadName,
    batch: number,
    onLosses: (losses: readonly number[]) => void,
  ): Promise<EngineReport> {
    const from = name !== 'downhill' && fromCdn.has(name) ? 'cdn' : 'bundle';
    const options = { budgetMs: BUDGET_MS, maxSteps: MAX_STEPS };
    return job.run((bench, during) => bench.measure(name, from, workload, batch, options, proxy(during(onLosses))));
  }

  network.addEventListener('change', () => {
    element<HTMLInputElement>('batch').value = network.selectedOptions[0].dataset.batch ?? '';
  });
  element('steps-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    if (measure.disabled) return;
    switchRunning(true);
    element('engines').replaceChildren();
    try {
      await run(network.value as WorkloadName, Number(element<HTMLInputElement>('batch').value));
    } catch (error) {
      show(error instanceof Stopped ? 'Stopped.' : 'Stopped by an error.');
      if (!(error instanceof Stopped)) {
        notify(`The measurement stopped: ${messageOf(error)}`, { kind: 'error', key: 'steps' });
      }
    }
    switchRunning(false);
  });
  element('stop-steps').addEventListener('click', () => job.stop());
  element('allow-cdn').addEventListener('click', () => {
    for (const name of Object.keys(peers) as PeerName[]) if (!peers[name].bundled) fromCdn.add(name);
    offerPeers();
  });
  offerPeers();
  return { result: () => [...results.values()] };
}

function switchRunning(running: boolean): void {
  switchControls({ 'measure-steps': !running, 'stop-steps': running }, ['measure-steps', 'stop-steps']);
}

function addRow(name: EngineName): HTMLTableCellElement[] {
  const line = document.createElement('tr');
  line.dataset.engine = name;
  const cells = Array.from({ length: 9 }, (_, k) => {
    const cell = line.insertCell();
    cell.textContent = k === 0 ? TITLES[name] : '–';
    if (k > 0) cell.className = 'number';
    return cell;
  });
  element('engines').append(line);
  return cells;
}

/** Fills the row, with times only where the work was the same. */
function showTimes(
  cells: readonly HTMLTableCellElement[],
  report: EngineReport,
  own: EngineReport,
  { parity }: Comparison,
): void {
  cells[0].textContent = `${report.engine} ${report.version}`;
  if (!parity) {
    cells[1].textContent += ' – no times: another result';
    return;
  }
  const { firstStepMs, step, perStep, peakBytes } = report;
  const texts = [
    formatMs(firstStepMs),
    formatMs(step.median),
    formatMs(step.min),
    report === own ? '' : formatRatio(step.median / own.step.median),
    String(perStep.dispatches),
    String(perStep.newObjects),
    binaryBytes(peakBytes),
  ];
  texts.forEach((text, k) => {
    cells[k + 2].textContent = text;
  });
}

function checkbox(name: PeerName): HTMLInputElement {
  return element<HTMLInputElement>(`with-${name}`);
}

function show(text: string): void {
  element('steps-state').textContent = text;
}
