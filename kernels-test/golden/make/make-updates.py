"""Makes kernels-test/golden/nn/optimizers.json, optimizers-matrices.json, updated-trainings.json, regularizers.json, constraints.json,
schedules.json and initializers.json: what Keras 3 computes for everything around the update of weights.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-updates.py
Numbers are f32 as Keras gives them (made with Keras 3.15, tensorflow backend). Names are downhill's camelCase ones.
"""

import json
import os
import re
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402
import numpy as np  # noqa: E402

folder = Path(__file__).resolve().parent.parent / "nn"
rng = np.random.default_rng(11)
KERAS_NAMES = {"clipNorm": "clipnorm", "clipValue": "clipvalue", "globalClipNorm": "global_clipnorm"}
CLASSES = {
    "sgd": keras.optimizers.SGD,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamW": keras.optimizers.AdamW,
    "adamax": keras.optimizers.Adamax,
    "nadam": keras.optimizers.Nadam,
    "lion": keras.optimizers.Lion,
    "muon": keras.optimizers.Muon,
}
SCHEDULES = {
    "cosineDecay": keras.optimizers.schedules.CosineDecay,
    "cosineDecayRestarts": keras.optimizers.schedules.CosineDecayRestarts,
    "exponentialDecay": keras.optimizers.schedules.ExponentialDecay,
    "inverseTimeDecay": keras.optimizers.schedules.InverseTimeDecay,
    "polynomialDecay": keras.optimizers.schedules.PolynomialDecay,
    "piecewiseConstantDecay": keras.optimizers.schedules.PiecewiseConstantDecay,
}


def numbers(array):
    """Nested lists of short decimals that keep every bit of an f32."""
    array = np.asarray(array, dtype=np.float32)
    return float(str(array[()])) if array.ndim == 0 else [numbers(row) for row in array]


def write(name, value):
    text = json.dumps(value, separators=(",", ":"))
    (folder / f"{name}.json").write_text(re.sub(r'(\{"name")', r"\n\1", text) + "\n")


