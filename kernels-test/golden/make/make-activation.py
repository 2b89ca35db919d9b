"""Makes kernels-test/golden/nn/activation-layers.json: every activation by name, activations as layers, and the layers that
move, repeat or penalise values, as Keras 3 computes them.

python kernels-test/golden/make/make-activation.py (layer_cases.py says what it needs).
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


def away(*shape, scale=1.0):
    """Normal numbers that are not at the kinks of the activations: 0, ±3, 6."""
    x = normal(*shape, scale=scale)
    for kink in (-3, -0.5, 0, 0.5, 1.5, 3, 6):
        x = np.where(np.abs(x - kink) < 0.03, x + 0.07, x)
    return x.astype(np.float32)


NAMES = {
    name: snake(name)
    for name in "linear relu leakyRelu relu6 elu selu gelu silu swish mish sigmoid hardSigmoid hardSilu hardSwish tanh "
    "softplus softsign exponential softmax logSoftmax".split()
}


def named(name, keras_name):
    """An activation by name: in Keras a function of the same name."""
    layer = L.Activation(getattr(keras.activations, {"swish": "silu", "hard_swish": "hard_silu"}.get(keras_name, keras_name)))
    return layer_case("Activation", {"activation": name}, layer, away(3, 4, scale=4 if name.startswith(("hard", "relu6")) else 2))


def step():
    """Heaviside's step, which Keras has as ops.heaviside; no gradient flows."""
    layer = L.Lambda(lambda x: keras.ops.cast(x > 0, "float32"), output_shape=lambda shape: shape)
    return layer_case("Activation", {"activation": "step"}, layer, away(2, 4))


cases = [named(*pair) for pair in NAMES.items()] + [
    step(),
    case("ReLU", {}, away(2, 4)),
    case("ReLU", {"maxValue": 1.5}, away(2, 4, scale=2)),
    case("ReLU", {"negativeSlope": 0.25}, away(2, 4)),
    case("ReLU", {"maxValue": 1.5, "negativeSlope": 0.25, "threshold": 0.5}, away(3, 4, scale=2)),
    case("ReLU", {"threshold": 0.5}, away(2, 4)),
    case("LeakyReLU", {}, away(2, 4)),
    case("LeakyReLU", {"negativeSlope": 0.1}, away(2, 4)),
    case("PReLU", {}, away(3, 4)),
    case("PReLU", {"sharedAxes": [1, 2]}, away(2, 2, 3, 2)),
    case("PReLU", {"sharedAxes": 1}, away(2, 3, 2)),
    case("ELU", {}, away(2, 4)),
    case("ELU", {"alpha": 0.5}, away(2, 4)),
    case("Softmax", {}, normal(2, 4)),
    case("Softmax", {"axis": 1}, normal(2, 3, 2)),
    case("Softmax", {"axis": [1, 2]}, normal(2, 3, 2)),
    case("Reshape", {"targetShape": [3, -1]}, normal(2, 2, 6)),
    case("Permute", {"dims": [3, 1, 2]}, normal(2, 2, 3, 2)),
    case("RepeatVector", {"n": 3}, normal(2, 4)),
    case("ActivityRegularization", {"l1": 0.1, "l2": 0.01}, away(2, 4)),
    case("SpatialDropout1D", {"rate": 0.5}, normal(2, 3, 2), training=False),
    case("SpatialDropout2D", {"rate": 0.5}, normal(1, 2, 2, 2), training=False),
    case("GaussianNoise", {"stddev": 0.5}, normal(2, 3), training=False),
    case("GaussianDropout", {"rate": 0.5}, normal(2, 3), training=False),
    case("AlphaDropout", {"rate": 0.5}, normal(2, 3), training=False),
]
write("activation", cases)
