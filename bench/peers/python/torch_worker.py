"""torch from Python as a peer: forward, backward and update of a net in one function, and attention with its gradients, compiled;
an LSTM of torch.nn, eager."""

import torch
import torch.nn.functional as F

import fill
from serve import THREADS, Case, serve, timed
from torch_gpt import gpt_cases
from torch_resnet import resnet_cases
from torch_step import compiled

torch.set_num_threads(THREADS)


def forward_loss(params, x, y):
    w0, b0, w1, b1, w2, b2 = params
    h = F.relu(F.linear(x, w0, b0))
    h = F.relu(F.linear(h, w1, b1))
    return F.cross_entropy(F.linear(h, w2, b2), y)


def lenet_loss(params, x, y):
    h = F.max_pool2d(F.relu(F.conv2d(x, params[0], params[1], padding=2)), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, params[2], params[3])), 2).flatten(1)
    h = F.relu(F.linear(h, params[4], params[5]))
    h = F.relu(F.linear(h, params[6], params[7]))
    return F.cross_entropy(F.linear(h, params[8], params[9]), y)


gradients = torch.func.grad_and_value(forward_loss)
lenet_gradients = torch.func.grad_and_value(lenet_loss)


def sgd_update(params, grads):
    for p, g in zip(params, grads):
        p.sub_(g, alpha=fill.SGD_RATE)


def sgd_step(params, x, y):
    grads, loss = gradients(params, x, y)
    sgd_update(params, grads)
    return loss


def lenet_step(params, x, y):
    grads, loss = lenet_gradients(params, x, y)
    sgd_update(params, grads)
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


class Net(Case):
    def __init__(self, function):
        self.adam = function is adam_step
        self.lenet = function is lenet_step
        self.function = function
        self.step = None

    def prepare(self):
        if self.step is None:
            self.function = compiled(self.function)
            self.reset()
            for _ in range(3):
                self.step()

    def reset(self):
        arrays = fill.lenet_params() if self.lenet else fill.mlp_params()
        self.params = [torch.from_numpy(array) for array in arrays]
        state = ()
        if self.adam:
            first = [torch.zeros_like(p) for p in self.params]
            second = [torch.zeros_like(p) for p in self.params]
            state = (first, second, torch.zeros(()))
        batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in fill.mlp_batches()]
        if self.lenet:
            image = (-1, 1, fill.LENET_SIDE, fill.LENET_SIDE)
            batches = [(x.view(image), y) for x, y in batches]
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


def attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


class Attention(Case):
    def __init__(self, batch, length, backward):
        self.shape = (batch, length)
        self.backward = backward
        self.function = None

    def prepare(self):
        if self.function is None:
            tensors = [torch.from_numpy(array) for array in fill.attention_inputs(*self.shape)]
            self.qkv, self.g = tensors[:3], tensors[3]
            for t in self.qkv:
                t.requires_grad_(self.backward)
            self.function = compiled(attention)
            for _ in range(3):
                self.call()

    def call(self):
        """y, and with backward the gradients after it."""
        if not self.backward:
            with torch.inference_mode():
                return (self.function(*self.qkv),)
        y = self.function(*self.qkv)
        return (y, *torch.autograd.grad(y, self.qkv, self.g))

    def run(self, count):
        self.prepare()
        return timed(count, self.call)

    def check(self):
        self.prepare()
        sums = []
        for index, t in enumerate(self.call()):
            d = t.detach().double()
            size = d.abs().sum().item()
            sums += [size if index == fill.ATTENTION_DK else d.sum().item(), size]
        return sums


attention_cases = {
    f"A1/{'both' if backward else 'forward'}-{batch}-{length}": Attention(batch, length, backward)
    for batch in (1, 8)
    for length in (128, 512, 1024)
    for backward in (False, True)
}

