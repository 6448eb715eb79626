#!/usr/bin/env python3
"""Makes tenon/op_ids.h, tenon/ops.h, tenon/plugin/builder_ops.h and the C++ binding's tenon/ops.hpp from abi/ops.def, and
docs/ops.md from ops.def, the text on each op in abi/ops_text.md and the rules in core/src/ops.

usage: tools/gen_ops.py [--check] [--root ROOT]     --check: write nothing, exit 1 if a file is out of date
Exits with 1, too, where an op lacks its text.
"""
import argparse
import pathlib
import re
import sys
import textwrap

ARGS = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ARGS.add_argument("--check", action="store_true")
ARGS.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
ARGS = ARGS.parse_args()
TOP = ARGS.root
ROOT = TOP / "abi"
CTYPE = {"i64": "int64_t", "f64": "double", "bool": "int32_t", "string": "tn_str", "dtype": "tn_dtype",
         "i64s": "const int64_t*", "f64s": "const double*"}


class Attr:
    def __init__(self, text):
        head, _, default = text.partition("=")
        self.name, self.type = (s.strip() for s in head.split(":"))
        self.default = default.strip() or None

    @property
    def is_list(self):
        return self.type in ("i64s", "f64s")

    def default_items(self):
        return [s.strip() for s in self.default.strip("[]").split(",") if s.strip()]


class Op:
    def __init__(self, row):
        op_id, self.name, since, self.flags, params, attrs, outputs = row
        self.id, self.since = int(op_id), int(since)
        self.params = [p for p in params.split() if not p.startswith("$")]
        self.random = "$" in params
        self.attrs = [Attr(a) for a in re.split(r",\s*(?![^\[]*\])", attrs) if a]
        self.outputs = outputs.split()

    @property
    def upper(self):
        return self.name.upper()

    @property
    def variadic(self):
        return next((p[:-3] for p in self.params if p.endswith("...")), None)

    def fixed(self):
        return [(p.rstrip("?"), p.endswith("?")) for p in self.params if not p.endswith("...")]

    def required(self):
        return [a for a in self.attrs if a.default is None]

    def optional(self):
        return [a for a in self.attrs if a.default is not None]


def read_ops():
    text = (ROOT / "ops.def").read_text()
    pattern = re.compile(r'^TN_OP\((\d+), (\w+), (\d+), "(\w*)", "([^"]*)", "([^"]*)", "([^"]*)"\)$', re.M)
    ops = [Op(m.groups()) for m in pattern.finditer(text)]
    if len(ops) != sum(line.startswith("TN_OP(") for line in text.splitlines()):
        sys.exit("abi/ops.def: a line does not have the form TN_OP(id, name, since, flags, parameters, attributes, outputs)")
    if len({o.id for o in ops}) != len(ops) or len({o.name for o in ops}) != len(ops):
        sys.exit("abi/ops.def: an id or a name stands twice")
    return ops


def ids_header(ops):
    out = ["/* Made by tools/gen_ops.py from ops.def. Ids of the core's ops and ordinals of their attributes. */",
           "#ifndef TENON_OP_IDS_H_", "#define TENON_OP_IDS_H_", '#include "base.h"', ""]
    for o in ops:
        out.append(f"#define TN_OP_{o.upper} {o.id}u")
        out += [f"#define TN_{o.upper}_{a.name.upper()} {k}u" for k, a in enumerate(o.attrs)]
    out += ["", "/* Ids of plugins' ops start here. */", "#define TN_OP_FIRST_PLUGIN 4096u", "", "#endif", ""]
    return "\n".join(out)


def attr_expr(o, a, value, count):
    key = f"TN_{o.upper}_{a.name.upper()}"
    return f"tn_attr_{a.type}({key}, {value}{', ' + count if a.is_list else ''})"


def c_default(a):
    if a.type == "string":
        return f'tn_string("{a.default.strip(chr(39))}")'
    if a.type == "dtype":
        return "TN_DTYPE_" + a.default.upper()
    return a.default


