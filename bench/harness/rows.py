"""The table of workloads. A row is one id; its cases are measured one after another.

A goal is a least ratio against one peer, or against "best": the fastest peer of the case. `floor`
is the same for what a release must not fall below. `own` is a figure of our own, in the row's unit:
the goal of a case that has no ratios, else a note, for it is that of a machine in its fast state.
"""

from dataclasses import dataclass, field

# Keeps freed memory in the process. libtorch gives large blocks back to the system after every use
# otherwise and pays for their first touch again.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "1073741824",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}


@dataclass
class Peer:
    name: str  # as the report shows it
    worker: str  # "libtorch", "torch", "jax", "tensorflow", "safetensors"; "tenon" for ours, set otherwise
    case: str  # the case's id in that worker
    env: dict = field(default_factory=lambda: dict(KEEP_MEMORY))


@dataclass
class Case:
    id: str
    what: str
    peers: list
    ours: str = ""  # the case's id in our worker, where it is another
    goal: dict = field(default_factory=dict)  # peer name or "best" -> least ratio
    floor: dict = field(default_factory=dict)
    own: float = None  # largest own figure, in the row's unit
    judged: bool = True  # part of the row's verdict
    averaged: bool = True  # and, if judged, of its mean
    tolerance: float = 1e-6  # relative, between the outputs of the sides
    work: float = 0  # per iteration, in flop or bytes
    bound: str = ""  # the ceiling that work is held against: a key of machine["ceilings"]
    sizes: tuple = ()  # of a sweep: the op at size s has s**power of work
    power: int = 1


@dataclass
class Row:
    id: str
    what: str
    unit: str  # "ns", "us", "ms", "MB", "KB"
    cases: list
    kind: str = "steps"  # how measure.py takes it: steps, sweep, start, memory, size, file
    goal: float = None  # least geometric mean of the cases' ratios


def libtorch(case, name="libtorch", env=None):
    return Peer(name, "libtorch", case, dict(KEEP_MEMORY) if env is None else env)


def tensorflow(case):
    """As it is by default, and compiled by XLA."""
    return [Peer("TensorFlow", "tensorflow", case), Peer("TensorFlow XLA", "tensorflow", f"{case}-xla")]


def _matmul_cases():
    goals = {8: {"libtorch": 5}, 16: {}, 32: {"libtorch": 2}, 64: {"libtorch": 1.2}}
    return [
        Case(
            f"D6/{n}",
            f"{n}x{n}x{n}",
            [libtorch(f"D6/{n}"), libtorch(f"D6/{n}-out", "libtorch out=")],
            goal=goal,
            tolerance=1e-5,
            work=2.0 * n**3,
            bound="fma_gflops",
        )
        for n, goal in goals.items()
    ]


# Forward, weight gradients, and input gradients of all layers but the first.
_MLP_LAYERS = ((784, 256), (256, 128), (128, 10))
_MLP_SIZES = [i * o for i, o in _MLP_LAYERS]
MLP_FLOP = 64 * 2.0 * (2 * sum(_MLP_SIZES) + sum(_MLP_SIZES[1:]))


def _eager(case):
    what = f"{case.what.split(',')[0]}, eager"
    return Case(f"{case.id}/eager", what, case.peers[:1], judged=False, tolerance=case.tolerance,
                work=case.work, bound=case.bound)  # fmt: skip


def _and_eager(*cases):
    """The cases, and the same of ours without a captured program beside the first peer of each."""
    return [*cases, *map(_eager, cases)]


def _mlp_case(name, what, goal, floor):
    peers = [
        libtorch(f"T1/{name}"),
        libtorch(f"T1/{name}-fused", "libtorch fused"),
        libtorch(f"T1/{name}", "libtorch untuned", env={}),
        Peer("torch.compile", "torch", f"T1/{name}"),
        Peer("jax.jit", "jax", f"T1/{name}"),
        *tensorflow(f"T1/{name}"),
    ]
    return Case(f"T1/{name}", what, peers, goal=goal, floor=floor, tolerance=1e-4,
                work=MLP_FLOP, bound="fma_gflops")  # fmt: skip


# A multiply-add of each weight in a matrix for every token, forward and for both gradients, and the
# half of two products forward and five backward that causal attention needs.
_GPT_WEIGHTS = 6 * 12 * 384**2 + 8192 * 384
GPT_FLOP = 2.0 * 4 * 256 * (3 * _GPT_WEIGHTS + 7 * 6 * 384 * 256 / 2)

# Both layers forward and back, without the gradient of the input.
LSTM_FLOP = 5.5 * 2.0 * 64 * 16 * 1024 * (256 + 256)


