// The base op conv. One and two spatial axes without dilation of x, in floating point, go the way of conv2d; all else is left to
// plain loops.
#include <tenon/op_ids.h>

#include "conv/loops.hpp"
#include "conv/tap_conv.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu {

namespace CPU_SHARED_ISA {
tn_error* plan_conv(const Device& device, const tn_signature& sig, tn_plan* plan);
}

namespace CPU_ISA {

namespace {

int64_t entry(const I64s& list, int64_t i, int64_t otherwise) {
  return list.size ? list[i] : otherwise;
}

template <class T>
struct BaseConvPlan {
  TapConv<T> conv;
  int64_t w_row;
};

template <class T>
tn_error* TN_CALL run_base_conv(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const BaseConvPlan<T>*>(data);
  p.conv.run(input<T>(args[0]), input<T>(args[1]), p.w_row, nullptr, output<T>(args[2]),
             output<T>(args[3]));
  return nullptr;
}

template <class T>
tn_error* plan_base_conv(const Device& device, const Geometry& g, tn_plan* plan) {
  auto* p = make_plan<BaseConvPlan<T>>(plan, run_base_conv<T>);
  if (!p) return out_of_memory(device);
  p->conv.plan(g, device);
  p->w_row = g.ci * g.taps();
  plan->workspace_bytes = uint64_t(p->conv.scratch() + 16) * sizeof(T);
  return nullptr;
}

// False: not a convolution over one or two axes that taps can do.
bool base_geometry(const tn_signature& sig, Geometry* g) {
  const tn_view &x = *sig.inputs[0], &w = *sig.inputs[1], &y = *sig.outputs[0];
  const int spatial = x.rank - 2;
  if (spatial < 1 || spatial > 2 || !contiguous(&w) || !contiguous(&y)) return false;
  if (x.strides[x.rank - 1] != 1 && x.dims[x.rank - 1] > 1) return false;
  const I64s lhs = attr_i64s(sig, TN_CONV_LHS_DILATION);
  for (int64_t i = 0; i < lhs.size; ++i) {
    if (lhs[i] != 1) return false;
  }
  const int last = spatial - 1;
  const I64s stride = attr_i64s(sig, TN_CONV_STRIDE), low = attr_i64s(sig, TN_CONV_LOW);
  const I64s dilation = attr_i64s(sig, TN_CONV_RHS_DILATION);
  g->groups = attr_i64(sig, TN_CONV_GROUPS);
  g->batch = x.dims[0];
  g->ci = w.dims[1];
  g->co = w.dims[0] / g->groups;
  const int64_t kernel_w = w.dims[2 + last], kernel_h = spatial == 2 ? w.dims[2] : 1;
  if (kernel_h > kMaxTaps || kernel_w > kMaxTaps) return false;
  g->in_w = x.dims[2 + last];
  g->out_w = y.dims[2 + last];
  g->step_w = g->out_w > 1 ? entry(stride, last, 1) : 1;
  g->taps_w = int(kernel_w);
  for (int b = 0; b < g->taps_w; ++b) g->dx[b] = b * entry(dilation, last, 1) - entry(low, last, 0);
  g->in_h = spatial == 2 ? x.dims[2] : 1;
  g->out_h = spatial == 2 ? y.dims[2] : 1;
  g->step_h = g->out_h > 1 ? entry(stride, 0, 1) : 1;
  g->taps_h = int(kernel_h);
  g->dy[0] = 0;
  for (int a = 0; a < g->taps_h && spatial == 2; ++a) {
    g->dy[a] = a * entry(dilation, 0, 1) - entry(low, 0, 0);
  }
  g->x_image = x.strides[0];
  g->x_channel = x.strides[1];
  g->x_row = spatial == 2 ? x.strides[2] : 0;
  g->y_row = g->out_w;
  g->y_channel = g->out_h * g->out_w;
  g->y_image = g->groups * g->co * g->y_channel;
  return true;
}

tn_error* prepare_conv_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  Geometry g;
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (dtype == TN_DTYPE_F32 && base_geometry(sig, &g))
    return plan_base_conv<float>(device, g, plan);
#if CPU_CONV_F64
  if (dtype == TN_DTYPE_F64 && base_geometry(sig, &g))
    return plan_base_conv<double>(device, g, plan);
#endif
  return plan_conv_loops(device, sig, plan);
}

}  // namespace

#if !CPU_CONV_F64
tn_error* plan_conv(const Device& device, const tn_signature& sig, tn_plan* plan);
#endif
tn_error* plan_conv(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (is_narrow(dtype)) return prepare_widened(device, sig, plan, prepare_conv_wide);
  if (!CPU_CONV_F64 && dtype == TN_DTYPE_F64) return CPU_SHARED_ISA::plan_conv(device, sig, plan);
  return prepare_conv_wide(device, sig, plan);
}

CPU_PREPARE(conv) { return plan_conv(device, sig, plan); }

}  // namespace CPU_ISA
}  // namespace tenon::cpu