def options_struct(o):
    """The struct of an op's optional attributes, in an order that needs no padding."""
    opts = o.optional()
    eight = [a for a in opts if a.type not in ("bool", "dtype")]
    four = [a for a in opts if a.type in ("bool", "dtype")]
    lists = [a for a in opts if a.is_list]
    fields = [f"  uint32_t struct_size;"]
    n4 = 1 + len(four) + len(lists)
    small = [f"  {CTYPE[a.type]} {a.name};" for a in four] + [f"  uint32_t n_{a.name};" for a in lists]
    if n4 % 2 and eight:
        small.append("  uint32_t reserved;")
    big = [f"  {CTYPE[a.type]} {a.name};" for a in eight]
    name = f"tn_{o.name}_options"
    text = ["typedef struct %s {" % name] + fields + small + big + ["} %s;" % name]
    init = [f"TN_INLINE {name} {name}_init(void) {{", f"  {name} o;", "  o.struct_size = (uint32_t)sizeof o;"]
    pre = []
    for a in opts:
        if a.is_list:
            items = a.default_items()
            init.append(f"  o.n_{a.name} = 0, o.{a.name} = NULL; /* {a.default} */")
            del items
        else:
            init.append(f"  o.{a.name} = {c_default(a)};")
    if n4 % 2 and eight:
        init.append("  o.reserved = 0;")
    init += ["  return o;", "}"]
    return pre + text + init


def signature(o):
    parts = [o.name, "("]
    items = [p for p in o.params]
    attrs = [f"{a.name}: {a.type}" + (f" = {a.default}" if a.default is not None else "") for a in o.attrs]
    if attrs:
        items += ["*"] + attrs
    return f"{o.name}({', '.join(items)}) -> {', '.join(o.outputs)}"


def call_wrapper(o):
    vary = "O" in o.flags
    args = ["tn_ctx* ctx"] + [f"tn_tensor* {n}" for n, _ in o.fixed()]
    if o.variadic:
        args += [f"tn_tensor* const* {o.variadic}", f"uint32_t n_{o.variadic}"]
    for a in o.required():
        args += [f"uint32_t n_{a.name}", f"const int64_t* {a.name}"] if a.is_list else [f"{CTYPE[a.type]} {a.name}"]
    if o.optional():
        args.append(f"const tn_{o.name}_options* options")
    if vary:
        args += ["tn_tensor** outputs", "uint32_t capacity", "uint32_t* out_n"]
    else:
        args += [f"tn_tensor** out_{n}" for n in o.outputs]
    body = []
    n_fixed = len(o.fixed())
    if o.variadic:
        assert n_fixed == 0
        inputs, n_inputs = o.variadic, f"n_{o.variadic}"
    elif n_fixed == 1 and not o.fixed()[0][1]:
        inputs, n_inputs = f"&{o.fixed()[0][0]}", "1"
    elif n_fixed:
        body.append(f"  tn_tensor* inputs[{n_fixed}];")
        body += [f"  inputs[{i}] = {n};" for i, (n, _) in enumerate(o.fixed())]
        inputs, n_inputs = "inputs", str(n_fixed)
    else:
        inputs, n_inputs = "NULL", "0"
    attrs, n_attrs = "NULL", "0"
    if o.attrs:
        req, opt = o.required(), o.optional()
        body.insert(0, f"  tn_attr attrs[{len(o.attrs)}];")
        body.insert(1, "  uint32_t n_attrs = 0;")
        for a in o.attrs:
            if a.default is None:
                body.append(f"  attrs[n_attrs++] = {attr_expr(o, a, a.name, 'n_' + a.name)};")
            else:
                cond = "options"
                if a.is_list:
                    cond += f" && options->{a.name}"
                body.append(f"  if ({cond}) attrs[n_attrs++] = {attr_expr(o, a, 'options->' + a.name, 'options->n_' + a.name)};")
        attrs, n_attrs = "n_attrs ? attrs : NULL", "n_attrs"
        del req, opt
    call = f"tn_op_call(ctx, TN_OP_{o.upper}, {inputs}, {n_inputs}, {attrs}, {n_attrs}, "
    if vary:
        body.append(f"  return {call}outputs, capacity, out_n);")
    elif len(o.outputs) == 1:
        body.insert(0, "  uint32_t n_out = 0;")
        body.append(f"  return {call}out_{o.outputs[0]}, 1, &n_out);")
    else:
        k = len(o.outputs)
        body.insert(0, f"  tn_tensor* outputs[{k}] = {{NULL}};")
        body.insert(0, "  uint32_t n_out = 0;")
        given = " && ".join(f"out_{n}" for n in o.outputs)
        body.append(f"  TN_TRY({call}{given} ? outputs : NULL, {k}, &n_out));")
        body += [f"  *out_{n} = outputs[{i}];" for i, n in enumerate(o.outputs)]
        body.append("  return NULL;")
    return [f"/* {signature(o)} */", f"TN_INLINE tn_error* tn_{o.name}({', '.join(args)}) {{"] + body + ["}"]


