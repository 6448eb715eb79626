// conv2d and its two gradients on AMX tiles, asked before the other kernels of these ops. Where a run meets numbers that do not split
// well, it is repeated by multiply-adds.
#include <tenon/op_ids.h>

#include "conv/conv2d.hpp"
#include "conv/tile_conv.hpp"
#include "conv/tile_weight_grad.hpp"
#include "kernels/narrow.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {
constexpr const char* kNoGain = "gains nothing by AMX tiles, or there are none";
}

#if defined(__AVX512BW__)

namespace {

struct Otherwise {
  tn_plan plan{};
  Otherwise() { plan.struct_size = sizeof plan; }
  Otherwise(const Otherwise&) = delete;
  ~Otherwise() {
    if (plan.release) plan.release(plan.data);
  }
};

template <class Conv>
struct TilePlan {
  Conv conv;
  Otherwise otherwise;
  ConvRegionPtr region;
};

// bf16 in the one part that holds it, f32 in as many as the context asks.
Products products_of(const tn_signature& sig) {
  if (sig.outputs[0]->dtype == TN_DTYPE_BF16) return Products::one;
  if (sig.flags & TN_SIGNATURE_PRECISION_MEDIUM) return Products::one;
  if (sig.flags & TN_SIGNATURE_PRECISION_HIGH) return Products::three;
  return Products::six;
}

// Plans what is done otherwise as well, by `prepare`; declines where that does.
template <class Conv, class Prepare>
tn_error* plan_tiles(const Device& device, const tn_signature& sig, tn_plan* plan,
                     tn_kernel_run run, Prepare prepare, const Conv& conv,
                     const ConvRegionPtr& region = nullptr) {
  auto* p = make_plan<TilePlan<Conv>>(plan, run);
  if (!p) return out_of_memory(device);
  p->conv = conv;
  p->region = region;
  tn_plan& other = p->otherwise.plan;
  tn_error* error = prepare(device, sig, &other);
  if (error || other.declined.size) {
    const tn_str why = other.declined;
    plan->release(p);
    *plan = tn_plan{};
    plan->struct_size = sizeof *plan;
    if (!error) plan->declined = why;
    return error;
  }
  const auto bytes = uint64_t(p->conv.scratch());
  plan->workspace_bytes = bytes > other.workspace_bytes ? bytes : other.workspace_bytes;
  return nullptr;
}

template <class Conv>
tn_error* otherwise(const TilePlan<Conv>& p, void* queue, const tn_view* const* args) {
  return p.otherwise.plan.run(p.otherwise.plan.data, queue, args);
}

template <class T>
tn_error* TN_CALL run_forward(void* data, void* queue, const tn_view* const* args) {
  const auto& p = *static_cast<const TilePlan<TileConv<T>>*>(data);
  const ConvCall<T> c(p.region, args);
  if (p.conv.run(c.x, c.w, c.bias, c.y, c.workspace, c.done())) return nullptr;
  return otherwise(p, queue, args);
}

template <class T>
tn_error* TN_CALL run_input_grad(void* data, void* queue, const tn_view* const* args) {
  const auto& p = *static_cast<const TilePlan<TileConv<T>>*>(data);
  if (p.conv.run(input<T>(args[0]), input<T>(args[1]), nullptr, output<T>(args[2]),
                 output<char>(args[3]))) {
    return nullptr;
  }
  return otherwise(p, queue, args);
}

template <class T>
tn_error* TN_CALL run_weight_grad(void* data, void* queue, const tn_view* const* args) {
  const auto& p = *static_cast<const TilePlan<TileWeightGrad<T>>*>(data);
  if (p.conv.run(input<T>(args[1]), input<T>(args[0]), output<T>(args[2]), output<char>(args[3])))
    return nullptr;
  return otherwise(p, queue, args);
}

// Why the operands are not taken, or null.
const char* refuse(const ConvShape& s, const tn_signature& sig) {
  for (uint32_t i = 0; i < sig.n_inputs + sig.n_outputs; ++i) {
    const tn_view* v = i < sig.n_inputs ? sig.inputs[i] : sig.outputs[i - sig.n_inputs];
    if (absent(v)) continue;
    if (v->dtype != TN_DTYPE_F32 && v->dtype != TN_DTYPE_BF16) return "only f32 and bf16";
    if (v->count == 0) return "empty";
  }
  if (s.kernel_h > kMaxTaps || s.kernel_w > kMaxTaps)
    return "a kernel of more than 64 elements along an axis";
  return nullptr;
}

// f(a number of the dtype).
template <class F>
tn_error* by_dtype(tn_dtype dtype, F f) {
  if (dtype == TN_DTYPE_BF16) return f(bf16());
  return f(float());
}

}  // namespace

