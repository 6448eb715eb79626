#include "compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "tenon/error.hpp"

namespace tenon::onnx {
namespace {

struct Tolerance {
  double relative, absolute;
};
constexpr Tolerance kOnnx = {1e-3, 1e-7};

Tolerance tolerance(tn_dtype dtype, std::string_view op) {
  if (dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16) return kOnnx;
  // Ops written out as several; the windows, made with 3.1415 for pi; samples written down with four digits.
  static constexpr std::string_view kWide[] = {"", "HannWindow", "HammingWindow", "BlackmanWindow",
                                               "GridSample"};
  if (std::ranges::find(kWide, op) != std::end(kWide)) return kOnnx;
  return {1e-5, 1e-7};
}

template <class T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

double half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(fraction + 1024, exponent - 25);
  return bits >> 15 ? -size : size;
}

// Element `i` of parts of this dtype; complex ones are two.
double real_at(const Array& a, size_t i) {
  const uint8_t* from = a.bytes.data();
  switch (a.dtype) {
    case TN_DTYPE_F16:
      return half(load<uint16_t>(from + 2 * i));
    case TN_DTYPE_BF16:
      return std::bit_cast<float>(uint32_t{load<uint16_t>(from + 2 * i)} << 16);
    case TN_DTYPE_F32:
    case TN_DTYPE_C64:
      return load<float>(from + 4 * i);
    default:
      return load<double>(from + 8 * i);
  }
}

std::string text(const std::vector<int64_t>& dims) {
  std::string out = "[";
  for (const int64_t dim : dims) out += (out.size() > 1 ? ", " : "") + std::to_string(dim);
  return out + "]";
}

std::string pair(double found, double expected) {
  char out[96];
  std::snprintf(out, sizeof out, "%.9g instead of %.9g", found, expected);
  return out;
}

}  // namespace

std::string difference(const Array& found, const Array& expected, std::string_view op) {
  if (found.dtype != expected.dtype)
    return std::string("dtype ") + tn_dtype_name(found.dtype) + " instead of " +
           tn_dtype_name(expected.dtype);
  if (found.dims != expected.dims)
    return "dims " + text(found.dims) + " instead of " + text(expected.dims);
  if (found.bytes.size() != expected.bytes.size()) return "another number of bytes";
  const uint32_t code = TN_DTYPE_CODE(found.dtype);
  const bool complex = code == TN_DTYPE_CODE(TN_DTYPE_C64);
  const bool real =
      complex || code == TN_DTYPE_CODE(TN_DTYPE_F32) || code == TN_DTYPE_CODE(TN_DTYPE_BF16);
  const size_t size = tn_dtype_bytes(found.dtype, 1) / (complex ? 2 : 1);
  const Tolerance allowed = tolerance(found.dtype, op);
  for (size_t i = 0; i < found.bytes.size() / size; ++i) {
    if (!real) {
      if (std::equal(&found.bytes[i * size], &found.bytes[i * size] + size,
                     &expected.bytes[i * size]))
        continue;
      return "element " + std::to_string(i) + " is another";
    }
    const double a = real_at(found, i), b = real_at(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (std::abs(a - b) <= allowed.absolute + allowed.relative * std::abs(b) && std::isfinite(b))
      continue;
    return "element " + std::to_string(i) + ": " + pair(a, b);
  }
  return {};
}

}  // namespace tenon::onnx