def ops_header(ops):
    out = ["/* Made by tools/gen_ops.py from ops.def. One typed inline function per op over tn_op_call (op.h). Each comment is the op's",
           " * schema; docs/ops.md says what it computes. Options may be NULL: the defaults. An optional input may be NULL. Each *out_ is an",
           " * owned reference. A list option that is NULL has its default, which the _init comment names. */",
           "#ifndef TENON_OPS_H_", "#define TENON_OPS_H_", '#include "op.h"', '#include "op_ids.h"', "TN_EXTERN_C_BEGIN", ""]
    for o in ops:
        if o.optional():
            out += options_struct(o)
        out += call_wrapper(o) + [""]
    out += ["TN_EXTERN_C_END", "#endif", ""]
    return "\n".join(out)


def builder_wrapper(o):
    args = ["tn_builder* builder"] + [f"tn_value {n}" for n, _ in o.fixed()]
    state = ["seed", "stream", "offset"] if o.random else []
    args += [f"tn_value {n}" for n in state]
    if o.variadic:
        args += [f"const tn_value* {o.variadic}", f"uint32_t n_{o.variadic}"]
    for a in o.attrs:
        args += [f"const {CTYPE[a.type].split()[1].rstrip('*')}* {a.name}", f"uint32_t n_{a.name}"] if a.is_list else [f"{CTYPE[a.type]} {a.name}"]
    single = len(o.outputs) == 1 and "O" not in o.flags
    if "O" in o.flags:
        args += ["tn_value* outputs", "uint32_t n_outputs"]
    elif not single:
        args += [f"tn_value* outputs"]
    body = []
    names = [n for n, _ in o.fixed()] + state
    if o.variadic:
        inputs, n_inputs = o.variadic, f"n_{o.variadic}"
    elif names:
        body.append(f"  tn_value inputs[{len(names)}];")
        body += [f"  inputs[{i}] = {n};" for i, n in enumerate(names)]
        inputs, n_inputs = "inputs", str(len(names))
    else:
        inputs, n_inputs = "NULL", "0"
    attrs, n_attrs = "NULL", "0"
    if o.attrs:
        body.insert(0, f"  tn_attr attrs[{len(o.attrs)}];")
        body.insert(1, "  uint32_t n_attrs = 0;")
        for a in o.attrs:
            cond = f"if ({a.name}) " if a.is_list and a.default is not None else ""
            body.append(f"  {cond}attrs[n_attrs++] = {attr_expr(o, a, a.name, 'n_' + a.name)};")
        attrs, n_attrs = "n_attrs ? attrs : NULL", "n_attrs"
    if single:
        body.insert(0, "  tn_value y = TN_NO_VALUE;")
        body.append(f"  builder->v->call(builder, TN_OP_{o.upper}, {inputs}, {n_inputs}, {attrs}, {n_attrs}, &y, 1);")
        body.append("  return y;")
    else:
        n = "n_outputs" if "O" in o.flags else str(len(o.outputs))
        body.append(f"  builder->v->call(builder, TN_OP_{o.upper}, {inputs}, {n_inputs}, {attrs}, {n_attrs}, outputs, {n});")
    ret = "tn_value" if single else "void"
    return [f"TN_INLINE {ret} tn_b_{o.name}({', '.join(args)}) {{"] + body + ["}"]


def builder_header(ops):
    out = ["/* Made by tools/gen_ops.py from ops.def. Short forms of tn_builder_vtbl.call for recipes: tn_b_<op>. A list that is NULL has",
           " * its default. */",
           "#ifndef TENON_PLUGIN_BUILDER_OPS_H_", "#define TENON_PLUGIN_BUILDER_OPS_H_", '#include "../op_ids.h"',
           '#include "builder.h"', "TN_EXTERN_C_BEGIN", ""]
    for o in ops:
        out += builder_wrapper(o) + [""]
    out += ["TN_EXTERN_C_END", "#endif", ""]
    return "\n".join(out)


# ---- the C++ binding

