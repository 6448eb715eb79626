#!/usr/bin/env python3
"""The program in README.md is samples/hello.c, and the files it points to are there. Usage: readme_test.py ROOT"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
readme = (root / "README.md").read_text()
_, program = (root / "samples/hello.c").read_text().split("\n", 1)  # without its first comment
assert program in readme, "README.md: the program is not that of samples/hello.c"
missing = [p for p in re.findall(r"\]\(([^)#:]+)\)", readme) if not (root / p).exists()]
assert not missing, f"README.md points to {missing}"
