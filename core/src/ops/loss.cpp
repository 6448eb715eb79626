// Losses over classes, and the common ones element by element. Each has an attribute reduction, its
// first: 'mean' and 'sum' give a scalar, 'none' one loss per sample or element. f16 and bf16 are
// computed in f32.
#include "loss.hpp"

namespace tenon::ops {

static_assert(kReduction == TN_CROSS_ENTROPY_REDUCTION &&
              kReduction == TN_CROSS_ENTROPY_PROBS_REDUCTION && kReduction == TN_MSE_REDUCTION &&
              kReduction == TN_BCE_WITH_LOGITS_REDUCTION && kReduction == TN_NLL_REDUCTION);

tn_error* reduced_out(const Infer& c, tn_dtype t, const Dims& each) {
  const auto reduction = c.string(kReduction);
  TN_TRY(c.choice("reduction", reduction, {"mean", "sum", "none"}));
  return c.out(0, t, reduction == "none" ? each : Dims());
}

void set_reduced(const Recipe& b, Value each, tn_dtype t) {
  const auto reduction = b.string(kReduction);
  if (reduction == "sum") each = sum(each, each.all_axes(), false);
  if (reduction == "mean") each = mean(each, each.all_axes(), false);
  b.set(0, cast(each, t));
}

Value sample_cotangent(const Recipe& b, int64_t samples) {
  const Value g = wide(b.g());
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
  TN_TRY(c.common({0, 1}, kFloat, &t));
  TN_TRY(same_dims(c, first, "target"));
  return reduced_out(c, t, c.dims(0));
}

namespace {

// ---- cross_entropy, nll: the classes lie along axis 1

tn_error* require_classes(const Infer& c, const char* name) {
  if (c.rank(0) >= 2) return nullptr;
  return c.error("{} is {}; it must have rank 2 or more: [N, C, ...]", name, c.text(0));
}

Dims without_classes(const Dims& logits) {
  Dims out;
  for (uint32_t a = 0; a < logits.n; ++a)
    if (a != 1) out.push(logits[a]);
  return out;
}

// Labels are 0 to C - 1. Another one is OUT_OF_RANGE, as an index of gather is; on a device that
// cannot report it stands for some class.
tn_error* labelled_rule(Infer& c, const char* name, const char* hint) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, name, kFloat, &t));
  TN_TRY(require_classes(c, name));
  if (c.dim(0, 1) == 0)
    return c.error("{} is {}: there are no classes along axis 1", name, c.text(0));
  if (kind_of(c.dtype(1)) != kInt)
    return c.error("labels is {}; it must be integer class indices.{}", c.text(1), hint);
  const Dims samples = without_classes(c.dims(0));
  bool fits = c.rank(1) == samples.n;
  for (uint32_t a = 0; fits && a < samples.n; ++a) fits = !c.differ(c.dim(1, a), samples[a]);
  if (!fits)
    return c.error(
        "labels is {}; for {}, {}, it must have dims {}: those without the classes, axis 1",
        c.text(1), name, c.text(0), dims_text(samples.span()));
  return reduced_out(c, t, samples);
}
tn_error* cross_entropy_rule(Infer& c) {
  return labelled_rule(c, "logits", " For probabilities use cross_entropy_probs.");
}
tn_error* nll_rule(Infer& c) { return labelled_rule(c, "log_probabilities", ""); }

Value class_numbers(const Recipe& b) { return b.iota(Dims(1, b.in(0).dim(1)), 0, TN_DTYPE_I64); }

// The labels, looked up among the numbers of the classes: gather checks them. As unsigned numbers,
// because negative indices would count from the end.
Value checked_labels(const Recipe& b) {
  return gather(class_numbers(b), cast(b.in(1), TN_DTYPE_U64), 0);
}

// True at the class of each label.
Value is_label(const Recipe& b, Value labels) {
  return eq(unsqueeze(labels, 2u), along(class_numbers(b), 1, b.in(0).rank()));
}

int64_t sample_count(const Recipe& b) { return b.product(without_classes(b.in(0).dims()).span()); }
// The cotangent with an axis for the classes.
Value class_cotangent(const Recipe& b) {
  const Value g = sample_cotangent(b, sample_count(b));
  return b.string(kReduction) == "none" ? unsqueeze(g, 2u) : g;
}