CPP_TYPE = {"i64": "int64_t", "f64": "double", "bool": "bool", "string": "std::string_view", "dtype": "tn_dtype",
            "i64s": "Dims", "f64s": "std::vector<double>"}
# Words of the language, and the namespace that would be ambiguous beside a function of its name.
CPP_WORDS = {"and", "or", "xor", "not", "std"}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def cpp_default(a):
    if a.is_list:
        return "{}"
    if a.type == "bool":
        return "true" if a.default != "0" else "false"
    if a.type == "string":
        return '"' + a.default.strip("'") + '"'
    return c_default(a)


def cpp_options(o):
    text = [f"struct {camel(o.name)}Options {{"]
    for a in o.optional():
        note = f"  // empty: {a.default}" if a.is_list and a.default_items() else ""
        text.append(f"  {CPP_TYPE[a.type]} {a.name} = {cpp_default(a)};{note}")
    return text + ["};"]


def cpp_attr(o, a):
    value = a.name if a.default is None else "options." + a.name
    key = f"TN_{o.upper}_{a.name.upper()}"
    if a.is_list:
        line = f"attrs.add(tn_attr_{a.type}({key}, {value}.data(), {value}.size()));"
        return line if a.default is None else f"if (!{value}.empty()) {line}"
    if a.type == "string":
        value = f"to_str({value})"
    return f"attrs.add(tn_attr_{a.type}({key}, {value}));"


def cpp_wrapper(o):
    """One inline function. A number may stand for an input of an elementwise op of several, and for one named value."""
    fixed = o.fixed()
    loose = [n == "value" or ("E" in o.flags and len(fixed) > 1) for n, _ in fixed]
    body, args = [], []
    if all(n == "value" for n, _ in fixed) and not o.variadic:
        args.append("const Context& cx")
        body.append("  tn_ctx* const ctx = cx.get();")
    elif o.variadic:
        body.append(f"  tn_ctx* const ctx = detail::first_context({{{o.variadic}.empty() ? nullptr : {o.variadic}[0].context()}});")
    else:
        body.append("  tn_ctx* const ctx = detail::first_context({%s});" % ", ".join(f"{n}.context()" for n, _ in fixed))
    can_default = not o.required()
    for (n, optional), number in zip(fixed, loose):
        args.append(f"const {'Operand' if number else 'Tensor'}& {n}" + (" = {}" if optional and can_default else ""))
    if o.variadic:
        args.append(f"const std::vector<Tensor>& {o.variadic}")
    args += [f"const {CPP_TYPE[a.type]}& {a.name}" if a.is_list else f"{CPP_TYPE[a.type]} {a.name}" for a in o.required()]
    if o.optional():
        args.append(f"const {camel(o.name)}Options& options = {{}}")
    inputs = "nullptr, 0"
    if o.variadic:
        body.append(f"  const std::vector<tn_tensor*> inputs = detail::handles({o.variadic});")
        inputs = "inputs.data(), static_cast<uint32_t>(inputs.size())"
    elif fixed:
        items = [f"{n}.resolve(ctx)" if number else f"{n}.get()" for (n, _), number in zip(fixed, loose)]
        body.append("  tn_tensor* const inputs[] = {%s};" % ", ".join(items))
        inputs = f"inputs, {len(fixed)}"
    attrs = "nullptr, 0"
    if o.attrs:
        body.append(f"  detail::AttrList<{len(o.attrs)}> attrs;")
        body += ["  " + cpp_attr(o, a) for a in o.attrs]
        attrs = "attrs.items, attrs.n"
    call = f"ctx, TN_OP_{o.upper}, {inputs}, {attrs}"
    head = []
    if "O" in o.flags:
        ret = "std::vector<Tensor>"
        room = f"{o.variadic or o.required()[0].name}.size()"
        if o.name == "region":  # whose code says how many there are
            room = "code.size() > 1 && code[1] > 0 ? static_cast<size_t>(code[1]) : 1"
        body.append(f"  return detail::call_many({call}, {room});")
    elif len(o.outputs) == 1:
        ret = "Tensor"
        body.append(f"  return detail::call({call});")
    else:
        ret = camel(o.name) + "Result"
        head = [f"struct {ret} {{", f"  Tensor {', '.join(o.outputs)};", "};"]
        body.append(f"  std::vector<Tensor> results = detail::call_many({call}, {len(o.outputs)});")
        body.append("  return {%s};" % ", ".join(f"std::move(results[{i}])" for i in range(len(o.outputs))))
    name = o.name + "_" if o.name in CPP_WORDS else o.name
    return head + [f"// {signature(o)}", f"inline {ret} {name}({', '.join(args)}) {{"] + body + ["}"]


