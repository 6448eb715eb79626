// window_reduce, window_scatter, max_pool2d and avg_pool2d. Planes of two axes in f32 and f64 are reduced row by row.
#include <tenon/op_ids.h>

#include <limits>

#include "conv/loops.hpp"
#include "kernels/simd.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

template <WindowMode mode, class V>
CPU_INLINE V combine(V a, V b) {
  if constexpr (mode == WindowMode::sum)
    return a + b;
  else if constexpr (std::is_floating_point_v<V>) {
    return a != a ? a : mode == WindowMode::max ? (a > b ? a : b) : (a < b ? a : b);
  } else {
    return mode == WindowMode::max ? vmax(a, b) : vmin(a, b);
  }
}

// First along columns, whole rows at a time, then along the row.
template <WindowMode mode, class T>
void reduce_plane(const WindowPlan& p, const T* x, T* y, T* row) {
  const WindowAxis &h = p.axis[0], &w = p.axis[1];
  constexpr int64_t lanes = kLanes<T>;
  constexpr T inf = std::numeric_limits<T>::infinity();
  constexpr T neutral = mode == WindowMode::sum ? T(0) : mode == WindowMode::max ? -inf : inf;
  for (int64_t i = 0; i < h.out; ++i, y += w.out) {
    const Reach r = reach(h, i);
    for (int64_t j = 0; j < w.in; j += lanes) {
      const int64_t n = w.in - j < lanes ? w.in - j : lanes;
      Vec<T> all = splat<Vec<T>>(neutral);
      const T* from = x + r.at * w.in + j;
      for (int64_t k = r.first; k < r.last; ++k, from += h.dilation * w.in) {
        all = combine<mode>(all, n == lanes ? load(from) : load_n(from, n));
      }
      store(row + j, all);
    }
    for (int64_t j = 0; j < w.out; ++j) {
      const Reach c = reach(w, j);
      T all = neutral;
      for (int64_t k = c.first, at = c.at; k < c.last; ++k, at += w.dilation)
        all = combine<mode>(all, row[at]);
      y[j] = all;
    }
  }
}

constexpr int64_t kRow = 2048;  // longest row that reduce_plane takes

template <WindowMode mode, class T>
tn_error* TN_CALL run_planes(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WindowPlan*>(data);
  const T* x = input<T>(args[0]);
  T* y = output<T>(args[1]);
  const double ns = 1.5 * double(p.out_size) * double(p.axis[1].window) + 0.1 * double(p.in_size);
  parallel(*p.device, p.planes, 1, ns, [&](int64_t begin, int64_t end) {
    alignas(64) T row[kRow + kLanes<T>];
    for (int64_t plane = begin; plane < end; ++plane) {
      T* to = y + plane * p.out_size;
      reduce_plane<mode>(p, x + plane * p.in_size, to, row);
      if (mode == WindowMode::sum && p.scale != 0) average_plane(p, to);
    }
  });
  return nullptr;
}

// The fast way where it applies, else the loops.
tn_kernel_run reduce_run(const WindowPlan& p, tn_dtype dtype, WindowMode mode) {
  if (p.rank == 2 && p.axis[1].in <= kRow) {
    const auto of = [&](auto type) -> tn_kernel_run {
      using T = decltype(type);
      return mode == WindowMode::max   ? run_planes<WindowMode::max, T>
             : mode == WindowMode::min ? run_planes<WindowMode::min, T>
                                       : run_planes<WindowMode::sum, T>;
    };
    if (dtype == TN_DTYPE_F32) return of(float());
    if (dtype == TN_DTYPE_F64) return of(double());
  }
  return window_reduce_loops(dtype, mode);
}

// ---- signatures

int64_t entry(const I64s& list, int64_t i, int64_t otherwise) {
  return list.size ? list[i] : otherwise;
}

