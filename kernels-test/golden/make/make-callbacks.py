"""Makes kernels-test/golden/nn/callbacks.json: what Keras' callbacks decide on given sequences of monitored values.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-callbacks.py
Each case drives one callback by itself, with a model that only remembers what it is told.
"""

import json
import os
import tempfile
from itertools import product
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402

folder = Path(__file__).resolve().parent.parent / "nn"
rng = np.random.default_rng(11)
SNAKE = {
    "minDelta": "min_delta",
    "restoreBestWeights": "restore_best_weights",
    "startFromEpoch": "start_from_epoch",
    "minLr": "min_lr",
    "initialValueThreshold": "initial_value_threshold",
}


class FakeModel:
    """Weights are the number of the epoch after which they were read."""

    def __init__(self, rate=0.1):
        self.optimizer = keras.optimizers.SGD(rate)
        self.stop_training = False
        self.epoch = 0
        self.restored = None
        self.saved = []

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.restored = weights

    def save_weights(self, path, overwrite=True):
        self.saved.append(self.epoch)


def sequence(length):
    """A falling curve with noise in two decimals, so that minDelta and ties matter."""
    curve = np.exp(-np.arange(length) / 6) + rng.normal(0, 0.12, length)
    return [float(value) for value in np.round(curve, 2)]


def drive(callback, model, values):
    """Runs epochs until the model is stopped. Returns how many there were and the rate after each."""
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    epochs = 0
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
        epochs += 1
        if model.stop_training:
            break
    callback.on_train_end()
    return epochs, rates


def keras_options(config):
    return {SNAKE.get(name, name): value for name, value in config.items()}


def signed(values, mode):
    return [-value for value in values] if mode == "max" else values


def early_stopping():
    rows = []
    for patience, delta, baseline, start, mode in product((0, 1, 3), (0, 0.1), (None, 0.5), (0, 4), ("auto", "max")):
        config = {"patience": patience, "minDelta": delta, "startFromEpoch": start, "mode": mode}
        if baseline is not None:
            config["baseline"] = -baseline if mode == "max" else baseline
        config["restoreBestWeights"] = True
        values = signed(sequence(16), mode)
        model = FakeModel()
        epochs, _ = drive(callback := keras.callbacks.EarlyStopping(**keras_options(config)), model, values)
        stopped = callback.stopped_epoch if model.stop_training else None
        rows.append(
            {
                "name": "earlyStopping",
                "config": config,
                "values": values,
                "epochs": epochs,
                "stoppedEpoch": stopped,
                "bestEpoch": callback.best_epoch,
                "restoredEpoch": model.restored,
            }
        )
    return rows


def plateau():
    rows = []
    for patience, delta, cooldown, low, mode in product((0, 1, 2), (1e-4, 0.1), (0, 2), (0, 0.03), ("min", "max")):
        config = {"factor": 0.5, "patience": patience, "minDelta": delta, "cooldown": cooldown}
        config |= {"minLr": low, "mode": mode}
        values = signed(sequence(14), mode)
        _, rates = drive(keras.callbacks.ReduceLROnPlateau(**keras_options(config)), FakeModel(0.2), values)
        row = {"name": "reduceLROnPlateau", "config": config, "start": 0.2, "values": values}
        rows.append({**row, "rates": [float(f"{rate:.7g}") for rate in rates]})
    return rows


def checkpoint():
    rows = []
    for threshold, mode in product((None, 0.4), ("auto", "max")):
        values = signed(sequence(12), mode)
        config = {"saveBestOnly": True, "mode": mode}
        if threshold is not None:
            config["initialValueThreshold"] = -threshold if mode == "max" else threshold
        model = FakeModel()
        with tempfile.TemporaryDirectory() as directory:
            callback = keras.callbacks.ModelCheckpoint(
                f"{directory}/best.weights.h5",
                save_weights_only=True,
                save_best_only=True,
                mode=mode,
                initial_value_threshold=config.get("initialValueThreshold"),
            )
            drive(callback, model, values)
        rows.append({"name": "modelCheckpoint", "config": config, "values": values, "savedEpochs": model.saved})
    return rows


def scheduler():
    _, rates = drive(
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 3 else rate * 0.8),
        FakeModel(0.2),
        [1.0] * 8,
    )
    config = {"holdEpochs": 3, "factor": 0.8}
    return [{"name": "learningRateScheduler", "config": config, "start": 0.2, "rates": [float(f"{r:.7g}") for r in rates]}]


cases = [*early_stopping(), *plateau(), *checkpoint(), *scheduler()]
(folder / "callbacks.json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
print(len(cases), "cases")
