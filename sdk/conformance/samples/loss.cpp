// Losses with their three reductions.
#include "loss.hpp"

#include <algorithm>
#include <cmath>

namespace tenon::conformance {

Array reduced(const Call& call, Array each) {
  const auto count = static_cast<double>(each.count());
  return reduced(call, std::move(each), count);
}

Array reduced(const Call& call, Array each, double count) {
  static_assert(TN_CROSS_ENTROPY_REDUCTION == 0 && TN_CROSS_ENTROPY_PROBS_REDUCTION == 0 &&
                TN_MSE_REDUCTION == 0 && TN_BCE_WITH_LOGITS_REDUCTION == 0 &&
                TN_NLL_REDUCTION == 0);
  const std::string how = call.attrs.text(0, "mean");
  if (how == "none") return each;
  Array y(each.dtype, {});
  const double n = how == "mean" ? count : 1;
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

Array weights_of(const Call& call, size_t k) {
  Array w(TN_DTYPE_F64, call.in(0).dims);
  if (call.has(k)) w = broadcast(call.in(k), w.dims);
  if (!call.has(k)) w.f.assign(w.f.size(), 1);
  return w;
}

void weight_cases(OpSamples& s, const Fill& x, const Fill& target) {
  const Fill weights = uniform(0.2, 2);
  for (const char* how : {"mean", "sum", "none"})
    s.add({std::string("weights_") + how,
           {in({3, 4}, x), in({3, 4}, target), in({3, 4}, weights)},
           by(how)});
  s.add({"weights_broadcast", {in({2, 3, 4}, x), in({2, 3, 4}, target), in({3, 1}, weights)}});
  s.add({"one_weight", {in({2, 3}, x), in({2, 3}, target), in({}, weights)}});
  s.add(Case{"weights_do_not_fit", {in({2, 3}, x), in({2, 3}, target), in({2}, weights)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
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

// Labels, and what is said of their classes.
struct Labels {
  const Call& call;
  size_t first = 0;  // the input with the classes; labels and weights follow it
  int64_t classes = call.in(first).dims[1];

  bool ignored(int64_t k) const {
    static_assert(TN_CROSS_ENTROPY_IGNORE_INDEX == TN_NLL_IGNORE_INDEX &&
                  TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX == TN_NLL_IGNORE_INDEX);
    return call.in(first + 1).integer(k) == call.attrs.integer(TN_NLL_IGNORE_INDEX, -100);
  }
  // A device that cannot report a label takes the nearest class.
  int64_t label(int64_t k) const {
    return std::clamp<int64_t>(call.in(first + 1).integer(k), 0, classes - 1);
  }
  double weight(int64_t c) const { return call.has(first + 2) ? call.in(first + 2).real(c) : 1; }
  // What the mean is divided by.
  double count() const {
    double sum = 0;
    for (int64_t k = 0; k < call.in(first + 1).count(); ++k)
      sum += ignored(k) ? 0 : weight(label(k));
    return sum;
  }
};

std::vector<Array> with_labels(const Call& call) {
  const Labels labels{call};
  const double smoothing = call.attrs.number(TN_CROSS_ENTROPY_LABEL_SMOOTHING, 0);
  Array each = cross_entropy(call.in(0), [&](int64_t k, int64_t c) -> double {
    if (labels.ignored(k)) return 0;
    const double target = (labels.label(k) == c ? 1 - smoothing : 0) +
                          smoothing / static_cast<double>(labels.classes);
    return target * labels.weight(c);
  });
  return {reduced(call, std::move(each), labels.count())};
}

// With t the weighted target of each class, the loss of a sample is the sum over c of t_c (log of the
// sum of e^x - x_c); its slope in x_j is e^x_j / (sum of e^x) * (sum of t) - t_j.
std::vector<Array> slopes_with_labels(const Call& call) {
  const Labels labels{call, 1};
  const Array &g = call.in(0), &x = call.in(1);
  const double smoothing = call.attrs.number(TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING, 0);
  const std::string how = call.attrs.text(TN_CROSS_ENTROPY_GRAD_REDUCTION, "mean");
  const int64_t n = labels.classes, inner = count_of(Dims(x.dims.begin() + 2, x.dims.end()));
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  for (int64_t k = 0; k < call.in(2).count(); ++k) {
    if (labels.ignored(k)) continue;
    const auto at = [&](int64_t c) {
      return static_cast<size_t>((k / inner * n + c) * inner + k % inner);
    };
    std::vector<double> target, power;
    double top = -INFINITY, all = 0, sum = 0;
    for (int64_t c = 0; c < n; ++c) top = std::max(top, x.f[at(c)]);
    for (int64_t c = 0; c < n; ++c) {
      const double hit = labels.label(k) == c ? 1 - smoothing : 0;
      target.push_back((hit + smoothing / static_cast<double>(n)) * labels.weight(c));
      power.push_back(std::exp(x.f[at(c)] - top));
      all += target.back();
      sum += power.back();
    }
    const double own = g.real(how == "none" ? k : 0) / (how == "mean" ? labels.count() : 1);
    for (int64_t c = 0; c < n; ++c) {
      const size_t i = static_cast<size_t>(c);
      const double p = power[i] / sum * all, far = std::fabs(x.f[at(c)]) + std::fabs(top) + 1;
      y.f[at(c)] = (p - target[i]) * own;
      y.scale[at(c)] = (p * far + target[i]) * std::fabs(own);
    }
  }
  return {y};
}

std::vector<Array> with_probabilities(const Call& call) {
  const Array& p = call.in(1);
  const int64_t classes = p.dims[1], inner = count_of(Dims(p.dims.begin() + 2, p.dims.end()));
  const double smoothing = call.attrs.number(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, 0);
  return {reduced(call, cross_entropy(call.in(0), [&](int64_t k, int64_t c) {
                    const double given = p.real((k / inner * classes + c) * inner + k % inner);
                    return (given * (1 - smoothing) + smoothing / static_cast<double>(classes)) *
                           (call.has(2) ? call.in(2).real(c) : 1);
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

// The logarithm of the sigmoid.
double log_sigmoid(double x) { return std::fmin(x, 0) - std::log1p(std::exp(-std::fabs(x))); }
std::vector<Array> binary_cross_entropy(const Call& call) {
  const Array &x = call.in(0), w = weights_of(call, 2), positive = weights_of(call, 3);
  Array y(x.dtype, x.dims);
  for (int64_t k = 0; k < x.count(); ++k) {
    const double v = x.real(k), t = call.in(1).real(k);
    const double one = positive.real(k) * t * log_sigmoid(v), other = (1 - t) * log_sigmoid(-v);
    y.f[static_cast<size_t>(k)] = -w.real(k) * (one + other);
    y.scale.push_back(std::fabs(w.real(k)) * (1 + std::fabs(v)) * (1 + positive.real(k)));
  }
  return {reduced(call, y)};
}

std::vector<Array> nll(const Call& call) {
  const Labels labels{call};
  const Array& x = call.in(0);
  const int64_t inner = count_of(Dims(x.dims.begin() + 2, x.dims.end()));
  Array y(x.dtype, call.in(1).dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    if (labels.ignored(k)) continue;
    const int64_t label = labels.label(k);
    y.f[static_cast<size_t>(k)] =
        -x.real((k / inner * labels.classes + label) * inner + k % inner) * labels.weight(label);
  }
  y.scale.assign(y.f.size(), 0);
  return {reduced(call, y, labels.count())};
}

void add_options(OpSamples& s, const Fill& logits) {
  const auto labels = [](Dims dims, std::vector<double> list, tn_dtype dtype = TN_DTYPE_I64) {
    return in(std::move(dims), values(std::move(list)), dtype);
  };
  const Input weights = in({3}, uniform(0.2, 2));
  const auto add = [&](const std::string& name, std::vector<Input> what, std::vector<Attr> how) {
    for (const char* reduction : {"mean", "sum", "none"}) {
      std::vector<Attr> with = how;
      with.push_back(text(0, reduction));
      s.add({name + "_" + reduction, what, with});
    }
  };
  const auto ignore = [](int64_t label) { return integer(TN_NLL_IGNORE_INDEX, label); };
  const Input x = in({5, 3}, logits), plane = in({2, 3, 2}, logits);
  add("weights", {x, labels({5}, {2, 0, 1, 1, 2}), weights}, {});
  add("ignored", {x, labels({5}, {2, -100, 1, -100, 0})}, {});
  add("ignored_class", {plane, labels({2, 2}, {1, 0, 2, 1}, TN_DTYPE_I32)}, {ignore(1)});
  add("ignored_weights", {plane, labels({2, 2}, {1, 9, 2, 0}, TN_DTYPE_U8), weights}, {ignore(9)});
  s.add(Case{"all_ignored", {x, labels({5}, {-1})}, {ignore(-1), text(0, "sum")}}.no_grad());
  s.add(
      Case{"ignored_elsewhere", {x, labels({5}, {0, -100, 1, 2, 1})}, {ignore(-1)}}.out_of_range());
  s.add(Case{
      "large_ignored", {in({500, 101}, logits), in({500}, indices(101), TN_DTYPE_I64)}, {ignore(7)}}
            .large());
  s.add(Case{"weights_do_not_fit", {x, labels({5}, {0}), in({5}, logits)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

void add_smoothing(OpSamples& s, const Fill& logits) {
  const auto labels = [](Dims dims, std::vector<double> list) {
    return in(std::move(dims), values(std::move(list)), TN_DTYPE_I64);
  };
  const Attr smooth = number(TN_CROSS_ENTROPY_LABEL_SMOOTHING, 0.1);
  for (const char* reduction : {"mean", "sum", "none"}) {
    const Attr how = text(0, reduction);
    const std::string end = std::string("_") + reduction;
    s.add({"smoothing" + end, {in({4, 3}, logits), labels({4}, {2, 0, -100, 1})}, {smooth, how}});
    s.add({"smoothing_weights" + end,
           {in({2, 3, 2}, logits), labels({2, 2}, {0, 2, -100, 2}), in({3}, uniform(0.2, 2))},
           {smooth, how}});
  }
  s.add({"smoothing_to_the_end",
         {in({3, 4}, logits), labels({3}, {2, 0, 1})},
         {number(TN_CROSS_ENTROPY_LABEL_SMOOTHING, 1)}});
  s.add(Case{"smoothing_too_large",
             {in({3, 4}, logits), labels({3}, {2, 0, 1})},
             {number(TN_CROSS_ENTROPY_LABEL_SMOOTHING, 1.5)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

OpSamples& add_labelled(Catalogue& c, tn_op op, const char* name, const Oracle& oracle) {
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
  return ce;
}

// The cases of the loss, each with a cotangent before its inputs.
void add_slopes(Catalogue& c, const std::vector<Case>& of_loss) {
  OpSamples& s = c.add(TN_OP_CROSS_ENTROPY_GRAD, "cross_entropy_grad");
  s.on(kFloats).gives(slopes_with_labels, kComposite).gradient(Grad::yes);
  const Fill cotangents = uniform(-2, 2);
  for (Case with : of_loss) {
    const bool each = with.attrs.text(TN_CROSS_ENTROPY_REDUCTION, "mean") == "none";
    with.inputs.insert(with.inputs.begin(), in(each ? with.inputs[1].dims : Dims{}, cotangents));
    s.add(std::move(with));
  }
  const Input x = in({5, 2500}, uniform(-3, 3)), labels = in({5}, indices(2500), TN_DTYPE_I64);
  s.add(Case{"many_classes", {in({}, cotangents), x, labels}}.large().only(kFloats));
  s.add(Case{"cotangent_does_not_fit", {in({5}, cotangents), x, labels}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

}  // namespace

void add_loss(Catalogue& c) {
  const Fill logits = uniform(-3, 3), chances = uniform(0.05, 0.95);
  OpSamples& ce = add_labelled(c, TN_OP_CROSS_ENTROPY, "cross_entropy", with_labels);
  add_options(ce, logits);
  add_smoothing(ce, logits);
  add_slopes(c, std::vector<Case>(ce.cases));
  add_options(add_labelled(c, TN_OP_NLL, "nll", nll), logits);

  OpSamples& probs = c.add(TN_OP_CROSS_ENTROPY_PROBS, "cross_entropy_probs");
  probs.on(kFloats).gives(with_probabilities, kComposite).gradient(Grad::yes);
  pair_cases(probs, logits, chances);
  for (const char* how : {"mean", "sum", "none"})
    for (const double smoothing : {0.0, 0.2})
      probs.add({std::string(smoothing > 0 ? "smoothing_" : "weights_") + how,
                 {in({2, 3, 2}, logits), in({2, 3, 2}, chances), in({3}, uniform(0.2, 2))},
                 {text(0, how), number(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, smoothing)}});
  probs.add({"smoothing",
             {in({3, 4}, logits), in({3, 4}, chances)},
             {number(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, 0.3)}});

  OpSamples& mse = c.add(TN_OP_MSE, "mse");
  mse.on(kFloats).gives(pairwise(squared, squared_size), kComposite).gradient(Grad::yes);
  pair_cases(mse, logits, uniform(-3, 3));

  OpSamples& bce = c.add(TN_OP_BCE_WITH_LOGITS, "bce_with_logits");
  bce.on(kFloats).gives(binary_cross_entropy, kComposite).gradient(Grad::yes);
  const Fill off_zero = clear_of(-3, 3, {0}, 0.01);
  pair_cases(bce, off_zero, chances);
  weight_cases(bce, off_zero, chances);
  const Input positive = in({4}, uniform(0.2, 3));
  for (const char* how : {"mean", "none"}) {
    bce.add({std::string("positive_weight_") + how,
             {in({3, 4}, off_zero), in({3, 4}, chances), absent(), positive},
             by(how)});
    bce.add({std::string("both_weights_") + how,
             {in({3, 4}, off_zero), in({3, 4}, chances), in({3, 1}, uniform(0.2, 2)), positive},
             by(how)});
  }
  bce.add(Case{"far_out", {in({4}, values({100, -100, 1e4, -1e4})), in({4}, values({1, 1, 0, 0}))}}
              .no_grad());
}

}  // namespace tenon::conformance
