// sum and mean of floats.
#include "fold.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr ReductionEntry kEntries[] = {
    {TN_OP_SUM, TN_DTYPE_F32, Fold<SumFold, float, double>::of<float>()},
    {TN_OP_SUM, TN_DTYPE_F64, Fold<SumFold, double, double>::of<double>()},
    {TN_OP_SUM, TN_DTYPE_F16, Fold<SumFold, float, double>::of<f16>()},
    {TN_OP_SUM, TN_DTYPE_BF16, Fold<SumFold, float, double>::of<bf16>()},
    {TN_OP_MEAN, TN_DTYPE_F32, Fold<SumFold, float, double>::of<float, float, true>()},
    {TN_OP_MEAN, TN_DTYPE_F64, Fold<SumFold, double, double>::of<double, double, true>()},
    {TN_OP_MEAN, TN_DTYPE_F16, Fold<SumFold, float, double>::of<f16, f16, true>()},
    {TN_OP_MEAN, TN_DTYPE_BF16, Fold<SumFold, float, double>::of<bf16, bf16, true>()},
};

}  // namespace

const Reduction* find_sum(tn_op op, tn_dtype dtype) { return find_in(kEntries, op, dtype); }

}  // namespace tenon::cpu::CPU_ISA
