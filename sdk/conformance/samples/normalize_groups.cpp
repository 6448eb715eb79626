// rms_norm, group_norm, instance_norm, lrn.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

std::vector<Array> rms_norm(const Call& call) {
  const Array& x = call.in(0);
  const auto axes = static_cast<std::ptrdiff_t>(call.attrs.integer(TN_RMS_NORM_AXES, 1));
  const int64_t n = count_of(Dims(x.dims.end() - axes, x.dims.end()));
  Array y(x.dtype, x.dims);
  y.terms = n;
  for (int64_t k = 0; k < x.count(); ++k) {
    double squares = 0;
    for (int64_t i = 0; i < n; ++i) squares += std::pow(x.real(k / n * n + i), 2);
    const double epsilon = call.attrs.number(TN_RMS_NORM_EPSILON, 1e-5);
    const double scale = call.has(1) ? call.in(1).real(k % n) : 1;
    y.f[static_cast<size_t>(k)] =
        x.real(k) * scale / std::sqrt(squares / static_cast<double>(n) + epsilon);
  }
  return {y};
}

// The elements of each run of `run` neighbouring ones are normalised together: in [N, C, ...] those
// of some channels of one sample.
Array normalized(const Call& call, int64_t run, double epsilon) {
  const Array& x = call.in(0);
  const int64_t channels = x.dims[1];
  const int64_t inner = count_of(Dims(x.dims.begin() + 2, x.dims.end()));
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  y.terms = run;
  for (int64_t k = 0; k < x.count(); ++k) {
    double mean = 0, variance = 0;
    const auto n = static_cast<double>(run);
    for (int64_t i = k / run * run; i < k / run * run + run; ++i) mean += x.real(i) / n;
    for (int64_t i = k / run * run; i < k / run * run + run; ++i)
      variance += std::pow(x.real(i) - mean, 2) / n;
    const int64_t channel = k / inner % channels;
    const double scale =
        (call.has(1) ? call.in(1).real(channel) : 1) / std::sqrt(variance + epsilon);
    const double bias = call.has(2) ? call.in(2).real(channel) : 0;
    y.f[static_cast<size_t>(k)] = (x.real(k) - mean) * scale + bias;
    y.scale[static_cast<size_t>(k)] =
        (std::fabs(x.real(k)) + std::fabs(mean)) * std::fabs(scale) + std::fabs(bias);
  }
  return y;
}

std::vector<Array> group_norm(const Call& call) {
  const Dims& dims = call.in(0).dims;
  const int64_t in_group = dims[1] / call.attrs.integer(TN_GROUP_NORM_GROUPS, 1);
  return {normalized(call, in_group * count_of(Dims(dims.begin() + 2, dims.end())),
                     call.attrs.number(TN_GROUP_NORM_EPSILON, 1e-5))};
}
std::vector<Array> instance_norm(const Call& call) {
  const Dims& dims = call.in(0).dims;
  return {normalized(call, count_of(Dims(dims.begin() + 2, dims.end())),
                     call.attrs.number(TN_INSTANCE_NORM_EPSILON, 1e-5))};
}

std::vector<Array> lrn(const Call& call) {
  const Array& x = call.in(0);
  const int64_t size = call.attrs.integer(TN_LRN_SIZE, 1), channels = x.dims[1];
  const double alpha = call.attrs.number(TN_LRN_ALPHA, 1e-4);
  const int64_t inner = count_of(Dims(x.dims.begin() + 2, x.dims.end()));
  Array y(x.dtype, x.dims);
  y.terms = size;
  for (int64_t k = 0; k < x.count(); ++k) {
    const int64_t channel = k / inner % channels;
    double squares = 0;
    for (int64_t c = 0; c < channels; ++c)
      if (2 * (channel - c) <= size - 1 && c - channel <= size / 2)
        squares += std::pow(x.real(k + (c - channel) * inner), 2);
    const double base =
        call.attrs.number(TN_LRN_BIAS, 1) + alpha * squares / static_cast<double>(size);
    y.f[static_cast<size_t>(k)] = x.real(k) / std::pow(base, call.attrs.number(TN_LRN_BETA, 0.75));
  }
  return {y};
}

const Fill kAny = uniform(-3, 3), kApart = distinct(-3, 3), kScale = uniform(0.5, 2);
constexpr Tolerance kStatistics{40, false, false};

