// quantize_linear, dequantize_linear and dynamic_quantize_linear.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

// Where in scale and zero_point the parameters of element k of x stand.
int64_t parameter_of(const Call& call, int64_t k) {
  static_assert(TN_QUANTIZE_LINEAR_AXIS == TN_DEQUANTIZE_LINEAR_AXIS);
  const Array& x = call.in(0);
  if (call.in(1).rank() == 0) return 0;
  const size_t axis = axis_of(call.attrs.integer(TN_QUANTIZE_LINEAR_AXIS, 1), x.rank());
  return k / strides_of(x.dims)[axis] % x.dims[axis];
}
int64_t zero_point(const Call& call, int64_t k) {
  return call.has(2) ? call.in(2).integer(parameter_of(call, k)) : 0;
}

std::vector<Array> quantized(const Call& call) {
  const Array& x = call.in(0);
  Array y(call.attrs.type(TN_QUANTIZE_LINEAR_DTYPE, TN_DTYPE_U8), x.dims);
  const double low = y.dtype == TN_DTYPE_U8 ? 0 : -128;
  for (int64_t k = 0; k < x.count(); ++k) {
    const double steps = std::nearbyint(x.real(k) / call.in(1).real(parameter_of(call, k)));
    y.set(k, static_cast<int64_t>(
                 std::clamp(steps + static_cast<double>(zero_point(call, k)), low, low + 255)));
  }
  return {y};
}

std::vector<Array> dequantized(const Call& call) {
  const Array& x = call.in(0);
  Array y(call.in(1).dtype, x.dims);
  for (int64_t k = 0; k < x.count(); ++k)
    y.f[static_cast<size_t>(k)] = static_cast<double>(x.integer(k) - zero_point(call, k)) *
                                  call.in(1).real(parameter_of(call, k));
  return {y};
}

// The range of x with 0 in it, in 255 steps.
std::vector<Array> dynamically(const Call& call) {
  const Array& x = call.in(0);
  double low = 0, high = 0;
  for (int64_t k = 0; k < x.count(); ++k) {
    low = std::fmin(low, x.real(k));
    high = std::fmax(high, x.real(k));
  }
  Array y(TN_DTYPE_U8, x.dims), scale(x.dtype, {}), zero(TN_DTYPE_U8, {});
  scale.f[0] = low == high ? 1 : (high - low) / 255;
  zero.set(0, std::nearbyint(-low / scale.f[0]));
  for (int64_t k = 0; k < x.count(); ++k)
    y.set(k, std::clamp(std::nearbyint(x.real(k) / scale.f[0]) + zero.real(0), 0.0, 255.0));
  return {y, scale, zero};
}

}  // namespace