void set_at_labels(const Recipe& b, Value lp) {
  set_reduced(b, -sum(where(is_label(b, checked_labels(b)), lp, 0), 2u, false), b.in(0).dtype());
}

void nll_of_base(Recipe& b) { set_at_labels(b, wide(b.in(0))); }
void d_nll(Recipe& b) {
  if (!b.wants(0)) return;
  b.set(0, where(is_label(b, cast(b.in(1), TN_DTYPE_I64)), -class_cotangent(b), 0));
}

void cross_entropy_of_base(Recipe& b) { set_at_labels(b, log_softmax(wide(b.in(0)), 1)); }
void d_cross_entropy(Recipe& b) {
  if (!b.wants(0)) return;
  const Value p = softmax(wide(b.in(0)), 1);
  const Value hit = is_label(b, cast(b.in(1), TN_DTYPE_I64));
  b.set(0, where(hit, p - 1, p) * class_cotangent(b));
}

tn_error* cross_entropy_probs_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  TN_TRY(require_classes(c, "logits"));
  TN_TRY(same_dims(c, "logits", "probabilities"));
  return reduced_out(c, t, without_classes(c.dims(0)));
}

void cross_entropy_probs_of_base(Recipe& b) {
  const Value q = wide(b.in(1)), lp = log_softmax(wide(b.in(0)), 1);
  // 0 * log 0 is 0.
  const Value terms = where(eq(q, 0), 0, q * lp);
  set_reduced(b, -sum(terms, 2u, false), b.in(0).dtype());
}
// The probabilities need not add up to 1.
void d_cross_entropy_probs(Recipe& b) {
  const Value x = wide(b.in(0)), q = wide(b.in(1)), g = class_cotangent(b);
  if (b.wants(0)) b.set(0, (softmax(x, 1) * sum(q, 2u, true) - q) * g);
  if (b.wants(1)) b.set(1, -(log_softmax(x, 1) * g));
}

// ---- mse, bce_with_logits: element by element

tn_error* mse_rule(Infer& c) { return pairwise_rule(c, "x"); }
tn_error* bce_rule(Infer& c) { return pairwise_rule(c, "logits"); }

void mse_of_base(Recipe& b) {
  set_reduced(b, square(wide(b.in(0)) - wide(b.in(1))), b.in(0).dtype());
}
void d_mse(Recipe& b) {
  const Value d = wide(b.in(0)) - wide(b.in(1));
  const Value dx = d * (2 * sample_cotangent(b, b.product(d.dims().span())));
  if (b.wants(0)) b.set(0, dx);
  if (b.wants(1)) b.set(1, -dx);
}

// max(x, 0) - x t + log(1 + exp(-|x|))
void bce_of_base(Recipe& b) {
  const Value x = wide(b.in(0)), t = wide(b.in(1));
  set_reduced(b, maximum(x, 0) - x * t + log1p(exp(-abs(x))), b.in(0).dtype());
}
void d_bce(Recipe& b) {
  const Value x = wide(b.in(0)), t = wide(b.in(1));
  const Value g = sample_cotangent(b, b.product(x.dims().span()));
  if (b.wants(0)) b.set(0, (sigmoid(x) - t) * g);
  if (b.wants(1)) b.set(1, -(x * g));
}

}  // namespace

const OpRules rules_cross_entropy = {TN_OP_CROSS_ENTROPY, rule<cross_entropy_rule>,
                                     recipe<cross_entropy_of_base>, recipe<d_cross_entropy>,
                                     nullptr};
const OpRules rules_nll = {TN_OP_NLL, rule<nll_rule>, recipe<nll_of_base>, recipe<d_nll>, nullptr};
const OpRules rules_cross_entropy_probs = {
    TN_OP_CROSS_ENTROPY_PROBS, rule<cross_entropy_probs_rule>, recipe<cross_entropy_probs_of_base>,
    recipe<d_cross_entropy_probs>, nullptr};
const OpRules rules_mse = {TN_OP_MSE, rule<mse_rule>, recipe<mse_of_base>, recipe<d_mse>, nullptr};
const OpRules rules_bce_with_logits = {TN_OP_BCE_WITH_LOGITS, rule<bce_rule>, recipe<bce_of_base>,
                                       recipe<d_bce>, nullptr};

}  // namespace tenon::ops
