"""Layers, losses, quantised ops."""

import math

import torch
import torch.nn.functional as F

from entry import LOSS_REDUCTIONS, Entry

T = torch
CONVS, TRANSPOSED = (F.conv1d, F.conv2d, F.conv3d), (
    F.conv_transpose1d,
    F.conv_transpose2d,
    F.conv_transpose3d,
)
MAX_POOLS, AVERAGE_POOLS = (F.max_pool1d, F.max_pool2d, F.max_pool3d), (
    F.avg_pool1d,
    F.avg_pool2d,
    F.avg_pool3d,
)
SPACE = (7, 6, 5)  # sizes of spatial axes


def conv(x, w, stride=(), low=(), high=(), lhs_dilation=(), rhs_dilation=(), groups=1):
    n = x.dim() - 2
    stride, low, high, gaps, dilation = (
        list(v) or [fill] * n
        for v, fill in ((stride, 1), (low, 0), (high, 0), (lhs_dilation, 1), (rhs_dilation, 1))
    )
    for a, gap in enumerate(gaps):
        dims = list(x.shape)
        dims[a + 2] = (dims[a + 2] - 1) * gap + 1
        x = T.zeros(dims, dtype=x.dtype).index_copy(a + 2, T.arange(0, dims[a + 2], gap), x)
    x = F.pad(x, [p for pair in reversed(list(zip(low, high))) for p in pair])
    return CONVS[n - 1](x, w, None, stride, 0, dilation, groups)


def layer(functions, rank):
    def run(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1, output_padding=None):
        if output_padding is not None:
            return functions[rank - 1](x, w, bias, stride, padding, output_padding, groups, dilation)
        return functions[rank - 1](x, w, bias, stride, padding, dilation, groups)

    return run


def conv_entries():
    for rank in (1, 2, 3):
        kernel, more = (3, 2, 3)[:rank], SPACE[:rank]

        def cases(d, kernel=kernel, more=more, rank=rank):
            return [
                ([d.normal(2, 4, *more), d.normal(6, 4, *kernel), d.normal(6)], {}),
                (
                    [d.normal(2, 4, *more), d.normal(6, 2, *kernel)],
                    {"stride": [2] * rank, "padding": [1] * rank, "groups": 2},
                ),
                (
                    [d.normal(1, 4, *more), d.normal(4, 4, *kernel), d.normal(4)],
                    {"padding": [2] * rank, "dilation": [2] * rank},
                ),
            ]

        def turned(d, kernel=kernel, more=more, rank=rank):
            return [
                (
                    [d.normal(2, 4, *more), d.normal(4, 3, *kernel), d.normal(3)],
                    {"output_padding": [0] * rank},
                ),
                (
                    [d.normal(2, 4, *more), d.normal(4, 3, *kernel), d.normal(6)],
                    {"stride": [2] * rank, "padding": [1] * rank, "output_padding": [1] * rank, "groups": 2},
                ),
                (
                    [d.normal(2, 4, *more), d.normal(4, 3, *kernel)],
                    {"dilation": [2] * rank, "output_padding": [0] * rank},
                ),
            ]

        yield Entry(f"conv{rank}d", layer(CONVS, rank), cases, tolerance=8)
        yield Entry(f"conv_transpose{rank}d", layer(TRANSPOSED, rank), turned, tolerance=8)


