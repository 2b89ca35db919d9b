"""Makes kernels-test/golden/events.tfevents and events.json: event files as TensorFlow's own writer makes them.

pip install tensorflow-cpu tensorboard, then: python kernels-test/golden/make/make-events.py
Summaries come from tf.summary; wall times are replaced by fixed ones, and TFRecordWriter frames the records again.
"""

import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

golden = Path(__file__).resolve().parent.parent
rng = np.random.default_rng(7)

SCALARS = [
    ("epoch_loss", 0, 2.302585),
    ("epoch_loss", 1, 0.1),
    ("epoch_accuracy", 127, 1.0),
    ("batch_loss", 128, -3.4e38),
    ("batch_loss", 300000, 0.0),
    ("evaluation_größe_vs_iterations", 2**40, 1e-40),
    ("nan", 5, float("nan")),
    ("infinite", 6, float("-inf")),
]
HISTOGRAMS = [
    ("dense/kernel/histogram", 0, rng.normal(0, 1, 200), 30),
    ("same/histogram", 3, np.full(7, -0.25), 30),
    ("one/histogram", 300, np.array([4.0]), 5),
    ("edges/histogram", 2, np.array([0, 1, 2, 3, 4, 5, 5]), 5),
]


def texts(values):
    """JSON has no NaN and no infinities."""
    return [float(v) if np.isfinite(v) else str(v).replace("inf", "Infinity").replace("nan", "NaN") for v in values]


cases = []
with tempfile.TemporaryDirectory() as folder:
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default():
        for tag, step, value in SCALARS:
            tf.summary.scalar(tag, value, step=step)
            cases.append({"tag": tag, "step": step, "scalar": texts([value])[0]})
        for tag, step, values, buckets in HISTOGRAMS:
            values = np.asarray(values, "float32")
            tf.summary.histogram(tag, values, step=step, buckets=buckets)
            cases.append({"tag": tag, "step": step, "histogram": texts(values), "buckets": buckets})
    writer.close()
    (file,) = Path(folder).iterdir()
    events = [tf.compat.v1.Event.FromString(r.numpy()) for r in tf.data.TFRecordDataset(str(file))]

times = [1700000000 + 0.125 * k for k in range(len(events))]
with tf.io.TFRecordWriter(str(golden / "events.tfevents")) as out:
    for event, time in zip(events, times):
        event.wall_time = time
        out.write(event.SerializeToString(deterministic=True))
document = {
    "from": f"TensorFlow {tf.__version__}",
    "writer": events[0].source_metadata.writer,
    "times": times,
    "events": cases,
}
(golden / "events.json").write_text(json.dumps(document, ensure_ascii=False) + "\n")
