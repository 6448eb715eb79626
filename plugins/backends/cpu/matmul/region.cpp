// matmul_region and linear_region: the region of rows of the product as soon as they are complete, in their place, while they are in a
// cache.
#include <tenon/op_ids.h>

#include "matmul/product.hpp"
#include "matmul/region_rows.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

template <class T, class G>
struct RegionProduct {
  Product<T, G> product;
  Epilogue then;
  bool biased;
};

template <class T, class G>
tn_error* TN_CALL run_region_product(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const RegionProduct<T, G>*>(data);
  T* workspace = p.product.workspace_bytes() ? output<T>(args[p.then.result + 1]) : nullptr;
  const RowsDone done = {region_of_rows<T>, &p.then, args};
  p.product.run(input<T>(args[0]), input<T>(args[1]), output<T>(args[p.then.result]),
                p.biased ? input<T>(args[2]) : nullptr, workspace, &done);
  return nullptr;
}

template <class T, class G>
tn_error* make_region_product(const Device& device, const tn_signature& sig, uint32_t operands,
                              const MatmulShape& shape, tn_plan* plan) {
  auto* p = make_plan<RegionProduct<T, G>>(plan, run_region_product<T, G>, Product<T, G>(),
                                           Epilogue(device), operands == 3);
  if (!p) return out_of_memory(device);
  const tn_dtype dtype = sig.inputs[0]->dtype;
  const char* why = dtype != sig.outputs[0]->dtype ? "a region that gives another dtype"
                                                   : plan_epilogue(sig, operands, dtype, p->then);
  if (why) {
    plan->release(p);
    *plan = tn_plan{};
    plan->struct_size = sizeof *plan;
    return decline(plan, why);
  }
  MatmulShape with_region = shape;
  with_region.gemm.rows_done = true;
  p->product.plan(with_region, device);
  plan->workspace_bytes = p->product.workspace_bytes();
  return nullptr;
}

template <class T>
tn_error* make_split(const Device& device, const tn_signature& sig, uint32_t operands,
                     const MatmulShape& shape, tn_plan* plan) {
  using G = TileGemm<T>;
  return G::worth(shape.gemm, device)
             ? make_region_product<T, G>(device, sig, operands, shape, plan)
             : nullptr;
}

tn_error* prepare_region_product(const Device& device, const tn_signature& sig, uint32_t operands,
                                 const MatmulShape& shape, tn_plan* plan) {
  tn_error* error = nullptr;
  try {
    switch (sig.inputs[0]->dtype) {
      case TN_DTYPE_F32:
        error = make_split<float>(device, sig, operands, shape, plan);
        if (!error && !plan->run && !plan->declined.size)
          error = make_region_product<float, Gemm<float>>(device, sig, operands, shape, plan);
        break;
      case TN_DTYPE_F64:
        return make_region_product<double, Gemm<double>>(device, sig, operands, shape, plan);
      case TN_DTYPE_F16:
        error = make_split<f16>(device, sig, operands, shape, plan);
        break;
      case TN_DTYPE_BF16:
        error = make_split<bf16>(device, sig, operands, shape, plan);
        break;
      default:
        break;
    }
  } catch (const std::bad_alloc&) {
    return out_of_memory(device);
  }
  if (error || plan->run || plan->declined.size) return error;
  return decline(plan, "only f32 and f64, and f16 and bf16 on tiles");
}

}  // namespace

CPU_PREPARE(matmul_region) {
  tn_signature product = sig;
  product.attrs += TN_MATMUL_REGION_TRANSPOSE_A;
  MatmulShape shape;
  if (!matmul_shape(product, &shape)) return decline(plan, "the output's rows must be dense");
  return prepare_region_product(device, sig, 2, shape, plan);
}

CPU_PREPARE(linear_region) {
  const auto operands = uint32_t(attr_i64(sig, TN_LINEAR_REGION_OPERANDS));
  MatmulShape shape;
  if (!linear_shape(sig, &shape)) return decline(plan, "x must be rows that are evenly apart");
  if (operands == 3 && sig.inputs[2]->strides[0] != 1 && sig.inputs[2]->dims[0] > 1)
    return decline(plan, "bias must be contiguous");
  return prepare_region_product(device, sig, operands, shape, plan);
}

}  // namespace tenon::cpu::CPU_ISA
