// Losses over classes, and the common ones element by element. Each has an attribute reduction, its
// first: 'mean' and 'sum' give a scalar, 'none' one loss per sample or element. f16 and bf16 are
// computed in f32.
#include "loss.hpp"
#include "scatter.hpp"

namespace tenon::ops {

static_assert(kReduction == TN_CROSS_ENTROPY_REDUCTION &&
              kReduction == TN_CROSS_ENTROPY_PROBS_REDUCTION && kReduction == TN_MSE_REDUCTION &&
              kReduction == TN_BCE_WITH_LOGITS_REDUCTION && kReduction == TN_NLL_REDUCTION &&
              kReduction == TN_CROSS_ENTROPY_GRAD_REDUCTION);

static tn_error* check_reduction(const Infer& c) {
  return c.choice("reduction", c.string(kReduction), {"mean", "sum", "none"});
}

tn_error* reduced_out(const Infer& c, tn_dtype t, const Dims& each) {
  TN_TRY(check_reduction(c));
  return c.out(0, t, c.string(kReduction) == "none" ? each : Dims());
}

void set_reduced(const Recipe& b, Value each) {
  const auto reduction = b.string(kReduction);
  if (reduction == "sum") each = sum(each, each.all_axes(), false);
  if (reduction == "mean") each = mean(each, each.all_axes(), false);
  b.set(0, each);
}

Value sample_cotangent(const Recipe& b, int64_t samples) {
  return sample_cotangent(b, b.g(), samples);
}
Value sample_cotangent(const Recipe& b, Value g, int64_t samples) {
  return b.string(kReduction) == "mean" ? g / b.dim_scalar(samples, g.dtype()) : g;
}

tn_error* same_dims(const Infer& c, const char* first, const char* second) {
  bool fits = c.rank(0) == c.rank(1);
  for (uint32_t a = 0; fits && a < c.rank(0); ++a) fits = !c.differ(c.dim(0, a), c.dim(1, a));
  if (fits) return nullptr;
  return c.error(
      "{} is {} and {} is {}: their dims must be equal. Use expand or reshape on one of them.",
      first, c.text(0), second, c.text(1));
}

tn_error* pairwise_rule(Infer& c, const char* first) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1, 2, 3}, kFloat, &t));
  TN_TRY(same_dims(c, first, "target"));
  for (uint32_t i = 2; i < c.count(); ++i) {
    if (!c.has(i)) continue;
    bool fits = c.rank(i) <= c.rank(0);
    for (uint32_t a = 0; fits && a < c.rank(i); ++a)
      fits = c.same(c.dim(i, a), 1) || !c.differ(c.dim(i, a), c.dim(0, c.rank(0) - c.rank(i) + a));
    if (!fits)
      return c.error("{} is {}; it must broadcast to {}, {}", i == 2 ? "weight" : "positive_weight",
                     c.text(i), first, c.text(0));
  }
  return reduced_out(c, t, c.dims(0));
}

Value weighted(const Recipe& b, Value v) { return b.in(2) ? v * b.in(2) : v; }

