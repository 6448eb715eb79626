#!/usr/bin/env python3
"""README.md and docs/plugins.md against what is there: their programs are the samples', the files they point to exist, and
tools/demo still prints what README.md shows, but for what depends on the machine.

Usage: readme_test.py ROOT [BIN_FOLDER PLUGIN_FOLDER]     without the folders the demo is left out
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(sys.argv[1])
readme = (root / "README.md").read_text()
plugins_page = (root / "docs/plugins.md").read_text()


def check_programs():
    _, program = (root / "samples/hello.c").read_text().split("\n", 1)  # without its first comment
    assert program in readme, "README.md: the program is not that of samples/hello.c"
    for name in ("lion.cpp", "CMakeLists.txt"):
        text = (root / "samples/embed/plugin" / name).read_text()
        assert text in plugins_page, f"docs/plugins.md: not that of {name}"


def check_links():
    for page in (root / "README.md", root / "docs/plugins.md"):
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)  # programs apart
        links = re.findall(r"\]\(([^)#:]+)\)", text)
        missing = [p for p in links if not (page.parent / p).exists()]
        assert not missing, f"{page} points to {missing}"


# ---- the demo

# Patterns of its stable lines, in order. What the groups hold must be the same in README.md and in print.
DEVICES = [r"  name +label +plugin +memory +kernels", r"  cpu:0 .* org\.tenon\.cpu .* (\d+)",
           r"  reference:0 .* org\.tenon\.reference +- +(\d+)"]
TRAINING = [r"(\d+) digits to train on, (\d+) held out, on (cpu:0)", r"saved (model\.safetensors)"]
CURVE = [r"loss", r" +\d\.\d{3} \|\*+", r"        \|[ *]+", r"  0\.000 \|", r"        \+-{64}", r"         epoch 1 +(20)"]
MISREAD = r"(\d+) of (\d+) misread; the first of them, by their line in digits\.csv:"
PICTURES = [r"( \d read as \d *){4}", r"( line \d+ *){4}"]
ACCURACY = r"test accuracy: (\d+\.\d) %"


def shown():
    """The demo's block of README.md, without its indentation."""
    block = re.search(r"^      name +label.*?(?=^\S)", readme, re.M | re.S)
    assert block, "README.md shows no demo"
    return [line[4:] for line in block[0].splitlines()]


def printed(bin_folder, plugins):
    env = {k: v for k, v in os.environ.items() if k != "TENON_DEVICE"} | {"TENON_PLUGIN_PATH": plugins}
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for program, *args in (["tenon", "devices"], ["train_digits"], ["infer_digits"]):
            done = subprocess.run([pathlib.Path(bin_folder, program).absolute(), *args], cwd=folder, env=env,
                                  capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            lines += done.stdout.splitlines()
    return lines


def parts(lines, where):
    """What the stable lines say, and the accuracy in percent."""
    found, rest = [], iter(lines)
    for pattern in [*DEVICES, *TRAINING, *CURVE, MISREAD, *PICTURES, ACCURACY]:
        hit = next((h for line in rest if (h := re.fullmatch(pattern, line.rstrip()))), None)
        assert hit, f"{where}: no line {pattern!r}, or not in this place:\n" + "\n".join(lines)
        if pattern == MISREAD:
            wrong, of = map(int, hit.groups())
        elif pattern == ACCURACY:
            accuracy = float(hit[1])
        elif pattern not in PICTURES:
            found += hit.groups()
    assert abs(100 - 100 * wrong / of - accuracy) < 0.051, f"{where}: {wrong} of {of} misread is not {accuracy} %"
    return found, accuracy


def check_demo(bin_folder, plugins):
    there, promised = parts(shown(), "README.md")
    here, accuracy = parts(printed(bin_folder, plugins), "the demo")
    assert there == here, f"README.md shows {there}, the demo prints {here}"
    assert abs(promised - accuracy) <= 0.5, f"README.md shows {promised} %, the demo prints {accuracy} %"


check_programs()
check_links()
if len(sys.argv) > 2:
    check_demo(*sys.argv[2:])
