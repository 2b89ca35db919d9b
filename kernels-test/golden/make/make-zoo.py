"""Makes kernels-test/golden/nn/zoo.json: outputs and gradients of the zoo's architectures, built from Keras 3's layers.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-zoo.py
Networks are built here by themselves, after the papers and keras.applications (whose blocks the bottleneck ResNets use), in
float64. Weights and examples come from `unit`, which kernels-test/zoo/goldens.test.ts has too, so the file holds none.
Of each gradient it holds the Euclidean norm, the dot product with pseudo-random numbers, and one value.
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
from keras.src.applications.resnet import stack_residual_blocks_v1  # noqa: E402

keras.config.set_floatx("float64")
L = keras.layers
EXAMPLES, PROBES = 9001, 9002


def unit(stream, count):
    """`count` numbers in [-1, 1), a function of their places: MurmurHash3's finalizer."""
    start = np.uint32(stream * 0x9E3779B1 & 0xFFFFFFFF)
    h = np.arange(count, dtype=np.uint32) + start
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h.astype(np.float64) / 2**31 - 1


# Means of gammas and betas. SMALL: a hundred residual blocks do not add up. OPEN: of the units only one in twelve is clipped,
# whence gradients keep their size through fifty blocks (else they grow tenfold and more, and float32's errors with them),
# and few units are so near their kink that float32 takes them for clipped.
SMALL, OPEN = (0.5, 0), (0.25, 0.25)


def value_of(name, shape, k, affine):
    """Weight number k of a model, exact in f32: uniform as He et al. draw kernels, so that signals keep their size; gammas
    and betas around their means `affine`."""
    u = unit(k, int(np.prod(shape))).reshape(shape)
    if name == "gamma":
        values = affine[0] * (1 + 0.4 * u)
    elif name == "beta":
        values = affine[1] + 0.1 * u
    elif name == "moving_variance":
        values = 1 + 0.5 * u
    elif len(shape) > 1:
        values = np.sqrt(6 / np.prod(shape[:-1])) * u
    else:
        values = 0.1 * u
    return values.astype(np.float32).astype(np.float64)


created = []


def record(kind):
    """Layers of `kind` are noted when they are made: downhill's weights have that order, a functional model's of Keras not."""
    init = kind.__init__

    def noted(self, *args, **kwargs):
        init(self, *args, **kwargs)
        created.append(self)

    kind.__init__ = noted


for kind in [L.Dense, L.Conv2D, L.Conv2DTranspose, L.BatchNormalization, L.Dropout, L.GaussianNoise]:
    record(kind)


def sequential(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers])


def scaled(width):
    """Counts of maps as downhill's `width` scales them: rounded half up, at least 1."""
    return lambda count: max(1, int(np.floor(count * width + 0.5)))


def one_layer(shape, units, activation):
    return sequential(shape, *([L.Flatten()] if len(shape) > 1 else []), L.Dense(units, activation=activation))


def mlp(hidden):
    return sequential((28, 28, 1), L.Flatten(), *hidden(512), *hidden(128), L.Dense(10, activation="softmax"))


def batch_norm_units(units):
    return [L.Dense(units), L.BatchNormalization(), L.Activation("relu")]


def lenet():
    return sequential(
        (28, 28, 1),
        *[L.Conv2D(6, 5, padding="same", activation="relu"), L.MaxPooling2D(), L.Conv2D(16, 5, activation="relu")],
        *[L.MaxPooling2D(), L.Flatten(), L.Dense(120, activation="relu"), L.Dense(84, activation="relu")],
        L.Dense(10, activation="softmax"),
    )


def dense_autoencoder(units, noise=None, penalty=None):
    middle = len(units) // 2
    hidden = [
        L.Dense(n, activation="relu", activity_regularizer=penalty if k == middle else None) for k, n in enumerate(units)
    ]
    before = [] if noise is None else [L.GaussianNoise(noise)]
    return sequential((28, 28, 1), *before, L.Flatten(), *hidden, L.Dense(784, activation="sigmoid"), L.Reshape((28, 28, 1)))


def conv_autoencoder():
    relu = {"padding": "same", "activation": "relu"}
    return sequential(
        (28, 28, 1),
        *[L.Conv2D(32, 3, **relu), L.MaxPooling2D(2, padding="same"), L.Conv2D(32, 3, **relu), L.MaxPooling2D(2, padding="same")],
        *[L.Conv2DTranspose(32, 3, strides=2, **relu), L.Conv2DTranspose(32, 3, strides=2, **relu)],
        L.Conv2D(1, 3, padding="same", activation="sigmoid"),
    )


