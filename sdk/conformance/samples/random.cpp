// Random numbers: every value follows from the state, and the values are distributed as they say.
#include <cmath>

#include "tenon/conformance/philox.hpp"

namespace tenon::conformance {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xd2511f53u} * c[0], b = uint64_t{0xcd9e8d57u} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return c;
}

uint32_t random_word(const RandomState& state, uint64_t i) {
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const auto high = [](uint64_t v) { return static_cast<uint32_t>(v >> 32); };
  const uint64_t counter = state.offset + i / 4;
  return philox4x32({low(counter), high(counter), low(state.stream), high(state.stream)},
                    {low(state.seed), high(state.seed)})[i % 4];
}

double random_unit(const RandomState& state, uint64_t i, bool two_words) {
  if (!two_words) return (random_word(state, i) >> 8) * 0x1p-24;
  const uint64_t word = uint64_t{random_word(state, 2 * i)} << 32 | random_word(state, 2 * i + 1);
  return static_cast<double>(word >> 11) * 0x1p-53;
}

namespace {

bool halves(tn_dtype dtype) { return dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16; }

std::vector<Array> philox(const Call& call) {
  Array y(TN_DTYPE_U32, call.attrs.list(TN_PHILOX_DIMS));
  for (int64_t k = 0; k < y.count(); ++k)
    y.set(k, int64_t{random_word(call.random, static_cast<uint64_t>(k))});
  return {y};
}

std::vector<Array> uniform_numbers(const Call& call) {
  Array y(call.attrs.type(TN_UNIFORM_DTYPE, TN_DTYPE_F32), call.attrs.list(TN_UNIFORM_DIMS));
  if (halves(y.dtype)) return {};
  const double low = call.attrs.number(TN_UNIFORM_LOW, 0);
  const double high = call.attrs.number(TN_UNIFORM_HIGH, 1);
  for (int64_t k = 0; k < y.count(); ++k) {
    const double u = random_unit(call.random, static_cast<uint64_t>(k), y.dtype == TN_DTYPE_F64);
    y.f[static_cast<size_t>(k)] = low + u * (high - low);
    y.scale.push_back(std::max(std::fabs(low), std::fabs(high)));
  }
  return {y};
}

std::vector<Array> normal_numbers(const Call& call) {
  Array y(call.attrs.type(TN_NORMAL_DTYPE, TN_DTYPE_F32), call.attrs.list(TN_NORMAL_DIMS));
  if (halves(y.dtype)) return {};
  const double mean = call.attrs.number(TN_NORMAL_MEAN, 0);
  const double deviation = call.attrs.number(TN_NORMAL_DEVIATION, 1);
  for (int64_t k = 0; k < y.count(); ++k) {
    const auto unit = [&](int64_t i) {
      return random_unit(call.random, static_cast<uint64_t>(i), y.dtype == TN_DTYPE_F64);
    };
    const double radius = std::sqrt(-2 * std::log1p(-unit(2 * k)));
    y.f[static_cast<size_t>(k)] = mean + deviation * radius * std::cos(2 * M_PI * unit(2 * k + 1));
    y.scale.push_back(std::fabs(mean) + 2 * std::fabs(deviation) * radius);
  }
  return {y};
}

std::vector<Array> bernoulli(const Call& call) {
  Array y(call.attrs.type(TN_BERNOULLI_DTYPE, TN_DTYPE_BOOL), call.attrs.list(TN_BERNOULLI_DIMS));
  const double probability = call.attrs.number(TN_BERNOULLI_PROBABILITY, 0.5);
  for (int64_t k = 0; k < y.count(); ++k)
    y.set(k, int64_t{random_unit(call.random, static_cast<uint64_t>(k), false) < probability});
  return {y};
}

std::vector<Array> dropout(const Call& call) {
  const Array& x = call.in(0);
  const double rate = call.attrs.number(TN_DROPOUT_RATE, 0.5);
  Array y(x.dtype, x.dims);
  for (int64_t k = 0; k < x.count(); ++k)
    if (random_unit(call.random, static_cast<uint64_t>(k), false) >= rate)
      y.f[static_cast<size_t>(k)] = x.real(k) / (1 - rate);
  return {y};
}

// What is wrong with the mean of many independent draws, beyond six standard errors.
std::string mean_fault(const char* what, double mean, double expected, double deviation,
                       int64_t n) {
  const double allowed = 6 * deviation / std::sqrt(static_cast<double>(n)) + 1e-12;
  if (std::fabs(mean - expected) <= allowed) return "";
  return std::string(what) + " is " + std::to_string(mean) + ", expected " +
         std::to_string(expected) + " within " + std::to_string(allowed);
}

double mean_of(const Array& y, const std::function<double(double)>& of) {
  double sum = 0;
  for (int64_t k = 0; k < y.count(); ++k) sum += of(y.real(k));
  return sum / static_cast<double>(std::max<int64_t>(y.count(), 1));
}

std::string judge_uniform(const Call& call, const std::vector<Array>& got) {
  const Array& y = got[0];
  const double low = call.attrs.number(TN_UNIFORM_LOW, 0);
  const double width = call.attrs.number(TN_UNIFORM_HIGH, 1) - low;
  for (int64_t k = 0; k < y.count(); ++k) {
    // A half format may round up to the end.
    const bool below = halves(y.dtype) ? y.real(k) <= low + width : y.real(k) < low + width;
    if (y.real(k) < low || !below) return std::to_string(y.real(k)) + " is outside the interval";
    // Of the interval 0 .. 1 every bit is determined.
    if (low == 0 && width == 1 && !halves(y.dtype) &&
        y.real(k) != random_unit(call.random, static_cast<uint64_t>(k), y.dtype == TN_DTYPE_F64))
      return "at [" + std::to_string(k) + "]: not the bits that the state gives";
  }
  if (y.count() < 1000) return "";
  std::string fault = mean_fault("the mean", mean_of(y, [](double v) { return v; }),
                                 low + width / 2, width / std::sqrt(12.0), y.count());
  if (!fault.empty()) return fault;
  return mean_fault("the mean square from the middle",
                    mean_of(y, [=](double v) { return std::pow((v - low) / width - 0.5, 2); }),
                    1.0 / 12, 0.0745, y.count());
}

std::string judge_normal(const Call& call, const std::vector<Array>& got) {
  const Array& y = got[0];
  if (y.count() < 1000) return "";
  const double mean = call.attrs.number(TN_NORMAL_MEAN, 0);
  const double deviation = call.attrs.number(TN_NORMAL_DEVIATION, 1);
  std::string fault =
      mean_fault("the mean", mean_of(y, [](double v) { return v; }), mean, deviation, y.count());
  if (!fault.empty()) return fault;
  return mean_fault("the variance",
                    mean_of(y, [=](double v) { return std::pow((v - mean) / deviation, 2); }), 1,
                    std::sqrt(2.0), y.count());
}

std::string judge_bernoulli(const Call& call, const std::vector<Array>& got) {
  const double p = call.attrs.number(TN_BERNOULLI_PROBABILITY, 0.5);
  if (got[0].count() < 1000) return "";
  return mean_fault("the share of ones", mean_of(got[0], [](double v) { return v; }), p,
                    std::sqrt(p * (1 - p)), got[0].count());
}

std::string judge_dropout(const Call& call, const std::vector<Array>& got) {
  const double rate = call.attrs.number(TN_DROPOUT_RATE, 0.5);
  if (got[0].count() < 1000) return "";
  return mean_fault("the share of zeros",
                    mean_of(got[0], [](double v) { return v == 0 ? 1.0 : 0.0; }), rate,
                    std::sqrt(rate * (1 - rate)), got[0].count());
}

OpSamples& add_random_op(Catalogue& c, tn_op op, const char* name, const Oracle& oracle,
                         Tolerance tolerance, const Judge& judge) {
  OpSamples& s = c.add(op, name);
  s.gives(oracle, tolerance);
  s.random = true;
  s.judge = judge;
  return s;
}

}  // namespace