namespace {

// ---- cross_entropy, its gradient, nll: the classes lie along axis 1. `first` is the input that has
// them; labels and weights follow it.

tn_error* require_classes(const Infer& c, const char* name, uint32_t first = 0) {
  if (c.rank(first) >= 2) return nullptr;
  return c.error("{} is {}; it must have rank 2 or more: [N, C, ...]", name, c.text(first));
}

Dims without_classes(const Dims& logits) {
  Dims out;
  for (uint32_t a = 0; a < logits.n; ++a)
    if (a != 1) out.push(logits[a]);
  return out;
}

// Input i has these dims, as far as is known.
bool fits(const Infer& c, uint32_t i, const Dims& dims) {
  bool same = c.rank(i) == dims.n;
  for (uint32_t a = 0; same && a < dims.n; ++a) same = !c.differ(c.dim(i, a), dims[a]);
  return same;
}

static_assert(TN_CROSS_ENTROPY_IGNORE_INDEX == TN_NLL_IGNORE_INDEX &&
              TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX == TN_NLL_IGNORE_INDEX &&
              TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING == TN_CROSS_ENTROPY_LABEL_SMOOTHING);
constexpr uint32_t kIgnoreIndex = TN_NLL_IGNORE_INDEX;
constexpr int64_t kExact = int64_t{1} << 53;  // f64 holds all whole numbers up to here

// A weight for each class.
tn_error* check_classes(const Infer& c, const char* name, uint32_t first = 0) {
  const uint32_t w = first + 2;
  if (!c.has(w) || (c.rank(w) == 1 && !c.differ(c.dim(w, 0), c.dim(first, 1)))) return nullptr;
  return c.error("weight is {}; for {}, {}, it must be [{}]: one for each class", c.text(w), name,
                 c.text(first), dim_text(c.dim(first, 1)));
}
tn_error* check_smoothing(const Infer& c, uint32_t key) {
  if (c.f64(key) >= 0 && c.f64(key) <= 1) return nullptr;
  return c.error("label_smoothing is {}; it must be 0 to 1", c.f64(key));
}

// Labels are 0 to C - 1, or ignore_index. Another one is OUT_OF_RANGE, as an index of gather is; on a
// device that cannot report it stands for some class.
tn_error* check_labels(const Infer& c, const char* name, const char* hint, uint32_t first,
                       Dims* samples) {
  TN_TRY(c.within(kIgnoreIndex, "ignore_index", -kExact, kExact));
  TN_TRY(require_classes(c, name, first));
  if (c.dim(first, 1) == 0)
    return c.error("{} is {}: there are no classes along axis 1", name, c.text(first));
  if (kind_of(c.dtype(first + 1)) != kInt)
    return c.error("labels is {}; it must be integer class indices.{}", c.text(first + 1), hint);
  *samples = without_classes(c.dims(first));
  if (!fits(c, first + 1, *samples))
    return c.error(
        "labels is {}; for {}, {}, it must have dims {}: those without the classes, axis 1",
        c.text(first + 1), name, c.text(first), dims_text(samples->span()));
  return check_classes(c, name, first);
}
tn_error* labelled_rule(Infer& c, const char* name, const char* hint) {
  tn_dtype t = TN_DTYPE_NONE;
  Dims samples;
  TN_TRY(c.has(2) ? c.common({0, 2}, kFloat, &t) : c.single(0, name, kFloat, &t));
  TN_TRY(check_labels(c, name, hint, 0, &samples));
  return reduced_out(c, t, samples);
}
constexpr const char* kHint = " For probabilities use cross_entropy_probs.";
tn_error* cross_entropy_rule(Infer& c) {
  TN_TRY(check_smoothing(c, TN_CROSS_ENTROPY_LABEL_SMOOTHING));
  return labelled_rule(c, "logits", kHint);
}
tn_error* nll_rule(Infer& c) { return labelled_rule(c, "log_probabilities", ""); }
tn_error* cross_entropy_grad_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  Dims samples;
  TN_TRY(check_smoothing(c, TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING));
  TN_TRY(c.common({0, 1, 3}, kFloat, &t));
  TN_TRY(check_labels(c, "logits", kHint, 1, &samples));
  TN_TRY(check_reduction(c));
  if (c.string(kReduction) != "none") samples = Dims();
  if (!fits(c, 0, samples))
    return c.error("g is {}; it must have the dims of the loss, {}", c.text(0),
                   dims_text(samples.span()));
  return c.out(0, t, c.dims(1));
}

bool is_mean(const Recipe& b) { return b.string(kReduction) == "mean"; }

// v, which lies beside the logits, times the weights of the classes; v itself without weights.
Value with_class_weights(const Recipe& b, Value v, uint32_t first = 0) {
  const Value weight = b.in(first + 2);
  return weight ? v * along(weight, 1, v.rank()) : v;
}

// What the labels say of each sample. In the gradient they are known to be classes.
struct Labels {
  Value kept;    // bool: it is not ignored; none where no label can be
  Value hit;     // [N, C, ...] bool: the class of each label; of an ignored one some class, or none
  Value counts;  // for how much each counts in the mean; none: 1
};
// check: what they are called, or null.
Labels labels_of(const Recipe& b, const char* check, uint32_t first = 0) {
  const int64_t ignore = b.i64(kIgnoreIndex);
  const Value x = b.in(first), labels = b.in(first + 1), weight = b.in(first + 2);
  const tn_dtype t = x.dtype();
  const Value classes = b.iota(Dims(1, x.dim(1)), 0, TN_DTYPE_I64);
  // The check tells what was given, which as i64 may be another number.
  const bool as_given = check && labels.dtype() == TN_DTYPE_U64;
  Value at = as_given ? labels : cast(labels, TN_DTYPE_I64);
  Labels out;
  if (ignore >= 0 || !is_unsigned(labels.dtype())) {
    out.kept = ne(at, static_cast<double>(ignore));
    if (check || weight) at = where(out.kept, at, 0);
  }
  if (check) at = checked(at, x.dim(1), check, false);
  out.hit = eq(unsqueeze(at, 2u), along(classes, 1, x.rank()));
  if (weight) {
    out.counts = gather(weight, at, 0);
    if (out.kept) out.counts = where(out.kept, out.counts, 0);
  } else if (out.kept) {
    out.counts = cast(out.kept, t);
  }
  return out;
}

