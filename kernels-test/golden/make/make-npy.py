"""Files that NumPy itself writes, for the tests of src/data/npy.ts and npz.ts.

Run: python kernels-test/golden/make/make-npy.py   (needs numpy; writes kernels-test/golden/npy.json)
Each case is a whole file in base64 with the values it holds (in C order, 64-bit integers as text).
"""

import base64
import io
import json
import pathlib

import numpy as np
from numpy.lib import format as npy_format

OUT = pathlib.Path(__file__).parent.parent / "npy.json"

VALUES = {
    "f4": [0.5, -1.25, 3e38, -0.0, 1e-3, 7],
    "f8": [0.1, -1e300, 2.5, 0, 1, -3],
    "i1": [-128, 127, 0, 1, -1, 5],
    "i2": [-32768, 32767, 0, 1, -1, 258],
    "i4": [-(2**31), 2**31 - 1, 0, 1, -1, 65538],
    "i8": [-(2**63), 2**63 - 1, 0, 1, -1, 2**40],
    "u1": [0, 255, 1, 2, 3, 4],
    "u2": [0, 65535, 1, 2, 3, 258],
    "u4": [0, 2**32 - 1, 1, 2, 3, 65538],
    "u8": [0, 2**64 - 1, 1, 2, 3, 2**40],
    "b1": [0, 1, 1, 0, 1, 1],
}
NAMES = {"f4": "f32", "f8": "f64", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64"}
NAMES |= {"u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "b1": "bool"}


def plain(array):
    flat = array.ravel(order="C").tolist()
    return [str(v) if array.dtype.kind in "iu" and array.dtype.itemsize == 8 else float(v) for v in flat]


def case(name, array, version=None):
    file = io.BytesIO()
    npy_format.write_array(file, array, version=version)
    code = array.dtype.str[1:]
    return {
        "name": name,
        "file": base64.b64encode(file.getvalue()).decode(),
        "dtype": NAMES[code],
        "shape": list(array.shape),
        "values": plain(array),
    }


cases = []
for code, values in VALUES.items():
    for order in "<>" if code[1] != "1" else "|":
        for layout in "CF":
            array = np.asarray(values, dtype=order + code).reshape(2, 3)
            cases.append(case(f"{order}{code} {layout}", np.array(array, order=layout)))
cube = np.arange(24, dtype="<f4").reshape(2, 3, 4)
cases.append(case("rank 3, Fortran", np.asfortranarray(cube)))
cases.append(case("rank 0", np.array(2.5, dtype="<f8")))
cases.append(case("rank 1", np.array([1, 2, 3], dtype="<i4")))
cases.append(case("empty", np.zeros((0, 3), dtype="<f4")))
for version in [(1, 0), (2, 0), (3, 0)]:
    cases.append(case(f"version {version[0]}", np.array([[1, 2]], dtype="<i2"), version))

archives = []
for name, save in [("savez", np.savez), ("savez_compressed", np.savez_compressed)]:
    file = io.BytesIO()
    save(file, x=np.arange(6, dtype="<f4").reshape(3, 2), y=np.array([0, 1, 1], dtype="<i8"))
    archives.append({"name": name, "file": base64.b64encode(file.getvalue()).decode()})

OUT.write_text(json.dumps({"cases": cases, "archives": archives}, indent=1) + "\n")
