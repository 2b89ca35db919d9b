"""Makes kernels-test/golden/nn/conv-layers.json: convolution and pooling layers as Keras 3 computes them.

python kernels-test/golden/make/make-conv.py (layer_cases.py says what it needs).
"""

import keras
from layer_cases import layer_case, normal, write

L = keras.layers


def snake(name):
    if name == "keepDims":
        return "keepdims"
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def case(name, config, x):
    """The layer of the same name and options in Keras."""
    layer = getattr(L, name)(**{snake(key): value for key, value in config.items()})
    return layer_case(name, config, layer, x)


cases = [
    case("Conv2D", {"filters": 3, "kernelSize": 3}, normal(2, 5, 4, 2)),
    case("Conv2D", {"filters": 2, "kernelSize": [3, 2], "strides": [2, 1], "padding": "same"}, normal(2, 5, 4, 2)),
    case("Conv2D", {"filters": 2, "kernelSize": 2, "dilationRate": 2, "useBias": False}, normal(1, 5, 5, 2)),
    case("Conv2D", {"filters": 4, "kernelSize": 3, "groups": 2, "padding": "same"}, normal(2, 3, 4, 4)),
    case("Conv2D", {"filters": 3, "kernelSize": [2, 3], "groups": 3, "strides": 2}, normal(1, 4, 5, 3)),
    case("Conv2D", {"filters": 2, "kernelSize": 2, "groups": 2, "dilationRate": [1, 2]}, normal(1, 3, 5, 4)),
    case("Conv1D", {"filters": 3, "kernelSize": 3}, normal(2, 6, 2)),
    case("Conv1D", {"filters": 2, "kernelSize": 3, "padding": "causal", "dilationRate": 2}, normal(2, 6, 2)),
    case("Conv1D", {"filters": 2, "kernelSize": 4, "padding": "causal", "strides": 2}, normal(1, 7, 2)),
    case("Conv1D", {"filters": 4, "kernelSize": 4, "padding": "same", "strides": 2, "groups": 2}, normal(2, 7, 2)),
    case("Conv3D", {"filters": 2, "kernelSize": [2, 3, 2]}, normal(1, 3, 4, 3, 2)),
    case("Conv3D", {"filters": 2, "kernelSize": 3, "padding": "same", "strides": [2, 1, 2]}, normal(1, 3, 2, 3, 2)),
    case("Conv3D", {"filters": 2, "kernelSize": 2, "dilationRate": [2, 1, 2]}, normal(1, 4, 2, 3, 1)),
    case("Conv3D", {"filters": 2, "kernelSize": 2, "padding": "same", "groups": 2}, normal(1, 2, 2, 3, 4)),
    case("DepthwiseConv2D", {"kernelSize": 3}, normal(2, 4, 5, 3)),
    case("DepthwiseConv2D", {"kernelSize": [2, 3], "depthMultiplier": 2, "padding": "same"}, normal(2, 4, 3, 2)),
    case("DepthwiseConv2D", {"kernelSize": 3, "strides": 2, "padding": "same", "useBias": False}, normal(1, 6, 5, 3)),
    case("DepthwiseConv2D", {"kernelSize": 2, "dilationRate": 2, "activation": "tanh"}, normal(1, 4, 5, 2)),
    case("SeparableConv2D", {"filters": 3, "kernelSize": 3}, normal(2, 4, 5, 2)),
    case(
        "SeparableConv2D",
        {"filters": 2, "kernelSize": 3, "depthMultiplier": 2, "strides": 2, "padding": "same", "activation": "relu"},
        normal(1, 4, 5, 2),
    ),
    case("SeparableConv2D", {"filters": 2, "kernelSize": 2, "dilationRate": 2, "padding": "same"}, normal(1, 4, 3, 2)),
    case("Conv2DTranspose", {"filters": 2, "kernelSize": 3}, normal(2, 3, 2, 2)),
    case("Conv2DTranspose", {"filters": 2, "kernelSize": 4, "strides": 2, "padding": "same"}, normal(1, 3, 2, 2)),
    case("Conv2DTranspose", {"filters": 2, "kernelSize": [2, 3], "strides": [3, 2]}, normal(1, 2, 3, 2)),
    case(
        "Conv2DTranspose",
        {"filters": 2, "kernelSize": 3, "strides": 2, "padding": "same", "outputPadding": 1},
        normal(1, 3, 2, 2),
    ),
    case(
        "Conv2DTranspose",
        {"filters": 1, "kernelSize": [3, 4], "strides": [2, 3], "outputPadding": [0, 2]},
        normal(1, 2, 3, 2),
    ),
    case(
        "Conv2DTranspose",
        {"filters": 2, "kernelSize": 3, "strides": 2, "padding": "same", "outputPadding": 0},
        normal(1, 3, 2, 2),
    ),
    case("Conv2DTranspose", {"filters": 2, "kernelSize": 2, "dilationRate": 2}, normal(1, 3, 2, 2)),
    case("Conv2DTranspose", {"filters": 2, "kernelSize": 3, "dilationRate": 2, "padding": "same"}, normal(1, 3, 4, 2)),
    case("UpSampling2D", {"size": [2, 3]}, normal(2, 2, 3, 2)),
    case("UpSampling2D", {"size": [2, 3], "interpolation": "bilinear"}, normal(2, 3, 2, 2)),
    case("UpSampling2D", {"size": 4, "interpolation": "bilinear"}, normal(1, 2, 2, 1)),
    case("MaxPooling1D", {}, normal(2, 7, 2)),
    case("MaxPooling1D", {"poolSize": 3, "strides": 2, "padding": "same"}, normal(1, 6, 2)),
    case("AveragePooling1D", {"poolSize": 3, "strides": 2, "padding": "same"}, normal(1, 6, 2)),
    case("MaxPooling2D", {"poolSize": 3, "strides": 2, "padding": "same"}, normal(1, 5, 6, 2)),
    case("AveragePooling2D", {"poolSize": [3, 2], "strides": 2, "padding": "same"}, normal(1, 5, 6, 2)),
    case("GlobalMaxPooling1D", {}, normal(2, 5, 3)),
    case("GlobalMaxPooling2D", {"keepDims": True}, normal(2, 3, 4, 2)),
    case("GlobalAveragePooling1D", {"keepDims": True}, normal(2, 5, 3)),
    case("GlobalAveragePooling2D", {}, normal(2, 3, 4, 2)),
]
write("conv", cases)