def pool_entries():
    for rank in (1, 2, 3):

        def most(x, window, stride=(), padding=0, rank=rank):
            return MAX_POOLS[rank - 1](x, window, list(stride) or None, padding)

        def middle(x, window, stride=(), padding=0, count_padding=1, rank=rank):
            return AVERAGE_POOLS[rank - 1](
                x, window, list(stride) or None, padding, count_include_pad=bool(count_padding)
            )

        def cases(d, rank=rank):
            return [
                ([d.distinct(2, 3, *SPACE[:rank])], {"window": [2] * rank}),
                (
                    [d.distinct(2, 3, *SPACE[:rank])],
                    {"window": [3] * rank, "stride": [2] * rank, "padding": [1] * rank},
                ),
            ]

        def counted(d, cases=cases, rank=rank):
            return cases(d) + [
                (
                    [d.normal(2, 3, *SPACE[:rank])],
                    {"window": [3] * rank, "padding": [1] * rank, "count_padding": 0},
                )
            ]

        def parts(d, rank=rank):
            return [([d.distinct(2, 3, *(6, 4, 8)[:rank])], {"output_size": [3, 2, 4][:rank]})]

        yield Entry(f"max_pool{rank}d", most, cases)
        yield Entry(f"avg_pool{rank}d", middle, counted)
        for kind in ("avg", "max"):
            function = getattr(F, f"adaptive_{kind}_pool{rank}d")
            yield Entry(
                f"adaptive_{kind}_pool{rank}d",
                lambda x, output_size, function=function: function(x, output_size),
                parts,
            )


def window_reduce(x, window, stride=(), low=(), high=(), dilation=(), mode="max"):
    n = x.dim()
    stride, low, high, dilation = (
        list(v) or [fill] * n for v, fill in ((stride, 1), (low, 0), (high, 0), (dilation, 1))
    )
    fill = {"max": -math.inf, "min": math.inf, "sum": 0}[mode]
    x = F.pad(x, [p for pair in reversed(list(zip(low, high))) for p in pair], value=fill)
    for a in range(n):
        count = (x.shape[a] - (window[a] - 1) * dilation[a] - 1) // stride[a] + 1
        places = T.arange(count)[:, None] * stride[a] + T.arange(window[a]) * dilation[a]
        x = T.movedim(T.movedim(x, a, 0)[places], (0, 1), (a, -1))
    axes = list(range(n, 2 * n))
    return {"max": T.amax, "min": T.amin, "sum": T.sum}[mode](x, axes)


def window_scatter(x, g, **attrs):
    x = x.detach().clone().requires_grad_()
    y = window_reduce(x, **attrs)
    return T.autograd.grad(y, x, g, create_graph=False)[0]


def batch_norm_train(x, scale, bias, epsilon=1e-5):
    axes = [a for a in range(x.dim()) if a != 1]
    y = F.batch_norm(x, None, None, scale, bias, True, 0.1, epsilon)
    return y, T.mean(x, axes), T.var(x, axes, correction=0)


def layer_norm(x, scale=None, bias=None, axes=1, epsilon=1e-5):
    return F.layer_norm(x, x.shape[-axes:], scale, bias, epsilon)


def attention(q, k, v, mask=None, causal=0, scale=0.0):
    return F.scaled_dot_product_attention(
        q, k, v, mask, is_causal=bool(causal), scale=scale or None, enable_gqa=q.shape[-3] != k.shape[-3]
    )


def attention_grad(g, y, q, k, v, mask=None, **attrs):
    parts = [t.detach().requires_grad_() for t in (q, k, v)]
    return T.autograd.grad(attention(*parts, mask, **attrs), parts, g)


def attention_cases(d):
    qkv = [d.normal(2, 4, 5, 8), d.normal(2, 4, 5, 8), d.normal(2, 4, 5, 8)]
    few = [d.normal(2, 4, 5, 8), d.normal(2, 2, 6, 8), d.normal(2, 2, 6, 3)]
    return [
        (qkv, {}),
        (qkv, {"causal": 1}),
        (qkv, {"scale": 0.3}),
        (few, {}),
        (few + [d.normal(5, 6)], {}),
        (few + [T.ones(5, 6).tril().bool()], {}),
    ]


def attention_grad_cases(d):
    return [
        ([d.normal(*attention(*inputs, **attrs).shape), attention(*inputs, **attrs), *inputs], attrs)
        for inputs, attrs in attention_cases(d)
    ]


