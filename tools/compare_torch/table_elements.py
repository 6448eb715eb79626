"""Elementwise ops, reductions, products of matrices."""

import itertools
import math

import torch
import torch.nn.functional as F

from entry import BROADCAST, NUMBERS, Entry, axes_of, binary, integers, reduction, unary

T = torch
INF = math.inf


def prelu(x, slope):
    return T.where(x > 0, x, slope * x)


def by_parts(function):
    return lambda x: T.complex(function(x.real), function(x.imag)) if x.is_complex() else function(x)


def celu(x, alpha=1.0):
    """By its formula: torch's own gradient takes 1 / alpha in f32."""
    return T.where(x > 0, x, alpha * T.expm1(x / alpha))


def with_low_high(x, low=None, high=None):
    return T.clamp(x, low, high)


def variance(x, axes, keep, correction=0.0):
    return T.var(x, axes, correction=correction, keepdim=keep)


def norm(x, axes, keep, ord=2.0):
    return T.linalg.vector_norm(x, ord, axes, keep)


def product(x, axes, keep):
    for a in sorted((a % x.dim() for a in axes), reverse=True):
        x = T.prod(x, a, keepdim=keep)
    return x


def reduce_bool(function):
    def run(x, axes, keep):
        for a in sorted((a % x.dim() for a in axes), reverse=True):
            x = function(x, a, keepdim=keep)
        return x

    return run


def matmul(a, b, transpose_a=0, transpose_b=0):
    return T.matmul(a.mT if transpose_a else a, b.mT if transpose_b else b)


def cumsum(x, axis=0, exclusive=0, reverse=0):
    if reverse:
        return cumsum(x.flip(axis), axis, exclusive).flip(axis)
    y = T.cumsum(x, axis)
    return y - x if exclusive else y


def cholesky(x, upper=0):
    """Of the hermitian matrix with this triangle, so that the gradient is that of the triangle."""
    kept = x.triu(1) if upper else x.tril(-1)
    diagonal = T.diag_embed(x.diagonal(dim1=-2, dim2=-1).real)
    return T.linalg.cholesky(kept + kept.mH + diagonal, upper=bool(upper))


def triangular_solve(a, b, upper=0, transpose=0, unit_diagonal=0):
    a = a.mT if transpose else a
    return T.linalg.solve_triangular(
        a, b, upper=bool(upper) != bool(transpose), unitriangular=bool(unit_diagonal)
    )


def lu(x):
    packed, pivots = T.linalg.lu_factor(x)
    order = T.arange(x.shape[-1]).expand(*x.shape[:-2], -1).clone()
    for at in itertools.product(*[range(n) for n in x.shape[:-2]]):
        for i, p in enumerate(pivots[at].tolist()):
            order[at][[i, p - 1]] = order[at][[p - 1, i]]
    return packed, order


def well(d, *shape):
    """Matrices far from singular ones."""
    return d.normal(*shape) + 3 * T.eye(shape[-1], dtype=d.dtype)


def positive(d, *shape):
    a = d.normal(*shape)
    return a @ a.mH + shape[-1] * T.eye(shape[-1], dtype=d.dtype)


