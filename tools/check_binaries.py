#!/usr/bin/env python3
"""Rules about the built libtenon: what it exports, needs and weighs. Of plugins only what they weigh; the rest `tenon verify` knows.

Usage: check_binaries.py [--readelf R] [--strip S] [--size-limit BYTES] [--plugin BYTES FILE] LIBTENON
Prints one line per offence; exits with 1 if there is any.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

CORE_NEEDS = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6"}


class Library:
    """The dynamic section and the dynamic symbols, as readelf shows them."""

    def __init__(self, readelf, path):
        text = subprocess.run([readelf, "--wide", "--dynamic", "--dyn-syms", str(path)],
                              check=True, capture_output=True, text=True).stdout
        self.needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", text))
        self.soname = re.findall(r"\(SONAME\).*\[(.*)\]", text)
        self.exports = set()
        for line in text.splitlines():
            columns = line.split()
            if len(columns) < 8 or not columns[0].rstrip(":").isdigit():
                continue
            binding, section, name = columns[4], columns[6], columns[7].split("@")[0]
            if section not in ("UND", "ABS") and binding != "LOCAL":
                self.exports.add(name)


def few(names):
    names = sorted(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def stripped_size(strip, path):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([strip, "-o", out.name, str(path)], check=True)
        return pathlib.Path(out.name).stat().st_size


def check_core(args):
    core = Library(args.readelf, args.libtenon)
    alien = {n for n in core.exports if not n.startswith("tn_")}
    if alien:
        yield f"exports besides tn_*: {few(alien)}"
    if not core.exports - alien:
        yield "exports nothing"
    if core.needed - CORE_NEEDS:
        yield f"needs {few(core.needed - CORE_NEEDS)}"
    size = stripped_size(args.strip, args.libtenon)
    limit = f" of {args.size_limit}" if args.size_limit else ""
    print(f"{args.libtenon.name}: {size} bytes{limit} stripped, {len(core.exports)} exports, "
          f"needs {', '.join(sorted(core.needed))}")
    if args.size_limit and size > args.size_limit:
        yield f"{size} bytes stripped, the limit is {args.size_limit}"


def check_plugin(args, limit, path):
    size = stripped_size(args.strip, path)
    print(f"{path.name}: {size} bytes of {limit} stripped")
    if size > limit:
        yield f"{size} bytes stripped, the limit is {limit}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--readelf", default="readelf")
    parser.add_argument("--strip", default="strip")
    parser.add_argument("--size-limit", type=int)
    parser.add_argument("--plugin", nargs=2, action="append", default=[], metavar=("BYTES", "FILE"))
    parser.add_argument("libtenon", type=pathlib.Path)
    args = parser.parse_args()

    faults = [f"{args.libtenon.name}: {fault}" for fault in check_core(args)]
    for limit, file in args.plugin:
        path = pathlib.Path(file)
        faults += [f"{path.name}: {fault}" for fault in check_plugin(args, int(limit), path)]
    print("\n".join(faults) if faults else "binaries: as they should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