def rotary(x, positions=None, base=10000.0, interleaved=0):
    s, d = x.shape[-2:]
    positions = T.arange(s) if positions is None else positions
    angle = positions.to(x.dtype)[..., None] * base ** (-2 * T.arange(d // 2).to(x.dtype) / d)
    if interleaved:
        a, b = x[..., ::2], x[..., 1::2]
    else:
        a, b = x[..., : d // 2], x[..., d // 2 :]
    a, b = a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()
    return T.stack((a, b), -1).flatten(-2) if interleaved else T.cat((a, b), -1)


def reordered(w, hidden, order):
    """Gates in torch's order, from ONNX's."""
    return T.cat(
        [
            w[..., k * hidden : (k + 1) * hidden, :] if w.dim() > 2 else w[..., k * hidden : (k + 1) * hidden]
            for k in order
        ],
        -2 if w.dim() > 2 else -1,
    )


def recurrent(kind, order):
    def run(
        x,
        w,
        r,
        bias=None,
        lengths=None,
        h0=None,
        c0=None,
        direction="forward",
        activation="tanh",
        linear_before_reset=1,
    ):
        dirs, hidden = r.shape[0], r.shape[-1]
        batch = x.shape[1]
        w, r = reordered(w, hidden, order), reordered(r, hidden, order)
        gates = len(order)
        flat = []
        for k in range(dirs):
            flat += [w[k], r[k]]
            if bias is not None:
                flat += [
                    reordered(bias[k, : gates * hidden], hidden, order),
                    reordered(bias[k, gates * hidden :], hidden, order),
                ]
        zeros = T.zeros(dirs, batch, hidden, dtype=x.dtype)
        h0 = zeros if h0 is None else h0
        if direction == "reverse":
            x = x.flip(0)
        state = (h0, zeros if c0 is None else c0) if kind == "lstm" else h0
        function = getattr(T, {"lstm": "lstm", "gru": "gru", "rnn": "rnn_" + activation}[kind])
        y, *last = function(x, state, flat, bias is not None, 1, 0.0, False, dirs == 2, False)
        if direction == "reverse":
            y = y.flip(0)
        y = y.reshape(x.shape[0], batch, dirs, hidden).transpose(1, 2)
        return (y, *last)

    def cases(d):
        gates, inputs, hidden = len(order), 3, 4
        more = {"linear_before_reset": 1} if kind == "gru" else {}

        def weights(dirs):
            return [
                d.normal(5, 2, inputs),
                d.normal(dirs, gates * hidden, inputs),
                d.normal(dirs, gates * hidden, hidden),
            ]

        start = [None, d.normal(1, 2, hidden)] + ([d.normal(1, 2, hidden)] if kind == "lstm" else [])
        return [
            (weights(1), more),
            (weights(1) + [d.normal(1, 2 * gates * hidden)], more),
            (weights(1) + [d.normal(1, 2 * gates * hidden)] + start, more),
            (weights(1), more | {"direction": "reverse"}),
            (weights(2), more | {"direction": "bidirectional"}),
        ]

    return Entry(kind, run, cases, tolerance=8)


def resize(
    x,
    dims=(),
    scales=(),
    mode="nearest",
    coordinates="half_pixel",
    nearest="round_prefer_floor",
    cubic_coefficient=-0.75,
    exclude_outside=0,
):
    corners = coordinates == "align_corners"
    if mode == "nearest":
        return F.interpolate(x, dims[2:], mode="nearest")
    kind = {"linear": {3: "linear", 4: "bilinear", 5: "trilinear"}[x.dim()], "cubic": "bicubic"}[mode]
    return F.interpolate(x, dims[2:], mode=kind, align_corners=corners)


def grid_sample(x, grid, mode="bilinear", padding="zeros", align_corners=0):
    return F.grid_sample(x, grid, mode, padding, bool(align_corners))


def quantize(x, scale, zero_point=None, axis=1, dtype="uint8"):
    if scale.dim():
        shape = [1] * x.dim()
        shape[axis] = -1
        scale = scale.reshape(shape)
        zero_point = None if zero_point is None else zero_point.reshape(shape)
    low, high = (0, 255) if dtype == "uint8" else (-128, 127)
    y = T.round(x / scale) + (0 if zero_point is None else zero_point.to(x.dtype))
    return y.clamp(low, high).to(getattr(T, dtype))


def dequantize(x, scale, zero_point=None, axis=1):
    if scale.dim():
        shape = [1] * x.dim()
        shape[axis] = -1
        scale = scale.reshape(shape)
        zero_point = None if zero_point is None else zero_point.reshape(shape)
    return (x.to(scale.dtype) - (0 if zero_point is None else zero_point.to(scale.dtype))) * scale


def centred(x, zero_point):
    return x.double() - (0 if zero_point is None else zero_point.double())


def matmul_integer(a, b, a_zero_point=None, b_zero_point=None):
    return (centred(a, a_zero_point) @ centred(b, b_zero_point)).int()


def conv_integer(x, w, x_zero_point=None, w_zero_point=None, **attrs):
    return conv(centred(x, x_zero_point), centred(w, w_zero_point), **attrs).int()


def requantized(y, scale, zero_point):
    y = T.round(y / scale.double()) + zero_point.double()
    low, high = (0, 255) if zero_point.dtype == T.uint8 else (-128, 127)
    return y.clamp(low, high).to(zero_point.dtype)


def qlinear_matmul(a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero):
    y = (centred(a, a_zero) * a_scale.double()) @ (centred(b, b_zero) * b_scale.double())
    return requantized(y, y_scale, y_zero)


def qlinear_conv(x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias=None, **attrs):
    y = conv(centred(x, x_zero), centred(w, w_zero), **attrs)
    if bias is not None:
        y = y + bias.double().reshape(1, -1, 1, 1)
    return requantized(y * x_scale.double() * w_scale.double(), y_scale, y_zero)


def dynamic_quantize(x):
    low, high = min(x.min(), T.zeros(())), max(x.max(), T.zeros(()))
    scale = ((high - low) / 255).to(x.dtype)
    zero = T.round(-low / scale).clamp(0, 255).to(T.uint8)
    return quantize(x, scale, zero), scale, zero


def byte(d, *shape):
    return d.ints(0, 256, *shape, dtype=T.uint8)


def scalar(d, value, dtype=None):
    return T.tensor(value, dtype=dtype or d.dtype)


def pairs(name, function, draw, attrs=({},), **more):
    """A loss of two inputs under each reduction."""
    return Entry(
        name,
        lambda x, t, reduction="mean", **k: function(x, t, reduction=reduction, **k),
        lambda d: [(draw(d), r | a) for r in LOSS_REDUCTIONS for a in attrs],
        **more,
    )


def cross_entropy(logits, labels, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    return F.cross_entropy(
        logits,
        labels,
        weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def class_cases(log):
    def cases(d):
        labels = d.ints(0, 4, 6)
        draw = (lambda *s: F.log_softmax(d.normal(*s), 1)) if log else d.normal
        return (
            [([draw(6, 4), labels], r) for r in LOSS_REDUCTIONS]
            + [([draw(6, 4), labels, d.between(0.1, 1, 4)], r | {"ignore_index": 2}) for r in LOSS_REDUCTIONS]
            + [([draw(2, 4, 3, 3), d.ints(0, 4, 2, 3, 3)], {})]
            + ([] if log else [([draw(6, 4), labels, d.between(0.1, 1, 4)], {"label_smoothing": 0.2})])
        )

    return cases


def probabilities(logits, p, weight=None, reduction="mean", label_smoothing=0.0):
    return F.cross_entropy(logits, p, weight, reduction=reduction, label_smoothing=label_smoothing)


def log_kl(x, t, reduction="mean", log_target=0):
    return F.kl_div(x, t, reduction=reduction, log_target=bool(log_target))


def cosine_loss(x1, x2, target, reduction="mean", margin=0.0):
    return F.cosine_embedding_loss(x1, x2, target, margin, reduction=reduction)


def ctc_of_one(log_p, labels, blank):
    """The recursion over steps, for the gradient: that of F.ctc_loss is that of a log_softmax as well."""
    symbols = [blank] + [s for label in labels.tolist() for s in (label, blank)]
    ways = [log_p[0, s] if k < 2 else None for k, s in enumerate(symbols)]  # None: no way
    for step in log_p[1:]:
        before, ways = ways, []
        for k, s in enumerate(symbols):
            skips = k > 1 and s != blank and s != symbols[k - 2]
            come = [w for w in before[max(0, k - 1 - skips) : k + 1] if w is not None]
            ways.append(T.logsumexp(T.stack(come), 0) + step[s] if come else None)
    return -T.logsumexp(T.stack([w for w in ways[-2:] if w is not None]), 0)


def ctc(log_p, labels, steps, sizes, reduction="mean", blank=0, zero_infinity=0):
    value = F.ctc_loss(log_p, labels, steps, sizes, blank, reduction, bool(zero_infinity))
    losses = T.stack(
        [ctc_of_one(log_p[: steps[n], n], labels[n, : sizes[n]], blank) for n in range(len(steps))]
    )
    mine = {"none": losses, "sum": losses.sum(), "mean": (losses / sizes).mean()}[reduction]
    return mine + (value - mine).detach()


def ctc_cases(d):
    lengths = [T.tensor([8, 8, 6]), T.tensor([3, 2, 3])]
    return [
        ([F.log_softmax(d.normal(8, 3, 5), -1), d.ints(1, 5, 3, 3), *lengths], r) for r in LOSS_REDUCTIONS
    ]


def signs(d, *shape):
    return d.ints(0, 2, *shape) * 2 - 1


NORMS = [
    Entry(
        "softmax",
        lambda x, axis=-1: T.softmax(x, axis),
        lambda d: [([d.normal(3, 4)], {"axis": a}) for a in (0, -1)],
    ),
    Entry(
        "log_softmax",
        lambda x, axis=-1: T.log_softmax(x, axis),
        lambda d: [([d.normal(3, 4)], {"axis": a}) for a in (0, -1)],
    ),
    Entry(
        "layer_norm",
        layer_norm,
        lambda d: [
            ([d.normal(3, 6)], {}),
            ([d.normal(3, 6), d.normal(6), d.normal(6)], {}),
            ([d.normal(2, 3, 6), d.normal(3, 6)], {"axes": 2, "epsilon": 1e-2}),
        ],
        tolerance=4,
    ),
    Entry(
        "rms_norm",
        lambda x, scale=None, axes=1, epsilon=1e-5: F.rms_norm(x, x.shape[-axes:], scale, epsilon),
        lambda d: [([d.normal(3, 6)], {}), ([d.normal(2, 3, 6), d.normal(3, 6)], {"axes": 2})],
        tolerance=4,
    ),
    Entry(
        "group_norm",
        lambda x, scale=None, bias=None, groups=1, epsilon=1e-5: F.group_norm(
            x, groups, scale, bias, epsilon
        ),
        lambda d: [
            ([d.normal(2, 6, 4)], {"groups": 3}),
            ([d.normal(2, 6, 4, 3), d.normal(6), d.normal(6)], {"groups": 2}),
        ],
        tolerance=4,
    ),
    Entry(
        "instance_norm",
        lambda x, scale=None, bias=None, epsilon=1e-5: F.instance_norm(
            x, None, None, scale, bias, eps=epsilon
        ),
        lambda d: [([d.normal(2, 6, 4)], {}), ([d.normal(2, 6, 4, 3), d.normal(6), d.normal(6)], {})],
        tolerance=4,
    ),
    Entry(
        "batch_norm",
        lambda x, s, b, m, v, epsilon=1e-5: F.batch_norm(x, m, v, s, b, False, 0.1, epsilon),
        lambda d: [([d.normal(3, 4, 5), d.normal(4), d.normal(4), d.normal(4), d.between(0.2, 2, 4)], {})],
        gradients=(0, 1, 2),
        why="torch has no gradient for the running statistics",
    ),
    Entry(
        "batch_norm_train",
        batch_norm_train,
        lambda d: [([d.normal(3, 4, 5), d.normal(4), d.normal(4)], {})],
        tolerance=4,
    ),
    Entry(
        "lrn",
        lambda x, size, alpha=1e-4, beta=0.75, bias=1.0: F.local_response_norm(x, size, alpha, beta, bias),
        lambda d: [([d.normal(2, 7, 3, 3)], {"size": 5, "alpha": 0.5}), ([d.normal(2, 7, 3)], {"size": 3})],
    ),
]

LAYERS = [
    Entry(
        "conv",
        conv,
        lambda d: [
            ([d.normal(2, 3, 7, 6), d.normal(4, 3, 3, 2)], {"low": [1, 0], "high": [2, 1], "stride": [2, 1]}),
            ([d.normal(2, 4, 7), d.normal(6, 2, 3)], {"groups": 2, "rhs_dilation": [2]}),
            (
                [d.normal(1, 2, 4, 3), d.normal(3, 2, 3, 3)],
                {"lhs_dilation": [2, 3], "low": [1, 1], "high": [1, 1]},
            ),
        ],
        tolerance=8,
    ),
    *conv_entries(),
    *pool_entries(),
    Entry(
        "conv2d_input_grad",
        lambda g, w, height, width, stride=1, padding=0, dilation=1, groups=1: torch.nn.grad.conv2d_input(
            (g.shape[0], w.shape[1] * groups, height, width), w, g, stride, padding, dilation, groups
        ),
        lambda d: [
            ([d.normal(2, 4, 3, 3), d.normal(4, 3, 3, 3)], {"height": 7, "width": 7, "stride": [2, 2]})
        ],
        tolerance=8,
    ),
    Entry(
        "conv2d_weight_grad",
        lambda g, x, height, width, stride=1, padding=0, dilation=1, groups=1: torch.nn.grad.conv2d_weight(
            x, (g.shape[1], x.shape[1] // groups, height, width), g, stride, padding, dilation, groups
        ),
        lambda d: [
            ([d.normal(2, 4, 3, 3), d.normal(2, 3, 7, 7)], {"height": 3, "width": 3, "stride": [2, 2]})
        ],
        tolerance=8,
    ),
    Entry(
        "window_reduce",
        window_reduce,
        lambda d: [
            (
                [d.distinct(6, 7)],
                {
                    "window": [2, 3],
                    "stride": [2, 1],
                    "low": [1, 0],
                    "high": [0, 2],
                    "dilation": [1, 2],
                    "mode": m,
                },
            )
            for m in ("max", "min", "sum")
        ],
    ),
    Entry(
        "window_scatter",
        window_scatter,
        lambda d: [
            (
                [d.distinct(6, 7), d.normal(3, 4)],
                {"window": [2, 3], "stride": [2, 2], "low": [0, 1], "high": [0, 1]},
            )
        ],
        gradients=(),
        why="its gradient is a second one of max_pool",
    ),
    Entry(
        "global_avg_pool",
        lambda x: x.mean(tuple(range(2, x.dim())), keepdim=True),
        lambda d: [([d.normal(2, 3, 4, 5)], {})],
    ),
    Entry(
        "global_max_pool",
        lambda x: x.amax(tuple(range(2, x.dim())), keepdim=True),
        lambda d: [([d.distinct(2, 3, 4, 5)], {})],
    ),
    Entry("scaled_dot_product_attention", attention, attention_cases, tolerance=4),
    Entry(
        "scaled_dot_product_attention_grad",
        attention_grad,
        attention_grad_cases,
        tolerance=8,
        gradients=(),
        why="a gradient of second order, which torch's call here does not give",
    ),
    Entry(
        "rotary_embedding",
        rotary,
        lambda d: [([d.normal(2, 5, 6)], {"interleaved": i}) for i in (0, 1)]
        + [([d.normal(2, 5, 6), d.ints(0, 9, 5)], {"base": 100.0})],
    ),
    recurrent("rnn", [0]),
    recurrent("gru", [1, 0, 2]),
    recurrent("lstm", [0, 2, 3, 1]),
    Entry(
        "resize",
        resize,
        lambda d: [
            ([d.normal(1, 2, 4, 5)], {"dims": [1, 2, 7, 9], "mode": m, "coordinates": c})
            for m in ("linear", "cubic")
            for c in ("half_pixel", "align_corners")
        ]
        + [([d.normal(1, 2, 4, 5)], {"dims": [1, 2, 8, 3], "coordinates": "asymmetric", "nearest": "floor"})],
        tolerance=4,
    ),
    Entry(
        "grid_sample",
        grid_sample,
        lambda d: [
            (
                [d.normal(2, 3, 4, 5), d.between(-1.3, 1.3, 2, 3, 4, 2)],
                {"mode": m, "padding": p, "align_corners": a},
            )
            for m in ("bilinear", "nearest", "bicubic")
            for p in ("zeros", "border", "reflection")
            for a in (0, 1)
        ],
        tolerance=32,
    ),
]

LOSSES = [
    Entry(
        "cross_entropy",
        cross_entropy,
        class_cases(log=False),
        gradients=(0,),
        why="torch has no gradient for the weights",
    ),
    Entry(
        "nll",
        lambda x, t, w=None, **k: F.nll_loss(x, t, w, **k),
        class_cases(log=True),
        gradients=(0,),
        why="torch has no gradient for the weights",
    ),
    Entry(
        "cross_entropy_probs",
        probabilities,
        lambda d: [([d.normal(6, 4), T.softmax(d.normal(6, 4), 1)], r) for r in LOSS_REDUCTIONS]
        + [([d.normal(6, 4), T.softmax(d.normal(6, 4), 1), d.between(0.1, 1, 4)], {"label_smoothing": 0.2})],
        gradients=(0, 1),
        why="torch has no gradient for the weights",
    ),
    pairs("mse", F.mse_loss, lambda d: [d.normal(3, 4), d.normal(3, 4)]),
    pairs("l1", F.l1_loss, lambda d: [d.normal(3, 4), d.normal(3, 4)]),
    pairs("huber", F.huber_loss, lambda d: [d.normal(3, 4), d.normal(3, 4)], ({}, {"delta": 0.5})),
    pairs("kl_div", log_kl, lambda d: [T.log_softmax(d.normal(3, 4), 1), T.softmax(d.normal(3, 4), 1)]),
    pairs("hinge", F.hinge_embedding_loss, lambda d: [d.normal(3, 4), signs(d, 3, 4)], ({}, {"margin": 0.5})),
    Entry(
        "bce",
        lambda p, t, w=None, reduction="mean": F.binary_cross_entropy(p, t, w, reduction=reduction),
        lambda d: [([d.between(0.1, 0.9, 3, 4), d.between(0.1, 0.9, 3, 4)], r) for r in LOSS_REDUCTIONS],
    ),
    Entry(
        "bce_with_logits",
        lambda x, t, w=None, p=None, reduction="mean": F.binary_cross_entropy_with_logits(
            x, t, w, pos_weight=p, reduction=reduction
        ),
        lambda d: [([d.normal(3, 4), d.between(0, 1, 3, 4)], r) for r in LOSS_REDUCTIONS]
        + [([d.normal(3, 4), d.between(0, 1, 3, 4), d.between(0.1, 1, 3, 4), d.between(0.1, 1, 4)], {})],
        gradients=(0, 1),
        why="torch has no gradient for the weights",
    ),
    Entry(
        "cosine_loss",
        cosine_loss,
        lambda d: [
            ([d.normal(5, 4), d.normal(5, 4), signs(d, 5)], r | {"margin": 0.1}) for r in LOSS_REDUCTIONS
        ],
    ),
    Entry(
        "cosine_similarity",
        lambda a, b, axis=1, epsilon=1e-8: F.cosine_similarity(a, b, axis, epsilon),
        lambda d: [
            ([d.normal(5, 4), d.normal(5, 4)], {}),
            ([d.normal(2, 4, 3), d.normal(4, 1)], {"axis": -2}),
        ],
    ),
    Entry("ctc", ctc, ctc_cases, tolerance=8),
]

QUANTISED = [
    Entry(
        "quantize_linear",
        quantize,
        lambda d: [
            ([d.normal(3, 4), scalar(d, 0.05)], {}),
            ([d.normal(3, 4), scalar(d, 0.05), scalar(d, 100, T.uint8)], {}),
            ([d.normal(3, 4), d.between(0.01, 0.1, 4), d.ints(-9, 9, 4, dtype=T.int8)], {"dtype": "int8"}),
        ],
    ),
    Entry(
        "dequantize_linear",
        dequantize,
        lambda d: [
            ([byte(d, 3, 4), scalar(d, 0.05)], {}),
            ([byte(d, 3, 4), d.between(0.01, 0.1, 3), byte(d, 3)], {"axis": 0}),
        ],
    ),
    Entry(
        "dynamic_quantize_linear",
        dynamic_quantize,
        lambda d: [([d.normal(3, 4)], {}), ([d.between(1, 3, 9)], {})],
        dtypes=(T.float32,),
    ),
    Entry(
        "matmul_integer",
        matmul_integer,
        lambda d: [
            ([byte(d, 3, 4), byte(d, 4, 5)], {}),
            ([byte(d, 3, 4), byte(d, 4, 5), scalar(d, 7, T.uint8), scalar(d, 99, T.uint8)], {}),
        ],
        dtypes=(T.float32,),
    ),
    Entry(
        "conv_integer",
        conv_integer,
        lambda d: [
            (
                [byte(d, 1, 2, 5, 5), byte(d, 3, 2, 3, 3), scalar(d, 7, T.uint8)],
                {"low": [1, 0], "high": [0, 1]},
            )
        ],
        dtypes=(T.float32,),
    ),
    Entry(
        "qlinear_matmul",
        qlinear_matmul,
        lambda d: [
            (
                [
                    byte(d, 3, 4),
                    scalar(d, 0.02),
                    scalar(d, 99, T.uint8),
                    byte(d, 4, 5),
                    scalar(d, 0.03),
                    scalar(d, 9, T.uint8),
                    scalar(d, 0.4),
                    scalar(d, 120, T.uint8),
                ],
                {},
            )
        ],
        dtypes=(T.float32,),
    ),
    Entry(
        "qlinear_conv",
        qlinear_conv,
        lambda d: [
            (
                [
                    byte(d, 1, 2, 5, 5),
                    scalar(d, 0.02),
                    scalar(d, 99, T.uint8),
                    byte(d, 3, 2, 3, 3),
                    scalar(d, 0.03),
                    scalar(d, 9, T.uint8),
                    scalar(d, 0.4),
                    scalar(d, 120, T.uint8),
                    d.ints(-99, 99, 3, dtype=T.int32),
                ],
                {"low": [1, 0], "high": [0, 1]},
            )
        ],
        dtypes=(T.float32,),
    ),
]

ENTRIES = NORMS + LAYERS + LOSSES + QUANTISED
