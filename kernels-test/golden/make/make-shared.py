"""Makes kernels-test/golden/nn/shared.json: models over the same layers, as Keras users write them, step by step.

- gan: a discriminator, compiled, then frozen and compiled into a combined model with its generator; both trained in turn.
- autoencoder: an encoder beside the autoencoder that is trained, with batch normalisation and a frozen layer.
- cut: a model, and a new head on all its layers but the last; both trained in turn.
- inside: a layer inside a nested model and beside it.

Keras' guide says that `trainable` is read at `compile`; Keras 3.15 on JAX reads it at each call, so the script sets it to what
it was at the model's compile before each of the model's steps.

pip install "keras>=3" jax, then: python kernels-test/golden/make/make-shared.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
import keras  # noqa: E402
import numpy as np  # noqa: E402

L = keras.layers
rng = np.random.default_rng(11)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def numbers(array):
    array = np.asarray(array, dtype=np.float32)
    return float(f"{array[()]:.9g}") if array.ndim == 0 else [numbers(row) for row in array]


def values(model):
    """The weights by layer and weight, those of nested models too, each once."""
    found = {}

    def walk(layers):
        for layer in layers:
            if hasattr(layer, "layers"):
                walk(layer.layers)
                continue
            for w in layer.weights:
                found[f"{layer.name}/{w.name}"] = numbers(w.numpy())

    walk(model.layers)
    return found


def set_random(model):
    """Biases and the like too, so that nothing starts in a symmetric state."""
    for w in model.weights:
        draw = 0.5 * normal(*w.shape)
        w.assign(np.abs(draw) + 0.5 if w.name == "moving_variance" else draw)


def train(model, x, y):
    return float(model.train_on_batch(x, y))


def gan():
    generator = keras.Sequential(
        [
            L.Input((3,)),
            # No bias: its gradient before a normalisation is rounding alone, which Adam would make large.
            L.Dense(6, use_bias=False, name="g1"),
            L.BatchNormalization(momentum=0.8, name="gn"),
            L.Activation("tanh", name="ga"),
            L.Dense(2, name="g2"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            L.Input((2,)),
            L.Dense(7, activation="tanh", name="d1"),
            L.BatchNormalization(momentum=0.7, name="dn"),
            L.Dense(1, activation="sigmoid", name="d2"),
        ],
        name="discriminator",
    )
    set_random(generator)
    set_random(discriminator)
    discriminator.compile(optimizer=keras.optimizers.Adam(0.02, beta_1=0.5), loss="binary_crossentropy")
    discriminator.trainable = False
    noise = L.Input((3,), name="noise")
    combined = keras.Model(noise, discriminator(generator(noise)), name="gan")
    combined.compile(optimizer=keras.optimizers.Adam(0.03, beta_1=0.5), loss="binary_crossentropy")
    start = values(combined)
    steps = []
    for _ in range(8):
        real, z, z2 = 3 + 0.5 * normal(4, 2), normal(4, 3), normal(8, 3)
        fake = generator.predict(z, verbose=0)
        x = np.concatenate([real, fake])
        y = np.concatenate([np.ones((4, 1)), np.zeros((4, 1))]).astype(np.float32)
        discriminator.trainable = True
        d_loss = train(discriminator, x, y)
        discriminator.trainable = False
        g_loss = train(combined, z2, np.ones((8, 1), np.float32))
        steps.append(
            {
                "real": numbers(real),
                "noise": numbers(z),
                "fake": numbers(fake),
                "noise2": numbers(z2),
                "losses": [d_loss, g_loss],
                "weights": values(combined),
            }
        )
    return {"start": start, "steps": steps}


def autoencoder():
    image = L.Input((6,), name="image")
    hidden = L.Dense(5, activation="relu", name="e1")(image)
    hidden = L.BatchNormalization(momentum=0.6, name="en")(hidden)
    code = L.Dense(2, name="code")(hidden)
    out = L.Dense(5, activation="relu", name="h1")(code)
    out = L.Dense(6, name="h2")(out)
    encoder = keras.Model(image, code, name="encoder")
    whole = keras.Model(image, out, name="autoencoder")
    set_random(whole)
    whole.compile(optimizer=keras.optimizers.RMSprop(0.01, momentum=0.5), loss="mean_squared_error")
    # Trained too, with its first layer frozen.
    whole.get_layer("e1").trainable = False
    encoder.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="mean_squared_error")
    start = values(whole)
    probe = normal(3, 6)
    steps = []
    for _ in range(6):
        x, target = normal(5, 6), normal(5, 2)
        whole.get_layer("e1").trainable = True
        loss = train(whole, x, x)
        codes = encoder.predict(probe, verbose=0)
        whole.get_layer("e1").trainable = False
        own = train(encoder, x, target)
        steps.append(
            {
                "x": numbers(x),
                "target": numbers(target),
                "codes": numbers(codes),
                "losses": [loss, own],
                "weights": values(whole),
            }
        )
    return {"start": start, "probe": numbers(probe), "steps": steps}


def cut():
    m = keras.Sequential(
        [L.Input((4,)), L.Dense(6, activation="tanh", name="c1"), L.Dense(5, activation="tanh", name="c2"), L.Dense(3, name="c3")]
    )
    set_random(m)
    m.compile(optimizer=keras.optimizers.Adam(0.02), loss="mean_squared_error")
    features = keras.Sequential(m.layers[:-1])
    head = keras.Sequential([*m.layers[:-1], L.Dense(1, name="head")])
    head.build((None, 4))
    head.layers[-1].set_weights([0.5 * normal(5, 1), 0.5 * normal(1)])
    head.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), loss="mean_squared_error")
    start = {**values(m), **values(head)}
    steps = []
    for _ in range(6):
        x, y, y2 = normal(5, 4), normal(5, 3), normal(5, 1)
        loss = train(m, x, y)
        found = features.predict(x, verbose=0)
        own = train(head, x, y2)
        steps.append(
            {
                "x": numbers(x),
                "y": numbers(y),
                "y2": numbers(y2),
                "features": numbers(found),
                "losses": [loss, own],
                "weights": {**values(m), **values(head)},
            }
        )
    return {"start": start, "steps": steps}


def inside():
    dense = L.Dense(4, activation="tanh", name="dense_in")
    norm = L.BatchNormalization(momentum=0.5, name="norm_in")
    inner = keras.Sequential([L.Input((4,)), dense, norm], name="inner")
    x = L.Input((4,), name="x")
    out = L.Dense(1, name="last")(norm(dense(inner(x))))
    net = keras.Model(x, out)
    set_random(net)
    net.compile(optimizer=keras.optimizers.Adam(0.02), loss="mean_squared_error")
    start = values(net)
    steps = []
    for _ in range(5):
        x, y = normal(6, 4), normal(6, 1)
        loss = train(net, x, y)
        steps.append(
            {
                "x": numbers(x),
                "y": numbers(y),
                "inner": numbers(inner.predict(x, verbose=0)),
                "losses": [loss],
                "weights": values(net),
            }
        )
    return {"start": start, "parameters": net.count_params(), "steps": steps}


found = {"gan": gan(), "autoencoder": autoencoder(), "cut": cut(), "inside": inside()}
path = Path(__file__).resolve().parent.parent / "nn" / "shared.json"
path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
print({name: [step["losses"] for step in case["steps"]] for name, case in found.items()})
