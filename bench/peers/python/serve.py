"""The Python worker's side of the bench protocol: see bench/common/serve.h."""

import os
import sys
import time

THREADS = int(os.environ.get("BENCH_THREADS", "2"))


class Case:
    """One case. Override what it needs; run() gives nanoseconds for `count` iterations."""

    def prepare(self):
        pass

    def run(self, count):
        raise NotImplementedError

    def check(self):
        return []


def timed(count, body):
    start = time.perf_counter_ns()
    for _ in range(count):
        body()
    return time.perf_counter_ns() - start


def serve(about, cases):
    """Answers until stdin ends. `cases`: {id: Case}. Whatever a library prints goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        verb, case_id, count = (line.split() + ["", "", ""])[:3]
        if verb == "quit":
            break
        try:
            replies.write("> " + answer(about, cases, verb, case_id, count) + "\n")
        except Exception as error:  # the worker answers and goes on
            text = str(error).strip().split("\n")[0]
            replies.write(f"> error {type(error).__name__}: {text}\n")


def answer(about, cases, verb, case_id, count):
    if verb == "about":
        return "about " + about
    if verb == "list":
        return "list " + " ".join(cases)
    if verb == "memory":
        return "memory 0"
    case = cases[case_id]
    if verb == "prepare":
        start = time.perf_counter()
        case.prepare()
        return f"ok {time.perf_counter() - start:.6f}"
    if verb == "run":
        return f"ns {case.run(int(count)) / int(count):.6f}"
    if verb == "check":
        return "values " + " ".join(repr(float(v)) for v in case.check())
    raise ValueError(f"no such command: {verb}")
