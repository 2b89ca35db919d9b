"""Makes kernels-test/golden/weights.safetensors and all-dtypes.safetensors with the reference implementation.

pip install numpy safetensors ml_dtypes, then: python kernels-test/golden/make/make-safetensors.py
The first file holds only dtypes that downhill writes, so writing it again must give the same bytes.
"""

from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

folder = Path(__file__).resolve().parent.parent

weights = {
    "conv/kernel": np.arange(12, dtype=np.float32).reshape(2, 2, 1, 3) / 8,
    "conv/bias": np.array([-1.5, 0.0, np.inf], dtype=np.float32),
    'größe "x"': np.zeros((0, 4), dtype=np.float32),
    "step": np.array(7, dtype=np.int32),
    "seed": np.array([1, 2**32 - 1], dtype=np.uint32),
}
save_file(weights, folder / "weights.safetensors", metadata={"format": "downhill", "model": '{"a":\n1}'})

dtypes = {
    "f64": np.array([0.1, -2.5e300]),
    "f32": np.array([0.1, -2.5e30], dtype=np.float32),
    "f16": np.array([0.1, -65504, 6e-8, np.inf, -np.inf, np.nan, -0.0], dtype=np.float16),
    "bf16": np.array([0.1, -3.140625, np.inf], dtype=ml_dtypes.bfloat16),
    "i64": np.array([-(2**63), 2**63 - 1]),
    "i32": np.array([-(2**31), 2**31 - 1], dtype=np.int32),
    "i16": np.array([-(2**15), 2**15 - 1], dtype=np.int16),
    "i8": np.array([-128, 127], dtype=np.int8),
    "u64": np.array([0, 2**64 - 1], dtype=np.uint64),
    "u32": np.array([0, 2**32 - 1], dtype=np.uint32),
    "u16": np.array([0, 2**16 - 1], dtype=np.uint16),
    "u8": np.array([[0, 255, 3]], dtype=np.uint8),
    "bool": np.array([True, False, True]),
}
save_file(dtypes, folder / "all-dtypes.safetensors")