// g, the cotangent of the loss, for the loss of each sample of x: with an axis for the classes.
Value class_cotangent(const Recipe& b, Value g, Value x, const Labels& l = {}) {
  if (l.counts && is_mean(b)) g = g / sum(l.counts, l.counts.all_axes(), false);
  if (!static_cast<bool>(l.counts))
    g = sample_cotangent(b, g, b.product(without_classes(x.dims()).span()));
  if (l.kept) g = where(l.kept, g, 0);
  return g.rank() == 0 ? g : unsqueeze(g, 2u);
}

// With label smoothing every class has this share of a label, whose own is so much less than 1.
Value share(const Recipe& b, double smoothing, uint32_t first = 0) {
  return smoothing / b.dim_scalar(b.in(first).dim(1), b.in(first).dtype());
}

// Sets the losses for the logarithms of the probabilities. name: of the labels, in errors.
void set_at_labels(const Recipe& b, Value lp, double smoothing, const char* name) {
  const Labels l = labels_of(b, name);
  Value each = -sum(where(l.hit, lp, 0), 2u, false);
  if (b.in(2)) each = each * l.counts;
  if (smoothing > 0) {
    const Value all = sum(with_class_weights(b, lp), 2u, false);
    each = each * (1 - smoothing) - all * share(b, smoothing);
  }
  if (l.kept) each = where(l.kept, each, 0);
  if (is_mean(b) && l.counts) {
    const Value total = sum(each, each.all_axes(), false);
    return b.set(0, total / sum(l.counts, l.counts.all_axes(), false));
  }
  set_reduced(b, each);
}

// For the weights: what each class adds to the sum, and, in the mean, to what it is divided by.
void set_weight_gradient(const Recipe& b, const Labels& l, Value lp, Value g, double smoothing) {
  Value each = -where(l.hit, lp, 0);
  if (smoothing > 0) each = each * (1 - smoothing) - lp * share(b, smoothing);
  if (is_mean(b)) each = each - where(l.hit, b.out(), 0);
  b.set(2, sum(each * g, lp.all_axes() & ~2u, false));
}

void nll_of_base(Recipe& b) { set_at_labels(b, b.in(0), 0, "nll: labels"); }
void d_nll(Recipe& b) {
  const Labels l = labels_of(b, nullptr);
  const Value g = class_cotangent(b, b.g(), b.in(0), l), dx = where(l.hit, -g, 0);
  if (b.wants(0)) b.set(0, with_class_weights(b, dx));
  if (has_weights(b) && b.wants(2)) set_weight_gradient(b, l, b.in(0), g, 0);
}

void cross_entropy_of_base(Recipe& b) {
  set_at_labels(b, log_softmax(b.in(0), 1), b.f64(TN_CROSS_ENTROPY_LABEL_SMOOTHING),
                "cross_entropy: labels");
}
void d_cross_entropy(Recipe& b) {
  const double smooth = b.f64(TN_CROSS_ENTROPY_LABEL_SMOOTHING);
  const Value x = b.in(0), g = b.g();
  if (b.wants(0)) {
    const tn_value dx = tn_b_cross_entropy_grad(b.raw(), g.v(), x.v(), b.in(1).v(), b.in(2).v(),
                                                b.str(kReduction), b.i64(kIgnoreIndex), smooth);
    b.set(0, {b.raw(), dx});
  }
  if (!has_weights(b) || !b.wants(2)) return;
  const Labels l = labels_of(b, nullptr);
  set_weight_gradient(b, l, log_softmax(x, 1), class_cotangent(b, g, x, l), smooth);
}

void cross_entropy_grad_of_base(Recipe& b) {
  const double smooth = b.f64(TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING);
  const Value x = wide(b.in(1));
  const Labels l = labels_of(b, "cross_entropy_grad: labels", 1);
  const Value g = class_cotangent(b, wide(b.in(0)), x, l), p = softmax(x, 1);
  Value d;
  if (smooth == 0 && !static_cast<bool>(b.in(3))) {
    d = where(l.hit, p - 1, p);
  } else {
    const Value of_label = cast(l.hit, p.dtype()) * (1 - smooth) + share(b, smooth, 1);
    const Value shares = with_class_weights(b, of_label, 1);
    d = p * sum(shares, 2u, true) - shares;
  }
  b.set(0, cast(d * g, b.in(1).dtype()));
}

tn_error* cross_entropy_probs_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(check_smoothing(c, TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING));
  TN_TRY(c.common({0, 1, 2}, kFloat, &t));
  TN_TRY(require_classes(c, "logits"));
  TN_TRY(same_dims(c, "logits", "probabilities"));
  TN_TRY(check_classes(c, "logits"));
  return reduced_out(c, t, without_classes(c.dims(0)));
}

