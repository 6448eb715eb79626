// What the samples of convolutions share.
#pragma once
#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

struct Geometry {
  Dims stride, low, high, lhs, rhs;  // one entry per spatial axis
  int64_t groups = 1;
};

// Calls visit(y, x, w) with the offsets of each product x * w that belongs to an element y.
void for_each_product(const Dims& x, const Dims& w, const Dims& y, const Geometry& g,
                      const std::function<void(int64_t, int64_t, int64_t)>& visit);

// Adds up products of elements of a and b; `to` names the offset of the result.
struct Products {
  Products(tn_dtype dtype, const Dims& dims);
  void add(int64_t to, double a, double b);
  Array y;
  std::vector<int64_t> terms;
};

Array convolved(const Array& x, const Array& w, const Geometry& g);
// Adds input 2, if there is one, to each channel of y.
Array with_bias(const Call& call, Array y);

}  // namespace tenon::conformance
