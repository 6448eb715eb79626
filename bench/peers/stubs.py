"""Empty libraries in place of the CUDA libraries that torch's Linux wheel names as needed.

A run on the CPU never calls them, but the loader wants the files and every symbol. Each stub has
the symbols that torch's own libraries import from it, under the version node they ask for; a call
ends the process with the symbol's name. Needs gcc and binutils. Usage: stubs.py <torch/lib>
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Libraries without version nodes: what their symbols look like.
UNVERSIONED = {
    "libnccl.so.2": re.compile(r"p?nccl"),
    "libcusparseLt.so.0": re.compile(r"cusparseLt"),
}
# Told apart from the vendor wheels that are installed, and from the system's libraries.
WANTED = re.compile(
    r"lib(cublas|cublasLt|cudnn|cufft|cusparse|cusparseLt|cusolver|nvrtc|nccl|nvshmem_host)\.so\."
)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(library):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-dW", library))


def version_nodes(library):
    """{soname: [version node]} of what a library imports."""
    nodes, soname = {}, None
    for line in output("readelf", "-VW", library).splitlines():
        if found := re.search(r"File: (\S+)", line):
            soname = found[1]
        elif soname and (found := re.search(r"Name: (\S+)", line)):
            nodes.setdefault(soname, []).append(found[1])
    return nodes


def imports(library):
    """[(symbol, version node or "")] that a library leaves to others."""
    names = (line.split()[-1] for line in output("nm", "-D", "-u", library).splitlines() if line)
    return [tuple((name.split("@") + [""])[:2]) for name in names]


def survey(folder):
    """{soname: {version node: {symbol}}} of the missing libraries."""
    stubs = {}
    for library in sorted(folder.glob("lib*.so")):
        wanted = {so for so in needed(library) if WANTED.match(so)}
        nodes = version_nodes(library)
        for soname in wanted:
            known = stubs.setdefault(soname, {})
            for symbol, node in imports(library):
                plain = UNVERSIONED.get(soname)
                if node in nodes.get(soname, []) or (plain and not node and plain.match(symbol)):
                    known.setdefault(node, set()).add(symbol)
    return stubs


def build(soname, symbols_by_node, folder):
    with tempfile.TemporaryDirectory() as scratch:
        source, script = Path(scratch, "stub.c"), Path(scratch, "stub.map")
        symbols = sorted(set().union(*symbols_by_node.values()))
        source.write_text(
            "extern void abort(void);\nextern int puts(const char*);\n"
            + "".join(
                f'int {s}(void) {{ puts("{soname}: {s} is a stub"); abort(); }}\n' for s in symbols
            )
        )
        command = ["gcc", "-w", "-shared", "-fPIC", "-O1", "-fno-builtin", "-nostartfiles"]
        command += [f"-Wl,-soname,{soname}", str(source), "-o", str(folder / soname)]
        nodes = {node: names for node, names in symbols_by_node.items() if node}
        if nodes:
            script.write_text(
                "".join(
                    f"{node} {{ global: {' '.join(n + ';' for n in sorted(names))} }};\n"
                    for node, names in sorted(nodes.items())
                )
            )
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)
    return len(symbols)


def make_stubs(folder):
    """Writes the stubs into torch/lib. Real libraries that are there already stay."""
    for soname, symbols_by_node in sorted(survey(Path(folder)).items()):
        marker = Path(folder, soname)
        if marker.exists() and marker.stat().st_size > 1 << 20:
            continue
        if symbols_by_node:
            print(f"  {soname}: {build(soname, symbols_by_node, Path(folder))} symbols")


if __name__ == "__main__":
    make_stubs(sys.argv[1])
