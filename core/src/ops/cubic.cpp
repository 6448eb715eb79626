#include "cubic.hpp"

namespace tenon::ops {

Value cubic_weight(Value f, uint32_t k, double a) {
  if (k == 1 || k == 2) {
    const Value d = k == 1 ? f : 1 - f;
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  }
  const Value d = k == 0 ? f + 1 : 2 - f;
  return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}
Value cubic_slope(Value f, uint32_t k, double a) {
  const bool before = k < 2;
  const Value d = k == 0 ? f + 1 : k == 1 ? f : k == 2 ? 1 - f : 2 - f;
  const Value slope =
      k == 1 || k == 2 ? (3 * (a + 2) * d - 2 * (a + 3)) * d : (3 * a * d - 10 * a) * d + 8 * a;
  return before ? slope : -slope;
}

}  // namespace tenon::ops
