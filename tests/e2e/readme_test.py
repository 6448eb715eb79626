#!/usr/bin/env python3
"""README.md and the pages for authors of plugins against what is there: their programs are the samples', every snippet of
docs/writing-*.md is in a template or a sample, the files they point to exist, and tools/demo still prints what README.md shows, but
for what depends on the machine.

Usage: readme_test.py ROOT [BIN_FOLDER PLUGIN_FOLDER]     without the folders the demo is left out
       readme_test.py --installed FOLDER                  what the installed pages point to
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

installed = sys.argv[1] == "--installed"
root = pathlib.Path(sys.argv[2 if installed else 1])
readme = (root / "README.md").read_text()
pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted(root.glob("docs/*.md"))]
guides = sorted(root.glob("docs/writing-*.md"))


def check_programs():
    _, program = (root / "samples/hello.c").read_text().split("\n", 1)  # without its first comment
    assert program in readme, "README.md: the program is not that of samples/hello.c"


def check_snippets():
    """What stands between fences is, line by line, part of a file that a test builds and runs."""
    files = [p for folder in ("sdk/template", "samples") for p in sorted((root / folder).rglob("*")) if p.is_file()]
    texts = ["\n" + p.read_text(errors="replace") for p in files]
    assert len(guides) == 4, guides
    for page in [*guides, root / "docs/plugins.md", root / "docs/ops.md"]:
        snippets = re.findall(r"^```(?:c|cpp|cmake)\n(.*?)^```$", page.read_text(), re.M | re.S)
        assert snippets or page not in guides, f"{page} shows nothing"
        for snippet in snippets:
            assert any("\n" + snippet in t for t in texts), f"{page}: in no template and no sample:\n{snippet}"
    for page in guides:  # the commands are those that tests/e2e/new_test.py runs
        kind = re.search(r"^    tenon new (\w+) (\w+)$", page.read_text(), re.M)
        assert kind, f"{page} does not say how to begin"
        for command in (f"cd {kind[2]}", "cmake -B build -DCMAKE_PREFIX_PATH=$P", "cmake --build build && build/check"):
            assert f"\n    {command}\n" in page.read_text(), f"{page}: no line {command!r}"


def check_links():
    for page in pages:
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


check_links()
if installed:
    sys.exit()
check_programs()
check_snippets()
if len(sys.argv) > 2:
    check_demo(*sys.argv[2:])
