// conv2d and its two gradients.
#include <tenon/op_ids.h>

#include "conv/channel_conv.hpp"
#include "conv/image_conv.hpp"
#include "conv/tap_conv.hpp"
#include "conv/weight_grad.hpp"
#include "kernels/whole.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kMaxPhases = 64;

// ---- forward

template <class T>
struct ConvPlan {
  TapConv<T> conv;
  int64_t w_row;
  ConvRegionPtr region;
};

template <class T>
tn_error* TN_CALL run_conv2d(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const ConvPlan<T>*>(data);
  const ConvCall<T> c(p.region, args);
  p.conv.run(c.x, c.w, p.w_row, c.bias, c.y, reinterpret_cast<T*>(c.workspace), c.done());
  return nullptr;
}

template <class T>
tn_error* plan_forward(const Device& device, const Geometry& g, tn_plan* plan,
                       const ConvRegionPtr& region) {
  auto* p = make_plan<ConvPlan<T>>(plan, run_conv2d<T>);
  if (!p) return out_of_memory(device);
  p->region = region;
  p->conv.plan(g, device);
  p->w_row = g.ci * g.taps();
  plan->workspace_bytes = uint64_t(p->conv.scratch() + 16) * sizeof(T);
  return nullptr;
}

// ---- gradient of the input

AxisPhase axis_phase(int64_t phase, int64_t kernel, int64_t stride, int64_t padding,
                     int64_t dilation) {
  AxisPhase a;
  for (int64_t k = 0; k < kernel; ++k) {
    const int64_t at = phase + padding - k * dilation;
    if (at % stride != 0) continue;
    a.kernel[a.taps] = k;
    a.offset[a.taps++] = at / stride;
  }
  return a;
}

template <class T>
struct InputPhase {
  TapConv<T> conv;
  AxisPhase h, w;
  int64_t start;  // of its first element in dx
};

template <class T>
struct InputGradPlan {
  const Device* device = nullptr;
  ConvShape s{};
  int64_t phases = 0;
  bool holes = false;  // there are phases that nothing reaches
  InputPhase<T>* phase = nullptr;
  ~InputGradPlan() { delete[] phase; }
};

// Weights of a phase as [groups * ci][co * taps].
template <class T>
void turn_weights(const Device& device, const ConvShape& s, const InputPhase<T>& p, const T* w,
                  T* to) {
  const int64_t taps = int64_t(p.h.taps) * p.w.taps, kernel = s.kernel_h * s.kernel_w;
  int64_t tap[kMaxTaps * kMaxTaps];  // in w
  for (int64_t t = 0; t < taps; ++t)
    tap[t] = p.h.kernel[t / p.w.taps] * s.kernel_w + p.w.kernel[t % p.w.taps];
  constexpr int64_t block = 8;
  const int64_t blocks = (s.ci + block - 1) / block;
  parallel(device, s.groups * blocks, 1, 1.0 * double(block * s.co * taps),
           [&](int64_t begin, int64_t end) {
             for (int64_t i = begin; i < end; ++i) {
               const int64_t group = i / blocks, c0 = i % blocks * block;
               const int64_t c1 = c0 + block < s.ci ? c0 + block : s.ci;
               for (int64_t o = 0; o < s.co; ++o) {
                 for (int64_t c = c0; c < c1; ++c) {
                   const T* from = w + ((group * s.co + o) * s.ci + c) * kernel;
                   T* row = to + ((group * s.ci + c) * s.co + o) * taps;
                   for (int64_t t = 0; t < taps; ++t) row[t] = from[tap[t]];
                 }
               }
             }
           });
}

template <class T>
void clear(const Device& device, const ConvShape& s, T* dx) {
  constexpr int64_t block = 1 << 14;
  const int64_t n = s.batch * s.groups * s.ci * s.in_h * s.in_w;
  parallel(device, ceil_div(n, block), 1, 0.25 * double(block), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * block;
    std::memset(dx + first, 0, size_t(smaller(end * block, n) - first) * sizeof(T));
  });
}

