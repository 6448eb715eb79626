// max and min of floats.
#include "fold.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr ReductionEntry kEntries[] = {
    CPU_EXTREMUM(float, float),
    CPU_EXTREMUM(double, double),
    CPU_EXTREMUM(float, f16),
    CPU_EXTREMUM(float, bf16),
};

}  // namespace

const Reduction* find_extremum(tn_op op, tn_dtype dtype) { return find_in(kEntries, op, dtype); }

}  // namespace tenon::cpu::CPU_ISA
