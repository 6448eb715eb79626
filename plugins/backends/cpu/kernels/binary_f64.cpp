// Functions of two doubles.
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

#define CPU_ENTRIES(id, op) binary<op, double>(id),
constexpr ElementwiseEntry kEntries[] = {CPU_FLOAT_BINARIES(CPU_ENTRIES)};
#undef CPU_ENTRIES

}  // namespace

EntryTable binary_f64_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA
