// What the ops that draw random numbers share. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

inline constexpr const char* kNoInputs = "random numbers depend on no differentiable input";

inline bool finite(double v) { return v - v == 0; }

// The result has the dims of attribute dims_key and the dtype t.
tn_error* drawn(Infer& c, uint32_t dims_key, tn_dtype t);

// Uniform numbers of 0 to 1. The state stands in inputs `first`, first + 1 and first + 2.
Value unit(const Recipe& b, uint32_t first, const Dims& dims, tn_dtype t);
// Random words; the state stands in inputs 0 to 2.
Value bits(const Recipe& b, const Dims& dims);

Dims dims_of(const Recipe& b, uint32_t key);
Dims pair_dims(const Recipe& b, const Dims& dims);
// Columns 0 and 1 of pairs [n, 2], in the dims of the result.
Value column(Value pairs, int64_t i, const Dims& dims);

}  // namespace tenon::ops
