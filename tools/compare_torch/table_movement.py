"""Ops that move elements, read and write by indices, sort, choose or make tensors."""

import torch
import torch.nn.functional as F

from entry import Entry

T = torch


def slices(x, starts, stops, steps=()):
    for a, (start, stop, step) in enumerate(zip(starts, stops, steps or [1] * x.dim())):
        x = x.index_select(a, T.tensor(range(x.shape[a])[start:stop:step], dtype=T.int64))
    return x


def pad(x, value=None, low=(), high=(), interior=()):
    for a, gap in enumerate(interior):
        dims = list(x.shape)
        dims[a] = (dims[a] - 1) * (gap + 1) + 1
        wide = T.zeros(dims, dtype=x.dtype) if value is None else value.expand(dims)
        x = wide.index_copy(a, T.arange(0, dims[a], gap + 1), x)
    ends = [n for pair in reversed(list(zip(low, high))) for n in pair]
    core = F.pad(x, ends)
    if value is None:
        return core
    return T.where(F.pad(T.ones_like(x, dtype=T.bool), ends), core, value)


def pad_mode(mode):
    def run(x, low, high):
        return F.pad(x, [low[3], high[3], low[2], high[2]], mode=mode)

    return run


def gather(x, indices, axis=0):
    axis %= x.dim()
    y = T.index_select(x, axis, indices.reshape(-1) % x.shape[axis])
    return y.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def scatter(x, indices, updates, axis=0, mode="set"):
    axis %= x.dim()
    flat = updates.reshape(x.shape[:axis] + (-1,) + x.shape[axis + 1 :])
    indices = indices.reshape(-1) % x.shape[axis]
    if mode == "set":
        return T.index_copy(x, axis, indices, flat)
    if mode == "add":
        return T.index_add(x, axis, indices, flat)
    shape = [1] * x.dim()
    shape[axis] = -1
    return T.scatter_reduce(x, axis, indices.reshape(shape).expand_as(flat), flat, "a" + mode)


def gather_nd(x, indices):
    return x[tuple(indices.unbind(-1))]


def scatter_nd(x, indices, updates, mode="set"):
    return T.index_put(x, tuple(indices.unbind(-1)), updates, accumulate=mode == "add")


def take(x, indices, axis=-1):
    return T.take_along_dim(x, indices % x.shape[axis], axis)