// The probabilities, smoothed.
Value smoothed(const Recipe& b) {
  const double smooth = b.f64(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING);
  const Value q = b.in(1);
  return smooth == 0 ? q : q * (1 - smooth) + share(b, smooth);
}
// 0 * log 0 is 0.
Value products(Value q, Value lp) { return where(eq(q, 0), 0, q * lp); }

void cross_entropy_probs_of_base(Recipe& b) {
  const Value terms = products(smoothed(b), log_softmax(b.in(0), 1));
  set_reduced(b, -sum(with_class_weights(b, terms), 2u, false));
}
// The probabilities need not add up to 1.
void d_cross_entropy_probs(Recipe& b) {
  const Value x = b.in(0), g = class_cotangent(b, b.g(), x);
  if (b.wants(0)) {
    const Value q = with_class_weights(b, smoothed(b));
    b.set(0, (softmax(x, 1) * sum(q, 2u, true) - q) * g);
  }
  const bool of_weights = b.in(2) && b.wants(2);
  if (!b.wants(1) && !of_weights) return;
  const Value each = log_softmax(x, 1);
  if (b.wants(1)) {
    const double kept = 1 - b.f64(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING);
    const Value dq = -(with_class_weights(b, each) * g);
    b.set(1, kept == 1 ? dq : dq * kept);
  }
  if (of_weights) b.set(2, -sum(products(smoothed(b), each) * g, each.all_axes() & ~2u, false));
}

// ---- mse, bce_with_logits: element by element

tn_error* mse_rule(Infer& c) { return pairwise_rule(c, "x"); }
tn_error* bce_rule(Infer& c) { return pairwise_rule(c, "logits"); }

void mse_of_base(Recipe& b) { set_reduced(b, square(b.in(0) - b.in(1))); }
void d_mse(Recipe& b) {
  const Value d = b.in(0) - b.in(1);
  const Value dx = d * (2 * sample_cotangent(b, b.product(d.dims().span())));
  if (b.wants(0)) b.set(0, dx);
  if (b.wants(1)) b.set(1, -dx);
}

// log(1 + exp(-x))
Value negative_softplus(Value x) { return log1p(exp(-abs(x))) - minimum(x, 0); }

// How much the loss of a target that is all positive counts: positive_weight of it.
Value positive(const Recipe& b, Value t) { return t * (b.in(3) - 1); }
// max(x, 0) - x t + log(1 + exp(-|x|))
Value bce_each(const Recipe& b) {
  const Value x = b.in(0), t = b.in(1);
  if (b.in(3)) return x - x * t + negative_softplus(x) * (positive(b, t) + 1);
  return maximum(x, 0) - x * t + log1p(exp(-abs(x)));
}
void bce_of_base(Recipe& b) { set_reduced(b, weighted(b, bce_each(b))); }
void d_bce(Recipe& b) {
  const Value x = b.in(0), t = b.in(1);
  const Value plain = sample_cotangent(b, b.product(x.dims().span())), g = weighted(b, plain);
  if (b.wants(0)) {
    const Value dx = b.in(3) ? 1 - t + (sigmoid(x) - 1) * (positive(b, t) + 1) : sigmoid(x) - t;
    b.set(0, dx * g);
  }
  if (b.wants(1)) b.set(1, b.in(3) ? (negative_softplus(x) * (b.in(3) - 1) - x) * g : -(x * g));
  if (b.in(2) && b.wants(2)) b.set_summed(2, bce_each(b) * plain);
  if (b.in(3) && b.wants(3)) b.set_summed(3, t * negative_softplus(x) * g);
}

}  // namespace

const OpRules rules_cross_entropy = {TN_OP_CROSS_ENTROPY, rule<cross_entropy_rule>,
                                     recipe<cross_entropy_of_base>, recipe<d_cross_entropy>,
                                     nullptr};
// Its gradient is that of the decomposition.
const OpRules rules_cross_entropy_grad = {TN_OP_CROSS_ENTROPY_GRAD, rule<cross_entropy_grad_rule>,
                                          recipe<cross_entropy_grad_of_base>, nullptr, nullptr};
const OpRules rules_nll = {TN_OP_NLL, rule<nll_rule>, recipe<nll_of_base>, recipe<d_nll>, nullptr};
const OpRules rules_cross_entropy_probs = {
    TN_OP_CROSS_ENTROPY_PROBS, rule<cross_entropy_probs_rule>, recipe<cross_entropy_probs_of_base>,
    recipe<d_cross_entropy_probs>, nullptr};
const OpRules rules_mse = {TN_OP_MSE, rule<mse_rule>, recipe<mse_of_base>, recipe<d_mse>, nullptr};
const OpRules rules_bce_with_logits = {TN_OP_BCE_WITH_LOGITS, rule<bce_rule>, recipe<bce_of_base>,
                                       recipe<d_bce>, nullptr};

}  // namespace tenon::ops
