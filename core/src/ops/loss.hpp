// What the losses share: each has an attribute reduction, its first. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

inline constexpr uint32_t kReduction = 0;

// The result for one loss per element of `each`: a scalar, or with 'none' these dims.
tn_error* reduced_out(const Infer& c, tn_dtype t, const Dims& each);
void set_reduced(const Recipe& b, Value each);
// The cotangent per sample, before it is stretched to the dims of `samples`: for 'mean' divided by
// their number.
Value sample_cotangent(const Recipe& b, int64_t samples);
Value sample_cotangent(const Recipe& b, Value g, int64_t samples);  // of the cotangent g

tn_error* same_dims(const Infer& c, const char* first, const char* second);
// Input 0, named `first`, and input 1, the target: floats of equal dims and one loss per element.
// Those behind them, where they are given, are weights that broadcast to these dims.
tn_error* pairwise_rule(Infer& c, const char* first);
// Input 2, the weights, is given. (The operator ! of a Value is the op `not`.)
inline bool has_weights(const Recipe& b) { return static_cast<bool>(b.in(2)); }
// The weight of each loss, input 2, times v; v itself without weights.
Value weighted(const Recipe& b, Value v);

}  // namespace tenon::ops
