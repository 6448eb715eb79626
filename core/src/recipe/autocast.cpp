#include "autocast.hpp"

#include <algorithm>

#include "op/runtime.hpp"
#include "site.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

// Products: what a narrow dtype makes faster.
constexpr tn_op kNarrow[] = {TN_OP_MATMUL,
                             TN_OP_CONV,
                             TN_OP_CONV1D,
                             TN_OP_CONV2D,
                             TN_OP_CONV3D,
                             TN_OP_CONV_TRANSPOSE1D,
                             TN_OP_CONV_TRANSPOSE2D,
                             TN_OP_LINEAR,
                             TN_OP_CONV_TRANSPOSE3D,
                             TN_OP_EINSUM,
                             TN_OP_RNN,
                             TN_OP_SCALED_DOT_PRODUCT_ATTENTION,
                             TN_OP_GRU,
                             TN_OP_LSTM};
// What sums many terms, or leaves the range of f16.
constexpr tn_op kWide[] = {TN_OP_EXP,
                           TN_OP_EXPM1,
                           TN_OP_LOG,
                           TN_OP_LOG1P,
                           TN_OP_LOG2,
                           TN_OP_POW,
                           TN_OP_RSQRT,
                           TN_OP_RECIPROCAL,
                           TN_OP_SQUARE,
                           TN_OP_SINH,
                           TN_OP_COSH,
                           TN_OP_TAN,
                           TN_OP_ASIN,
                           TN_OP_ACOS,
                           TN_OP_SOFTPLUS,
                           TN_OP_LOG_SIGMOID,
                           TN_OP_SUM,
                           TN_OP_MEAN,
                           TN_OP_PROD,
                           TN_OP_CUMSUM,
                           TN_OP_CUMPROD,
                           TN_OP_LOGSUMEXP,
                           TN_OP_VAR,
                           TN_OP_STD,
                           TN_OP_NORM,
                           TN_OP_DOT,
                           TN_OP_VECDOT,
                           TN_OP_TRACE,
                           TN_OP_SOFTMAX,
                           TN_OP_LOG_SOFTMAX,
                           TN_OP_LAYER_NORM,
                           TN_OP_RMS_NORM,
                           TN_OP_GROUP_NORM,
                           TN_OP_INSTANCE_NORM,
                           TN_OP_LRN,
                           TN_OP_BATCH_NORM_TRAIN,
                           TN_OP_CROSS_ENTROPY,
                           TN_OP_BCE_WITH_LOGITS,
                           TN_OP_MSE,
                           TN_OP_CROSS_ENTROPY_PROBS,
                           TN_OP_NLL,
                           TN_OP_BCE,
                           TN_OP_L1,
                           TN_OP_HUBER,
                           TN_OP_KL_DIV,
                           TN_OP_HINGE,
                           TN_OP_COSINE_LOSS,
                           TN_OP_COSINE_SIMILARITY,
                           TN_OP_CTC,
                           TN_OP_CHOLESKY,
                           TN_OP_INVERSE,
                           TN_OP_TRIANGULAR_SOLVE,
                           TN_OP_LU,
                           TN_OP_SOLVE,
                           TN_OP_DET};

// The dtype for those operands that are f32 or the narrow one; 0: they stay.
tn_dtype wanted(tn_op op, tn_dtype narrow, tn_tensor* const* inputs, uint32_t n) {
  const auto in = [op](const auto& list) { return std::ranges::count(list, op) != 0; };
  if (in(kNarrow)) return narrow;
  if (in(kWide)) return TN_DTYPE_F32;
  const auto have = [&](tn_dtype dtype) {
    return std::any_of(inputs, inputs + n, [dtype](const tn_tensor* t) {
      return t && !is_scalar(t) && t->view.dtype == dtype;
    });
  };
  return op < TN_OP_FIRST_PLUGIN && have(narrow) && have(TN_DTYPE_F32) ? TN_DTYPE_F32 : 0;
}

}  // namespace

Autocast::Autocast(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n)
    : inputs_(inputs, n) {
  const tn_dtype to = wanted(op.id, ctx->autocast, inputs, n);
  if (!to) return;
  made_.reserve(n);
  for (tn_tensor*& t : inputs_) {
    if (!t || is_scalar(t) || t->view.dtype == to) continue;
    if (t->view.dtype != TN_DTYPE_F32 && t->view.dtype != ctx->autocast) continue;
    made_.push_back(call_one(ctx, TN_OP_CAST, {t}, {tn_attr_dtype(TN_CAST_DTYPE, to)}));
    t = made_.back().get();
  }
}

}  // namespace tenon