template <class T>
tn_error* TN_CALL run_input_grad(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const InputGradPlan<T>*>(data);
  const T *g = input<T>(args[0]), *w = input<T>(args[1]);
  T *dx = output<T>(args[2]), *turned = output<T>(args[3]);
  if (p.holes) clear(*p.device, p.s, dx);
  for (int64_t i = 0; i < p.phases; ++i) {
    const InputPhase<T>& phase = p.phase[i];
    const int64_t taps = int64_t(phase.h.taps) * phase.w.taps;
    if (taps == 0 || p.s.co == 0) continue;
    turn_weights(*p.device, p.s, phase, w, turned);
    T* scratch = turned + (p.s.groups * p.s.ci * p.s.co * taps + 15) / 16 * 16;
    phase.conv.run(g, turned, p.s.co * taps, nullptr, dx + phase.start, scratch);
  }
  return nullptr;
}

template <class T>
tn_error* plan_input_grad(const Device& device, const ConvShape& s, const tn_view& gv,
                          tn_plan* plan) {
  auto* p = make_plan<InputGradPlan<T>>(plan, run_input_grad<T>);
  if (!p) return out_of_memory(device);
  p->device = &device;
  p->s = s;
  p->phases = s.stride_h * s.stride_w;
  p->phase = new (std::nothrow) InputPhase<T>[size_t(p->phases)];
  if (!p->phase) return out_of_memory(device);
  int64_t elements = 16;
  for (int64_t i = 0; i < p->phases; ++i) {
    InputPhase<T>& phase = p->phase[i];
    const int64_t ph = i / s.stride_w, pw = i % s.stride_w;
    const Geometry g = input_grad_geometry(s, gv, ph, pw, &phase.h, &phase.w);
    phase.start = ph * s.in_w + pw;
    if (g.taps() == 0 || g.ci == 0) {
      p->holes = true;
      continue;
    }
    phase.conv.plan(g, device);
    const int64_t turned = (s.groups * s.ci * s.co * g.taps() + 15) / 16 * 16;
    const int64_t need = turned + phase.conv.scratch() + 16;
    if (need > elements) elements = need;
  }
  plan->workspace_bytes = uint64_t(elements) * sizeof(T);
  return nullptr;
}

// ---- gradient of the weights

template <class T>
tn_error* TN_CALL run_weight_grad(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const WeightGrad<T>*>(data);
  p.run(input<T>(args[1]), input<T>(args[0]), output<T>(args[2]), output<T>(args[3]));
  return nullptr;
}

template <class T>
tn_error* plan_weight_grad(const Device& device, const Geometry& g, tn_plan* plan) {
  auto* p = make_plan<WeightGrad<T>>(plan, run_weight_grad<T>);
  if (!p) return out_of_memory(device);
  p->plan(g, device);
  plan->workspace_bytes = uint64_t(p->scratch() + 16) * sizeof(T);
  return nullptr;
}

// ---- kernels of f32 alone

#if !defined(CPU_SMALL)

template <class Conv>
struct SpecialConv : Conv {
  ConvRegionPtr region;
};

template <class Conv>
tn_error* TN_CALL run_special(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const SpecialConv<Conv>*>(data);
  if (p.backward()) {
    p.run(input<float>(args[0]), input<float>(args[1]), nullptr, output<float>(args[2]),
          output<float>(args[3]));
    return nullptr;
  }
  const ConvCall<float> c(p.region, args);
  p.run(c.x, c.w, c.bias, c.y, reinterpret_cast<float*>(c.workspace), c.done());
  return nullptr;
}
template <class Conv>
tn_error* TN_CALL run_special_weight_grad(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const Conv*>(data);
  p.run(input<float>(args[1]), input<float>(args[0]), output<float>(args[2]),
        output<float>(args[3]));
  return nullptr;
}

template <class Conv, class Problem>
tn_error* plan_special(const Device& device, const Problem& problem, tn_kernel_run run,
                       tn_plan* plan) {
  auto* p = make_plan<Conv>(plan, run);
  if (!p) return out_of_memory(device);
  p->plan(problem, device);
  plan->workspace_bytes = uint64_t(p->scratch()) * sizeof(float);
  return nullptr;
}