void add_random(Catalogue& c) {
  OpSamples& bits = add_random_op(c, TN_OP_PHILOX, "philox", philox, kExact, nullptr);
  for (const Dims& dims : {Dims{}, Dims{0}, Dims{3}, Dims{4}, Dims{3, 7}, Dims{9001}})
    bits.add({"dims_" + text_of(dims), {}, {list(TN_PHILOX_DIMS, dims)}});

  OpSamples& flat =
      add_random_op(c, TN_OP_UNIFORM, "uniform", uniform_numbers, kRounded, judge_uniform);
  flat.words_f64 = 2;
  flat.add({"default", {}, {list(TN_UNIFORM_DIMS, {3, 5})}});
  flat.add({"rank0", {}, {list(TN_UNIFORM_DIMS, {})}});
  flat.add({"empty", {}, {list(TN_UNIFORM_DIMS, {0, 2})}});
  for (const tn_dtype dtype : kFloats) {
    const std::string name = name_of(dtype);
    flat.add({name, {}, {list(TN_UNIFORM_DIMS, {9001}), type(TN_UNIFORM_DTYPE, dtype)}});
    flat.add({name + "_interval",
              {},
              {list(TN_UNIFORM_DIMS, {2001}), type(TN_UNIFORM_DTYPE, dtype),
               number(TN_UNIFORM_LOW, -2), number(TN_UNIFORM_HIGH, 3)}});
  }

  flat.add(Case{"too_far_apart",
                {},
                {list(TN_UNIFORM_DIMS, {3}), type(TN_UNIFORM_DTYPE, TN_DTYPE_F64),
                 number(TN_UNIFORM_LOW, -1.7e308), number(TN_UNIFORM_HIGH, 1.7e308)}}
               .refused(TN_INVALID_ARGUMENT));
  flat.add(Case{
      "too_large",
      {},
      {list(TN_UNIFORM_DIMS, {3}), number(TN_UNIFORM_LOW, 1e39), number(TN_UNIFORM_HIGH, 2e39)}}
               .refused(TN_INVALID_ARGUMENT));

  OpSamples& bell =
      add_random_op(c, TN_OP_NORMAL, "normal", normal_numbers, kFunction, judge_normal);
  bell.words = 2;
  bell.words_f64 = 4;
  bell.add({"default", {}, {list(TN_NORMAL_DIMS, {3, 5})}});
  bell.add({"rank0", {}, {list(TN_NORMAL_DIMS, {})}});
  bell.add({"empty", {}, {list(TN_NORMAL_DIMS, {0})}});
  for (const tn_dtype dtype : kFloats) {
    const std::string name = name_of(dtype);
    bell.add({name, {}, {list(TN_NORMAL_DIMS, {9001}), type(TN_NORMAL_DTYPE, dtype)}});
    bell.add({name + "_shifted",
              {},
              {list(TN_NORMAL_DIMS, {2001}), type(TN_NORMAL_DTYPE, dtype),
               number(TN_NORMAL_MEAN, 1.5), number(TN_NORMAL_DEVIATION, 0.25)}});
  }

  OpSamples& coin =
      add_random_op(c, TN_OP_BERNOULLI, "bernoulli", bernoulli, kExact, judge_bernoulli);
  coin.add({"default", {}, {list(TN_BERNOULLI_DIMS, {4001})}});
  for (const double p : {0.0, 0.25, 1.0})
    coin.add({"probability_" + std::to_string(p),
              {},
              {list(TN_BERNOULLI_DIMS, {2001}), number(TN_BERNOULLI_PROBABILITY, p)}});
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_I32})
    coin.add(
        {name_of(dtype), {}, {list(TN_BERNOULLI_DIMS, {3, 5}), type(TN_BERNOULLI_DTYPE, dtype)}});

  OpSamples& drop = add_random_op(c, TN_OP_DROPOUT, "dropout", dropout, kRounded, judge_dropout);
  drop.on(kFloats).gradient(Grad::yes);
  const Fill any = clear_of(-3, 3, {0}, 0.1);
  drop.add({"default", {in({4, 7}, any)}});
  drop.add({"rank0", {in({}, any)}});
  drop.add({"empty", {in({0, 3}, any)}});
  for (const double rate : {0.0, 0.3, 0.9})
    drop.add({"rate_" + std::to_string(rate), {in({5, 6}, any)}, {number(TN_DROPOUT_RATE, rate)}});
  drop.add(Case{"large", {in({9001}, any)}, {number(TN_DROPOUT_RATE, 0.2)}}.large());
}

}  // namespace tenon::conformance
