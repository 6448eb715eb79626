// The shape rules of products of matrices. Private to core/src/ops.
#pragma once
#include "infer.hpp"

namespace tenon::ops {

// The dims of the product of inputs a and b, [..., M, K] and [..., K, N] after transposition, whose
// batch axes broadcast.
tn_error* matmul_dims(const Infer& c, uint32_t a, uint32_t b, bool transpose_a, bool transpose_b,
                      Dims* out);
// Dtype and dims of x w^T + bias for inputs x, w, [out, in], and, where `biased`, bias.
tn_error* linear_dims(const Infer& c, bool biased, tn_dtype* t, Dims* out);

}  // namespace tenon::ops
