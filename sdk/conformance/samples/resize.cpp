// resize, as the ONNX operator Resize defines it.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

// An element that is read along one axis.
struct Tap {
  int64_t at;
  double weight;
};

double original_coordinate(const std::string& how, double i, double n, double m, double scale) {
  const double width = n * scale;
  if (how == "asymmetric") return i / scale;
  if (how == "align_corners") return m == 1 ? 0 : i * (n - 1) / (width - 1);
  if (how == "pytorch_half_pixel" && m == 1) return 0;
  const double x = (i + 0.5) / scale - 0.5;
  return how == "half_pixel_symmetric" ? n / 2 * (1 - m / width) + x : x;
}

double keys_kernel(double distance, double a) {
  const double d = std::fabs(distance);
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

double nearest(const std::string& how, double x) {
  if (how == "floor") return std::floor(x);
  if (how == "ceil") return std::ceil(x);
  return how == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

std::vector<Tap> taps_of(const Attrs& attrs, double i, int64_t n, int64_t m, double scale) {
  const double x = original_coordinate(attrs.text(TN_RESIZE_COORDINATES, "half_pixel"), i,
                                       static_cast<double>(n), static_cast<double>(m), scale);
  const std::string mode = attrs.text(TN_RESIZE_MODE, "nearest");
  std::vector<Tap> taps;
  if (mode == "nearest") {
    const double at = nearest(attrs.text(TN_RESIZE_NEAREST, "round_prefer_floor"), x);
    taps.push_back({static_cast<int64_t>(at), 1});
  } else if (mode == "linear") {
    const double low = std::floor(x);
    taps = {{static_cast<int64_t>(low), 1 - (x - low)}, {static_cast<int64_t>(low) + 1, x - low}};
  } else {
    const auto low = static_cast<int64_t>(std::floor(x));
    const double a = attrs.number(TN_RESIZE_CUBIC_COEFFICIENT, -0.75);
    for (int64_t at = low - 1; at <= low + 2; ++at)
      taps.push_back({at, keys_kernel(x - static_cast<double>(at), a)});
    if (attrs.flag(TN_RESIZE_EXCLUDE_OUTSIDE)) {
      double total = 0;
      for (Tap& t : taps) {
        if (t.at < 0 || t.at >= n) t.weight = 0;
        total += t.weight;
      }
      for (Tap& t : taps) t.weight /= total;
    }
  }
  for (Tap& t : taps) t.at = std::clamp<int64_t>(t.at, 0, n - 1);
  return taps;
}

// A scale stands for the fraction with the least denominator within 2^-24 of it.
struct Fraction {
  int64_t above, below;
};
Fraction fraction_of(double scale) {
  for (int64_t q = 1;; ++q) {
    const double p = std::nearbyint(scale * static_cast<double>(q));
    if (std::fabs(p / static_cast<double>(q) - scale) <= scale * 0x1p-24)
      return {static_cast<int64_t>(p), q};
  }
}

std::vector<Array> resized(const Call& call) {
  const Array& x = call.in(0);
  Dims dims = call.attrs.list(TN_RESIZE_DIMS);
  std::vector<double> scales = call.attrs.numbers(TN_RESIZE_SCALES);
  const bool by_dims = !dims.empty();
  for (size_t a = 0; a < x.rank(); ++a) {
    if (by_dims) {
      scales.push_back(static_cast<double>(dims[a]) / static_cast<double>(x.dims[a]));
      continue;
    }
    const Fraction f = fraction_of(scales[a]);
    dims.push_back(x.dims[a] * f.above / f.below);
    scales[a] = static_cast<double>(f.above) / static_cast<double>(f.below);
  }
  Array y(x.dtype, dims);
  int64_t next = 0;
  const Dims strides = strides_of(x.dims);
  for_each(dims, [&](const Dims& at) {
    std::vector<Tap> places{{0, 1}};
    for (size_t a = 0; a < at.size(); ++a) {
      std::vector<Tap> more;
      for (const Tap& t :
           taps_of(call.attrs, static_cast<double>(at[a]), x.dims[a], dims[a], scales[a]))
        for (const Tap& p : places) more.push_back({p.at + t.at * strides[a], p.weight * t.weight});
      places = more;
    }
    if (!x.floating()) {
      y.copy_from(next++, x, places[0].at);
      return;
    }
    double size = 0;
    for (const Tap& p : places) {
      y.f[static_cast<size_t>(next)] += p.weight * x.real(p.at);
      size += (std::fabs(p.weight) + 0.1) * std::fabs(x.real(p.at));
    }
    y.scale.push_back(places.size() == 1 ? 0 : size);
    ++next;
  });
  return {y};
}

const char* const kModes[] = {"nearest", "linear", "cubic"};
const char* const kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                    "asymmetric", "half_pixel_symmetric"};

Attr mode(const char* name) { return text(TN_RESIZE_MODE, name); }
Attr coordinates(const char* name) { return text(TN_RESIZE_COORDINATES, name); }
Attr to(Dims dims) { return list(TN_RESIZE_DIMS, std::move(dims)); }
Attr by(std::vector<double> scales) { return numbers(TN_RESIZE_SCALES, std::move(scales)); }

void add_modes(OpSamples& s, const Fill& any) {
  for (const char* m : kModes)
    for (const char* how : kCoordinates) {
      const std::string name = std::string(m) + "_" + how;
      s.add({name + "_up", {in({1, 2, 3, 4}, any)}, {mode(m), coordinates(how), to({1, 2, 5, 7})}});
      s.add({name + "_down",
             {in({2, 1, 7, 5}, any)},
             {mode(m), coordinates(how), by({1, 1, 0.5, 0.75})}});
      s.add(Case{name + "_to_one", {in({1, 5}, any)}, {mode(m), coordinates(how), to({1, 1})}}.only(
          {TN_DTYPE_F32, TN_DTYPE_F64}));
    }
  for (const char* rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
    const Attr how = text(TN_RESIZE_NEAREST, rounding);
    s.add({std::string("rounding_") + rounding,
           {in({1, 1, 4, 6}, any)},
           {how, by({1, 1, 1.5, 2.25})}});
    s.add({std::string("ties_") + rounding,
           {in({9}, any)},
           {how, coordinates("asymmetric"), by({2})}});
  }
  s.add(Case{"any_dtype", {in({2, 3, 4}, any)}, {by({1, 2, 1.5})}}.only(kAll));
}

}  // namespace

