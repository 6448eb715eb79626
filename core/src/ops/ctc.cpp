// ctc: the loss of connectionist temporal classification (Graves, Fernandez, Gomez, Schmidhuber: ICML
// 2006). The labels with a blank before, between and after them are L = 2 S + 1 states; alpha[s] is the
// log of the probability of all ways to be in state s after so many steps. The steps are unrolled, the
// sequences and states side by side.
#include <limits>

#include "loss.hpp"
#include "recurrent.hpp"
#include "scatter.hpp"

namespace tenon::ops {

static_assert(kReduction == TN_CTC_REDUCTION);

namespace {

tn_error* ctc_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "log_probabilities", kFloat, &t));
  TN_TRY(c.require_rank(0, "log_probabilities", 3, "[T, N, C]"));
  TN_TRY(c.require_rank(1, "labels", 2, "[N, S]"));
  const int64_t sequences = c.dim(0, 1), classes = c.dim(0, 2), blank = c.i64(TN_CTC_BLANK);
  if (kind_of(c.dtype(1)) != kInt)
    return c.error("labels is {}; it must be integer. Cast it first (cast, dtype = i64).",
                   c.text(1));
  if (c.differ(c.dim(1, 0), sequences))
    return c.error("labels is {}; for log_probabilities, {}, it must have {} rows", c.text(1),
                   c.text(0), dim_text(sequences));
  TN_TRY(require_lengths(c, 2, "input_lengths", sequences));
  TN_TRY(require_lengths(c, 3, "label_lengths", sequences));
  if (blank < 0 || (concrete(classes) && blank >= classes))
    return c.error("blank is {}; log_probabilities is {}: it must be one of the {} classes", blank,
                   c.text(0), dim_text(classes));
  TN_TRY(c.check_count(c.dims(0)));
  Dims states(2, sequences);
  states[1] = c.add(c.mul(2, c.dim(1, 1)), 3);
  TN_TRY(c.check_count(states));
  return reduced_out(c, t, Dims(1, sequences));
}

// The log of 0: a number, so that the difference of two such is one.
constexpr double kNever = -1e30;

// [N, L]: elements moved by n states up; the first ones are `value`.
Value moved_up(Value x, int64_t n, double value) {
  Dims low(2, 0);
  low[1] = n;
  return part(pad(x, low, Dims(2, 0), Dims(), value), 1, 0, -n);
}
Value moved_down(Value x, int64_t n) {
  Dims high(2, 0);
  high[1] = n;
  return part(pad(x, Dims(2, 0), high, Dims()), 1, n, kToEnd);
}

struct Ctc {
  const Recipe& b;
  Value x;                // f32 or f64
  int64_t steps, states;  // T, L
  Value label_lengths;    // i64 [N]
  Value ends;             // bool [N, L]: where a sequence may end
  Value skips;            // [N, L]: 0 where a state may follow the last but one, else never
  Value places;           // [T, N, L]: of the states' classes among the elements of x
  Value valid;            // bool [T, N, 1]: within a sequence

  explicit Ctc(const Recipe& builder) : b(builder), x(b.in(0)), steps(x.dim(0)) {
    const int64_t sequences = x.dim(1), classes = x.dim(2), most = b.in(1).dim(1);
    const auto blank = static_cast<double>(b.i64(TN_CTC_BLANK));
    label_lengths = checked(b.in(3), b.add(most, 1), "ctc: label_lengths", false);
    const Value count = with(label_lengths, 1);
    // What lies beyond a length stands for nothing, and is not looked at.
    Dims columns(2, 1);
    columns[1] = most;
    const Value labels = checked(
        where(lt(b.iota(columns, 1, TN_DTYPE_I64), count), cast(b.in(1), TN_DTYPE_I64), blank),
        classes, "ctc: labels", false);
    Dims between(2, 0), one(2, 1);
    between[1] = 1;
    one[0] = sequences;
    const Value classes_of = most == 0 ? b.fill(blank, one, TN_DTYPE_I64)
                                       : pad(labels, between, between, between, blank);
    states = classes_of.dim(1);
    columns[1] = states;
    const Value state = b.iota(columns, 1, TN_DTYPE_I64);
    ends = either(eq(state, count * 2), eq(state, count * 2 - 1));
    const Value stuck = either(eq(classes_of, blank), eq(classes_of, moved_up(classes_of, 2, -1)));
    skips = cast(stuck, x.dtype()) * kNever;
    Dims times(3, 1), rows(3, 1);
    times[0] = steps;
    rows[1] = sequences;
    const Value time = b.iota(times, 0, TN_DTYPE_I64);
    const Value item = time * b.dim_scalar(sequences, TN_DTYPE_I64) + b.iota(rows, 1, TN_DTYPE_I64);
    places = item * b.dim_scalar(classes, TN_DTYPE_I64) + with(classes_of, 0);
    valid = lt(time, reshape(checked(b.in(2), b.add(steps, 1), "ctc: input_lengths", false), rows));
  }

