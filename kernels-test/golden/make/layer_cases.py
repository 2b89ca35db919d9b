"""What the make-*.py of layers share: a Keras 3 layer's output and gradients as one case of golden/nn/*-layers.json.

`layer_case("Conv2D", {"filters": 2, ...}, keras.layers.Conv2D(2, ...), x)` gives the case; `write("conv", cases)` writes
the file, which kernels-test/nn/layer-goldens.test.ts reads. Needs tensorflow (CPU) with Keras 3; numbers are f32.
Inputs, weights and cotangents are rounded to two decimals so that the file stays small.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

rng = np.random.default_rng(11)


def normal(*shape, scale=1.0):
    """Normal numbers with two decimals."""
    return np.round(rng.standard_normal(shape) * scale, 2).astype(np.float32)


def numbers(array):
    """Nested lists with seven significant digits, an order below the test's bounds."""
    array = np.asarray(array, dtype=np.float32)
    return float(f"{array[()]:.7g}") if array.ndim == 0 else [numbers(row) for row in array]


def camel(name):
    """moving_mean → movingMean."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def layer_case(name, config, layer, x, training=None, weights=None, order=None):
    """One case. x: an array, or a list of arrays for several inputs; weights: values instead of random ones, in the
    order of layer.weights; order: positions in layer.weights, where downhill's build has another order."""
    several = isinstance(x, list)
    inputs = [tf.constant(value) for value in (x if several else [x])]
    arguments = {} if training is None else {"training": training}
    layer.build([tuple(v.shape) for v in inputs] if several else tuple(inputs[0].shape))
    for k, weight in enumerate(layer.weights):
        if "seed" in weight.name:
            continue
        if weights is not None:
            weight.assign(weights[k])
        elif weight.trainable:
            weight.assign(normal(*weight.shape, scale=0.5))
    variables = [w for w in layer.weights if "seed" not in w.name]
    variables = [variables[k] for k in order] if order else variables
    before = [np.array(w) for w in variables]
    trainable = [w for w in variables if w.trainable]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = layer(inputs if several else inputs[0], **arguments)
        dy = normal(*output.shape)
        penalty = sum(layer.losses) if layer.losses else None
        loss = tf.reduce_sum(output * dy) + (0.0 if penalty is None else penalty)
    grads = tape.gradient(loss, inputs + [w.value for w in trainable], unconnected_gradients="zero")
    dxs, dweights = grads[: len(inputs)], iter(grads[len(inputs) :])
    case = {"name": name, "config": config}
    case |= {"xs": [numbers(v) for v in inputs]} if several else {"x": numbers(inputs[0])}
    if training is not None:
        case["training"] = training
    case["weights"] = [{"name": camel(w.name), "values": numbers(v)} for w, v in zip(variables, before)]
    case |= {"output": numbers(output), "dy": numbers(dy)}
    case |= {"dxs": [numbers(v) for v in dxs]} if several else {"dx": numbers(dxs[0])}
    case["dweights"] = [numbers(next(dweights)) if w.trainable else None for w in variables]
    if penalty is not None:
        case["penalty"] = numbers(penalty)
    moved = {camel(w.name): numbers(w) for w, v in zip(variables, before) if not w.trainable and np.any(np.array(w) != v)}
    if moved:
        case["assigned"] = moved
    return case


def write(family, cases):
    """One case a line, so that a difference in git is readable."""
    path = Path(__file__).resolve().parent.parent / "nn" / f"{family}-layers.json"
    path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size // 1024} KB")
