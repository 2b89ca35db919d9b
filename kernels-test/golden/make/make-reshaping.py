"""Makes kernels-test/golden/nn/reshaping-layers.json: padding, cropping, rescaling and normalization as Keras 3 has them.

python kernels-test/golden/make/make-reshaping.py (layer_cases.py says what it needs).
"""

import keras
import numpy as np
from layer_cases import layer_case, normal, numbers, write

L = keras.layers

cases = [
    layer_case("ZeroPadding2D", {}, L.ZeroPadding2D(), normal(2, 2, 3, 2)),
    layer_case("ZeroPadding2D", {"padding": 2}, L.ZeroPadding2D(2), normal(1, 2, 3, 1)),
    layer_case("ZeroPadding2D", {"padding": [0, 2]}, L.ZeroPadding2D((0, 2)), normal(1, 2, 3, 2)),
    layer_case("ZeroPadding2D", {"padding": [[1, 0], [2, 3]]}, L.ZeroPadding2D(((1, 0), (2, 3))), normal(1, 2, 3, 2)),
    layer_case("ZeroPadding1D", {}, L.ZeroPadding1D(), normal(2, 3, 2)),
    layer_case("ZeroPadding1D", {"padding": [2, 0]}, L.ZeroPadding1D((2, 0)), normal(2, 3, 2)),
    layer_case("Cropping2D", {}, L.Cropping2D(), normal(1, 3, 2, 2)),
    layer_case("Cropping2D", {"cropping": 1}, L.Cropping2D(1), normal(2, 4, 3, 2)),
    layer_case("Cropping2D", {"cropping": [1, 0]}, L.Cropping2D((1, 0)), normal(1, 4, 3, 2)),
    layer_case("Cropping2D", {"cropping": [[0, 2], [1, 0]]}, L.Cropping2D(((0, 2), (1, 0))), normal(1, 4, 3, 2)),
    layer_case("Cropping1D", {}, L.Cropping1D(), normal(2, 4, 2)),
    layer_case("Cropping1D", {"cropping": [0, 2]}, L.Cropping1D((0, 2)), normal(2, 4, 2)),
    layer_case("Rescaling", {"scale": 0.25, "offset": -1.5}, L.Rescaling(0.25, -1.5), normal(2, 3, 2)),
    layer_case("Rescaling", {"scale": [2, 0.5], "offset": [0, 1]}, L.Rescaling([2, 0.5], [0, 1]), normal(2, 3, 2)),
]


def normalization(config, x, adapted=None, **options):
    """Statistics that Keras took from `adapted` stand in the config, where downhill keeps them."""
    layer = L.Normalization(**options)
    if adapted is not None:
        layer.adapt(adapted)
        mean, variance = np.array(layer.adapt_mean), np.array(layer.adapt_variance)
        config = {**config, "mean": numbers(mean), "variance": numbers(variance)}
        options = {**options, "mean": mean, "variance": variance}
        layer = L.Normalization(**options)
    return layer_case("Normalization", config, layer, x)


cases += [
    normalization({"mean": [1, -2], "variance": [4, 0.25]}, normal(3, 2), mean=[1, -2], variance=[4, 0.25]),
    normalization({"axis": None, "mean": 0.5, "variance": 2}, normal(3, 2), axis=None, mean=0.5, variance=2),
    normalization({"mean": [1, -2], "variance": [4, 0], "invert": True}, normal(3, 2), mean=[1, -2], variance=[4, 0], invert=True),
    normalization({"axis": [1, 2]}, normal(2, 3, 2, 2), adapted=normal(5, 3, 2, 2), axis=(1, 2)),
    normalization({"axis": 1}, normal(2, 3, 2), adapted=normal(5, 3, 2), axis=1),
]
write("reshaping", cases)
