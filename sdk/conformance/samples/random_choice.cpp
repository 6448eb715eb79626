// Random whole numbers, choices and orders, and the truncated normal distribution.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tenon/conformance/philox.hpp"

namespace tenon::conformance {
namespace {

bool halves(tn_dtype dtype) { return dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16; }

uint64_t random_u64(const RandomState& state, int64_t i) {
  const auto at = 2 * static_cast<uint64_t>(i);
  return uint64_t{random_word(state, at)} << 32 | random_word(state, at + 1);
}

std::vector<Array> randint(const Call& call) {
  Array y(call.attrs.type(TN_RANDINT_DTYPE, TN_DTYPE_I64), call.attrs.list(TN_RANDINT_DIMS));
  const int64_t low = call.attrs.integer(TN_RANDINT_LOW, 0);
  const auto width = static_cast<uint64_t>(call.attrs.integer(TN_RANDINT_HIGH, 0) - low);
  for (int64_t k = 0; k < y.count(); ++k)
    y.set(k, static_cast<int64_t>(static_cast<uint64_t>(low) + random_u64(call.random, k) % width));
  return {y};
}

std::string judge_randint(const Call& call, const std::vector<Array>& got) {
  const Array& y = got[0];
  const auto low = static_cast<double>(call.attrs.integer(TN_RANDINT_LOW, 0));
  const auto high = static_cast<double>(call.attrs.integer(TN_RANDINT_HIGH, 0));
  double sum = 0;
  for (int64_t k = 0; k < y.count(); ++k) {
    if (y.real(k) < low || y.real(k) > high - 1)
      return std::to_string(y.integer(k)) + " is outside the interval";
    sum += y.real(k);
  }
  const auto n = static_cast<double>(y.count());
  const double fault = std::fabs(sum / n - (low + high - 1) / 2);
  if (n < 1000 || fault <= 6 * (high - low) / std::sqrt(12 * n)) return "";
  return "the mean is off by " + std::to_string(fault);
}

double below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

// By halving: the point up to which the share u of the numbers in the interval lies.
std::vector<Array> truncated_normal(const Call& call) {
  Array y(call.attrs.type(TN_TRUNCATED_NORMAL_DTYPE, TN_DTYPE_F32),
          call.attrs.list(TN_TRUNCATED_NORMAL_DIMS));
  if (halves(y.dtype)) return {};
  const double mean = call.attrs.number(TN_TRUNCATED_NORMAL_MEAN, 0);
  const double deviation = call.attrs.number(TN_TRUNCATED_NORMAL_DEVIATION, 1);
  const double first = (call.attrs.number(TN_TRUNCATED_NORMAL_LOW, -2) - mean) / deviation;
  const double last = (call.attrs.number(TN_TRUNCATED_NORMAL_HIGH, 2) - mean) / deviation;
  for (int64_t k = 0; k < y.count(); ++k) {
    const double u = random_unit(call.random, static_cast<uint64_t>(k), y.dtype == TN_DTYPE_F64);
    const double share = below(first) + u * (below(last) - below(first));
    double low = std::max(first, -40.0), high = std::min(last, 40.0);
    for (int step = 0; step < 100; ++step)
      (below((low + high) / 2) < share ? low : high) = (low + high) / 2;
    y.f[static_cast<size_t>(k)] = mean + deviation * low;
    // An error of the share counts the more the fewer numbers lie there.
    y.scale.push_back(std::fabs(mean) + deviation * (std::fabs(low) + std::exp(low * low / 2)));
  }
  return {y};
}

std::string judge_truncated(const Call& call, const std::vector<Array>& got) {
  const double low = call.attrs.number(TN_TRUNCATED_NORMAL_LOW, -2);
  const double high = call.attrs.number(TN_TRUNCATED_NORMAL_HIGH, 2);
  const Array& y = got[0];
  const auto n = static_cast<double>(std::max<int64_t>(y.count(), 1));
  double sum = 0;
  for (int64_t k = 0; k < y.count(); ++k) {
    if (y.real(k) < round_to(y.dtype, low) || y.real(k) > round_to(y.dtype, high))
      return std::to_string(y.real(k)) + " is outside the interval";
    sum += y.real(k);
  }
  const double mean = call.attrs.number(TN_TRUNCATED_NORMAL_MEAN, 0);
  const double deviation = call.attrs.number(TN_TRUNCATED_NORMAL_DEVIATION, 1);
  const double a = (low - mean) / deviation, b = (high - mean) / deviation;
  const double expected = mean + deviation * (std::exp(-a * a / 2) - std::exp(-b * b / 2)) /
                                     std::sqrt(2 * M_PI) / (below(b) - below(a));
  if (n < 1000 || std::fabs(sum / n - expected) <= 6 * (high - low) / std::sqrt(12 * n)) return "";
  return "the mean is " + std::to_string(sum / n) + ", expected " + std::to_string(expected);
}

// Gumbel's trick, as a race: the least of -ln(u) / e^logit.
std::vector<Array> categorical(const Call& call) {
  const Array& x = call.in(0);
  const int64_t n = x.dims.back();
  Array y(TN_DTYPE_I64, Dims(x.dims.begin(), x.dims.end() - 1));
  for (int64_t k = 0; k < y.count(); ++k) {
    int64_t first = 0;
    double least = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<uint64_t>(k * n + i);
      const double u = random_unit(call.random, at, x.dtype == TN_DTYPE_F64);
      const double time = -std::log(u) / std::exp(x.real(k * n + i));
      if (i == 0 || time < least) {
        first = i;
        least = time;
      }
    }
    y.set(k, first);
  }
  return {y};
}

// Each column has the same logits in every row.
std::string judge_categorical(const Call& call, const std::vector<Array>& got) {
  const Array &x = call.in(0), &y = got[0];
  if (y.count() < 1000) return "";
  const int64_t n = x.dims.back();
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += std::exp(x.real(i));
  for (int64_t i = 0; i < n; ++i) {
    const auto rows = static_cast<double>(y.count());
    const double p = std::exp(x.real(i)) / total,
                 share = static_cast<double>(std::count(y.i.begin(), y.i.end(), i)) / rows;
    if (std::fabs(share - p) > 6 * std::sqrt(p * (1 - p) / rows))
      return "index " + std::to_string(i) + " has the share " + std::to_string(share) +
             ", expected " + std::to_string(p);
  }
  return "";
}

std::vector<Array> permutation(const Call& call) {
  Array y(TN_DTYPE_I64, {call.attrs.integer(TN_PERMUTATION_N, 0)});
  std::iota(y.i.begin(), y.i.end(), 0);
  std::vector<uint64_t> keys;
  for (const int64_t k : y.i) keys.push_back(random_u64(call.random, k));
  std::stable_sort(y.i.begin(), y.i.end(), [&](int64_t a, int64_t b) {
    return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)];
  });
  return {y};
}