def _adamw_case(tensors):
    # Reads parameter, gradient and two moments, writes all but the gradient: 28 bytes each.
    return Case(
        f"O1/{tensors}",
        f"{tensors} tensor" + ("s" if tensors > 1 else ""),
        [libtorch(f"O1/{tensors}", "libtorch fused")],
        goal={"best": 1.1},
        own=7.5,
        tolerance=1e-5,
        work=28e7,
        bound="update_gbs",
    )


def _eager_cases():
    """The large ones come from memory; the others, from a cache, have no ceiling here."""
    ops = {"softmax": 8, "layer_norm": 8, "gelu": 8, "sum0": 4, "sum1": 4}  # bytes an element
    names = {"sum0": "sum over axis 0", "sum1": "sum over axis 1"}
    return [
        Case(
            f"E3/{op}-{rows}",
            f"{names.get(op, op)}, [{rows}, 768]",
            [libtorch(f"E3/{op}-{rows}")],
            goal={"best": 1.2},
            tolerance=1e-4,
            work=float(size * rows * 768) if rows > 512 else 0,
            bound="read_gbs" if size == 4 else "stream_gbs",
        )
        for rows in (512, 4096)
        for op, size in ops.items()
    ]


# The chain reads two floats an element and writes one; op by op it moves 28.
def _elementwise_case(size, captured):
    eager = libtorch(f"E2/{size}")
    name, moved = ("E1", 3) if captured else ("E2", 28)
    compiled = [Peer("torch.compile", "torch", f"E1/{size}"), Peer("jax.jit", "jax", f"E1/{size}"),
                *tensorflow(f"E1/{size}")]  # fmt: skip
    return Case(
        f"{name}/{size}",
        f"{size} elements",
        [eager, *compiled] if captured else [eager],
        goal={"best": 1.0, "libtorch": 5} if captured else {"libtorch": 1.3},
        tolerance=1e-5,
        work=4.0 * moved * 2**24 if size == "16M" else 0,  # the others come from a cache
        bound="stream_gbs",
    )


def _attention_case(backward, batch, length):
    name = f"A1/{'both' if backward else 'forward'}-{batch}-{length}"
    return Case(
        name,
        f"{'with gradients' if backward else 'forward'}, B {batch}, S {length}",
        [
            libtorch(name),
            libtorch(name + "-products", "libtorch products"),
            Peer("torch.compile", "torch", name),
        ],
        goal={"best": 1.3},
        tolerance=1e-4,
        # Two products forward, five backward.
        work=2.0 * (7 if backward else 2) * batch * 12 * length**2 * 64,
        bound="fma_gflops",
    )


# m, n and k: bench_products in common/fill.h.
_PRODUCTS = (
    (128, 384, 384), (128, 1536, 384), (512, 2304, 768), (512, 3072, 768), (512, 768, 3072),
    (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048),
)  # fmt: skip


def _product_cases(row, tolerance, bound="fma_gflops"):
    """torch may have B as it likes best."""
    names = {shape: f"{row}/{'-'.join(map(str, shape))}" for shape in _PRODUCTS}
    return [
        Case(
            name,
            "{} x {} x {}".format(*shape),
            [
                libtorch(name),
                libtorch(f"{name}-transposed", "libtorch, B transposed"),
                Peer("torch eager", "torch", name),
                Peer("torch eager, B transposed", "torch", f"{name}-transposed"),
                Peer("jax.jit", "jax", name),
                *([] if row == "G2" else tensorflow(name)),  # whose f32 products have one precision: G1
            ],
            goal={"best": 1.0},
            tolerance=tolerance,
            work=2.0 * shape[0] * shape[1] * shape[2],
            bound=bound,
        )
        for shape, name in names.items()
    ]


# Channels in and out, kernel, stride and side of x: bench_convs in common/fill.h.
_CONVS = (
    (3, 64, 7, 2, 224), (64, 64, 3, 1, 56), (64, 128, 3, 2, 56), (64, 128, 1, 2, 56),
    (128, 128, 3, 1, 28), (128, 256, 3, 2, 28), (128, 256, 1, 2, 28), (256, 256, 3, 1, 14),
    (256, 512, 3, 2, 14), (256, 512, 1, 2, 14), (512, 512, 3, 1, 7),
)  # fmt: skip


