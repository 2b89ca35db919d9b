"""Makes kernels-test/golden/nn/merging-layers.json: layers of several inputs as Keras 3 computes them.

python kernels-test/golden/make/make-merging.py (layer_cases.py says what it needs).
"""

import keras
from layer_cases import layer_case, normal, write

L = keras.layers


def case(name, config, *shapes):
    return layer_case(name, config, getattr(L, name)(**config), [normal(*shape) for shape in shapes])


cases = [
    case("Add", {}, (2, 3, 2), (2, 3, 2), (2, 3, 2)),
    case("Add", {}, (2, 3), (2, 2, 1, 3)),
    case("Subtract", {}, (2, 3, 2), (2, 3, 2)),
    case("Subtract", {}, (2, 3, 1), (2, 1, 2)),
    case("Multiply", {}, (2, 3), (2, 3), (2, 3)),
    case("Multiply", {}, (2, 2, 2, 3), (2, 1, 1, 3)),
    case("Average", {}, (2, 4), (2, 4), (2, 4)),
    case("Maximum", {}, (2, 3, 2), (2, 3, 2), (2, 3, 2)),
    case("Minimum", {}, (2, 4, 2), (2, 2)),
    case("Concatenate", {}, (2, 2, 3), (2, 2, 1), (2, 2, 2)),
    case("Concatenate", {"axis": 1}, (2, 2, 3), (2, 1, 3)),
    case("Concatenate", {"axis": -2}, (2, 1, 3), (2, 2, 3)),
    case("Dot", {"axes": 1}, (3, 4), (3, 4)),
    case("Dot", {"axes": -1, "normalize": True}, (3, 4), (3, 4)),
    case("Dot", {"axes": [1, 2]}, (2, 4, 3), (2, 5, 4)),
    case("Dot", {"axes": [2, 1], "normalize": True}, (2, 3, 4), (2, 4, 2, 3)),
    case("Dot", {"axes": [1, 2]}, (2, 4), (2, 3, 4)),
]
write("merging", cases)