def normal(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def snake(name):
    if name in KERAS_NAMES:
        return KERAS_NAMES[name]
    return re.sub(r"(?<=[a-z])([A-Z0-9])", lambda m: "_" + m.group(1).lower(), name)


def arguments(config):
    return {snake(k): make_schedule(v) if isinstance(v, dict) else v for k, v in config.items() if k != "excludeFromWeightDecay"}


def make_schedule(entry):
    return SCHEDULES[entry["schedule"]](**{snake(k): v for k, v in entry["config"].items()})


def make_optimizer(name, config):
    optimizer = CLASSES[name](**arguments(config))
    if "excludeFromWeightDecay" in config:
        optimizer.exclude_from_weight_decay(var_names=config["excludeFromWeightDecay"])
    return optimizer


def optimizers():
    """20 updates of two weights; the trajectory is told at steps 1, 2, 3, 5, 10 and 20 with the rest implied by them."""
    rate = {"learningRate": 0.05}
    cosine = {"schedule": "cosineDecay", "config": {"initialLearningRate": 0.1, "decaySteps": 15, "alpha": 0.1}}
    cases = [
        ("sgd", {}),
        ("sgd", {**rate, "momentum": 0.9}),
        ("sgd", {**rate, "momentum": 0.8, "nesterov": True}),
        ("sgd", {"learningRate": 0.1, "weightDecay": 0.1}),
        ("sgd", {"learningRate": 0.1, "clipValue": 0.5}),
        ("sgd", {"learningRate": 0.1, "momentum": 0.9, "clipNorm": 1.0}),
        ("sgd", {"learningRate": 0.1, "globalClipNorm": 1.5}),
        ("sgd", {"learningRate": cosine, "momentum": 0.9, "weightDecay": 0.02, "excludeFromWeightDecay": ["bias"]}),
        ("sgd", {"learningRate": 0.1, "gradientAccumulationSteps": 3}),
        ("sgd", {"learningRate": 0.1, "useEma": True, "emaMomentum": 0.8}),
        ("sgd", {"learningRate": 0.1, "useEma": True, "emaMomentum": 0.6, "emaOverwriteFrequency": 4}),
        ("adagrad", {}),
        ("adagrad", {**rate, "initialAccumulatorValue": 0.5, "epsilon": 1e-3}),
        ("adadelta", {}),
        ("adadelta", {"learningRate": 1.0, "rho": 0.9, "epsilon": 1e-4}),
        ("rmsprop", {}),
        ("rmsprop", {**rate, "rho": 0.8, "momentum": 0.9}),
        ("rmsprop", {**rate, "centered": True, "epsilon": 1e-3}),
        ("rmsprop", {"learningRate": 0.02, "momentum": 0.5, "centered": True, "epsilon": 1e-3, "clipNorm": 1.0}),
        ("adam", {}),
        ("adam", {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}),
        ("adam", {**rate, "beta2": 0.8, "amsgrad": True}),
        ("adam", {"learningRate": cosine, "weightDecay": 0.1, "globalClipNorm": 1.0}),
        ("adam", {**rate, "gradientAccumulationSteps": 4, "clipNorm": 0.5}),
        ("adam", {"learningRate": cosine, "gradientAccumulationSteps": 2, "weightDecay": 0.05}),
        (
            "adam",
            {
                **rate,
                "amsgrad": True,
                "gradientAccumulationSteps": 2,
                "useEma": True,
                "emaMomentum": 0.7,
                "emaOverwriteFrequency": 3,
                "clipValue": 0.8,
            },
        ),
        ("adamW", {}),
        ("adamW", {**rate, "weightDecay": 0.2, "excludeFromWeightDecay": ["bias"]}),
        ("adamax", {}),
        ("adamax", {**rate, "beta1": 0.8, "beta2": 0.9, "weightDecay": 0.01}),
        ("nadam", {}),
        ("nadam", {**rate, "beta1": 0.8, "beta2": 0.95, "gradientAccumulationSteps": 2}),
        ("lion", {}),
        ("lion", {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "weightDecay": 0.1}),
    ]
    names = ["kernel", "bias"]
    start = [normal(2, 3), normal(2)]
    gradients = [[normal(2, 3), normal(2)] for _ in range(20)]
    trajectories("optimizers", names, start, gradients, cases)


def matrices():
    """20 updates of weights of all sorts by Muon, whose rule depends on their names and shapes."""
    draw = np.random.default_rng(17)
    rate = {"learningRate": 0.05}
    cosine = {"schedule": "cosineDecay", "config": {"initialLearningRate": 0.1, "decaySteps": 15, "alpha": 0.1}}
    cases = [
        ("muon", {}),
        ("muon", rate),
        ("muon", {**rate, "nesterov": False, "momentum": 0.8, "nsSteps": 3}),
        ("muon", {**rate, "rmsRate": None, "muonA": 3.0, "muonB": -4.0, "muonC": 1.8}),
        ("muon", {**rate, "excludeLayers": ["^head", "l$"], "adamBeta1": 0.8, "adamBeta2": 0.9, "epsilon": 1e-3}),
        ("muon", {**rate, "excludeEmbeddings": False, "adamLrRatio": 0.5, "rmsRate": 0.4}),
        (
            "muon",
            {
                "learningRate": cosine,
                "weightDecay": 0.1,
                "adamWeightDecay": 0.02,
                "excludeFromWeightDecay": ["bias"],
                "globalClipNorm": 1.0,
            },
        ),
        ("muon", {**rate, "clipNorm": 0.5, "weightDecay": 0.0, "adamWeightDecay": 0.0}),
        ("muon", {"learningRate": cosine, "gradientAccumulationSteps": 3, "clipValue": 0.5}),
        ("muon", {**rate, "useEma": True, "emaMomentum": 0.7, "emaOverwriteFrequency": 4}),
    ]
    shapes = {
        "kernel": (3, 4),
        "tall": (4, 2),
        "embedding": (3, 2),
        "head_kernel": (2, 3),
        "filters": (2, 2, 2),
        "bias": (3,),
    }
    one = lambda shape: draw.standard_normal(shape).astype(np.float32)
    start = [one(shape) for shape in shapes.values()]
    gradients = [[one(shape) for shape in shapes.values()] for _ in range(20)]
    trajectories("optimizers-matrices", list(shapes), start, gradients, cases)


def trajectories(file, names, start, gradients, cases):
    for part in gradients[3]:
        part[:] = 0
    told = [1, 2, 3, 5, 10, 20]
    rows = []
    for name, config in cases:
        optimizer = make_optimizer(name, config)
        weights = [keras.Variable(value, name=label) for value, label in zip(start, names)]
        path = []
        for step, gradient in enumerate(gradients, 1):
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradient], weights)
            if step in told:
                path.append([numbers(np.array(w).ravel()) for w in weights])
        if config.get("useEma"):
            optimizer.finalize_variable_values(weights)
        rows.append(
            {"name": name, "config": config, "path": path, "final": [numbers(np.array(w).ravel()) for w in weights]}
        )
    write(
        file,
        {
            "names": names,
            "shapes": [list(s.shape) for s in start],
            "start": [numbers(s.ravel()) for s in start],
            "gradients": [[numbers(g.ravel()) for g in step] for step in gradients],
            "steps": told,
            "cases": rows,
        },
    )


