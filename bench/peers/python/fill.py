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


LENET_SIDE = 28
LENET_DIMS = ((6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84))


def lenet_params():
    """Weight and bias of each layer."""
    params = []
    for layer, dims in enumerate(LENET_DIMS):
        scale = np.float32(2.0 / np.sqrt(np.prod(dims[1:])))
        params.append(filled(dims, 100 + 2 * layer, scale))
        params.append(filled(dims[:1], 101 + 2 * layer, scale))
    return params


def channels_last(param):
    """A weight [out, in] as [in, out], that of a convolution [out, in, h, w] as [h, w, in, out]."""
    if param.ndim == 4:
        return np.ascontiguousarray(param.transpose(2, 3, 1, 0))
    return np.ascontiguousarray(param.T)


def mlp_params_last():
    return [channels_last(param) for param in mlp_params()]


def lenet_params_last():
    """lenet_params() for a net whose images have their channels last: the first layer after them counts so too."""
    params = lenet_params()
    params[4] = params[4].reshape(120, 16, 5, 5).transpose(0, 2, 3, 1).reshape(120, 400)
    return [channels_last(param) for param in params]


def lenet_batches_last():
    return [(x.reshape(-1, LENET_SIDE, LENET_SIDE, 1), y) for x, y in mlp_batches()]


# m, n and k.
PRODUCTS = (
    (128, 384, 384), (128, 1536, 384), (512, 2304, 768), (512, 3072, 768), (512, 768, 3072),
    (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048),
)  # fmt: skip


# Channels in and out, kernel, stride and side of x: bench_convs in bench/common/fill.h.
CONVS = (
    (3, 64, 7, 2, 224), (64, 64, 3, 1, 56), (64, 128, 3, 2, 56), (64, 128, 1, 2, 56),
    (128, 128, 3, 1, 28), (128, 256, 3, 2, 28), (128, 256, 1, 2, 28), (256, 256, 3, 1, 14),
    (256, 512, 3, 2, 14), (256, 512, 1, 2, 14), (512, 512, 3, 1, 7),
)  # fmt: skip


def product_inputs(m, n, k):
    return [filled((m, k), 1, 2), filled((k, n), 2, 2)]


HEADS, HEAD_WIDTH, ATTENTION_DK = 12, 64, 2


def attention_inputs(batch, length):
    """[q, k, v, g], each f32[batch, 12, length, 64]."""
    dims = (batch, HEADS, length, HEAD_WIDTH)
    return [filled(dims, seed, scale) for seed, scale in ((1, 4), (2, 4), (3, 4), (4, 2))]


def mlp_batches():
    """[(x f32[64, 784], y i64[64])]."""
    return [
        (filled((BATCH, DIMS[0]), 200 + i, 2), classes(BATCH, 300 + i, CLASSES))
        for i in range(BATCHES)
    ]


LSTM_LAYERS, LSTM_STEPS, LSTM_BATCH, LSTM_WIDTH, LSTM_CHECK_STEPS = 2, 64, 16, 256, 6
LSTM_RATE = 1.0


def chain_inputs():
    """Inputs of the chain of ten ops: see bench/tenon/dispatch.c."""
    return [filled((16,), seed, 2) for seed in (11, 12)]


def sum_points(loss, grads):
    """What a side shows of a loss and its gradients, numpy arrays."""
    sums = [float(f(np.asarray(g, np.float64)).sum()) for g in grads for f in (np.positive, np.abs)]
    return [float(loss), *sums]


def lstm_params():
    """[w, r, bias [2, rows]] of each layer; gates in the order i f c o, which is torch's."""
    rows, params = 4 * LSTM_WIDTH, []

    def reordered(array):
        i, o, f, c = np.split(array, 4, axis=-1 if array.shape[-1] == rows else 0)
        return np.concatenate([i, f, c, o], axis=-1 if array.shape[-1] == rows else 0)

    for layer in range(LSTM_LAYERS):
        seed = 400 + 3 * layer
        params.append(reordered(filled((rows, LSTM_WIDTH), seed, 0.125)))
        params.append(reordered(filled((rows, LSTM_WIDTH), seed + 1, 0.125)))
        params.append(reordered(filled((2, rows), seed + 2, 0.125)))
    return params


