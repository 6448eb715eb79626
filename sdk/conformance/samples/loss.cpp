// Losses with their three reductions.
#include "loss.hpp"

#include <algorithm>
#include <cmath>

namespace tenon::conformance {

Array reduced(const Call& call, Array each) {
  static_assert(TN_CROSS_ENTROPY_REDUCTION == 0 && TN_CROSS_ENTROPY_PROBS_REDUCTION == 0 &&
                TN_MSE_REDUCTION == 0 && TN_BCE_WITH_LOGITS_REDUCTION == 0 &&
                TN_NLL_REDUCTION == 0);
  const std::string how = call.attrs.text(0, "mean");
  if (how == "none") return each;
  Array y(each.dtype, {});
  const double n = how == "mean" ? static_cast<double>(each.count()) : 1;
  double sum = 0, size = 0;
  for (size_t k = 0; k < each.f.size(); ++k) {
    sum += each.f[k];
    size += std::max(std::fabs(each.f[k]), each.scale[k]);
  }
  y.f[0] = sum / n;
  y.scale = {size / n};
  y.terms = each.count();
  return y;
}

void pair_cases(OpSamples& s, const Fill& x, const Fill& target, tn_dtype target_dtype) {
  const auto pair = [&](const Dims& dims) {
    return std::vector<Input>{in(dims, x), in(dims, target, target_dtype)};
  };
  s.add({"default", pair({4, 3})});
  for (const char* how : {"mean", "sum", "none"}) {
    s.add({how, pair({3, 5}), by(how)});
    s.add({std::string(how) + "_plane", pair({2, 3, 2, 2}), by(how)});
  }
  s.add(Case{"large", pair({300, 101})}.large());
  s.add(Case{"unknown_reduction", pair({4, 3}), by("median")}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

std::vector<Attr> by(const char* reduction) { return {text(0, reduction)}; }

namespace {

// The classes lie along axis 1; `weight(position, class)` multiplies each -log probability.
Array cross_entropy(const Array& x, const std::function<double(int64_t, int64_t)>& weight) {
  Dims dims{x.dims[0]};
  dims.insert(dims.end(), x.dims.begin() + 2, x.dims.end());
  const int64_t classes = x.dims[1];
  const int64_t inner = count_of(Dims(x.dims.begin() + 2, x.dims.end()));
  Array y(x.dtype, dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    const auto at = [&](int64_t c) {
      return static_cast<size_t>((k / inner * classes + c) * inner + k % inner);
    };
    double top = x.f[at(0)], sum = 0, loss = 0, size = 0;
    for (int64_t c = 1; c < classes; ++c) top = std::max(top, x.f[at(c)]);
    for (int64_t c = 0; c < classes; ++c) sum += std::exp(x.f[at(c)] - top);
    for (int64_t c = 0; c < classes; ++c) {
      const double log_probability = x.f[at(c)] - top - std::log(sum);
      loss -= weight(k, c) * log_probability;
      size += std::fabs(weight(k, c)) * (std::fabs(x.f[at(c)]) + std::fabs(top) + std::log(sum));
    }
    y.f[static_cast<size_t>(k)] = loss;
    y.scale.push_back(size);
  }
  return y;
}

std::vector<Array> with_labels(const Call& call) {
  return {reduced(call, cross_entropy(call.in(0), [&](int64_t k, int64_t c) -> double {
                    // A device that cannot report a label takes the nearest class.
                    const int64_t classes = call.in(0).dims[1];
                    return std::clamp<int64_t>(call.in(1).integer(k), 0, classes - 1) == c;
                  }))};
}

std::vector<Array> with_probabilities(const Call& call) {
  const Array& p = call.in(1);
  const int64_t classes = p.dims[1], inner = count_of(Dims(p.dims.begin() + 2, p.dims.end()));
  return {reduced(call, cross_entropy(call.in(0), [&](int64_t k, int64_t c) {
                    return p.real((k / inner * classes + c) * inner + k % inner);
                  }))};
}

Oracle pairwise(double (*loss)(double, double), double (*size)(double, double)) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array &x = call.in(0), &target = call.in(1);
    Array y(x.dtype, x.dims);
    for (int64_t k = 0; k < x.count(); ++k) {
      y.f[static_cast<size_t>(k)] = loss(x.real(k), target.real(k));
      y.scale.push_back(size(x.real(k), target.real(k)));
    }
    return {reduced(call, y)};
  };
}

double squared(double x, double t) { return (x - t) * (x - t); }
double squared_size(double x, double t) { return (std::fabs(x) + std::fabs(t)) * std::fabs(x - t); }
double binary_cross_entropy(double x, double t) {
  const double log_p = -std::log1p(std::exp(-std::fabs(x))) + std::min(x, 0.0);
  return -(t * log_p + (1 - t) * (log_p - x));
}
double binary_size(double x, double) { return 1 + std::fabs(x); }

std::vector<Array> nll(const Call& call) {
  const Array &x = call.in(0), &labels = call.in(1);
  const int64_t classes = x.dims[1], inner = count_of(Dims(x.dims.begin() + 2, x.dims.end()));
  Array y(x.dtype, labels.dims);
  for (int64_t k = 0; k < labels.count(); ++k) {
    const int64_t label = std::clamp<int64_t>(labels.integer(k), 0, classes - 1);
    y.f[static_cast<size_t>(k)] = -x.real((k / inner * classes + label) * inner + k % inner);
  }
  y.scale.assign(y.f.size(), 0);
  return {reduced(call, y)};
}

void add_labelled(Catalogue& c, tn_op op, const char* name, const Oracle& oracle) {
  const Fill logits = uniform(-3, 3);
  const auto labels = [](Dims dims, int64_t n, tn_dtype dtype = TN_DTYPE_I64) {
    return in(std::move(dims), indices(n), dtype);
  };
  OpSamples& ce = c.add(op, name);
  ce.on(kFloats).gives(oracle, kComposite).gradient(Grad::yes);
  ce.add({"default", {in({4, 3}, logits), labels({4}, 3)}});
  for (const char* how : {"mean", "sum", "none"}) {
    ce.add({how, {in({4, 5}, logits), labels({4}, 5)}, by(how)});
    ce.add(
        {std::string(how) + "_plane", {in({2, 3, 2, 2}, logits), labels({2, 2, 2}, 3)}, by(how)});
  }
  ce.add({"i32", {in({3, 4}, logits), labels({3}, 4, TN_DTYPE_I32)}});
  ce.add({"u8", {in({3, 4}, logits), labels({3}, 4, TN_DTYPE_U8)}});
  ce.add(Case{"far_apart", {in({2, 3}, values({300, 0, -300, -500, 500, 1})), labels({2}, 3)}}
             .no_grad());
  ce.add(Case{"large", {in({500, 101}, logits), labels({500}, 101)}}.large());
  for (const char* how : {"mean", "none"})
    ce.add(Case{std::string("no_such_label_") + how,
                {in({2, 3}, logits), in({2}, values({1, 5}), TN_DTYPE_I64)},
                by(how)}
               .out_of_range());
  ce.add(Case{"no_such_label_plane",
              {in({1, 3, 2}, logits), in({1, 2}, values({3, 2}), TN_DTYPE_I32)},
              by("sum")}
             .out_of_range());
  ce.add({"no_samples", {in({0, 3}, logits), labels({0}, 3)}, by("sum")});
  ce.add(Case{"no_classes", {in({2, 0}, logits), in({2}, values({0}), TN_DTYPE_I64)}}
             .refused(TN_INVALID_ARGUMENT)
             .only({TN_DTYPE_F32}));
  ce.add(Case{"labels_do_not_fit", {in({4, 3}, logits), labels({3}, 3)}}
             .refused(TN_INVALID_ARGUMENT)
             .only({TN_DTYPE_F32}));
  ce.add(Case{"unknown_reduction", {in({4, 3}, logits), labels({4}, 3)}, by("median")}
             .refused(TN_INVALID_ARGUMENT)
             .only({TN_DTYPE_F32}));
}

}  // namespace

void add_loss(Catalogue& c) {
  const Fill logits = uniform(-3, 3), chances = uniform(0.05, 0.95);
  add_labelled(c, TN_OP_CROSS_ENTROPY, "cross_entropy", with_labels);
  add_labelled(c, TN_OP_NLL, "nll", nll);

  OpSamples& probs = c.add(TN_OP_CROSS_ENTROPY_PROBS, "cross_entropy_probs");
  probs.on(kFloats).gives(with_probabilities, kComposite).gradient(Grad::yes);
  pair_cases(probs, logits, chances);

  OpSamples& mse = c.add(TN_OP_MSE, "mse");
  mse.on(kFloats).gives(pairwise(squared, squared_size), kComposite).gradient(Grad::yes);
  pair_cases(mse, logits, uniform(-3, 3));

  OpSamples& bce = c.add(TN_OP_BCE_WITH_LOGITS, "bce_with_logits");
  bce.on(kFloats)
      .gives(pairwise(binary_cross_entropy, binary_size), kComposite)
      .gradient(Grad::yes);
  pair_cases(bce, clear_of(-3, 3, {0}, 0.01), chances);
  bce.add(Case{"far_out", {in({4}, values({100, -100, 1e4, -1e4})), in({4}, values({1, 1, 0, 0}))}}
              .no_grad());
}

}  // namespace tenon::conformance
