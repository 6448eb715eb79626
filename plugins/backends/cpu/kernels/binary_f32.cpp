// Functions of two floats; f16 and bf16 are computed in float.
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ENTRIES(id, op) \
  binary<op, float>(id), binary<op, float, f16>(id), binary<op, float, bf16>(id),
constexpr ElementwiseEntry kEntries[] = {CPU_FLOAT_BINARIES(CPU_ENTRIES)};
#undef CPU_ENTRIES

}  // namespace

EntryTable binary_f32_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
