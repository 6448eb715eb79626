#!/usr/bin/env python3
"""Every header of the ABI compiles alone, without a warning, in each language that it promises; every header of the C++ binding and
of the SDK in C++20.

Usage: check_headers.py gcc|clang [INCLUDE_DIR]. Exits with 77 where the compiler is not installed.
"""

import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "abi/include"
COMPILERS = {"gcc": (["gcc"], ["g++"]), "clang": (["clang", "clang-14"], ["clang++", "clang++-14"])}
STANDARDS = {"c": ["c99", "c11", "c17"], "c++": ["c++17", "c++20"]}
# Over the headers of the ABI, in C++20 alone.
CPP = [INCLUDE.parents[1] / "bindings/cpp/include", INCLUDE.parents[1] / "sdk/include"]
CPP_FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wshadow", "-pedantic", "-Werror", "-fsyntax-only"]
FLAGS = ["-Wall", "-Wextra", "-Wpadded", "-Wundef", "-Wstrict-prototypes", "-pedantic", "-Werror",
         "-fsyntax-only"]


def main():
    include = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else INCLUDE
    tools = [next(filter(None, map(shutil.which, names)), None) for names in COMPILERS[sys.argv[1]]]
    if None in tools:
        print(f"skipped: {sys.argv[1]} is not installed")
        return 77
    headers = sorted(p.relative_to(include).as_posix() for p in (include / "tenon").rglob("*.h"))
    with tempfile.TemporaryDirectory() as folder:
        def run(language, standard, tool):
            sources = []
            for name in headers:
                source = pathlib.Path(folder, standard + "_" + name.replace("/", "_") + "." + language)
                source.write_text(f"#include <{name}>\n#include <{name}>\n")
                sources.append(str(source))
            flags = [f for f in FLAGS if language == "c" or f != "-Wstrict-prototypes"]
            return subprocess.run([tool, "-x", language, "-std=" + standard, *flags,
                                   "-I", str(include), *sources], capture_output=True, text=True,
                                  check=False)

        def run_cpp(base, tool):
            sources = []
            for path in sorted((base / "tenon").rglob("*.hpp")):
                name = path.relative_to(base).as_posix()
                source = pathlib.Path(folder, name.replace("/", "_") + ".cpp")
                source.write_text(f"#include <{name}>\n#include <{name}>\n")
                sources.append(str(source))
            return subprocess.run([tool, *CPP_FLAGS, "-I", str(include), "-I", str(base), *sources],
                                  capture_output=True, text=True, check=False)

        jobs = [(language, standard, tool) for (language, standards), tool
                in zip(STANDARDS.items(), tools) for standard in standards]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda job: run(*job), jobs))
            if len(sys.argv) == 2:
                jobs += [("c++", "c++20 " + base.parent.name, tools[1]) for base in CPP]
                results += pool.map(lambda base: run_cpp(base, tools[1]), CPP)
    failed = 0
    for (_, standard, tool), done in zip(jobs, results):
        if done.returncode or done.stderr:
            failed += 1
            print(f"{tool} -std={standard}:\n{done.stderr[:4000]}")
    print(f"{len(headers)} headers, {len(jobs)} languages of {sys.argv[1]}, {failed} with faults")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
