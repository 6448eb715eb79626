// cumsum along an axis of a dense tensor. Floats are added up in double.
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

// Columns of one slab: n steps of `step` elements, `width` running sums side by side.
template <class T, class W>
void scan(T* y, const T* x, int64_t n, int64_t step, int64_t width, const ScanPlan& plan) {
  W sums[kColumns];
  for (int64_t c = 0; c < width; ++c) sums[c] = W(0);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = (plan.reverse ? n - 1 - i : i) * step;
    const T* from = x + at;
    T* to = y + at;
    for (int64_t c = 0; c < width; ++c) {
      const W before = sums[c];
      if constexpr (sdk::is_small_float<T>) {
        sums[c] = before + W(float(from[c]));
      } else {
        sums[c] = before + W(from[c]);
      }
      to[c] = T(plan.exclusive ? before : sums[c]);
    }
  }
}

template <class T, class W>
tn_error* TN_CALL run_scan(void* data, void*, const tn_view* const* args) {
  const ScanPlan& plan = *static_cast<const ScanPlan*>(data);
  const tn_view* x = args[0];
  if (x->count == 0) return nullptr;
  const Split s = split_at(x, plan.axis);
  const int64_t width = s.inner < kColumns ? s.inner : kColumns;
  const int64_t strips = (s.inner + width - 1) / width;
  parallel(plan.device, s.outer * strips, 1, double(s.size * width),
           [&](int64_t begin, int64_t end) {
             for (int64_t u = begin; u < end; ++u) {
               const int64_t c = u % strips * width;
               const int64_t at = u / strips * s.size * s.inner + c;
               scan<T, W>(output<T>(args[1]) + at, input<T>(x) + at, s.size, s.inner,
                          s.inner - c < width ? s.inner - c : width, plan);
             }
           });
  return nullptr;
}

// A scalar is a row of one.
template <class T, class W>
tn_error* TN_CALL run_single(void* data, void*, const tn_view* const* args) {
  const ScanPlan& plan = *static_cast<const ScanPlan*>(data);
  scan<T, W>(output<T>(args[1]), input<T>(args[0]), 1, 1, 1, plan);
  return nullptr;
}

}  // namespace

CPU_PREPARE(cumsum) {
  const tn_view* x = sig.inputs[0];
  if (!contiguous(x) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  tn_kernel_run run = nullptr;
  const bool single = x->rank == 0;
#define CPU_SCAN(dtype, T, W)                         \
  case dtype:                                         \
    run = single ? run_single<T, W> : run_scan<T, W>; \
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
  const int64_t axis = attr_i64(sig, TN_CUMSUM_AXIS);
  if (!make_plan<ScanPlan>(plan, run, device, int(axis < 0 ? axis + x->rank : axis),
                           attr_bool(sig, TN_CUMSUM_EXCLUSIVE),
                           attr_bool(sig, TN_CUMSUM_REVERSE))) {
    return out_of_memory(device);
  }
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
