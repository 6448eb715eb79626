// Gradient clipping: ops only, nothing is read on the host.
#include <cmath>

#include "base/error.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "optimizer.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

void check_gradients(const char* function, tn_tensor* const* grads, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i)
    if (grads[i] && dtype_kind(grads[i]->view.dtype) != Kind::kFloat)
      fail(TN_INVALID_ARGUMENT, "{}: gradient {} is {}; only floating dtypes are clipped", function,
           i, named_shape(grads[i]));
}

void give(std::vector<Owned>& results, tn_tensor** out) {
  for (size_t i = 0; i < results.size(); ++i) out[i] = results[i].release();
}

}  // namespace

void clip_grad_value(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n, double limit,
                     tn_tensor** out_grads) {
  if (!(limit > 0))
    fail(TN_INVALID_ARGUMENT, "tn_clip_grad_value: limit is {}; it must be greater than 0", limit);
  check_gradients("tn_clip_grad_value", grads, n);
  const Owned low = scalar(ctx, -limit), high = scalar(ctx, limit);
  std::vector<Owned> results;
  results.reserve(n);
  for (uint32_t i = 0; i < n; ++i)
    results.push_back(grads[i] ? call_one(ctx, TN_OP_CLIP, {grads[i], low.get(), high.get()})
                               : Owned(ctx, nullptr));
  give(results, out_grads);
}

void clip_grad_norm(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n, double max_norm,
                    tn_tensor** out_grads, tn_tensor** out_norm) {
  if (!(max_norm > 0))
    fail(TN_INVALID_ARGUMENT, "tn_clip_grad_norm: max_norm is {}; it must be greater than 0",
         max_norm);
  check_gradients("tn_clip_grad_norm", grads, n);
  Owned total(ctx, nullptr);
  for (uint32_t i = 0; i < n; ++i) {
    if (!grads[i]) continue;
    const Owned x = cast(ctx, grads[i], slot_dtype(grads[i]->view.dtype));
    const Owned squares = call_one(ctx, TN_OP_MUL, {x.get(), x.get()});
    Owned sum = call_one(ctx, TN_OP_SUM, {squares.get()});
    total = total ? call_one(ctx, TN_OP_ADD, {total.get(), sum.get()}) : std::move(sum);
  }
  if (!total) total = make_full(ctx, TN_DTYPE_F32, 0, Shape{});
  const Owned norm = call_one(ctx, TN_OP_SQRT, {total.get()});
  const Owned raised = call_one(ctx, TN_OP_ADD, {norm.get(), scalar(ctx, 1e-6).get()});
  const Owned ratio = call_one(ctx, TN_OP_DIV, {scalar(ctx, max_norm).get(), raised.get()});
  const Owned scale = call_one(ctx, TN_OP_MINIMUM, {ratio.get(), scalar(ctx, 1).get()});
  Owned narrow = cast(ctx, scale.get(), TN_DTYPE_F32);
  std::vector<Owned> results;
  results.reserve(n);
  for (uint32_t i = 0; i < n; ++i) {
    if (!grads[i]) {
      results.emplace_back(ctx, nullptr);
      continue;
    }
    const tn_dtype dtype = grads[i]->view.dtype;
    const Owned scaled =
        call_one(ctx, TN_OP_MUL, {grads[i], dtype == TN_DTYPE_F64 ? scale.get() : narrow.get()});
    results.push_back(cast(ctx, scaled.get(), dtype));
  }
  Owned norm32 = cast(ctx, norm.get(), TN_DTYPE_F32);
  give(results, out_grads);
  if (out_norm) *out_norm = norm32.release();
}

}  // namespace tenon
