// What the ops that read and write by index share. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

// Input i is integer.
tn_error* require_indices(const Infer& c, uint32_t i, const char* name);

// The gradient of scatter(x, indices, updates, axis, "set") for the updates, g being the cotangent:
// where an index stands several times the last update won, and the others get nothing.
Value taken_by_last(const Recipe& b, Value g, Value indices, uint32_t axis);

}  // namespace tenon::ops
