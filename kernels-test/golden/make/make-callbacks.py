"""Makes kernels-test/golden/nn/callbacks.json: what Keras' callbacks decide on given sequences of monitored values.

pip install "keras>=3" tensorflow-cpu, then: python kernels-test/golden/make/make-callbacks.py
Most cases drive one callback by itself, with a model that only remembers what it is told; hooks and backups need a real
training, of one dense layer.
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


def step_checkpoint():
    """saveFreq: n counts steps through the epochs."""
    rows = []
    for frequency, steps, epochs in ((2, 4, 2), (3, 4, 3), (5, 3, 4), (7, 4, 2), (1, 1, 3)):
        with tempfile.TemporaryDirectory() as directory:
            model = FakeModel()
            model.save_weights = lambda path, overwrite=True, model=model: model.saved.append(Path(path).name.split(".")[0])
            callback = keras.callbacks.ModelCheckpoint(
                directory + "/{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=frequency
            )
            callback.set_model(model)
            callback.on_train_begin()
            for epoch in range(epochs):
                callback.on_epoch_begin(epoch)
                for batch in range(steps):
                    callback.on_train_batch_begin(batch)
                    callback.on_train_batch_end(batch, {"loss": 1.0})
                callback.on_epoch_end(epoch, {"loss": 1.0})
            callback.on_train_end()
        rows.append(
            {"name": "modelCheckpoint", "config": {"saveFreq": frequency}, "steps": steps, "epochs": epochs, "saved": model.saved}
        )
    return rows


def text(value):
    return value if np.isfinite(value) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]


def terminate():
    rows = []
    for losses in (
        [1.0, 2.0, np.nan, 3.0],
        [np.inf, 1.0],
        [3.0, -np.inf, np.nan],
        [1e30, -1e30, 0.0],
        [0.5, 0.4, 0.3, 0.2, np.nan],
    ):
        callback, model = keras.callbacks.TerminateOnNaN(), FakeModel()
        callback.set_model(model)
        stopped = None
        for batch, loss in enumerate(losses):
            callback.on_train_batch_end(batch, {"loss": loss})
            if model.stop_training:
                stopped = batch
                break
        rows.append({"name": "terminateOnNaN", "config": {}, "losses": [text(v) for v in losses], "stoppedBatch": stopped})
    return rows


def csv_log():
    rows = []
    values = [float(f"{v:.4g}") for v in rng.normal(1, 0.3, 16)]
    logs = [dict(zip(["loss", "accuracy", "val_loss", "val_accuracy"], values[4 * k : 4 * k + 4])) for k in range(4)]
    logs[1]["val_loss"] = float("nan")
    for separator in (",", ";"):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/log.csv"
            for append, part in ((False, logs[:2]), (True, logs[2:])):
                callback = keras.callbacks.CSVLogger(path, separator=separator, append=append)
                callback.set_model(FakeModel())
                callback.on_train_begin()
                for k, values in enumerate(part):
                    callback.on_epoch_end(k + (2 if append else 0), values)
                callback.on_train_end()
            found = Path(path).read_text()
        plain = [{name: text(v) for name, v in row.items()} for row in logs]
        rows.append({"name": "csvLogger", "config": {"separator": separator}, "logs": plain, "text": found})
    return rows


def training(callbacks, epochs, **options):
    """Fits one dense layer: 5 examples, batches of 2."""
    x = np.arange(10, dtype=np.float32).reshape(5, 2) / 10
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
    return model.fit(x, x[:, :1], batch_size=2, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks, **options)


def hooks():
    calls = []

    def note(name):
        return lambda number=None, logs=None: calls.append([name] if not isinstance(number, int) else [name, number])

    names = {"onTrainBegin": "on_train_begin", "onEpochBegin": "on_epoch_begin", "onBatchBegin": "on_train_batch_begin"}
    names |= {"onBatchEnd": "on_train_batch_end", "onEpochEnd": "on_epoch_end", "onTrainEnd": "on_train_end"}
    given = {keras_name: note(name) for name, keras_name in names.items()}
    training([keras.callbacks.LambdaCallback(**given)], 3, initial_epoch=1)
    return [{"name": "lambdaCallback", "config": {}, "initialEpoch": 1, "epochs": 3, "calls": calls}]


def backup():
    """A training cut off before epoch `cut`, and the one that goes on. Losses are those of the epochs that it runs."""
    rows = []
    for cut in (0, 1, 3):
        class Cut(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == cut:
                    raise RuntimeError("cut")

        with tempfile.TemporaryDirectory() as directory:
            try:
                training([keras.callbacks.BackupAndRestore(directory), Cut()], 5)
            except RuntimeError:
                pass
            history = training([keras.callbacks.BackupAndRestore(directory)], 5)
        losses = [float(f"{v:.7g}") for v in history.history["loss"]]
        rows.append({"name": "backupAndRestore", "config": {}, "cut": cut, "epoch": history.epoch, "losses": losses})
    return rows


cases = [*early_stopping(), *plateau(), *checkpoint(), *scheduler()]
cases += [*step_checkpoint(), *terminate(), *csv_log(), *hooks(), *backup()]
(folder / "callbacks.json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
print(len(cases), "cases")
