#include "elementwise.hpp"

#include <cmath>

namespace tenon::conformance {

tn_dtype common_dtype(const Call& call, size_t first) {
  tn_dtype dtype = TN_DTYPE_NONE;
  for (size_t k = first; k < call.inputs.size(); ++k)
    if (call.has(k) && !call.in(k).weak)
      dtype = dtype == TN_DTYPE_NONE ? call.in(k).dtype : promote(dtype, call.in(k).dtype);
  return dtype;
}

std::vector<Array> broadcast_inputs(const Call& call) {
  Dims dims;
  for (size_t k = 0; k < call.inputs.size(); ++k)
    if (call.has(k)) dims = broadcast_dims(dims, call.in(k).dims);
  std::vector<Array> out;
  for (size_t k = 0; k < call.inputs.size(); ++k) {
    if (call.has(k)) {
      out.push_back(broadcast(call.in(k), dims));
    } else {
      out.emplace_back();
      out.back().absent = true;
    }
  }
  return out;
}

Oracle unary(Real1 real, Int1 integer, Real1 scale) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array& x = call.in(0);
    Array y(x.dtype, x.dims);
    for (int64_t k = 0; k < x.count(); ++k) {
      if (x.floating())
        y.f[static_cast<size_t>(k)] = real(x.real(k));
      else
        y.set(k,
              x.dtype == TN_DTYPE_U64
                  ? static_cast<int64_t>(integer.of_unsigned(static_cast<uint64_t>(x.integer(k))))
                  : integer.of_signed(x.integer(k)));
      if (x.floating() && scale) y.scale.push_back(scale(x.real(k)));
    }
    return {y};
  };
}

Oracle binary(Real2 real, Int2 integer, Real2 scale) {
  return [=](const Call& call) -> std::vector<Array> {
    const std::vector<Array> x = broadcast_inputs(call);
    Array y(common_dtype(call), x[0].dims);
    for (int64_t k = 0; k < y.count(); ++k) {
      if (y.floating()) {
        y.f[static_cast<size_t>(k)] = real(x[0].real(k), x[1].real(k));
        if (scale) y.scale.push_back(scale(x[0].real(k), x[1].real(k)));
      } else if (y.dtype == TN_DTYPE_U64) {
        y.set(k, static_cast<int64_t>(integer.of_unsigned(static_cast<uint64_t>(x[0].integer(k)),
                                                          static_cast<uint64_t>(x[1].integer(k)))));
      } else {
        y.set(k, integer.of_signed(x[0].integer(k), x[1].integer(k)));
      }
    }
    return {y};
  };
}

Oracle comparison(std::function<bool(int)> holds, bool when_unordered) {
  return [=](const Call& call) -> std::vector<Array> {
    const std::vector<Array> x = broadcast_inputs(call);
    Array y(TN_DTYPE_BOOL, x[0].dims);
    const bool real = x[0].floating() || x[1].floating();
    const bool without_sign = !real && !is_signed(x[0].dtype) && x[0].dtype != TN_DTYPE_BOOL;
    for (int64_t k = 0; k < y.count(); ++k) {
      int order = 0;
      if (real) {
        const double a = x[0].real(k), b = x[1].real(k);
        if (std::isnan(a) || std::isnan(b)) {
          y.set(k, int64_t{when_unordered});
          continue;
        }
        order = a < b ? -1 : a > b ? 1 : 0;
      } else if (without_sign) {
        const auto a = static_cast<uint64_t>(x[0].integer(k));
        const auto b = static_cast<uint64_t>(x[1].integer(k));
        order = a < b ? -1 : a > b ? 1 : 0;
      } else {
        const int64_t a = x[0].integer(k), b = x[1].integer(k);
        order = a < b ? -1 : a > b ? 1 : 0;
      }
      y.set(k, int64_t{holds(order)});
    }
    return {y};
  };
}

}  // namespace tenon::conformance
