// matmul and linear. f16 and bf16 go to the tiles as they are or are converted to f32; either way sums are f32.
#include "matmul/any.hpp"
#include "matmul/product.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// Inputs a, b and perhaps a bias, output c, perhaps a workspace.
template <class T, class G, int n_inputs>
tn_error* TN_CALL run_product(void* plan, void*, const tn_view* const* args) {
  const auto& product = *static_cast<const Product<T, G>*>(plan);
  T* workspace = product.workspace_bytes() ? output<T>(args[n_inputs + 1]) : nullptr;
  const T* bias = n_inputs < 3 || absent(args[2]) ? nullptr : input<T>(args[2]);
  product.run(input<T>(args[0]), input<T>(args[1]), output<T>(args[n_inputs]), bias, workspace);
  return nullptr;
}

template <class T, class G>
tn_error* TN_CALL pack_b(void* plan, void*, const tn_view* const* args) {
  static_cast<const Product<T, G>*>(plan)->pack(input<T>(args[0]), output<char>(args[1]));
  return nullptr;
}

template <class T, class G, int n_inputs>
tn_error* make_product(const Device& device, const MatmulShape& shape, tn_plan* plan) {
  auto* product = make_plan<Product<T, G>>(plan, run_product<T, G, n_inputs>);
  if (!product) return out_of_memory(device);
  product->plan(shape, device);
  if (shape.lasting_b && product->take_packed()) {
    plan->pack = pack_b<T, G>;
    plan->packed_bytes = product->packed_bytes();
    plan->packed_form =
        uint64_t(shape.gemm.b_row) << 32 ^ uint64_t(shape.gemm.b_col);  // which is which
    plan->packed_input = 1;
  }
  plan->workspace_bytes = product->workspace_bytes();
  return nullptr;
}

// A kernel's shape from its signature, or why it has none.
using ShapeOf = const char* (*)(const tn_signature& sig, MatmulShape* shape);

const char* shape_of_matmul(const tn_signature& sig, MatmulShape* shape) {
  return matmul_shape(sig, shape) ? nullptr : "the output's rows must be dense";
}
const char* shape_of_linear(const tn_signature& sig, MatmulShape* shape) {
  if (!linear_shape(sig, shape)) return "x must be rows that are evenly apart";
  const tn_view* bias = sig.inputs[2];
  if (!absent(bias) && bias->strides[0] != 1 && bias->dims[0] > 1) return "bias must be contiguous";
  return nullptr;
}

// The product on tiles if it is worth that, else leaves *plan as it is.
template <class T, int n_inputs>
tn_error* make_split(const Device& device, const MatmulShape& shape, tn_plan* plan) {
  using G = TileGemm<T>;
  return G::worth(shape.gemm, device) ? make_product<T, G, n_inputs>(device, shape, plan) : nullptr;
}

template <ShapeOf shape_of, int n_inputs>
tn_error* prepare_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  MatmulShape shape;
  if (const char* why = shape_of(sig, &shape)) return decline(plan, why);
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (dtype == TN_DTYPE_F32) {
    tn_error* error = make_split<float, n_inputs>(device, shape, plan);
    return error || plan->run ? error
                              : make_product<float, Gemm<float>, n_inputs>(device, shape, plan);
  }
  if (dtype == TN_DTYPE_F64)
    return make_product<double, Gemm<double>, n_inputs>(device, shape, plan);
  if (n_inputs == 2) return make_any_matmul(device, dtype, shape, plan);
  return decline(plan, "only f32, f64, f16 and bf16");
}

template <ShapeOf shape_of, int n_inputs>
tn_error* prepare_product(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (!is_narrow(dtype)) return prepare_wide<shape_of, n_inputs>(device, sig, plan);
  MatmulShape shape;
  if (!shape_of(sig, &shape)) {
    tn_error* error = dtype == TN_DTYPE_BF16 ? make_split<bf16, n_inputs>(device, shape, plan)
                                             : make_split<f16, n_inputs>(device, shape, plan);
    if (error || plan->run) return error;
  }
  return prepare_widened(device, sig, plan, prepare_wide<shape_of, n_inputs>);
}

}  // namespace

CPU_PREPARE(matmul) { return prepare_product<shape_of_matmul, 2>(device, sig, plan); }

CPU_PREPARE(linear) { return prepare_product<shape_of_linear, 3>(device, sig, plan); }

}  // namespace tenon::cpu::CPU_ISA
