// Losses of pairs of numbers and of vectors.
#include <algorithm>
#include <cmath>
#include <limits>

#include "loss.hpp"

namespace tenon::conformance {
namespace {

// A loss and what its error is measured by.
struct Term {
  double value, size;
};
Oracle of_pairs(std::function<Term(double, double, const Attrs&)> term) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array &x = call.in(0), w = weights_of(call, 2);
    Array y(x.dtype, x.dims);
    for (int64_t k = 0; k < x.count(); ++k) {
      const Term t = term(x.real(k), call.in(1).real(k), call.attrs);
      y.f[static_cast<size_t>(k)] = t.value * w.real(k);
      y.scale.push_back(t.size * w.real(k));
    }
    return {reduced(call, y)};
  };
}

double limited_log(double p) { return p <= 0 ? -100 : std::fmax(std::log(p), -100); }

Term binary(double p, double t, const Attrs&) {
  return {-t * limited_log(p) - (1 - t) * limited_log(1 - p),
          std::fabs(t * limited_log(p)) + std::fabs((1 - t) * limited_log(1 - p)) + 0.1};
}
Term absolute(double x, double t, const Attrs&) {
  return {std::fabs(x - t), std::fabs(x) + std::fabs(t)};
}
Term huber(double x, double t, const Attrs& attrs) {
  const double delta = attrs.number(TN_HUBER_DELTA, 1), d = std::fabs(x - t);
  const double size = std::fabs(x) + std::fabs(t);
  return {d < delta ? d * d / 2 : delta * d - delta * delta / 2,
          size * std::fmin(d, delta) + delta * delta};
}
Term divergence(double x, double t, const Attrs& attrs) {
  const double p = attrs.flag(TN_KL_DIV_LOG_TARGET) ? std::exp(t) : t;
  if (p == 0) return {0, 0};
  const double log_p = std::log(p);
  return {p * log_p - p * x, p * (std::fabs(log_p) + std::fabs(x) + 1)};
}
Term hinge(double x, double t, const Attrs& attrs) {
  const double margin = attrs.number(TN_HINGE_MARGIN, 1);
  return {t > 0 ? x : std::fmax(0, margin - x), std::fabs(x) + std::fabs(margin)};
}

double length(const std::vector<double>& v, double more) {
  double sum = more;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}
double product(const std::vector<double>& v, const std::vector<double>& w) {
  double sum = 0;
  for (size_t k = 0; k < v.size(); ++k) sum += v[k] * w[k];
  return sum;
}

std::vector<Array> cosine_loss(const Call& call) {
  const Array &a = call.in(0), &b = call.in(1), &target = call.in(2);
  const double margin = call.attrs.number(TN_COSINE_LOSS_MARGIN, 0);
  const int64_t n = a.dims.back();
  Array y(a.dtype, target.dims);
  y.terms = n;
  for (int64_t k = 0; k < y.count(); ++k) {
    std::vector<double> v, w;
    for (int64_t i = 0; i < n; ++i) {
      v.push_back(a.real(k * n + i));
      w.push_back(b.real(k * n + i));
    }
    const double cos = product(v, w) / (length(v, 1e-12) * length(w, 1e-12));
    y.f[static_cast<size_t>(k)] = target.real(k) > 0 ? 1 - cos : std::fmax(0, cos - margin);
    y.scale.push_back(1 + std::fabs(margin));
  }
  const int64_t terms = y.terms;
  Array loss = reduced(call, y);
  loss.terms = std::max(loss.terms, terms);
  return {loss};
}

std::vector<Array> cosine_similarity(const Call& call) {
  const Dims dims = broadcast_dims(call.in(0).dims, call.in(1).dims);
  const Array a = broadcast(call.in(0), dims), b = broadcast(call.in(1), dims);
  const size_t axis = axis_of(call.attrs.integer(TN_COSINE_SIMILARITY_AXIS, 1), dims.size());
  const double epsilon = call.attrs.number(TN_COSINE_SIMILARITY_EPSILON, 1e-8);
  const Dims strides = strides_of(dims);
  Dims to = dims, lines = dims;
  to.erase(to.begin() + static_cast<std::ptrdiff_t>(axis));
  lines[axis] = 1;
  Array y(a.dtype, to);
  y.scale.assign(y.f.size(), 1);
  y.terms = dims[axis];
  size_t next = 0;
  for_each(lines, [&](const Dims& index) {
    std::vector<double> v, w;
    for (int64_t i = 0; i < dims[axis]; ++i) {
      const int64_t at = offset_of(index, strides) + i * strides[axis];
      v.push_back(a.real(at));
      w.push_back(b.real(at));
    }
    y.f[next++] =
        product(v, w) / (std::fmax(length(v, 0), epsilon) * std::fmax(length(w, 0), epsilon));
  });
  return {y};
}

