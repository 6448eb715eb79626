// matmul and linear in f32 and f64; f16 and bf16 by conversion to f32, so that sums are f32.
#include "kernels/narrow.hpp"
#include "matmul/any.hpp"
#include "matmul/product.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// Inputs a, b and perhaps a bias, output c, perhaps a workspace.
template <class T, int n_inputs>
tn_error* TN_CALL run_product(void* plan, void*, const tn_view* const* args) {
  const auto& product = *static_cast<const Product<T>*>(plan);
  T* workspace = product.workspace_bytes() ? output<T>(args[n_inputs + 1]) : nullptr;
  const T* bias = n_inputs < 3 || absent(args[2]) ? nullptr : input<T>(args[2]);
  product.run(input<T>(args[0]), input<T>(args[1]), output<T>(args[n_inputs]), bias, workspace);
  return nullptr;
}

template <class T, int n_inputs>
tn_error* make_product(const Device& device, const MatmulShape& shape, tn_plan* plan) {
  auto* product = make_plan<Product<T>>(plan, run_product<T, n_inputs>);
  if (!product) return out_of_memory(device);
  product->plan(shape, device);
  plan->workspace_bytes = product->workspace_bytes();
  return nullptr;
}

// ---- f16 and bf16 -------------------------------------------------------------------------------

// Elements from the first to the last of a view whose memory has no gaps, in whatever order of axes; -1 for others.
int64_t dense_span(const tn_view& v) {
  int64_t span = 1;
  bool used[TN_MAX_RANK] = {};
  for (int found = 0; found < v.rank; ++found) {
    int next = -1;
    for (int i = 0; i < v.rank; ++i) {
      const bool trivial = v.dims[i] == 1 || v.strides[i] == 0;
      if (!used[i] && (trivial || v.strides[i] == span)) next = i;
    }
    if (next < 0) return -1;
    used[next] = true;
    if (v.strides[next] != 0) span *= v.dims[next];
  }
  return span;
}

struct NarrowPlan {
  Product<float> product;
  const Device* device;
  int64_t spans[4];  // a, b, bias, c
};

constexpr int64_t round_span(int64_t n) { return (n + 15) / 16 * 16; }

template <class To, class From>
void convert_parallel(const Device& device, To* to, const From* from, int64_t n) {
  parallel(device, n, 4096, 0.15, [&](int64_t begin, int64_t end) {
    convert_run<To, From>(to + begin, from + begin, end - begin);
  });
}

template <class T, int n_inputs>
tn_error* TN_CALL run_narrow(void* plan, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const NarrowPlan*>(plan);
  float* to = output<float>(args[n_inputs + 1]);
  const float* converted[3] = {};
  for (int i = 0; i < n_inputs; ++i) {
    if (absent(args[i])) continue;
    convert_parallel(*p.device, to, input<T>(args[i]), p.spans[i]);
    converted[i] = to;
    to += round_span(p.spans[i]);
  }
  float* c = to;
  p.product.run(converted[0], converted[1], c, converted[2], c + round_span(p.spans[3]));
  convert_parallel(*p.device, output<T>(args[n_inputs]), c, p.spans[3]);
  return nullptr;
}

template <class T, int n_inputs>
tn_error* make_narrow(const Device& device, const tn_signature& sig, const MatmulShape& shape,
                      tn_plan* plan) {
  int64_t spans[4] = {0, 0, 0, dense_span(*sig.outputs[0])};
  for (int i = 0; i < n_inputs; ++i) {
    if (!absent(sig.inputs[i])) spans[i] = dense_span(*sig.inputs[i]);
  }
  for (const int64_t span : spans) {
    if (span < 0) return decline(plan, "f16 and bf16 operands must have no gaps in memory");
  }
  auto* p = make_plan<NarrowPlan>(plan, run_narrow<T, n_inputs>);
  if (!p) return out_of_memory(device);
  p->device = &device;
  std::memcpy(p->spans, spans, sizeof spans);
  p->product.plan(shape, device);
  int64_t elements = 16;  // so that there always is a workspace
  for (const int64_t span : spans) elements += round_span(span);
  plan->workspace_bytes = uint64_t(elements) * sizeof(float) + p->product.workspace_bytes();
  return nullptr;
}

template <int n_inputs>
tn_error* make(const Device& device, const tn_signature& sig, const MatmulShape& shape,
               tn_plan* plan) {
  switch (sig.outputs[0]->dtype) {
    case TN_DTYPE_F32: return make_product<float, n_inputs>(device, shape, plan);
    case TN_DTYPE_F64: return make_product<double, n_inputs>(device, shape, plan);
    case TN_DTYPE_F16: return make_narrow<f16, n_inputs>(device, sig, shape, plan);
    case TN_DTYPE_BF16: return make_narrow<bf16, n_inputs>(device, sig, shape, plan);
    default: break;
  }
  if (n_inputs == 2) return make_any_matmul(device, sig.outputs[0]->dtype, shape, plan);
  return decline(plan, "not a real floating-point dtype");
}

}  // namespace

CPU_PREPARE(matmul) {
  MatmulShape shape;
  if (!matmul_shape(sig, &shape)) return decline(plan, "the output's rows must be dense");
  return make<2>(device, sig, shape, plan);
}

CPU_PREPARE(linear) {
  MatmulShape shape;
  if (!linear_shape(sig, &shape)) return decline(plan, "x must be rows that are evenly apart");
  const tn_view* bias = sig.inputs[2];
  if (!absent(bias) && bias->strides[0] != 1 && bias->dims[0] > 1) {
    return decline(plan, "bias must be contiguous");
  }
  return make<3>(device, sig, shape, plan);
}

}  // namespace tenon::cpu::CPU_ISA
