"""Makes kernels-test/golden/nn/latent-layers.json and latent-models.json: sampling and capsules, which Keras has not,
written with Keras and TensorFlow from the papers' equations; a small variational autoencoder and a small capsule network
with their losses and gradients.

python kernels-test/golden/make/make-latent.py (layer_cases.py says what it needs).
"""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from layer_cases import layer_case, normal, numbers, rng, write

TINY = 1e-7
L = keras.layers


def squash(s):
    squares = tf.reduce_sum(s * s, -1, keepdims=True)
    return squares / (1 + squares) * s / tf.sqrt(squares + TINY)


def length(v):
    return tf.sqrt(tf.reduce_sum(v * v, -1) + TINY)


class Sampling(L.Layer):
    """Mean, logarithm of the variance, noise (none: the mean) → a draw; the divergence is a loss of the layer."""

    def __init__(self, kl_weight=1.0, **arguments):
        super().__init__(**arguments)
        self.kl_weight = kl_weight

    def call(self, inputs):
        mean, log_variance, *noise = inputs
        if self.kl_weight > 0:
            terms = 1 + log_variance - mean**2 - tf.exp(log_variance)
            axes = list(range(1, len(mean.shape)))
            self.add_loss(self.kl_weight * tf.reduce_mean(-0.5 * tf.reduce_sum(terms, axes)))
        return mean + tf.exp(log_variance / 2) * noise[0] if noise else mean * 1.0


class PrimaryCapsules(L.Layer):
    def __init__(self, channels, dimension, **arguments):
        super().__init__()
        self.dimension = dimension
        self.convolution = L.Conv2D(channels * dimension, **arguments)

    def build(self, shape):
        self.convolution.build(shape)
        self.built = True

    def call(self, x):
        maps = self.convolution(x)
        return squash(tf.reshape(maps, [maps.shape[0], -1, self.dimension]))


class Capsule(L.Layer):
    """Procedure 1 of Sabour, Frosst, Hinton 2017, word for word; the gradient goes through all of it."""

    def __init__(self, capsules, dimension, routings=3, **arguments):
        super().__init__(**arguments)
        self.capsules, self.dimension, self.routings = capsules, dimension, routings

    def build(self, shape):
        below, size = shape[1:]
        self.kernel = self.add_weight(name="kernel", shape=(below, size, self.capsules, self.dimension))
        self.built = True

    def call(self, u):
        predictions = tf.einsum("bid,idje->bije", u, self.kernel)
        logits = tf.zeros(predictions.shape[:3])
        for round in range(self.routings):
            shares = tf.nn.softmax(logits, -1)
            v = squash(tf.einsum("bij,bije->bje", shares, predictions))
            if round < self.routings - 1:
                logits += tf.einsum("bije,bje->bij", predictions, v)
        return v


class CapsuleLength(L.Layer):
    def call(self, v):
        return length(v)


class CapsuleMask(L.Layer):
    def call(self, inputs, training=None):
        several = isinstance(inputs, (list, tuple))
        v = inputs[0] if several else inputs
        mask = inputs[1] if several and training else tf.one_hot(tf.argmax(length(v), -1), v.shape[1])
        return tf.reshape(v * mask[..., None], [v.shape[0], v.shape[1] * v.shape[2]])


def layers():
    def primary(config, **arguments):
        return layer_case("PrimaryCapsules", config, PrimaryCapsules(**arguments), normal(2, 7, 6, 2))

    hot = np.eye(4, dtype=np.float32)[[2, 0, 1]]
    write(
        "latent",
        [
            layer_case("Sampling", {}, Sampling(), [normal(3, 4) for _ in range(3)]),
            layer_case("Sampling", {"klWeight": 0.25}, Sampling(0.25), [normal(3, 2, 2) for _ in range(3)]),
            layer_case("Sampling", {"klWeight": 0}, Sampling(0), [normal(3, 2) for _ in range(3)]),
            layer_case("Sampling", {"klWeight": 0.5}, Sampling(0.5), [normal(3, 3), normal(3, 3)], training=None),
            primary(
                {"channels": 2, "dimension": 3, "kernelSize": 3, "strides": 2},
                channels=2,
                dimension=3,
                kernel_size=3,
                strides=2,
            ),
            primary(
                {"channels": 1, "dimension": 4, "kernelSize": [3, 2], "padding": "same", "useBias": False},
                channels=1,
                dimension=4,
                kernel_size=(3, 2),
                padding="same",
                use_bias=False,
            ),
            layer_case("Capsule", {"capsules": 3, "dimension": 4}, Capsule(3, 4), normal(2, 5, 2)),
            layer_case("Capsule", {"capsules": 2, "dimension": 3, "routings": 1}, Capsule(2, 3, 1), normal(3, 4, 3)),
            layer_case("Capsule", {"capsules": 4, "dimension": 2, "routings": 5}, Capsule(4, 2, 5), normal(2, 6, 3)),
            layer_case("CapsuleLength", {}, CapsuleLength(), normal(3, 4, 5)),
            layer_case("CapsuleMask", {}, CapsuleMask(), normal(3, 4, 2)),
            layer_case("CapsuleMask", {}, CapsuleMask(), [normal(3, 4, 2), hot], training=True),
            layer_case("CapsuleMask", {}, CapsuleMask(), [normal(3, 4, 2), hot], training=False),
        ],
    )


