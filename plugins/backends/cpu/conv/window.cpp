// window_reduce, window_scatter, max_pool2d and avg_pool2d: over planes where they can be, else in plain loops.
#include <tenon/op_ids.h>

#include "conv/window_planes.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

tn_kernel_run reduce_run(const WindowPlan& p, tn_dtype dtype, WindowMode mode) {
  const tn_kernel_run planes = window_reduce_planes(p, dtype, mode);
  return planes ? planes : window_reduce_loops(dtype, mode);
}

tn_kernel_run scatter_run(const WindowPlan& p, tn_dtype dtype) {
  const tn_kernel_run planes = window_scatter_planes(p, dtype);
  return planes ? planes : window_scatter_loops(dtype);
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
    // A step that is never taken may be larger than the axis.
    const int64_t size = entry(window, i, 1), step = y.dims[i] > 1 ? entry(stride, i, 1) : 1;
    p.axis[a] = {x.dims[i], y.dims[i],        size,
                 step,      entry(low, i, 0), size > 1 ? entry(dilation, i, 1) : 1};
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
    const int64_t step = y.dims[2 + a] > 1 ? entry(stride, a, window[a]) : 1;
    p.axis[a] = {x.dims[2 + a], y.dims[2 + a], window[a], step, padding[a], 1};
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
  const WindowPlan p = window_plan(device, sig, x, *sig.inputs[1]);
  return make(device, sig, plan, scatter_run(p, x.dtype), p);
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