def cifar_vgg(side, dropout=False, batch_norm=False, l2=None, deeper=False, wider=False):
    rates = [0.2, 0.3, 0.4, 0.5]
    factor = 2 if wider else 1
    penalty = None if l2 is None else keras.regularizers.L2(l2)

    def active(layer):
        return [layer, *([L.BatchNormalization()] if batch_norm else []), L.Activation("relu")]

    body = []
    for block, maps in enumerate([16, 32, 64]):
        for _ in range(3 if deeper and block == 2 else 2):
            body += active(L.Conv2D(maps * factor, 3, padding="same", kernel_regularizer=penalty))
        body += [L.MaxPooling2D(2), *([L.Dropout(rates[block])] if dropout else [])]
    body += [L.Flatten(), *active(L.Dense(128 * factor, kernel_regularizer=penalty))]
    body += [L.Dropout(rates[3])] if dropout else []
    return sequential((side, side, 3), *body, L.Dense(10, activation="softmax"))


def alexnet(side, width, groups=1):
    maps = lambda count: 2 * scaled(width)(count / 2)  # noqa: E731
    relu = {"padding": "same", "activation": "relu"}
    pool = lambda: L.MaxPooling2D(3, strides=2)  # noqa: E731
    units = lambda: [L.Dense(scaled(width)(4096), activation="relu"), L.Dropout(0.5)]  # noqa: E731
    return sequential(
        (side, side, 3),
        *[L.Conv2D(maps(96), 11, strides=4, activation="relu"), pool(), L.Conv2D(maps(256), 5, groups=groups, **relu), pool()],
        *[L.Conv2D(maps(384), 3, **relu), L.Conv2D(maps(384), 3, groups=groups, **relu)],
        *[L.Conv2D(maps(256), 3, groups=groups, **relu), pool(), L.Flatten(), *units(), *units()],
        L.Dense(10, activation="softmax"),
    )


def vgg(side, width, depths):
    body = []
    for maps, depth in zip([64, 128, 256, 512, 512], depths):
        body += [L.Conv2D(scaled(width)(maps), 3, padding="same", activation="relu") for _ in range(depth)]
        body += [L.MaxPooling2D(2)]
    fc = [L.Dense(scaled(width)(4096), activation="relu") for _ in range(2)]
    return sequential((side, side, 3), *body, L.Flatten(), *fc, L.Dense(10, activation="softmax"))


def googlenet(side, width, auxiliary=False):
    s = scaled(width)
    conv = lambda n, size, strides=1: L.Conv2D(n, size, strides=strides, padding="same", activation="relu")  # noqa: E731
    pool = lambda strides=2: L.MaxPooling2D(3, strides=strides, padding="same")  # noqa: E731
    heads = []

    def module(x, one, reduce3, three, reduce5, five, pooled):
        a = conv(s(one), 1)(x)
        r = conv(s(reduce3), 1)(x)
        b = conv(s(three), 3)(r)
        r = conv(s(reduce5), 1)(x)
        c = conv(s(five), 5)(r)
        return L.Concatenate()([a, b, c, conv(s(pooled), 1)(pool(1)(x))])

    def head(x):
        y = L.Flatten()(conv(s(128), 1)(L.AveragePooling2D(5, strides=3)(x)))
        y = L.Dense(s(1024), activation="relu")(y)
        heads.append(L.Dense(10, activation="softmax")(L.Dropout(0.7)(y)))

    x = keras.Input((side, side, 3))
    y = pool()(conv(s(64), 7, 2)(x))
    y = conv(s(64), 1)(y)
    y = pool()(conv(s(192), 3)(y))
    y = module(y, 64, 96, 128, 16, 32, 32)
    y = pool()(module(y, 128, 128, 192, 32, 96, 64))
    y = module(y, 192, 96, 208, 16, 48, 64)
    if auxiliary:
        head(y)
    y = module(y, 160, 112, 224, 24, 64, 64)
    y = module(y, 128, 128, 256, 24, 64, 64)
    y = module(y, 112, 144, 288, 32, 64, 64)
    if auxiliary:
        head(y)
    y = pool()(module(y, 256, 160, 320, 32, 128, 128))
    y = module(y, 256, 160, 320, 32, 128, 128)
    y = module(y, 384, 192, 384, 48, 128, 128)
    y = L.Dropout(0.4)(L.GlobalAveragePooling2D()(y))
    return keras.Model(x, [L.Dense(10, activation="softmax")(y), *heads])


