// prod; sum and mean of integers and complex numbers.
#include <complex>

#include "fold.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

using sdk::c128;
using sdk::c64;

// Complex items, one at a time, in c128.
template <class F, class S, bool mean>
struct ComplexFold {
  static void init(void* wide, int64_t n) {
    for (int64_t i = 0; i < n; ++i) static_cast<c128*>(wide)[i] = F::template identity<double>;
  }
  static c128 two(c128 a, c128 x) {
    if constexpr (std::is_same_v<F, SumFold>) {
      return a + x;
    } else {
      return {a.real() * x.real() - a.imag() * x.imag(), a.real() * x.imag() + a.imag() * x.real()};
    }
  }
  static void run(void* wide, const void* from, int64_t n) {
    c128 w = *static_cast<c128*>(wide);
    for (int64_t i = 0; i < n; ++i) w = two(w, c128(static_cast<const S*>(from)[i]));
    *static_cast<c128*>(wide) = w;
  }
  static void columns(void* wide, const void* from, int64_t rows, int64_t stride, int64_t n) {
    c128* w = static_cast<c128*>(wide);
    const S* x = static_cast<const S*>(from);
    for (int64_t r = 0; r < rows; ++r, x += stride) {
      for (int64_t c = 0; c < n; ++c) w[c] = two(w[c], c128(x[c]));
    }
  }
  static void merge(void* wide, const void* other, int64_t n) {
    c128* w = static_cast<c128*>(wide);
    for (int64_t i = 0; i < n; ++i) w[i] = two(w[i], static_cast<const c128*>(other)[i]);
  }
  static void finish(void* to, const void* wide, int64_t n, int64_t folded) {
    const double d = mean ? double(folded) : 1.0;
    for (int64_t i = 0; i < n; ++i)
      static_cast<S*>(to)[i] = S(static_cast<const c128*>(wide)[i] / d);
  }
  static constexpr Reduction of() {
    return {int32_t(sizeof(S)),
            int32_t(sizeof(S)),
            16,
            int32_t(sizeof(S)),
            nullptr,
            init,
            run,
            columns,
            nullptr,
            nullptr,
            nullptr,
            merge,
            finish};
  }
};

constexpr ReductionEntry kEntries[] = {
    {TN_OP_SUM, TN_DTYPE_I64, Fold<SumFold, uint64_t, uint64_t>::of<uint64_t>()},
    {TN_OP_SUM, TN_DTYPE_U64, Fold<SumFold, uint64_t, uint64_t>::of<uint64_t>()},
    {TN_OP_SUM, TN_DTYPE_C64, ComplexFold<SumFold, c64, false>::of()},
    {TN_OP_SUM, TN_DTYPE_C128, ComplexFold<SumFold, c128, false>::of()},
    {TN_OP_MEAN, TN_DTYPE_C64, ComplexFold<SumFold, c64, true>::of()},
    {TN_OP_MEAN, TN_DTYPE_C128, ComplexFold<SumFold, c128, true>::of()},
    // In double, which a product of floats seldom leaves on its way.
    {TN_OP_PROD, TN_DTYPE_F32, Fold<ProdFold, double, double>::of<float>()},
    {TN_OP_PROD, TN_DTYPE_F64, Fold<ProdFold, double, double>::of<double>()},
    {TN_OP_PROD, TN_DTYPE_F16, Fold<ProdFold, double, double>::of<f16>()},
    {TN_OP_PROD, TN_DTYPE_BF16, Fold<ProdFold, double, double>::of<bf16>()},
    {TN_OP_PROD, TN_DTYPE_I64, Fold<ProdFold, uint64_t, uint64_t>::of<uint64_t>()},
    {TN_OP_PROD, TN_DTYPE_U64, Fold<ProdFold, uint64_t, uint64_t>::of<uint64_t>()},
    {TN_OP_PROD, TN_DTYPE_C64, ComplexFold<ProdFold, c64, false>::of()},
    {TN_OP_PROD, TN_DTYPE_C128, ComplexFold<ProdFold, c128, false>::of()},
};

}  // namespace

const Reduction* find_other_sum(tn_op op, tn_dtype dtype) { return find_in(kEntries, op, dtype); }

}  // namespace tenon::cpu::CPU_ISA
