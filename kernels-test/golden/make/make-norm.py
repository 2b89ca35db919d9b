"""Makes kernels-test/golden/nn/norm-layers.json: BatchNormalization, LayerNormalization and GroupNormalization as Keras 3
computes them; of the first, training and inference, and the moving statistics after a step.

python kernels-test/golden/make/make-norm.py (layer_cases.py says what it needs).
"""

import keras
import numpy as np
from layer_cases import layer_case, normal, write

L = keras.layers


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def case(name, config, x, training=None):
    """The layer of the same name and options in Keras; moving statistics away from their first values."""
    options = {snake(key): value for key, value in config.items()}
    if name != "BatchNormalization":
        return layer_case(name, config, getattr(L, name)(**options), x, training)
    layer, twin = L.BatchNormalization(**options), L.BatchNormalization(**options)
    twin.build(x.shape)
    values = {
        "gamma": lambda shape: normal(*shape, scale=0.5) + np.float32(1),
        "beta": lambda shape: normal(*shape, scale=0.5),
        "moving_mean": lambda shape: normal(*shape, scale=0.5),
        "moving_variance": lambda shape: np.abs(normal(*shape)) + np.float32(0.5),
    }
    weights = [values[weight.name](weight.shape) for weight in twin.weights]
    return layer_case(name, config, layer, x, training, weights)


batch = "BatchNormalization"
cases = [
    case(batch, {}, normal(6, 3), True),
    case(batch, {}, normal(6, 3), False),
    case(batch, {"momentum": 0.7, "epsilon": 1e-5}, normal(3, 2, 3, 2), True),
    case(batch, {"momentum": 0.7, "epsilon": 1e-5}, normal(3, 2, 3, 2), False),
    case(batch, {"axis": 1}, normal(3, 2, 3), True),
    case(batch, {"scale": False}, normal(5, 2), True),
    case(batch, {"center": False, "scale": False}, normal(5, 2), True),
    case(batch, {"center": False}, normal(5, 2), False),
    case(batch, {}, normal(8, 2) + np.float32(40), True),
    case("LayerNormalization", {}, normal(3, 5)),
    case("LayerNormalization", {"axis": [1, 2], "epsilon": 1e-5}, normal(2, 3, 4)),
    case("LayerNormalization", {"axis": 1, "center": False}, normal(2, 4, 3)),
    case("LayerNormalization", {"scale": False}, normal(3, 5) + np.float32(10)),
    case("GroupNormalization", {"groups": 2}, normal(2, 3, 2, 4)),
    case("GroupNormalization", {"groups": -1, "scale": False}, normal(2, 3, 2)),
    case("GroupNormalization", {"groups": 3, "axis": 1, "epsilon": 1e-5}, normal(2, 6, 2)),
    case("GroupNormalization", {"groups": 1, "center": False}, normal(2, 4)),
]
write("norm", cases)