template <class Conv>
tn_error* plan_special(const Device& device, const ConvProblem& p, tn_plan* plan,
                       const ConvRegionPtr& region) {
  TN_TRY(plan_special<SpecialConv<Conv>>(device, p, run_special<Conv>, plan));
  static_cast<SpecialConv<Conv>*>(plan->data)->region = region;
  return nullptr;
}

// Null, and no plan: there is nothing special about it.
tn_error* plan_special(const Device& device, const ConvProblem& p, tn_plan* plan,
                       const ConvRegionPtr& region = nullptr) {
  if (PlaneConv::fits(p)) return plan_special<PlaneConv>(device, p, plan, region);
#if defined(__AVX512F__)
  if (ImageConv::worth(p)) return plan_special<ImageConv>(device, p, plan, region);
#endif
  if (ChannelConv::worth(p)) return plan_special<ChannelConv>(device, p, plan, region);
  return nullptr;
}
tn_error* plan_special(const Device& device, const Geometry& g, tn_plan* plan) {
  if (PlaneWeightGrad::fits(g)) {
    return plan_special<PlaneWeightGrad>(device, g, run_special_weight_grad<PlaneWeightGrad>, plan);
  }
#if defined(__AVX512F__)
  if (ImageWeightGrad::worth(g)) {
    return plan_special<ImageWeightGrad>(device, g, run_special_weight_grad<ImageWeightGrad>, plan);
  }
#endif
  if (ChannelWeightGrad::worth(g)) {
    return plan_special<ChannelWeightGrad>(device, g, run_special_weight_grad<ChannelWeightGrad>,
                                           plan);
  }
  return nullptr;
}

#else
tn_error* plan_special(const Device&, const ConvProblem&, tn_plan*, const ConvRegionPtr& = {}) {
  return nullptr;
}
tn_error* plan_special(const Device&, const Geometry&, tn_plan*) { return nullptr; }
#endif

// ---- signatures

bool dense_columns(const tn_view& v) { return v.strides[3] == 1 || v.dims[3] <= 1; }

// Why a shape is not taken, or null.
const char* refuse(const ConvShape& s, const tn_view& image, const tn_view& other,
                   const tn_view& out) {
  if (!dense_columns(image)) return "rows of images must be dense";
  if (!contiguous(&other) || !contiguous(&out))
    return "all but the first operand must be contiguous";
  if (s.kernel_h > kMaxTaps || s.kernel_w > kMaxTaps)
    return "a kernel of more than 64 elements along an axis";
  if (s.stride_h * s.stride_w > kMaxPhases) return "strides too large";
  return nullptr;
}

tn_error* prepare_conv2d_with(const Device& device, const tn_signature& sig, tn_plan* plan,
                              const ConvRegionPtr& region) {
  const tn_view &x = *sig.inputs[0], &w = *sig.inputs[1], &y = *sig.outputs[0];
  ConvShape s;
  s.attrs(sig, TN_CONV2D_STRIDE);
  s.dims(x.dims, w.dims[0], w.dims[2], w.dims[3], y.dims[2], y.dims[3]);
  if (const char* why = refuse(s, x, w, y)) return decline(plan, why);
  if (!absent(sig.inputs[2]) && !contiguous(sig.inputs[2]))
    return decline(plan, "bias must be contiguous");
#if CPU_CONV_F64
  if (y.dtype == TN_DTYPE_F64)
    return plan_forward<double>(device, forward_geometry(s, x), plan, region);
#endif
  ConvProblem p;
  if (p.forward(s, x)) {
    tn_error* error = plan_special(device, p, plan, region);
    if (error || plan->run) return error;
  }
  return plan_forward<float>(device, forward_geometry(s, x), plan, region);
}
tn_error* prepare_conv2d_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_conv2d_with(device, sig, plan, nullptr);
}

tn_error* prepare_input_grad_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_view &g = *sig.inputs[0], &w = *sig.inputs[1], &dx = *sig.outputs[0];
  ConvShape s;
  s.attrs(sig, TN_CONV2D_INPUT_GRAD_STRIDE);
  s.dims(dx.dims, w.dims[0], w.dims[2], w.dims[3], g.dims[2], g.dims[3]);
  if (const char* why = refuse(s, g, w, dx)) return decline(plan, why);
