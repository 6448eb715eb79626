// What the quantised ops share: numbers in u8 or i8, of which each stands for (number - zero point)
// times a scale. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

bool is_byte(tn_dtype t);
// Rounded numbers, limited to what u8 or i8 holds.
Value to_byte(Value rounded, tn_dtype to);

}  // namespace tenon::ops
