"""Makes kernels-test/golden/nn/weighted-outputs.json: a Keras model of two outputs, trained with weights of the examples
that differ by output, and with weights that hold for both.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-weighted-outputs.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.utils.set_random_seed(6)
rng = np.random.default_rng(6)
L = keras.layers


def numbers(array):
    array = np.asarray(array, dtype=np.float32)
    return float(str(array[()])) if array.ndim == 0 else [numbers(row) for row in array]


x = L.Input((4,), name="x")
hidden = L.Dense(5, activation="tanh", name="hidden")(x)
model = keras.Model(x, [L.Dense(2, name="value")(hidden), L.Dense(3, activation="softmax", name="kind")(hidden)])
order = {w.path: w for w in model.weights}
start = {path: w.numpy() for path, w in order.items()}

rows = 10
data = rng.standard_normal((rows, 4)).astype(np.float32)
value = rng.standard_normal((rows, 2)).astype(np.float32)
kind = rng.integers(0, 3, rows)
each = {
    "value": np.round(rng.uniform(0, 3, rows), 2).astype(np.float32),
    "kind": np.round(rng.uniform(0, 2, rows), 2).astype(np.float32),
}
each["kind"][3] = 0


def train(weights):
    """Two epochs of batches of 5; weights of both outputs in their order."""
    for path, w in order.items():
        w.assign(start[path])
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss=["mean_squared_error", "sparse_categorical_crossentropy"],
        loss_weights=[0.6, 1.0],
        weighted_metrics=[["mean_absolute_error"], ["accuracy"]],
    )
    history = model.fit(
        data,
        [value, kind],
        sample_weight=weights,
        validation_data=(data, [value, kind], weights),
        **{"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0},
    )
    return {
        "history": {k: [float(f"{v:.8g}") for v in values] for k, values in history.history.items()},
        "finalWeights": {path: numbers(w.numpy()) for path, w in order.items()},
    }


document = {
    "x": numbers(data),
    "y": {"value": numbers(value), "kind": [int(k) for k in kind]},
    "sampleWeight": {name: numbers(w) for name, w in each.items()},
    "weights": {path: numbers(w) for path, w in start.items()},
    "each": train([each["value"], each["kind"]]),
    "shared": train(each["value"]),
}
path = Path(__file__).resolve().parent.parent / "nn" / "weighted-outputs.json"
path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
print(document["each"]["history"])
print(document["shared"]["history"])