// The plan of x -> y (y: window_reduce's output, window_scatter's g) from per-axis attributes.
WindowPlan window_plan(const Device& device, const tn_signature& sig, const tn_view& x,
                       const tn_view& y) {
  const I64s window = attr_i64s(sig, TN_WINDOW_REDUCE_WINDOW),
             stride = attr_i64s(sig, TN_WINDOW_REDUCE_STRIDE);
  const I64s low = attr_i64s(sig, TN_WINDOW_REDUCE_LOW),
             dilation = attr_i64s(sig, TN_WINDOW_REDUCE_DILATION);
  WindowPlan p{};
  p.device = &device;
  p.planes = p.in_size = p.out_size = 1;
  int first = 0;
  while (first + 2 < x.rank && x.dims[first] == y.dims[first] && entry(window, first, 1) == 1 &&
         entry(stride, first, 1) == 1 && entry(low, first, 0) == 0) {
    p.planes *= x.dims[first++];
  }
  p.rank = x.rank - first;
  for (int a = 0; a < p.rank; ++a) {
    const int i = first + a;
    p.axis[a] = {x.dims[i],           y.dims[i],        entry(window, i, 1),
                 entry(stride, i, 1), entry(low, i, 0), entry(dilation, i, 1)};
    p.in_size *= x.dims[i];
    p.out_size *= y.dims[i];
  }
  return p;
}

// The plan of a pool2d op: its first three attributes are window, stride and padding of two axes.
WindowPlan pool_plan(const Device& device, const tn_signature& sig) {
  const tn_view &x = *sig.inputs[0], &y = *sig.outputs[0];
  const I64s window = attr_i64s(sig, 0), stride = attr_i64s(sig, 1), padding = attr_i64s(sig, 2);
  WindowPlan p{};
  p.device = &device;
  p.rank = 2;
  p.planes = x.dims[0] * x.dims[1];
  for (int a = 0; a < 2; ++a) {
    p.axis[a] = {
        x.dims[2 + a], y.dims[2 + a], window[a], entry(stride, a, window[a]), padding[a], 1};
  }
  p.in_size = x.dims[2] * x.dims[3];
  p.out_size = y.dims[2] * y.dims[3];
  return p;
}

tn_error* make(const Device& device, const tn_signature& sig, tn_plan* plan, tn_kernel_run run,
               const WindowPlan& p) {
  if (!run) return decline(plan, "a dtype without order or sums");
  for (uint32_t i = 0; i < sig.n_inputs; ++i) {
    if (!contiguous(sig.inputs[i])) return decline(plan, "contiguous tensors only");
  }
  if (!make_plan<WindowPlan>(plan, run, p)) return out_of_memory(device);
  return nullptr;
}

tn_error* prepare_window_reduce_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  WindowMode mode = WindowMode::sum;
  if (attr_is(sig, TN_WINDOW_REDUCE_MODE, "max")) mode = WindowMode::max;
  if (attr_is(sig, TN_WINDOW_REDUCE_MODE, "min")) mode = WindowMode::min;
  const tn_view& x = *sig.inputs[0];
  const WindowPlan p = window_plan(device, sig, x, *sig.outputs[0]);
  return make(device, sig, plan, reduce_run(p, x.dtype, mode), p);
}

tn_error* prepare_window_scatter_wide(const Device& device, const tn_signature& sig,
                                      tn_plan* plan) {
  const tn_view& x = *sig.inputs[0];
  return make(device, sig, plan, window_scatter_loops(x.dtype),
              window_plan(device, sig, x, *sig.inputs[1]));
}

tn_error* prepare_max_pool2d_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const WindowPlan p = pool_plan(device, sig);
  return make(device, sig, plan, reduce_run(p, sig.inputs[0]->dtype, WindowMode::max), p);
}

tn_error* prepare_avg_pool2d_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  WindowPlan p = pool_plan(device, sig);
  p.count_padding = attr_bool(sig, TN_AVG_POOL2D_COUNT_PADDING);
  p.scale = 1 / (double(p.axis[0].window) * double(p.axis[1].window));
  return make(device, sig, plan, reduce_run(p, sig.inputs[0]->dtype, WindowMode::sum), p);
}

tn_error* widened_or(const Device& device, const tn_signature& sig, tn_plan* plan,
                     tn_error* (*prepare)(const Device&, const tn_signature&, tn_plan*)) {
  if (is_narrow(sig.inputs[0]->dtype)) return prepare_widened(device, sig, plan, prepare);
  return prepare(device, sig, plan);
}

}  // namespace

CPU_PREPARE(window_reduce) { return widened_or(device, sig, plan, prepare_window_reduce_wide); }
CPU_PREPARE(window_scatter) { return widened_or(device, sig, plan, prepare_window_scatter_wide); }
CPU_PREPARE(max_pool2d) { return widened_or(device, sig, plan, prepare_max_pool2d_wide); }
CPU_PREPARE(avg_pool2d) { return widened_or(device, sig, plan, prepare_avg_pool2d_wide); }

}  // namespace tenon::cpu::CPU_ISA
