"""Makes kernels-test/golden/nn/random.json: what Keras 3's layers that draw random numbers do in training.

python kernels-test/golden/make/make-random.py (layer_cases.py says what it needs).
Streams differ, so a case holds what does not depend on the draw, and moments of the draw. `kind` says which:
  formula   output = slope · x + offset · n + constant and gradient = slope of each kind of element, told from a run;
  fixed     the range of the draw is one value: output and gradient themselves;
  outcomes  one of a few results for each image: all of them, with gradients;
  affine    output and gradient are first + factor · second, for a factor of each image's own;
  moments   mean and variance of what a large draw gives.
"""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from layer_cases import normal, numbers

L = keras.layers
keras.utils.set_random_seed(3)
cases = []


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


def make(name, config):
    given = {snake(key): snake(value) if key == "mode" else value for key, value in config.items()}
    return getattr(L, name)(**given)


def add(name, kind, config, **figures):
    cases.append({"name": name, "kind": kind, "config": config, **figures})


def trained(layer, x, dy=None):
    """Output in training, and the gradient for the cotangent dy (ones when left out)."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    dy = np.ones(y.shape, np.float32) if dy is None else dy
    dx = tape.gradient(y, x, output_gradients=tf.constant(dy), unconnected_gradients="zero")
    return np.asarray(y, np.float64), np.asarray(dx, np.float64)


def line(x, y):
    """Slope and offset of y over x, which must be a line."""
    slope, offset = np.polyfit(x, y, 1)
    assert np.max(np.abs(slope * x + offset - y)) < 2e-6, "no line"
    return [round(float(slope), 6), round(float(offset), 6)]


def dropping(name, config, shape):
    """Elements are kept or dropped: a line each. `channels`: whether those of a channel share their fate."""
    x = np.round(np.random.default_rng(1).uniform(0.5, 2, shape), 2).astype(np.float32)
    dy = np.round(np.random.default_rng(2).uniform(0.5, 2, shape), 2).astype(np.float32)
    y, dx = trained(make(name, config), x, dy)
    kept = dx != 0
    fates = kept.reshape(shape[0], -1, shape[-1])
    figures = {
        "kept": line(x[kept], y[kept]),
        "dropped": line(x[~kept], y[~kept]),
        "gradient": [line(dy[kept], dx[kept])[0], line(dy[~kept], dx[~kept])[0]],
        "channels": bool(np.all(fates == fates[:, :1])),
    }
    add(name, "formula", config, shape=list(shape), **figures)


def noisy(name, config):
    """Output = x + n or x · n: n is taken from two inputs at the same draw, and is the same."""
    x = np.full((4, 50), 2, np.float32)
    layer, other = make(name, config | {"seed": 5}), make(name, config | {"seed": 5})
    y, dx = trained(layer, x)
    z, _ = trained(other, 2 * x)
    added, factor = np.allclose(y - x, z - 2 * x, atol=1e-6), np.allclose(y / x, z / (2 * x), atol=1e-6)
    assert added != factor
    # What the gradient of ones is: 1 for an addend, n for a factor.
    assert np.allclose(dx, 1 if added else y / x, atol=1e-6)
    add(name, "formula", config, shape=list(x.shape), noise="addend" if added else "factor", gradient=["1" if added else "n"])


def moments_of_elements(name, config, shape):
    x = np.ones(shape, np.float32)
    y, dx = trained(make(name, config), x)
    draws = int(np.prod(shape) if "Spatial" not in name else shape[0] * shape[-1])
    figures = {"mean": float(y.mean()), "variance": float(y.var()), "kept": float(np.mean(dx != 0))}
    figures["tail"] = float(np.mean(np.abs(y - y.mean()) > y.std()))
    add(name, "moments", config, shape=list(shape), draws=draws, **{k: float(f"{v:.7g}") for k, v in figures.items()})


for name, config, shape in [
    ("Dropout", {"rate": 0.3}, (6, 5, 4)),
    ("AlphaDropout", {"rate": 0.3}, (6, 5, 4)),
    ("SpatialDropout1D", {"rate": 0.3}, (6, 5, 8)),
    ("SpatialDropout2D", {"rate": 0.3}, (6, 3, 2, 8)),
]:
    dropping(name, config, shape)
noisy("GaussianNoise", {"stddev": 0.5})
noisy("GaussianDropout", {"rate": 0.2})
for name, config, shape in [
    ("Dropout", {"rate": 0.2}, (200, 20, 10)),
    ("AlphaDropout", {"rate": 0.2}, (200, 20, 10)),
    ("SpatialDropout1D", {"rate": 0.2}, (400, 2, 100)),
    ("SpatialDropout2D", {"rate": 0.2}, (400, 1, 2, 100)),
    ("GaussianNoise", {"stddev": 0.5}, (200, 20, 10)),
    ("GaussianDropout", {"rate": 0.2}, (200, 20, 10)),
]:
    moments_of_elements(name, config, shape)

RANGE = {"valueRange": [-9, 9]}


def fixed(name, config, resampling=True):
    """Resampling is linear in the image, and TensorFlow's gradient of it an approximation (the inverse transform of dy): the
    gradient here is that of Keras' output, from the images of a basis."""
    x, dy = normal(2, 5, 6, 2), normal(2, 5, 6, 2)
    layer = make(name, config)
    y, dx = trained(layer, x, dy)
    if resampling:
        basis = np.eye(60, dtype=np.float32).reshape(60, 5, 6, 2)
        moved = np.asarray(layer(basis, training=True) - layer(np.zeros_like(basis), training=True), np.float64)
        dx = np.tensordot(dy, moved, [[1, 2, 3], [1, 2, 3]]).reshape(x.shape)
    add(name, "fixed", config, x=numbers(x), dy=numbers(dy), output=numbers(y), dx=numbers(dx))