#if CPU_CONV_F64
  if (dx.dtype == TN_DTYPE_F64) return plan_input_grad<double>(device, s, g, plan);
#endif
  ConvProblem p;
  if (p.input_grad(s, g)) {
    tn_error* error = plan_special(device, p, plan);
    if (error || plan->run) return error;
  }
  return plan_input_grad<float>(device, s, g, plan);
}

tn_error* prepare_weight_grad_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_view &g = *sig.inputs[0], &x = *sig.inputs[1], &dw = *sig.outputs[0];
  ConvShape s;
  s.attrs(sig, TN_CONV2D_WEIGHT_GRAD_STRIDE);
  s.dims(x.dims, dw.dims[0], dw.dims[2], dw.dims[3], g.dims[2], g.dims[3]);
  if (const char* why = refuse(s, x, g, dw)) return decline(plan, why);
  const Geometry geometry = forward_geometry(s, x);
#if CPU_CONV_F64
  if (dw.dtype == TN_DTYPE_F64) return plan_weight_grad<double>(device, geometry, plan);
#endif
  tn_error* error = plan_special(device, geometry, plan);
  if (error || plan->run) return error;
  return plan_weight_grad<float>(device, geometry, plan);
}

using Prepare = tn_error* (*)(const Device&, const tn_signature&, tn_plan*);

tn_error* prepare_by_dtype(const Device& device, const tn_signature& sig, tn_plan* plan,
                           Prepare prepare, [[maybe_unused]] Prepare shared) {
  switch (sig.outputs[0]->dtype) {
    case TN_DTYPE_F16:
    case TN_DTYPE_BF16:
      return prepare_widened(device, sig, plan, prepare);
    case TN_DTYPE_F32:
      return prepare(device, sig, plan);
    case TN_DTYPE_F64:
      return (CPU_CONV_F64 ? prepare : shared)(device, sig, plan);
    default:
      return decline(plan, "only floating-point dtypes");
  }
}

}  // namespace

void ConvShape::attrs(const tn_signature& sig, uint32_t first) {
  const I64s stride = attr_i64s(sig, first), padding = attr_i64s(sig, first + 1);
  const I64s dilation = attr_i64s(sig, first + 2);
  stride_h = stride[0];
  stride_w = stride[1];
  padding_h = padding[0];
  padding_w = padding[1];
  dilation_h = dilation[0];
  dilation_w = dilation[1];
  groups = attr_i64(sig, first + 3);
}

void ConvShape::dims(const int64_t* x, int64_t outputs, int64_t kh, int64_t kw, int64_t oh,
                     int64_t ow) {
  batch = x[0];
  ci = x[1] / groups;
  in_h = x[2];
  in_w = x[3];
  co = outputs / groups;
  kernel_h = kh;
  kernel_w = kw;
  out_h = oh;
  out_w = ow;
  if (oh <= 1) stride_h = 1;  // a step that is never taken may be larger than any image
  if (ow <= 1) stride_w = 1;
}

Geometry forward_geometry(const ConvShape& s, const tn_view& x) {
  Geometry g;
  g.groups = s.groups;
  g.batch = s.batch;
  g.ci = s.ci;
  g.co = s.co;
  g.in_h = s.in_h;
  g.in_w = s.in_w;
  g.out_h = s.out_h;
  g.out_w = s.out_w;
  g.step_h = s.stride_h;
  g.step_w = s.stride_w;
  g.taps_h = int(s.kernel_h);
  g.taps_w = int(s.kernel_w);
  for (int a = 0; a < g.taps_h; ++a) g.dy[a] = a * s.dilation_h - s.padding_h;
  for (int b = 0; b < g.taps_w; ++b) g.dx[b] = b * s.dilation_w - s.padding_w;
  g.x_image = x.strides[0];
  g.x_channel = x.strides[1];
  g.x_row = x.strides[2];
  g.y_row = s.out_w;
  g.y_channel = s.out_h * s.out_w;
  g.y_image = s.groups * s.co * g.y_channel;
  return g;
}

