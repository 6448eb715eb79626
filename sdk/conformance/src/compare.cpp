#include "tenon/conformance/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tenon::conformance {

namespace {

std::string fault(const Array& at, int64_t k, const std::string& got, const std::string& expected,
                  double allowed) {
  std::string text =
      "at " + place_of(at.dims, k / at.parts()) + ": got " + got + ", expected " + expected;
  if (allowed > 0) text += " within " + text_of(allowed);
  return text;
}

std::string wrong_form(const Array& expected, const Array& got) {
  if (expected.dtype != got.dtype)
    return "dtype " + name_of(got.dtype) + ", expected " + name_of(expected.dtype);
  if (expected.dims != got.dims)
    return "dims " + text_of(got.dims) + ", expected " + text_of(expected.dims);
  return "";
}

bool close(double expected, double got, tn_dtype dtype, double allowed, bool zero_sign) {
  const double rounded = round_to(dtype, expected);
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got);
  if (got == rounded) return got != 0 || !zero_sign || std::signbit(got) == std::signbit(rounded);
  if (std::isinf(expected)) return false;
  if (std::isinf(got))
    return (got > 0) == (expected > 0) && std::fabs(expected) + allowed >= largest(dtype);
  return std::fabs(got - expected) <= allowed;
}

}  // namespace

std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

double allowed_error(const Array& expected, int64_t k, Tolerance tolerance) {
  if (!expected.floating() || tolerance.ulps == 0) return 0;
  const auto at = static_cast<size_t>(k);
  const double own = std::fabs(expected.f[at]);
  const double scale = expected.scale.empty() ? own : expected.scale[at];
  const double unit = epsilon(expected.dtype);
  const bool half = TN_DTYPE_BITS(expected.dtype) == 16;
  const double size = tolerance.wide ? own : std::max(own, scale);
  double allowed = tolerance.ulps * unit * size;
  if (half && tolerance.half_ulps > 0)
    allowed = tolerance.half_ulps * unit * size;
  else if (half)
    allowed =
        std::min(tolerance.ulps, 2.0) * unit * own + tolerance.ulps * epsilon(TN_DTYPE_F32) * size;
  if (expected.terms > 1) {
    const double growth = 2 * (std::sqrt(static_cast<double>(expected.terms)) + 1);
    allowed += growth * (half ? epsilon(TN_DTYPE_F32) : unit) * scale;
  }
  // Subnormal numbers may be flushed to zero, but not those of the half formats, whose range is small.
  const double least = smallest_normal(expected.dtype);
  return allowed + (half ? least * unit : least);
}

std::string compare(const Array& expected, const Array& got, Tolerance tolerance) {
  const std::string form = wrong_form(expected, got);
  if (!form.empty()) return form;
  for (int64_t k = 0; k < expected.numbers(); ++k) {
    if (!expected.floating()) {
      if (expected.integer(k) != got.integer(k))
        return fault(expected, k, std::to_string(got.integer(k)),
                     std::to_string(expected.integer(k)), 0);
      continue;
    }
    const double allowed = allowed_error(expected, k, tolerance);
    if (!close(expected.real(k), got.real(k), expected.dtype, allowed, tolerance.zero_sign))
      return fault(expected, k, text_of(got.real(k)), text_of(expected.real(k)), allowed);
  }
  return "";
}

std::string compare_gradient(const Array& expected, const Array& got, double tolerance) {
  const std::string form = wrong_form(expected, got);
  if (!form.empty()) return form;
  double greatest = 0;
  for (const double v : expected.f) greatest = std::max(greatest, std::fabs(v));
  const double allowed = tolerance * (1 + greatest);
  for (int64_t k = 0; k < expected.numbers(); ++k) {
    if (std::isnan(expected.real(k)) && std::isnan(got.real(k))) continue;
    if (!(std::fabs(expected.real(k) - got.real(k)) <= allowed))
      return fault(expected, k, text_of(got.real(k)), text_of(expected.real(k)), allowed);
  }
  return "";
}

}  // namespace tenon::conformance
