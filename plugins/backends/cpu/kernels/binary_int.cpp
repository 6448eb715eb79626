// Functions of two integers of up to 32 bits, and of two bools.
#include "int_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

// Where the sign does not matter the unsigned code serves both.
#define CPU_SIGNLESS(id, op)                                                             \
  binary<op, uint32_t>(id, TN_DTYPE_I32), binary<op, uint32_t>(id),                      \
      binary<op, uint32_t, uint8_t>(id, TN_DTYPE_I8), binary<op, uint32_t, uint8_t>(id), \
      binary<op, uint32_t, uint16_t>(id, TN_DTYPE_I16), binary<op, uint32_t, uint16_t>(id)
#define CPU_SIGNED(id, op)                                                            \
  binary<op, int32_t>(id), binary<op, uint32_t>(id), binary<op, int32_t, int8_t>(id), \
      binary<op, int32_t, int16_t>(id), binary<op, uint32_t, uint8_t>(id),            \
      binary<op, uint32_t, uint16_t>(id)
#define CPU_BOOL(id, op) binary<op, uint8_t>(id, TN_DTYPE_BOOL)

constexpr ElementwiseEntry kEntries[] = {
    CPU_SIGNLESS(TN_OP_ADD, IntAddOp),
    CPU_SIGNLESS(TN_OP_SUB, IntSubOp),
    CPU_SIGNLESS(TN_OP_MUL, IntMulOp),
    CPU_SIGNLESS(TN_OP_AND, AndOp),
    CPU_SIGNLESS(TN_OP_OR, OrOp),
    CPU_SIGNLESS(TN_OP_XOR, XorOp),
    CPU_SIGNED(TN_OP_DIV, IntDivOp),
    CPU_SIGNED(TN_OP_REM, IntRemOp),
    CPU_SIGNED(TN_OP_MOD, IntFmodOp),
    CPU_SIGNED(TN_OP_POW, IntPowOp),
    CPU_SIGNLESS(TN_OP_SHL, ShlOp),
    CPU_SIGNED(TN_OP_SHR, ShrOp),
    CPU_SIGNED(TN_OP_MAXIMUM, MaximumOp),
    CPU_SIGNED(TN_OP_MINIMUM, MinimumOp),
    CPU_SIGNLESS(TN_OP_EQ, EqOp),
    CPU_SIGNLESS(TN_OP_NE, NeOp),
    CPU_SIGNED(TN_OP_LT, LtOp),
    CPU_SIGNED(TN_OP_LE, LeOp),
    CPU_SIGNED(TN_OP_GT, GtOp),
    CPU_SIGNED(TN_OP_GE, GeOp),
    CPU_BOOL(TN_OP_AND, AndOp),
    CPU_BOOL(TN_OP_OR, OrOp),
    CPU_BOOL(TN_OP_XOR, XorOp),
    CPU_BOOL(TN_OP_MAXIMUM, OrOp),
    CPU_BOOL(TN_OP_MINIMUM, AndOp),
    CPU_BOOL(TN_OP_EQ, EqOp),
    CPU_BOOL(TN_OP_NE, NeOp),
    CPU_BOOL(TN_OP_LT, LtOp),
    CPU_BOOL(TN_OP_LE, LeOp),
    CPU_BOOL(TN_OP_GT, GtOp),
    CPU_BOOL(TN_OP_GE, GeOp),
};

}  // namespace

EntryTable binary_int_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