UNARY = [
    unary("neg", T.neg, dtypes=NUMBERS),
    unary("abs", T.abs, dtypes=NUMBERS),
    unary("floor", T.floor),
    unary("ceil", T.ceil),
    unary("round", by_parts(T.round), dtypes=NUMBERS),
    unary("trunc", T.trunc),
    unary("exp", T.exp, dtypes=NUMBERS),
    unary("expm1", T.expm1, dtypes=NUMBERS),
    unary("log", T.log, 0.1, 9, dtypes=NUMBERS),
    unary("log1p", T.log1p, -0.9, 5, dtypes=NUMBERS),
    unary("log2", T.log2, 0.1, 9, dtypes=NUMBERS),
    unary("sqrt", T.sqrt, 0.1, 9, dtypes=NUMBERS),
    unary("rsqrt", T.rsqrt, 0.1, 9, dtypes=NUMBERS),
    unary("sin", T.sin, dtypes=NUMBERS),
    unary("cos", T.cos, dtypes=NUMBERS),
    unary("tan", T.tan, -1.4, 1.4, dtypes=NUMBERS),
    unary("asin", T.asin, -0.95, 0.95, dtypes=NUMBERS),
    unary("acos", T.acos, -0.95, 0.95, dtypes=NUMBERS),
    unary("atan", T.atan, dtypes=NUMBERS),
    unary("sinh", T.sinh, dtypes=NUMBERS),
    unary("cosh", T.cosh, dtypes=NUMBERS),
    unary("tanh", T.tanh, dtypes=NUMBERS),
    unary("asinh", T.asinh, dtypes=NUMBERS),
    unary("acosh", T.acosh, 1.1, 9, dtypes=NUMBERS),
    unary("atanh", T.atanh, -0.95, 0.95, dtypes=NUMBERS),
    unary("erf", T.erf),
    unary("square", T.square, dtypes=NUMBERS),
    unary("reciprocal", T.reciprocal, 0.2, 3, dtypes=NUMBERS),
    unary("sign", T.sgn, dtypes=NUMBERS),
    unary("relu", T.relu),
    unary("sigmoid", T.sigmoid),
    unary("softplus", F.softplus),
    unary("silu", F.silu),
    unary("mish", F.mish),
    unary("softsign", F.softsign),
    unary("log_sigmoid", F.logsigmoid),
    unary("hard_swish", F.hardswish, -5, 5),
    unary("copy", T.clone),
    unary("isnan", T.isnan, dtypes=NUMBERS),
    unary("isinf", T.isinf, dtypes=NUMBERS),
    unary("isfinite", T.isfinite, dtypes=NUMBERS),
    unary(
        "gelu",
        lambda x, approximate="none": F.gelu(x, approximate=approximate),
        attrs=({}, {"approximate": "tanh"}),
    ),
    unary("leaky_relu", lambda x, slope=0.01: F.leaky_relu(x, slope), attrs=({}, {"slope": 0.3})),
    unary("elu", lambda x, alpha=1.0: F.elu(x, alpha), attrs=({}, {"alpha": 0.7})),
    unary("celu", celu, attrs=({}, {"alpha": 0.7})),
    unary("selu", F.selu),
    unary(
        "hard_sigmoid",
        lambda x, alpha=0.2, beta=0.5: T.clamp(alpha * x + beta, 0, 1),
        attrs=({}, {"alpha": 0.4, "beta": 0.3}),
    ),
    unary(
        "cast",
        lambda x, dtype: x.to(getattr(T, dtype)),
        -90,
        90,
        attrs=tuple({"dtype": t} for t in ("float32", "float64", "int32", "int8", "bool")),
    ),
]