  static Value either(Value p, Value q) { return {p.b(), tn_b_or(p.b(), p.v(), q.v())}; }
  Value at(Value v, int64_t t) const { return without(part(v, 0, t, t + 1), 0); }
  Value flat(Value v) const { return reshape(v, Dims(1, b.product(v.dims().span()))); }

  // A step of one sequence: the three states that may come before each, and the log of their sum.
  struct Step {
    Value stay, next, skip, sum;
  };
  Step step(Value alpha) const {
    Step s{alpha, moved_up(alpha, 1, kNever), moved_up(alpha, 2, kNever) + skips, {}};
    const Value most = maximum(maximum(s.stay, s.next), s.skip);
    s.sum = most + log(exp(s.stay - most) + exp(s.next - most) + exp(s.skip - most));
    return s;
  }

  // alpha after all steps, [N, L]; beyond its length a sequence keeps it. Before the first step only
  // state 0 is possible.
  Value forward(std::vector<Step>* all) const {
    Dims to(2, 1);
    to[1] = states;
    Value alpha = cast(ne(b.iota(to, 1, TN_DTYPE_I64), 0), x.dtype()) * kNever;
    to[0] = x.dim(1);
    alpha = expand(alpha, to);
    const Value emitted = maximum(gather(flat(x), places, 0), kNever);
    for (int64_t t = 0; t < steps; ++t) {
      const Step s = step(alpha);
      alpha = where(at(valid, t), at(emitted, t) + s.sum, alpha);
      if (all) all->push_back(s);
    }
    return alpha;
  }

  // The log of the probability of each sequence, [N, 1].
  Value log_probability(Value alpha) const {
    const Value last = where(ends, alpha, kNever), most = max(last, 2u, true);
    return most + log(sum(exp(last - most), 2u, true));
  }
  static Value impossible(Value log_p) { return lt(log_p, kNever / 2); }
  Value divisor() const { return cast(maximum(label_lengths, 1), x.dtype()); }
};

void ctc_of_base(Recipe& b) {
  if (!unrolls(b, b.in(0).dim(0))) return;
  const Ctc p(b);
  const Value log_p = without(p.log_probability(p.forward(nullptr)), 1);
  const double otherwise =
      b.flag(TN_CTC_ZERO_INFINITY) ? 0 : std::numeric_limits<double>::infinity();
  Value loss = where(Ctc::impossible(log_p), otherwise, -log_p);
  if (b.string(TN_CTC_REDUCTION) == "mean") loss = loss / p.divisor();
  set_reduced(b, loss);
}

// d loss / d x is minus the probability, given the labels, to be in a state of that class at that time.
// It goes back from step to step in the shares that the states before had in the sum. Nothing goes
// back from an infinite loss.
void d_ctc(Recipe& b) {
  if (!b.wants(0) || !unrolls(b, b.in(0).dim(0))) return;
  const Ctc p(b);
  std::vector<Ctc::Step> all;
  const Value alpha = p.forward(&all), log_p = p.log_probability(alpha);
  Value g = sample_cotangent(b, p.x.dim(1));
  if (b.string(TN_CTC_REDUCTION) == "mean") g = g / p.divisor();
  if (g.rank() == 1) g = with(g, 1);
  const Value counts = Ctc::either(!p.ends, Ctc::impossible(log_p));
  Value state = where(counts, 0, -exp(alpha - log_p) * g);
  Values emitted(static_cast<size_t>(p.steps));
  for (int64_t t = p.steps; t-- > 0;) {
    const Ctc::Step& s = all[static_cast<size_t>(t)];
    const Value within = p.at(p.valid, t), here = where(within, state, 0);
    emitted[static_cast<size_t>(t)] = with(here, 0);
    const Value before = here * exp(s.stay - s.sum) + moved_down(here * exp(s.next - s.sum), 1) +
                         moved_down(here * exp(s.skip - s.sum), 2);
    state = where(within, before, state);
  }
  const int64_t count = b.product(p.x.dims().span());
  Value dx = b.fill(0, Dims(1, count), p.x.dtype());
  if (p.steps > 0) dx = scatter(dx, p.flat(p.places), p.flat(joined(emitted, 0)), 0, "add");
  b.set(0, reshape_like(dx, p.x));
}

}  // namespace

const OpRules rules_ctc = {TN_OP_CTC, rule<ctc_rule>, recipe<ctc_of_base>, recipe<d_ctc>, nullptr};

}  // namespace tenon::ops