def cpp_header(ops):
    out = ["// Made by tools/gen_ops.py from ops.def. One function per op; each comment is the op's schema, docs/ops.md says what it",
           "// computes. An optional input may be left empty. Where an Operand stands, a number will do: at least one must be a tensor.",
           "#pragma once", '#include "tenon/op_ids.h"', '#include "tenon/tensor.hpp"', "", "namespace tenon {", ""]
    for o in ops:
        if o.optional():
            out += cpp_options(o)
        out += cpp_wrapper(o) + [""]
    return "\n".join(out + ["}  // namespace tenon", ""])


# ---- docs/ops.md

PREAMBLE = """\
# The ops

Made by tools/gen_ops.py from abi/ops.def, abi/ops_text.md and the rules in core/src/ops. What each op of the core computes, and
what it does at the edges, on every device. `tenon ops` lists them too, with who has them natively.

A signature has the inputs, then, behind `*`, the attributes with their types and defaults; one without a default must be given.
`x?` may be absent, `xs...` is any number of inputs. In C an op is `tn_<name>`, in C++ `tenon::<name>` (`and_`, `or_`, `xor_`,
`not_` and `std_` end in an underscore).

Required attributes are arguments of the C function, the others come in a struct `tn_<name>_options` of `tenon/ops.h`, made by its
`_init` with the defaults in it; NULL stands for all of them. `uniform` has the required `dims` and the options `low`, `high` and
`dtype` ([samples/train_digits.c](../samples/train_digits.c)):

```c
  tn_uniform_options range = tn_uniform_options_init();
  range.low = -kNoise, range.high = kNoise;
```

```c
  TN_TRY(tn_uniform(t->ctx, 2, tn_tensor_dims(s->clean), &range, &s->noise));
```

An option that is a list has its length beside it: `stride` and `n_stride`. An op of a plugin has no such function: `tn_op_call` takes its
attributes by key ([writing-an-op.md](writing-an-op.md)). In C++ the options are named: `tenon::softmax(x, {.axis = -1})`.

What holds for all:

- **Shapes.** "Broadcast" is NumPy's: dims are compared from the last one on and must be equal or 1. A tensor has at most 8 axes.
  Negative axes count from the end; an axis that does not exist is OUT_OF_RANGE, one that stands twice in `axes` INVALID_ARGUMENT.
- **Dtypes.** Floats are f16, bf16, f32 and f64; integers i8 to i64 and u8 to u64; reals are both; numbers are reals and complex
  (c64, c128); computable ones are numbers and bool; "any" takes in what is only stored (f8; i4 and u4 are packed two
  to a byte and only copied, cast, bitcast and reshaped). Another dtype is INVALID_ARGUMENT and named. "Promoted": the inputs are cast to their common dtype, as in
  `tn_dtype_promote`; a host scalar without a dtype takes that of the others, unless its kind is higher; a whole number that it then
  does not hold is OUT_OF_RANGE.
- **Empty tensors** are fine everywhere; where an op has no answer for one, its edges say so.
- **Integers** wrap. Floats follow IEEE 754, and NaN passes on where nothing else is said.
- **f16 and bf16**: what takes more than one step of arithmetic is computed in f32 and rounded once, by kernels and by decompositions, forward
  and backward. Two may be rounded on the way: a product of matrices or a convolution before its bias is added, and a sum of scattered elements.
- **Complex numbers** have the branch cuts of C99's annex G; on a cut the sign of a zero says on which side. Where an op is made of the real
  and imaginary parts, rank 8 is refused.
- **Gradients** are of any order, unless it says otherwise.
- A **base** op is what a backend must have a kernel for; any other one is also made of base ops.
"""
FIELDS = ("Shape", "Dtypes", "Edges", "Gradient")