class Lstm(Case):
    """torch.nn.LSTM with torch.optim.SGD, which has torch's own fused kernels for the layers."""

    def reset(self):
        self.net = torch.nn.LSTM(fill.LSTM_WIDTH, fill.LSTM_WIDTH, fill.LSTM_LAYERS)
        params = fill.lstm_params()
        with torch.no_grad():
            for layer in range(fill.LSTM_LAYERS):
                w, r, bias = params[3 * layer : 3 * layer + 3]
                values = {"weight_ih": w, "weight_hh": r, "bias_ih": bias[0], "bias_hh": bias[1]}
                for name, value in values.items():
                    getattr(self.net, f"{name}_l{layer}").copy_(torch.from_numpy(value))
        optimizer = torch.optim.SGD(self.net.parameters(), lr=fill.LSTM_RATE, foreach=True)
        x, target = (torch.from_numpy(array) for array in fill.lstm_data())

        def step():
            loss = F.mse_loss(self.net(x)[0], target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss

        self.step = step

    def run(self, count):
        self.reset()
        for _ in range(3):
            self.step()
        return timed(count, self.step)

    def check(self):
        self.reset()
        losses = [self.step().item() for _ in range(fill.LSTM_CHECK_STEPS)]
        with torch.no_grad():
            return losses + [sum(p.double().abs().sum().item() for p in self.net.parameters())]


def chain_loss(a, b):
    t = a * b
    v = torch.tanh(t + a)
    z = torch.exp(v * b - a) * t
    p = z + v
    return (p * p).sum()


class Chain(Case):
    """Ten ops and their gradients in one call."""

    def __init__(self):
        self.function = None

    def prepare(self):
        if self.function is None:
            self.pair = [torch.from_numpy(array) for array in fill.chain_inputs()]
            both = torch.func.grad_and_value(chain_loss, argnums=(0, 1))
            function = compiled(both)
            self.function = torch.no_grad()(lambda: function(*self.pair))
            for _ in range(3):
                self.function()

    def run(self, count):
        self.prepare()
        with torch.no_grad():
            return timed(count, self.function)

    def check(self):
        self.prepare()
        grads, loss = self.function()
        return fill.sum_points(loss, [g.numpy() for g in grads])


def elementwise(a, b):
    t = a * b
    v = torch.tanh(t + a)
    p = torch.abs(v * b - a) * t + v
    return torch.maximum(p, b) * p


class Elementwise(Case):
    def __init__(self, size):
        self.size = size
        self.function = None

    def prepare(self):
        if self.function is None:
            self.pair = [torch.from_numpy(array) for array in fill.elementwise_inputs(self.size)]
            self.function = compiled(elementwise)
            for _ in range(3):
                self.call()

    def call(self):
        with torch.inference_mode():
            return self.function(*self.pair)

    def run(self, count):
        self.prepare()
        with torch.inference_mode():
            return timed(count, lambda: self.function(*self.pair))

    def check(self):
        self.prepare()
        y = self.call().double()
        return [y.sum().item(), y.abs().sum().item()]


class Matmul(Case):
    """[m, k] by [k, n], eager; B row-major or as the transpose of what is."""

    def __init__(self, row, shape, transposed):
        self.row, self.shape, self.transposed = row, shape, transposed

    def pair(self):
        m, n, k = self.shape
        a, b = (torch.from_numpy(x) for x in fill.product_inputs(m, n, k))
        if self.row == "G3":
            a, b = a.bfloat16(), b.bfloat16()
        torch.set_float32_matmul_precision("high" if self.row == "G2" else "highest")
        return a, b.t().contiguous().t() if self.transposed else b

    def run(self, count):
        a, b = self.pair()
        with torch.inference_mode():
            return timed(count, lambda: a @ b)

    def check(self):
        a, b = self.pair()
        y = (a @ b).double()
        return [y.sum().item(), y.abs().sum().item()]


matmul_cases = {
    f"{row}/{'-'.join(map(str, shape))}{'-transposed' if transposed else ''}": Matmul(
        row, shape, transposed
    )
    for row in ("G1", "G2", "G3")
    for shape in fill.PRODUCTS
    for transposed in (False, True)
}


serve(
    f"torch {torch.__version__} from Python, {torch.get_num_threads()} threads",
    {
        "D5": Chain(),
        "T1/sgd": Net(sgd_step),
        "T1/adam": Net(adam_step),
        "T2": Net(lenet_step),
        "T5": Lstm(),
        **gpt_cases,
        **resnet_cases,
        **{name: Elementwise(size) for name, size in fill.ELEMENTWISE.items()},
        **attention_cases,
        **matmul_cases,
    },
)
