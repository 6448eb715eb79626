#!/usr/bin/env python3
"""`tenon profile` on a program of known calls. Usage: profile_test.py TENON PLUGIN_FOLDER PROGRAM"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TENON, PLUGINS, PROGRAM = sys.argv[1:4]
ENV = os.environ | {"TENON_PLUGIN_PATH": PLUGINS, "COLUMNS": "80"}
FLOP, BYTES = 10 * 2 * 64 * 32 * 16, 10 * 4 * (64 * 32 + 32 * 16 + 64 * 16)


def run(*args):
    return subprocess.run([TENON, *args], capture_output=True, text=True, env=ENV, timeout=60)


class Profile(unittest.TestCase):
    def check_report(self, done, status):
        report = json.loads(done.stdout)
        ops = {row["op"]: row for row in report["ops"]}
        # What was captured was not computed by a call.
        self.assertEqual(set(ops), {"matmul"})
        product = ops["matmul"]
        self.assertEqual((product["calls"], product["flop"], product["bytes"]), (10, FLOP, BYTES))
        top = report["ceilings"]["fma_gflops"]
        self.assertAlmostEqual(product["ceiling"], FLOP / product["ns"] / top)
        self.assertLess(product["ns"], report["ns"])
        # A step of the program by what it counts, with the time that the trace has for it.
        (step,) = report["steps"]
        self.assertEqual((step["program"], step["calls"], step["bytes"], step["flop"]),
                         ("twice", 3, 3 * 3 * 4 * 64 * 32, None))
        self.assertGreater(step["ns"], 0)
        self.assertLess(step["ns"], report["ns"])
        events = {(row["what"], row["name"]): row["calls"] for row in report["events"]}
        self.assertEqual(events["program", "twice"], 3)
        self.assertGreaterEqual(sum(n for (what, _), n in events.items() if what == "kernel"), 10)
        self.assertGreaterEqual(max(s[1] for s in report["memory"]), 4 * (64 * 32 + 32 * 16))
        self.assertEqual((report["status"], report["runtimes"]), (status, 1))
        return events

    def test_calls_bytes_operations_and_the_trace(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder, "trace.json")
            done = run("profile", "--json", "--trace", str(trace), PROGRAM)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("done", done.stderr)  # the program's own words
            events = self.check_report(done, 0)
            shown = [e for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"]
            self.assertEqual(len([e for e in shown if e["cat"] == "kernel"]),
                             sum(n for (what, _), n in events.items() if what == "kernel"))
            self.assertEqual(len([e for e in shown if e["name"] == "matmul" and e["cat"] == "op"]), 10)

    def test_its_arguments_and_its_status(self):
        done = run("profile", "--json", PROGRAM, "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ended with 3", done.stderr)
        self.check_report(done, 3)

    def test_a_runtime_that_is_never_given_back(self):
        done = run("profile", "--json", PROGRAM, "0", "--leave")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_report(done, 0)

    def test_table(self):
        done = run("profile", PROGRAM)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("done", "matmul", 'captured program "twice"', "memory in use", "GFLOP/s"):
            self.assertIn(words, done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_what_cannot_be_profiled(self):
        done = run("profile", "/bin/true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("made no runtime", done.stderr)
        for arguments, word in ((["./no_such_program"], "cannot be run"), ([], "PROGRAM is missing"),
                                (["--trace", "/no/folder/x", PROGRAM], "cannot write")):
            done = run("profile", *arguments)
            self.assertEqual((done.returncode, done.stdout.count("Traceback")), (2, 0), done.stderr)
            self.assertIn(word, done.stderr)


unittest.main(argv=sys.argv[:1])
