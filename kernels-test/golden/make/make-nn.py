"""Makes most of kernels-test/golden/nn/*.json: what Keras 3 computes for losses, metrics, layers and whole trainings.

pip install "keras>=3" "jax[cpu]", then: python kernels-test/golden/make/make-nn.py
Numbers are f32 as Keras gives them (made with Keras 3.15, jax backend). Names are downhill's camelCase ones.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
import keras  # noqa: E402
import numpy as np  # noqa: E402

folder = Path(__file__).resolve().parent.parent / "nn"
rng = np.random.default_rng(7)


def numbers(array):
    """Nested lists of the shortest decimals that keep every bit of an f32."""
    array = np.asarray(array, dtype=np.float32)
    return float(str(array[()])) if array.ndim == 0 else [numbers(row) for row in array]


def write(name, value):
    (folder / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


def normal(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def losses():
    L = keras.losses
    logits = normal(6, 4, scale=3)
    probabilities = np.array(keras.ops.softmax(logits))
    probabilities[0] = [1, 0, 0, 0]
    unit_logits = normal(6, 2, scale=4)
    unit = np.array(keras.ops.sigmoid(unit_logits))
    unit[0] = [0, 1]
    classes = np.array([1, 3, 0, 2, 2, 1])
    one_hot = np.eye(4, dtype=np.float32)[classes]
    soft = np.array(keras.ops.softmax(normal(6, 4)))
    bits = rng.integers(0, 2, (6, 2)).astype(np.float32)
    values, targets = normal(6, 3), normal(6, 3)

    cases = [
        ("meanSquaredError", {}, L.MeanSquaredError, {}, targets, values),
        ("meanAbsoluteError", {}, L.MeanAbsoluteError, {}, targets, values),
        ("binaryCrossentropy", {}, L.BinaryCrossentropy, {}, bits, unit),
        ("binaryCrossentropy", {"fromLogits": True}, L.BinaryCrossentropy, {"from_logits": True}, bits, unit_logits),
        ("categoricalCrossentropy", {}, L.CategoricalCrossentropy, {}, one_hot, probabilities),
        ("categoricalCrossentropy", {}, L.CategoricalCrossentropy, {}, soft, probabilities * 3),
        ("categoricalCrossentropy", {"fromLogits": True}, L.CategoricalCrossentropy, {"from_logits": True}, soft, logits),
        ("sparseCategoricalCrossentropy", {}, L.SparseCategoricalCrossentropy, {}, classes, probabilities),
        (
            "sparseCategoricalCrossentropy",
            {"fromLogits": True},
            L.SparseCategoricalCrossentropy,
            {"from_logits": True},
            classes,
            logits,
        ),
    ]
    rows = []
    for name, config, loss, arguments, y, prediction in cases:
        per_example = loss(reduction=None, **arguments)(y, prediction)
        mean = loss(**arguments)(y, prediction)
        rows.append(
            {
                "name": name,
                "config": config,
                "y": numbers(y),
                "prediction": numbers(prediction),
                "perExample": numbers(per_example),
                "mean": float(mean),
            }
        )
    write("losses", rows)


def metrics():
    M = keras.metrics
    prediction = np.array(keras.ops.softmax(normal(7, 3, scale=2)))
    classes = rng.integers(0, 3, 7)
    one_hot = np.eye(3, dtype=np.float32)[classes]
    unit = rng.uniform(size=(7, 1)).astype(np.float32)
    bits = rng.integers(0, 2, (7, 1)).astype(np.float32)
    cases = [
        ("sparseCategoricalAccuracy", M.SparseCategoricalAccuracy(), classes, prediction),
        ("categoricalAccuracy", M.CategoricalAccuracy(), one_hot, prediction),
        ("binaryAccuracy", M.BinaryAccuracy(), bits, unit),
        ("mse", M.MeanSquaredError(), one_hot, prediction),
        ("mae", M.MeanAbsoluteError(), one_hot, prediction),
    ]
    rows = []
    for name, metric, y, p in cases:
        metric.update_state(y, p)
        rows.append({"name": name, "y": numbers(y), "prediction": numbers(p), "value": float(metric.result())})
    write("metrics", rows)


def layers():
    K = keras.layers
    activations = ["linear", "relu", "sigmoid", "tanh", "softmax"]
    image = normal(2, 7, 6, 3)
    cases = [
        ("Dense", {"units": 4, "activation": a}, K.Dense(4, activation=a), normal(3, 5)) for a in activations
    ] + [
        ("Dense", {"units": 2, "useBias": False}, K.Dense(2, use_bias=False), normal(2, 3, 4)),
        ("Conv2D", {"filters": 4, "kernelSize": 3}, K.Conv2D(4, 3), image),
        (
            "Conv2D",
            {"filters": 2, "kernelSize": [3, 2], "strides": [2, 1], "padding": "same", "activation": "relu"},
            K.Conv2D(2, (3, 2), strides=(2, 1), padding="same", activation="relu"),
            image,
        ),
        (
            "Conv2D",
            {"filters": 2, "kernelSize": 3, "dilationRate": 2, "padding": "same", "useBias": False},
            K.Conv2D(2, 3, dilation_rate=2, padding="same", use_bias=False),
            image,
        ),
        ("MaxPooling2D", {}, K.MaxPooling2D(), image),
        (
            "MaxPooling2D",
            {"poolSize": 3, "strides": 2, "padding": "same"},
            K.MaxPooling2D(3, strides=2, padding="same"),
            image,
        ),
        ("AveragePooling2D", {}, K.AveragePooling2D(2), image),
        (
            "AveragePooling2D",
            {"poolSize": [3, 2], "strides": 2, "padding": "same"},
            K.AveragePooling2D((3, 2), strides=2, padding="same"),
            image,
        ),
        ("Flatten", {}, K.Flatten(), image),
        ("Activation", {"activation": "tanh"}, K.Activation("tanh"), normal(2, 3)),
        ("Dropout", {"rate": 0.5}, K.Dropout(0.5), normal(2, 3)),
    ]
    rows = []
    for name, config, layer, x in cases:
        layer.build(x.shape)
        weights = [normal(*w.shape, scale=0.5) for w in layer.weights]
        if weights:
            layer.set_weights(weights)
        rows.append(
            {
                "name": name,
                "config": config,
                "x": numbers(x),
                "weights": [numbers(w) for w in weights],
                "output": numbers(layer(x)),
            }
        )
    write("layers", rows)


def trainings():
    K = keras.layers

    def run(title, network, optimizer, loss, metric, x, y, description, epochs):
        network.build((None, *x.shape[1:]))
        weights = [normal(*w.shape, scale=0.4) for w in network.get_weights()]
        network.set_weights(weights)
        network.compile(optimizer=optimizer, loss=loss, metrics=metric)
        step_losses = []

        class Record(keras.callbacks.Callback):
            """Keras logs running means; the loss of one step follows from two of them."""

            def on_epoch_begin(self, epoch, logs=None):
                self.total = 0.0
                self.count = 0

            def on_train_batch_end(self, batch, logs=None):
                size = min(4, len(x) - 4 * batch)
                self.count += size
                total = logs["loss"] * self.count
                step_losses.append((total - self.total) / size)
                self.total = total

        history = network.fit(x, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=[Record()])
        evaluated = network.evaluate(x, y, batch_size=4, verbose=0)
        return {
            "title": title,
            **description,
            "x": numbers(x),
            "y": numbers(y),
            "weights": [numbers(w) for w in weights],
            "batchSize": 4,
            "epochs": epochs,
            "stepLosses": [float(v) for v in step_losses],
            "history": {name: [float(v) for v in values] for name, values in history.history.items()},
            "evaluated": [float(v) for v in evaluated],
            "finalWeights": [numbers(w) for w in network.get_weights()],
            "predictions": numbers(network.predict(x, verbose=0)),
        }

    x, classes = normal(10, 5), rng.integers(0, 3, 10)
    images, image_classes = normal(10, 8, 8, 1), rng.integers(0, 4, 10)
    lines, heights = normal(10, 3), normal(10, 2)
    bits = rng.integers(0, 2, (10, 1))
    write(
        "trainings",
        [
            run(
                "softmax MLP, adam, last batch smaller",
                keras.Sequential([keras.Input((5,)), K.Dense(6, activation="relu"), K.Dense(3, activation="softmax")]),
                keras.optimizers.Adam(0.01),
                "sparse_categorical_crossentropy",
                ["accuracy"],
                x,
                classes,
                {
                    "layers": [
                        {"className": "Dense", "config": {"units": 6, "activation": "relu"}},
                        {"className": "Dense", "config": {"units": 3, "activation": "softmax"}},
                    ],
                    "optimizer": {"name": "adam", "config": {"learningRate": 0.01}},
                    "loss": "sparseCategoricalCrossentropy",
                    "metrics": ["accuracy"],
                },
                3,
            ),
            run(
                "small LeNet, momentum",
                keras.Sequential(
                    [
                        keras.Input((8, 8, 1)),
                        K.Conv2D(3, 3, padding="same", activation="relu"),
                        K.MaxPooling2D(),
                        K.Conv2D(4, 3, activation="tanh"),
                        K.AveragePooling2D(2),
                        K.Flatten(),
                        K.Dense(4, activation="softmax"),
                    ]
                ),
                keras.optimizers.SGD(0.05, momentum=0.9),
                "sparse_categorical_crossentropy",
                ["accuracy"],
                images,
                image_classes,
                {
                    "layers": [
                        {"className": "Conv2D", "config": {"filters": 3, "kernelSize": 3, "padding": "same", "activation": "relu"}},
                        {"className": "MaxPooling2D", "config": {}},
                        {"className": "Conv2D", "config": {"filters": 4, "kernelSize": 3, "activation": "tanh"}},
                        {"className": "AveragePooling2D", "config": {}},
                        {"className": "Flatten", "config": {}},
                        {"className": "Dense", "config": {"units": 4, "activation": "softmax"}},
                    ],
                    "optimizer": {"name": "sgd", "config": {"learningRate": 0.05, "momentum": 0.9}},
                    "loss": "sparseCategoricalCrossentropy",
                    "metrics": ["accuracy"],
                },
                3,
            ),
            run(
                "linear regression, sgd",
                keras.Sequential([keras.Input((3,)), K.Dense(2)]),
                keras.optimizers.SGD(0.1),
                "mean_squared_error",
                ["mae"],
                lines,
                heights,
                {
                    "layers": [{"className": "Dense", "config": {"units": 2}}],
                    "optimizer": {"name": "sgd", "config": {"learningRate": 0.1}},
                    "loss": "meanSquaredError",
                    "metrics": ["mae"],
                },
                3,
            ),
            run(
                "logistic regression, nesterov",
                keras.Sequential([keras.Input((3,)), K.Dense(1, activation="sigmoid")]),
                keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
                "binary_crossentropy",
                ["accuracy"],
                lines,
                bits,
                {
                    "layers": [{"className": "Dense", "config": {"units": 1, "activation": "sigmoid"}}],
                    "optimizer": {"name": "sgd", "config": {"learningRate": 0.1, "momentum": 0.9, "nesterov": True}},
                    "loss": "binaryCrossentropy",
                    "metrics": ["accuracy"],
                },
                3,
            ),
        ],
    )


def summary():
    """The table of LeNet-5."""
    keras.utils.clear_session()  # layer names count from the start
    K = keras.layers
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            K.Conv2D(6, 5, padding="same", activation="relu"),
            K.MaxPooling2D(),
            K.Conv2D(16, 5, activation="relu"),
            K.MaxPooling2D(),
            K.Flatten(),
            K.Dense(120, activation="relu"),
            K.Dense(84, activation="relu"),
            K.Dense(10, activation="softmax"),
        ],
        name="lenet5",
    )
    lines = []
    network.summary(print_fn=lambda text, line_break=False: lines.append(text))
    (folder / "summary-lenet5.txt").write_text("\n".join(line.rstrip() for line in "\n".join(lines).splitlines()) + "\n")


folder.mkdir(exist_ok=True)
normal(5), normal(10, 5)  # once the optimizers' numbers: the others keep theirs
losses()
metrics()
layers()
trainings()
summary()