def lstm_data():
    """x and the target of y."""
    dims = (LSTM_STEPS, LSTM_BATCH, LSTM_WIDTH)
    return filled(dims, 420, 2), filled(dims, 421, 1)


def elementwise_inputs(size):
    """Inputs of the chain of ten elementwise ops: see bench/tenon/elementwise.c."""
    return [filled((size,), seed, 2) for seed in (11, 12)]


ELEMENTWISE = {"E1/64K": 1 << 16, "E1/1M": 1 << 20, "E1/16M": 1 << 24}

GPT_LAYERS, GPT_WIDTH, GPT_HEADS, GPT_VOCABULARY = 6, 384, 6, 8192
GPT_BATCH, GPT_LENGTH, GPT_BATCHES, GPT_CHECK_STEPS = 4, 256, 4, 6
GPT_RATE, GPT_DECAY = 1e-3, 1e-2


def gpt_params():
    """In the order of bench/common/fill.h."""
    params, width = [], GPT_WIDTH

    def matrix(rows, columns):
        params.append(filled((rows, columns), 500 + len(params), 0.0625))

    def norm():
        params.extend([np.ones(width, np.float32), np.zeros(width, np.float32)])

    def layer(rows, columns):
        matrix(rows, columns)
        params.append(np.zeros(rows, np.float32))

    matrix(GPT_VOCABULARY, width)
    matrix(GPT_LENGTH, width)
    for _ in range(GPT_LAYERS):
        norm()
        layer(3 * width, width)
        layer(width, width)
        norm()
        layer(4 * width, width)
        layer(width, 4 * width)
    norm()
    return params


def gpt_batches():
    """[(tokens i64[4, 256], the next of each i64[4 * 256])]."""
    count = GPT_BATCH * (GPT_LENGTH + 1)
    rows = [
        classes(count, 600 + i, GPT_VOCABULARY).reshape(GPT_BATCH, GPT_LENGTH + 1)
        for i in range(GPT_BATCHES)
    ]
    return [(t[:, :-1].copy(), t[:, 1:].reshape(-1).copy()) for t in rows]


RESNET_BATCHES, RESNET_RATE, RESNET_CHECK_STEPS = 4, 0.001, 4
RESNET_SMALL, RESNET_LARGE = (32, 32, 3), (8, 224, 7)  # batch, side, kernel of the first convolution


def resnet_params(batch, side, stem):
    """In the order of bench/common/fill.h."""
    params, width = [], 64

    def conv(inputs, outputs, kernel):
        params.append(filled((outputs, inputs, kernel, kernel), 700 + len(params), 0.0625))
        params.extend([np.ones(outputs, np.float32), np.zeros(outputs, np.float32)])

    conv(3, width, stem)
    for stage in range(4):
        for _ in range(2):
            outputs = 64 << stage
            conv(width, outputs, 3)
            conv(outputs, outputs, 3)
            if width != outputs:
                conv(width, outputs, 1)
            width = outputs
    params.append(filled((CLASSES, width), 700 + len(params), 0.0625))
    params.append(np.zeros(CLASSES, np.float32))
    return params


def resnet_batches(batch, side, stem):
    """[(x f32[batch, 3, side, side], y i64[batch])]."""
    dims = (batch, 3, side, side)
    return [
        (filled(dims, 800 + i, 2), classes(batch, 900 + i, CLASSES))
        for i in range(RESNET_BATCHES)
    ]


def curve_points(losses):
    """The losses that every side reports: steps 1, 6, 11, 16 and the last."""
    return [loss for i, loss in enumerate(losses, 1) if i % 5 == 1 or i == len(losses)]
