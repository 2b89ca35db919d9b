/**
 * Child process: `child-downhill-op.ts DUEL BUDGET_MS` runs downhill in a duel and prints a DuelReport.
 */

import { packageVersion } from '../../src/cli/versions.ts';
import { downhillDuellist } from '../core/downhill-duels.ts';
import { type DuelName, driveDuel, duelOf } from '../core/duels.ts';
import { openBackend } from './gpu.ts';

const [name, budgetMs] = process.argv.slice(2);
const backend = await openBackend();
const duellist = downhillDuellist(backend, packageVersion());
const report = await driveDuel(duellist, duelOf(name as DuelName), Number(budgetMs));
await backend.dispose();
process.stdout.write(`${JSON.stringify(report)}\n`);
