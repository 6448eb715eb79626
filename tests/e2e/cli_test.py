#!/usr/bin/env python3
"""The command tenon: exit status, JSON, width, colour. Usage: cli_test.py TENON PLUGIN_FOLDER"""

import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import tempfile
import unittest

TENON, PLUGINS = sys.argv[1:3]
ENV = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TENON_DEVICE")}
ENV.update(TENON_PLUGIN_PATH=PLUGINS, TERM="xterm")


def run(*args, **env):
    return subprocess.run([TENON, *args], capture_output=True, text=True, env=ENV | env, timeout=120)


def on_terminal(*args, **env):
    """What the command writes when stdout is a terminal (of no known size)."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([TENON, *args], stdout=follower, env=ENV | env)
    os.close(follower)
    out = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        out += piece
    os.close(leader)
    process.wait(timeout=60)
    return out.decode()


def write_model(path):
    header = json.dumps({"__metadata__": {"note": "n" * 500},
                         "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}})
    header += " " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(24))


class Cli(unittest.TestCase):
    def listed(self, *args):
        done = run(*args, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)
        self.assertIsInstance(rows, list)
        return rows

    def test_plugins(self):
        rows = self.listed("plugins")
        self.assertIn("org.tenon.reference", [r["id"] for r in rows])
        for r in rows:
            self.assertEqual(set(r), {"id", "path", "verdict", "reason", "provides"})
        loaded = [r for r in rows if r["id"] == "org.tenon.reference"][0]
        self.assertEqual(loaded["verdict"], "loaded")

    def test_broken_plugin_is_told_and_hurts_nobody(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            file = pathlib.Path(folder, "tenon_backend_x.so")
            file.write_text("no library")
            file.chmod(0o644)
            rows = json.loads(run("--plugin", str(file), "plugins", "--json").stdout)
            bad = [r for r in rows if r["path"] == str(file)]
            self.assertEqual([r["verdict"] for r in bad], ["broken"])
            self.assertNotEqual(bad[0]["reason"], "")
            text = run("--plugin", str(file), "plugins")
            self.assertEqual(text.returncode, 1)  # it was asked about
            self.assertIn("tenon_backend_x.so", text.stdout)
            for r in rows:  # no id is broken at 80 columns
                self.assertIn(r["id"], text.stdout)
            self.assertIn("org.tenon.reference", text.stdout)

    def test_named_plugins_are_opened(self):
        kinds = {"op": 0, "optimizer": 0, "format": 0}
        for r in self.listed("--plugin", PLUGINS, "plugins"):
            self.assertEqual(r["verdict"], "loaded", r)
            for kind in kinds:
                kinds[kind] += kind in r["provides"]
        self.assertGreater(min(kinds.values()), 0, kinds)

    def test_plugins_are_named_before_the_command_or_behind_it(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            files = [pathlib.Path(folder, f"tenon_backend_{n}.so") for n in "xy"]
            for file in files:
                file.write_text("no library")
                file.chmod(0o644)
            x, y = map(str, files)
            for args in (["--plugin", x, "plugins", "--plugin", y], ["plugins", "--plugin", x, "--plugin", y],
                         ["--plugin", x, "--plugin", y, "plugins"]):
                rows = json.loads(run(*args, "--json").stdout)
                bad = [r["path"] for r in rows if r["verdict"] == "broken"]
                self.assertEqual(sorted(bad), [x, y], args)
            for args in (["devices"], ["ops", "add"], ["explain", "add"], ["bench", "--device", "nowhere"]):
                done = run(*args, "--plugin", x)
                self.assertIn("tenon_backend_x.so", done.stderr, args)
                self.assertEqual(done.returncode, args[0] == "bench", args)
            for command in ("plugins", "devices", "ops", "info", "new", "explain", "profile", "bench", "verify"):
                self.assertIn("--plugin", run(command, "--help").stdout, command)
                missing = run(command, "--plugin", "/nope")
                self.assertEqual((missing.returncode, missing.stdout), (2, ""))
                self.assertIn("/nope does not exist", missing.stderr)

    def test_devices(self):
        rows = self.listed("devices")
        self.assertIn("reference:0", [r["name"] for r in rows])
        for r in rows:
            self.assertEqual(set(r), {"name", "label", "plugin", "memory_bytes", "kernels"})
        provides = {r["id"]: r["provides"] for r in self.listed("plugins")}
        for r in rows:
            self.assertIn(f" {r['kernels']} kernels", provides[r["plugin"]])

    def test_ops(self):
        rows = {r["name"]: r for r in self.listed("ops")}
        for r in rows.values():
            self.assertEqual(set(r), {"name", "base", "differentiable", "why_not_differentiable", "native"})
            self.assertEqual(r["differentiable"], r["why_not_differentiable"] == "", r)
        self.assertTrue(rows["matmul"]["base"])
        self.assertIn("reference", rows["matmul"]["native"])
        self.assertFalse(rows["softmax"]["base"])
        self.assertFalse(rows["argmax"]["differentiable"])
        base = [r["name"] for r in rows.values() if r["base"]]
        self.assertLessEqual(len(base), 60)
        missing = [n for n in base if "reference" not in rows[n]["native"]]
        self.assertEqual(missing, [], "base ops that the reference backend lacks")

    def test_warnings(self):
        self.assertEqual(run("devices").stderr, "")
        if "cpu:0" in [r["name"] for r in self.listed("devices")]:
            done = run("devices", TENON_MAX_ISA="sse9")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stderr, r"^tenon: warning: .*TENON_MAX_ISA is 'sse9'.*\n$")

    def test_ops_of_plugins(self):
        rows = {r["name"]: r for r in self.listed("ops")}
        for p in self.listed("plugins"):
            if p["id"] == "org.tenon.optimizers":
                self.assertRegex(run("ops", "sgd_step").stdout, r"org\.tenon\.optimizers")
                if any("cpu" in r["native"] for r in rows.values()):
                    self.assertEqual(rows["sgd_step"]["native"], ["cpu"])
                self.assertIn("org.tenon.optimizers", run("ops").stdout)

    def test_one_op(self):
        rows = {r["name"]: r for r in self.listed("ops")}
        self.assertEqual(self.listed("ops", "conv2d"), [rows["conv2d"]])
        text = run("ops", "conv2d").stdout
        self.assertIn("conv2d(x,w,bias?,*,stride:i64s=[1,1],", "".join(text.split()))
        for line in (r"bias +optional input", r"padding +attribute, i64s +\[0, 0\]", r"x +input"):
            self.assertRegex(text, line)
        self.narrow(text)

    def test_json_before_the_command(self):
        self.assertEqual(json.loads(run("--json", "ops", "add").stdout), self.listed("ops", "add"))

    def test_what_there_is_instead(self):
        for args, words in [(["--plugin", "/nope", "plugins"], ["--plugin", "/nope", "not exist"]),
                            (["explain", "add", "--dtype", "float32"], ["'float32'", "there are", "f32", "i64"]),
                            (["explain", "cast", "--attr", "dtype=int"], ["'int'", "there are", "f32", "i64"]),
                            (["explain", "softmax", "--attr", "bad=1"], ["'bad'", "takes axis"]),
                            (["explain", "add", "--attr", "bad=1"], ["'bad'", "takes none"])]:
            message = run(*args).stderr
            for word in words:
                self.assertIn(word, message)

    def test_wrong_arguments(self):
        for args, said in [(["verify", "--levl", "L1"], "tenon verify: no option --levl; nearest --level; try"),
                           (["verify", "a", "b", "c"], "tenon verify: 'b' is one argument too many; try"),
                           (["verify", "--level"], "tenon verify: --level needs a value; try"),
                           (["verify", "--jobs", "many"], "tenon verify: --jobs takes a number, not 'many'"),
                           (["explain", "add", "--shpe=3"], "tenon explain: no option --shpe; nearest --shape; try"),
                           (["new", "op"], "tenon new: NAME is missing; try tenon new --help"),
                           (["verfy"], "tenon: no command 'verfy'; nearest verify; try tenon --help"),
                           (["--plugn", "x"], "tenon: no option --plugn; nearest --plugin; try tenon --help"),
                           (["devices", "--xyzzyxyzzy"], "tenon devices: no option --xyzzyxyzzy; try"),
                           ([], "tenon: which command? Try tenon --help")]:
            done = run(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertTrue(done.stderr.startswith(said) and done.stderr.count("\n") == 1, done.stderr)

    def test_every_op_is_explained(self):
        for r in self.listed("ops"):
            done = run("explain", r["name"], "--device", "reference", "--json")
            self.assertIn(done.returncode, (0, 2), done.stderr)
            if done.returncode == 0:
                answer = json.loads(done.stdout)
                self.assertEqual([a["op"] for a in answer], [r["name"]])
                self.assertIn(answer[0]["level"], ("native", "decomposed"))

    def test_explain(self):
        done = run("explain", "matmul", "--device", "reference", "--dtype", "f64", "--shape", "4x3,5x3",
                   "--attr", "transpose_b=true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("matmul(f64[4, 3], f64[5, 3]) on reference:0", done.stdout)
        self.assertIn("native", done.stdout)
        answer = json.loads(run("explain", "softmax", "--device", "reference", "--json").stdout)[0]
        self.assertIn(answer["level"], ("native", "decomposed"))
        self.assertEqual(set(answer), {"op", "device", "level", "kernel", "plugin", "why", "candidates",
                                       "decomposition"})

    def test_info(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "m.safetensors")
            write_model(path)
            answer = json.loads(run("info", str(path), "--json").stdout)
            self.assertEqual(answer, [{
                "format": "safetensors",
                "tensors": [{"name": "a.weight", "dtype": "f32", "dims": [2, 3], "bytes": 24}],
                "metadata": {"note": "n" * 500}}])
            text = run("info", str(path))
            self.assertEqual(text.returncode, 0)
            self.assertIn("[2, 3]", text.stdout)
            self.narrow(text.stdout.replace(str(path), "m"))
            path.write_bytes(path.read_bytes()[:-1])
            damaged = run("info", str(path))
            self.assertEqual(damaged.returncode, 1)
            self.assertIn("a.weight", damaged.stderr)

    def test_names_in_a_file_do_not_steer_the_terminal(self):
        names = ["\x1b[31mred", "line\nfeed", "bell\x07", "csi\x9b2J", "plain é"]
        header = {n: {"dtype": "F32", "shape": [], "data_offsets": [4 * i, 4 * i + 4]} for i, n in enumerate(names)}
        header["__metadata__"] = {"no\x1bte": "a\x1b]0;title\x07"}
        text = json.dumps(header)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "m.safetensors")
            path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + bytes(4 * len(names)))
            done = run("info", str(path))
            self.assertEqual(done.returncode, 0, done.stderr)
            for shown in ("\\x1b[31mred", "line\\nfeed", "bell\\x07", "csi\\x9b2J", "plain é", "no\\x1bte"):
                self.assertIn(shown, done.stdout)
            path.write_bytes(path.read_bytes()[:-1])  # the error names a tensor
            for out in (done.stdout, run("info", str(path)).stderr):
                self.assertEqual([c for c in out if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)], [])

    def test_unknown_op_names_the_nearest(self):
        for wrong, right in (("matmull", "matmul"), ("conv2dd", "conv2d"), ("adm_step", "adam_step")):
            done = run("explain", wrong)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f'nearest: "{right}"', done.stderr)
            self.assertNotIn("there are:", done.stderr)

    def test_status(self):
        for args, status in [
                (["plugins"], 0), (["--help"], 0), (["explain", "--help"], 0), (["--version"], 0),
                (["info", "/nowhere.safetensors"], 1), (["explain", "nosuchop"], 1),
                (["explain", "add", "--device", "nosuchdevice"], 1), (["ops", "add"], 0), (["ops", "nosuchop"], 1),
                (["--plugin", "/nope", "ops"], 2),
                (["explain", "matmul", "--shape", "2x3,4x5"], 1),
                ([], 2), (["nosuchcommand"], 2), (["plugins", "--bad"], 2), (["info"], 2),
                (["explain"], 2), (["explain", "add", "--dtype", "f99"], 2),
                (["explain", "add", "--shape", "2y3,1"], 2), (["explain", "add", "--shape", "2,3,4"], 2),
                (["explain", "softmax", "--attr", "axis=one"], 2),
                (["explain", "softmax", "--attr", "bad=1"], 2)]:
            done = run(*args)
            self.assertEqual(done.returncode, status, f"tenon {args}: {done.stdout}{done.stderr}")
            self.assertEqual(done.stderr != "", status != 0, f"tenon {args}: {done.stderr}")
            if status:
                self.assertEqual(done.stdout, "")

    def test_output_that_cannot_be_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "m.safetensors")
            write_model(path)
            for args in (["plugins"], ["devices"], ["ops"], ["ops", "add"], ["info", str(path)], ["explain", "add"],
                         ["--help"], ["--version"], ["explain", "--help"]):
                for json_flag in ([], ["--json"]):
                    with open("/dev/full", "w") as full:
                        done = subprocess.run([TENON, *args, *json_flag], stdout=full, stderr=subprocess.PIPE, text=True,
                                              env=ENV, timeout=120)
                    self.assertEqual(done.returncode, 1, args)
                    self.assertIn("the output could not be written: No space left on device", done.stderr, args)

    def narrow(self, text):
        self.assertEqual([line for line in text.splitlines() if len(line) > 80], [])

    def test_width_and_colour(self):
        for args in (["plugins"], ["devices"], ["ops"], ["ops", "conv2d"], ["explain", "conv2d"], ["--help"], ["explain", "--help"]):
            text = run(*args).stdout
            self.assertNotIn("\x1b", text)
            self.narrow("\n".join(line for line in text.splitlines() if "/" not in line))
        self.assertIn("\x1b[", on_terminal("plugins"))
        self.assertNotIn("\x1b", on_terminal("plugins", NO_COLOR="1"))

    def test_help_has_an_example(self):
        for name in ([], ["plugins"], ["devices"], ["ops"], ["info"], ["explain"]):
            self.assertIn("Example:", run(*name, "--help").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
