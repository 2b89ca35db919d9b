"""Makes kernels-test/golden/nn/core-layers.json: the layers of an MLP and of LeNet, forward and backward, as Keras 3
computes them.

python kernels-test/golden/make/make-core.py (layer_cases.py says what it needs).
"""

import keras
import numpy as np
from layer_cases import layer_case, normal, write

L = keras.layers


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def case(name, config, x, **options):
    """The layer of the same name and options in Keras."""
    layer = getattr(L, name)(**{snake(key): value for key, value in config.items()})
    return layer_case(name, config, layer, x, **options)


def different(*shape):
    """Numbers of which no two are alike, so that a maximum has one place."""
    size = int(np.prod(shape))
    order = np.random.default_rng(size).permutation(size)
    return ((order - size / 2) / size * 4).reshape(shape).astype(np.float32)


cases = [
    *(
        case("Dense", {"units": 4, "activation": name}, normal(3, 5))
        for name in ["linear", "relu", "elu", "selu", "sigmoid", "tanh", "softplus", "softsign", "softmax"]
    ),
    case("Dense", {"units": 2, "useBias": False}, normal(2, 3, 4)),
    case("Dense", {"units": 1, "activation": "sigmoid"}, normal(4, 1)),
    case("Conv2D", {"filters": 3, "kernelSize": 3, "activation": "relu"}, normal(2, 5, 5, 1)),
    case("Conv2D", {"filters": 2, "kernelSize": 3, "padding": "same", "activation": "tanh"}, normal(1, 4, 5, 2)),
    case("Conv2D", {"filters": 3, "kernelSize": 1, "strides": 2, "activation": "sigmoid"}, normal(2, 4, 3, 2)),
    case("MaxPooling2D", {}, different(2, 5, 4, 2)),
    case("MaxPooling2D", {"poolSize": [3, 2], "strides": 1}, different(1, 5, 4, 2)),
    case("AveragePooling2D", {"poolSize": 2}, normal(2, 5, 4, 2)),
    case("AveragePooling2D", {"poolSize": 3, "strides": [1, 2], "padding": "same"}, normal(1, 4, 5, 2)),
    case("Flatten", {}, normal(2, 3, 4, 2)),
    case("Flatten", {}, normal(3, 4)),
    case("Activation", {"activation": "relu"}, normal(3, 4)),
    case("Activation", {"activation": "softmax"}, normal(2, 3, 4)),
    case("Dropout", {"rate": 0.5}, normal(3, 4), training=False),
]
write("core", cases)
