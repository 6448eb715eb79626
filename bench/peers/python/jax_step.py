"""A training step in JAX: forward, gradients and update in one function whose state is donated."""

import jax
import jax.numpy as jnp
import numpy as np

import fill
from serve import Case, timed


def sgd(loss, rate):
    def step(state, x, y):
        (params,) = state
        value, grads = jax.value_and_grad(loss)(params, x, y)
        return ([p - rate * g for p, g in zip(params, grads)],), value

    return step, 0


def adam(loss, rate, decay=0.0):
    """Adam; with decay AdamW."""

    def step(state, x, y):
        params, first, second, count = state
        value, grads = jax.value_and_grad(loss)(params, x, y)
        count = count + 1
        first = [0.9 * m + 0.1 * g for m, g in zip(first, grads)]
        second = [0.999 * v + 0.001 * g * g for v, g in zip(second, grads)]
        scale1 = 1 / (1 - 0.9**count)
        scale2 = 1 / (1 - 0.999**count)
        params = [
            p * (1 - rate * decay) - rate * (m * scale1) / (jnp.sqrt(v * scale2) + 1e-8)
            for p, m, v in zip(params, first, second)
        ]
        return (params, first, second, count), value

    return step, 2


class Step(Case):
    """`optimizer` is sgd(...) or adam(...); params() and batches() give NumPy. A `short` step runs from the same weights each time and
    shows the losses of fill.curve_points."""

    def __init__(self, optimizer, params, batches, check_steps, short=False):
        step, self.moments = optimizer
        self.function = jax.jit(step, donate_argnums=0)
        self.make_params, self.make_batches = params, batches
        self.check_steps, self.short = check_steps, short
        self.batches = None

    def prepare(self):
        if self.batches is None:
            self.batches = [
                (jnp.asarray(x), jnp.asarray(y.astype(np.int32) if y.dtype == np.int64 else y))
                for x, y in self.make_batches()
            ]
            self.start = self.make_params()
            self.reset()
            jax.block_until_ready(self.step())

    def reset(self):
        params = [jnp.array(p) for p in self.start]
        self.state = (params,)
        if self.moments:
            zeros = [[jnp.zeros_like(p) for p in params] for _ in range(self.moments)]
            self.state = (params, *zeros, jnp.float32(0))
        self.turn = 0

    def step(self):
        x, y = self.batches[self.turn % len(self.batches)]
        self.turn += 1
        self.state, loss = self.function(self.state, x, y)
        return loss

    def run(self, count):
        self.prepare()
        if self.short:
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
        losses = [float(self.step()) for _ in range(self.check_steps)]
        size = sum(float(np.abs(np.asarray(p, np.float64)).sum()) for p in self.state[0])
        return (fill.curve_points(losses) if self.short else losses) + [size]
