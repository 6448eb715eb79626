// Functions of one double.
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ENTRIES(id, op) unary<op, double>(id),
constexpr ElementwiseEntry kEntries[] = {CPU_FLOAT_UNARIES(CPU_ENTRIES)};
#undef CPU_ENTRIES

}  // namespace

EntryTable unary_f64_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
