"""One side of a case as a thing that gives one sample at a time, in nanoseconds or bytes."""

import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import paths, programs
from .programs import Unavailable
from .worker import Worker, WorkerError  # noqa: F401  WorkerError is for callers

SETTLE_SECONDS = 0.01  # between samples of processes that cannot be paused


class Side:
    """`sample()` measures once; `check` holds values that the other sides must reproduce."""

    name = ""
    about = ""
    prepare_seconds = 0.0
    check = None
    expected_ns = sample_ns = 0  # of an iteration and of a sample, where that is known beforehand

    def sample(self):
        raise NotImplementedError


class StepsSide(Side):
    """A case of a long-running worker."""

    def __init__(self, name, worker, case):
        self.name, self.worker, self.case = name, worker, case
        worker.resume()
        self.about = worker.about()
        self.prepare_seconds = worker.prepare(case)
        self.check = worker.check(case)
        self.count = 1
        worker.pause()

    def calibrate(self, target_ns):
        """Chooses the number of iterations that takes about target_ns."""
        self.worker.resume()
        while True:
            took = self.worker.run(self.case, self.count) * self.count
            if took >= target_ns / 3:
                break
            wanted = int(self.count * target_ns / took)
            self.count = max(self.count * 2, min(self.count * 100, wanted))
        self.expected_ns = took / self.count
        self.count = max(1, round(target_ns / self.expected_ns))
        self.sample_ns = self.expected_ns * self.count
        self.worker.pause()

    def sample(self):
        self.worker.resume()
        value = self.worker.run(self.case, self.count)
        self.worker.pause()
        return value


class FileSide(StepsSide):
    """Reads a file once per sample; with `cold`, the page cache has none of it."""

    def __init__(self, name, worker, case, path, cold):
        super().__init__(name, worker, case)
        self.path, self.cold = path, cold

    def calibrate(self, target_ns):
        pass

    def sample(self):
        if self.cold:
            descriptor = os.open(self.path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
        return super().sample()


class StartSide(Side):
    """From before the process exists to the clock that it prints after its first op."""

    def __init__(self, name, command, env):
        self.name, self.command = name, [str(part) for part in command]
        self.env = {**os.environ, **env}
        self.expected_ns, sum_of_first = self._once()
        self.sample_ns, self.check = self.expected_ns, [sum_of_first]

    def _once(self):
        read, write = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)]
        start = time.monotonic_ns()
        pid = os.posix_spawn(self.command[0], self.command, self.env, file_actions=actions)
        os.close(write)
        with os.fdopen(read) as stream:
            words = [line[2:].split() for line in stream if line.startswith("> ")]
        os.waitpid(pid, 0)
        if not words or words[0][0] != "ns":
            reason = " ".join(words[0]) if words else "no answer"
            raise Unavailable(f"{Path(self.command[-1]).name}: {reason}")
        return float(words[0][1]) - start, float(words[0][2])

    def sample(self):
        time.sleep(SETTLE_SECONDS)
        return self._once()[0]


class MemorySide(Side):
    """Peak of anonymous memory over the idle state, or of the whole process. Each sample is a new
    process."""

    def __init__(self, name, kind, case, env, whole):
        self.steps = 50 if case == "S5" else 5  # memory no longer grows after a few
        self.name, self.kind, self.case, self.env, self.whole = name, kind, case, env, whole
        worker = programs.start(kind, env)
        try:
            self.about = worker.about()
            worker.prepare(case)
            self.check = worker.check(case)
        finally:
            worker.close()

    def sample(self):
        worker = programs.start(self.kind, self.env)
        try:
            worker.prepare(self.case)
            idle = 0 if self.whole else anonymous_bytes(worker.pid)
            seen, done = [], threading.Event()

            def watch():
                while not done.is_set():
                    seen.append(anonymous_bytes(worker.pid))
                    time.sleep(0.001)

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                worker.run(self.case, self.steps)
            finally:
                done.set()
                watcher.join()
            # An allocator whose memory is not anonymous counts with its own figure.
            return max(max(seen) - idle, worker.peak_bytes())
        finally:
            worker.close()


def anonymous_bytes(pid):
    """Anonymous resident memory of a process."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
    return 0


# ---- sizes and files -----------------------------------------------------------------------------

LIBRARIES = {
    "libtenon": Path("lib/libtenon.so"),
    "cpu": Path("lib/tenon/plugins/tenon_backend_cpu.so"),
}


def stripped_bytes(name):
    library = paths.BUILD / LIBRARIES[name]
    if not library.exists():
        raise Unavailable(f"{library.name} is not built")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "stripped")
        subprocess.run(["strip", "-o", target, library], check=True)
        return target.stat().st_size


def safetensors_file(tensors=25, elements=5_000_000):
    """A file of 500 MB of f32, made once. Its bytes are random."""
    path = paths.WORK / "data" / "500mb.safetensors"
    size = 4 * elements
    header = {
        f"layer{i:02}.weight": {
            "dtype": "F32",
            "shape": [elements // 1000, 1000],
            "data_offsets": [i * size, (i + 1) * size],
        }
        for i in range(tensors)
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    total = 8 + len(text) + tensors * size
    if not path.exists() or path.stat().st_size != total:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        with open(partial, "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            block = os.urandom(size)
            for i in range(tensors):
                out.write(block[i * 8 :] + block[: i * 8])
            out.flush()
            os.fsync(out.fileno())
        partial.rename(path)
    return path
