#!/usr/bin/env python3
"""`tenon bench` gives results in the form of ./tools/bench. Usage: bench_test.py TENON PLUGIN_FOLDER ROOT"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

TENON, PLUGINS, ROOT = sys.argv[1:4]
ENV = os.environ | {"TENON_PLUGIN_PATH": PLUGINS}
KEPT = sorted(pathlib.Path(ROOT, "bench/results").glob("*-intel-*.json"))[-1]


def run(*args):
    return subprocess.run([TENON, "bench", *args], capture_output=True, text=True, env=ENV, timeout=60)


class Bench(unittest.TestCase):
    def test_results_have_the_form_of_kept_ones(self):
        done = run("--quick", "--threads", "1", "D1", "D6", "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        result, kept = json.loads(done.stdout), json.loads(KEPT.read_text())
        self.assertEqual([row["id"] for row in result["rows"]], ["D1", "D6"])
        self.assertLessEqual(set(kept["machine"]) - set(result["machine"]), {"cpu_family_model", "cpu_features"})
        tiles = {"amx_bf16_gflops", "amx_int8_gops"}  # where the processor has them
        self.assertEqual(set(kept["machine"]["ceilings"]) - tiles, set(result["machine"]["ceilings"]) - tiles)
        pairs = {row["id"]: row for row in kept["rows"]}
        for row in result["rows"]:
            like = pairs.get(row["id"], pairs["D1"])
            self.assertEqual(set(row), (set(like) | {"every"}) - {"holds"})
            self.assertEqual(set(row["cases"][0]), set(like["cases"][0]) - {"holds"})
            for case in row["cases"]:
                self.assertGreater(case["ours"], 0)
        product = {case["id"]: case for case in result["rows"][1]["cases"]}["D6/64"]
        top = result["machine"]["ceilings"]["fma_gflops"]
        self.assertAlmostEqual(product["ceiling"], 2 * 64**3 / product["ours"] / top)
        mean = 1
        for case in result["rows"][1]["cases"]:
            mean *= case["ours"] ** 0.25
        self.assertAlmostEqual(result["rows"][1]["ours"] / mean, 1)

    def test_wrong_use(self):
        for arguments, word in ((["D77"], "no row 'D77'"), (["--json", "/no/folder/x", "D1"], "cannot write"),
                                (["--threads", "0"], "--threads")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)

    def test_what_cannot_be_measured_is_told(self):
        for args, device in ((["--device", "nowhere"], {}), ([], {"TENON_DEVICE": "nowhere"})):
            done = subprocess.run([TENON, "bench", "--quick", *args, "D2"], capture_output=True, text=True,
                                  env=ENV | device, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, '"nowhere": there are cpu, reference$')


unittest.main(argv=sys.argv[:1])