void add_rms(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_RMS_NORM, "rms_norm");
  s.on(kFloats).gives(rms_norm, kStatistics).gradient(Grad::yes);
  s.add({"scale", {in({3, 6}, kAny), in({6}, kScale)}});
  s.add({"bare", {in({2, 2, 5}, kAny), absent()}});
  s.add({"two_axes",
         {in({2, 3, 4}, kAny), in({3, 4}, kScale)},
         {integer(TN_RMS_NORM_AXES, 2), number(TN_RMS_NORM_EPSILON, 0.3)}});
  s.add({"no_rows", {in({0, 4}, kAny), in({4}, kScale)}});
  s.add({"zeros", {in({2, 4}, values({0})), in({4}, kScale)}, {number(TN_RMS_NORM_EPSILON, 0.5)}});
  s.add(Case{"large", {in({200, 257}, kAny), in({257}, kScale)}}.large());
  s.add(Case{"wrong_scale", {in({3, 6}, kAny), in({5}, kScale)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

void add_channels(Catalogue& c) {
  const auto inputs = [&](Dims dims, bool scale = true, bool bias = true) {
    const Dims channels{dims[1]};
    return std::vector<Input>{in(std::move(dims), kApart), scale ? in(channels, kScale) : absent(),
                              bias ? in(channels, kAny) : absent()};
  };
  OpSamples& group = c.add(TN_OP_GROUP_NORM, "group_norm");
  group.on(kFloats).gives(group_norm, kStatistics).gradient(Grad::yes);
  const auto by = [](int64_t n) { return std::vector<Attr>{integer(TN_GROUP_NORM_GROUPS, n)}; };
  group.add(Case{"images", inputs({2, 4, 3, 2}), by(2)}.ties());
  group.add(Case{"rows", inputs({3, 6}), by(2)}.ties());
  group.add(Case{"one_group", inputs({2, 3, 4}, true, false), by(1)}.ties());
  group.add(Case{"bare", inputs({2, 3, 5}, false, false), by(3)}.ties());
  group.add(Case{"epsilon",
                 inputs({2, 4, 3}, false, true),
                 {integer(TN_GROUP_NORM_GROUPS, 2), number(TN_GROUP_NORM_EPSILON, 0.2)}}
                .ties());
  group.add({"no_images", inputs({0, 4, 3}), by(2)});
  group.add(Case{"large", inputs({8, 12, 21, 23}), by(3)}.large());
  group.add(Case{"does_not_divide", inputs({2, 4, 3}), by(3)}
                .refused(TN_INVALID_ARGUMENT)
                .only({TN_DTYPE_F32}));
  group.add(Case{"wrong_scale", {in({2, 4, 3}, kAny), in({3}, kScale), absent()}, by(2)}
                .refused(TN_INVALID_ARGUMENT)
                .only({TN_DTYPE_F32}));

  OpSamples& instance = c.add(TN_OP_INSTANCE_NORM, "instance_norm");
  instance.on(kFloats).gives(instance_norm, kStatistics).gradient(Grad::yes);
  instance.add(Case{"images", inputs({2, 2, 3, 3})}.ties());
  instance.add(Case{"line", inputs({2, 3, 5}, true, false)}.ties());
  instance.add(Case{"bare", inputs({2, 2, 6}, false, false)}.ties());
  instance.add(Case{"epsilon", inputs({2, 3, 4}), {number(TN_INSTANCE_NORM_EPSILON, 0.2)}}.ties());
  instance.add({"no_images", inputs({0, 4, 3})});
  instance.add(Case{"large", inputs({8, 12, 21, 23})}.large());
  instance.add(Case{"rank2", inputs({2, 4})}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
}

void add_lrn(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_LRN, "lrn");
  s.on(kFloats).gives(lrn, kStatistics).gradient(Grad::yes);
  const auto how = [](int64_t size, double alpha = 0.5) {
    return std::vector<Attr>{integer(TN_LRN_SIZE, size), number(TN_LRN_ALPHA, alpha)};
  };
  s.add({"images", {in({2, 5, 2, 3}, kAny)}, how(3)});
  s.add({"even", {in({2, 6, 3}, kAny)}, how(4)});
  s.add({"rows", {in({3, 4}, kAny)}, how(2)});
  s.add({"default", {in({1, 5, 2}, kAny)}, {integer(TN_LRN_SIZE, 5)}});
  s.add({"one", {in({2, 3, 2}, kAny)}, how(1)});
  s.add({"more_than_there_are", {in({2, 3, 2}, kAny)}, how(9)});
  std::vector<Attr> all = how(3, 0.2);
  all.push_back(number(TN_LRN_BETA, 1.5));
  all.push_back(number(TN_LRN_BIAS, 2));
  s.add({"beta_and_bias", {in({2, 4, 2}, kAny)}, all});
  s.add({"no_images", {in({0, 4, 3}, kAny)}, how(3)});
  s.add(Case{"large", {in({3, 24, 21, 23}, kAny)}, how(5)}.large());
  s.add(Case{"no_size", {in({2, 4, 3}, kAny)}, how(0)}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

}  // namespace

void add_normalize_groups(Catalogue& c) {
  add_rms(c);
  add_channels(c);
  add_lrn(c);
}

}  // namespace tenon::conformance