def case(name, options, network, x, y, loss, parts):
    """Outputs outside of training, loss and gradients in it. parts: its layers with weights, by downhill's names of them."""
    weights = []
    for label, layer in parts:
        for variable in layer.trainable_variables:
            variable.assign(normal(*variable.shape, scale=0.3))
            weights.append((f"{label}/{variable.name}", variable))
    with tf.GradientTape() as tape:
        value = loss(tf.nest.flatten(network(x, training=True)))
    gradients = tape.gradient(value, [w.value for _, w in weights])
    return {
        "name": name,
        "options": options,
        "x": [numbers(part) for part in x],
        "y": y,
        "weights": {label: numbers(w) for label, w in weights},
        "outputs": [numbers(part) for part in tf.nest.flatten(network(x, training=False))],
        "loss": numbers(value),
        "gradients": {label: numbers(g) for (label, _), g in zip(weights, gradients)},
    }


def autoencoder():
    """Kingma and Welling's network, the noise given as a second input; the loss is the negative bound a pixel."""
    pixels, units, latent, batch = 36, 7, 3, 4
    images = np.round(rng.uniform(0, 1, (batch, 6, 6, 1)), 2).astype(np.float32)
    noise = normal(batch, latent)
    x, epsilon = keras.Input((6, 6, 1), batch_size=batch), keras.Input((latent,), batch_size=batch)
    dense = {
        "encoder_hidden": L.Dense(units, activation="tanh"),
        "mean": L.Dense(latent),
        "log_variance": L.Dense(latent),
        "decoder_hidden": L.Dense(units, activation="tanh"),
        "decoder_output": L.Dense(pixels),
    }
    hidden = dense["encoder_hidden"](L.Flatten()(x))
    sampling = Sampling(1 / pixels)
    z = sampling([dense["mean"](hidden), dense["log_variance"](hidden), epsilon])
    logits = dense["decoder_output"](dense["decoder_hidden"](z))
    network = keras.Model([x, epsilon], [L.Activation("sigmoid")(L.Reshape((6, 6, 1))(logits))])

    def loss(outputs):
        bce = keras.losses.binary_crossentropy(tf.reshape(images, [batch, -1]), tf.reshape(outputs[0], [batch, -1]))
        return tf.reduce_mean(bce) + sum(network.losses)

    options = {"inputShape": [6, 6, 1], "units": units, "latent": latent, "noiseInput": True}
    return case("vae", options, network, [images, noise], [numbers(images)], loss, dense.items())


def capsules():
    batch, classes, filters, channels, size = 3, 3, 3, 2, 7
    images = np.round(rng.uniform(0, 1, (batch, size, size, 1)), 2).astype(np.float32)
    ids = np.array([2, 0, 1])
    hot = np.eye(classes, dtype=np.float32)[ids]
    x, labels = keras.Input((size, size, 1), batch_size=batch), keras.Input((classes,), batch_size=batch)
    parts = {
        "features": L.Conv2D(filters, 3, activation="relu"),
        "primary_capsules": PrimaryCapsules(channels, 8, kernel_size=3, strides=2),
        "class_capsules": Capsule(classes, 16),
        "decoder_hidden": L.Dense(5, activation="relu"),
        "decoder_hidden_2": L.Dense(6, activation="relu"),
        "decoder_output": L.Dense(size * size),
    }
    v = parts["class_capsules"](parts["primary_capsules"](parts["features"](x)))
    hidden = parts["decoder_hidden_2"](parts["decoder_hidden"](CapsuleMask()([v, labels])))
    image = L.Activation("sigmoid")(L.Reshape((size, size, 1))(parts["decoder_output"](hidden)))
    network = keras.Model([x, labels], [CapsuleLength()(v), image])

    def loss(outputs):
        lengths, image = outputs
        there = hot * tf.nn.relu(0.9 - lengths) ** 2
        absent = (1 - hot) * tf.nn.relu(lengths - 0.1) ** 2
        margin = tf.reduce_mean(tf.reduce_sum(there + 0.5 * absent, -1))
        return margin + 0.0005 * tf.reduce_mean(tf.reduce_sum((image - images) ** 2, [1, 2, 3]))

    options = {
        "inputShape": [size, size, 1],
        "classes": classes,
        "filters": filters,
        "channels": channels,
        "kernelSize": 3,
        "reconstruction": True,
        "decoderUnits": [5, 6],
    }
    y = [ids.tolist(), numbers(images)]
    return case("capsnet", options, network, [images, hot], y, loss, parts.items())


layers()
path = Path(__file__).resolve().parent.parent / "nn" / "latent-models.json"
rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in [autoencoder(), capsules()])
path.write_text(f"[\n{rows}\n]\n")
print(f"{path.name}: {path.stat().st_size // 1024} KB")