std::string judge_permutation(const Call&, const std::vector<Array>& got) {
  std::vector<int64_t> seen = got[0].i;
  std::sort(seen.begin(), seen.end());
  for (size_t k = 0; k < seen.size(); ++k)
    if (seen[k] != static_cast<int64_t>(k)) return std::to_string(k) + " does not stand once";
  return "";
}

OpSamples& add_op(Catalogue& c, tn_op op, const char* name, const Oracle& oracle,
                  Tolerance tolerance, const Judge& judge, uint64_t words) {
  OpSamples& s = c.add(op, name);
  s.gives(oracle, tolerance);
  s.random = true;
  s.judge = judge;
  s.words = words;
  s.words_f64 = 2;
  return s;
}

void add_randint(Catalogue& c) {
  OpSamples& s = add_op(c, TN_OP_RANDINT, "randint", randint, kExact, judge_randint, 2);
  const auto how = [](Dims dims, int64_t low, int64_t high, tn_dtype dtype = TN_DTYPE_I64) {
    return std::vector<Attr>{list(TN_RANDINT_DIMS, std::move(dims)), integer(TN_RANDINT_LOW, low),
                             integer(TN_RANDINT_HIGH, high), type(TN_RANDINT_DTYPE, dtype)};
  };
  s.add(
      {"default",
       {},
       {list(TN_RANDINT_DIMS, {3, 5}), integer(TN_RANDINT_LOW, 0), integer(TN_RANDINT_HIGH, 10)}});
  s.add({"rank0", {}, how({}, -4, 9)});
  s.add({"empty", {}, how({0, 2}, 0, 3)});
  s.add({"many", {}, how({9001}, -7, 5)});
  s.add({"one_choice", {}, how({7}, 5, 6)});
  s.add({"wide", {}, how({31}, -(int64_t{1} << 62), (int64_t{1} << 62) - 1)});
  s.add({"lowest", {}, how({31}, INT64_MIN, -3)});
  for (const tn_dtype dtype : kUnsigned) s.add({name_of(dtype), {}, how({33}, 3, 120, dtype)});
  for (const tn_dtype dtype : kSigned) s.add({name_of(dtype), {}, how({33}, -128, 128, dtype)});
  const auto refuse = [&](const char* name, std::vector<Attr> attrs) {
    s.add(Case{name, {}, std::move(attrs)}.refused(TN_INVALID_ARGUMENT));
  };
  refuse("nothing_between", how({3}, 4, 4));
  refuse("too_wide", how({3}, INT64_MIN, 4));
  refuse("not_in_i8", how({3}, -129, 4, TN_DTYPE_I8));
  refuse("not_in_u8", how({3}, 0, 257, TN_DTYPE_U8));
  refuse("not_in_u64", how({3}, -1, 3, TN_DTYPE_U64));
  refuse("float", how({3}, 0, 3, TN_DTYPE_F32));
}

