// Oracles of elementwise ops from functions of single elements.
#pragma once
#include <functional>
#include <utility>
#include <vector>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

using Real1 = std::function<double(double)>;
using Real2 = std::function<double(double, double)>;
using Int1 = std::function<int64_t(int64_t)>;
using Int2 = std::function<int64_t(int64_t, int64_t)>;

// Common dtype of the inputs from `first` on; a host scalar counts only where its kind is higher.
tn_dtype common_dtype(const Call& call, size_t first = 0);
// All inputs that are there, at the dims they broadcast to.
std::vector<Array> broadcast_inputs(const Call& call);

// `scale` gives what the error of an element is measured by (null: the element).
Oracle unary(Real1 real, Int1 integer = nullptr, Real1 scale = nullptr);
Oracle binary(Real2 real, Int2 integer = nullptr, Real2 scale = nullptr);
// The result is bool; u64 is compared as what it is.
Oracle comparison(std::function<bool(int order)> holds, bool when_unordered);

}  // namespace tenon::conformance
