// Functions of one integer or bool. Integers narrower than 32 bits are computed in 32.
#include "int_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ALL(id, op)                                                                  \
  unary<op, int32_t>(id), unary<op, int64_t>(id), unary<op, int32_t, int8_t>(id),        \
      unary<op, int32_t, int16_t>(id), unary<op, uint32_t>(id), unary<op, uint64_t>(id), \
      unary<op, uint32_t, uint8_t>(id), unary<op, uint32_t, uint16_t>(id)

constexpr ElementwiseEntry kEntries[] = {
    CPU_ALL(TN_OP_NEG, IntNegOp), CPU_ALL(TN_OP_ABS, IntAbsOp),
    CPU_ALL(TN_OP_SIGN, SignOp),  CPU_ALL(TN_OP_SQUARE, IntSquareOp),
    CPU_ALL(TN_OP_RELU, ReluOp),  CPU_ALL(TN_OP_NOT, IntNotOp),
    CPU_ALL(TN_OP_FLOOR, SameOp), CPU_ALL(TN_OP_CEIL, SameOp),
    CPU_ALL(TN_OP_ROUND, SameOp), unary<BoolNotOp, uint8_t>(TN_OP_NOT, TN_DTYPE_BOOL),
};
#undef CPU_ALL

}  // namespace

EntryTable unary_int_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
