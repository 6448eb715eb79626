"""The inputs of the bench cases in NumPy, bit for bit those of bench/common/fill.h."""

import numpy as np

BATCH, BATCHES, CLASSES, CHECK_STEPS = 64, 8, 10, 20
DIMS = (784, 256, 128, 10)
SGD_RATE, ADAM_RATE = 0.05, 0.001


def hashed(seed, n):
    def u64(value):
        return np.uint64(value & 0xFFFFFFFFFFFFFFFF)

    index = np.arange(1, n + 1, dtype=np.uint64)
    z = u64(seed * 0xD1342543DE82EF95) + index * u64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> u64(30))) * u64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> u64(27))) * u64(0x94D049BB133111EB)
    return z ^ (z >> u64(31))


def filled(dims, seed, scale):
    """f32 array with reproducible values, uniform in +-scale/2."""
    n = int(np.prod(dims))
    unit = (hashed(seed, n) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    return ((unit - np.float32(0.5)) * np.float32(scale)).reshape(dims)


def classes(n, seed, count):
    return ((hashed(seed, n) >> np.uint64(33)) % np.uint64(count)).astype(np.int64)


def mlp_params():
    """[w0, b0, w1, b1, w2, b2], each weight [out, in]."""
    params = []
    for layer, (fan_in, fan_out) in enumerate(zip(DIMS, DIMS[1:])):
        scale = np.float32(2.0 / np.sqrt(fan_in))
        params.append(filled((fan_out, fan_in), 100 + 2 * layer, scale))
        params.append(filled((fan_out,), 101 + 2 * layer, scale))
    return params


def mlp_batches():
    """[(x f32[64, 784], y i64[64])]."""
    return [
        (filled((BATCH, DIMS[0]), 200 + i, 2), classes(BATCH, 300 + i, CLASSES))
        for i in range(BATCHES)
    ]


def curve_points(losses):
    """The losses that every side reports: steps 1, 6, 11, 16 and the last."""
    return [loss for i, loss in enumerate(losses, 1) if i % 5 == 1 or i == len(losses)]
