// Functions of one float; f16 and bf16 are computed in float.
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ENTRIES(id, op) \
  unary<op, float>(id), unary<op, float, f16>(id), unary<op, float, bf16>(id),
constexpr ElementwiseEntry kEntries[] = {CPU_FLOAT_UNARIES(CPU_ENTRIES)};
#undef CPU_ENTRIES

}  // namespace

EntryTable unary_f32_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
