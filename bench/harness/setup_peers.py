"""./tools/bench --setup-peers: a virtual environment with the peers, about two minutes and 4 GB."""

import shutil
import subprocess
import sys
import venv

from . import paths


def read_pins():
    """The two lists of bench/peers/pins.txt by section name."""
    sections, current = {}, None
    for line in (paths.BENCH / "peers" / "pins.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line:
            current.append(line)
    return sections


def missing_tools():
    wants = {"gcc": "gcc", "readelf": "binutils", "nm": "binutils"}
    packages = {package for tool, package in wants.items() if not shutil.which(tool)}
    try:
        import ensurepip  # noqa: F401  Debian keeps it in a package of its own
    except ImportError:
        packages.add("python3-venv")
    return sorted(packages)


def setup():
    """Returns an exit code."""
    if packages := missing_tools():
        print(f"bench: --setup-peers needs: {' '.join(packages)}", file=sys.stderr)
        return 1
    print(f"peers: {paths.PEERS}")
    venv.create(paths.PEERS, with_pip=True)
    pins = read_pins()
    pip = [paths.PEERS / "bin" / "python", "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check"]
    try:
        for section in pins:
            options = ["--no-deps"] if section == "without-dependencies" else []
            print(f"installing {' '.join(pins[section])}", flush=True)
            # pip remarks on what torch is left without; the import below is the test that counts.
            command = [*pip, *options, *pins[section]]
            subprocess.run(command, check=True, capture_output=True, text=True)
        print("stubs for what a run on the CPU never calls", flush=True)
        stubs = paths.BENCH / "peers" / "stubs.py"
        library = paths.peers_packages() / "torch" / "lib"
        subprocess.run([sys.executable, stubs, library], check=True)
        python = paths.peers_python()
        for together in ("torch, jax, safetensors", "tensorflow"):  # the last one shares no process with the others
            test = f"import {together}; print(*(f'{{m.__name__}} {{m.__version__}}' for m in ({together},)))"
            subprocess.run([python, "-W", "ignore", "-c", test], check=True)
    except subprocess.CalledProcessError as error:
        print(f"bench: failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        if error.stderr:
            print(error.stderr.strip()[-1000:], file=sys.stderr)
        return 1
    return 0
