"""What a line of the table is: an op of Tenon, the same in torch, and inputs to try both on."""

import dataclasses
import zlib
from typing import Callable

import torch


@dataclasses.dataclass
class Entry:
    name: str
    torch: Callable  # of the inputs, with the attributes as keywords: a tensor or a tuple
    cases: Callable  # of a Draw: a list of (inputs, attributes)
    dtypes: tuple = (torch.float32, torch.float64)
    tolerance: float = 1.0  # times that of the dtype
    gradients: tuple | None = None  # for these inputs only: for others torch has none, as `why` says
    why: str = ""


class Draw:
    """Random inputs of one dtype, the same in every run."""

    def __init__(self, name, dtype):
        self.dtype = dtype
        self.generator = torch.Generator().manual_seed(zlib.crc32(f"{name} {dtype}".encode()))

    def normal(self, *shape):
        wide = torch.complex128 if self.dtype.is_complex else torch.float64
        return torch.randn(shape, generator=self.generator, dtype=wide).to(self.dtype)

    def between(self, low, high, *shape):
        """Between two numbers; of complex ones that is the real part."""
        unit = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        numbers = low + unit * (high - low)
        if self.dtype.is_complex:
            numbers = torch.complex(
                numbers, torch.randn(shape, generator=self.generator, dtype=torch.float64)
            )
        return numbers.to(self.dtype)

    def distinct(self, *shape):
        """Numbers at least 0.1 apart, in random order, complex ones of any angle: for extrema and orders."""
        count = int(torch.Size(shape).numel())
        order = torch.randperm(count, generator=self.generator)
        numbers = ((order - count / 2) * 0.1 + 0.037).reshape(shape)
        if self.dtype.is_complex:
            angles = torch.rand(shape, generator=self.generator, dtype=torch.float64) * 6.28
            numbers = torch.polar(numbers.double().abs(), angles)
        return numbers.to(self.dtype)

    def ints(self, low, high, *shape, dtype=torch.int64):
        return torch.randint(low, high, shape, generator=self.generator).to(dtype)

    def bools(self, *shape):
        return self.ints(0, 2, *shape).bool()

    def one_of(self, *values):
        return lambda *shape: torch.tensor(values, dtype=self.dtype)[self.ints(0, len(values), *shape)]


NUMBERS = (torch.float32, torch.float64, torch.complex64, torch.complex128)
SHAPES = [(), (7,), (3, 5), (2, 3, 4)]


def unary(name, function, low=-3.0, high=3.0, attrs=({},), **more):
    """An elementwise op of one input between two bounds."""

    def cases(d):
        return [([d.between(low, high, *shape)], a) for shape in SHAPES for a in attrs]

    return Entry(name, function, cases, **more)


BROADCAST = [((5,), (5,)), ((3, 4), (4,)), ((2, 1, 4), (3, 1)), ((), (2, 3))]


def binary(name, function, low=-3.0, high=3.0, low_b=None, high_b=None, **more):
    """An elementwise op of two inputs that broadcast."""

    def cases(d):
        return [
            (
                [
                    d.between(low, high, *a),
                    d.between(low if low_b is None else low_b, high if high_b is None else high_b, *b),
                ],
                {},
            )
            for a, b in BROADCAST
        ]

    return Entry(name, function, cases, **more)


def integers(name, function, low, high, low_b=None, high_b=None):
    """The same of integers and, where they are between 0 and 1, of booleans."""

    def cases(d):
        second = (low if low_b is None else low_b, high if high_b is None else high_b)
        draw = d.ints if d.dtype != torch.bool else lambda low, high, *shape, dtype: d.bools(*shape)
        return [
            ([draw(low, high, *a, dtype=d.dtype), draw(*second, *b, dtype=d.dtype)], {}) for a, b in BROADCAST
        ]

    kinds = (torch.int32, torch.int64, torch.uint8) + ((torch.bool,) if low_b is None else ())
    return Entry(name, function, cases, dtypes=kinds)


REDUCTIONS = [
    ((6,), {}),
    ((3, 4), {"axes": [1]}),
    ((2, 3, 4), {"axes": [0, 2], "keepdims": 1}),
    ((2, 3, 4), {"axes": [-2]}),
]


def axes_of(x, axes):
    return list(axes) or list(range(x.dim()))


def reduction(name, function, distinct=False, extra=({},), **more):
    """function(x, axes, keepdims) of numbers, distinct ones for extrema."""

    def run(x, axes=(), keepdims=0, **rest):
        return function(x, axes_of(x, axes), bool(keepdims), **rest)

    def cases(d):
        draw = d.distinct if distinct else d.normal
        return [([draw(*shape)], attrs | e) for shape, attrs in REDUCTIONS for e in extra]

    return Entry(name, run, cases, **more)


LOSS_REDUCTIONS = [{"reduction": r} for r in ("mean", "sum", "none")]
