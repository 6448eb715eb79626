"""One side of a comparison: a long-running process that answers one line for one line."""

import os
import signal
import subprocess
import sys

from . import paths


class WorkerError(Exception):
    pass


class Worker:
    """Starts `command`; its stderr is kept for the message of a crash. See bench/common/serve.h."""

    def __init__(self, command, env=None):
        self.command = [str(part) for part in command]
        full = {"PYTHONDONTWRITEBYTECODE": "1", "BENCH_THREADS": str(paths.THREADS)}
        full.update(env or {})
        log = paths.WORK / "stderr.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = open(log, "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **full},
        )

    @property
    def pid(self):
        return self.process.pid

    def ask(self, line):
        """The reply without its mark, split at blanks, its first word checked off."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        for reply in self.process.stdout:
            if reply.startswith("> "):
                words = reply[2:].split()
                if words[0] == "error":
                    raise WorkerError(f"{line}: {' '.join(words[1:])}")
                return words[1:]
        raise WorkerError(f"{line}: the worker ended ({self._last_words()})")

    def _last_words(self):
        code = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return f"exit {code}" + (f": {lines[-1]}" if lines else "")

    def about(self):
        return " ".join(self.ask("about"))

    def cases(self):
        return self.ask("list")

    def prepare(self, case):
        """Seconds that the set-up took."""
        return float(self.ask(f"prepare {case}")[0])

    def run(self, case, count):
        """Nanoseconds per iteration."""
        return float(self.ask(f"run {case} {count}")[0])

    def pause(self):
        """Stops the process until resume(): its spinning threads would slow down the other side."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def check(self, case):
        return [float(value) for value in self.ask(f"check {case}")]

    def peak_bytes(self):
        return int(self.ask("memory")[0])

    def close(self):
        self.resume()
        try:
            self.process.stdin.write("quit\n")
            self.process.stdin.close()
        except (BrokenPipeError, ValueError):
            pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


def warn(text):
    print(f"bench: {text}", file=sys.stderr)
