// Functions of two floats; f16 and bf16 are computed in float.
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ENTRIES(id, op) \
  binary<op, float>(id), binary<op, float, f16>(id), binary<op, float, bf16>(id)
constexpr ElementwiseEntry kEntries[] = {
    CPU_ENTRIES(TN_OP_ADD, AddOp),         CPU_ENTRIES(TN_OP_SUB, SubOp),
    CPU_ENTRIES(TN_OP_MUL, MulOp),         CPU_ENTRIES(TN_OP_DIV, DivOp),
    CPU_ENTRIES(TN_OP_REM, RemOp),         CPU_ENTRIES(TN_OP_POW, PowOp),
    CPU_ENTRIES(TN_OP_ATAN2, Atan2Op),     CPU_ENTRIES(TN_OP_MAXIMUM, MaximumOp),
    CPU_ENTRIES(TN_OP_MINIMUM, MinimumOp), CPU_ENTRIES(TN_OP_EQ, EqOp),
    CPU_ENTRIES(TN_OP_NE, NeOp),           CPU_ENTRIES(TN_OP_LT, LtOp),
    CPU_ENTRIES(TN_OP_LE, LeOp),           CPU_ENTRIES(TN_OP_GT, GtOp),
    CPU_ENTRIES(TN_OP_GE, GeOp),
};
#undef CPU_ENTRIES

}  // namespace

EntryTable binary_f32_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
