#!/usr/bin/env python3
"""Rules about the sources: length of files, size of core, one version, CMake habits.

Usage: check_tree.py [ROOT]. Prints one line per offence; exits with 1 if there is any.
"""

import os
import pathlib
import re
import sys

FILE_LIMIT = 800
CORE_LIMIT = 16900  # lines of core without ops and passes, whose files know nothing of each other
APART = ("core/src/ops/", "core/src/passes/")
GENERATED = re.compile(r"\W*Made by tools/")  # how a generated file begins
CODE = {".c", ".h", ".cpp", ".hpp", ".inc", ".def", ".cu", ".cl", ".comp", ".glsl"}
TEXT = CODE | {".py", ".cmake", ".sh"}
SKIP = {"build", ".git", ".venv", "node_modules", "data"}


def files(root):
    for folder, names, found in os.walk(root):
        names[:] = [n for n in names if n not in SKIP and not n.startswith(".venv")]
        for name in sorted(found):
            yield pathlib.Path(folder, name)


def is_text(path):
    return path.suffix in TEXT or path.name == "CMakeLists.txt" or \
        (path.parent.name == "tools" and not path.suffix)


def check_cmake(path, text):
    for word in ["FetchContent", "ExternalProject_Add", r"file\(GLOB", r"\badd_compile_options\(",
                 r"\badd_definitions\(", r"\bset\(CMAKE_(C|CXX)_FLAGS\b", r"\blink_libraries\(",
                 r"^include_directories\(", r"\blink_directories\(", r"\badd_link_options\("]:
        for match in re.finditer(word, text, re.M):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match[0].strip()} is not used here; set it on a target"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    faults, core = [], 0
    for path in files(root):
        where = path.relative_to(root).as_posix()
        if not is_text(path):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        lines = text.count("\n")
        if lines > FILE_LIMIT and not GENERATED.match(text):
            faults.append(f"{where}: {lines} lines, the limit is {FILE_LIMIT}")
        if path.suffix in CODE and where.startswith("core/") and not where.startswith(APART):
            core += lines
        if path.name == "CMakeLists.txt" or path.suffix == ".cmake":
            faults += check_cmake(where, text)
    print(f"core without ops and passes: {core} lines of {CORE_LIMIT}")
    if core > CORE_LIMIT:
        faults.append(f"core: {core} lines without ops and passes, the limit is {CORE_LIMIT}")

    base, cmake = root / "abi/include/tenon/base.h", root / "CMakeLists.txt"
    if base.exists() and cmake.exists():
        header = re.search(r"define TENON_VERSION TN_VERSION_MAKE\((\d+), (\d+), (\d+)\)",
                           base.read_text())
        project = re.search(r"project\(Tenon VERSION (\d+)\.(\d+)\.(\d+)", cmake.read_text())
        if header and project and header.groups() != project.groups():
            faults.append("abi/include/tenon/base.h: TENON_VERSION is not that of CMakeLists.txt")

    print("\n".join(faults) if faults else "tree: within its limits")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
