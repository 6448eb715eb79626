"""torch.compile as a peer: forward, backward and update of the MLP in one compiled function."""

import torch
import torch.nn.functional as F

import fill
from serve import THREADS, Case, serve, timed

torch.set_num_threads(THREADS)


def forward_loss(params, x, y):
    w0, b0, w1, b1, w2, b2 = params
    h = F.relu(F.linear(x, w0, b0))
    h = F.relu(F.linear(h, w1, b1))
    return F.cross_entropy(F.linear(h, w2, b2), y)


gradients = torch.func.grad_and_value(forward_loss)


def sgd_step(params, x, y):
    grads, loss = gradients(params, x, y)
    for p, g in zip(params, grads):
        p.sub_(g, alpha=fill.SGD_RATE)
    return loss


def adam_step(params, first, second, step, x, y):
    """The update of torch.optim.Adam; `step` is a tensor, so that no step recompiles."""
    grads, loss = gradients(params, x, y)
    step.add_(1)
    correction1 = 1 - 0.9**step
    correction2 = torch.sqrt(1 - 0.999**step)
    for p, g, m, v in zip(params, grads, first, second):
        m.lerp_(g, 0.1)
        v.mul_(0.999).addcmul_(g, g, value=0.001)
        p.sub_(fill.ADAM_RATE / correction1 * m / (v.sqrt() / correction2 + 1e-8))
    return loss


class Mlp(Case):
    def __init__(self, adam, compiled):
        self.adam = adam
        self.compiled = compiled
        self.function = adam_step if adam else sgd_step
        self.step = None

    def prepare(self):
        if self.step is None:
            if self.compiled:
                self.function = torch.compile(self.function, fullgraph=True, dynamic=False)
            self.reset()
            for _ in range(3):
                self.step()

    def reset(self):
        self.params = [torch.from_numpy(array) for array in fill.mlp_params()]
        state = ()
        if self.adam:
            first = [torch.zeros_like(p) for p in self.params]
            second = [torch.zeros_like(p) for p in self.params]
            state = (first, second, torch.zeros(()))
        batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in fill.mlp_batches()]
        turn = iter(range(1 << 62))

        @torch.no_grad()
        def step():
            x, y = batches[next(turn) % fill.BATCHES]
            return self.function(self.params, *state, x, y)

        self.step = step

    def run(self, count):
        self.prepare()
        self.reset()
        for _ in range(3):
            self.step()
        return timed(count, self.step)

    def check(self):
        self.prepare()
        self.reset()
        losses = [self.step().item() for _ in range(fill.CHECK_STEPS)]
        size = sum(p.double().abs().sum().item() for p in self.params)
        return fill.curve_points(losses) + [size]


serve(
    f"torch {torch.__version__} from Python, {torch.get_num_threads()} threads",
    {
        "T1/sgd": Mlp(adam=False, compiled=True),
        "T1/adam": Mlp(adam=True, compiled=True),
    },
)
