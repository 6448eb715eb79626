// cumsum and cumprod along an axis of a dense tensor. Floats are added up and multiplied in double.
#include <complex>

#include "index.hpp"
#include "narrow.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct ScanPlan {
  const Device& device;
  int axis;
  bool exclusive;
  bool reverse;
};

constexpr int64_t kColumns = 512;

template <class W, class T>
CPU_INLINE W widened(T x) {
  if constexpr (sdk::is_small_float<T>) {
    return W(float(x));
  } else {
    return W(x);
  }
}

template <class W>
struct Sum {
  W value = W(0);
  template <bool alone>
  CPU_INLINE void take(W x) {
    value = value + x;
  }
};
// From a zero on 0, or NaN where a factor was not finite, though the product so far overflowed.
template <class W>
struct Product {
  W value = W(1), zero = W(0);
  // `alone`: where no vector holds several of these, a product that waits for nothing else.
  template <bool alone>
  CPU_INLINE void take(W x) {
    if constexpr (std::is_integral_v<W>) {
      value = value * x;
    } else if constexpr (alone) {
      value = value * x;
      if (x == W(0)) [[unlikely]] {
        asm volatile("");  // a branch, not a choice
        value = zero;
      }
      zero = zero + (x - x);
    } else {
      value = x == W(0) ? zero : value * x;
      zero = zero + (x - x);
    }
  }
};

// Lines of n elements, `lines` of them `apart` from one another.
template <class F, class W, int lines, class T>
void scan_lines(T* y, const T* x, int64_t n, int64_t apart, const ScanPlan& plan) {
  F f[lines];
  const int64_t step = plan.reverse ? -1 : 1;
  if (plan.reverse) x += n - 1, y += n - 1;
  const auto run = [&](auto exclusive) {
    for (int64_t i = 0; i < n; ++i, x += step, y += step) {
#pragma GCC unroll 4
      for (int k = 0; k < lines; ++k) {
        const W before = f[k].value;
        f[k].template take<true>(widened<W>(x[k * apart]));
        y[k * apart] = T(exclusive ? before : f[k].value);
      }
    }
  };
  if (plan.exclusive) return run(std::true_type());
  run(std::false_type());
}

// Columns of one slab: n steps of `step` elements, `width` running values side by side.
template <class F, class T, class W>
void scan(T* y, const T* x, int64_t n, int64_t step, int64_t width, const ScanPlan& plan) {
  F f[kColumns];
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = (plan.reverse ? n - 1 - i : i) * step;
    const T* from = x + at;
    T* to = y + at;
    for (int64_t c = 0; c < width; ++c) {
      const W before = f[c].value;
      f[c].template take<false>(widened<W>(from[c]));
      to[c] = T(plan.exclusive ? before : f[c].value);
    }
  }
}

template <template <class> class F, class T, class W>
tn_error* TN_CALL run_scan(void* data, void*, const tn_view* const* args) {
  const ScanPlan& plan = *static_cast<const ScanPlan*>(data);
  const tn_view* x = args[0];
  if (x->count == 0) return nullptr;
  const Split s = split_at(x, plan.axis);
  if (s.inner == 1) {
    constexpr int kLines = 4;
    parallel(plan.device, s.outer, kLines, double(s.size), [&](int64_t begin, int64_t end) {
      T* y = output<T>(args[1]) + begin * s.size;
      const T* from = input<T>(x) + begin * s.size;
      int64_t left = end - begin;
      for (; left >= kLines; left -= kLines, y += kLines * s.size, from += kLines * s.size)
        scan_lines<F<W>, W, kLines>(y, from, s.size, s.size, plan);
      for (; left > 0; --left, y += s.size, from += s.size)
        scan_lines<F<W>, W, 1>(y, from, s.size, s.size, plan);
    });
    return nullptr;
  }
  const int64_t width = s.inner < kColumns ? s.inner : kColumns;
  const int64_t strips = (s.inner + width - 1) / width;
  parallel(plan.device, s.outer * strips, 1, double(s.size * width),
           [&](int64_t begin, int64_t end) {
             for (int64_t u = begin; u < end; ++u) {
               const int64_t c = u % strips * width;
               const int64_t at = u / strips * s.size * s.inner + c;
               scan<F<W>, T, W>(output<T>(args[1]) + at, input<T>(x) + at, s.size, s.inner,
                                s.inner - c < width ? s.inner - c : width, plan);
             }
           });
  return nullptr;
}

// A scalar is a row of one.
template <template <class> class F, class T, class W>
tn_error* TN_CALL run_single(void* data, void*, const tn_view* const* args) {
  const ScanPlan& plan = *static_cast<const ScanPlan*>(data);
  scan_lines<F<W>, W, 1>(output<T>(args[1]), input<T>(args[0]), 1, 1, plan);
  return nullptr;
}

template <template <class> class F>
tn_error* prepare_scan(const Device& device, const tn_signature& sig, tn_plan* plan, int64_t axis,
                       bool exclusive, bool reverse) {
  const tn_view* x = sig.inputs[0];
  if (!contiguous(x) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  tn_kernel_run run = nullptr;
  const bool single = x->rank == 0;
#define CPU_SCAN(dtype, T, W)                               \
  case dtype:                                               \
    run = single ? run_single<F, T, W> : run_scan<F, T, W>; \
    break;
  switch (x->dtype) {
    CPU_SCAN(TN_DTYPE_F32, float, double)
    CPU_SCAN(TN_DTYPE_F64, double, double)
    CPU_SCAN(TN_DTYPE_F16, f16, double)
    CPU_SCAN(TN_DTYPE_BF16, bf16, double)
    CPU_SCAN(TN_DTYPE_I64, uint64_t, uint64_t)
    CPU_SCAN(TN_DTYPE_U64, uint64_t, uint64_t)
    CPU_SCAN(TN_DTYPE_C64, sdk::c64, sdk::c128)
    CPU_SCAN(TN_DTYPE_C128, sdk::c128, sdk::c128)
    default:
      return decline(plan, "no kernel for this dtype");
  }
#undef CPU_SCAN
  if (!make_plan<ScanPlan>(plan, run, device, int(axis < 0 ? axis + x->rank : axis), exclusive,
                           reverse)) {
    return out_of_memory(device);
  }
  return nullptr;
}

}  // namespace

CPU_PREPARE(cumsum) {
  return prepare_scan<Sum>(device, sig, plan, attr_i64(sig, TN_CUMSUM_AXIS),
                           attr_bool(sig, TN_CUMSUM_EXCLUSIVE), attr_bool(sig, TN_CUMSUM_REVERSE));
}
CPU_PREPARE(cumprod) {
  return prepare_scan<Product>(device, sig, plan, attr_i64(sig, TN_CUMPROD_AXIS), false, false);
}

}  // namespace tenon::cpu::CPU_ISA