void add_resize(Catalogue& c) {
  const Fill any = uniform(-3, 3);
  OpSamples& s = c.add(TN_OP_RESIZE, "resize");
  s.on(kFloats).gives(resized, kComposite).gradient(Grad::yes);
  add_modes(s, any);
  const Attr outside = flag(TN_RESIZE_EXCLUDE_OUTSIDE, true), cubic = mode("cubic");
  s.add({"cubic_exclude_outside", {in({1, 1, 4, 5}, any)}, {cubic, outside, to({1, 1, 7, 3})}});
  s.add({"cubic_coefficient",
         {in({1, 1, 5, 4}, any)},
         {cubic, number(TN_RESIZE_CUBIC_COEFFICIENT, -0.5), by({1, 1, 1.5, 0.5})}});
  s.add({"cubic_of_one", {in({1, 2}, any)}, {cubic, to({3, 5})}});
  s.add({"batch_too", {in({2, 3}, any)}, {mode("linear"), to({3, 5})}});
  s.add({"rank5", {in({1, 1, 2, 3, 2}, any)}, {mode("linear"), by({1, 1, 2, 1, 1.5})}});
  s.add({"same", {in({2, 3}, any)}, {mode("linear"), to({2, 3})}});
  s.add({"to_nothing", {in({2, 3}, any)}, {mode("linear"), to({2, 0})}});
  s.add({"empty", {in({0, 3}, any)}, {mode("linear"), by({2, 2})}});
  // Scales that are no dyadic fractions: as f32 they are above or below what they stand for.
  const auto scaled = [&](const char* name, int64_t n, double scale, const char* how) {
    s.add({name, {in({1, n}, any)}, {mode("linear"), coordinates(how), by({1, scale})}});
  };
  scaled("f32_scale_below", 10, 0.7f, "half_pixel");
  scaled("f32_scale_above", 5, 0.6f, "half_pixel_symmetric");
  scaled("thirds", 7, 1 / 3.0, "align_corners");
  s.add(
      Case{"large_linear", {in({3, 8, 35, 37}, any)}, {mode("linear"), by({1, 1, 2, 2})}}.large());
  s.add(Case{"large_nearest", {in({3, 8, 41, 39}, any)}, {to({3, 8, 80, 21})}}.large());

  const auto refuse = [&](const char* name, std::vector<Attr> how, Dims dims = {2, 3}) {
    s.add(Case{name, {in(std::move(dims), any)}, std::move(how)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  };
  refuse("no_size", {});
  refuse("two_sizes", {to({4, 3}), by({2, 1})});
  refuse("too_few_dims", {to({4})});
  refuse("too_few_scales", {by({2})});
  refuse("no_scale", {by({1, 0})});
  refuse("infinite_scale", {by({1, INFINITY})});
  refuse("from_nothing", {to({2, 3})}, {2, 0});
  refuse("infer", {to({2, -1})});
  refuse("unknown_mode", {mode("area"), to({2, 3})});
  refuse("unknown_coordinates", {coordinates("tf_crop_and_resize"), to({2, 3})});
  refuse("unknown_rounding", {text(TN_RESIZE_NEAREST, "up"), to({2, 3})});
  s.add(Case{"linear_of_integers", {in({2, 3}, any)}, {mode("linear"), to({2, 5})}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_I32}));
}

}  // namespace tenon::conformance
