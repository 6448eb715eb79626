#!/usr/bin/env python3
"""Who may include whom: the table of docs/architecture.md, checked over the tree.

Usage: check_includes.py [ROOT]. Prints one line per offence; exits with 1 if there is any.
"""

import os
import pathlib
import re
import sys

SOURCES = {".c", ".h", ".cpp", ".hpp", ".inc"}
SKIP = {"build", ".git", ".venv", "node_modules"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)

# Libraries that are not the system's, by how their headers begin.
LIBRARIES = {
    "boost": r"boost/", "fmt": r"fmt/", "json": r"nlohmann/", "cli11": r"CLI/",
    "doctest": r"doctest", "benchmark": r"benchmark/", "onednn": r"(oneapi/dnnl|dnnl)",
    "openmp": r"omp\.h", "vulkan": r"(vulkan/|volk)", "opencl": r"(CL/|clblast)",
    "cuda": r"(cuda|cublas|cudnn|nvrtc|nccl|cupti)", "torch": r"(torch/|ATen/|c10/)",
    "protobuf": r"google/protobuf/",
}
# What a plugin's vendor library is.
VENDORS = {
    "plugins/backends/cpu": {"onednn", "openmp"},
    "plugins/backends/cuda": {"cuda"},
    "plugins/backends/vulkan": {"vulkan"},
    "plugins/backends/opencl": {"opencl"},
}
APPLICATION, PLUGIN_TIER, SDK, CPP, CORE = "abi", "abi/plugin", "sdk", "bindings/cpp", "core"
KIT = "conformance kit"

# First matching folder decides: which of our own folders and which libraries it may use.
RULES = [
    ("abi", {APPLICATION, PLUGIN_TIER}, set()),
    ("core", {APPLICATION, PLUGIN_TIER, CORE}, {"boost", "fmt", "json"}),
    ("sdk/include", {APPLICATION, PLUGIN_TIER, SDK}, set()),
    ("sdk", {APPLICATION, PLUGIN_TIER, SDK, CPP, KIT}, {"cli11", "doctest", "json", "fmt"}),
    ("plugins", {APPLICATION, PLUGIN_TIER, SDK}, set()),
    ("bindings", {APPLICATION, CPP}, set()),
    ("samples/embed/backend_c", {APPLICATION, PLUGIN_TIER}, set()),
    ("samples/embed/plugin", {APPLICATION, PLUGIN_TIER, SDK}, set()),
    ("samples", {APPLICATION, CPP}, set()),
    ("tests/unit", {APPLICATION, PLUGIN_TIER, SDK, CPP, CORE, KIT}, {"doctest", "fmt", "json"}),
    ("tests/plugins", {APPLICATION, PLUGIN_TIER, SDK}, set()),
    ("tests/e2e/samples", {APPLICATION, CPP, "samples"}, set()),  # the programs under test
    ("tests", {APPLICATION, PLUGIN_TIER, SDK, CPP, KIT}, {"doctest", "json"}),
    ("bench", {APPLICATION, PLUGIN_TIER, CPP, KIT}, {"benchmark", "torch"}),
]
# Inside core/src, downwards only; folders of one set are level. A file directly in core/src is
# on top of all. `plugin` loads tables, which it hands up, so it stands beside `device`.
CORE_LAYERS = [{"base"}, {"tensor", "profile"}, {"device", "plugin"}, {"op"},
               {"autograd", "ops", "recipe"}, {"passes"}, {"capture", "optim", "model"}, {"capi"}]
LEVEL = {name: i for i, names in enumerate(CORE_LAYERS) for name in names}


def sources(root):
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in SKIP and not n.startswith(".venv")]
        for name in sorted(files):
            if pathlib.Path(name).suffix in SOURCES:
                yield pathlib.Path(folder, name)


def rule_for(path):
    for folder, own, libraries in RULES:
        if path.startswith(folder + "/"):
            return own, libraries | {lib for where, libs in VENDORS.items()
                                     if path.startswith(where + "/") for lib in libs}
    return None


