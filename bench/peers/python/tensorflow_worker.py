"""TensorFlow as a peer: whole training steps, chains of ops, products and convolutions under tf.function, as a graph and compiled by XLA."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import tensorflow as tf

import fill
from serve import THREADS, Case, serve, timed

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(1)

wait = tf.test.experimental.sync_devices


def cross_entropy(logits, y):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    return tf.reduce_mean(losses)


def mlp_loss(params, x, y):
    w0, b0, w1, b1, w2, b2 = params
    h = tf.nn.relu(x @ w0 + b0)
    h = tf.nn.relu(h @ w1 + b1)
    return cross_entropy(h @ w2 + b2, y)


def lenet_loss(params, x, y):
    h = tf.nn.relu(tf.nn.conv2d(x, params[0], 1, [[0, 0], [2, 2], [2, 2], [0, 0]]) + params[1])
    h = tf.nn.max_pool2d(h, 2, 2, "VALID")
    h = tf.nn.relu(tf.nn.conv2d(h, params[2], 1, "VALID") + params[3])
    h = tf.reshape(tf.nn.max_pool2d(h, 2, 2, "VALID"), (x.shape[0], -1))
    h = tf.nn.relu(h @ params[4] + params[5])
    h = tf.nn.relu(h @ params[6] + params[7])
    return cross_entropy(h @ params[8] + params[9], y)


def sgd_update(params, grads, moments, count):
    for p, g in zip(params, grads):
        p.assign_sub(fill.SGD_RATE * g)


def adam_update(params, grads, moments, count):
    count.assign_add(1.0)
    scale1 = 1 / (1 - 0.9**count)
    scale2 = 1 / (1 - 0.999**count)
    for p, g, m, v in zip(params, grads, *moments):
        m.assign(0.9 * m + 0.1 * g)
        v.assign(0.999 * v + 0.001 * g * g)
        p.assign_sub(fill.ADAM_RATE * (m * scale1) / (tf.sqrt(v * scale2) + 1e-8))


class Net(Case):
    """A step from the same weights each time, which variables hold and the step updates in place."""

    def __init__(self, loss, update, params, batches, xla):
        self.loss, self.update, self.xla = loss, update, xla
        self.make_params, self.make_batches = params, batches
        self.function = None

    def prepare(self):
        if self.function is None:
            self.batches = [(tf.constant(x), tf.constant(y)) for x, y in self.make_batches()]
            self.start = self.make_params()
            self.params = [tf.Variable(p) for p in self.start]
            moments = [[tf.Variable(tf.zeros_like(p)) for p in self.params] for _ in range(2)]
            self.state = [v for moment in moments for v in moment] + [tf.Variable(0.0)]

            @tf.function(jit_compile=self.xla)
            def step(x, y):
                with tf.GradientTape() as tape:
                    loss = self.loss(self.params, x, y)
                grads = tape.gradient(loss, self.params)
                self.update(self.params, grads, moments, self.state[-1])
                return loss

            self.function = step
            self.reset()
            for _ in range(3):
                self.step()

    def reset(self):
        for variable, value in zip(self.params, self.start):
            variable.assign(value)
        for variable in self.state:
            variable.assign(tf.zeros_like(variable))
        self.turn = 0

    def step(self):
        x, y = self.batches[self.turn % fill.BATCHES]
        self.turn += 1
        return self.function(x, y)

    def run(self, count):
        self.prepare()
        self.reset()
        for _ in range(3):
            self.step()
        return timed_calls(count, self.step)

    def check(self):
        self.prepare()
        self.reset()
        losses = [float(self.step()) for _ in range(fill.CHECK_STEPS)]
        return fill.curve_points(losses) + [sum(sizes(p)[1] for p in self.params)]


def timed_calls(count, call):
    wait()

    def all_calls():
        for _ in range(count):
            call()
        wait()

    return timed(1, all_calls)


def sizes(t):
    y = tf.cast(t, tf.float64)
    return [float(tf.reduce_sum(y)), float(tf.reduce_sum(tf.abs(y)))]


class Call(Case):
    """One function of tensors; `xla` None calls it without tf.function."""

    def __init__(self, body, inputs, xla):
        self.function = body if xla is None else tf.function(body, jit_compile=xla)
        self.make_inputs, self.inputs = inputs, None

    def prepare(self):
        if self.inputs is None:
            self.inputs = self.make_inputs()
            for _ in range(3):
                self.function(*self.inputs)

    def run(self, count):
        self.prepare()
        return timed_calls(count, lambda: self.function(*self.inputs))

    def check(self):
        self.prepare()
        results = self.function(*self.inputs)
        results = results if isinstance(results, (list, tuple)) else [results]
        return [value for result in results for value in sizes(result)]


def elementwise(a, b):
    t = a * b
    v = tf.tanh(t + a)
    p = tf.abs(v * b - a) * t + v
    return tf.maximum(p, b) * p


def elementwise_case(size, xla):
    return Call(elementwise, lambda: [tf.constant(x) for x in fill.elementwise_inputs(size)], xla)


def matmul_case(row, shape, xla):
    dtype = tf.bfloat16 if row == "G3" else tf.float32
    inputs = lambda: [tf.cast(tf.constant(x), dtype) for x in fill.product_inputs(*shape)]
    return Call(tf.matmul, inputs, xla or None)


def conv_inputs(batch):
    """x of each convolution, then w of each."""
    xs, ws = [], []
    for index, (i, o, kernel, _, side) in enumerate(fill.CONVS):
        x = fill.filled((batch, i, side, side), 10 * index, 2).transpose(0, 2, 3, 1)
        w = fill.channels_last(fill.filled((o, i, kernel, kernel), 10 * index + 1, 0.25))
        xs.append(tf.constant(x))
        ws.append(tf.constant(w))
    return [xs, ws]


def convolutions(xs, ws):
    results = []
    for x, w, (_, _, kernel, stride, _) in zip(xs, ws, fill.CONVS):
        edge = [kernel // 2] * 2
        results.append(tf.nn.conv2d(x, w, stride, [[0, 0], edge, edge, [0, 0]]))
    return results


def cases(xla):
    nets = {
        "T1/sgd": (mlp_loss, sgd_update, fill.mlp_params_last, fill.mlp_batches),
        "T1/adam": (mlp_loss, adam_update, fill.mlp_params_last, fill.mlp_batches),
        "T2": (lenet_loss, sgd_update, fill.lenet_params_last, fill.lenet_batches_last),
    }
    found = {name: Net(*net, xla) for name, net in nets.items()}
    found |= {name: elementwise_case(size, xla) for name, size in fill.ELEMENTWISE.items()}
    for row in ("G1", "G3"):
        for shape in fill.PRODUCTS:
            found[f"{row}/{'-'.join(map(str, shape))}"] = matmul_case(row, shape, xla)
    for batch in (1, 16):
        found[f"C1/forward-{batch}-0"] = Call(convolutions, lambda b=batch: conv_inputs(b), xla)
    return {name + ("-xla" if xla else ""): case for name, case in found.items()}


serve(f"TensorFlow {tf.__version__}, {THREADS} threads", {**cases(False), **cases(True)})
