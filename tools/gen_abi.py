#!/usr/bin/env python3
"""Makes abi/abi.json, the ABI as data, from the headers in abi/include/tenon.

usage: tools/gen_abi.py [--check] [--asserts FILE] [--root DIR] [--cc COMPILER]
    --check    write nothing; exit 1 with a diff if abi.json is out of date
    --asserts  write a header with one static assertion per size, offset and constant of abi.json

Names, types and order come from the text of the headers; sizes, offsets and values from a program that
the C compiler makes of them. Direction, ownership and nullability come from the rules in base.h, which
the tables below spell out. A function that no rule covers is an error of this script, not a guess.
"""
import argparse
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent

# ---- rules ------------------------------------------------------------------------------------------

# The verb, the first word of a function's name that stands here, says who owns the object that it gives.
VERBS = {"create": "owned", "retain": "owned", "take": "owned", "to": "owned", "detach": "owned",
         "from": "owned", "wrap": "owned", "full": "owned", "scalar": "owned", "leaf": "owned",
         "open": "owned", "call": "owned", "grad": "owned", "vjp": "owned", "clip": "owned",
         "capture": "owned", "run": "owned", "apply": "owned", "if": "owned", "while": "owned", "scan": "owned",
         "get": "lent", "at": "lent", "find": "lent"}
# These give back the caller's reference to their last object, which may be NULL.
RELEASING = {"release", "drop"}
# Structs that hand over {function, user, destroy}: destroy runs once, so the caller is rid of them.
CALLBACKS = {"tn_grad_callback", "tn_grad_hook"}
# Parameters that may be NULL wherever they stand: the defaults; the full size of a text (base.h). An array may be NULL if it
# is empty.
NULLABLE = {"options", "desc", "out_size"}
# How long an array is, by the array's name; else n_<name>, else `n`.
COUNTS = {"dims": "rank", "strides": "rank", "symbols": "rank", "data": "bytes", "buffer": "capacity"}

# What the rules above do not give, function by function: {parameter or "return": {key: value}}.
EXCEPTIONS = {
    "tn_error_create": {"return": {"null": False}},
    "tn_tensor_wrap": {"data": {"ownership": "kept"}, "destroy": {"ownership": "taken"},
                       "user": {"ownership": "taken"}},
    "tn_tensor_from_dlpack": {"managed": {"direction": "in", "ownership": "taken"}},
    "tn_op_call": {"inputs": {"elements_null": True}, "outputs": {"count": "capacity"}},
    "tn_capture_input": {"symbols": {"null": True}},
    "tn_program_run": {"outputs": {"count": "capacity"}},
    "tn_program_if": {"outputs": {"count": "capacity"}},
    "tn_program_while": {"outputs": {"count": "capacity"}},
    "tn_program_scan": {"outputs": {"count": "capacity"}},
    "tn_op_explain": {"inputs": {"elements_null": True}},
    "tn_vjp": {"cotangents": {"count": "n_outputs", "null": True, "elements_null": True},
               "out_grads": {"count": "n_inputs", "elements_null": True}},
    "tn_custom_grad": {"out_results": {"count": "n_outputs"}},
    "tn_optimizer_step": {"grads": {"elements_null": True}},
    "tn_clip_grad_value": {"grads": {"elements_null": True}, "out_grads": {"elements_null": True}},
    "tn_clip_grad_norm": {"grads": {"elements_null": True}, "out_grads": {"elements_null": True}},
}
# What a comment says of NULL: the pattern, and whom it speaks of (a group of the pattern, "return",
# "object": the last one, or "both"). Other words on NULL want an entry in EXCEPTIONS.
NULL_PHRASES = [(r"dims may be NULL for rank 0", None), (r"(\w+) may be NULL", 1), (r"\*(\w+) \(may be NULL\)", 1),
                (r"(\w+) NULL: the defaults", 1), (r"NULL is fine and gives NULL", "both"), (r"NULL is fine", "object"), (r"^NULL for ", "return"), (r"\bor NULL\.", "return"),
                (r"Never NULL", None)]

# Macros that are no constants of the ABI.
NOT_CONSTANTS = {"TN_CALL", "TN_API", "TN_INLINE", "TN_EXTERN_C_BEGIN", "TN_EXTERN_C_END", "TN_PLUGIN_EXPORT",
                 "TN_PLUGIN_QUERY", "TENON_VERSION", "TENON_TARGET_VERSION"}