Geometry input_grad_geometry(const ConvShape& s, const tn_view& gv, int64_t ph, int64_t pw,
                             AxisPhase* h, AxisPhase* w) {
  *h = axis_phase(ph, s.kernel_h, s.stride_h, s.padding_h, s.dilation_h);
  *w = axis_phase(pw, s.kernel_w, s.stride_w, s.padding_w, s.dilation_w);
  Geometry g;
  g.groups = s.groups;
  g.batch = s.batch;
  g.ci = s.co;
  g.co = s.ci;
  g.in_h = s.out_h;
  g.in_w = s.out_w;
  g.out_h = s.in_h > ph ? (s.in_h - ph + s.stride_h - 1) / s.stride_h : 0;
  g.out_w = s.in_w > pw ? (s.in_w - pw + s.stride_w - 1) / s.stride_w : 0;
  g.taps_h = h->taps;
  g.taps_w = w->taps;
  for (int a = 0; a < g.taps_h; ++a) g.dy[a] = h->offset[a];
  for (int b = 0; b < g.taps_w; ++b) g.dx[b] = w->offset[b];
  g.x_image = gv.strides[0];
  g.x_channel = gv.strides[1];
  g.x_row = gv.strides[2];
  g.y_channel = s.in_h * s.in_w;
  g.y_image = s.groups * s.ci * g.y_channel;
  g.y_row = s.stride_h * s.in_w;
  g.y_col = s.stride_w;
  return g;
}

bool ConvProblem::forward(const ConvShape& s, const tn_view& x) {
  const int64_t kernel = s.kernel_h * s.kernel_w;
  if (kernel > kMostTaps) return false;
  g[0] = forward_geometry(s, x);
  w_group = s.co * s.ci * kernel;
  w_out = s.ci * kernel;
  w_in = kernel;
  for (int t = 0; t < kernel; ++t) tap[0][t] = t;
  return true;
}

bool ConvProblem::input_grad(const ConvShape& s, const tn_view& gv) {
  const int64_t kernel = s.kernel_h * s.kernel_w;
  if (kernel > kMostTaps || s.stride_h * s.stride_w > kMostPhases) return false;
  phases = int(s.stride_h * s.stride_w);
  backward = true;
  w_group = s.co * s.ci * kernel;
  w_out = kernel;
  w_in = s.ci * kernel;
  for (int i = 0; i < phases; ++i) {
    AxisPhase h, v;
    const int64_t ph = i / s.stride_w, pw = i % s.stride_w;
    g[i] = input_grad_geometry(s, gv, ph, pw, &h, &v);
    y_start[i] = ph * s.in_w + pw;
    for (int a = 0; a < h.taps; ++a) {
      for (int b = 0; b < v.taps; ++b)
        tap[i][a * v.taps + b] = int(h.kernel[a] * s.kernel_w + v.kernel[b]);
    }
  }
  return true;
}

tn_error* plan_conv2d_f32(const Device& device, const tn_signature& sig, tn_plan* plan,
                          const ConvRegionPtr& region) {
  return prepare_conv2d_with(device, sig, plan, region);
}
tn_error* plan_conv2d(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_by_dtype(device, sig, plan, prepare_conv2d_wide, CPU_SHARED_ISA::plan_conv2d);
}
tn_error* plan_conv2d_input_grad(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_by_dtype(device, sig, plan, prepare_input_grad_wide,
                          CPU_SHARED_ISA::plan_conv2d_input_grad);
}
tn_error* plan_conv2d_weight_grad(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_by_dtype(device, sig, plan, prepare_weight_grad_wide,
                          CPU_SHARED_ISA::plan_conv2d_weight_grad);
}

CPU_PREPARE(conv2d) { return plan_conv2d(device, sig, plan); }
CPU_PREPARE(conv2d_input_grad) { return plan_conv2d_input_grad(device, sig, plan); }
CPU_PREPARE(conv2d_weight_grad) { return plan_conv2d_weight_grad(device, sig, plan); }

}  // namespace tenon::cpu::CPU_ISA
