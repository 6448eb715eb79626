#!/usr/bin/env python3
"""Compares Tenon's ops with PyTorch's: results and gradients, on random inputs of several shapes, in f32 and f64.

Usage: python3 tools/compare_torch [--build FOLDER] [--device NAME] [--op NAME]... [--verbose]

FOLDER, by default build/release, is a build of this tree, or an installed one. Each op of the library
that has a counterpart in torch is called through the C ABI with the inputs of the table here, then
differentiated with random cotangents. Prints a line for each op: cases, greatest error of results
and of gradients (the difference divided by the greater of 1 and the size of the number), verdict;
then the ops that are not compared, and why. Exit status: 0 all agree, 1 some do not, or an op is
neither in the table nor explained, 2 wrong arguments, 77 there is no torch here: skipped.
"""

import argparse
import math
import pathlib
import sys

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"skipped: {missing}. Run this with a python that has numpy and torch (pip install torch).")
    sys.exit(77)

from apart import APART
from entry import Draw
from tenon import Error, Tenon
import table_elements
import table_movement
import table_networks

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = {torch.float32: 4e-6, torch.float64: 1e-13, torch.complex64: 4e-6, torch.complex128: 1e-13}
FAMILIES = (table_elements, table_movement, table_networks)


class Mismatch(Exception):
    pass


def tupled(y):
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)


def error_between(found, wanted, what):
    """The greatest difference of two arrays, in units of the greater of 1 and the number. Integers must be the same."""
    if found.dtype != wanted.dtype:
        raise Mismatch(f"{what}: dtype {found.dtype} instead of {wanted.dtype}")
    if found.shape != wanted.shape:
        raise Mismatch(f"{what}: shape {found.shape} instead of {wanted.shape}")
    if found.dtype.kind not in "fc":
        if not numpy.array_equal(found, wanted):
            raise Mismatch(f"{what}: other elements")
        return 0.0
    both = (found == wanted) | (numpy.isnan(found) & numpy.isnan(wanted))
    with numpy.errstate(invalid="ignore"):
        apart = numpy.where(both, 0, numpy.abs(found - wanted) / numpy.maximum(1, numpy.abs(wanted)))
    return math.inf if numpy.isnan(apart).any() else float(apart.max(initial=0))


def compare_results(found, wanted):
    if len(found) != len(wanted):
        raise Mismatch(f"{len(found)} outputs instead of {len(wanted)}")
    return max(
        (
            error_between(f.numpy(), w.detach().numpy(), f"output {k}")
            for k, (f, w) in enumerate(zip(found, wanted))
        ),
        default=0.0,
    )


def compare_gradients(tenon, draw, found, wanted, leaves, inputs, targets):
    """The greatest error over the gradients of these inputs, or None where torch has none."""
    on_tape = [k for k, w in enumerate(wanted) if w.requires_grad]
    if not on_tape:
        return None
    cotangents = []
    for k in on_tape:
        wide = torch.complex128 if wanted[k].is_complex() else torch.float64
        g = torch.randn(wanted[k].shape, generator=draw.generator, dtype=wide)
        cotangents.append(g.to(wanted[k].dtype))
    # torch's cotangent g of a complex z stands for the real part of conj(g) z, Tenon's for that of g z.
    right = torch.autograd.grad(
        [wanted[k] for k in on_tape],
        [inputs[k] for k in targets],
        [g.conj() for g in cotangents],
        allow_unused=True,
    )
    mine = tenon.vjp(
        [found[k] for k in on_tape],
        [tenon.tensor(g.numpy()) for g in cotangents],
        [leaves[k] for k in targets],
    )
    worst = 0.0
    for k, got, want in zip(targets, mine, right):
        zeros = torch.zeros_like(inputs[k]).detach()
        got = zeros.numpy() if got is None else got.numpy()
        # The sum makes elements of what torch only notes: conjugates, zeros.
        want = (zeros if want is None else zeros + want.detach().conj()).resolve_conj().numpy()
        worst = max(worst, error_between(got, want, f"gradient of input {k}"))
    return worst


