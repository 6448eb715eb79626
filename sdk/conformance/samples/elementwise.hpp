// Oracles of elementwise ops from functions of single elements.
#pragma once
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

using Real1 = std::function<double(double)>;
using Real2 = std::function<double(double, double)>;
// Of integers, in arithmetic modulo 2^64. A function of any type is asked with the elements of u64 as what they are; one of int64_t
// sees their bits, which is the same wherever the sign does not matter.
struct Int1 {
  std::function<int64_t(int64_t)> of_signed;
  std::function<uint64_t(uint64_t)> of_unsigned;
  Int1(std::nullptr_t) {}
  template <typename F>
  Int1(F f) : of_signed(f), of_unsigned(f) {}
};
struct Int2 {
  std::function<int64_t(int64_t, int64_t)> of_signed;
  std::function<uint64_t(uint64_t, uint64_t)> of_unsigned;
  Int2(std::nullptr_t) {}
  template <typename F>
  Int2(F f) : of_signed(f), of_unsigned(f) {}
};
// What wraps by nature.
template <typename F>
Int2 wrapping(F f) {
  return [f](uint64_t a, uint64_t b) { return f(a, b); };
}

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
