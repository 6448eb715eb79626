// Kernels for memory that the host can address, out of function objects on wide numbers (wide.hpp), and short forms for their lists:
//
//   sdk::unary("erf", [](double x) { return std::erf(x); })
//   sdk::binary("add", []<class W>(W a, W b) { return sdk::sum_of(a, b); })
//   sdk::reduction<0>("sum", []<class W>(W a, W b) { return sdk::sum_of(a, b); })
//   sdk::host_kernel<Concat>("concat")
//
// A function takes the kinds of numbers that it is defined for: `auto` all, `sdk::Real auto` what has an order, `sdk::Integer auto`,
// `sdk::Fractional auto`, or one type. The result may be of another kind: comparisons give uint64_t, 0 or 1.
#ifndef TENON_SDK_HOST_KERNELS_HPP_
#define TENON_SDK_HOST_KERNELS_HPP_
#include <tenon/op_ids.h>

#include "arithmetic.hpp"
#include "attrs.hpp"
#include "kernels.hpp"
#include "wide.hpp"

namespace tenon::sdk {

inline constexpr std::string_view kNoMeaning = "the op has no meaning for this dtype";
inline constexpr std::string_view kDtypesDiffer = "the inputs differ in dtype";
inline constexpr std::string_view kPacked = "elements smaller than a byte";

// Have inputs 0 and 1 one dtype, and is that in List?
template <class List>
bool same_numbers(const Signature& s) {
  return has_dtype<List>(s.input(0).dtype) && s.input(0).dtype == s.input(1).dtype;
}

// An empty plan, or a refusal for the reason.
inline Plan<> when(bool fits, std::string_view reason) {
  return fits ? Plan<>() : Plan<>(Declined{reason});
}

// Several functions as one, each for its kinds: Overload{[](double x) {...}, [](Integer auto x) {...}}.
template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

namespace detail {
template <class W, size_t>
using Repeat = W;
template <class F, class W, class I>
struct Result;
template <class F, class W, size_t... I>
struct Result<F, W, std::index_sequence<I...>> {
  static constexpr bool exists = std::invocable<F, Repeat<W, I>...>;
};
}  // namespace detail

// Does F take N numbers of the wide type W? And N numbers of this dtype; `bools`: is bool, as 0 and 1, one of them?
template <class F, int N, class W>
inline constexpr bool takes_wide = detail::Result<F, W, std::make_index_sequence<N>>::exists;
template <class F, int N>
bool takes(tn_dtype dtype, bool bools) {
  bool result = false;
  if (dtype == TN_DTYPE_BOOL ? bools : has_dtype<Numbers>(dtype)) {
    visit_wide(dtype, [&]<class W>(W) { result = takes_wide<F, N, W>; });
  }
  return result;
}

// N inputs of one dtype, or host scalars. Reads all of them before it writes.
template <class F, int N, bool Bools = false>
struct Elementwise {
  static Plan<> prepare(const Signature& s) {
    for (int i = 1; i < N; ++i) {
      if (s.input(i).dtype != s.input(0).dtype) return s.decline(kDtypesDiffer);
    }
    if (!takes<F, N>(s.input(0).dtype, Bools)) return s.decline(kNoMeaning);
    return {};
  }
  static void run(const NoData&, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (takes_wide<F, N, W>) {
        compute<W>(args, args[N], std::make_index_sequence<N>());
      }
    });
  }

 private:
  template <class W, size_t... I>
  static void compute(const Args& args, const tn_view& y, std::index_sequence<I...>) {
    const Dense<W> x[] = {load_like<W>(args[I], y)...};
    Dense<decltype(F{}(x[I][0]...))> result;
    result.resize(x[0].size());  // constructed with it, GCC 12 warns of its destructor
    for (size_t i = 0; i < result.size(); ++i) result[i] = F{}(x[I][i]...);
    store(result, y);
  }
};

// Over axes; no axes: over all of them. F makes one of two, also of bools as 0 and 1. Empty: what a reduction over no elements gives;
// kNone: an error. The result is converted to the dtype of y.
inline constexpr int kNone = -1;
template <class F, int Empty>
struct Reduction {
  static Plan<std::vector<int64_t>> prepare(const Signature& s) {
    static_assert(TN_SUM_AXES == TN_PROD_AXES && TN_SUM_AXES == TN_MAX_AXES &&
                  TN_SUM_AXES == TN_MIN_AXES);
    if (!takes<F, 2>(s.input(0).dtype, true)) return s.decline(kNoMeaning);
    const auto axes = attr_i64s(s, TN_SUM_AXES);
    return std::vector<int64_t>(axes.begin(), axes.end());
  }
  static void run(const std::vector<int64_t>& axes, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (takes_wide<F, 2, W>) reduce<W>(axes, args[0], args[1]);
    });
  }

 private:
  template <class W>
  static void reduce(const std::vector<int64_t>& axes, const tn_view& x, const tn_view& y) {
    if (Empty == kNone && x.count == 0 && y.count != 0) {
      fail(TN_INVALID_ARGUMENT, "a reduction over no elements has no greatest or least one");
    }
    const Dense<W> values = load<W>(x);
    Dense<W> result(static_cast<size_t>(y.count), Empty == kNone ? W{} : W(Empty));
    std::vector<bool> begun(result.size(), Empty != kNone);
    // A walk through x that stands still in y along the axes that are summed up.
    const auto strides = reduced_strides(axes, dims(x));
    const W* next = values.data();
    for_each(coalesce<1>(dims(x), {strides.data()}), [&](int64_t at) {
      const auto i = static_cast<size_t>(at);
      result[i] = begun[i] ? F{}(result[i], *next) : *next;
      begun[i] = true;
      ++next;
    });
    store(result, y);
  }
};

// ---- lines of a list ----------------------------------------------------------------------------

// A kernel whose plan fixes dtypes, ranks and attributes, and which reads dims and strides from the views at each run; it takes host
// scalars and is re-entrant. Its name is the op's.
template <class K>
constexpr tn_kernel host_kernel(std::string_view op, uint32_t flags = 0) {
  return kernel<K>(op, op, TN_DEPENDS_RANK | TN_DEPENDS_ATTRS,
                   TN_KERNEL_IMMEDIATES | TN_KERNEL_REENTRANT | flags);
}

// Tag: the function is defined for bool too.
struct AlsoBool {};

template <class F>
constexpr tn_kernel unary(std::string_view op, F) {
  return host_kernel<Elementwise<F, 1>>(op, TN_KERNEL_INPLACE);
}
template <class F>
constexpr tn_kernel binary(std::string_view op, F) {
  return host_kernel<Elementwise<F, 2>>(op, TN_KERNEL_INPLACE);
}
template <class F>
constexpr tn_kernel binary(std::string_view op, AlsoBool, F) {
  return host_kernel<Elementwise<F, 2, true>>(op, TN_KERNEL_INPLACE);
}

template <int Empty, class F>
constexpr tn_kernel reduction(std::string_view op, F) {
  return host_kernel<Reduction<F, Empty>>(op);
}

}  // namespace tenon::sdk
#endif