def _conv_case(kind, batch):
    convs = _CONVS[1:] if kind == "input" else _CONVS
    name = f"C1/{kind}-{batch}-0"
    return Case(
        name,
        f"{kind if kind == 'forward' else kind + ' gradients'}, batch {batch}",
        [libtorch(name), libtorch(name + "-last", "libtorch channels_last"),
         *(tensorflow(name) if kind == "forward" else [])],
        goal={"best": 1.05},
        tolerance=1e-4,
        work=sum(2.0 * batch * i * o * k * k * (side // stride) ** 2
                 for i, o, k, stride, side in convs),
        bound="fma_gflops",
    )  # fmt: skip


# As the MLP: forward, weight gradients, and input gradients of all layers but the first.
_LENET_MACS = (6 * 25 * 28**2, 16 * 150 * 10**2, 120 * 400, 84 * 120, 10 * 84)
LENET_FLOP = 64 * 2.0 * (2 * sum(_LENET_MACS) + sum(_LENET_MACS[1:]))


def _resnet_flop(batch, side, stem):
    """Of a step; the first convolution's input needs no gradient."""
    if stem == 7:
        side //= 2
    first, rest, width = 3 * stem**2 * 64 * side**2, 10 * 512, 64
    if stem == 7:
        side //= 2
    for stage in range(4):
        out, stride = 64 << stage, 2 if stage else 1
        side //= stride
        rest += (9 * (width + 3 * out) + (width if stage else 0)) * out * side**2
        width = out
    return batch * 2.0 * (2 * first + 3 * rest)


# bench/tenon/threads.c.
_SWEPT = {"matmul": "matmul, side", "add": "a + b, elements", "tanh": "tanh, elements", "softmax": "softmax of rows, elements",
          "sum0": "sum over axis 0, elements", "sum1": "sum over axis 1, elements"}  # fmt: skip
_SIDES = (32, 48, 64, 80, 96, 112, 128, 160, 192, 256)
_ELEMENTS = tuple(1024 * k for k in (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256))


def _sweep(op):
    """No more than 1.1 times as long with two threads lent as with one."""
    alone = Peer("one thread", "tenon", f"P1/{op}", {"BENCH_THREADS": "1"})
    sizes = (_SIDES, 3) if op == "matmul" else (_ELEMENTS, 1)
    return Case(f"P1/{op}", _SWEPT[op], [alone], goal={"one thread": 0.909}, tolerance=1e-4, sizes=sizes[0], power=sizes[1])


def _memory_peers():
    return [libtorch("S5", env={}), libtorch("S5", "libtorch tuned")]


ROWS = [
    Row("D1", "eager c = a + b, f32[1]", "ns", [
        Case("D1/new", "a new tensor, dropped", [libtorch("D1/new")], goal={"libtorch": 25},
             floor={"libtorch": 20}, own=25),
        Case("D1/out", "beside the out= form", [libtorch("D1/out", "libtorch out=")], "D1/new",
             judged=False),
        Case("D1/shapes", "1,000 shapes in turn", [libtorch("D1/shapes")], own=80,
             averaged=False),
    ]),
    Row("D2", "the same, recorded", "ns", [
        Case("D2", "result and tape node dropped", [libtorch("D2")],
             goal={"libtorch": 20}, floor={"libtorch": 15}, own=60),
    ]),
    Row("D4", "10 ops forward + backward", "us", [
        Case("D4", "f32[16], gradients of two leaves", [libtorch("D4")],
             goal={"libtorch": 40}, floor={"libtorch": 30}, own=1.5, tolerance=1e-5),
    ]),
    Row("D5", "the same, captured and replayed", "us", [
        Case("D5", "one call for loss and gradients",
             [Peer("jax.jit", "jax", "D5"), Peer("torch.compile", "torch", "D5")],
             goal={"jax.jit": 5, "torch.compile": 5}, own=0.25, tolerance=1e-5),
    ]),
    Row("D6", "small matmul, f32", "ns", _matmul_cases()),
    Row("T1", "MLP training step", "us", _and_eager(
        _mlp_case("sgd", "SGD, batch 64", {"best": 1.5}, {"libtorch": 1.2}),
        _mlp_case("adam", "Adam, batch 64", {"best": 1.5, "libtorch": 4}, {"libtorch": 2.5}),
    )),
    Row("T2", "LeNet-5 training step", "us", _and_eager(
        Case("T2", "SGD, batch 64",
             [libtorch("T2"), libtorch("T2-fused", "libtorch fused"),
              Peer("torch.compile", "torch", "T2"), Peer("jax.jit", "jax", "T2"), *tensorflow("T2")],
             goal={"best": 2.5}, own=1600, tolerance=1e-3, work=LENET_FLOP, bound="fma_gflops"),
    )),
    Row("T3", "ResNet-18 training step", "ms", _and_eager(
        Case("T3", "SGD, 32 images of 32 x 32",
             [Peer("torch.compile", "torch", "T3"), Peer("torch eager", "torch", "T3-eager"),
              Peer("jax.jit", "jax", "T3")],
             goal={"best": 1.25}, tolerance=1e-3, work=_resnet_flop(32, 32, 3),
             bound="fma_gflops"),
    ) + [
        Case("T3/224", "SGD, 8 images of 224 x 224",
             [Peer("torch.compile", "torch", "T3/224"),
              Peer("torch eager", "torch", "T3/224-eager"), Peer("jax.jit", "jax", "T3/224")],
             goal={"best": 1.25}, tolerance=1e-3, work=_resnet_flop(8, 224, 7),
             bound="fma_gflops"),
    ]),
    Row("T4", "GPT training step", "ms", _and_eager(
        Case("T4", "AdamW, 4 x 256 tokens",
             [Peer("torch.compile", "torch", "T4"),
              Peer("compile, fused", "torch", "T4-fused"),
              Peer("torch eager", "torch", "T4-eager"), Peer("jax.jit", "jax", "T4")],
             goal={"best": 1.25}, tolerance=1e-3, work=GPT_FLOP, bound="fma_gflops"),
    ) + [
        Case("T4/bf16", "AdamW, products in bf16",
             [Peer("torch.compile", "torch", "T4-bf16"),
              Peer("compile, fused", "torch", "T4-bf16-fused"),
              Peer("torch eager", "torch", "T4-bf16-eager"), Peer("jax.jit", "jax", "T4-bf16")],
             goal={"best": 2}, tolerance=1e-3, work=GPT_FLOP, bound="amx_bf16_gflops"),
    ]),
    Row("E1", "10 elementwise ops, captured", "us", [
        _elementwise_case(size, True) for size in ("64K", "1M", "16M")
    ]),
    Row("E2", "the same, eager", "us", [
        _elementwise_case(size, False) for size in ("64K", "1M", "16M")
    ]),
    Row("E3", "single ops on rows, eager", "us", _eager_cases()),
    Row("A1", "attention, 12 heads of 64", "ms", [
        _attention_case(backward, batch, length)
        for batch in (1, 8) for length in (128, 512, 1024) for backward in (False, True)
    ]),
    Row("G1", "matmul, f32", "us", _product_cases("G1", 1e-4), goal=1.15),
    Row("G2", "matmul, f32 at 1e-5", "us", _product_cases("G2", 1e-4), goal=2),
    Row("G3", "matmul, bf16", "us", _product_cases("G3", 1e-2, "amx_bf16_gflops"), goal=2),
    Row("C1", "convolutions of ResNet-18", "ms", [
        _conv_case(kind, batch) for batch in (1, 16) for kind in ("forward", "input", "weight")
    ]),
    Row("T5", "LSTM training step", "ms", _and_eager(
        Case("T5", "SGD, 2 layers of 256, 64 steps, batch 16",
             [libtorch("T5"), Peer("torch eager", "torch", "T5"), Peer("jax.jit", "jax", "T5")],
             goal={"best": 1.3}, tolerance=1e-4, work=LSTM_FLOP, bound="fma_gflops"),
    )),
    Row("P1", "threads lent, no cliffs", "us", [_sweep(op) for op in _SWEPT], kind="sweep"),
    Row("O1", "AdamW step, 10M parameters", "ms", [_adamw_case(1), _adamw_case(160)]),
    Row("S1", "500 MB safetensors, summed", "ms", [
        Case(f"S1/{state}", f"{state} page cache",
             [Peer("reader, torch", "safetensors", "S1/torch"),
              Peer("reader, numpy", "safetensors", "S1/numpy")],
             "S1", goal={"best": 1.0}, tolerance=0, work=5e8, bound="read_gbs")
        for state in ("warm", "cold")
    ], kind="file"),
    Row("S3", "process start to first op", "ms", [
        Case("first_op", "C program, cpu plugin",
             [libtorch("first_op", env={}), Peer("TensorFlow from Python", "tensorflow", "first_op", {})],
             goal={"libtorch": 30}, own=8),
    ], kind="start"),
    Row("S4", "size, stripped", "KB", [
        Case("libtenon", "libtenon.so", [], own=1000),
        Case("cpu", "cpu plugin", [], own=4000),
    ], kind="size"),
    Row("S5", "peak memory over idle", "MB", [
        Case("S5/growth", "MLP training, Adam", _memory_peers(), "S5", goal={"best": 4},
             tolerance=1e-4),
        Case("S5/whole", "the whole process", _memory_peers(), "S5", tolerance=1e-4,
             judged=False),
    ], kind="memory"),
    Row("S6", "peak memory over idle, larger nets", "MB", [
        Case("S6/resnet", "ResNet-18, T3's step", [Peer("torch eager", "torch", "S6/resnet")],
             goal={"best": 1.11}, tolerance=1e-3),
        Case("S6/gpt", "GPT, T4's step", [Peer("torch eager", "torch", "S6/gpt")],
             goal={"best": 1.11}, tolerance=1e-3),
    ], kind="memory"),
]  # fmt: skip
