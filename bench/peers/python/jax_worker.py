"""JAX as a peer: the whole training step under jax.jit with donated buffers."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jax
import jax.numpy as jnp
import numpy as np

import fill
from serve import Case, serve, timed


def forward_loss(params, x, y):
    """Weights are [in, out] here."""
    w0, b0, w1, b1, w2, b2 = params
    h = jax.nn.relu(x @ w0 + b0)
    h = jax.nn.relu(h @ w1 + b1)
    picked = jnp.take_along_axis(jax.nn.log_softmax(h @ w2 + b2), y[:, None], axis=1)
    return -picked.mean()


def sgd_step(state, x, y):
    (params,) = state
    loss, grads = jax.value_and_grad(forward_loss)(params, x, y)
    return ([p - fill.SGD_RATE * g for p, g in zip(params, grads)],), loss


def adam_step(state, x, y):
    params, first, second, step = state
    loss, grads = jax.value_and_grad(forward_loss)(params, x, y)
    step = step + 1
    first = [0.9 * m + 0.1 * g for m, g in zip(first, grads)]
    second = [0.999 * v + 0.001 * g * g for v, g in zip(second, grads)]
    scale1 = 1 / (1 - 0.9**step)
    scale2 = 1 / (1 - 0.999**step)
    params = [
        p - fill.ADAM_RATE * (m * scale1) / (jnp.sqrt(v * scale2) + 1e-8)
        for p, m, v in zip(params, first, second)
    ]
    return (params, first, second, step), loss


class Mlp(Case):
    def __init__(self, adam):
        self.adam = adam
        self.function = jax.jit(adam_step if adam else sgd_step, donate_argnums=0)
        self.batches = None

    def prepare(self):
        if self.batches is None:
            self.batches = [
                (jnp.asarray(x), jnp.asarray(y.astype(np.int32))) for x, y in fill.mlp_batches()
            ]
            self.reset()
            self.step()

    def reset(self):
        params = [jnp.array(p.T) for p in fill.mlp_params()]
        self.state = (params,)
        if self.adam:
            zeros = lambda: [jnp.zeros_like(p) for p in params]
            self.state = (params, zeros(), zeros(), jnp.float32(0))
        self.turn = 0

    def step(self):
        x, y = self.batches[self.turn % fill.BATCHES]
        self.turn += 1
        self.state, loss = self.function(self.state, x, y)
        return loss

    def run(self, count):
        self.prepare()
        self.reset()
        for _ in range(3):
            self.step()
        jax.block_until_ready(self.state)

        def all_steps():
            for _ in range(count):
                self.step()
            jax.block_until_ready(self.state)

        return timed(1, all_steps)

    def check(self):
        self.prepare()
        self.reset()
        losses = [float(self.step()) for _ in range(fill.CHECK_STEPS)]
        size = sum(float(np.abs(np.asarray(p, np.float64)).sum()) for p in self.state[0])
        return fill.curve_points(losses) + [size]


def chain_loss(a, b):
    t = a * b
    v = jnp.tanh(t + a)
    z = jnp.exp(v * b - a) * t
    p = z + v
    return (p * p).sum()


class Chain(Case):
    """Ten ops and their gradients in one call."""

    def __init__(self):
        self.function = jax.jit(jax.value_and_grad(chain_loss, argnums=(0, 1)))
        self.pair = None

    def prepare(self):
        if self.pair is None:
            self.pair = [jnp.asarray(array) for array in fill.chain_inputs()]
            jax.block_until_ready(self.function(*self.pair))

    def run(self, count):
        self.prepare()

        def all_calls():
            for _ in range(count):
                result = self.function(*self.pair)
            jax.block_until_ready(result)

        return timed(1, all_calls)

    def check(self):
        self.prepare()
        loss, grads = self.function(*self.pair)
        return fill.sum_points(loss, grads)


def elementwise(a, b):
    t = a * b
    v = jnp.tanh(t + a)
    p = jnp.abs(v * b - a) * t + v
    return jnp.maximum(p, b) * p


class Elementwise(Chain):
    def __init__(self, size):
        self.size = size
        self.function = jax.jit(elementwise)
        self.pair = None

    def prepare(self):
        if self.pair is None:
            self.pair = [jnp.asarray(array) for array in fill.elementwise_inputs(self.size)]
            jax.block_until_ready(self.function(*self.pair))

    def check(self):
        self.prepare()
        y = np.asarray(self.function(*self.pair), np.float64)
        return [float(y.sum()), float(np.abs(y).sum())]


class Matmul(Chain):
    def __init__(self, row, shape):
        self.shape = shape
        self.dtype = jnp.bfloat16 if row == "G3" else jnp.float32
        self.function = jax.jit(jnp.matmul)
        self.pair = None

    def prepare(self):
        if self.pair is None:
            self.pair = [jnp.asarray(x, self.dtype) for x in fill.product_inputs(*self.shape)]
            jax.block_until_ready(self.function(*self.pair))

    def check(self):
        self.prepare()
        y = np.asarray(self.function(*self.pair).astype(jnp.float32), np.float64)
        return [float(y.sum()), float(np.abs(y).sum())]


serve(
    f"jax {jax.__version__} jit on the CPU",
    {
        "D5": Chain(),
        "T1/sgd": Mlp(False),
        "T1/adam": Mlp(True),
        **{name: Elementwise(size) for name, size in fill.ELEMENTWISE.items()},
        **{
            f"{row}/{'-'.join(map(str, shape))}": Matmul(row, shape)
            for row in ("G1", "G2", "G3")
            for shape in fill.PRODUCTS
        },
    },
)
