// layer_norm and batch_norm.
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

struct Moments {
  double mean = 0, variance = 0, size = 0;  // size: of the squares, against cancellation
};

Moments moments_of(const Array& x, const std::vector<int64_t>& members) {
  Moments m;
  const auto n = static_cast<double>(members.size());
  for (const int64_t k : members) m.mean += x.real(k) / n;
  for (const int64_t k : members) {
    m.variance += (x.real(k) - m.mean) * (x.real(k) - m.mean) / n;
    m.size += x.real(k) * x.real(k) / n;
  }
  return m;
}

std::vector<Array> layer_norm(const Call& call) {
  const Array& x = call.in(0);
  const auto axes = static_cast<size_t>(call.attrs.integer(TN_LAYER_NORM_AXES, 1));
  const double epsilon = call.attrs.number(TN_LAYER_NORM_EPSILON, 1e-5);
  const int64_t n = count_of(Dims(x.dims.end() - static_cast<std::ptrdiff_t>(axes), x.dims.end()));
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  y.terms = n;
  for (int64_t start = 0; start < x.count(); start += n) {
    std::vector<int64_t> members;
    for (int64_t k = 0; k < n; ++k) members.push_back(start + k);
    const Moments m = moments_of(x, members);
    const double factor = 1 / std::sqrt(m.variance + epsilon);
    for (int64_t k = 0; k < n; ++k) {
      const auto at = static_cast<size_t>(start + k);
      const double scale = call.has(1) ? call.in(1).real(k) : 1;
      const double bias = call.has(2) ? call.in(2).real(k) : 0;
      y.f[at] = (x.f[at] - m.mean) * factor * scale + bias;
      y.scale[at] =
          (std::fabs(x.f[at]) + std::fabs(m.mean)) * factor * std::fabs(scale) + std::fabs(bias);
    }
  }
  return {y};
}

// Offsets of the elements of channel c: axis 1.
std::vector<int64_t> channel(const Array& x, int64_t c) {
  std::vector<int64_t> members;
  int64_t at = 0;
  for_each(x.dims, [&](const Dims& index) {
    if (index[1] == c) members.push_back(at);
    ++at;
  });
  return members;
}

void normalize(const Array& x, int64_t c, double mean, double variance, double scale, double bias,
               double epsilon, Array& y) {
  const double factor = 1 / std::sqrt(variance + epsilon);
  for (const int64_t k : channel(x, c)) {
    const auto at = static_cast<size_t>(k);
    y.f[at] = (x.f[at] - mean) * factor * scale + bias;
    // x * factor * scale + (bias - mean * factor * scale) is a right way to compute it, too.
    y.scale[at] =
        (std::fabs(x.f[at]) + std::fabs(mean)) * factor * std::fabs(scale) + std::fabs(bias);
  }
}

std::vector<Array> batch_norm(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  for (int64_t c = 0; c < x.dims[1]; ++c)
    normalize(x, c, call.in(3).real(c), call.in(4).real(c), call.in(1).real(c), call.in(2).real(c),
              call.attrs.number(TN_BATCH_NORM_EPSILON, 1e-5), y);
  return {y};
}

std::vector<Array> batch_norm_train(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, x.dims), mean(x.dtype, {x.dims[1]}), variance(x.dtype, {x.dims[1]});
  y.scale.assign(y.f.size(), 0);
  y.terms = mean.terms = variance.terms = x.count() / std::max<int64_t>(x.dims[1], 1);
  for (int64_t c = 0; c < x.dims[1]; ++c) {
    const Moments m = moments_of(x, channel(x, c));
    const auto at = static_cast<size_t>(c);
    mean.f[at] = m.mean;
    mean.scale.push_back(std::sqrt(m.size));
    variance.f[at] = m.variance;
    variance.scale.push_back(m.size);
    normalize(x, c, m.mean, m.variance, call.in(1).real(c), call.in(2).real(c),
              call.attrs.number(TN_BATCH_NORM_TRAIN_EPSILON, 1e-5), y);
  }
  return {y, mean, variance};
}

}  // namespace

void add_normalize(Catalogue& c) {
  const Fill any = uniform(-3, 3), scale = uniform(0.5, 2), variance = uniform(0.5, 2);
  OpSamples& layer = c.add(TN_OP_LAYER_NORM, "layer_norm");
  layer.on(kFloats).gives(layer_norm, Tolerance{40, false, false}).gradient(Grad::yes);
  const Fill apart = distinct(-3, 3);
  layer.add(Case{"full", {in({3, 6}, apart), in({6}, scale), in({6}, any)}}.ties());
  layer.add(Case{"scale_only", {in({3, 5}, apart), in({5}, scale), absent()}}.ties());
  layer.add(Case{"bare", {in({2, 2, 5}, apart), absent(), absent()}}.ties());
  layer.add(Case{"two_axes",
                 {in({2, 3, 4}, apart), in({3, 4}, scale), in({3, 4}, any)},
                 {integer(TN_LAYER_NORM_AXES, 2)}}
                .ties());
  layer.add(Case{"epsilon",
                 {in({2, 4}, apart), in({4}, scale), in({4}, any)},
                 {number(TN_LAYER_NORM_EPSILON, 0.3)}}
                .ties());
  layer.add({"no_rows", {in({0, 4}, any), in({4}, scale), in({4}, any)}});
  layer.add(Case{"large", {in({200, 257}, any), in({257}, scale), in({257}, any)}}.large());
  layer.add(Case{"wrong_scale", {in({3, 6}, any), in({5}, scale), absent()}}
                .refused(TN_INVALID_ARGUMENT)
                .only({TN_DTYPE_F32}));

  const auto with_stats = [&](Dims dims) {
    const Dims channels{dims[1]};
    return std::vector<Input>{in(std::move(dims), any), in(channels, scale), in(channels, any),
                              in(channels, any), in(channels, variance)};
  };
  OpSamples& batch = c.add(TN_OP_BATCH_NORM, "batch_norm");
  batch.on(kFloats).gives(batch_norm, kComposite).gradient(Grad::yes);
  batch.add({"images", with_stats({2, 3, 2, 2})});
  batch.add({"rows", with_stats({4, 3})});
  batch.add({"line", with_stats({2, 2, 5})});
  batch.add({"epsilon", with_stats({2, 3, 2, 1}), {number(TN_BATCH_NORM_EPSILON, 0.2)}});
  batch.add({"no_images", with_stats({0, 3, 2, 2})});
  batch.add(Case{"large", with_stats({8, 12, 21, 23})}.large());

  const auto bare = [&](Dims dims) {
    const Dims channels{dims[1]};
    return std::vector<Input>{in(std::move(dims), apart), in(channels, scale), in(channels, any)};
  };
  OpSamples& train = c.add(TN_OP_BATCH_NORM_TRAIN, "batch_norm_train");
  train.on(kFloats).gives(batch_norm_train, Tolerance{40, false, false}).gradient(Grad::yes);
  train.add(Case{"images", bare({3, 2, 2, 3})}.ties());
  train.add(Case{"rows", bare({7, 3})}.ties());
  train.add(Case{"line", bare({3, 2, 4})}.ties());
  train.add(Case{"epsilon", bare({2, 2, 3, 1}), {number(TN_BATCH_NORM_TRAIN_EPSILON, 0.2)}}.ties());
  train.add(Case{"large", bare({8, 12, 21, 23})}.large());
}

}  // namespace tenon::conformance
