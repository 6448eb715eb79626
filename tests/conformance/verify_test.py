#!/usr/bin/env python3
"""The command `tenon verify`: levels, exit status, JSON, expected failures, and the names of what is wrong with spoilt plugins.

Usage: verify_test.py level TENON PLUGIN LEVEL [ARGUMENT...]   the plugin reaches the level, and nothing is unsupported
       verify_test.py command TENON PLUGIN_FOLDER BROKEN_FOLDER FAULTY_FOLDER
"""

import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

MODE, TENON = sys.argv[1:3]
SCRATCH = pathlib.Path("/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir())
# The spoilt plugins (tests/plugins/broken), and checks that must say so. None of them has a manifest.
BROKEN = {
    "longer_used": ["negotiate.tables"],
    "many_devices": ["negotiate.open"],
    "missing_dependency": ["file.loads"],
    "newer_major": ["negotiate.versions", "negotiate.runtime"],
    "newer_revision": ["negotiate.versions", "negotiate.runtime"],
    "no_symbol": ["file.exports"],
    "no_type": ["negotiate.runtime"],
    "null_info": ["negotiate.open"],
    "odd_alignment": ["negotiate.runtime"],
    "older_revision": ["negotiate.versions"],
    "op_without_rule": ["negotiate.slots"],
    "open_fails": ["negotiate.open"],
    "short_info": ["negotiate.tables"],
    "short_table": ["negotiate.tables"],
    "slot_missing": ["negotiate.slots"],
    "throws_in_commands": ["errors.exceptions"],
    "throws_in_open": ["negotiate.open"],
    "throws_in_props": ["negotiate.open"],
    "throws_in_query": ["negotiate.open"],
    "unknown_interface": ["negotiate.versions"],
}


def verify(plugin, *args):
    """Exit status, what was printed, and the report."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "report.json")
        done = subprocess.run([TENON, "verify", plugin, "--json", file, *args],
                              capture_output=True, text=True, timeout=1500, check=False)
        report = json.loads(file.read_text()) if file.exists() and file.stat().st_size else None
    return done.returncode, done.stdout + done.stderr, report


def reaches(plugin, level, *args):
    status, output, report = verify(plugin, "--level", level, *args)
    counts = report["counts"] if report else {}
    print(output[-3000:])
    groups = collections.Counter(c["check"].split(".")[0] for c in report["cases"])
    print(dict(groups))
    # Allowed to compilers; none of this build rounds otherwise than the calls.
    loose = [c for c in report["cases"] if "within the op's tolerance" in c.get("found", "")]
    print(*(f"{c['check']} ({c['where']}): {c['found']}" for c in loose[:10]), sep="\n")
    good = (not loose and status == 0 and report["level"] == level and counts["fail"] == 0
            and counts["unsupported"] == 0 and counts["pass"] == len(report["cases"]) > 0)
    return 0 if good else 1


class Command(unittest.TestCase):
    plugins, broken, faulty = (pathlib.Path(p) for p in (sys.argv[3:6] + ["", "", ""])[:3])

    @property
    def reference(self):
        return self.plugins / "tenon_backend_reference.so"

    def failing(self, report):
        return {c["check"] for c in report["cases"] if c["result"] == "fail"}

    def test_broken_plugins_are_told_by_name(self):
        for name, checks in BROKEN.items():
            with self.subTest(name=name):
                status, output, report = verify(self.broken / f"{name}.so", "--level", "L0")
                self.assertEqual(status, 1, output)
                self.assertEqual(report["level"], "none")
                for check in checks:
                    self.assertIn(check, self.failing(report))
                    self.assertIn(check, output)
                self.assertEqual(report["counts"]["fail"],
                                 sum(c["result"] == "fail" for c in report["cases"]))
                for case in report["cases"]:
                    if case["result"] == "fail":
                        self.assertTrue(case["found"] and case["expected"], case)

    def test_what_is_no_plugin_is_told_once(self):
        whole = self.reference.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, "x.so")
            for data, check, text in [
                    (b"#!/bin/sh\necho\n", "file.elf", 'no ELF header, it begins with "#!/bin/sh?echo?"'),
                    (b"", "file.elf", "is an empty file"), (b"!<arch>\n", "file.elf", "is a static archive"),
                    (whole[:len(whole) // 2], "file.elf", "it is cut off"), (whole[:100], "file.elf", "it is cut off"),
                    ((self.broken / "no_symbol.so").read_bytes(), "file.exports", "no function tn_plugin_query in "),
                    ((self.broken / "missing_dependency.so").read_bytes(), "file.loads", "cannot open shared object")]:
                library.write_bytes(data)
                for args in ([], ["--check", "memory."]):
                    with self.subTest(check=check, text=text, args=args):
                        status, output, report = verify(library, *args)
                        self.assertEqual((status, len(report["cases"])), (1, 1), output)
                        self.assertEqual(report["cases"][0]["check"], check)
                        self.assertIn(text, report["cases"][0]["found"])
                        self.assertIn(f"not run: every other check: {check} must pass first", output)
                        self.assertIn(check, report["not_run"])
                        self.assertRegex(output, r"to do: .*\n")
            expected = pathlib.Path(folder, "expected")
            expected.write_text("file.loads: no list makes a plugin of it\n")
            self.assertEqual(verify(library, "--expected-fail", expected)[0], 1)

    def test_failures_of_one_cause_are_one(self):
        _, output, _ = verify(self.broken / "null_info.so", "--level", "L0")
        self.assertRegex(output, r"(?m)^also fail, perhaps only because negotiate.open does: negotiate.tables")
        self.assertNotRegex(output, r"(?m)^fail +negotiate.tables")

    def failing_of_source(self, source, *flags):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, "x.so")
            subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library, *flags],
                           input=source, text=True, check=True)
            return self.failing(verify(library, "--check", "file.")[2])

    @unittest.skipUnless(shutil.which("cc"), "no C compiler cc")
    def test_files(self):
        plugin = "const void* tn_plugin_query(unsigned v) { (void)v; return 0; }"
        core = pathlib.Path(TENON).resolve().parents[1] / "lib"
        clean = self.failing_of_source(plugin)
        self.assertFalse({c for c in clean if c.startswith("file.") and "manifest" not in c})
        for check, source, *flags in [
            ("file.stray_symbols", plugin + "int more(void) { return 1; }"),
            ("file.stray_symbols", plugin + "__attribute__((weak)) int more(void) { return 1; }"),
            ("file.exports", "static int x; int y(void) { return x; }"),
            ("file.imports", plugin + "int tn_x(void); int f(void) { return tn_x(); }"),
            ("file.loads", plugin + "int vanished(void); int f(void) { return vanished(); }"),
            ("file.needed", plugin, "-Wl,--no-as-needed", f"-L{core}", "-ltenon"),
            ("file.run_path", plugin, "-Wl,-rpath,/home/somebody/build"),
            ("file.run_path", plugin, "-Wl,-rpath,$ORIGIN:."),
            ("file.executable_stack", plugin, "-Wl,-z,execstack"),
        ]:
            with self.subTest(check=check, flags=flags):
                self.assertIn(check, self.failing_of_source(source, *flags))

    def test_manifests(self):
        def failing(**changes):
            with tempfile.TemporaryDirectory() as folder:
                library = pathlib.Path(folder, self.reference.name)
                shutil.copy(self.reference, library)
                manifest = json.loads(self.reference.with_suffix(".json").read_text()) | changes
                library.with_suffix(".json").write_text(json.dumps(manifest))
                return self.failing(verify(library, "--level", "L0")[2])

        self.assertEqual(failing(), set())
        for check, changes in [
            ("file.manifest", {"library": "other.so"}),
            ("file.manifest", {"provides": []}),
            ("file.manifest", {"level": "L9"}),
            ("file.manifest", {"level": 2}),
            ("file.manifest_agrees", {"id": "org.example.other"}),
            ("file.manifest_agrees", {"interfaces": {"tenon.device": {"major": 0}}}),
            ("file.manifest_agrees", {"provides": {"devices": ["another"]}}),
        ]:
            with self.subTest(changes=changes):
                self.assertIn(check, failing(**changes))

    def test_level_of_the_manifest(self):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, self.reference.name)
            shutil.copy(self.reference, library)
            manifest = json.loads(self.reference.with_suffix(".json").read_text())
            library.with_suffix(".json").write_text(json.dumps(manifest | {"level": "L0"}))
            status, _, report = verify(library)
            self.assertEqual((status, report["asked"], report["level"]), (0, "L0", "L0"))

    def test_report(self):
        status, output, report = verify(self.reference, "--level", "L0")
        self.assertEqual(status, 0, output)
        self.assertEqual(set(report), {"plugin", "id", "device", "level", "asked", "counts",
                                       "seconds", "cases"})
        self.assertEqual(report["plugin"], str(self.reference))
        self.assertEqual(report["level"], "L0")
        self.assertEqual(set(report["counts"]), {"pass", "unsupported", "expected_fail", "fail"})
        status, output, report = verify(self.reference, "--op", "add")
        self.assertEqual(status, 0, output)
        rows = [line for line in output.splitlines() if line.startswith("add ")]
        self.assertEqual(len(rows), 2)  # the second of the complex dtypes
        self.assertRegex(output, r"(?m)^op +c128 c64\nadd +N    N$")
        self.assertIsNone(report["level"])  # of one op
        self.assertNotIn("reached", output)
        self.assertIn("Ng", rows[0])
        for line in output.splitlines():
            self.assertLessEqual(len(line), 80)
        dtypes = {c["dtype"] for c in report["cases"] if c["check"] == "op.add"}
        self.assertLessEqual({"f32", "f64", "f16", "bf16", "i8", "u64"}, dtypes)

    def test_list_has_every_check_that_ran(self):
        done = subprocess.run([TENON, "verify", "--list"], capture_output=True, text=True,
                              check=True)
        names = [line.split()[0] for line in done.stdout.splitlines()[1:] if line[2:3] != " "]
        exact = {n for n in names if not n.endswith(".NAME")}
        open_ones = tuple(n[:-len("NAME")] for n in names if n.endswith(".NAME"))
        self.assertEqual(len(names), len(set(names)))
        for plugin in self.plugins.glob("*.so"):
            status, output, report = verify(plugin, "--level", "L0")
            self.assertEqual(status, 0, output)
            for case in report["cases"]:
                self.assertTrue(case["check"] in exact or case["check"].startswith(open_ones),
                                case["check"])

    def test_expected_failures(self):
        good = self.broken / "good.so"
        failing = self.failing(verify(good, "--level", "L0")[2])
        self.assertTrue(failing)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "expected")

            def run(text):
                file.write_text(text)
                return verify(good, "--level", "L0", "--expected-fail", file)

            all_of_them = "# known\n" + "".join(f"{name}: it is a test\n" for name in failing)
            status, output, report = run(all_of_them)
            self.assertEqual(status, 0, output)
            self.assertEqual(report["counts"]["expected_fail"], len(failing))
            status, output, report = run(all_of_them + "file.exports: never\n")
            self.assertEqual(status, 1)
            self.assertEqual(self.failing(report), {"expected_fail.stale"})
            self.assertIn("expects a failure, and there was none", output)
            for text in ["file.exports\n", "file.exports:\n", ": why\n"]:
                self.assertEqual(run(text)[0], 2)

    def test_trust(self):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, self.reference.name)
            for file in (self.reference, self.reference.with_suffix(".json")):
                shutil.copy(file, folder)
            for path, mode, failing in [(library, 0o755, set()), (library, 0o775, {"file.trust"}), (library, 0o755, set()),
                                        (library.parent, 0o775, {"file.trust"})]:
                path.chmod(mode)
                _, output, report = verify(library, "--check", "file.")
                self.assertEqual(self.failing(report), failing, output)
                self.assertEqual("chmod go-w" in output and str(path) in output, bool(failing), output)

    def op_plugin(self, folder, samples=None):
        """A copy of the op plugin of the planted faults, with these samples in its manifest."""
        faulty = self.faulty / "tenon_faulty_op.so"
        shutil.copy(faulty, folder)
        manifest = json.loads(faulty.with_suffix(".json").read_text())
        if samples is not None:
            manifest["samples"] = samples
        library = pathlib.Path(folder, faulty.name)
        library.with_suffix(".json").write_text(json.dumps(manifest))
        return library

    def test_ops_of_a_plugin(self):
        with tempfile.TemporaryDirectory() as folder:
            library = self.op_plugin(folder)
            status, output, report = verify(library, "--op", "scaled_add", "--perf")
            self.assertEqual(status, 0, output)
            self.assertRegex(output, r"(?m)^scaled_add +D +D +D +Dg$")
            self.assertRegex(verify(library, "--op", "scaled_add", "--brief")[1], r"(?m)^scaled_add +D +D +D +Dg$")
            self.assertRegex(output, r"(?m)^perf.scaled_add +f32\[3,4\], f32\[4\] +\d")
            self.assertEqual({c["check"] for c in report["cases"] if "." in c["check"] and c["check"][0] in "op"},
                             {"op_rule.scaled_add", "op_value.scaled_add", "op_gradient.scaled_add", "op_gradient2.scaled_add",
                              "perf.scaled_add"})
            places = {c["where"] for c in report["cases"] if c["check"] == "op_value.scaled_add"}
            self.assertLessEqual({"f32[3,4], absent", "f16[3,4], f16[4]", "bf16[3,4], bf16[3,4], scale = 3"}, places)
            brief = verify(library, "--op", "scaled_add", "--brief")[2]
            self.assertLess(len(brief["cases"]), len(report["cases"]) / 2)

    def test_samples_of_the_manifest(self):
        call = {"inputs": ["f32[2]"], "values": [[-1, 2]]}
        for samples, check, where, text in [
                ({"hard_shrink": [call | {"gives": [[-1, 2]]}]}, None, "", ""),
                ({"hard_shrink": [{"inputs": ["[7, 1]"], "range": [-9, 9]}]}, None, "", ""),
                ({"hard_shrink": [call | {"gives": [[-1, 3]]}]}, "op_value", "f32[2]", "of sample 1 at [1]: got 2"),
                ({"hard_shrink": [call, {"inputs": ["i32[2]"]}]}, "op_rule", "sample 2", "x must be floating"),
                ({"hard_shrink": [{"inputs": ["f99[2]"]}]}, "op_rule", "sample 1", "there is no dtype"),
                ({"hard_shrink": [{"inputs": ["f32[2"]}]}, "op_rule", "sample 1", 'an input is "f32[2"'),
                ({"hard_shrink": [{"inputs": ["f32[99999,99999]"]}]}, "op_rule", "sample 1", "[99999,99999]"),
                ({"hard_shrink": [{"inputs": ["f32[2]", "f32[2]"]}]}, "op_rule", "sample 1", "2 inputs"),
                ({"hard_shrink": [call | {"attributes": {"mu": 1}}]}, "op_rule", "sample 1", 'no attribute "mu"'),
                ({"hard_shrink": [call | {"attributes": {"lambda": "x"}}]}, "op_rule", "sample 1", 'the attribute is "x"'),
                ({"hard_shrink": [call | {"values": [[1]]}]}, "op_rule", "sample 1", "1 values of input 0"),
                ({"hard_shrink": [call | {"nothing": 1}]}, "op_rule", "sample 1", 'the key "nothing"'),
                ({"hard_shrink": {}}, "op_rule", "samples", "samples are no list"),
                ({"soft_shrink": []}, "op_declaration", "samples", "soft_shrink")]:
            with self.subTest(samples=samples), tempfile.TemporaryDirectory() as folder:
                status, output, report = verify(self.op_plugin(folder, samples), "--brief")
                self.assertEqual(status, int(check is not None), output)
                found = [c for c in report["cases"] if c["result"] == "fail" and c["check"].startswith(check or "-")]
                self.assertEqual(bool(found), check is not None, output)
                for case in found[:1]:
                    self.assertEqual(case["where"], where)
                    self.assertIn(text, case["found"])

    def test_samples_of_an_optimizer(self):
        one = {"parameter": [1, 2], "gradients": [[1, -1], [0, 0]], "gives": [0.85, 2.15]}
        for sample, text in [(one, None), (one | {"options": {"lr": 0.2}, "gives": [0.7, 2.3]}, None),
                             (one | {"gives": [0.85, 2.2]}, "after the steps of sample 1"),
                             (one | {"gives": [0.85]}, "lists of different lengths"),
                             (one | {"options": {"rate": 1}}, 'no hyper-parameter "rate"'),
                             (one | {"options": {"lr": "x"}}, 'lr is "x"'), (one | {"more": 1}, 'the key "more"')]:
            with self.subTest(sample=sample), tempfile.TemporaryDirectory() as folder:
                faulty = self.faulty / "tenon_faulty_own_optimizer.so"
                shutil.copy(faulty, folder)
                manifest = json.loads(faulty.with_suffix(".json").read_text()) | {"samples": {"momentum_of_mine": [sample]}}
                library = pathlib.Path(folder, faulty.name)
                library.with_suffix(".json").write_text(json.dumps(manifest))
                status, output, report = verify(library, "--check", "optimizer.")
                self.assertEqual(status, int(text is not None), output)
                self.assertEqual(any(text in c.get("found", "") for c in report["cases"]) if text else False, text is not None, output)

    def test_an_expected_place_may_be_in_brackets(self):
        with tempfile.TemporaryDirectory() as folder:
            library, file = self.op_plugin(folder), pathlib.Path(folder, "expected")
            os.environ["TENON_FAULT"] = "value_wrong_everywhere"
            try:
                for place in ("f32[4], lambda = 0.25", "(f32[4], lambda = 0.25)"):
                    file.write_text(f"op_value.hard_shrink {place}: it is a test\n")
                    status, output, report = verify(library, "--check", "op_value.hard_shrink", "--expected-fail", file)
                    self.assertEqual((status, report["counts"]["expected_fail"]), (0, 1), output)
            finally:
                del os.environ["TENON_FAULT"]

    def test_wrong_use(self):
        for args in (["/nowhere.so"], [str(self.reference), "--level", "L9"],
                     [str(self.reference), "--op", "nothing"], [],
                     [str(self.reference), "--check", "op.nothing"], [str(self.reference), "--check", "memry."],
                     [str(self.plugins / "tenon_format_safetensors.so"), "--op", "add"],
                     [str(self.plugins / "tenon_format_safetensors.so"), "--perf"],
                     [str(self.plugins / "tenon_optimizer_basic.so"), "--op", "adam_step"],
                     [str(self.faulty / "tenon_faulty_op.so"), "--op", "add"],
                     [str(self.reference), "--jobs", "0"],
                     [str(self.reference), "--device", "nowhere"], [str(self.plugins)],
                     [str(self.reference), "--json", "/nowhere/report.json"]):
            done = subprocess.run([TENON, "verify", *args], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertNotEqual(done.stderr, "")

    def test_a_wrong_use_leaves_no_report(self):
        with tempfile.TemporaryDirectory() as folder:
            status, output, _ = verify(self.op_plugin(folder), "--op", "nothing", "--json", f"{folder}/report.json")
            self.assertEqual((status, os.path.exists(f"{folder}/report.json")), (2, False), output)

    def test_nothing_is_left_of_one_that_was_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            library = self.op_plugin(folder)
            for how in (signal.SIGINT, signal.SIGKILL):
                with subprocess.Popen([TENON, "verify", library], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
                    mine = f"tenon_verify_{running.pid}_*"
                    while not list(SCRATCH.glob(mine)):
                        self.assertIsNone(running.poll())
                    running.send_signal(how)
                self.assertEqual(running.returncode, -how)
                for _ in range(200):
                    if not list(SCRATCH.glob(mine)):
                        break
                    time.sleep(0.05)
                self.assertFalse(list(SCRATCH.glob(mine)))


if __name__ == "__main__":
    if MODE == "level":
        sys.exit(reaches(*sys.argv[3:]))
    os.environ.pop("TENON_DEVICE", None)
    unittest.main(argv=sys.argv[:1])
