#!/usr/bin/env python3
"""A template, copied by `tenon new` of the installed tree into an empty folder, is configured, built, loaded and run as a
newcomer does it, with nothing of the source tree in reach.

Usage: new_test.py PREFIX KIND [cmake option...]
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

prefix, kind, *options = sys.argv[1:]
TENON = pathlib.Path(prefix, "bin/tenon")
NAME = f"demo_{kind}9"
# The level that `tenon verify` must reach.
LEVELS = {"backend": "L4", "op": "L4", "optimizer": "L4", "format": "L4"}
# Names that something has.
TAKEN = {"backend": ["cpu", "reference"], "op": ["add", "conv2d"], "optimizer": ["adamw", "sgd", "basic"], "format": ["safetensors"]}
# A number that check.c wants, another, and what it says then.
WRONG = {"op": ("1.5f, 4.5f}", "1.5f, 4.25f}", "wrong at [2], want_y is 4.25"),
         "optimizer": ("{0.2629208f, 2,", "{0.2629208f, 3,", "w[1] is wrong, want is 3")}
ENV = {k: v for k, v in os.environ.items() if not k.startswith("TENON_")}


def run(*command, cwd, status=0):
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=ENV, capture_output=True, text=True, timeout=600)
    assert done.returncode == status, f"{command} gave {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def check_refusals(folder):
    """Names that are none, kinds that are none, and what is there already: nothing is written."""
    before = sorted(folder.rglob("*"))
    for name in ("", "X", "9a", "a-b", "../a", "a/b", "a" * 65):
        assert "cannot name" in run(TENON, "new", kind, name, cwd=folder, status=2).stderr
    for name in TAKEN[kind]:
        assert re.search("already, of |Tenon has a plugin", run(TENON, "new", kind, name, cwd=folder, status=2).stderr), name
    assert "there are backend" in run(TENON, "new", "thing", "a", cwd=folder, status=2).stderr
    assert "is there already" in run(TENON, "new", kind, NAME, cwd=folder, status=1).stderr
    assert "is no folder" in run(TENON, "new", kind, "a", "--into", "nowhere", cwd=folder, status=1).stderr
    assert sorted(folder.rglob("*")) == before


def check_names(project):
    """Nothing of the template's own name is left."""
    for file in project.rglob("*"):
        text = str(file.relative_to(project)) + (file.read_text() if file.is_file() else "")
        assert not re.search("mydevice|myop(?!t)|myoptimizer|myformat", text), f"{file} keeps the template's name"


def verify(plugin, folder):
    report = folder / "verify.json"
    run(TENON, "verify", plugin, "--level", LEVELS[kind], "--brief", "--json", report, cwd=folder)
    found = json.loads(report.read_text())
    assert found["level"] == LEVELS[kind] and found["counts"]["fail"] == 0, found["counts"]


os.umask(0o002)  # what it makes is trusted all the same
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    os.chmod(folder, 0o755)
    said = run(TENON, "new", kind, NAME, cwd=folder).stdout
    library = f"build/lib/tenon/plugins/tenon_{'ops' if kind == 'op' else kind}_{NAME}.so"
    assert f"cd ./{NAME}" in said and "cmake --build build" in said and f"tenon verify {library}" in said, said
    project = folder / NAME
    check_refusals(folder)
    check_names(project)
    if kind == "backend":
        lines = sum(len(f.read_text().splitlines()) for f in project.rglob("*") if f.is_file())
        assert lines <= 600, f"the template of a backend has {lines} lines"
    run("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", *options, cwd=project)
    built = run("cmake", "--build", "build", cwd=project)
    assert "warning" not in built.stdout + built.stderr, built.stdout + built.stderr
    print(run(project / "build/check", cwd=folder).stdout)
    plugins = project / "build/lib/tenon/plugins"
    rows = json.loads(run(TENON, "--plugin", plugins, "plugins", "--json", cwd=folder).stdout)
    mine = [r for r in rows if r["id"] == f"com.example.{NAME}"]
    assert [r["verdict"] for r in mine] == ["loaded"], mine
    assert NAME in mine[0]["provides"], mine
    if kind == "op":  # a name that is near, once
        nearest = run(TENON, "--plugin", plugins, "ops", NAME + "0", cwd=folder, status=1).stderr
        assert nearest.count(f'"{NAME}"') == 1, nearest
    verify(project / library, folder)
    if kind in WRONG:  # what check.c wants is no more what comes out
        file = project / "check.c"
        file.write_text(file.read_text().replace(*WRONG[kind][:2]))
        run("cmake", "--build", "build", "--target", "check", cwd=project)
        assert WRONG[kind][2] in run(project / "build/check", cwd=folder, status=1).stderr