for fill in ["reflect", "constant", "nearest", "wrap"]:
    fixed("RandomRotation", {"factor": [0.07, 0.07], "fillMode": fill})
fixed("RandomRotation", {"factor": [-0.21, -0.21], "interpolation": "nearest"})
fixed("RandomTranslation", {"heightFactor": [0.23, 0.23], "widthFactor": [-0.31, -0.31]})
fixed("RandomTranslation", {"heightFactor": [-0.4, -0.4], "widthFactor": [0.12, 0.12], "fillMode": "constant", "fillValue": 0.5})
fixed("RandomZoom", {"heightFactor": [0.3, 0.3]})
fixed("RandomZoom", {"heightFactor": [-0.25, -0.25], "widthFactor": [0.15, 0.15], "fillMode": "nearest"})
fixed("RandomBrightness", {"factor": [0.1, 0.1], **RANGE}, False)
# No value at an end of the range.
fixed("RandomBrightness", {"factor": [-0.2025, -0.2025], "valueRange": [-1, 1]}, False)


def outcomes(name, config, shape, drawn, more=()):
    """All results of one image: of the layer with the transformations that it could have drawn, and of `more`, pairs of a
    layer and a transformation."""
    layer = make(name, config)
    x = normal(1, *shape)
    found = []
    dy = None
    for other, transformation in [*((layer, one) for one in drawn), *more]:
        given = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(given)
            y = other.transform_images(given, transformation, training=True)
        dy = normal(*y.shape) if dy is None else dy
        dx = tape.gradient(y, given, output_gradients=tf.constant(dy))
        found.append({"output": numbers(y[0]), "dx": numbers(dx[0])})
    add(name, "outcomes", config, x=numbers(x[0]), dy=numbers(dy[0]), outcomes=found, gradient=True)


def coin(side):
    return {"flips": np.full((1, 1, 1, 1), side)}


def flips(mode, more=()):
    outcomes("RandomFlip", {"mode": mode}, (3, 4, 2), [coin(False), coin(True)], more)


flips("horizontal")
flips("vertical")
# One coin for both axes in Keras, two in downhill, which has the results of either mode too.
flips("horizontalAndVertical", [(L.RandomFlip("horizontal"), coin(True)), (L.RandomFlip("vertical"), coin(True))])
outcomes("RandomCrop", {"height": 3, "width": 4}, (4, 6, 2), [(down, right) for down in range(2) for right in range(3)])


def contrast(config):
    """Without clipping, output and gradient are lines over the factor."""
    layer = make("RandomContrast", config)
    x, dy = normal(1, 4, 5, 2), normal(1, 4, 5, 2)
    ends = []
    for factor in (0.0, 1.0):
        given = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(given)
            y = layer.transform_images(given, {"contrast_factor": tf.fill([1, 1, 1, 1], factor)}, training=True)
        ends.append((np.asarray(y[0]), np.asarray(tape.gradient(y, given, output_gradients=tf.constant(dy))[0])))
    (y0, dx0), (y1, dx1) = ends
    lower, upper = config["factor"]
    add("RandomContrast", "affine", config, x=numbers(x[0]), dy=numbers(dy[0]), output=[numbers(y0), numbers(y1 - y0)],
        gradient=[numbers(dx0), numbers(dx1 - dx0)], range=[1 - lower, 1 + upper])


contrast({"factor": [0.3, 0.4], **RANGE})

SIDE = 9
RAMPS = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).astype(np.float32) - SIDE // 2


def jets(images):
    """Of images of two ramps: values at the centre and differences to the right and down. They tell a linear map."""
    c = images.shape[1] // 2
    centre = images[:, c, c]
    return np.concatenate([centre, images[:, c, c + 1] - centre, images[:, c + 1, c] - centre], -1)


def moments_of_jets(name, config, count, one_by_one=False):
    layer = make(name, config)
    batch = 1 if one_by_one else count
    x = np.repeat(RAMPS[None], batch, 0)
    found = [np.asarray(layer(x, training=True), np.float64) for _ in range(count // batch)]
    found = jets(np.concatenate(found))
    add(name, "moments", config, draws=count, jets=numbers(np.stack([found.mean(0), found.var(0)])))


for name, config in [
    ("RandomRotation", {"factor": [-0.1, 0.2]}),
    ("RandomTranslation", {"heightFactor": [-0.2, 0.3], "widthFactor": 0.2}),
    ("RandomZoom", {"heightFactor": [-0.3, 0.2], "widthFactor": [-0.1, 0.4]}),
    ("RandomZoom", {"heightFactor": 0.3}),
    ("RandomContrast", {"factor": [0.3, 0.4], **RANGE}),
    ("RandomBrightness", {"factor": [-0.1, 0.2], "valueRange": [-9, 9]}),
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {"mode": "vertical"}),
    ("RandomFlip", {"mode": "horizontalAndVertical"}),
]:
    moments_of_jets(name, config, 1500)
# One place a batch there.
moments_of_jets("RandomCrop", {"height": 5, "width": 7}, 1000, one_by_one=True)

path = Path(__file__).resolve().parent.parent / "nn" / "random.json"
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size // 1024} KB")