def schedules():
    steps = [0, 1, 2, 3, 7, 9, 10, 11, 19, 20, 21, 25, 40, 41, 70, 71, 100, 199, 200, 500]
    base = {"initialLearningRate": 0.1}
    cases = [
        ("cosineDecay", {**base, "decaySteps": 50}),
        ("cosineDecay", {**base, "decaySteps": 40, "alpha": 0.2, "warmupTarget": 0.5, "warmupSteps": 10}),
        ("cosineDecayRestarts", {**base, "firstDecaySteps": 10}),
        ("cosineDecayRestarts", {**base, "firstDecaySteps": 10, "tMul": 1.0, "mMul": 0.8, "alpha": 0.1}),
        ("cosineDecayRestarts", {**base, "firstDecaySteps": 7, "tMul": 1.5, "mMul": 0.9}),
        ("exponentialDecay", {**base, "decaySteps": 10, "decayRate": 0.9}),
        ("exponentialDecay", {**base, "decaySteps": 10, "decayRate": 0.5, "staircase": True}),
        ("inverseTimeDecay", {**base, "decaySteps": 10, "decayRate": 0.5}),
        ("inverseTimeDecay", {**base, "decaySteps": 10, "decayRate": 0.5, "staircase": True}),
        ("polynomialDecay", {**base, "decaySteps": 50}),
        ("polynomialDecay", {**base, "decaySteps": 50, "endLearningRate": 0.01, "power": 2.0}),
        ("polynomialDecay", {**base, "decaySteps": 20, "endLearningRate": 0.01, "power": 0.5, "cycle": True}),
        ("piecewiseConstantDecay", {"boundaries": [10, 20, 70], "values": [0.1, 0.05, 0.02, 0.001]}),
    ]
    rows = []
    for name, config in cases:
        schedule = make_schedule({"schedule": name, "config": config})
        rows.append({"name": name, "config": config, "steps": steps, "rates": [numbers(schedule(s)) for s in steps]})
    write("schedules", rows)


