"""Tenon through its C ABI, as little of it as comparing ops needs: a context, tensors to and from numpy, any op by name, vjp."""

import ctypes
import re

import numpy

VOID, U32, U64, I32 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32


class Str(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", U64)]


class Attr(ctypes.Structure):
    _fields_ = [("key", U32), ("tag", U32), ("bits", U64), ("data", VOID)]


class OpInfo(ctypes.Structure):
    _fields_ = [
        ("struct_size", U32),
        ("op", U32),
        ("name", Str),
        ("since", U32),
        ("base", U32),
        ("differentiable", U32),
        ("input_count", U32),
        ("attr_count", U32),
        ("output_count", U32),
        ("why_not_differentiable", Str),
        ("plugin", Str),
        ("signature", Str),
    ]


class RuntimeDesc(ctypes.Structure):
    _fields_ = [
        ("struct_size", U32),
        ("flags", U32),
        ("trust", U32),
        ("log_level", U32),
        ("thread_count", I32),
        ("plugin_path_count", U32),
        ("plugin_paths", VOID),
        ("lock_file", Str),
        ("log", VOID * 3),
        ("allocator", VOID),
        ("static_plugins", VOID),
        ("memory_limit", U64),
    ]


# The functions that are used, as the headers have them: result, then arguments. A tn_error* is a VOID.
PROTOTYPES = {
    "tn_error_message": (ctypes.c_char_p, VOID),
    "tn_error_release": (None, VOID),
    "tn_runtime_create": (VOID, VOID, VOID),
    "tn_ctx_create": (VOID, VOID, Str, VOID),
    "tn_op_count": (VOID, VOID, VOID),
    "tn_op_at": (VOID, VOID, U32, VOID),
    "tn_op_get_info": (VOID, VOID, U32, VOID),
    "tn_op_call": (VOID, VOID, U32, VOID, U32, VOID, U32, VOID, U32, VOID),
    "tn_vjp": (VOID, VOID, VOID, VOID, U32, VOID, U32, U32, VOID),
    "tn_tensor_from_host": (VOID, VOID, U32, U32, VOID, VOID, U64, VOID),
    "tn_tensor_leaf": (VOID, VOID, VOID, VOID),
    "tn_tensor_read": (VOID, VOID, VOID, VOID, U64),
    "tn_tensor_release": (None, VOID),
    "tn_tensor_rank": (U32, VOID),
    "tn_tensor_dtype": (U32, VOID),
    "tn_tensor_dims": (ctypes.POINTER(ctypes.c_int64), VOID),
}

TRUST_ANY, NO_SEARCH, GRAD_ALLOW_UNUSED = 1, 2, 4
TAGS = {"i64": 1, "f64": 2, "bool": 3, "string": 4, "dtype": 6, "i64s": 7, "f64s": 8}


def dtype_code(code, bits):
    return code | bits << 8 | 1 << 16


# By name, as attributes and numpy call them.
DTYPES = {
    name: dtype_code(code, bits)
    for name, code, bits in [
        ("int8", 0, 8),
        ("int16", 0, 16),
        ("int32", 0, 32),
        ("int64", 0, 64),
        ("uint8", 1, 8),
        ("uint16", 1, 16),
        ("uint32", 1, 32),
        ("uint64", 1, 64),
        ("float16", 2, 16),
        ("float32", 2, 32),
        ("float64", 2, 64),
        ("complex64", 5, 64),
        ("complex128", 5, 128),
        ("bool", 6, 8),
    ]
}
NAMES = {code: name for name, code in DTYPES.items()}


def string(text):
    data = text.encode()
    return Str(data, len(data))


def text_of(s):
    return ctypes.string_at(s.data, s.size).decode() if s.size else ""


class Error(Exception):
    """What a call of Tenon answered."""


class Op:
    """An op with its schema, as its signature has it."""

    def __init__(self, info):
        self.id, self.name = info.op, text_of(info.name)
        self.differentiable, self.outputs = bool(info.differentiable), info.output_count
        self.why_not = text_of(info.why_not_differentiable)
        self.plugin = text_of(info.plugin)
        found = re.search(r"\*, (.*)\)", text_of(info.signature))
        words = re.findall(r"(\w+): (\w+)", found[1] if found else "")
        self.attrs = {name: (key, kind) for key, (name, kind) in enumerate(words)}


class Tensor:
    def __init__(self, tenon, handle):
        self.tenon, self.handle = tenon, handle

    def __del__(self):
        self.tenon.lib.tn_tensor_release(self.handle)

    def numpy(self):
        lib = self.tenon.lib
        rank, dims = lib.tn_tensor_rank(self.handle), lib.tn_tensor_dims(self.handle)
        dtype = NAMES[lib.tn_tensor_dtype(self.handle)]
        out = numpy.empty([dims[a] for a in range(rank)], dtype)
        self.tenon.check(lib.tn_tensor_read(self.tenon.ctx, self.handle, out.ctypes.data, out.nbytes))
        return out


class Tenon:
    """One context on one device. `plugins`: files or folders."""

    def __init__(self, library, plugins, device):
        self.lib = lib = ctypes.CDLL(library)
        for name, (result, *arguments) in PROTOTYPES.items():
            getattr(lib, name).restype, getattr(lib, name).argtypes = result, arguments
        paths = (Str * len(plugins))(*[string(p) for p in plugins])
        desc = RuntimeDesc(
            struct_size=ctypes.sizeof(RuntimeDesc),
            flags=NO_SEARCH,
            trust=TRUST_ANY,
            plugin_path_count=len(plugins),
            plugin_paths=ctypes.cast(paths, VOID),
        )
        self.runtime, self.ctx = VOID(), VOID()
        self.check(lib.tn_runtime_create(ctypes.byref(desc), ctypes.byref(self.runtime)))
        self.check(lib.tn_ctx_create(self.runtime, string(device), ctypes.byref(self.ctx)))
        self.ops = {op.name: op for op in self._ops()}

    def check(self, error):
        if error:
            text = self.lib.tn_error_message(error).decode()
            self.lib.tn_error_release(error)
            raise Error(text)

    def _ops(self):
        count = U32()
        self.check(self.lib.tn_op_count(self.runtime, ctypes.byref(count)))
        for index in range(count.value):
            op, info = U32(), OpInfo(struct_size=ctypes.sizeof(OpInfo))
            self.check(self.lib.tn_op_at(self.runtime, index, ctypes.byref(op)))
            self.check(self.lib.tn_op_get_info(self.runtime, op, ctypes.byref(info)))
            yield Op(info)

    def tensor(self, array, leaf=False):
        array = numpy.ascontiguousarray(array).reshape(numpy.shape(array))
        dims, out = (ctypes.c_int64 * array.ndim)(*array.shape), VOID()
        self.check(
            self.lib.tn_tensor_from_host(
                self.ctx,
                DTYPES[array.dtype.name],
                array.ndim,
                dims,
                array.ctypes.data,
                array.nbytes,
                ctypes.byref(out),
            )
        )
        plain = Tensor(self, out)
        if not leaf:
            return plain
        out = VOID()
        self.check(self.lib.tn_tensor_leaf(self.ctx, plain.handle, ctypes.byref(out)))
        return Tensor(self, out)

    def _attrs(self, op, values):
        """The attributes of a call, and what must live as long as they do."""
        attrs, kept = [], []
        for name, value in values.items():
            if name not in op.attrs:
                raise Error(f"{op.name} has no attribute {name}; it has {', '.join(op.attrs)}")
            key, kind = op.attrs[name]
            bits, data = 0, None
            if kind == "f64":
                bits = ctypes.c_uint64.from_buffer_copy(ctypes.c_double(value)).value
            elif kind in ("i64", "bool"):
                bits = int(value) & (1 << 64) - 1
            elif kind == "dtype":
                bits = DTYPES[value]
            elif kind == "string":
                kept.append(ctypes.create_string_buffer(value.encode()))
                bits = len(value.encode())
            else:
                number = ctypes.c_double if kind == "f64s" else ctypes.c_int64
                kept.append((number * len(value))(*value))
                bits = len(value)
            if kind in ("string", "i64s", "f64s"):
                data = ctypes.addressof(kept[-1])
            attrs.append(Attr(key, TAGS[kind], bits, data))
        return sorted(attrs, key=lambda a: a.key), kept

    def handles(self, tensors):
        return (VOID * max(len(tensors), 1))(*[t.handle if t else None for t in tensors])

    def call(self, name, inputs, attrs, capacity=64):
        """The outputs of an op; an input that is None is absent."""
        op = self.ops[name]
        list_, kept = self._attrs(op, attrs)
        outputs, n = (VOID * capacity)(), U32()
        self.check(
            self.lib.tn_op_call(
                self.ctx,
                op.id,
                self.handles(inputs),
                len(inputs),
                (Attr * max(len(list_), 1))(*list_),
                len(list_),
                outputs,
                capacity,
                ctypes.byref(n),
            )
        )
        del kept
        return [Tensor(self, VOID(outputs[i])) for i in range(n.value)]

    def vjp(self, outputs, cotangents, inputs):
        """The gradient for each input; None where the outputs do not depend on it."""
        grads = (VOID * len(inputs))()
        self.check(
            self.lib.tn_vjp(
                self.ctx,
                self.handles(outputs),
                self.handles(cotangents),
                len(outputs),
                self.handles(inputs),
                len(inputs),
                GRAD_ALLOW_UNUSED,
                grads,
            )
        )
        return [Tensor(self, VOID(g)) if g else None for g in grads]