def read_texts(ops):
    """{op: {"": what it computes, field: text}}; exits where an op lacks its own or there is one too many."""
    sections = re.split(r"^## (\w+)\n", (ROOT / "ops_text.md").read_text(), flags=re.M)[1:]
    texts, faults = {}, []
    for name, body in zip(sections[::2], sections[1::2]):
        if name in texts:
            faults.append(f"{name} stands twice")
        parts = re.split(rf"^({'|'.join(FIELDS)}):", body, flags=re.M)
        texts[name] = {k: " ".join(v.split()) for k, v in zip(["", *parts[1::2]], parts[::2])}
    for o in ops:
        text = texts.setdefault(o.name, {})
        if "E" in o.flags:
            one = len(o.params) == 1
            text.setdefault("Shape", "that of x." if one else "the inputs broadcast.")
        faults += [f"{o.name} lacks {field or 'what it computes'}" for field in ("", "Shape", "Dtypes") if not text.get(field)]
    faults += [f"{name} is no op of ops.def" for name in texts.keys() - {o.name for o in ops}]
    if faults:
        sys.exit("abi/ops_text.md: " + ", ".join(sorted(faults)))
    return texts


def read_gradients(ops):
    """{op: why it has no gradient, or "" where it has one}, from the rules of the core."""
    found, word = {}, r'constexpr const char\* (\w+) =\s*"([^"]*)";'
    shared = dict(pair for path in sorted((TOP / "core/src/ops").glob("*.hpp")) for pair in re.findall(word, path.read_text()))
    for path in sorted((TOP / "core/src/ops").glob("*.cpp")):
        source = path.read_text()
        words = shared | dict(re.findall(word, source))
        for name, body in re.findall(r"const OpRules rules_(\w+) = \{([^;]*)\};", source):
            decomposed, gradient, why = (s.strip() for s in body.split(",", 4)[2:])
            derived = gradient == why == "nullptr" and decomposed != "nullptr"
            found[name] = "" if derived or gradient != "nullptr" else words.get(why, why.strip('"'))
    wrong = [o.name for o in ops if found.get(o.name) in (None, "nullptr") or re.match(r"k[A-Z]", found[o.name])]
    if wrong:
        sys.exit("core/src/ops: no rules, or no word on the gradient, of " + ", ".join(wrong))
    return found


def op_text(o, text, why):
    gradient = f"none: {why}." if why else f"yes: {text['Gradient']}" if "Gradient" in text else "yes."
    items = [(field, text[field]) for field in FIELDS[:3] if field in text] + [("Gradient", gradient)]
    items.append(("Kind", ", ".join(["base" if "B" in o.flags else "decomposed into base ops"] +
                                    ["elementwise"] * ("E" in o.flags) + ["a view"] * ("V" in o.flags) +
                                    ["draws from the random state"] * ("R" in o.flags)) + "."))
    out = [f"### {o.name}", ""]
    out += ["    " + line for line in textwrap.wrap(signature(o), 110, subsequent_indent="    ")]
    wrap = {"width": 120, "break_long_words": False, "break_on_hyphens": False}
    out += ["", *textwrap.wrap(escaped(text[""]), **wrap), ""]
    for field, words in items:
        out += textwrap.wrap(f"- {field}: {escaped(words)}", subsequent_indent="  ", **wrap)
    return out + [""]


def escaped(text):
    """`text` with what Markdown would take for its own made plain."""
    return re.sub(r"([*_<|])", r"\\\1", text)


def ops_text(ops):
    texts, gradients = read_texts(ops), read_gradients(ops)
    out, names = [PREAMBLE], {o.name: o for o in ops}
    for heading, op in re.findall(r"^// ---- (.+)$|^TN_OP\(\d+, (\w+)", (ROOT / "ops.def").read_text(), re.M):
        if heading:
            out += [f"## {heading[0].upper()}{heading[1:]}", ""]
        else:
            out += op_text(names[op], texts[op], gradients[op])
    return "\n".join(out).rstrip("\n") + "\n"


def main():
    ops = read_ops()
    headers = ROOT / "include" / "tenon"
    files = {headers / "op_ids.h": ids_header(ops), headers / "ops.h": ops_header(ops),
             headers / "plugin/builder_ops.h": builder_header(ops),
             TOP / "bindings/cpp/include/tenon/ops.hpp": cpp_header(ops), TOP / "docs/ops.md": ops_text(ops)}
    stale = []
    for path, text in files.items():
        if not path.exists() or path.read_text() != text:
            stale.append(path.relative_to(TOP).as_posix())
            if not ARGS.check:
                path.write_text(text)
    if stale and ARGS.check:
        sys.exit("out of date, run tools/gen_ops.py: " + ", ".join(stale))


main()
