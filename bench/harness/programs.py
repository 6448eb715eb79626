"""Builds what a run needs and starts workers. A side that cannot be had gives a reason instead."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

from . import paths
from .worker import Worker, WorkerError

LIBTORCH = paths.BENCH / "peers" / "libtorch"
LIBTORCH_PROGRAMS = {
    "worker": ["worker", "attention", "conv", "dispatch", "eager", "elementwise", "matmul",
               "optimizer", "recurrent", "training"],
    "first_op": ["first_op"],
}
PYTHON_WORKERS = ("torch", "jax", "tensorflow", "safetensors")  # packages too


class Unavailable(Exception):
    """Why a side cannot be measured here."""


def newest(files):
    return max(file.stat().st_mtime for file in files)


def run_quietly(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"{shlex.join(map(str, command))} failed: {done.stderr.strip()[-400:]}")
    return done.stdout


def compiler(variable, default):
    return shlex.split(os.environ.get(variable, default))


# ---- ours ----------------------------------------------------------------------------------------


def build_ours():
    """Configures and builds build/release unless TENON_BUILD names another tree."""
    if not shutil.which("cmake"):
        print("bench: cmake is not installed", file=sys.stderr)
        return False
    if "TENON_BUILD" not in os.environ and not (paths.BUILD / "CMakeCache.txt").exists():
        print("bench: configuring build/release", file=sys.stderr)
        done = subprocess.run(["cmake", "--preset", "release"], cwd=paths.ROOT, stdout=sys.stderr)
        if done.returncode:
            return False
    command = ["cmake", "--build", paths.BUILD, "--target", "bench_programs", "tenon_plugins"]
    return subprocess.run(command, cwd=paths.ROOT, stdout=sys.stderr).returncode == 0


def our_program(name):
    path = paths.BUILD / "bin" / name
    if not path.exists():
        raise Unavailable(f"{name} is not built")
    return path


# ---- peers ---------------------------------------------------------------------------------------


def torch_version(packages):
    text = (packages / "torch" / "version.py").read_text()
    return re.search(r"__version__ = '([^']*)'", text)[1]


def libtorch_program(name):
    """Compiles it against the wheel when its sources are newer; about half a minute."""
    packages = paths.peers_packages()
    if not packages or not (packages / "torch" / "lib" / "libtorch_cpu.so").exists():
        raise Unavailable("libtorch is not installed (--setup-peers)")
    version = torch_version(packages)
    target = paths.WORK / f"libtorch-{version}" / name
    sources = [LIBTORCH / f"{part}.cpp" for part in LIBTORCH_PROGRAMS[name]]
    shared = [LIBTORCH / "rows.hpp", *(paths.BENCH / "common").glob("*.h")]
    if target.exists() and target.stat().st_mtime > newest(sources + shared):
        return target
    print(f"bench: compiling the libtorch {name}", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    include, library = packages / "torch" / "include", packages / "torch" / "lib"
    # Only these two libraries: the CUDA ones would slow down the start of the peer.
    run_quietly([
        *compiler("CXX", "g++"), "-std=c++20", "-O2", "-DNDEBUG",
        "-isystem", include, "-isystem", include / "torch" / "csrc" / "api" / "include",
        f'-DTORCH_WHEEL_VERSION="{version}"', *sources, "-o", target,
        f"-L{library}", "-Wl,--no-as-needed", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{library}",
        f"-Wl,-rpath-link,{library}:{packages / 'nvidia' / 'cu13' / 'lib'}",
    ])  # fmt: skip
    return target


def python_program(name, script):
    """The command that runs a script of the peer `name`. Only that peer is in the process."""
    assert name in PYTHON_WORKERS, name
    python, packages = paths.peers_python(), paths.peers_packages()
    if not python or not (packages / name).exists():
        raise Unavailable(f"{name} is not installed (--setup-peers)")
    return [python, "-W", "ignore", paths.BENCH / "peers" / "python" / f"{name}_{script}.py"]


def sum_library():
    """The summing loop of S1 for the Python peers."""
    source = paths.BENCH / "common" / "sum_bytes.c"
    target = paths.WORK / "libbench_sum.so"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        run_quietly([*compiler("CC", "gcc"), "-std=c11", "-O3", "-shared", "-fPIC", "-pthread",
                     source, "-o", target])  # fmt: skip
    return target


def start(side, env):
    """A Worker for "tenon", "libtorch" or one of PYTHON_WORKERS. Raises Unavailable."""
    if side == "tenon":
        command = [our_program("bench_worker")]
    elif side == "libtorch":
        command = [libtorch_program("worker")]
    else:
        command = python_program(side, "worker")
    worker = Worker(command, env)
    try:
        worker.cases()
    except WorkerError as error:
        worker.close()
        raise Unavailable(str(error)) from None
    return worker


def first_op_command(side):
    if side in PYTHON_WORKERS:
        return python_program(side, "first_op")
    return [our_program("bench_first_op") if side == "tenon" else libtorch_program("first_op")]


# ---- the machine ---------------------------------------------------------------------------------


def ceilings_program():
    source, target = paths.BENCH / "ceilings.c", paths.WORK / "ceilings"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        run_quietly([*compiler("CC", "gcc"), "-std=c11", "-O3", "-ffp-contract=fast",
                     source, "-o", target, "-pthread"])  # fmt: skip
    return target


def ceilings(times):
    """What bench/ceilings.c measures, of each figure the most of so many runs, or {} without a compiler."""
    try:
        runs = [json.loads(run_quietly([ceilings_program(), str(paths.THREADS)])) for _ in range(times)]
    except (Unavailable, FileNotFoundError) as error:
        print(f"bench: no ceilings: {error}", file=sys.stderr)
        return {}
    return {key: max(run[key] for run in runs) for key in runs[0]}


def pace_command():
    """The program of harness/pace.py, or None without a compiler."""
    try:
        return [ceilings_program(), str(paths.THREADS), "pace"]
    except (Unavailable, FileNotFoundError):
        return None
