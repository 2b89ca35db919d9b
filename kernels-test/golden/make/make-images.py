"""Small images as TensorFlow encodes, decodes and resizes them, for the tests of src/data/images.ts and resize.ts.

Run: python kernels-test/golden/make/make-images.py   (needs tensorflow; writes kernels-test/golden/images.json)
"""

import base64
import json
import pathlib

import numpy as np
import tensorflow as tf

OUT = pathlib.Path(__file__).parent.parent / "images.json"

rng = np.random.default_rng(1)
noise = rng.integers(0, 256, size=(5, 7, 3), dtype=np.uint8)
rows, columns = np.mgrid[0:16, 0:24]
smooth = np.stack([rows * 12, columns * 9, 255 - rows * 6 - columns * 4], axis=-1).astype(np.uint8)


def text(data):
    return base64.b64encode(data.numpy()).decode()


def resized(image, size):
    values = tf.image.resize(image, size, method="bilinear", antialias=True).numpy()
    return {"size": size, "values": [round(float(v), 3) for v in values.ravel()]}


jpeg = tf.io.encode_jpeg(smooth, quality=95, chroma_downsampling=False)
golden = {
    "noise": noise.ravel().tolist(),
    "png": text(tf.io.encode_png(noise)),
    "greyPng": text(tf.io.encode_png(noise[:, :, :1])),
    "rgbaPng": text(tf.io.encode_png(np.concatenate([noise, noise[:, :, :1]], axis=-1))),
    "jpeg": text(jpeg),
    "jpegPixels": tf.io.decode_jpeg(jpeg, dct_method="INTEGER_ACCURATE").numpy().ravel().tolist(),
    "resized": [resized(noise, size) for size in ([3, 3], [5, 4], [9, 10], [1, 1], [2, 14])],
    "grey": [round(float(v), 3) for v in tf.image.rgb_to_grayscale(noise.astype(np.float32)).numpy().ravel()],
}
OUT.write_text(json.dumps(golden) + "\n")
