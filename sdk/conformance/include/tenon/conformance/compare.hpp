// Comparison of what a device gave with what an oracle says.
#pragma once
#include <string>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

// "" where `got` has the dtype, the dims and, within the tolerance, the elements of `expected`; else
// the first fault with its place, both values and the tolerance.
std::string compare(const Array& expected, const Array& got, Tolerance tolerance);
// How far an element of the result may be from expected element k.
double allowed_error(const Array& expected, int64_t k, Tolerance tolerance);
// Both as finite differences are compared: within tolerance * (1 + the greatest expected element).
std::string compare_gradient(const Array& expected, const Array& got, double tolerance);
// Enough digits to tell two doubles apart.
std::string text_of(double value);

}  // namespace tenon::conformance
