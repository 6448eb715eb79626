// What the ops that read and write by index share. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

// Input i is integer.
tn_error* require_indices(const Infer& c, uint32_t i, const char* name);

// Integers as i64, each in 0 to size - 1; those below 0 count from the end of an axis where `from_end`.
// Another one is OUT_OF_RANGE, in words that begin with `what`, as "gather_nd: indices"; on a device that
// cannot report it stands for some number in the range.
Value checked(Value indices, int64_t size, std::string_view what, bool from_end);

// The gradient of scatter(x, indices, updates, axis, "set") for the updates, g being the cotangent:
// where an index stands several times the last update won, and the others get nothing.
Value taken_by_last(const Recipe& b, Value g, Value indices, uint32_t axis);

}  // namespace tenon::ops
