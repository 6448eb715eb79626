// Comparisons, logic, shifts, selection.
#include <algorithm>
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

// 2^53 and more, each greater by `more` but for the last.
Fill neighbours(int64_t more) {
  return [=](Array& x, Rng&) {
    constexpr int64_t kFirst[] = {(1LL << 53), (1LL << 53) + 1, (1LL << 60) + 7, (1LL << 62), 9};
    for (int64_t k = 0; k < x.count(); ++k) x.set(k, kFirst[k % 5] + (k % 5 < 4 ? more : 0));
  };
}

void add_comparisons(Catalogue& c) {
  const auto add = [&](tn_op op, const char* name, bool (*holds)(int), bool when_unordered) {
    OpSamples& s = c.add(op, name);
    s.on(kNumbers).gives(comparison(holds, when_unordered), kExact);
    elementwise_cases(s, {uniform(-2, 2), uniform(-2, 2)});
    s.add({"equal_values",
           {in({7}, values({0, 1, 2, 2, 1, 0, 1})), in({7}, values({1, 1, 1, 2, 2, 0, 0}))}});
    s.add(Case{"special", {in({16, 1}, special()), in({16}, special())}}.only(kFloats));
    s.add(Case{"top_bit",
               {in({4}, values({1e19, 5, 1e19, 0})), in({4}, values({5, 1e19, 1e19, 1e19}))}}
              .only({TN_DTYPE_U64}));
    // Neighbours that are one in double.
    s.add(Case{"neighbours", {in({5}, neighbours(0)), in({5}, neighbours(1))}}.only(
        {TN_DTYPE_I64, TN_DTYPE_U64}));
    s.add(Case{"f32_with_f64",
               {in({4}, uniform(0, 4), TN_DTYPE_F32), in({4}, uniform(0, 4), TN_DTYPE_F64)}}
              .only({TN_DTYPE_NONE}));
    return &s;
  };
  std::vector<tn_dtype> with_bool{TN_DTYPE_BOOL};
  add(
      TN_OP_EQ, "eq", [](int o) { return o == 0; }, false)
      ->maybe(with_bool);
  add(
      TN_OP_NE, "ne", [](int o) { return o != 0; }, true)
      ->maybe(with_bool);
  add(
      TN_OP_LT, "lt", [](int o) { return o < 0; }, false);
  add(
      TN_OP_LE, "le", [](int o) { return o <= 0; }, false);
  add(
      TN_OP_GT, "gt", [](int o) { return o > 0; }, false);
  add(
      TN_OP_GE, "ge", [](int o) { return o >= 0; }, false);
}

int64_t width(const Array& x) { return TN_DTYPE_BITS(x.dtype); }

std::vector<Array> shift(const Call& call, bool left) {
  const std::vector<Array> x = broadcast_inputs(call);
  Array y(common_dtype(call), x[0].dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    const int64_t value = x[0].integer(k), by = x[1].integer(k);
    if (left)
      y.set(k,
            by >= width(y) ? int64_t{0} : static_cast<int64_t>(static_cast<uint64_t>(value) << by));
    else if (is_signed(y.dtype))
      y.set(k, value >> std::min<int64_t>(by, 63));
    else
      y.set(k,
            by >= width(y) ? int64_t{0} : static_cast<int64_t>(static_cast<uint64_t>(value) >> by));
  }
  return {y};
}

void add_bits(Catalogue& c) {
  std::vector<tn_dtype> types = kIntegers;
  types.push_back(TN_DTYPE_BOOL);
  const Fill wide = uniform(-120, 120);
  const auto add = [&](tn_op op, const char* name, const Int2& function) {
    OpSamples& s = c.add(op, name);
    s.on(types).gives(binary(nullptr, function), kExact);
    elementwise_cases(s, {wide, wide});
  };
  add(TN_OP_AND, "and", std::bit_and<int64_t>());
  add(TN_OP_OR, "or", std::bit_or<int64_t>());
  add(TN_OP_XOR, "xor", std::bit_xor<int64_t>());

  OpSamples& inverse = c.add(TN_OP_NOT, "not");
  inverse.on(types).gives(
      [](const Call& call) {
        const bool logical = call.in(0).dtype == TN_DTYPE_BOOL;
        return unary(nullptr, [=](int64_t x) { return logical ? int64_t{x == 0} : ~x; })(call);
      },
      kExact);
  elementwise_cases(inverse, {wide});

  for (const bool left : {true, false}) {
    OpSamples& s = left ? c.add(TN_OP_SHL, "shl") : c.add(TN_OP_SHR, "shr");
    s.on(kIntegers).gives([left](const Call& call) { return shift(call, left); }, kExact);
    elementwise_cases(s, {wide, uniform(0, 7)});
    s.add({"beyond_width", {in({2, 5}, wide), in({5}, values({0, 7, 31, 63, 64}))}});
    s.add({"top_bit", {in({3}, values({-128, -1, 127})), in({3}, values({1, 7, 8}))}});
  }
}

std::vector<Array> where(const Call& call) {
  const std::vector<Array> x = broadcast_inputs(call);
  Array y(common_dtype(call, 1), x[0].dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    const Array& from = x[0].integer(k) != 0 ? x[1] : x[2];
    if (from.floating() == y.floating() && from.dtype == y.dtype)
      y.copy_from(k, from, k);
    else if (y.floating())
      y.f[static_cast<size_t>(k)] = from.real(k);
    else
      y.set(k, from.integer(k));
  }
  return {y};
}

}  // namespace

void add_logic(Catalogue& c) {
  add_comparisons(c);
  add_bits(c);

  OpSamples& s = c.add(TN_OP_WHERE, "where");
  s.on(kAll).gives(where, kSameBits).gradient(Grad::yes);
  const Fill any = uniform(-5, 5);
  const auto condition = [&](Dims dims) {
    return in(std::move(dims), uniform(0, 1), TN_DTYPE_BOOL);
  };
  for (const Dims& dims : {Dims{3, 5}, Dims{}, Dims{2, 1, 3, 2, 2}, Dims{0}, Dims{2, 0, 3}})
    s.add({"dims_" + text_of(dims), {condition(dims), in(dims, any), in(dims, any)}});
  s.add(Case{"large", {condition({50021}), in({50021}, any), in({50021}, any)}}.large());
  s.add({"broadcast_condition", {condition({3, 1}), in({3, 4}, any), in({4}, any)}});
  s.add({"broadcast_values", {condition({3, 4}), in({}, any), in({3, 1}, any)}});
  s.add({"host_scalar", {condition({3, 4}), in({3, 4}, any), weak(any)}});
  s.add(Case{"special", {condition({16}), in({16}, special()), in({16}, values({-0.0}))}}
            .no_grad()
            .only(kFloats));
}

}  // namespace tenon::conformance