DROPPED = {"TN_EXTERN_C_BEGIN", "TN_EXTERN_C_END", "TN_CALL"}


def die(text):
    sys.exit("gen_abi: " + text)


# ---- reading ----------------------------------------------------------------------------------------

TOKEN = re.compile(r'(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<directive>#(?:/\*.*?\*/|\\\n|[^\n])*)|(?P<blank>\n[ \t]*\n)'
                   r'|(?P<token>"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\w+|\S)', re.S)
DEFINE = re.compile(r"#\s*define\s+(\w+)(\(([^)]*)\))?[ \t]*(.*)", re.S)


def expand_made_functions(text):
    """Uses of a macro that makes functions: lines that are nothing but NAME(arguments)."""
    macros = {m[1]: ([p.strip() for p in m[2].split(",")], m[3]) for m in
              re.finditer(r"^#define (\w+)\(([^)]*)\)((?:[^\n]*\\\n)+[^\n]*)", text, re.M)}

    def use(match):
        params, body = macros[match[1]]
        for param, value in zip(params, match[2].split(",")):
            body = re.sub(r"(\s*##\s*)?\b%s\b(\s*##\s*)?" % param, value.strip(), body)
        return body.replace("\\\n", " ")

    names = "|".join(macros) or "$^"
    return re.sub(r"^(%s)\((.*)\)$" % names, use, text, flags=re.M)


def join_type(tokens):
    text = " ".join(tokens)
    return re.sub(r"\s*\*", "*", text).replace("struct ", "")


def split_commas(tokens):
    parts, depth = [[]], 0
    for t in tokens:
        depth += (t in "([{") - (t in ")]}")
        if t == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(t)
    return parts