tn_error* plan_conv2d_tiles(const Device& device, const tn_signature& sig, tn_plan* plan,
                            const ConvRegionPtr& region) {
  if (!device.amx_bf16) return decline(plan, kNoGain);
  const tn_view &x = *sig.inputs[0], &w = *sig.inputs[1], &y = *sig.outputs[0];
  ConvShape s;
  s.attrs(sig, TN_CONV2D_STRIDE);
  s.dims(x.dims, w.dims[0], w.dims[2], w.dims[3], y.dims[2], y.dims[3]);
  if (const char* why = refuse(s, sig)) return decline(plan, why);
  ConvProblem p;
  if (!p.forward(s, x)) return decline(plan, kNoGain);
  p.products = products_of(sig);
  return by_dtype(y.dtype, [&](auto type) {
    using T = decltype(type);
    if (!TileConv<T>::worth(p, device)) return decline(plan, kNoGain);
    TileConv<T> conv;
    conv.plan(p, device);
    const auto other = [&](const Device&, const tn_signature&, tn_plan* to) {
      return region ? plan_conv2d_f32(device, sig, to, region) : plan_conv2d(device, sig, to);
    };
    return plan_tiles(device, sig, plan, run_forward<T>, other, conv, region);
  });
}

CPU_PREPARE(conv2d_input_grad_tiles) {
  if (!device.amx_bf16) return decline(plan, kNoGain);
  const tn_view &g = *sig.inputs[0], &w = *sig.inputs[1], &dx = *sig.outputs[0];
  ConvShape s;
  s.attrs(sig, TN_CONV2D_INPUT_GRAD_STRIDE);
  s.dims(dx.dims, w.dims[0], w.dims[2], w.dims[3], g.dims[2], g.dims[3]);
  if (const char* why = refuse(s, sig)) return decline(plan, why);
  ConvProblem p;
  if (!p.input_grad(s, g)) return decline(plan, kNoGain);
  p.products = products_of(sig);
  return by_dtype(dx.dtype, [&](auto type) {
    using T = decltype(type);
    if (!TileConv<T>::worth(p, device)) return decline(plan, kNoGain);
    TileConv<T> conv;
    conv.plan(p, device);
    return plan_tiles(device, sig, plan, run_input_grad<T>, plan_conv2d_input_grad, conv);
  });
}

CPU_PREPARE(conv2d_weight_grad_tiles) {
  if (!device.amx_bf16) return decline(plan, kNoGain);
  const tn_view &g = *sig.inputs[0], &x = *sig.inputs[1], &dw = *sig.outputs[0];
  ConvShape s;
  s.attrs(sig, TN_CONV2D_WEIGHT_GRAD_STRIDE);
  s.dims(x.dims, dw.dims[0], dw.dims[2], dw.dims[3], g.dims[2], g.dims[3]);
  if (const char* why = refuse(s, sig)) return decline(plan, why);
  const Geometry geometry = forward_geometry(s, x);
  return by_dtype(dw.dtype, [&](auto type) {
    using T = decltype(type);
    if (!TileWeightGrad<T>::worth(geometry, products_of(sig), device))
      return decline(plan, kNoGain);
    TileWeightGrad<T> conv;
    conv.plan(geometry, products_of(sig), device);
    return plan_tiles(device, sig, plan, run_weight_grad<T>, plan_conv2d_weight_grad, conv);
  });
}

#else
tn_error* plan_conv2d_tiles(const Device&, const tn_signature&, tn_plan* plan,
                            const ConvRegionPtr&) {
  return decline(plan, kNoGain);
}
CPU_PREPARE(conv2d_input_grad_tiles) { return decline(plan, kNoGain); }
CPU_PREPARE(conv2d_weight_grad_tiles) { return decline(plan, kNoGain); }
#endif

CPU_PREPARE(conv2d_tiles) { return plan_conv2d_tiles(device, sig, plan, nullptr); }

}  // namespace tenon::cpu::CPU_ISA