BINARY = [
    binary("add", T.add, dtypes=NUMBERS),
    binary("sub", T.sub, dtypes=NUMBERS),
    binary("mul", T.mul, dtypes=NUMBERS),
    binary("div", T.div, low_b=0.3, dtypes=NUMBERS),
    binary("rem", T.remainder, low_b=0.3),
    binary("pow", T.pow, 0.1, 3, -2, 2, dtypes=NUMBERS, tolerance=8),
    binary("atan2", T.atan2),
    binary("maximum", T.maximum),
    binary("minimum", T.minimum),
    binary("eq", T.eq, dtypes=NUMBERS),
    binary("ne", T.ne, dtypes=NUMBERS),
    binary("lt", T.lt),
    binary("le", T.le),
    binary("gt", T.gt),
    binary("ge", T.ge),
    binary("prelu", prelu, low_b=0.1, high_b=0.5),
    binary("floor_div", T.floor_divide, low_b=0.3, gradients=(), why="torch has no gradient of floor_divide"),
    Entry(
        "mod",
        lambda a, b, fmod=0: T.fmod(a, b) if fmod else T.remainder(a, b),
        lambda d: [
            ([d.normal(*a), d.between(0.3, 2, *b)], {"fmod": f}) for a, b in BROADCAST for f in (0, 1)
        ],
    ),
    Entry(
        "lerp",
        T.lerp,
        lambda d: [
            ([d.normal(3, 4), d.normal(4), d.between(0, 1, 3, 1)], {}),
            ([d.normal(5), d.normal(5), d.normal(5)], {}),
        ],
    ),
    Entry(
        "where",
        T.where,
        lambda d: [
            ([d.bools(3, 4), d.normal(4), d.normal(3, 1)], {}),
            ([d.bools(5), d.normal(5), d.normal()], {}),
        ],
        dtypes=NUMBERS,
    ),
    Entry(
        "clip",
        with_low_high,
        lambda d: [
            ([d.normal(3, 5), d.between(-1, -0.2), d.between(0.2, 1)], {}),
            ([d.normal(7), d.between(-1, 0)], {}),
            ([d.normal(7), None, d.between(0, 1)], {}),
        ],
    ),
    integers("and", T.bitwise_and, 0, 100),
    integers("or", T.bitwise_or, 0, 100),
    integers("xor", T.bitwise_xor, 0, 100),
    integers("shl", T.bitwise_left_shift, 0, 15, 0, 4),
    integers("shr", T.bitwise_right_shift, 0, 100, 0, 6),
    Entry(
        "not",
        T.bitwise_not,
        lambda d: [([d.bools(3, 4) if d.dtype == T.bool else d.ints(0, 100, 3, 4, dtype=d.dtype)], {})],
        dtypes=(T.bool, T.int32, T.uint8),
    ),
    Entry(
        "bitcast",
        lambda x, dtype: x.view(getattr(T, dtype)),
        lambda d: [([d.normal(3, 4)], {"dtype": {T.float32: "int32", T.float64: "int64"}[d.dtype]})],
    ),
]

REDUCE = [
    reduction("sum", lambda x, axes, keep: T.sum(x, axes, keep), dtypes=NUMBERS),
    reduction("mean", lambda x, axes, keep: T.mean(x, axes, keep), dtypes=NUMBERS),
    reduction("prod", product, dtypes=NUMBERS),
    reduction("max", lambda x, axes, keep: T.amax(x, axes, keep), distinct=True),
    reduction("min", lambda x, axes, keep: T.amin(x, axes, keep), distinct=True),
    reduction("logsumexp", lambda x, axes, keep: T.logsumexp(x, axes, keep)),
    reduction("var", variance, extra=({}, {"correction": 1.0})),
    reduction("std", lambda *a, **k: T.sqrt(variance(*a, **k)), extra=({}, {"correction": 1.0})),
    reduction("any", reduce_bool(T.any), dtypes=NUMBERS),
    reduction("all", reduce_bool(T.all), dtypes=NUMBERS),
    reduction("norm", norm, distinct=True, extra=({}, {"ord": 1.0}, {"ord": INF}), dtypes=NUMBERS),
    Entry(
        "argmax",
        lambda x, axis=-1, keepdims=0: T.argmax(x, axis, bool(keepdims)),
        lambda d: [([d.distinct(3, 4)], {"axis": 0}), ([d.distinct(3, 4)], {"keepdims": 1})],
    ),
    Entry(
        "argmin",
        lambda x, axis=-1, keepdims=0: T.argmin(x, axis, bool(keepdims)),
        lambda d: [([d.distinct(3, 4)], {"axis": 0}), ([d.distinct(3, 4)], {"keepdims": 1})],
    ),
    Entry(
        "cumsum",
        cumsum,
        lambda d: [
            ([d.normal(3, 4)], {"axis": a, "exclusive": e, "reverse": r})
            for a in (0, 1)
            for e in (0, 1)
            for r in (0, 1)
        ],
        dtypes=NUMBERS,
    ),
    Entry(
        "cumprod",
        lambda x, axis=0: T.cumprod(x, axis),
        lambda d: [([d.normal(3, 4)], {"axis": 1}), ([d.normal(6)], {})],
        dtypes=NUMBERS,
    ),
]