def depth_to_space(x, block, mode="DCR"):
    if mode == "CRD":
        return F.pixel_shuffle(x, block)
    n, c, h, w = x.shape
    y = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return y.reshape(n, c // block**2, h * block, w * block)


def space_to_depth(x, block):
    n, c, h, w = x.shape
    y = x.reshape(n, c, h // block, block, w // block, block).permute(0, 3, 5, 1, 2, 4)
    return y.reshape(n, c * block**2, h // block, w // block)


def sort(keys, values, axis=-1, descending=0):
    sorted_, order = T.sort(keys, dim=axis, descending=bool(descending), stable=True)
    return sorted_, T.take_along_dim(values, order, axis)


def one_hot(indices, depth, dtype="float32"):
    return (indices.unsqueeze(-1) == T.arange(depth)).to(getattr(T, dtype))


def unique(x):
    values, inverse, counts = T.unique(x, return_inverse=True, return_counts=True)
    first = T.stack([T.nonzero(inverse.reshape(-1) == k)[0, 0] for k in range(len(values))])
    return values, first, inverse, counts, T.tensor(len(values))


def nonzero(x):
    places = T.nonzero(x)
    return places.mT.contiguous(), T.tensor(len(places))


def make(name, function, *attrs):
    return Entry(name, function, lambda d: [([], a) for a in attrs], dtypes=(T.float32,))


ENTRIES = [
    Entry("reshape", lambda x, dims: x.reshape(dims), lambda d: [([d.normal(3, 4)], {"dims": [2, -1]})]),
    Entry(
        "expand",
        lambda x, dims: x.expand(dims),
        lambda d: [([d.normal(3, 1)], {"dims": [2, 3, 4]}), ([d.normal(3, 1)], {"dims": [-1, 4]})],
    ),
    Entry(
        "transpose", lambda x, perm: x.permute(perm), lambda d: [([d.normal(2, 3, 4)], {"perm": [2, 0, 1]})]
    ),
    Entry(
        "slice",
        slices,
        lambda d: [
            ([d.normal(5, 7)], {"starts": [1, -6], "stops": [4, 7], "steps": [1, 2]}),
            ([d.normal(9)], {"starts": [2], "stops": [2**63 - 1]}),
            ([d.normal(5, 7)], {"starts": [-2, 9], "stops": [-(2**63), 1], "steps": [-1, -2]}),
        ],
    ),
    Entry(
        "pad",
        lambda x, value=None, **k: pad(x, value, **k),
        lambda d: [
            ([d.normal(3, 4)], {"low": [1, 0], "high": [2, 3]}),
            ([d.normal(3, 4), d.normal()], {"low": [1, -1], "high": [0, 2]}),
            ([d.normal(3, 4), d.normal()], {"low": [1, 1], "high": [0, 2], "interior": [1, 2]}),
        ],
    ),
    Entry(
        "pad_edge",
        pad_mode("replicate"),
        lambda d: [([d.normal(1, 2, 4, 5)], {"low": [0, 0, 1, 2], "high": [0, 0, 3, 0]})],
    ),
    Entry(
        "pad_reflect",
        pad_mode("reflect"),
        lambda d: [([d.normal(1, 2, 4, 5)], {"low": [0, 0, 1, 2], "high": [0, 0, 3, 4]})],
    ),
    Entry(
        "concat",
        lambda *xs, axis=0: T.cat(xs, axis),
        lambda d: [
            ([d.normal(3, 2), d.normal(3, 4), d.normal(3, 1)], {"axis": 1}),
            ([d.normal(3), d.normal(2)], {}),
        ],
    ),
    Entry(
        "stack",
        lambda *xs, axis=0: T.stack(xs, axis),
        lambda d: [([d.normal(3, 2), d.normal(3, 2)], {"axis": -1}), ([d.normal(3)] * 3, {})],
    ),
    Entry(
        "split",
        lambda x, sizes, axis=0: T.split(x, sizes, axis),
        lambda d: [([d.normal(3, 7)], {"sizes": [2, 4, 1], "axis": 1})],
    ),
    Entry(
        "squeeze",
        lambda x, axes=(): T.squeeze(x, tuple(axes)) if axes else T.squeeze(x),
        lambda d: [([d.normal(1, 3, 1)], {}), ([d.normal(1, 3, 1)], {"axes": [-1]})],
    ),
    Entry(
        "unsqueeze", lambda x, axes: x.reshape(1, 3, 1, 4), lambda d: [([d.normal(3, 4)], {"axes": [0, 2]})]
    ),
    Entry("flip", lambda x, axes: T.flip(x, axes), lambda d: [([d.normal(2, 3, 4)], {"axes": [0, -1]})]),
    Entry(
        "tile",
        lambda x, repeats: T.tile(x, repeats),
        lambda d: [
            ([d.normal(2, 3)], {"repeats": [2, 1]}),
            ([d.normal(2, 3)], {"repeats": [2]}),
            ([d.normal(2, 3)], {"repeats": [2, 1, 3]}),
        ],
    ),
    Entry(
        "roll",
        lambda x, shifts, axes: T.roll(x, shifts, axes),
        lambda d: [([d.normal(4, 5)], {"shifts": [1, -7], "axes": [0, 1]})],
    ),
    Entry(
        "meshgrid",
        lambda *xs, indexing="xy": T.meshgrid(*xs, indexing=indexing),
        lambda d: [([d.normal(3), d.normal(4)], {"indexing": i}) for i in ("xy", "ij")],
    ),
    Entry(
        "depth_to_space",
        depth_to_space,
        lambda d: [([d.normal(2, 8, 2, 3)], {"block": 2, "mode": m}) for m in ("DCR", "CRD")],
    ),
    Entry("space_to_depth", space_to_depth, lambda d: [([d.normal(2, 3, 4, 6)], {"block": 2})]),
    Entry(
        "tril", lambda x, k=0: T.tril(x, k), lambda d: [([d.normal(2, 4, 5)], {"k": k}) for k in (-2, 0, 1)]
    ),
    Entry(
        "triu", lambda x, k=0: T.triu(x, k), lambda d: [([d.normal(2, 4, 5)], {"k": k}) for k in (-2, 0, 1)]
    ),
    Entry(
        "diagonal",
        lambda x, offset=0: T.diagonal(x, offset, -2, -1),
        lambda d: [([d.normal(2, 4, 5)], {"offset": k}) for k in (-2, 0, 1)],
    ),
    Entry(
        "trace",
        lambda x, offset=0: T.diagonal(x, offset, -2, -1).sum(-1),
        lambda d: [([d.normal(2, 4, 5)], {"offset": k}) for k in (-2, 0, 1)],
    ),
    Entry(
        "gather",
        gather,
        lambda d: [
            ([d.normal(5, 3), d.ints(-5, 5, 4)], {}),
            ([d.normal(2, 5, 3), d.ints(0, 5, 2, 2)], {"axis": 1}),
        ],
    ),
    Entry(
        "embedding",
        lambda table, indices: F.embedding(indices, table),
        lambda d: [([d.normal(5, 3), d.ints(0, 5, 2, 4)], {})],
    ),
    Entry(
        "scatter",
        scatter,
        lambda d: [
            ([d.normal(5, 3), T.tensor([3, 0, -1]), d.normal(3, 3)], {"mode": m})
            for m in ("set", "add", "max", "min")
        ],
    ),
    Entry(
        "scatter_add",
        lambda *a, **k: scatter(*a, mode="add", **k),
        lambda d: [([d.normal(2, 5), d.ints(0, 5, 7), d.normal(2, 7)], {"axis": 1})],
    ),
    Entry(
        "take_along_axis",
        take,
        lambda d: [
            ([d.normal(3, 5), d.ints(-5, 5, 3, 2)], {}),
            ([d.normal(3, 5), d.ints(0, 3, 4, 5)], {"axis": 0}),
        ],
    ),
    Entry(
        "gather_nd",
        gather_nd,
        lambda d: [
            ([d.normal(3, 4, 5), d.ints(-3, 3, 6, 2)], {}),
            ([d.normal(3, 4), d.ints(0, 3, 2, 2, 2)], {}),
        ],
    ),
    Entry(
        "scatter_nd",
        scatter_nd,
        lambda d: [
            ([d.normal(4, 3), T.tensor([[3], [0]]), d.normal(2, 3)], {}),
            ([d.normal(4, 3), d.ints(0, 3, 6, 2), d.normal(6)], {"mode": "add"}),
        ],
    ),
    Entry(
        "sort",
        sort,
        lambda d: [
            ([d.distinct(3, 6), d.normal(3, 6)], {"axis": a, "descending": s})
            for a in (0, -1)
            for s in (0, 1)
        ],
    ),
    Entry(
        "argsort",
        lambda x, axis=-1, descending=0: T.argsort(x, dim=axis, descending=bool(descending), stable=True),
        lambda d: [([d.distinct(3, 6)], {"axis": a, "descending": s}) for a in (0, -1) for s in (0, 1)],
    ),
    Entry(
        "topk",
        lambda x, k, axis=-1, largest=1: tuple(T.topk(x, k, axis, bool(largest))),
        lambda d: [([d.distinct(3, 6)], {"k": 2, "axis": a, "largest": s}) for a in (0, -1) for s in (0, 1)],
    ),
    Entry("one_hot", one_hot, lambda d: [([d.ints(-1, 5, 3, 4)], {"depth": 4})], dtypes=(T.float32,)),
    Entry(
        "nonzero", nonzero, lambda d: [([d.ints(0, 2, 3, 4)], {}), ([d.ints(0, 2, 9)], {})], dtypes=(T.int64,)
    ),
    Entry(
        "unique", unique, lambda d: [([d.ints(0, 6, 3, 4)], {}), ([d.ints(0, 9, 9)], {})], dtypes=(T.int64,)
    ),
    make(
        "iota",
        lambda dims, axis=0, dtype="int64": T.arange(dims[axis])
        .reshape([-1 if a == axis else 1 for a in range(len(dims))])
        .expand(dims)
        .to(getattr(T, dtype)),
        {"dims": [3, 4], "axis": 1},
        {"dims": [5], "dtype": "float32"},
    ),
    make(
        "eye",
        lambda n, m=-1, k=0, dtype="float32": T.diagflat(T.ones(30), k)[:n, : n if m < 0 else m],
        {"n": 4},
        {"n": 3, "m": 5, "k": 1},
        {"n": 5, "m": 3, "k": -2},
    ),
    make(
        "arange",
        lambda start, stop, step=1.0, dtype="float32": T.arange(start, stop, step, dtype=getattr(T, dtype)),
        {"start": 0.0, "stop": 5.0},
        {"start": 1.0, "stop": -2.0, "step": -0.5},
        {"start": 2.0, "stop": 11.0, "step": 3.0, "dtype": "int32"},
    ),
    Entry(
        "fill",
        lambda value, dims, dtype="float32": value.expand(dims).to(getattr(T, dtype)),
        lambda d: [([d.normal()], {"dims": [3, 4]})],
        dtypes=(T.float32,),
    ),
]
