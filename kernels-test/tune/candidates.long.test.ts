/** Candidates for hardware adapters, and with operands in workgroup memory. */

import './candidates.test.ts';