def closing(tokens, at):
    """Index of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i] in "([{") - (tokens[i] in ")]}")
        if depth == 0:
            return i
    return die("unbalanced: " + " ".join(tokens[at:at + 12]))


def parse_params(tokens):
    return [] if tokens in ([], ["void"]) else [declarator(p) for p in split_commas(tokens)]


def declarator(tokens):
    """{name, type} of a field or parameter; one that points at a function has {name, returns, params}."""
    for i in range(len(tokens) - 3):
        if tokens[i] == "(" and tokens[i + 1] == "*" and tokens[i + 3] == ")":
            end = closing(tokens, i + 4)
            return {"name": tokens[i + 2], "returns": join_type(tokens[:i]), "params": parse_params(tokens[i + 5:end])}
    if tokens[-1] == "]":
        at = len(tokens) - 1 - tokens[::-1].index("[")
        return {"name": tokens[at - 1], "type": join_type(tokens[:at - 1]) + "".join(tokens[at:])}
    return {"name": tokens[-1], "type": join_type(tokens[:-1])}


def function(tokens):
    at = tokens.index("(")
    return {"name": tokens[at - 1], "returns": join_type(tokens[:at - 1]), "params": parse_params(tokens[at + 1:closing(tokens, at)])}


class Header:
    def __init__(self, path, name):
        self.name, self.tier = name, "plugin" if name.startswith("plugin/") else "application"
        self.functions, self.entries, self.inline = [], [], []
        self.structs, self.callbacks, self.typedefs, self.forward, self.constants = {}, {}, {}, [], {}
        self.read(expand_made_functions(path.read_text()))

    def read(self, text):
        tokens, comment, depth = [], "", 0
        for item in TOKEN.finditer(text):
            kind, word = item.lastgroup, item[0]
            if kind == "directive":
                self.define(word)
            elif kind == "blank":
                comment = "" if not tokens else comment
            elif kind == "comment":
                if not tokens:
                    comment = re.sub(r"\s*\n\s*\*?\s*", " ", word[2:-2]).strip()
            elif word not in DROPPED:
                tokens.append(word)
                depth += (word in "([{") - (word in ")]}")
                inline = tokens[0] == "TN_INLINE"
                if depth == 0 and (word == ";" or (word == "}" and inline)):
                    if not self.declare(tokens, comment):
                        comment = ""  # only functions share one
                    tokens = []
        if tokens:
            die(f"{self.name}: cannot read: {' '.join(tokens[:12])}")

    def define(self, line):
        match = DEFINE.match(line)
        if not match or match[2] is not None:
            return
        value = re.sub(r"/\*.*?\*/", "", match[4], flags=re.S).strip()
        if value and match[1].startswith(("TN_", "TENON_")) and match[1] not in NOT_CONSTANTS:
            self.constants[match[1]] = value

    def declare(self, t, comment):
        """True for a function of the library."""
        if t[0] == "TN_INLINE":
            self.inline.append(function(t[1:]))
        elif t[0] in ("TN_API", "TN_PLUGIN_EXPORT"):
            f = function(["tn_plugin_query" if x == "TN_PLUGIN_QUERY" else x for x in t[1:-1]])
            f["comment"] = comment
            (self.functions if t[0] == "TN_API" else self.entries).append(f)
        elif "{" in t and "struct" in t[:2]:
            at = t.index("{")
            fields, part = [], []
            for word in t[at + 1:closing(t, at)]:
                if word == ";":
                    fields.append(declarator(part))
                    part = []
                else:
                    part.append(word)
            self.structs[t[at - 1]] = fields
        elif t[0] == "struct" and len(t) == 3:
            self.forward.append(t[1])
        elif t[:2] == ["typedef", "struct"] and len(t) == 5:
            self.forward.append(t[3])
        elif t[0] == "typedef":
            d = declarator(t[1:-1])
            (self.callbacks if "params" in d else self.typedefs)[d["name"]] = d
        else:
            die(f"{self.name}: cannot read: {' '.join(t[:12])}")
        return t[0] == "TN_API"


# ---- deriving ---------------------------------------------------------------------------------------

class Rules:
    def __init__(self, headers):
        self.structs = {k: v for h in headers for k, v in h.structs.items()}
        self.handles = {n for h in headers for n in h.forward} - set(self.structs)

    def has_pointers(self, struct):
        return any("params" in f or "*" in f["type"] or f["type"] == "tn_str" for f in self.structs[struct])

    def verb(self, f):
        word = next((w for w in f["name"].split("_") if w in VERBS), None)
        return VERBS[word] if word else die(f"{f['name']}: no verb of VERBS says who owns what it gives")

    def result(self, f):
        text = f["returns"]
        out = {"type": text}
        if text == "tn_error*":
            out.update(ownership="owned", null=True)
        elif text.endswith("*"):
            const_data = text.startswith("const ") and text[6:-1] not in self.handles
            out.update(ownership="lent" if const_data else self.verb(f), null="find" in f["name"].split("_"))
        elif text == "tn_str":
            out["ownership"] = "lent"
        return out

    def count(self, f, p):
        bare = p["name"].removeprefix("out_")
        names = {q["name"] for q in f["params"]}
        array = re.search(r"\[(\d+)\]$", p["type"])
        if array:
            return int(array[1])
        if COUNTS.get(bare) in names:
            return COUNTS[bare]
        if "n_" + bare in names:
            return "n_" + bare
        many = p["type"].endswith("const*") or (bare.endswith("s") and p["type"].endswith("*"))
        return "n" if many and "n" in names and bare not in NULLABLE else None

    def param(self, f, p):
        if "params" in p:
            return {"name": p["name"], "type": signature(p), "direction": "in", "ownership": "borrowed", "null": False}
        name, text = p["name"], p["type"]
        out = {"name": name, "type": text, "direction": "in"}
        if not text.endswith(("*", "]")):
            if text == "tn_str":
                out["ownership"] = "borrowed"
            elif text in CALLBACKS:
                out["ownership"] = "taken"
            return out
        target = re.sub(r"(\*|\[\d+\])$", "", text)
        const = target.endswith("const") or (target.startswith("const ") and "*" not in target)
        is_object = target in self.handles
        if not const and not is_object and not (target == "void" and name == "user"):
            out["direction"] = "out"
        elif name.startswith("out_"):
            die(f"{f['name']}: {name} is named out_ but cannot be written")
        if out["direction"] == "in":
            out["ownership"] = "borrowed"
        elif target.endswith("*"):
            out["ownership"] = self.verb(f)
        elif target == "tn_str" or (target in self.structs and self.has_pointers(target)):
            out["ownership"] = "lent"
        count = None if is_object else self.count(f, p)
        if count:
            out.update(null="if empty" if isinstance(count, str) else False, count=count)
        else:
            out["null"] = name in NULLABLE or name == "user"
        return out

    def describe(self, f):
        out = {"name": f["name"], "returns": self.result(f), "params": [self.param(f, p) for p in f["params"]]}
        by_name = {p["name"]: p for p in out["params"]} | {"return": out["returns"]}
        objects = [p for p in out["params"] if p["type"].rstrip("*").removeprefix("const ") in self.handles]
        if RELEASING & set(f["name"].split("_")):
            objects[-1].update(ownership="taken", null=True)
        rest = f["comment"]
        for pattern, whom in NULL_PHRASES:
            for match in re.finditer(pattern, rest):
                who = match[whom] if isinstance(whom, int) else whom
                if who in ("object", "both"):
                    objects[-1]["null"] = True
                if who == "both":
                    out["returns"]["null"] = True
                elif who in by_name and "null" in by_name[who]:
                    by_name[who]["null"] = True
            rest = re.sub(pattern, "", rest)
        exceptions = EXCEPTIONS.get(f["name"], {})
        if re.search(r"\bNULL\b", rest) and not exceptions:
            die(f"{f['name']}: its comment speaks of NULL in a way that NULL_PHRASES does not know; say in EXCEPTIONS what it means")
        for who, changes in exceptions.items():
            if who not in by_name:
                die(f"EXCEPTIONS: {f['name']} has no {who}")
            by_name[who].update(changes)
            if "count" in changes and by_name[who].get("null") is False:
                by_name[who]["null"] = "if empty"
        return out


def signature(f):
    params = ", ".join(f"{p['name']}: {signature(p)}" if "params" in p else f"{p['type']} {p['name']}" for p in f["params"])
    return f"{f['returns']} ({params or 'void'})"


# ---- sizes, offsets, values -------------------------------------------------------------------------

PROBE_HEAD = """#include <stddef.h>
#include <stdio.h>
#include <tenon/tenon.h>
#include <tenon/plugin/plugin.h>
#define TYPE(x) _Generic((x), int: "i32", unsigned: "u32", long: "i64", unsigned long: "u64", long long: "i64", \\
                         unsigned long long: "u64")
