"""JAX as a peer: whole training steps, chains of ops and products under jax.jit."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jax
import jax.numpy as jnp
import numpy as np

import fill
from jax_nets import net_cases
from serve import Case, serve, timed


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
        **net_cases,
        **{name: Elementwise(size) for name, size in fill.ELEMENTWISE.items()},
        **{
            f"{row}/{'-'.join(map(str, shape))}": Matmul(row, shape)
            for row in ("G1", "G2", "G3")
            for shape in fill.PRODUCTS
        },
    },
)