void add_quantize(Catalogue& c) {
  // Eighths, which all floats hold, beside powers of two: no quotient is rounded over a half.
  const Fill eighths = values({0, 0.125, -0.25, 0.375, 1.5, -1.625, 2.5, -3.5, 40, -40, 99, 0.75}),
             scale = values({0.25, 0.5, 2, 1}), steps = uniform(-100, 100);
  const tn_dtype u8 = TN_DTYPE_U8, i8 = TN_DTYPE_I8;
  const auto along = [](int64_t axis) { return integer(TN_QUANTIZE_LINEAR_AXIS, axis); };

  OpSamples& q = c.add(TN_OP_QUANTIZE_LINEAR, "quantize_linear");
  q.on(kFloats).gives(quantized, kExact);
  const Attr to_i8 = type(TN_QUANTIZE_LINEAR_DTYPE, i8);
  q.add({"default", {in({3, 4}, eighths), in({}, scale), absent()}});
  q.add({"zero_point", {in({3, 4}, eighths), in({}, scale), in({}, values({100}), u8)}});
  q.add({"i8", {in({3, 4}, eighths), in({}, scale), in({}, values({-7}), i8)}, {to_i8}});
  q.add({"by_axis", {in({2, 4, 3}, eighths), in({4}, scale), in({4}, indices(9), u8)}});
  q.add({"by_last_axis", {in({5, 4}, eighths), in({4}, scale), absent()}, {to_i8, along(-1)}});
  q.add({"rank0", {in({}, eighths), in({}, scale), absent()}});
  q.add({"empty", {in({0, 4}, eighths), in({4}, scale), absent()}});
  q.add({"infinite",
         {in({4}, values({INFINITY, -INFINITY, 1e4, -1e4})), in({}, scale), absent()},
         {to_i8}});
  q.add(Case{"large", {in({301, 70}, eighths), in({70}, scale), absent()}}.large());

  OpSamples& d = c.add(TN_OP_DEQUANTIZE_LINEAR, "dequantize_linear");
  d.on(kFloats).gives(dequantized, kRounded).gradient(Grad::yes);
  const Fill any_scale = uniform(0.1, 2);
  d.add({"u8", {in({3, 4}, indices(256), u8), in({}, any_scale), absent()}});
  d.add({"i8", {in({3, 4}, steps, i8), in({}, any_scale), absent()}});
  d.add({"zero_point", {in({3, 4}, steps, i8), in({}, any_scale), in({}, steps, i8)}});
  d.add({"by_axis",
         {in({2, 4, 3}, indices(256), u8), in({4}, any_scale), in({4}, indices(256), u8)}});
  d.add({"by_last_axis", {in({5, 4}, steps, i8), in({4}, any_scale), absent()}, {along(-1)}});
  d.add({"rank0", {in({}, steps, i8), in({}, any_scale), absent()}});
  d.add({"empty", {in({0, 4}, steps, i8), in({4}, any_scale), absent()}});
  d.add(
      Case{"large", {in({301, 70}, steps, i8), in({70}, any_scale), in({70}, steps, i8)}}.large());

  OpSamples& dynamic = c.add(TN_OP_DYNAMIC_QUANTIZE_LINEAR, "dynamic_quantize_linear");
  dynamic.on({TN_DTYPE_F32, TN_DTYPE_F64}).gives(dynamically, kRounded);
  dynamic.add({"both_signs", {in({3, 7}, uniform(-3, 5))}});
  dynamic.add({"positive", {in({3, 4}, uniform(1, 5))}});
  dynamic.add({"negative", {in({3, 4}, uniform(-5, -1))}});
  // Whole steps and halves of them.
  dynamic.add({"halves", {in({8}, values({-50, 205, 0.5, 1.5, 2.5, -0.5, -1.5, 7}))}});
  dynamic.add({"zeros", {in({4}, values({0}))}});
  dynamic.add({"rank0", {in({}, values({-2}))}});
  dynamic.add({"empty", {in({0, 4}, values({0}))}});
  dynamic.add(Case{"large", {in({301, 70}, uniform(-3, 5))}}.large());
  dynamic.add(Case{"half", {in({4}, eighths)}}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F16}));

  const auto refuse = [&](OpSamples& s, const char* name, std::vector<Input> what,
                          tn_code code = TN_INVALID_ARGUMENT) {
    s.add(Case{name, std::move(what)}.refused(code).only({TN_DTYPE_F32}));
  };
  refuse(q, "scale_does_not_fit", {in({3, 4}, eighths), in({3}, scale), absent()});
  refuse(q, "zero_point_of_another_dtype", {in({3, 4}, eighths), in({}, scale), in({}, steps, i8)});
  refuse(d, "zero_point_does_not_fit", {in({3, 4}, steps, i8), in({4}, scale), in({}, steps, i8)});
  refuse(d, "float", {in({3, 4}, eighths), in({}, scale), absent()});
  refuse(d, "axis_out_of_range", {in({4}, steps, i8), in({4}, scale), absent()}, TN_OUT_OF_RANGE);
}

}  // namespace tenon::conformance