def penalties():
    matrix, filters = normal(4, 3), normal(2, 2, 3, 2)
    R = keras.regularizers
    cases = [
        ("l1", {}, R.L1()),
        ("l1", {"l1": 0.3}, R.L1(0.3)),
        ("l2", {}, R.L2()),
        ("l2", {"l2": 0.2}, R.L2(0.2)),
        ("l1l2", {"l1": 0.1, "l2": 0.2}, R.L1L2(0.1, 0.2)),
        ("l1l2", {"l2": 0.2}, R.L1L2(l2=0.2)),
        ("orthogonal", {}, R.OrthogonalRegularizer()),
        ("orthogonal", {"factor": 0.5, "mode": "columns"}, R.OrthogonalRegularizer(0.5, "columns")),
    ]
    rows = []
    import tensorflow as tf

    for name, config, regularizer in cases:
        for weight in [matrix] if name == "orthogonal" else [matrix, filters]:
            value = tf.Variable(weight)
            with tf.GradientTape() as tape:
                penalty = regularizer(value)
            rows.append(
                {
                    "name": name,
                    "config": config,
                    "weight": numbers(weight),
                    "penalty": numbers(penalty),
                    "gradient": numbers(np.array(tape.gradient(penalty, value)).ravel()),
                }
            )
    write("regularizers", rows)

    C = keras.constraints
    cases = [
        ("nonNeg", {}, C.NonNeg()),
        ("maxNorm", {}, C.MaxNorm()),
        ("maxNorm", {"maxValue": 0.7, "axis": 1}, C.MaxNorm(0.7, axis=1)),
        ("maxNorm", {"maxValue": 0.9, "axis": [0, 1, 2]}, C.MaxNorm(0.9, axis=[0, 1, 2])),
        ("unitNorm", {}, C.UnitNorm()),
        ("unitNorm", {"axis": [0, 1, 2]}, C.UnitNorm(axis=[0, 1, 2])),
        ("minMaxNorm", {}, C.MinMaxNorm()),
        (
            "minMaxNorm",
            {"minValue": 1.5, "maxValue": 1.8, "rate": 0.4, "axis": 0},
            C.MinMaxNorm(1.5, 1.8, rate=0.4, axis=0),
        ),
    ]
    rows = []
    for name, config, constraint in cases:
        weight = filters if isinstance(config.get("axis"), list) else matrix
        rows.append(
            {
                "name": name,
                "config": config,
                "weight": numbers(weight),
                "projected": numbers(np.array(constraint(weight)).ravel()),
            }
        )
    write("constraints", rows)


def initializers():
    """Moments of many values, as Keras draws them: mean, standard deviation, mean |x|³ and the largest |x|."""
    I = keras.initializers
    shape = (300, 200)
    kernel = (3, 5, 20, 100)
    cases = [
        ("zeros", {}, I.Zeros(), shape),
        ("ones", {}, I.Ones(), shape),
        ("constant", {"value": -1.5}, I.Constant(-1.5), shape),
        ("identity", {"gain": 2.0}, I.Identity(2.0), shape),
        ("randomUniform", {}, I.RandomUniform(seed=1), shape),
        ("randomUniform", {"minval": -0.1, "maxval": 0.4}, I.RandomUniform(-0.1, 0.4, seed=1), shape),
        ("randomNormal", {}, I.RandomNormal(seed=1), shape),
        ("truncatedNormal", {"mean": 0.1, "stddev": 0.2}, I.TruncatedNormal(0.1, 0.2, seed=1), shape),
        ("orthogonal", {}, I.Orthogonal(seed=1), shape),
        ("orthogonal", {"gain": 1.5}, I.Orthogonal(1.5, seed=1), (60, 100)),
    ]
    for name in ["glorotUniform", "glorotNormal", "heUniform", "heNormal", "lecunUniform", "lecunNormal"]:
        make = getattr(I, name[0].upper() + name[1:])
        cases += [(name, {}, make(seed=1), shape), (name, {}, make(seed=1), kernel)]
    for mode in ["fanIn", "fanOut", "fanAvg"]:
        for distribution in ["truncatedNormal", "untruncatedNormal", "uniform"]:
            config = {"scale": 0.7, "mode": mode, "distribution": distribution}
            initializer = I.VarianceScaling(0.7, snake(mode), snake(distribution), seed=1)
            cases.append(("varianceScaling", config, initializer, kernel))
    rows = []
    for name, config, initializer, size in cases:
        values = np.array(initializer(size), dtype=np.float64).ravel()
        rows.append(
            {
                "name": name,
                "config": config,
                "shape": list(size),
                "mean": round(float(values.mean()), 6),
                "deviation": round(float(values.std()), 6),
                "cube": round(float((np.abs(values) ** 3).mean()), 7),
                "largest": round(float(np.abs(values).max()), 6),
            }
        )
    write("initializers", rows)