def torch_conv(x, maps, size, strides):
    """Convolution without bias and normalisation, padded on both sides alike, as in torchvision."""
    x = L.ZeroPadding2D(size // 2)(x)
    x = L.Conv2D(maps, size, strides=strides, use_bias=False)(x)
    return L.BatchNormalization(epsilon=1e-5)(x)


def basic_stages(x, stages):
    for k, (maps, blocks) in enumerate(stages):
        for block in range(blocks):
            strides = 2 if k > 0 and block == 0 else 1
            shortcut = torch_conv(x, maps, 1, strides) if strides == 2 else x
            y = L.ReLU()(torch_conv(x, maps, 3, strides))
            x = L.ReLU()(L.Add()([shortcut, torch_conv(y, maps, 3, 1)]))
    return x


def resnet20(side):
    x = keras.Input((side, side, 3))
    y = basic_stages(L.ReLU()(torch_conv(x, 16, 3, 1)), [(16, 3), (32, 3), (64, 3)])
    return keras.Model(x, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(y)))


def resnet(side, width, blocks, deep):
    maps = scaled(width)(64)
    x = keras.Input((side, side, 3))
    if deep:
        # The stem of keras.applications' ResNet, whose maps are 64 whatever one asks for.
        y = L.Conv2D(maps, 7, strides=2)(L.ZeroPadding2D(3)(x))
        y = L.ReLU()(L.BatchNormalization(epsilon=1.001e-5)(y))
    else:
        y = L.ReLU()(torch_conv(x, maps, 7, 2))
    y = L.MaxPooling2D(3, strides=2)(L.ZeroPadding2D(1)(y))
    stages = [(maps * 2**k, count) for k, count in enumerate(blocks)]
    if deep:
        for k, (width_, count) in enumerate(stages):
            y = stack_residual_blocks_v1(y, width_, count, stride1=1 if k == 0 else 2, name=f"conv{k + 2}")
    else:
        y = basic_stages(y, stages)
    return keras.Model(x, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(y)))


def significant(value, digits=10):
    return float(f"{value:.{digits}g}")


LOSSES = {
    "sparseCategoricalCrossentropy": keras.losses.SparseCategoricalCrossentropy,
    "binaryCrossentropy": keras.losses.BinaryCrossentropy,
    "meanSquaredError": keras.losses.MeanSquaredError,
    "hinge": keras.losses.Hinge,
}


def targets(kind, batch, x):
    """As the test makes them."""
    if kind == "classes":
        return np.arange(batch) * 7 % 10
    if kind == "input":
        return x
    signs = (np.arange(batch) % 2).reshape(batch, 1).astype(np.float64)
    return {"bits": signs, "signs": 2 * signs - 1, "numbers": 2.5 * signs + 0.5}[kind]


