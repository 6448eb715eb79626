// Functions of two 64-bit integers.
#include "int_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_SIGNLESS(id, op) binary<op, uint64_t>(id, TN_DTYPE_I64), binary<op, uint64_t>(id)
#define CPU_SIGNED(id, op) binary<op, int64_t>(id), binary<op, uint64_t>(id)

constexpr ElementwiseEntry kEntries[] = {
    CPU_SIGNLESS(TN_OP_ADD, IntAddOp),    CPU_SIGNLESS(TN_OP_SUB, IntSubOp),
    CPU_SIGNLESS(TN_OP_MUL, IntMulOp),    CPU_SIGNLESS(TN_OP_AND, AndOp),
    CPU_SIGNLESS(TN_OP_OR, OrOp),         CPU_SIGNLESS(TN_OP_XOR, XorOp),
    CPU_SIGNLESS(TN_OP_EQ, EqOp),         CPU_SIGNLESS(TN_OP_NE, NeOp),
    CPU_SIGNED(TN_OP_DIV, IntDivOp),      CPU_SIGNED(TN_OP_REM, IntRemOp),
    CPU_SIGNED(TN_OP_MOD, IntFmodOp),     CPU_SIGNED(TN_OP_POW, IntPowOp),
    CPU_SIGNED(TN_OP_SHL, ShlOp),         CPU_SIGNED(TN_OP_SHR, ShrOp),
    CPU_SIGNED(TN_OP_MAXIMUM, MaximumOp), CPU_SIGNED(TN_OP_MINIMUM, MinimumOp),
    CPU_SIGNED(TN_OP_LT, LtOp),           CPU_SIGNED(TN_OP_LE, LeOp),
    CPU_SIGNED(TN_OP_GT, GtOp),           CPU_SIGNED(TN_OP_GE, GeOp),
};

}  // namespace

EntryTable binary_int64_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
