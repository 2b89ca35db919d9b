"""Makes kernels-test/golden/nn/functional.json: a Keras model of two inputs and two outputs with a shared layer, a skip
connection, batch normalisation and a nested model, trained for six steps; and Keras' parameter counts of such models.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-functional.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.utils.set_random_seed(5)
rng = np.random.default_rng(5)
L = keras.layers


def numbers(array):
    array = np.asarray(array, dtype=np.float32)
    return float(str(array[()])) if array.ndim == 0 else [numbers(row) for row in array]


def build():
    a = L.Input((5,), name="a")
    b = L.Input((5,), name="b")
    shared = L.Dense(6, activation="tanh", name="shared")
    left, right = shared(a), shared(b)
    both = L.Concatenate(name="both")([left, right])
    inner = keras.Sequential([L.Input((12,)), L.Dense(12, activation="relu", name="one"), L.Dense(12, name="two")], name="inner")
    skip = L.Add(name="skip")([inner(both), both])
    normal = L.BatchNormalization(momentum=0.9, name="normal")(skip)
    value = L.Dense(1, name="value")(normal)
    kind = L.Dense(3, activation="softmax", name="kind")(normal)
    return keras.Model([a, b], [value, kind])


model = build()
model.compile(
    optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
    loss=["mean_squared_error", "sparse_categorical_crossentropy"],
    loss_weights=[0.7, 1.3],
    metrics=[["mean_absolute_error"], ["accuracy"]],
)
rows = 12
a = rng.standard_normal((rows, 5)).astype(np.float32)
b = rng.standard_normal((rows, 5)).astype(np.float32)
value = (a[:, :1] - b[:, 1:2]).astype(np.float32)
kind = np.argmax(a[:, :3], axis=1)
order = {w.path: w for w in model.weights}
start = {path: numbers(w.numpy()) for path, w in order.items()}
losses = []


class Losses(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs):
        losses.append(logs["loss"])


history = model.fit([a, b], [value, kind], batch_size=12, epochs=6, shuffle=False, verbose=0)
predictions = model.predict([a, b], verbose=0)
(Path(__file__).resolve().parent.parent / "nn" / "functional.json").write_text(
    json.dumps(
        {
            "x": {"a": numbers(a), "b": numbers(b)},
            "y": {"value": numbers(value), "kind": [int(k) for k in kind]},
            "weights": start,
            "history": {k: [float(f"{v:.8g}") for v in values] for k, values in history.history.items()},
            "finalWeights": {path: numbers(w.numpy()) for path, w in order.items()},
            "predictions": [numbers(p) for p in predictions],
            "parameters": model.count_params(),
        },
        separators=(",", ":"),
    )
    + "\n"
)
print(list(start), history.history.keys())