def plugin_root(root, path):
    """The folder of one plugin: the nearest one upwards with a plugin.c or plugin.cpp."""
    for folder in (root / path).parents:
        if folder == root:
            break
        if (folder / "plugin.cpp").exists() or (folder / "plugin.c").exists():
            return folder.relative_to(root).as_posix()
    return "/".join(path.split("/")[:3])


def layer(path):
    parts = path.split("/")
    return parts[2] if path.startswith("core/src/") and len(parts) > 3 else None


class Checker:
    def __init__(self, root):
        self.root = root
        self.faults = []
        self.places = {"boost": {}, "fmt": {}, "json": {}}
        self.search = [p.relative_to(root).as_posix() for p in
                       [root / "abi/include", root / "sdk/include", root / "core/src",
                        root / "bindings/cpp/include", root / "sdk/conformance/include",
                        root / "tests/support", root / "sdk"] if p.is_dir()]

    def resolve(self, path, name):
        """The file of this tree that an include names, or None."""
        for folder in [os.path.dirname(path), *self.search]:
            found = os.path.normpath(os.path.join(folder, name))
            if (self.root / found).is_file():
                return found
        here = path.split("/")[:-1]
        for depth in range(len(here), 0, -1):  # an include directory of the file's own folder
            for sub in ("", "include", "src"):
                found = os.path.normpath(os.path.join(*here[:depth], sub, name))
                if (self.root / found).is_file():
                    return found
        return None

    @staticmethod
    def part(path):
        for prefix, part in [("abi/include/tenon/plugin/", PLUGIN_TIER), ("abi/", APPLICATION),
                             ("sdk/include/", SDK), ("sdk/", KIT),
                             ("bindings/cpp/", CPP), ("core/", CORE)]:
            if path.startswith(prefix):
                return part
        return None

    def check(self, path):
        rule = rule_for(path)
        if rule is None:
            return
        own, libraries = rule
        text = (self.root / path).read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            name = match[1] or match[2]
            line = text.count("\n", 0, match.start(0) + len(match[0])) + 1
            fault = self.fault(path, name, own, libraries)
            if fault:
                self.faults.append(f"{path}:{line}: includes {name}: {fault}")

    def fault(self, path, name, own, libraries):
        found = self.resolve(path, name)
        if found is None:
            library = next((n for n, how in LIBRARIES.items() if re.match(how, name)), None)
            if path.startswith("abi/"):
                return None if name in ("stddef.h", "stdint.h") else \
                    "abi takes only <stddef.h> and <stdint.h>"
            if library and library not in libraries:
                return f"{library} does not belong here"
            if library in self.places and path.startswith("core/"):
                self.places[library].setdefault(os.path.dirname(path), name)
            if name.startswith(("tenon/", "../")):
                return "no such file in this tree"
            return None
        if path.startswith("abi/include/tenon/") and "/plugin/" not in path \
                and self.part(found) == PLUGIN_TIER:
            return "the application tier does not know the plugin tier"
        part = self.part(found)
        if part is None:
            same = path.split("/")[0] == found.split("/")[0]
            if path.startswith(("plugins/", "tests/plugins/")) and same:
                unit = plugin_root(self.root, path)
                return None if found.startswith(unit + "/") else "a plugin never uses another one"
            top = found.split("/")[0]
            return None if same or top in own or found.startswith("tests/support/") else \
                f"{top} is not for {path.split('/')[0]}"
        if part not in own:
            return f"{part} is not for {path.split('/')[0]}"
        above, below = layer(path), layer(found)
        if above and below:
            for name in (above, below):
                if name not in LEVEL:
                    return f"core/src/{name} has no place in CORE_LAYERS of this script"
            if LEVEL[below] > LEVEL[above]:
                return f"core/src/{above} is below core/src/{below}"
        return None

    def run(self):
        for path in sources(self.root):
            self.check(path.relative_to(self.root).as_posix())
        for library, places in self.places.items():
            if len(places) > 1:
                self.faults.append(f"core: {library} is private to one folder, but used in "
                                   + ", ".join(sorted(places)))
        return self.faults


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    faults = Checker(root.resolve()).run()
    print("\n".join(faults) if faults else "includes: as the table says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
