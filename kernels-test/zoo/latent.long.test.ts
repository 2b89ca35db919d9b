/** Training until something is learnt. */

import './latent.test.ts';
