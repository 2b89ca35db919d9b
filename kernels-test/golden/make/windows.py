"""Golden values of convolution and pooling from JAX: kernels-test/golden/ops/{conv2d,pool2d}.jsonl, one case a line.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install jax
    /tmp/oracle/bin/python kernels-test/golden/make/windows.py

Inputs are small whole numbers, so convolutions and maxima are exact and have ties, and the files stay small.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)
OUT = Path(__file__).parent.parent / "ops"

# images [N,H,W,C], kernel [KH,KW,C,F], strides, padding, dilation
CONVOLUTIONS = [
    ([1, 4, 5, 2], [3, 2, 2, 2], (1, 1), "valid", (1, 1)),
    ([2, 5, 4, 1], [3, 3, 1, 2], (1, 1), "same", (1, 1)),
    ([1, 5, 6, 1], [2, 4, 1, 2], (1, 1), "same", (1, 1)),
    ([1, 6, 7, 2], [3, 3, 2, 1], (2, 2), "valid", (1, 1)),
    ([1, 6, 7, 1], [3, 3, 1, 2], (2, 2), "same", (1, 1)),
    ([1, 7, 6, 1], [5, 2, 1, 2], (3, 2), "same", (1, 1)),
    ([1, 5, 5, 1], [1, 1, 1, 3], (2, 1), "same", (1, 1)),
    ([1, 6, 7, 1], [3, 2, 1, 2], (1, 1), "valid", (2, 2)),
    ([1, 5, 6, 2], [3, 3, 2, 1], (1, 1), "same", (2, 2)),
    ([1, 5, 6, 1], [2, 3, 1, 2], (1, 1), "same", (3, 1)),
    ([1, 2, 3, 1], [5, 5, 1, 1], (1, 1), "same", (1, 1)),
    ([1, 5, 5, 1], [2, 2, 1, 1], (3, 3), "valid", (1, 1)),
]

# images [N,H,W,C], window, strides, padding
POOLINGS = [
    ([2, 4, 6, 1], (2, 2), (2, 2), "valid"),
    ([1, 5, 7, 2], (2, 2), (2, 2), "valid"),
    ([1, 5, 7, 2], (2, 2), (2, 2), "same"),
    ([1, 6, 5, 2], (3, 3), (2, 2), "valid"),
    ([1, 6, 5, 2], (3, 3), (2, 2), "same"),
    ([1, 5, 5, 1], (3, 3), (1, 1), "same"),
    ([1, 7, 6, 1], (3, 2), (1, 3), "same"),
    ([1, 8, 8, 1], (2, 2), (3, 3), "valid"),
    ([1, 2, 1, 2], (4, 4), (1, 1), "same"),
]

random = np.random.default_rng(20)


def draw(shape):
    return jnp.asarray(random.integers(-4, 5, shape), jnp.float64)


def numbers(array):
    return [int(v) if v == int(v) else round(float(v), 9) for v in np.asarray(array).ravel()]


def convolution(x_shape, kernel_shape, strides, padding, dilation):
    def conv(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, strides, padding.upper(), rhs_dilation=dilation, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    x, kernel = draw(x_shape), draw(kernel_shape)
    y, pull = jax.vjp(conv, x, kernel)
    dy = draw(y.shape)
    dx, dk = pull(dy)
    return {
        "strides": strides, "padding": padding, "dilation": dilation,
        "xShape": x_shape, "kernelShape": kernel_shape, "yShape": y.shape,
        "x": numbers(x), "kernel": numbers(kernel), "dy": numbers(dy),
        "y": numbers(y), "dx": numbers(dx), "dk": numbers(dk),
    }  # fmt: skip


def pooling(x_shape, pool_size, strides, padding):
    window, steps = (1, *pool_size, 1), (1, *strides, 1)

    def maximum(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, window, steps, padding.upper())

    def average(x):
        total = lax.reduce_window(x, 0.0, lax.add, window, steps, padding.upper())
        return total / lax.reduce_window(jnp.ones_like(x), 0.0, lax.add, window, steps, padding.upper())

    x = draw(x_shape)
    top, pull_top = jax.vjp(maximum, x)
    mean, pull_mean = jax.vjp(average, x)
    dy = draw(top.shape)
    return {
        "poolSize": pool_size, "strides": strides, "padding": padding,
        "xShape": x_shape, "yShape": top.shape, "x": numbers(x), "dy": numbers(dy),
        "max": numbers(top), "maxGrad": numbers(pull_top(dy)[0]),
        "average": numbers(mean), "averageGrad": numbers(pull_mean(dy)[0]),
    }  # fmt: skip


def write(name, cases):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_text("".join(json.dumps(case, separators=(",", ":")) + "\n" for case in cases))


write("conv2d.jsonl", [convolution(*case) for case in CONVOLUTIONS])
write("pool2d.jsonl", [pooling(*case) for case in POOLINGS])