def run_case(tenon, entry, draw, given, attrs):
    """Errors of the results and of the gradients (None where there are none to compare)."""
    floats = [k for k, t in enumerate(given) if t is not None and (t.is_floating_point() or t.is_complex())]
    targets = [k for k in floats if entry.gradients is None or k in entry.gradients]
    if not tenon.ops[entry.name].differentiable:
        targets = []
    inputs = [t.detach().clone().requires_grad_() if k in targets else t for k, t in enumerate(given)]
    wanted = tupled(entry.torch(*inputs, **attrs))
    leaves = [
        None if t is None else tenon.tensor(t.detach().numpy(), leaf=k in targets)
        for k, t in enumerate(inputs)
    ]
    found = tenon.call(entry.name, leaves, attrs)
    forward = compare_results(found, wanted)
    return forward, compare_gradients(tenon, draw, found, wanted, leaves, inputs, targets)


def described(inputs, attrs):
    shapes = ["-" if t is None else f"{str(t.dtype).removeprefix('torch.')}{list(t.shape)}" for t in inputs]
    return ", ".join(shapes + [f"{k}={v}" for k, v in attrs.items()])


class Line:
    """What there is to say of one op."""

    def __init__(self):
        self.cases, self.forward, self.gradient, self.faults = 0, 0.0, None, []

    def add(self, tenon, entry, draw, dtype):
        limit = entry.tolerance * TOLERANCE.get(dtype, TOLERANCE[torch.float32])
        for inputs, attrs in entry.cases(draw):
            self.cases += 1
            try:
                forward, gradient = run_case(tenon, entry, draw, inputs, attrs)
            except (Error, Mismatch) as fault:
                self.faults.append(f"{described(inputs, attrs)}: {fault}")
                continue
            self.forward = max(self.forward, forward)
            if gradient is not None:
                self.gradient = max(self.gradient or 0.0, gradient)
            for what, error in (("result", forward), ("gradient", gradient or 0.0)):
                if error > limit:
                    self.faults.append(
                        f"{described(inputs, attrs)}: {what}: error {error:.2g}, " f"the limit is {limit:.2g}"
                    )

    def text(self, name):
        gradient = "-" if self.gradient is None else f"{self.gradient:.1e}"
        verdict = f"DIFFERS in {len(self.faults)}" if self.faults else "agrees"
        return f"{name:34}{self.cases:6}  {self.forward:8.1e}  {gradient:>8}  {verdict}"


def find_library(folder):
    """libtenon and the folder of plugins, of a build or an installed tree."""
    for lib in (folder / "lib", *folder.glob("lib/*-linux-gnu"), folder / "lib64"):
        if (lib / "libtenon.so").exists():
            return str(lib / "libtenon.so"), str(lib / "tenon" / "plugins")
    sys.exit(f"compare_torch: no lib/libtenon.so in {folder}; build it, or say another --build")


def compare(tenon, entries, verbose):
    wrong = 0
    print(f"{'op':34} cases    result  gradient  verdict")
    for entry in entries:
        line = Line()
        for dtype in entry.dtypes:
            line.add(tenon, entry, Draw(entry.name, dtype), dtype)
        print(line.text(entry.name), f"({entry.why})" if entry.why else "")
        wrong += bool(line.faults)
        for fault in line.faults[: None if verbose else 3]:
            print(f"    {fault}")
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="compare_torch", description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--op", action="append", help="only this one; may stand several times")
    parser.add_argument("--verbose", action="store_true", help="every fault, not the first three")
    args = parser.parse_args()
    torch.set_num_threads(1)
    library, plugins = find_library(args.build)
    tenon = Tenon(library, [plugins], args.device)
    entries = [e for family in FAMILIES for e in family.ENTRIES]
    names = [e.name for e in entries]
    wrong = 0
    for name in sorted({n for n in names if names.count(n) > 1} | set(names) & set(APART)):
        wrong += 1
        print(f"wrong: {name} stands twice in the table")
    for name in sorted((set(names) | set(APART)) - set(tenon.ops)):
        wrong += 1
        print(f"wrong: {name} is in the table, but no op of this library")
    if args.op:
        entries = [e for e in entries if e.name in args.op]
        if len(entries) != len(set(args.op)):
            sys.exit("compare_torch: not every --op is in the table")
    wrong += compare(tenon, [e for e in entries if e.name in tenon.ops], args.verbose)
    if not args.op:
        for name, op in tenon.ops.items():
            if name in APART:
                print(f"not compared: {name}: {APART[name]}")
            elif name not in names and not op.plugin:
                wrong += 1
                print(f"wrong: {name} is neither in the table nor in apart.py")
    compared = len([e for e in entries if e.name in tenon.ops])
    print(f"{args.device}: {compared} ops compared with torch {torch.__version__}, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
