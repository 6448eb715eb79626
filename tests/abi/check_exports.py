#!/usr/bin/env python3
"""The library exports the functions of the application tier and nothing else.

Usage: check_exports.py [--nm NM] [--abi abi.json] LIBRARY
"""

import argparse
import json
import pathlib
import subprocess
import sys

ABI = pathlib.Path(__file__).resolve().parents[2] / "abi/abi.json"


def exported(nm, library):
    """Names of the symbols that the library defines, without the nodes of its versions."""
    text = subprocess.run([nm, "-D", "--defined-only", library], capture_output=True, text=True,
                          check=True).stdout
    rows = [line.split() for line in text.splitlines()]
    return {row[-1].split("@")[0] for row in rows if row[-2] != "A"}


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--nm", default="nm")
    args.add_argument("--abi", type=pathlib.Path, default=ABI)
    args.add_argument("library")
    args = args.parse_args()
    headers = json.loads(args.abi.read_text())["headers"].values()
    promised = {f["name"] for h in headers if h["tier"] == "application"
                for f in h.get("functions", [])}
    found = exported(args.nm, args.library)
    for name in sorted(promised - found):
        print(f"{name}: promised by a header, not exported")
    for name in sorted(found - promised):
        print(f"{name}: exported, but in no header")
    print(f"{len(promised & found)} functions of {len(promised)}")
    return 0 if promised == found and promised else 1


if __name__ == "__main__":
    sys.exit(main())
