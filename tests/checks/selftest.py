#!/usr/bin/env python3
"""Shows that the check scripts can fail: each rule is broken once in a small tree of its own."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"

GOOD = {
    "abi/include/tenon/base.h": "#include <stdint.h>\n",
    "abi/include/tenon/tenon.h": '#include "base.h"\n',
    "abi/include/tenon/plugin/entry.h": '#include "../base.h"\n',
    "sdk/include/tenon/sdk/backend.hpp": "#include <tenon/plugin/entry.h>\n#include <vector>\n",
    "core/src/base/text.hpp": "#include <fmt/format.h>\n",
    "core/src/op/call.hpp": '#include "base/text.hpp"\n',
    "plugins/backends/cpu/plugin.cpp":
        "#include <tenon/sdk/backend.hpp>\n#include <oneapi/dnnl/dnnl.h>\n",
    "plugins/backends/cpu/kernels/add.cpp": '#include "../device.hpp"\n',
    "plugins/backends/cpu/device.hpp": "#include <vector>\n",
    "plugins/formats/text/plugin.cpp": "#include <tenon/plugin/entry.h>\n",
    "samples/hello.c": "#include <tenon/tenon.h>\n#include <stdio.h>\n",
}


class Checks(unittest.TestCase):
    def run_on(self, script, **changes):
        """Exit status and text of a script on the good tree with some files changed."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in {**GOOD, **changes.get("files", {})}.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run([sys.executable, "-B", str(TOOLS / script), root],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def refuses(self, script, name, text, message):
        status, output = self.run_on(script, files={name: text})
        self.assertEqual(status, 1, output)
        self.assertIn(message, output)

    def test_good_tree(self):
        for script in ("check_includes.py", "check_tree.py"):
            status, output = self.run_on(script)
            self.assertEqual(status, 0, output)

    def test_includes(self):
        for name, text, message in [
            ("abi/include/tenon/base.h", "#include <stdio.h>\n", "abi takes only"),
            ("abi/include/tenon/tenon.h", '#include "plugin/entry.h"\n', "application tier"),
            ("core/src/op/a.cpp", "#include <tenon/sdk/backend.hpp>\n", "sdk is not for core"),
            ("core/src/op/a.cpp", "#include <fmt/core.h>\n", "private to one folder"),
            ("core/src/base/a.cpp", '#include "op/call.hpp"\n', "base is below core/src/op"),
            ("core/src/misc/a.cpp", '#include "op/call.hpp"\n', "has no place in CORE_LAYERS"),
            ("sdk/include/tenon/sdk/a.hpp", '#include "../../../../core/src/op/call.hpp"\n',
             "core is not for sdk"),
            ("plugins/formats/text/plugin.cpp", '#include "../../../core/src/op/call.hpp"\n',
             "core is not for plugins"),
            ("plugins/formats/text/a.cpp", '#include "../../backends/cpu/device.hpp"\n',
             "never uses another"),
            ("plugins/formats/text/a.cpp", "#include <oneapi/dnnl/dnnl.h>\n", "onednn does not"),
            ("plugins/formats/text/a.cpp", "#include <fmt/core.h>\n", "fmt does not"),
            ("samples/a.c", "#include <tenon/plugin/entry.h>\n", "abi/plugin is not for samples"),
            ("bindings/cpp/include/tenon/a.hpp", "#include <tenon/sdk/backend.hpp>\n",
             "sdk is not for bindings"),
            ("tests/e2e/a.cpp", '#include "op/call.hpp"\n', "core is not for tests"),
            ("tests/e2e/a.cpp", '#include "../../samples/hello.c"\n', "samples is not for tests"),
            ("tests/e2e/samples/a.cpp", '#include "op/call.hpp"\n', "core is not for tests"),
        ]:
            with self.subTest(name=name, text=text):
                self.refuses("check_includes.py", name, text, message)

    def test_tree(self):
        for name, text, message in [
            ("core/src/op/long.cpp", "\n" * 801, "801 lines, the limit is 800"),
            ("sdk/CMakeLists.txt", "include(FetchContent)\n", "FetchContent is not used"),
            ("sdk/CMakeLists.txt", "file(GLOB x *.cpp)\n", "file(GLOB is not used"),
            ("sdk/CMakeLists.txt", "add_compile_options(-g)\n", "set it on a target"),
        ]:
            with self.subTest(name=name, text=text[:20]):
                self.refuses("check_tree.py", name, text, message)
        many = {f"core/src/op/f{i}.cpp": "\n" * 700 for i in range(25)}
        status, output = self.run_on("check_tree.py", files=many)
        self.assertEqual(status, 1)
        self.assertRegex(output, r"the limit is \d+")

    def binaries(self, text, limit="1000000", plugin=None):
        """check_binaries.py on a library compiled from a C text."""
        with tempfile.TemporaryDirectory() as root:
            library = pathlib.Path(root, "libtenon.so")
            subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=text,
                           text=True, check=True)
            done = subprocess.run([sys.executable, "-B", TOOLS / "check_binaries.py",
                                   "--size-limit", limit, library,
                                   *(["--plugin", plugin, library] if plugin else [])],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_binaries(self):
        core = "int tn_x(void){return 1;}"
        status, output = self.binaries(core)
        self.assertEqual(status, 0, output)
        for args, message in [
            ((core + "int leak(void){return 1;}",), "exports besides tn_*: leak"),
            ((core, "100"), "the limit is 100"),
            ((core, "1000000", "200"), "the limit is 200"),
            (("static int x;",), "exports nothing"),
        ]:
            with self.subTest(message=message):
                status, output = self.binaries(*args)
                self.assertEqual(status, 1, output)
                self.assertIn(message, output)


if __name__ == "__main__":
    unittest.main()