void add_truncated(Catalogue& c) {
  OpSamples& s = add_op(c, TN_OP_TRUNCATED_NORMAL, "truncated_normal", truncated_normal, kComposite,
                        judge_truncated, 1);
  const auto how = [](Dims dims, tn_dtype dtype) {
    return std::vector<Attr>{list(TN_TRUNCATED_NORMAL_DIMS, std::move(dims)),
                             type(TN_TRUNCATED_NORMAL_DTYPE, dtype)};
  };
  s.add({"default", {}, {list(TN_TRUNCATED_NORMAL_DIMS, {3, 5})}});
  s.add({"rank0", {}, how({}, TN_DTYPE_F32)});
  s.add({"empty", {}, how({0, 2}, TN_DTYPE_F32)});
  for (const tn_dtype dtype : kFloats) {
    const std::string name = name_of(dtype);
    s.add({name, {}, how({9001}, dtype)});
    std::vector<Attr> attrs = how({2001}, dtype);
    attrs.push_back(number(TN_TRUNCATED_NORMAL_MEAN, 1.5));
    attrs.push_back(number(TN_TRUNCATED_NORMAL_DEVIATION, 0.5));
    attrs.push_back(number(TN_TRUNCATED_NORMAL_LOW, 1));
    attrs.push_back(number(TN_TRUNCATED_NORMAL_HIGH, 3));
    s.add({name + "_shifted", {}, attrs});
  }
  // Some of these numbers lie far out.
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_F64}) {
    std::vector<Attr> wide = how({2001}, dtype);
    wide.push_back(number(TN_TRUNCATED_NORMAL_LOW, -1e30));
    wide.push_back(number(TN_TRUNCATED_NORMAL_HIGH, 1e30));
    s.add({name_of(dtype) + "_wide", {}, wide});
  }
  std::vector<Attr> none = how({3}, TN_DTYPE_F32);
  none.push_back(number(TN_TRUNCATED_NORMAL_LOW, 2));
  s.add(Case{"nothing_between", {}, none}.refused(TN_INVALID_ARGUMENT));
}

void add_choices(Catalogue& c) {
  OpSamples& s =
      add_op(c, TN_OP_CATEGORICAL, "categorical", categorical, kExact, judge_categorical, 1);
  s.on(kFloats);
  const Fill any = uniform(-2, 2);
  s.add({"rows", {in({7, 5}, any)}});
  s.add({"vector", {in({6}, any)}});
  s.add({"plane", {in({2, 3, 4}, any)}});
  s.add({"one", {in({3, 1}, any)}});
  s.add({"shares", {in({2001, 4}, values({0, 1, -1, 0.5}))}});
  s.add(Case{"impossible", {in({50, 3}, values({-std::numeric_limits<double>::infinity(), 0, 1}))}}
            .plain());
  s.add({"no_rows", {in({0, 3}, any)}});
  s.add(Case{"nothing", {in({3, 0}, any)}}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));

  OpSamples& order =
      add_op(c, TN_OP_PERMUTATION, "permutation", permutation, kExact, judge_permutation, 2);
  // 300,007 keys: of some the upper halves are equal.
  for (const int64_t n : {0, 1, 2, 7, 9001, 300007})
    order.add({std::to_string(n), {}, {integer(TN_PERMUTATION_N, n)}});
  order.add(Case{"below_zero", {}, {integer(TN_PERMUTATION_N, -1)}}.refused(TN_INVALID_ARGUMENT));
}

}  // namespace

void add_random_choice(Catalogue& c) {
  add_randint(c);
  add_truncated(c);
  add_choices(c);
}

}  // namespace tenon::conformance
