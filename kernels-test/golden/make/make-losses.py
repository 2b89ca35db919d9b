"""Makes kernels-test/golden/nn/losses-more.json and metrics-more.json: what Keras 3 computes for losses and metrics.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-losses.py
Losses: values per example, their mean, the mean with weights, and the gradient of that mean at the predictions.
Metrics: results after each of several updates of unequal size, without and with weights. Names are downhill's.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

folder = Path(__file__).resolve().parent.parent / "nn"
rng = np.random.default_rng(11)


def numbers(array):
    """Nested lists of decimals with seven digits."""
    array = np.asarray(array)
    return float(f"{float(array):.7g}") if array.ndim == 0 else [numbers(row) for row in array]


def write(name, rows):
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def short(array):
    """Inputs in f32 with few decimals, so that the file holds them exactly."""
    return np.round(np.asarray(array), 3).astype(np.float32)


def normal(*shape, scale=1.0):
    return short(rng.standard_normal(shape) * scale)


def uniform(*shape, low=0.05, high=0.95):
    return short(rng.uniform(low, high, shape))


def rows_of_probabilities(*shape):
    x = np.exp(rng.standard_normal(shape))
    return short(x / x.sum(-1, keepdims=True))


def one_hot(count, classes):
    return np.eye(classes, dtype=np.float32)[rng.integers(0, classes, count)]


def losses():
    L = keras.losses
    y, p = normal(4, 3), normal(4, 3)
    far = normal(4, 3, scale=3)
    positive, counts = uniform(4, 3, low=0.2, high=3), rng.integers(0, 5, (4, 3)).astype(np.float32)
    bits, unit, scores = rng.integers(0, 2, (4, 3)).astype(np.float32), uniform(4, 3), normal(4, 3, scale=2)
    signs = 2 * bits - 1
    hot, probabilities, logits = one_hot(4, 3), rows_of_probabilities(4, 3), normal(4, 3, scale=2)
    soft = rows_of_probabilities(4, 3)
    ids = rng.integers(0, 3, 4)
    sequence, sequence_logits = rng.integers(0, 3, (4, 3)), normal(4, 3, 3)
    some = np.array([0, -1, 2, 1])
    image_y, image_p = normal(4, 2, 3), normal(4, 2, 3)
    cases = [
        ("meanSquaredError", {}, L.MeanSquaredError, {}, y, p),
        ("meanSquaredError", {}, L.MeanSquaredError, {}, image_y, image_p),
        ("meanAbsoluteError", {}, L.MeanAbsoluteError, {}, y, p),
        ("meanAbsolutePercentageError", {}, L.MeanAbsolutePercentageError, {}, y, p),
        ("meanSquaredLogarithmicError", {}, L.MeanSquaredLogarithmicError, {}, positive, uniform(4, 3, low=0.1, high=4)),
        ("huber", {}, L.Huber, {}, y, far),
        ("huber", {"delta": 0.4}, L.Huber, {"delta": 0.4}, y, far),
        ("logCosh", {}, L.LogCosh, {}, y, far),
        ("cosineSimilarity", {}, L.CosineSimilarity, {}, y, p),
        ("cosineSimilarity", {"axis": 1}, L.CosineSimilarity, {"axis": 1}, image_y, image_p),
        ("binaryCrossentropy", {}, L.BinaryCrossentropy, {}, bits, unit),
        ("binaryCrossentropy", {"labelSmoothing": 0.2}, L.BinaryCrossentropy, {"label_smoothing": 0.2}, bits, unit),
        (
            "binaryCrossentropy",
            {"fromLogits": True, "labelSmoothing": 0.1},
            L.BinaryCrossentropy,
            {"from_logits": True, "label_smoothing": 0.1},
            bits,
            scores,
        ),
        ("categoricalCrossentropy", {}, L.CategoricalCrossentropy, {}, hot, probabilities),
        (
            "categoricalCrossentropy",
            {"labelSmoothing": 0.3},
            L.CategoricalCrossentropy,
            {"label_smoothing": 0.3},
            soft,
            probabilities,
        ),
        (
            "categoricalCrossentropy",
            {"fromLogits": True, "labelSmoothing": 0.1},
            L.CategoricalCrossentropy,
            {"from_logits": True, "label_smoothing": 0.1},
            hot,
            logits,
        ),
        ("sparseCategoricalCrossentropy", {}, L.SparseCategoricalCrossentropy, {}, ids, probabilities),
        (
            "sparseCategoricalCrossentropy",
            {"fromLogits": True},
            L.SparseCategoricalCrossentropy,
            {"from_logits": True},
            sequence,
            sequence_logits,
        ),
        (
            "sparseCategoricalCrossentropy",
            {"fromLogits": True, "ignoreClass": -1},
            L.SparseCategoricalCrossentropy,
            {"from_logits": True, "ignore_class": -1},
            some,
            logits,
        ),
        ("binaryFocalCrossentropy", {}, L.BinaryFocalCrossentropy, {}, bits, unit),
        (
            "binaryFocalCrossentropy",
            {"applyClassBalancing": True, "alpha": 0.7, "gamma": 1.5, "fromLogits": True, "labelSmoothing": 0.1},
            L.BinaryFocalCrossentropy,
            {
                "apply_class_balancing": True,
                "alpha": 0.7,
                "gamma": 1.5,
                "from_logits": True,
                "label_smoothing": 0.1,
            },
            bits,
            scores,
        ),
        ("categoricalFocalCrossentropy", {}, L.CategoricalFocalCrossentropy, {}, hot, probabilities),
        (
            "categoricalFocalCrossentropy",
            {"alpha": 0.6, "gamma": 1, "fromLogits": True, "labelSmoothing": 0.1},
            L.CategoricalFocalCrossentropy,
            {"alpha": 0.6, "gamma": 1.0, "from_logits": True, "label_smoothing": 0.1},
            hot,
            logits,
        ),
        ("hinge", {}, L.Hinge, {}, signs, scores),
        ("hinge", {}, L.Hinge, {}, bits, scores),
        ("squaredHinge", {}, L.SquaredHinge, {}, signs, scores),
        ("categoricalHinge", {}, L.CategoricalHinge, {}, hot, logits),
        ("klDivergence", {}, L.KLDivergence, {}, soft, probabilities),
        ("poisson", {}, L.Poisson, {}, counts, positive),
        *margin_cases(),
        *triplet_cases(),
    ]
    weights = np.array([1, 0, 2.5, 0.5], np.float32)
    out = []
    for name, config, loss, arguments, target, prediction in cases:
        x = tf.Variable(prediction)
        each = np.asarray(loss(reduction=None, **arguments)(target, x))
        # Keras broadcasts weights to the values of a loss from the left only when their ranks are told apart.
        spread = weights.reshape([-1] + [1] * (each.ndim - 1)) * np.ones(each.shape, np.float32)
        with tf.GradientTape(persistent=True) as tape:
            mean = loss(**arguments)(target, x)
            weighted = loss(**arguments)(target, x, sample_weight=spread)
        out.append(
            {
                "name": name,
                "config": config,
                "y": numbers(target),
                "prediction": numbers(prediction),
                "perExample": numbers(each.reshape(len(each), -1).mean(1)),
                "mean": numbers(mean),
                "gradient": numbers(tape.gradient(mean, x)),
                "weights": numbers(weights),
                "weightedMean": numbers(weighted),
                "weightedGradient": numbers(tape.gradient(weighted, x)),
            }
        )
    write("losses-more", out)


class Margin(keras.losses.Loss):
    """The margin loss of capsule networks (Sabour, Frosst, Hinton 2017, equation 4), which Keras has not."""

    def __init__(self, upper=0.9, lower=0.1, weight=0.5, sparse=False, **arguments):
        super().__init__(**arguments)
        self.upper, self.lower, self.weight, self.sparse = upper, lower, weight, sparse

    def call(self, y, v):
        if self.sparse:
            y = tf.one_hot(tf.cast(y, tf.int32), v.shape[-1])
        there = y * tf.nn.relu(self.upper - v) ** 2
        absent = (1 - y) * tf.nn.relu(v - self.lower) ** 2
        return tf.reduce_sum(there + self.weight * absent, -1)


def margin_cases():
    draw = np.random.default_rng(23)
    lengths = short(draw.uniform(0.02, 0.98, (4, 5)))
    ids = draw.integers(0, 5, 4)
    several = draw.integers(0, 2, (4, 5)).astype(np.float32)
    options = {"positiveMargin": 0.8, "negativeMargin": 0.25, "negativeWeight": 0.7}
    arguments = {"upper": 0.8, "lower": 0.25, "weight": 0.7}
    return [
        ("categoricalMargin", {}, Margin, {}, np.eye(5, dtype=np.float32)[ids], lengths),
        ("categoricalMargin", options, Margin, arguments, several, lengths),
        ("sparseCategoricalMargin", {}, Margin, {"sparse": True}, ids, lengths),
        ("sparseCategoricalMargin", options, Margin, {**arguments, "sparse": True}, ids, lengths),
    ]


class TripletHard(keras.losses.Loss):
    """The batch-hard triplet loss (Hermans, Beyer, Leibe 2017, equation 5), which Keras has not."""

    def __init__(self, margin=1.0, soft=False, **arguments):
        super().__init__(**arguments)
        self.margin, self.soft = margin, soft

    def call(self, y, x):
        y = tf.reshape(tf.cast(y, tf.int32), [-1])
        values = []
        for anchor in range(x.shape[0]):
            distance = [tf.norm(x[anchor] - x[other]) for other in range(x.shape[0]) if other != anchor]
            same = [bool(y[anchor] == y[other]) for other in range(x.shape[0]) if other != anchor]
            positive = tf.reduce_max([d for d, own in zip(distance, same) if own])
            negative = tf.reduce_min([d for d, own in zip(distance, same) if not own])
            gap = positive - negative
            values.append(tf.math.softplus(gap) if self.soft else tf.nn.relu(self.margin + gap))
        return tf.stack(values)


def triplet_cases():
    draw = np.random.default_rng(29)
    embeddings = short(draw.normal(0, 0.6, (4, 3)))
    ids = np.array([7, 2, 2, 7])
    return [
        ("tripletHard", {}, TripletHard, {}, ids, embeddings),
        ("tripletHard", {"margin": 0.2}, TripletHard, {"margin": 0.2}, ids, embeddings),
        ("tripletHard", {"soft": True}, TripletHard, {"soft": True}, ids, embeddings),
    ]


def metrics():
    M = keras.metrics
    sizes = [5, 3, 7]
    total = sum(sizes)
    hot, probabilities = one_hot(total, 4), rows_of_probabilities(total, 4)
    ids = hot.argmax(-1)
    bits = rng.integers(0, 2, (total, 1)).astype(np.float32)
    unit = short(np.clip(0.5 * bits + rng.uniform(0, 0.55, (total, 1)), 0.001, 0.999))
    many, many_unit = rng.integers(0, 2, (total, 3)).astype(np.float32), uniform(total, 3)
    scores = normal(total, 1, scale=2)
    y = normal(total, 2)
    p = short(y + normal(total, 2, scale=0.5))
    cases = [
        ("binaryAccuracy", {}, M.BinaryAccuracy, {}, many, many_unit),
        ("binaryAccuracy", {"threshold": 0.3}, M.BinaryAccuracy, {"threshold": 0.3}, bits, unit),
        ("categoricalAccuracy", {}, M.CategoricalAccuracy, {}, hot, probabilities),
        ("sparseCategoricalAccuracy", {}, M.SparseCategoricalAccuracy, {}, ids, probabilities),
        ("topKCategoricalAccuracy", {"k": 2}, M.TopKCategoricalAccuracy, {"k": 2}, hot, probabilities),
        ("sparseTopKCategoricalAccuracy", {"k": 2}, M.SparseTopKCategoricalAccuracy, {"k": 2}, ids, probabilities),
        ("precision", {}, M.Precision, {}, bits, unit),
        ("precision", {"thresholds": 0.7}, M.Precision, {"thresholds": 0.7}, many, many_unit),
        ("precision", {"topK": 2}, M.Precision, {"top_k": 2}, hot, probabilities),
        ("precision", {"topK": 2, "classId": 1}, M.Precision, {"top_k": 2, "class_id": 1}, hot, probabilities),
        ("recall", {}, M.Recall, {}, bits, unit),
        ("recall", {"thresholds": 0.3, "classId": 2}, M.Recall, {"thresholds": 0.3, "class_id": 2}, many, many_unit),
        ("recall", {"topK": 2}, M.Recall, {"top_k": 2}, hot, probabilities),
        ("f1Score", {}, M.F1Score, {}, hot, probabilities),
        ("f1Score", {"average": "macro"}, M.F1Score, {"average": "macro"}, hot, probabilities),
        ("f1Score", {"average": "micro", "threshold": 0.4}, M.F1Score, {"average": "micro", "threshold": 0.4}, many, many_unit),
        ("f1Score", {"average": "weighted"}, M.F1Score, {"average": "weighted"}, hot, probabilities),
        ("auc", {}, M.AUC, {}, bits, unit),
        ("auc", {"numThresholds": 11}, M.AUC, {"num_thresholds": 11}, many, many_unit),
        ("auc", {"curve": "PR"}, M.AUC, {"curve": "PR"}, bits, unit),
        (
            "auc",
            {"curve": "PR", "summationMethod": "minoring", "numThresholds": 20},
            M.AUC,
            {"curve": "PR", "summation_method": "minoring", "num_thresholds": 20},
            many,
            many_unit,
        ),
        (
            "auc",
            {"summationMethod": "majoring", "fromLogits": True, "numThresholds": 30},
            M.AUC,
            {"summation_method": "majoring", "from_logits": True, "num_thresholds": 30},
            bits,
            scores,
        ),
        ("meanSquaredError", {}, M.MeanSquaredError, {}, y, p),
        ("rootMeanSquaredError", {}, M.RootMeanSquaredError, {}, y, p),
        ("meanAbsoluteError", {}, M.MeanAbsoluteError, {}, y, p),
        ("meanAbsolutePercentageError", {}, M.MeanAbsolutePercentageError, {}, y, p),
        ("meanSquaredLogarithmicError", {}, M.MeanSquaredLogarithmicError, {}, np.abs(y), np.abs(p)),
        ("r2Score", {}, M.R2Score, {}, y, p),
        (
            "r2Score",
            {"classAggregation": "varianceWeightedAverage"},
            M.R2Score,
            {"class_aggregation": "variance_weighted_average"},
            y,
            p,
        ),
        ("cosineSimilarity", {}, M.CosineSimilarity, {}, y, p),
        ("logCosh", {}, M.LogCoshError, {}, y, p),
        ("poisson", {}, M.Poisson, {}, bits, unit),
        ("klDivergence", {}, M.KLDivergence, {}, rows_of_probabilities(total, 4), probabilities),
        ("hinge", {}, M.Hinge, {}, 2 * bits - 1, scores),
        ("squaredHinge", {}, M.SquaredHinge, {}, 2 * bits - 1, scores),
        ("categoricalHinge", {}, M.CategoricalHinge, {}, hot, probabilities),
        ("binaryCrossentropy", {}, M.BinaryCrossentropy, {}, bits, unit),
        ("categoricalCrossentropy", {}, M.CategoricalCrossentropy, {}, hot, probabilities),
        ("sparseCategoricalCrossentropy", {}, M.SparseCategoricalCrossentropy, {}, ids, probabilities),
    ]
    weights = short(rng.choice([0, 0.5, 1, 2], total))
    out = []
    for name, config, metric, arguments, target, prediction in cases:
        results = {}
        for kind, sample_weight in [("results", None), ("weightedResults", weights)]:
            state = metric(**arguments)
            results[kind] = []
            start = 0
            for size in sizes:
                part = slice(start, start + size)
                start += size
                state.update_state(
                    target[part], prediction[part], None if sample_weight is None else sample_weight[part]
                )
                results[kind].append(numbers(np.mean(state.result())))
        out.append(
            {"name": name, "config": config, "y": numbers(target), "prediction": numbers(prediction), **results}
        )
    matrix = {}
    for kind, w in [("matrix", None), ("weightedMatrix", weights)]:
        matrix[kind] = numbers(
            tf.math.confusion_matrix(ids, probabilities.argmax(-1), 4, weights=w, dtype=tf.float32)
        )
    head = json.dumps({"sizes": sizes, "weights": numbers(weights)}, separators=(",", ":"))[:-1]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in out)
    (folder / "metrics-more.json").write_text(f'{head},"cases":[\n{lines}\n]}}\n')
    write(
        "confusion-matrix",
        [{"name": "confusionMatrix", "config": {}, "y": numbers(ids), "prediction": numbers(probabilities), **matrix}],
    )


losses()
metrics()