def trainings():
    """20 steps of a small network through Keras' own fit, with everything that acts around an update."""
    K = keras.layers
    x, y = normal(20, 5), rng.integers(0, 3, 20)
    cosine = {"schedule": "cosineDecay", "config": {"initialLearningRate": 0.1, "decaySteps": 20}}
    inverse = {"schedule": "inverseTimeDecay", "config": {"initialLearningRate": 0.02, "decaySteps": 5, "decayRate": 0.5}}
    cases = [
        ("clipping, decay and schedule", "adamW", {"learningRate": inverse, "globalClipNorm": 0.5, "weightDecay": 0.1}, {}, {}),
        (
            "regularizers and constraints",
            "sgd",
            {"learningRate": 0.1, "momentum": 0.9},
            {
                "kernelRegularizer": {"name": "l2", "config": {"l2": 0.05}},
                "biasRegularizer": {"name": "l1", "config": {"l1": 0.02}},
                "activityRegularizer": {"name": "l1l2", "config": {"l1": 0.01, "l2": 0.02}},
                "kernelConstraint": {"name": "maxNorm", "config": {"maxValue": 0.8, "axis": 0}},
                "biasConstraint": {"name": "nonNeg", "config": {}},
            },
            {
                "kernel_regularizer": keras.regularizers.L2(0.05),
                "bias_regularizer": keras.regularizers.L1(0.02),
                "activity_regularizer": keras.regularizers.L1L2(0.01, 0.02),
                "kernel_constraint": keras.constraints.MaxNorm(0.8, axis=0),
                "bias_constraint": keras.constraints.NonNeg(),
            },
        ),
        (
            "averages and accumulation",
            "rmsprop",
            {"learningRate": 0.02, "useEma": True, "emaMomentum": 0.8, "gradientAccumulationSteps": 2, "clipNorm": 0.3},
            {},
            {},
        ),
        ("cosine, one layer frozen", "nadam", {"learningRate": cosine}, {"trainable": False}, {"trainable": False}),
        ("kernels by Muon, biases by AdamW", "muon", {"learningRate": inverse, "globalClipNorm": 0.5}, {}, {}),
    ]
    rows = []
    for title, name, config, options, layer_arguments in cases:
        network = keras.Sequential(
            [
                keras.Input((5,)),
                K.Dense(6, activation="tanh", **layer_arguments),
                K.Dense(3, activation="softmax"),
            ]
        )
        weights = [normal(*w.shape, scale=0.4) for w in network.get_weights()]
        network.set_weights(weights)
        network.compile(optimizer=make_optimizer(name, config), loss="sparse_categorical_crossentropy")
        history = network.fit(x, y, batch_size=4, epochs=4, shuffle=False, verbose=0)
        rows.append(
            {
                "name": name,
                "config": config,
                "title": title,
                "layer": options,
                "weights": [numbers(w) for w in weights],
                "losses": [float(f"{v:.7g}") for v in history.history["loss"]],
                "evaluated": float(f'{network.evaluate(x, y, batch_size=4, verbose=0):.7g}'),
                "finalWeights": [numbers(np.array(w).ravel()) for w in network.get_weights()],
            }
        )
    write("updated-trainings", {"x": numbers(x), "y": y.tolist(), "cases": rows})


optimizers()
matrices()
schedules()
penalties()
initializers()
trainings()