PRODUCTS = [
    Entry(
        "matmul",
        matmul,
        lambda d: [
            ([d.normal(3, 4), d.normal(4, 5)], {}),
            ([d.normal(4, 3), d.normal(4, 5)], {"transpose_a": 1}),
            ([d.normal(2, 1, 3, 4), d.normal(3, 5, 4)], {"transpose_b": 1}),
            ([d.normal(67, 129), d.normal(129, 65)], {}),
        ],
        dtypes=NUMBERS,
        tolerance=4,
    ),
    Entry(
        "linear",
        F.linear,
        lambda d: [
            ([d.normal(2, 3, 4), d.normal(5, 4), d.normal(5)], {}),
            ([d.normal(7, 4), d.normal(5, 4)], {}),
        ],
    ),
    Entry("outer", T.outer, lambda d: [([d.normal(3), d.normal(5)], {})], dtypes=NUMBERS),
    Entry("dot", T.dot, lambda d: [([d.normal(9), d.normal(9)], {})], dtypes=NUMBERS),
    Entry(
        "vecdot",
        lambda a, b, axis=-1: T.linalg.vecdot(a, b, dim=axis),
        lambda d: [([d.normal(2, 3), d.normal(3)], {}), ([d.normal(4, 3), d.normal(4, 3)], {"axis": -2})],
        dtypes=NUMBERS,
    ),
    Entry(
        "einsum",
        lambda *xs, equation: T.einsum(equation, *xs),
        lambda d: [
            ([d.normal(3, 4), d.normal(4, 5)], {"equation": "ij,jk->ik"}),
            ([d.normal(2, 3, 4), d.normal(2, 4, 5)], {"equation": "bij,bjk->bik"}),
            ([d.normal(3, 3)], {"equation": "ii->i"}),
            ([d.normal(3, 4)], {"equation": "ij->ji"}),
            ([d.normal(3, 4)], {"equation": "ij->"}),
            ([d.normal(3), d.normal(4), d.normal(3, 4)], {"equation": "i,j,ij->ij"}),
            ([d.normal(2, 3, 4), d.normal(2, 3, 4)], {"equation": "...i,...i->..."}),
        ],
        dtypes=NUMBERS,
        tolerance=2,
    ),
    Entry(
        "cholesky",
        cholesky,
        lambda d: [([positive(d, 2, 4, 4)], {}), ([positive(d, 3, 3)], {"upper": 1})],
        dtypes=NUMBERS,
        tolerance=8,
    ),
    Entry(
        "triangular_solve",
        triangular_solve,
        lambda d: [
            ([well(d, 4, 4), d.normal(4, 2)], {"upper": u, "transpose": t, "unit_diagonal": n})
            for u in (0, 1)
            for t in (0, 1)
            for n in (0, 1)
        ],
        dtypes=NUMBERS,
        tolerance=64,
    ),
    Entry("lu", lu, lambda d: [([well(d, 4, 4)], {}), ([well(d, 2, 3, 3)], {})], dtypes=NUMBERS, tolerance=8),
    Entry(
        "solve",
        T.linalg.solve,
        lambda d: [([well(d, 4, 4), d.normal(4, 2)], {}), ([well(d, 2, 3, 3), d.normal(2, 3, 2)], {})],
        dtypes=NUMBERS,
        tolerance=64,
    ),
    Entry(
        "inverse",
        T.linalg.inv,
        lambda d: [([well(d, 4, 4)], {}), ([well(d, 2, 3, 3)], {})],
        dtypes=NUMBERS,
        tolerance=64,
    ),
    Entry(
        "det",
        T.linalg.det,
        lambda d: [([well(d, 4, 4)], {}), ([well(d, 2, 3, 3)], {})],
        dtypes=NUMBERS,
        tolerance=64,
    ),
]

COMPLEX = [
    Entry("complex", T.complex, lambda d: [([d.normal(3, 4), d.normal(3, 4)], {})]),
    Entry("real", lambda x: T.real(x).clone(), lambda d: [([T.complex(d.normal(3, 4), d.normal(3, 4))], {})]),
    Entry("imag", lambda x: T.imag(x).clone(), lambda d: [([T.complex(d.normal(3, 4), d.normal(3, 4))], {})]),
    Entry(
        "conj",
        lambda x: T.conj(x).resolve_conj(),
        lambda d: [([T.complex(d.normal(3, 4), d.normal(3, 4))], {})],
    ),
]

ENTRIES = UNARY + BINARY + REDUCE + PRODUCTS + COMPLEX
