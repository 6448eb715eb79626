"""Where things lie. Environment: TENON_BUILD, TENON_PEERS, BENCH_THREADS."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench"
BUILD = Path(os.environ.get("TENON_BUILD", ROOT / "build" / "release"))
PEERS = Path(os.environ.get("TENON_PEERS", ROOT / "build" / "peers"))
WORK = ROOT / "build" / "bench"  # peer programs, the ceilings program, data files
THREADS = int(os.environ.get("BENCH_THREADS", "2"))


def peers_python():
    """The Python of the peers' environment, or None."""
    python = PEERS / "bin" / "python"
    return python if python.exists() else None


def peers_packages():
    """site-packages of the peers' environment, or None."""
    found = sorted(PEERS.glob("lib/python3*/site-packages"))
    return found[0] if found else None
