"""Makes kernels-test/golden/nn/conv-layers.json: convolution and pooling layers as Keras 3 computes them.

python kernels-test/golden/make/make-conv.py (layer_cases.py says what it needs).
"""

import keras
from layer_cases import layer_case, normal, write

L = keras.layers


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def case(name, config, x):
    """The layer of the same name and options in Keras."""
    layer = getattr(L, name)(**{snake(key): value for key, value in config.items()})
    return layer_case(name, config, layer, x)


cases = [
    case("Conv2D", {"filters": 3, "kernelSize": 3}, normal(2, 5, 4, 2)),
    case("Conv2D", {"filters": 2, "kernelSize": [3, 2], "strides": [2, 1], "padding": "same"}, normal(2, 5, 4, 2)),
    case("Conv2D", {"filters": 2, "kernelSize": 2, "dilationRate": 2, "useBias": False}, normal(1, 5, 5, 2)),
    case("MaxPooling2D", {"poolSize": 3, "strides": 2, "padding": "same"}, normal(1, 5, 6, 2)),
    case("AveragePooling2D", {"poolSize": [3, 2], "strides": 2, "padding": "same"}, normal(1, 5, 6, 2)),
]
write("conv", cases)
