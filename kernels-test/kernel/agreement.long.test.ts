/** Kernels as they are planned for adapters with subgroups and for hardware. */

import './agreement.test.ts';