def case(name, options, build, batch, kind="classes", loss="sparseCategoricalCrossentropy", affine=SMALL):
    keras.utils.clear_session()
    created.clear()
    model = build()
    weighted = [layer for layer in created if layer.weights and not isinstance(layer, (L.Dropout, L.GaussianNoise))]
    variables = [w for layer in weighted for w in layer.weights]
    assert len(variables) == len([w for w in model.weights if "seed" not in w.path])
    for k, w in enumerate(variables):
        w.assign(value_of(w.name, tuple(w.shape), k, affine))
    shape = (batch, *model.input_shape[1:])
    x = unit(EXAMPLES, int(np.prod(shape))).reshape(shape)
    x = (x + 1) / 2 if kind == "input" else x
    x = x.astype(np.float32).astype(np.float64)
    y = targets(kind, batch, x)
    as_list = lambda value: value if isinstance(value, list) else [value]  # noqa: E731
    outputs = as_list(model(x, training=False))
    # The chances of training: noted, and then none, since streams differ. random.json has these layers.
    chances = []
    for layer in created:
        if isinstance(layer, L.Dropout):
            chances.append(layer.rate)
            layer.rate = 0
        elif isinstance(layer, L.GaussianNoise):
            chances.append(layer.stddev)
            layer.stddev = 0
    trainable = [w for w in variables if w.trainable]
    with tf.GradientTape() as tape:
        trained = as_list(model(x, training=True))
        value = sum(LOSSES[loss]()(y, output) for output in trained) + sum(model.losses)
    grads = tape.gradient(value, [w.value for w in trainable])
    rows = []
    for k, gradient in enumerate(grads):
        flat = np.asarray(gradient).reshape(-1)
        probe = unit(PROBES, flat.size)
        rows.append([significant(v) for v in (np.linalg.norm(flat), flat @ probe, flat[flat.size // 2])])
    flat = np.concatenate([np.asarray(output).reshape(-1) for output in outputs])
    found = {"name": name, "options": options, "batch": batch, "targets": kind, "loss": loss, "affine": affine}
    found |= {"parameters": int(sum(np.prod(w.shape) for w in variables)), "chances": chances}
    found |= {"output": [significant(v) for v in (np.linalg.norm(flat), flat @ unit(PROBES, flat.size), *flat[:20])]}
    found |= {"lossValue": significant(float(value)), "gradients": rows}
    print(name, options, found["parameters"], found["lossValue"], found["output"][:3], flush=True)
    return found


def small(side=32, width=0.125, **more):
    return {"inputShape": [side, side, 3], "width": width, "classes": 10, **more}


AE = {"kind": "input", "loss": "binaryCrossentropy"}
cases = [
    case("perceptron", {}, lambda: one_layer((2,), 1, None), 6, "signs", "hinge"),
    case("linear", {}, lambda: one_layer((8,), 1, None), 6, "numbers", "meanSquaredError"),
    case("logistic", {}, lambda: one_layer((30,), 1, "sigmoid"), 6, "bits", "binaryCrossentropy"),
    case("softmax", {}, lambda: one_layer((28, 28, 1), 10, "softmax"), 4),
    case("mlp-sigmoid", {}, lambda: mlp(lambda n: [L.Dense(n, activation="sigmoid")]), 4),
    case("mlp", {}, lambda: mlp(lambda n: [L.Dense(n, activation="relu")]), 4),
    case("mlp-batch-norm", {}, lambda: mlp(batch_norm_units), 8),
    case("mlp-dropout", {}, lambda: mlp(lambda n: [L.Dense(n, activation="relu"), L.Dropout(0.2)]), 4),
    case("lenet", {}, lenet, 4),
    case("dense-autoencoder", {}, lambda: dense_autoencoder([128, 64, 32, 64, 128]), 3, **AE),
    case("sparse-autoencoder", {}, lambda: dense_autoencoder([128], penalty=keras.regularizers.L1(1e-4)), 3, **AE),
    case("denoising-autoencoder", {}, lambda: dense_autoencoder([128, 64, 32, 64, 128], noise=0.3), 3, **AE),
    case("conv-autoencoder", {}, conv_autoencoder, 2, **AE),
    case("cifar-vgg", {"inputShape": [8, 8, 3]}, lambda: cifar_vgg(8), 4),
    case("cifar-vgg", {"inputShape": [8, 8, 3], "variant": "II"}, lambda: cifar_vgg(8, dropout=True), 4),
    case("cifar-vgg", {"inputShape": [8, 8, 3], "variant": "III"}, lambda: cifar_vgg(8, True, True), 8),
    case("cifar-vgg", {"inputShape": [8, 8, 3], "variant": "IV"}, lambda: cifar_vgg(8, True, True, 1e-4), 8),
    case("cifar-vgg", {"inputShape": [8, 8, 3], "variant": "V"}, lambda: cifar_vgg(8, True, True, 1e-4, True), 8),
    # VII is VI with flips in training, which random.json has.
    case("cifar-vgg", {"inputShape": [8, 8, 3], "variant": "VI"}, lambda: cifar_vgg(8, True, True, 1e-4, True, True), 8),
    case("cifar-vgg", {"inputShape": [8, 8, 3], "variant": "VII", "flips": False},
         lambda: cifar_vgg(8, True, True, 1e-4, True, True), 8),
    case("alexnet", small(67, 0.0625), lambda: alexnet(67, 0.0625), 2),
    case("alexnet", small(67, 0.0625, groups=2), lambda: alexnet(67, 0.0625, 2), 2),
    case("vgg16", small(), lambda: vgg(32, 0.125, [2, 2, 3, 3, 3]), 2),
    case("vgg19", small(), lambda: vgg(32, 0.125, [2, 2, 4, 4, 4]), 2),
    case("googlenet", small(), lambda: googlenet(32, 0.125), 2),
    case("googlenet", small(200, 0.03125, auxiliary=True), lambda: googlenet(200, 0.03125, True), 1),
    case("resnet18", small(), lambda: resnet(32, 0.125, [2, 2, 2, 2], False), 8),
    case("resnet34", small(), lambda: resnet(32, 0.125, [3, 4, 6, 3], False), 8),
    case("resnet50", small(48, 0.0625), lambda: resnet(48, 0.0625, [3, 4, 6, 3], True), 8, affine=OPEN),
    case("resnet101", small(48, 0.0625), lambda: resnet(48, 0.0625, [3, 4, 23, 3], True), 8, affine=OPEN),
    case("resnet152", small(48, 0.0625), lambda: resnet(48, 0.0625, [3, 8, 36, 3], True), 8, affine=OPEN),
    # The shapes of kernels-test/train/steady-step.test.ts: the driver's cache has the kernels then.
    case("resnet20", {}, lambda: resnet20(32), 2),
]
path = Path(__file__).resolve().parent.parent / "nn" / "zoo.json"
path.write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size // 1024} KB")
