#!/usr/bin/env python3
"""Shows that the ABI tests can fail: each kind of break is made once in a copy, and must be seen.

Usage: selftest.py [CC [NM]]
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
CC = sys.argv[1] if len(sys.argv) > 1 else "cc"
NM = sys.argv[2] if len(sys.argv) > 2 else "nm"


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Breaks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        shutil.copytree(TOP / "abi", self.root / "abi")
        self.include = self.root / "abi/include"

    def edit(self, name, old, new):
        path = self.root / "abi" / name
        text = path.read_text()
        self.assertEqual(text.count(old), 1, f"{name} no longer has {old!r} once")
        path.write_text(text.replace(old, new))

    def drift(self):
        return run(sys.executable, "-B", TOP / "tools/gen_abi.py", "--check", "--root", self.root, "--cc", CC)

    def layout(self):
        header = self.root / "abi_asserts.h"
        self.assertEqual(run(sys.executable, "-B", TOP / "tools/gen_abi.py", "--root", self.root,
                             "--asserts", header), (0, ""))
        return run(CC, "-std=c11", "-fsyntax-only", "-I", self.include, "-I", self.root, HERE / "layout.c")

    def test_unbroken(self):
        self.assertEqual(self.drift(), (0, ""))
        self.assertEqual(self.layout(), (0, ""))

    def test_swapped_fields(self):
        self.edit("include/tenon/base.h", "  uint32_t key;\n  uint32_t tag;", "  uint32_t tag;\n  uint32_t key;")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn('"key": {"offset": 4', text)
        code, text = self.layout()
        self.assertNotEqual(code, 0)
        self.assertIn("offsetof(tn_attr, key) == 0", text)

    def test_inserted_slot(self):
        self.edit("include/tenon/plugin/device.h", "  void(TN_CALL* close)(void* device);",
                  "  void(TN_CALL* idle)(void* device);\n  void(TN_CALL* close)(void* device);")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn('"name": "idle"', text)
        code, text = self.layout()
        self.assertNotEqual(code, 0)
        self.assertIn("offsetof(tn_device_vtbl, close)", text)

    def test_changed_signature_of_a_slot(self):
        self.edit("include/tenon/plugin/device.h", "uint64_t value, uint64_t timeout_ns);",
                  "uint64_t value, uint32_t timeout_ns);")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn("uint32_t timeout_ns", text)

    def test_changed_constant(self):
        self.edit("include/tenon/base.h", "#define TN_VIEW_ABSENT 4u", "#define TN_VIEW_ABSENT 16u")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn('+        "TN_VIEW_ABSENT": {"type": "u32", "value": 16}', text)
        code, text = self.layout()
        self.assertNotEqual(code, 0)
        self.assertIn("TN_VIEW_ABSENT == 4", text)

    def test_renumbered_op(self):
        self.edit("include/tenon/op_ids.h", "#define TN_OP_ADD 18u", "#define TN_OP_ADD 19u")
        self.assertEqual(self.drift()[0], 1)
        self.assertNotEqual(self.layout()[0], 0)

    def test_changed_contract(self):
        self.edit("include/tenon/tensor.h", "/* NULL for a host scalar. */\n", "")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn('"null": false', text)

    def test_unknown_words_on_null(self):
        self.edit("include/tenon/tensor.h", "/* The same value without its history. */",
                  "/* The same value without its history, NULL if it never had one. */")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn("tn_tensor_detach: its comment speaks of NULL", text)

    def test_function_without_a_verb(self):
        self.edit("include/tenon/tensor.h", "tn_tensor_detach(", "tn_tensor_plain(")
        code, text = self.drift()
        self.assertEqual(code, 1, text)
        self.assertIn("tn_tensor_plain: no verb", text)

    def headers(self):
        return run(sys.executable, "-B", HERE / "check_headers.py", "gcc", self.include)

    @unittest.skipUnless(shutil.which("gcc") and shutil.which("g++"), "gcc is not installed")
    def test_headers(self):
        self.edit("include/tenon/base.h", "  uint32_t key;\n  uint32_t tag;", "  uint32_t key;\n  uint8_t tag;")
        code, text = self.headers()
        self.assertEqual(code, 1, text)
        self.assertIn("padding struct", text)
        self.assertIn("5 with faults", text)

    def exports(self, names):
        source, library = self.root / "stub.c", self.root / "libstub.so"
        source.write_text("".join(f"void {n}(void);\nvoid {n}(void) {{}}\n" for n in names))
        script = TOP / "core/tenon.map"
        self.assertEqual(run(CC, "-shared", "-fPIC", "-nostdlib", f"-Wl,--version-script={script}", source,
                             "-o", library), (0, ""))
        return run(sys.executable, "-B", HERE / "check_exports.py", "--nm", NM,
                   "--abi", self.root / "abi/abi.json", library)

    def test_exports(self):
        headers = json.loads((TOP / "abi/abi.json").read_text())["headers"].values()
        names = [f["name"] for h in headers for f in h.get("functions", [])]
        self.assertEqual(self.exports(names)[0], 0)
        code, text = self.exports(n for n in names if n != "tn_op_call")
        self.assertEqual((code, "tn_op_call: promised by a header, not exported" in text), (1, True), text)
        code, text = self.exports([*names, "tn_leak"])
        self.assertEqual((code, "tn_leak: exported, but in no header" in text), (1, True), text)

    def test_frozen_numbers_are_those_of_the_headers(self):
        """The hand-written test names every struct whose comment says Frozen."""
        text = "".join(p.read_text() for p in (TOP / "abi/include/tenon").rglob("*.h"))
        frozen = re.findall(r"/\*(?:(?!\*/).)*\bFrozen\b(?:(?!\*/).)*\*/\s*(?:typedef )?struct (\w+) \{", text, re.S)
        checked = (HERE / "frozen_test.cpp").read_text()
        self.assertGreaterEqual(len(frozen), 6)
        for name in frozen:
            self.assertIn(f"sizeof({name}) ==", checked)


class Ops(unittest.TestCase):
    """tools/gen_ops.py on a copy of what it reads and makes."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        for name in ("abi", "bindings/cpp/include", "core/src/ops", "docs"):
            shutil.copytree(TOP / name, self.root / name)

    def edit(self, name, old, new):
        path = self.root / name
        text = path.read_text()
        self.assertEqual(text.count(old), 1, f"{name} no longer has {old!r} once")
        path.write_text(text.replace(old, new))

    def refused(self, said):
        code, text = run(sys.executable, "-B", TOP / "tools/gen_ops.py", "--check", "--root", self.root)
        self.assertEqual((code, said in text), (1, True), text)

    def test_unbroken(self):
        self.assertEqual(run(sys.executable, "-B", TOP / "tools/gen_ops.py", "--check", "--root", self.root), (0, ""))

    def test_stale_page(self):
        self.edit("docs/ops.md", "y = 1 / sqrt(x).", "y = sqrt(x).")
        self.refused("docs/ops.md")

    def test_no_page(self):
        (self.root / "docs/ops.md").unlink()
        self.refused("docs/ops.md")

    def test_new_text(self):
        self.edit("abi/ops_text.md", "y = 1 / sqrt(x).", "y = x^-0.5.")
        self.refused("docs/ops.md")

    def test_other_default(self):
        self.edit("abi/ops.def", "slope: f64 = 0.01", "slope: f64 = 0.02")
        self.refused("docs/ops.md")

    def test_other_gradient(self):
        self.edit("core/src/ops/cast.cpp", "bits have no derivative", "bits have none")
        self.refused("docs/ops.md")

    def test_op_without_text(self):
        self.edit("abi/ops_text.md", "## rsqrt\n", "## rsqr\n")
        self.refused("rsqr is no op of ops.def, rsqrt lacks Dtypes, rsqrt lacks what it computes")

    def test_op_without_shape(self):
        self.edit("abi/ops_text.md", "\nShape: x [..., in], w [out, in], bias [out] gives [..., out].", "")
        self.refused("linear lacks Shape")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
