// matmul and linear. f16 and bf16 are converted to f32, so that sums are f32.
#include "matmul/any.hpp"
#include "matmul/product.hpp"
#include "matmul/widened.hpp"

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

tn_error* prepare_matmul_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  MatmulShape shape;
  if (!matmul_shape(sig, &shape)) return decline(plan, "the output's rows must be dense");
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (dtype == TN_DTYPE_F32) return make_product<float, 2>(device, shape, plan);
  if (dtype == TN_DTYPE_F64) return make_product<double, 2>(device, shape, plan);
  return make_any_matmul(device, dtype, shape, plan);
}

tn_error* prepare_linear_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  MatmulShape shape;
  if (!linear_shape(sig, &shape)) return decline(plan, "x must be rows that are evenly apart");
  const tn_view* bias = sig.inputs[2];
  if (!absent(bias) && bias->strides[0] != 1 && bias->dims[0] > 1) {
    return decline(plan, "bias must be contiguous");
  }
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (dtype == TN_DTYPE_F32) return make_product<float, 3>(device, shape, plan);
  if (dtype == TN_DTYPE_F64) return make_product<double, 3>(device, shape, plan);
  return decline(plan, "only f32, f64, f16 and bf16");
}

}  // namespace

CPU_PREPARE(matmul) {
  if (is_narrow(sig.outputs[0]->dtype))
    return prepare_widened(device, sig, plan, prepare_matmul_wide);
  return prepare_matmul_wide(device, sig, plan);
}

CPU_PREPARE(linear) {
  if (is_narrow(sig.outputs[0]->dtype))
    return prepare_widened(device, sig, plan, prepare_linear_wide);
  return prepare_linear_wide(device, sig, plan);
}

}  // namespace tenon::cpu::CPU_ISA
