// Functions of one float; f16 and bf16 are computed in float.
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ENTRIES(id, op) \
  unary<op, float>(id), unary<op, float, f16>(id), unary<op, float, bf16>(id)
constexpr ElementwiseEntry kEntries[] = {
    CPU_ENTRIES(TN_OP_NEG, NegOp),
    CPU_ENTRIES(TN_OP_ABS, AbsOp),
    CPU_ENTRIES(TN_OP_FLOOR, FloorOp),
    CPU_ENTRIES(TN_OP_CEIL, CeilOp),
    CPU_ENTRIES(TN_OP_ROUND, RoundOp),
    CPU_ENTRIES(TN_OP_EXP, ExpOp),
    CPU_ENTRIES(TN_OP_EXPM1, Expm1Op),
    CPU_ENTRIES(TN_OP_LOG, LogOp),
    CPU_ENTRIES(TN_OP_LOG1P, Log1pOp),
    CPU_ENTRIES(TN_OP_SQRT, SqrtOp),
    CPU_ENTRIES(TN_OP_RSQRT, RsqrtOp),
    CPU_ENTRIES(TN_OP_SIN, SinOp),
    CPU_ENTRIES(TN_OP_COS, CosOp),
    CPU_ENTRIES(TN_OP_TANH, TanhOp),
    CPU_ENTRIES(TN_OP_ERF, ErfOp),
    CPU_ENTRIES(TN_OP_SQUARE, SquareOp),
    CPU_ENTRIES(TN_OP_RECIPROCAL, ReciprocalOp),
    CPU_ENTRIES(TN_OP_SIGN, SignOp),
    CPU_ENTRIES(TN_OP_RELU, ReluOp),
    CPU_ENTRIES(TN_OP_SIGMOID, SigmoidOp),
    CPU_ENTRIES(TN_OP_SOFTPLUS, SoftplusOp),
    CPU_ENTRIES(TN_OP_GELU, GeluOp),
    CPU_ENTRIES(TN_OP_SILU, SiluOp),
};
#undef CPU_ENTRIES

}  // namespace

EntryTable unary_f32_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
