"""Makes kernels-test/golden/nn/augmentations.json: what Keras 3 makes of images under given transforms and amounts, and
kernels-test/golden/nn/augmentation-layers.json: the same layers at inference.

A case names an op or layer of downhill, the method that takes the amounts and the amounts, one a row of the batch.
python kernels-test/golden/make/make-augmentation.py (layer_cases.py says what it needs).
"""

import json
from pathlib import Path

import keras
import numpy as np
from layer_cases import layer_case, normal, numbers, write

L = keras.layers
ops = keras.ops
# No position at half a pixel, where `nearest` would depend on rounding.
TRANSFORMS = np.array(
    [
        [0.9, -0.58, 1.17, 0.61, 0.77, -0.73, 0, 0],
        [1, 0, 0.7, 0, 1, -5.3, 0, 0],
        [-1.2, 0.1, 8.33, 0.05, 1.6, -2.43, 0, 0],
        [0.9, 0.1, 0.26, -0.1, 1.1, 0.32, 0.013, -0.021],
    ],
    dtype=np.float32,
)
cases = []
x = normal(4, 4, 5, 1)
for interpolation in ["bilinear", "nearest"]:
    for fill in ["constant", "nearest", "reflect", "wrap"]:
        config = {"interpolation": interpolation, "fillMode": fill, "fillValue": 0.5 if fill == "constant" else 0}
        y = ops.image.affine_transform(x, TRANSFORMS, interpolation, fill, config["fillValue"])
        cases.append({"name": "affineTransform", "config": config, "x": numbers(x), "amounts": [numbers(TRANSFORMS)], "output": numbers(y)})


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def case(name, config, method, amounts, transformation):
    layer = getattr(L, name)(**{snake(key): value for key, value in config.items()})
    x = normal(2, 4, 5, 2)
    y = layer.transform_images(ops.convert_to_tensor(x), transformation(layer), training=True)
    amounts = [numbers(np.array(a, dtype=np.float32)) for a in amounts]
    cases.append({"name": name, "config": config, "method": method, "x": numbers(x), "amounts": amounts, "output": numbers(y)})


def column(values):
    return ops.convert_to_tensor(np.array(values, dtype=np.float32)[:, None])


def matrix(layer, turns):
    zero, one = ops.zeros([2]), ops.ones([2])
    angle = ops.convert_to_tensor(np.array(turns, dtype=np.float32) * np.float32(360))
    return layer._compute_affine_matrix(0.5, 0.5, angle, zero, zero, one, zero, zero, 4, 5)


down, right = [0.15, -0.4], [-0.23, 0.31]
for fill in ["reflect", "constant"]:
    case("RandomTranslation", {"heightFactor": 0.5, "widthFactor": 0.5, "fillMode": fill}, "translate", [down, right],
         lambda layer: {"translations": np.stack([np.array(right) * 5, np.array(down) * 4], 1).astype(np.float32)})
turns = [0.07, -0.31]
for fill in ["reflect", "wrap"]:
    case("RandomRotation", {"factor": 0.5, "fillMode": fill}, "rotate", [turns],
         lambda layer: {"rotation_matrix": matrix(layer, turns)})
tall, wide = [1.2, 0.75], [0.9, 1.3]
for interpolation in ["bilinear", "nearest"]:
    case("RandomZoom", {"heightFactor": 0.4, "widthFactor": 0.4, "interpolation": interpolation}, "zoom", [tall, wide],
         lambda layer: {"height_zoom": column(tall), "width_zoom": column(wide), "input_shape": (2, 4, 5, 2)})
factors = [0.6, 1.3]
case("RandomContrast", {"factor": 0.5, "valueRange": [-2, 2]}, "adjust", [factors],
     lambda layer: {"contrast_factor": ops.reshape(column(factors), (2, 1, 1, 1))})
shares = [-0.2, 0.3]
case("RandomBrightness", {"factor": 0.4, "valueRange": [-2, 2]}, "adjust", [shares],
     lambda layer: {"rgb_delta": ops.reshape(column(shares), (2, 1, 1, 1)) * 4})

path = Path(__file__).resolve().parent.parent / "nn" / "augmentations.json"
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size // 1024} KB")


def still(name, config):
    layer = getattr(L, name)(**{snake(key): value for key, value in config.items()})
    return layer_case(name, config, layer, normal(2, 3, 2, 1), training=False)


def crop(height, width, oracle, shape):
    """RandomCrop at inference, by its documentation; its code gives whole images back."""
    return layer_case("RandomCrop", {"height": height, "width": width}, oracle, normal(*shape))


def resized(height, width):
    return L.Lambda(lambda images: keras.preprocessing.image.smart_resize(images, (height, width)))


write("augmentation", [
    still("RandomFlip", {}),
    still("RandomTranslation", {"heightFactor": 0.5, "widthFactor": 0.5}),
    still("RandomRotation", {"factor": 0.5}),
    still("RandomZoom", {"heightFactor": 0.5}),
    still("RandomContrast", {"factor": 0.5}),
    still("RandomBrightness", {"factor": 0.5}),
    crop(3, 2, L.CenterCrop(3, 2), (2, 4, 5, 2)),
    crop(4, 6, resized(4, 6), (2, 5, 3, 1)),
    crop(6, 6, resized(6, 6), (1, 4, 5, 2)),
])
