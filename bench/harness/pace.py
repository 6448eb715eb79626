"""Whether the machine runs at its full rate. Where other machines share its processors they are slower for moments, from a tenth of a second
to hours, at products of tiles by a factor of 2.5: a sample counts where a short burst of work took its least time before it and after it.
Each side's are taken again by themselves, by the same rule. Bursts run on the first of the processors there are."""

import subprocess
import time

from . import programs
from .worker import warn

FULL = 1.4  # times the least that a burst took: clocks differ by a quarter, a shared processor by twice
FIRST_SECONDS = 3.0  # of bursts before the first is judged
REST_SECONDS = 0.005  # between bursts while the machine is slow


class Pace:
    """A process that works for a third of a millisecond a question."""

    def __init__(self, wanted=True):
        command = programs.pace_command() if wanted else None
        self.process = command and subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.least = float("inf")
        if self.process:
            until = time.monotonic() + FIRST_SECONDS
            while time.monotonic() < until:
                self.full()
                time.sleep(REST_SECONDS)

    def full(self):
        """Whether the machine runs at its full rate now; True where nothing can tell."""
        if not self.process:
            return True
        try:
            self.process.stdin.write("\n")
            took = float(self.process.stdout.readline())
        except (OSError, ValueError):  # it is gone: nothing can tell any more
            warn("the process that tells how fast the machine is has ended; samples count as they are")
            self.process = None
            return True
        self.least = min(self.least, took)
        return took <= FULL * self.least

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()


class Patience:
    """How long a case may wait for the machine altogether; what is taken after that counts as it is."""

    def __init__(self, pace, seconds):
        self.pace, self.left = pace, seconds
        self.taken = self.slow = 0  # samples that count, and of them those taken while the machine was slow

    def wait(self):
        """Whether the machine is fast now; after a wait where that helps."""
        start = time.monotonic()
        while not self.pace.full():
            if self.left <= 0:
                return False
            time.sleep(REST_SECONDS)
            now = time.monotonic()
            self.left, start = self.left - (now - start), now
        return True

    def sample(self, side):
        """Of `side`, taken again until the machine was fast before and after it."""
        while True:
            full = self.wait()
            start = time.monotonic()
            value = side.sample()
            full = self.pace.full() and full
            if full or self.left <= 0:
                self.taken, self.slow = self.taken + 1, self.slow + (not full)
                return value
            self.left -= time.monotonic() - start

    def remark(self):
        if not self.slow:
            return None
        return f"{self.slow} of {self.taken} samples while the machine was slower than it can be"
