"""T1 to T5 in JAX. Weights are [in, out], images and convolutions have their channels last: fill.channels_last."""

import jax
import jax.numpy as jnp
from jax import lax

import fill
from jax_step import Step, adam, sgd


def cross_entropy(logits, y):
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1)
    return -picked.mean()


def mlp_loss(params, x, y):
    w0, b0, w1, b1, w2, b2 = params
    h = jax.nn.relu(x @ w0 + b0)
    h = jax.nn.relu(h @ w1 + b1)
    return cross_entropy(h @ w2 + b2, y)


def conv(x, w, stride, padding):
    return lax.conv_general_dilated(
        x, w, (stride, stride), ((padding, padding),) * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def halved(x):
    """Maxima over 2 x 2. Quicker than lax.reduce_window, whose gradient is a scatter."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def lenet_loss(params, x, y):
    h = halved(jax.nn.relu(conv(x, params[0], 1, 2) + params[1]))
    h = halved(jax.nn.relu(conv(h, params[2], 1, 0) + params[3])).reshape(x.shape[0], -1)
    h = jax.nn.relu(h @ params[4] + params[5])
    h = jax.nn.relu(h @ params[6] + params[7])
    return cross_entropy(h @ params[8] + params[9], y)


def conv_norm(params, x, stride):
    w, scale, bias = (next(params) for _ in range(3))
    y = conv(x, w, stride, w.shape[0] // 2)
    mean = y.mean((0, 1, 2))
    variance = jnp.square(y).mean((0, 1, 2)) - jnp.square(mean)
    factor = scale * lax.rsqrt(variance + 1e-5)
    return y * factor + (bias - mean * factor)


def resnet_loss(params, x, y):
    params = iter(params)
    large = x.shape[1] == fill.RESNET_LARGE[1]
    h = jax.nn.relu(conv_norm(params, x, 2 if large else 1))
    if large:
        window, padding = (1, 3, 3, 1), ((0, 0), (1, 1), (1, 1), (0, 0))
        h = lax.reduce_window(h, -jnp.inf, lax.max, window, (1, 2, 2, 1), padding)
    for stage in range(4):
        for index in range(2):
            stride = 2 if stage and not index else 1
            g = jax.nn.relu(conv_norm(params, h, stride))
            g = conv_norm(params, g, 1)
            h = jax.nn.relu(g + (conv_norm(params, h, stride) if stride > 1 else h))
    return cross_entropy(h.mean((1, 2)) @ next(params) + next(params), y)


def layer_norm(x, scale, bias):
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + bias


def gpt_loss(dtype):
    """Products in `dtype`, as by torch's autocast; norms and the loss in f32."""

    def linear(x, w, b):
        return x.astype(dtype) @ w.astype(dtype) + b.astype(dtype)

    def attention(x, qkv, qkv_bias, out, out_bias):
        heads = (fill.GPT_BATCH, fill.GPT_LENGTH, fill.GPT_HEADS, -1)
        parts = jnp.split(linear(x, qkv, qkv_bias), 3, axis=2)
        q, k, v = (part.reshape(heads) for part in parts)
        y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        return linear(y.reshape(x.shape), out, out_bias)

    def loss(params, x, y):
        table, positions, *blocks, scale, bias = params
        h = table[x] + positions
        for i in range(0, len(blocks), 12):
            p = blocks[i : i + 12]
            h = h + attention(layer_norm(h, p[0], p[1]), *p[2:6])
            g = jax.nn.gelu(linear(layer_norm(h, p[6], p[7]), p[8], p[9]), approximate=False)
            h = h + linear(g, p[10], p[11])
        logits = layer_norm(h, scale, bias).astype(dtype) @ table.astype(dtype).T
        return cross_entropy(logits.reshape(-1, fill.GPT_VOCABULARY).astype(jnp.float32), y)

    return loss


def gpt_params():
    table, positions, *rest = fill.gpt_params()
    return [table, positions, *map(fill.channels_last, rest)]


def lstm_layer(x, w, r, bias):
    """y [T, B, H] of x [T, B, H]; gates in the order i f c o."""
    state = jnp.zeros(x.shape[1:])

    def step(carry, gates):
        h, c = carry
        i, f, g, o = jnp.split(gates + h @ r, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return lax.scan(step, (state, state), x @ w + bias[0] + bias[1])[1]


def lstm_loss(params, x, target):
    for layer in range(fill.LSTM_LAYERS):
        x = lstm_layer(x, *params[3 * layer : 3 * layer + 3])
    return jnp.square(x - target).mean()


def lstm_params():
    return [p if p.shape[0] == 2 else p.T for p in fill.lstm_params()]


def mlp(optimizer):
    return Step(optimizer, fill.mlp_params_last, fill.mlp_batches, fill.CHECK_STEPS, short=True)


def resnet(size):
    params = lambda: [fill.channels_last(p) for p in fill.resnet_params(*size)]
    batches = lambda: [(x.transpose(0, 2, 3, 1), y) for x, y in fill.resnet_batches(*size)]
    return Step(sgd(resnet_loss, fill.RESNET_RATE), params, batches, fill.RESNET_CHECK_STEPS)


def gpt(dtype):
    update = adam(gpt_loss(dtype), fill.GPT_RATE, fill.GPT_DECAY)
    return Step(update, gpt_params, fill.gpt_batches, fill.GPT_CHECK_STEPS)


net_cases = {
    "T1/sgd": mlp(sgd(mlp_loss, fill.SGD_RATE)),
    "T1/adam": mlp(adam(mlp_loss, fill.ADAM_RATE)),
    "T2": Step(
        sgd(lenet_loss, fill.SGD_RATE), fill.lenet_params_last, fill.lenet_batches_last,
        fill.CHECK_STEPS, short=True,
    ),
    "T3": resnet(fill.RESNET_SMALL),
    "T3/224": resnet(fill.RESNET_LARGE),
    "T4": gpt(jnp.float32),
    "T4-bf16": gpt(jnp.bfloat16),
    "T5": Step(sgd(lstm_loss, fill.LSTM_RATE), lstm_params, lambda: [fill.lstm_data()], fill.LSTM_CHECK_STEPS),
}  # fmt: skip
