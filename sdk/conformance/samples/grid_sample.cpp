// grid_sample, as the ONNX operator GridSample defines it.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

struct Way {
  std::string mode, padding;
  bool corners;
};

// The place mirrored at both ends until it lies between them.
double mirrored(double x, double n, bool corners) {
  const double low = corners ? 0 : -0.5, high = corners ? n - 1 : n - 0.5;
  if (low >= high) return 0;
  while (x < low || x > high) x = x < low ? 2 * low - x : 2 * high - x;
  return x;
}
double held(const Way& way, double x, double n) {
  if (way.padding == "zeros") return x;
  if (way.padding == "reflection") x = mirrored(x, n, way.corners);
  return std::clamp(x, 0.0, n - 1);
}

struct Tap {
  double at, weight;
};
std::vector<Tap> taps_of(const Way& way, double g, double n) {
  double x = way.corners ? (g + 1) / 2 * (n - 1) : ((g + 1) * n - 1) / 2;
  std::vector<Tap> taps;
  if (way.mode != "bicubic") x = held(way, x, n);
  const double low = std::floor(x), f = x - low;
  if (way.mode == "nearest") {
    taps = {{std::nearbyint(x), 1}};
  } else if (way.mode == "bilinear") {
    taps = {{low, 1 - f}, {low + 1, f}};
  } else {
    const double a = -0.75;
    for (double at = low - 1; at <= low + 2; ++at) {
      const double d = std::fabs(x - at);
      const double weight = d <= 1 ? (a + 2) * d * d * d - (a + 3) * d * d + 1
                                   : a * (d * d * d - 5 * d * d + 8 * d - 4);
      taps.push_back({held(way, at, n), weight});
    }
  }
  return taps;
}

std::vector<Array> sampled(const Call& call) {
  const Array &x = call.in(0), &grid = call.in(1);
  const Way way = {call.attrs.text(TN_GRID_SAMPLE_MODE, "bilinear"),
                   call.attrs.text(TN_GRID_SAMPLE_PADDING, "zeros"),
                   call.attrs.flag(TN_GRID_SAMPLE_ALIGN_CORNERS)};
  const size_t axes = x.rank() - 2;
  Dims dims{x.dims[0], x.dims[1]};
  dims.insert(dims.end(), grid.dims.begin() + 1, grid.dims.end() - 1);
  Array y(x.dtype, dims);
  const Dims strides = strides_of(x.dims), grid_strides = strides_of(grid.dims);
  size_t next = 0;
  for_each(dims, [&](const Dims& at) {
    int64_t row = at[0] * grid_strides[0];
    for (size_t a = 0; a < axes; ++a) row += at[2 + a] * grid_strides[1 + a];
    struct Place {
      int64_t offset;
      double weight;
    };
    std::vector<Place> places{{at[0] * strides[0] + at[1] * strides[1], 1}};
    double size = 0, longest = 0;
    for (size_t a = 0; a < axes; ++a) {
      const auto n = static_cast<double>(x.dims[2 + a]);
      const double g = grid.real(row + static_cast<int64_t>(axes - 1 - a));
      longest = std::fmax(longest, n);
      std::vector<Place> more;
      for (const Tap& t : taps_of(way, g, n))
        for (const Place& p : places)
          if (t.at >= 0 && t.at < n)
            more.push_back(
                {p.offset + static_cast<int64_t>(t.at) * strides[2 + a], p.weight * t.weight});
      places = more;
    }
    for (const Place& p : places) {
      y.f[next] += p.weight * x.real(p.offset);
      // A place is rounded where it lies: weights far from 0 are less exact.
      size += (std::fabs(p.weight) + 0.5 + longest / 16) * std::fabs(x.real(p.offset));
    }
    y.scale.push_back(size);
    ++next;
  });
  return {y};
}

}  // namespace

void add_grid_sample(Catalogue& c) {
  const Fill any = uniform(-3, 3), places = uniform(-1.4, 1.4);
  OpSamples& s = c.add(TN_OP_GRID_SAMPLE, "grid_sample");
  s.on(kFloats).gives(sampled, kComposite).gradient(Grad::yes);
  const auto how = [](const char* mode, const char* padding, bool corners) {
    return std::vector<Attr>{text(TN_GRID_SAMPLE_MODE, mode), text(TN_GRID_SAMPLE_PADDING, padding),
                             flag(TN_GRID_SAMPLE_ALIGN_CORNERS, corners)};
  };
  s.add({"default", {in({2, 2, 3, 4}, any), in({2, 2, 3, 2}, places)}});
  for (const char* padding : {"zeros", "border", "reflection"})
    for (const bool corners : {false, true}) {
      const std::string end = std::string("_") + padding + (corners ? "_corners" : "");
      for (const char* mode : {"nearest", "bilinear"})
        s.add({mode + end,
               {in({2, 1, 4, 3}, any), in({2, 2, 2, 2}, places)},
               how(mode, padding, corners)});
      s.add(Case{"bicubic" + end,
                 {in({1, 2, 4, 5}, any), in({1, 2, 2, 2}, places)},
                 how("bicubic", padding, corners)});
      s.add({"far" + end,
             {in({1, 1, 3, 2}, any), in({1, 1, 4, 2}, uniform(-9, 9))},
             how("bilinear", padding, corners)});
      s.add({"volume" + end,
             {in({1, 2, 2, 3, 2}, any), in({1, 2, 1, 2, 3}, places)},
             how("bilinear", padding, corners)});
      s.add({"one" + end,
             {in({1, 1, 1, 1}, any), in({1, 1, 3, 2}, places)},
             how("bilinear", padding, corners)});
    }
  s.add({"nearest_volume",
         {in({2, 1, 3, 2, 4}, any), in({2, 2, 2, 1, 3}, places)},
         how("nearest", "border", false)});
  s.add({"no_images", {in({0, 2, 3, 4}, any), in({0, 2, 3, 2}, places)}});
  s.add({"no_places", {in({2, 2, 3, 4}, any), in({2, 0, 3, 2}, places)}});
  s.add(Case{"large", {in({2, 8, 21, 23}, any), in({2, 31, 30, 2}, places)}}.large());

  const auto refuse = [&](const char* name, Dims x, Dims grid, std::vector<Attr> attrs = {}) {
    s.add(Case{name, {in(std::move(x), any), in(std::move(grid), places)}, std::move(attrs)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  };
  refuse("rank3", {1, 2, 4}, {1, 4, 1});
  refuse("batch_differs", {2, 1, 3, 3}, {1, 2, 2, 2});
  refuse("wrong_components", {1, 1, 3, 3}, {1, 2, 2, 3});
  refuse("nothing_there", {1, 1, 0, 3}, {1, 2, 2, 2});
  refuse("bicubic_volume", {1, 1, 2, 2, 2}, {1, 1, 1, 1, 3}, how("bicubic", "zeros", false));
  refuse("unknown_mode", {1, 1, 3, 3}, {1, 2, 2, 2}, how("area", "zeros", false));
  refuse("unknown_padding", {1, 1, 3, 3}, {1, 2, 2, 2}, how("nearest", "wrap", false));
}

}  // namespace tenon::conformance