void add_pairs(Catalogue& c) {
  const Fill any = uniform(-3, 3), chances = uniform(0.05, 0.95);
  const auto add = [&](tn_op op, const char* name,
                       std::function<Term(double, double, const Attrs&)> term, const Fill& x,
                       const Fill& target, tn_dtype dtype = TN_DTYPE_NONE) -> OpSamples& {
    OpSamples& s = c.add(op, name);
    s.on(kFloats).gives(of_pairs(std::move(term)), kComposite).gradient(Grad::yes);
    pair_cases(s, x, target, dtype);
    s.add({"rank0", {in({}, x), in({}, target, dtype)}});
    s.add({"empty", {in({0, 3}, x), in({0, 3}, target, dtype)}, by("sum")});
    s.add(Case{"dims_differ", {in({4, 3}, x), in({3}, target, dtype)}}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
    return s;
  };
  OpSamples& bce = add(TN_OP_BCE, "bce", binary, chances, chances);
  weight_cases(bce, chances, chances);
  bce.add(Case{"ends",
               {in({6}, values({0, 1, 0, 1, 0, 1})), in({6}, values({0, 0, 1, 1, 0.5, 0.5}))},
               by("none")}
              .no_grad());
  add(TN_OP_L1, "l1", absolute, distinct(-3, -0.1), distinct(0, 3))
      .add({"above", {in({4, 3}, uniform(4, 6)), in({4, 3}, any)}, by("none")});
  OpSamples& h = add(TN_OP_HUBER, "huber", huber, any, any);
  h.add({"delta",
         {in({4, 3}, any), in({4, 3}, any)},
         {text(0, "none"), number(TN_HUBER_DELTA, 2.5)}});
  h.add(Case{"no_delta", {in({4, 3}, any), in({4, 3}, any)}, {number(TN_HUBER_DELTA, 0)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
  OpSamples& kl = add(TN_OP_KL_DIV, "kl_div", divergence, uniform(-3, 0), chances);
  for (const char* how : {"mean", "none"})
    kl.add({std::string("log_target_") + how,
            {in({4, 3}, uniform(-3, 0)), in({4, 3}, uniform(-3, 0))},
            {text(0, how), flag(TN_KL_DIV_LOG_TARGET, true)}});
  kl.add(Case{"impossible",
              {in({4}, values({-1, -std::numeric_limits<double>::infinity(), -1, -2})),
               in({4}, values({0, 0, 0.25, 0.75}))},
              by("none")}
             .no_grad());
  const Fill off_margin = clear_of(-3, 3, {1, -0.5}, 0.05), sides = values({1, -1, -1, 1, -1});
  OpSamples& hi = add(TN_OP_HINGE, "hinge", hinge, off_margin, sides, TN_DTYPE_I32);
  hi.add({"float_target", {in({4, 3}, off_margin), in({4, 3}, sides)}, by("none")});
  hi.add({"margin",
          {in({4, 3}, off_margin), in({4, 3}, sides, TN_DTYPE_I64)},
          {text(0, "none"), number(TN_HINGE_MARGIN, -0.5)}});
}

void add_cosines(Catalogue& c) {
  const Fill any = uniform(-3, 3), sides = values({1, -1, -1, 1, -1});
  OpSamples& s = c.add(TN_OP_COSINE_LOSS, "cosine_loss");
  s.on(kFloats).gives(cosine_loss, kComposite).gradient(Grad::yes);
  const auto triple = [&](const Dims& dims, tn_dtype dtype = TN_DTYPE_I32) {
    return std::vector<Input>{in(dims, any), in(dims, any),
                              in(Dims(dims.begin(), dims.end() - 1), sides, dtype)};
  };
  s.add({"default", triple({5, 3})});
  for (const char* how : {"mean", "sum", "none"}) s.add({how, triple({2, 3, 4}), by(how)});
  s.add({"vector", triple({4})});
  s.add({"float_target", triple({4, 3}, TN_DTYPE_NONE), by("none")});
  s.add({"margin", triple({6, 3}), {text(0, "none"), number(TN_COSINE_LOSS_MARGIN, 0.2)}});
  s.add({"no_samples", triple({0, 3}), by("sum")});
  s.add(Case{"zeros", {in({2, 3}, values({0})), in({2, 3}, any), in({2}, sides, TN_DTYPE_I32)}}
            .no_grad());
  s.add(Case{"large", triple({300, 101})}.large());
  s.add(Case{"target_does_not_fit", {in({4, 3}, any), in({4, 3}, any), in({3}, sides)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));

  OpSamples& cos = c.add(TN_OP_COSINE_SIMILARITY, "cosine_similarity");
  cos.on(kFloats).gives(cosine_similarity, kComposite).gradient(Grad::yes);
  const auto along = [](int64_t axis) { return integer(TN_COSINE_SIMILARITY_AXIS, axis); };
  cos.add({"default", {in({4, 3}, any), in({4, 3}, any)}});
  cos.add({"middle", {in({2, 3, 2, 2}, any), in({2, 3, 2, 2}, any)}});
  cos.add({"last", {in({2, 3, 5}, any), in({2, 3, 5}, any)}, {along(-1)}});
  cos.add({"vector", {in({5}, any), in({5}, any)}, {along(0)}});
  cos.add({"broadcast", {in({3, 1, 4}, any), in({2, 4}, any)}, {along(2)}});
  cos.add(
      {"epsilon", {in({4, 3}, any), in({4, 3}, any)}, {number(TN_COSINE_SIMILARITY_EPSILON, 40)}});
  cos.add(Case{"one_along_axis", {in({3, 1}, any), in({3, 4}, any)}}.plain());
  cos.add({"no_rows", {in({0, 3}, any), in({0, 3}, any)}});
  cos.add({"zeros",
           {in({2, 3}, values({0})), in({2, 3}, any)},
           {number(TN_COSINE_SIMILARITY_EPSILON, 0.5)}});
  cos.add(Case{"large", {in({300, 101}, any), in({300, 101}, any)}}.large());
  cos.add(Case{"axis_out_of_range", {in({4}, any), in({4}, any)}}
              .refused(TN_OUT_OF_RANGE)
              .only({TN_DTYPE_F32}));
}

}  // namespace

void add_loss_pairwise(Catalogue& c) {
  add_pairs(c);
  add_cosines(c);
}

}  // namespace tenon::conformance
