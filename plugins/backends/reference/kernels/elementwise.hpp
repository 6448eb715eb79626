// Elementwise ops from a function object F on wide numbers. F is defined for the kinds that the op has a meaning for; F::bools says
// whether bool is one of them. The result may be of another kind (abs of a complex number, comparisons).
#ifndef TENON_BACKENDS_REFERENCE_KERNELS_ELEMENTWISE_HPP_
#define TENON_BACKENDS_REFERENCE_KERNELS_ELEMENTWISE_HPP_
#include "../kernels.hpp"
#include "../wide.hpp"

namespace tenon::reference {

constexpr std::string_view kNoMeaning = "the op has no meaning for this dtype";

// Does F take N wide numbers of this dtype?
template <class F, int N>
bool takes(tn_dtype dtype) {
  if (dtype == TN_DTYPE_BOOL && !F::bools) return false;
  if (!sdk::has_dtype<sdk::Computable>(dtype)) return false;
  bool result = false;
  visit_wide(dtype, [&]<class W>(W) {
    if constexpr (N == 1) {
      result = std::invocable<F, W>;
    } else {
      result = std::invocable<F, W, W>;
    }
  });
  return result;
}

template <class F>
struct Unary {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (!takes<F, 1>(s.input(0).dtype)) return s.decline(kNoMeaning);
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &x = args[0], &y = args[1];
    visit_wide(x.dtype, [&]<class W>(W) {
      if constexpr (std::invocable<F, W>) {
        const Dense<W> a = load_like<W>(x, y);
        Dense<std::invoke_result_t<F, W>> result(a.size());
        for (size_t i = 0; i < a.size(); ++i) result[i] = F{}(a[i]);
        store(result, y);
      }
    });
  }
};

template <class F>
struct Binary {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (s.input(0).dtype != s.input(1).dtype) return s.decline("the inputs differ in dtype");
    if (!takes<F, 2>(s.input(0).dtype)) return s.decline(kNoMeaning);
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    const tn_view& y = args[2];
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (std::invocable<F, W, W>) {
        const Dense<W> a = load_like<W>(args[0], y);
        const Dense<W> b = load_like<W>(args[1], y);
        Dense<std::invoke_result_t<F, W, W>> result(a.size());
        for (size_t i = 0; i < a.size(); ++i) result[i] = F{}(a[i], b[i]);
        store(result, y);
      }
    });
  }
};

}  // namespace tenon::reference
#endif
