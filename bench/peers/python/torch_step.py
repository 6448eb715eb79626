"""A training step in torch, compiled and eager."""

import torch

from serve import Case, timed


def compiled(function):
    """Compiled for one size, with all compiled before forgotten: else the cases of a row count as recompilations of one function, whose number
    is limited and which each call has to tell apart."""
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, dynamic=False)


class Step(Case):
    """kind: "eager", "gradients" the same with its gradients compiled, "whole" all in one function. A net brings
    loss(tensors, x, y), gradients, whole_step(tensors, *moments, count, x, y), params() and batches() in NumPy, optimizer()."""

    moments = 0  # lists of zeros that whole_step takes
    layout = torch.contiguous_format  # of what has four axes

    def __init__(self, kind):
        self.kind = kind
        self.step = None

    def prepare(self):
        if self.step is None:
            if self.kind != "eager":
                function = self.whole_step if self.kind == "whole" else self.gradients
                self.function = torch.compile(function, fullgraph=True, dynamic=False)
            self.reset()
            for _ in range(3):
                self.step()

    def tensor(self, array):
        t = torch.from_numpy(array)
        return t.to(memory_format=self.layout) if t.dim() == 4 else t

    def reset(self):
        self.tensors = [self.tensor(array) for array in self.params()]
        batches = [(self.tensor(x), torch.from_numpy(y)) for x, y in self.batches()]
        turn = iter(range(1 << 62))
        step = self.whole() if self.kind == "whole" else self.apart()
        self.step = lambda: step(*batches[next(turn) % len(batches)])

    def whole(self):
        state = [[torch.zeros_like(t) for t in self.tensors] for _ in range(self.moments)]
        count = torch.zeros(())

        @torch.no_grad()
        def step(x, y):
            return self.function(self.tensors, *state, count, x, y)

        return step

    def apart(self):
        for t in self.tensors:
            t.requires_grad_(self.kind == "eager")
        optimizer = self.optimizer()

        def step(x, y):
            if self.kind == "eager":
                optimizer.zero_grad(set_to_none=True)
                loss = self.loss(self.tensors, x, y)
                loss.backward()
            else:
                with torch.no_grad():
                    grads, loss = self.function(self.tensors, x, y)
                for t, g in zip(self.tensors, grads):
                    t.grad = g
            optimizer.step()
            return loss

        return step

    def run(self, count):
        self.prepare()
        return timed(count, self.step)

    def check(self):
        self.prepare()
        self.reset()
        losses = [self.step().item() for _ in range(self.check_steps)]
        with torch.no_grad():
            return losses + [sum(t.double().abs().sum().item() for t in self.tensors)]


class Growth(Case):
    """A step and all that it needs, over a state in which torch is up and has run its first op."""

    def __init__(self, step):
        self.run, self.check = step.run, step.check

    def prepare(self):
        torch.ones(1) + 1
