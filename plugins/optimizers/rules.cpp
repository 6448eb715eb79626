// The dtype and shape rule that all fused steps share.
#include <string>

#include "optimizer.hpp"

namespace tenon::optimizers {
namespace {

tn_error* fail(tn_infer* c, const std::string& message) {
  return c->v->error(c, TN_INVALID_ARGUMENT, sdk::str(message));
}

bool computes(tn_dtype t) {
  return t == TN_DTYPE_F32 || t == TN_DTYPE_F64 || t == TN_DTYPE_F16 || t == TN_DTYPE_BF16;
}

bool same_dims(tn_infer* c, const tn_view& a, const tn_view& b) {
  if (a.rank != b.rank) return false;
  for (uint32_t i = 0; i < a.rank; ++i) {
    if (c->v->dim_equal(c, a.dims[i], b.dims[i]) == 0) return false;
  }
  return true;
}

}  // namespace

tn_dtype compute_dtype(tn_dtype parameter) {
  return parameter == TN_DTYPE_F16 || parameter == TN_DTYPE_BF16 ? TN_DTYPE_F32 : parameter;
}

// Inputs: step, `variables` hyper-parameters, then groups of parameter, gradient, `slots` slots. Outputs: of each group the new
// parameter and the new slots; each may take over the memory of the old one.
tn_error* infer_step(tn_infer* c, uint32_t variables, uint32_t slots) {
  const uint32_t common = 1 + variables, group = 2 + slots, n = c->v->input_count(c);
  if (n < common || (n - common) % group != 0) {
    return fail(c, "takes the step, " + std::to_string(variables) + " hyper-parameters and then " +
                       std::to_string(group) + " tensors for each parameter; " + std::to_string(n) +
                       " were given");
  }
  for (uint32_t i = 0; i < common; ++i) {
    const tn_view* v = c->v->input(c, i);
    if (v->rank == 0 && v->dtype == TN_DTYPE_F32) continue;
    return fail(
        c, "input " + std::to_string(i) + ", the step or a hyper-parameter, is not an f32 scalar");
  }
  uint32_t output = 0;
  for (uint32_t at = common; at < n; at += group) {
    const tn_view* parameter = c->v->input(c, at);
    const std::string number = std::to_string((at - common) / group);
    if (!computes(parameter->dtype)) {
      return fail(c, "parameter " + number + " is not f32, f64, f16 or bf16");
    }
    for (uint32_t i = 1; i < group; ++i) {
      const tn_view* v = c->v->input(c, at + i);
      const tn_dtype dtype = i == 1 ? parameter->dtype : compute_dtype(parameter->dtype);
      if (v->dtype != dtype || !same_dims(c, *v, *parameter)) {
        const std::string what = i == 1 ? "the gradient" : "slot " + std::to_string(i - 2);
        return fail(c, what + " of parameter " + number + " has another dtype or other dims");
      }
    }
    for (uint32_t i = 0; i < group; ++i) {
      if (i == 1) continue;  // the gradient is only read
      const tn_view* v = c->v->input(c, at + i);
      if (tn_error* e = c->v->output(c, output, v->dtype, v->rank, v->dims)) return e;
      c->v->alias(c, output++, at + i);
    }
  }
  return nullptr;
}

}  // namespace tenon::optimizers
