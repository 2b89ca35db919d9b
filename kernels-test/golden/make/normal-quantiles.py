"""Quantiles of the standard normal distribution, the oracle of kernels-test/ops/random.test.ts.

    python3 kernels-test/golden/make/normal-quantiles.py

The oracle is CPython's statistics.NormalDist (Wichura's algorithm AS 241, good to 1e-16). A line is one octave of the
31-bit magnitude m: `quantile` is the z >= 0 with P(Z > z) = (m + 1/2) / 2^32, at ends and middles of table cells.
"""

import json
from pathlib import Path
from statistics import NormalDist

normal = NormalDist()
lines = []
for octave in range(31):
    size = 2**octave
    places = {0, size - 1, *(int(size * k / 24.5) for k in range(24)), *(int(size * (k + 0.5) / 64) for k in (0, 5, 20, 63))}
    magnitudes = ([0] if octave == 0 else []) + [size + p for p in sorted(places)]
    quantiles = [round(-normal.inv_cdf((m + 0.5) / 2**32), 12) for m in magnitudes]
    lines.append(json.dumps({"magnitudes": magnitudes, "quantiles": quantiles}))

out = Path(__file__).parent.parent / "ops" / "normal-quantiles.jsonl"
out.write_text("\n".join(lines) + "\n")
