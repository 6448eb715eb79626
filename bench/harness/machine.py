"""What a run was made on, for the report and the JSON."""

import datetime
import os
import platform
import subprocess

from . import paths, programs


def _cpu():
    fields = {}
    try:
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    flags = fields.get("flags", fields.get("Features", "")).split()
    interesting = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "sve")
    return {
        "cpu": fields.get("model name", platform.processor() or platform.machine()),
        "cpu_family_model": f"{fields.get('cpu family', '?')}/{fields.get('model', '?')}",
        "cpu_features": [flag for flag in interesting if flag in flags],
    }


def _memory_gb():
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (ValueError, OSError):
        return None


def _os_name():
    try:
        for line in open("/etc/os-release", encoding="utf-8"):
            if line.startswith("PRETTY_NAME="):
                return line.split("=", 1)[1].strip().strip('"')
    except OSError:
        pass
    return platform.system()


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=paths.ROOT)
    except FileNotFoundError:
        return None
    return done.stdout.split("\n")[0].strip() or None


def describe(quick, rounds, warmups):
    """The "machine" object. Takes some seconds: the ceilings are measured."""
    machine = {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        **_cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": paths.THREADS,
        "memory_gb": _memory_gb(),
        "os": _os_name(),
        "kernel": platform.release(),
        "compiler": _first_line(*programs.compiler("CXX", "g++"), "--version"),
        "revision": _first_line("git", "rev-parse", "--short=12", "HEAD"),
        "load_before": round(os.getloadavg()[0], 2),
        "quick": quick,
        "rounds": rounds,
        "warmups": warmups,
    }
    machine.update({"ceilings": programs.ceilings(1 if quick else 5)})
    return machine


def summary(machine):
    """Two or three lines of at most 80 columns."""
    ceilings = machine["ceilings"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['os']}",
    ]
    if ceilings:
        lines.append(
            f"ceilings on {ceilings['threads']} threads: {ceilings['fma_gflops']} GFLOP/s f32 FMA"
            f" ({ceilings['isa']}), {ceilings['stream_gbs']} GB/s stream"
        )
    if "amx_bf16_gflops" in ceilings:
        lines.append(f"in tiles: {ceilings['amx_bf16_gflops']:,} GFLOP/s bf16")
    if machine["load_before"] > 0.5:
        lines.append(f"load {machine['load_before']}: other programs run here, expect noise")
    return lines