#define VALUE(x) printf((x) < 0 ? "%s %s %lld\\n" : "%s %s %llu\\n", #x, TYPE(x), (unsigned long long)(x))
"""


def probe(include, headers, cc):
    lines = [PROBE_HEAD, "int main(void) {", '  printf("version %u\\n", (unsigned)TENON_VERSION);',
             '  printf("pointer %u\\n", (unsigned)sizeof(void*));']
    for h in headers:
        for name, fields in h.structs.items():
            lines.append(f'  printf("S {name} %zu %zu\\n", sizeof({name}), _Alignof({name}));')
            lines += [f'  printf("F {name} {f["name"]} %zu %zu\\n", offsetof({name}, {f["name"]}), sizeof((({name}*)0)->{f["name"]}));'
                      for f in fields]
        lines += [f'  printf("C "); VALUE({name});' for name, value in h.constants.items() if not value.startswith('"')]
    lines += ["  return 0;", "}", ""]
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "probe.c"), pathlib.Path(folder, "probe")
        source.write_text("\n".join(lines))
        done = subprocess.run([cc, "-std=c11", "-w", "-O0", "-I", str(include), str(source), "-o", str(program)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            die(f"{cc} does not take the headers:\n{done.stderr}")
        text = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    structs, values, facts = {}, {}, {}
    for row in map(str.split, text.splitlines()):
        if row[0] == "S":
            structs[row[1]] = {"size": int(row[2]), "align": int(row[3]), "fields": {}}
        elif row[0] == "F":
            structs[row[1]]["fields"][row[2]] = {"offset": int(row[3]), "size": int(row[4])}
        elif row[0] == "C":
            values[row[1]] = {"type": row[-2], "value": int(row[-1])}
        else:
            facts[row[0]] = int(row[1])
    return structs, values, facts


# ---- writing ----------------------------------------------------------------------------------------

def field_record(f):
    return {"name": f["name"], "slot": signature(f)} if "params" in f else {"name": f["name"], "type": f["type"]}


def make(root, cc):
    include = root / "abi/include"
    folder = include / "tenon"
    paths = sorted(folder.glob("*.h")) + sorted(folder.glob("plugin/*.h"))
    headers = [Header(p, p.relative_to(folder).as_posix()) for p in paths]
    rules = Rules(headers)
    structs, values, facts = probe(include, headers, cc)
    if facts["pointer"] != 8:
        die("made on a 64-bit machine only")
    names = {f["name"] for h in headers for f in h.functions}
    described = {}
    for h in headers:
        handles = {}
        for handle in sorted(set(h.forward) & rules.handles):
            handles[handle] = {verb: f"{handle}_{verb}" for verb in ("retain", "release") if f"{handle}_{verb}" in names}
        parts = {
            "tier": h.tier,
            "handles": handles,
            "typedefs": {n: d["type"] for n, d in h.typedefs.items()},
            "callbacks": {n: signature(d) for n, d in h.callbacks.items()},
            "structs": {n: [field_record(f) for f in fields] for n, fields in h.structs.items()},
            "functions": [rules.describe(f) for f in h.functions],
            "entries": {f["name"]: signature(f) for f in h.entries},
            "inline": {f["name"]: signature(f) for f in h.inline},
            "constants": {n: json.loads(v) if v.startswith('"') else values[n] for n, v in h.constants.items()},
        }
        described[h.name] = {k: v for k, v in parts.items() if v}
    v = facts["version"]
    return {"about": "Made by tools/gen_abi.py from abi/include/tenon.", "version": f"{v >> 22}.{v >> 12 & 0x3ff}.{v & 0xfff}",
            "headers": described, "targets": {"lp64": {"pointer": 8, "structs": structs}}}


def dump(x, indent=0, width=118):
    """JSON with one fact per line: what holds no further objects and fits stands in one."""
    line = json.dumps(x, ensure_ascii=False)
    pad = " " * (indent + 2)
    inner = x.values() if isinstance(x, dict) else x if isinstance(x, list) else []
    if not isinstance(x, (dict, list)) or (not any(isinstance(v, (dict, list)) for v in inner) and len(line) + indent <= width):
        return line
    if isinstance(x, dict):
        rows = [f"{pad}{json.dumps(k)}: {dump(v, indent + 2)}" for k, v in x.items()]
        return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + dump(v, indent + 2) for v in x) + "\n" + " " * indent + "]"


def asserts(abi):
    out = ["/* Made by tools/gen_abi.py from abi/abi.json: the layout that the ABI promises on 64-bit targets. */",
           "#include <stddef.h>", "#include <tenon/tenon.h>", "#include <tenon/plugin/plugin.h>", "#ifdef __cplusplus",
           "#define TN_HOLDS(what) static_assert(what, #what)", "#else", "#define TN_HOLDS(what) _Static_assert(what, #what)",
           "#endif", "#if UINTPTR_MAX == UINT64_MAX"]
    for name, s in abi["targets"]["lp64"]["structs"].items():
        out.append(f"TN_HOLDS(sizeof({name}) == {s['size']});")
        for field, at in s["fields"].items():
            out.append(f"TN_HOLDS(offsetof({name}, {field}) == {at['offset']});")
            out.append(f"TN_HOLDS(sizeof((({name}*)0)->{field}) == {at['size']});")
    out.append("#endif")
    for header in abi["headers"].values():
        for name, c in header.get("constants", {}).items():
            if isinstance(c, dict):
                out.append(f"TN_HOLDS({name} == {c['value']}{'u' if c['type'] == 'u32' else 'ull' if c['type'] == 'u64' else ''});")
    return "\n".join(out + [""])


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--check", action="store_true")
    args.add_argument("--asserts")
    args.add_argument("--root", type=pathlib.Path, default=TOP)
    args.add_argument("--cc", default=os.environ.get("CC", "cc"))
    args = args.parse_args()
    path = args.root / "abi/abi.json"
    if args.asserts:
        pathlib.Path(args.asserts).write_text(asserts(json.loads(path.read_text())))
        return
    text = dump(make(args.root, args.cc)) + "\n"
    have = path.read_text() if path.exists() else ""
    if text == have:
        return
    if not args.check:
        path.write_text(text)
        return
    diff = list(difflib.unified_diff(have.splitlines(), text.splitlines(), "abi/abi.json", "the headers", "", "", 2, ""))
    print("\n".join(diff[:80]))
    if len(diff) > 80:
        print(f"... and {len(diff) - 80} more lines")
    sys.exit("abi/abi.json is out of date: the ABI has changed. Write why into abi/CHANGELOG.md, run tools/gen_abi.py.")


main()
