// Oracles of ops that move elements: a map from each place of the result to a place of an input.
#pragma once
#include <utility>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

// y[index] = x[place(index)].
template <class Place>
Array moved(const Array& x, Dims dims, const Place& place) {
  Array y(x.dtype, std::move(dims));
  const Dims strides = strides_of(x.dims);
  int64_t at = 0;
  for_each(y.dims,
           [&](const Dims& index) { y.copy_from(at++, x, offset_of(place(index), strides)); });
  return y;
}

}  // namespace tenon::conformance
