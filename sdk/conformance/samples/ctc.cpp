// ctc: the probability of all ways to write the labels, symbol by symbol: how many labels are written,
// and whether the last symbol was one of them or a blank.
#include <algorithm>
#include <cmath>
#include <limits>

#include "loss.hpp"

namespace tenon::conformance {
namespace {

using Real = long double;  // its range holds the products of a sample

struct Written {
  Real blank = 0, label = 0;  // the last symbol
};

std::vector<Array> ctc(const Call& call) {
  const Array &x = call.in(0), &labels = call.in(1);
  const int64_t steps = x.dims[0], sequences = x.dims[1], classes = x.dims[2],
                most = labels.dims[1];
  const int64_t blank = call.attrs.integer(TN_CTC_BLANK, 0);
  Array y(x.dtype, {sequences});
  for (int64_t n = 0; n < sequences; ++n) {
    // A device that cannot report a number takes the nearest one.
    const int64_t length = std::clamp<int64_t>(call.in(2).integer(n), 0, steps);
    const int64_t count = std::clamp<int64_t>(call.in(3).integer(n), 0, most);
    const auto label = [&](int64_t k) {
      return std::clamp<int64_t>(labels.integer(n * most + k), 0, classes - 1);
    };
    std::vector<Written> now(static_cast<size_t>(count) + 1);
    now[0].blank = 1;
    double size = 1;
    for (int64_t t = 0; t < length; ++t) {
      double greatest = 0;
      const auto p = [&](int64_t c) {
        const double log_p = x.real((t * sequences + n) * classes + c);
        if (!std::isinf(log_p)) greatest = std::max(greatest, std::fabs(log_p));
        return std::exp(static_cast<Real>(log_p));
      };
      std::vector<Written> next(now.size());
      for (size_t k = 0; k < now.size(); ++k) {
        next[k].blank = (now[k].blank + now[k].label) * p(blank);
        if (k == 0) continue;
        const auto at = static_cast<int64_t>(k) - 1;
        Real ways = now[k].label + now[k - 1].blank;
        // The same label twice in a row is one, unless there is a blank between.
        if (k > 1 && label(at) != label(at - 1)) ways += now[k - 1].label;
        next[k].label = ways * p(label(at));
      }
      now = next;
      size += greatest + 1;
    }
    const Real all = now.back().blank + (count > 0 ? now.back().label : 0);
    double loss = static_cast<double>(-std::log(all));
    if (all == 0)
      loss = call.attrs.flag(TN_CTC_ZERO_INFINITY) ? 0 : std::numeric_limits<double>::infinity();
    const bool mean = call.attrs.text(TN_CTC_REDUCTION, "mean") == "mean";
    const double divisor = mean ? static_cast<double>(std::max<int64_t>(count, 1)) : 1;
    y.f[static_cast<size_t>(n)] = loss / divisor;
    y.scale.push_back(size / divisor);
  }
  return {reduced(call, y)};
}

}  // namespace

void add_ctc(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CTC, "ctc");
  s.on(kFloats).gives(ctc, kComposite).gradient(Grad::yes);
  const Fill logs = uniform(-3, -0.1);
  const auto numbers = [](std::vector<double> list, Dims dims, tn_dtype dtype = TN_DTYPE_I64) {
    return in(std::move(dims), values(std::move(list)), dtype);
  };
  const std::vector<double> words{1, 2, 2, 3, 1, 3, 3, 0, 9};  // [3, 3], the last row of one label
  const auto what = [&](std::vector<double> input_lengths, std::vector<double> label_lengths) {
    return std::vector<Input>{in({5, 3, 4}, logs), numbers(words, {3, 3}),
                              numbers(std::move(input_lengths), {3}),
                              numbers(std::move(label_lengths), {3})};
  };
  const std::vector<Input> usual = what({5, 4, 3}, {3, 3, 1});
  s.add(Case{"default", usual}.first_only());
  for (const char* how : {"mean", "sum", "none"}) s.add(Case{how, usual, by(how)}.first_only());
  s.add(Case{"no_labels", what({5, 1, 0}, {0, 0, 0}), by("none")}.first_only());
  s.add(Case{"too_short", what({3, 2, 0}, {3, 3, 1}), by("none")}.no_grad());
  s.add(Case{"too_short_zero",
             what({3, 4, 0}, {3, 3, 1}),
             {text(0, "sum"), flag(TN_CTC_ZERO_INFINITY, true)}}
            .first_only());
  s.add({"last_blank",
         {in({4, 2, 3}, logs), numbers({0, 1, 1, 1}, {2, 2}, TN_DTYPE_I32),
          numbers({4, 3}, {2}, TN_DTYPE_I32), numbers({2, 2}, {2}, TN_DTYPE_U8)},
         {text(0, "none"), integer(TN_CTC_BLANK, 2)}});
  s.add(Case{"impossible_symbol",
             {in({2, 1, 2}, values({-0.5, -1, -std::numeric_limits<double>::infinity(), -0.7})),
              numbers({1}, {1, 1}), numbers({2}, {1}), numbers({1}, {1})},
             by("none")}
            .no_grad());
  s.add(
      Case{"no_steps",
           {in({0, 2, 3}, logs), numbers({1, 2}, {2, 1}), numbers({0}, {2}), numbers({0, 1}, {2})},
           by("none")}
          .no_grad());
  s.add(Case{"no_sequences",
             {in({4, 0, 3}, logs), numbers({1}, {0, 2}), numbers({4}, {0}), numbers({2}, {0})},
             by("sum")}
            .first_only());
  s.add(Case{"labels_empty",
             {in({3, 2, 3}, logs), numbers({1}, {2, 0}), numbers({3, 2}, {2}), numbers({0}, {2})},
             by("none")}
            .first_only());
  std::vector<double> cycle;
  for (int k = 0; k < 17; ++k) cycle.push_back(1 + k * 5 % 18);
  s.add(Case{"large",
             {in({40, 6, 19}, logs), numbers(cycle, {6, 12}), numbers({40, 33, 25}, {6}),
              numbers({12, 9, 11, 1}, {6})},
             by("none")}
            .large());
  const auto out_of_range = [&](const char* name, size_t input, Input other) {
    std::vector<Input> bad = usual;
    bad[input] = std::move(other);
    s.add(Case{name, bad, by("none")}.out_of_range());
  };
  out_of_range("no_such_label", 1, numbers({1, 2, 3, 4, 1, 1, 1, 1, 1}, {3, 3}));
  out_of_range("negative_label", 1, numbers({1, 2, 3, -1, 1, 2, 1, 1, 1}, {3, 3}));
  out_of_range("input_beyond", 2, numbers({6, 4, 3}, {3}));
  out_of_range("input_negative", 2, numbers({5, -1, 3}, {3}));
  out_of_range("labels_beyond", 3, numbers({3, 4, 1}, {3}));
  const auto refuse = [&](const char* name, size_t input, Input other, std::vector<Attr> how = {}) {
    std::vector<Input> bad = usual;
    bad[input] = std::move(other);
    s.add(Case{name, bad, std::move(how)}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  };
  refuse("rank2", 0, in({5, 4}, logs));
  refuse("float_labels", 1, in({3, 3}, logs));
  refuse("labels_in_a_row", 1, numbers(words, {9}));
  refuse("labels_do_not_fit", 1, numbers(words, {2, 3}));
  refuse("lengths_do_not_fit", 2, numbers({5, 4}, {2}));
  refuse("float_lengths", 3, in({3}, logs));
  refuse("no_such_blank", 0, in({5, 3, 4}, logs), {integer(TN_CTC_BLANK, 4)});
  refuse("negative_blank", 0, in({5, 3, 4}, logs), {integer(TN_CTC_BLANK, -1)});
  refuse("unknown_reduction", 0, in({5, 3, 4}, logs), by("median"));
}

}  // namespace tenon::conformance
