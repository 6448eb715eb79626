// Arithmetic on two tensors.
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

double rem(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
// Of integers: by 0 it is 0, and the least number by -1 wraps.
template <typename T>
bool is_minus_one(T b) {
  return std::is_signed_v<T> && b == static_cast<T>(-1);
}
template <typename T>
T int_div(T a, T b) {
  if (is_minus_one(b)) return static_cast<T>(0 - static_cast<uint64_t>(a));
  return b == 0 ? 0 : a / b;
}
template <typename T>
T int_fmod(T a, T b) {
  return b == 0 || is_minus_one(b) ? 0 : a % b;
}
template <typename T>
T int_rem(T a, T b) {
  const T r = int_fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <typename T>
T int_floor_div(T a, T b) {
  return int_div(a, b) - T{int_fmod(a, b) != 0 && (a < 0) != (b < 0)};
}
// By squaring; with a negative exponent the true power cut to a whole number.
template <typename T>
T int_pow(T a, T b) {
  if (b < 0) return is_minus_one(a) ? static_cast<T>(1 - 2 * (b & 1)) : T{a == 1};
  uint64_t y = 1, base = static_cast<uint64_t>(a);
  for (uint64_t left = static_cast<uint64_t>(b); left != 0; left >>= 1, base *= base)
    if (left & 1) y *= base;
  return static_cast<T>(y);
}
// As IEEE 754-2019 has them: -0 is less than +0.
double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
double minimum(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
double larger_size(double a, double b) { return std::max(std::fabs(a), std::fabs(b)); }

// Every special value with every other one.
Case special_pairs() {
  Input column = in({16, 1}, special()), row = in({16}, special());
  return Case{"special", {column, row}}.no_grad().only(kFloats);
}

void mixed_dtypes(OpSamples& s) {
  const auto pair = [&](const char* name, tn_dtype a, tn_dtype b) {
    s.add(Case{name, {in({2, 3}, uniform(1, 9), a), in({3}, uniform(1, 9), b)}}.no_grad().only(
        {TN_DTYPE_NONE}));
  };
  pair("f32_with_f64", TN_DTYPE_F32, TN_DTYPE_F64);
  pair("f16_with_f32", TN_DTYPE_F16, TN_DTYPE_F32);
  pair("f16_with_bf16", TN_DTYPE_F16, TN_DTYPE_BF16);
  pair("i32_with_i64", TN_DTYPE_I32, TN_DTYPE_I64);
  pair("u8_with_i8", TN_DTYPE_U8, TN_DTYPE_I8);
  pair("u16_with_u32", TN_DTYPE_U16, TN_DTYPE_U32);
  pair("i32_with_f32", TN_DTYPE_I32, TN_DTYPE_F32);
  Input scalar = weak(uniform(1, 9));
  scalar.dtype = TN_DTYPE_I64;
  s.add(Case{"f32_with_host_integer", {in({2, 3}, uniform(1, 9), TN_DTYPE_F32), scalar}}
            .no_grad()
            .only({TN_DTYPE_NONE}));
}

void add_arithmetic(Catalogue& c) {
  const Fill any = uniform(-4, 4), off_zero = clear_of(-4, 4, {0}, 0.4);
  OpSamples& add = c.add(TN_OP_ADD, "add");
  add.on(kNumbers)
      .gives(binary(std::plus<double>(), wrapping(std::plus<uint64_t>())), kRounded)
      .gradient(Grad::yes);
  elementwise_cases(add, {any, any});
  add.add(special_pairs());
  mixed_dtypes(add);
  add.add(Case{"dims_do_not_fit", {in({2, 3}, any), in({4}, any)}}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));

  OpSamples& sub = c.add(TN_OP_SUB, "sub");
  sub.on(kNumbers)
      .gives(binary(std::minus<double>(), wrapping(std::minus<uint64_t>())), kRounded)
      .gradient(Grad::yes);
  elementwise_cases(sub, {uniform(4, 9), uniform(-4, 4)});
  sub.add(special_pairs());
  mixed_dtypes(sub);

  OpSamples& mul = c.add(TN_OP_MUL, "mul");
  mul.on(kNumbers)
      .gives(binary(std::multiplies<double>(), wrapping(std::multiplies<uint64_t>())), kRounded)
      .gradient(Grad::yes);
  elementwise_cases(mul, {any, any});
  mul.add(special_pairs());
  // Beyond 32 bits, where a product through a narrower one or through double is wrong.
  mul.add(Case{"far",
               {in({6}, values({46342, 65537, 3e9, -3037000499.0, 94906267, 123456789})),
                in({6}, values({46343, 65539, 3, 3037000498.0, 94906269, -987654321}))}}
              .no_grad()
              .only({TN_DTYPE_I64}));
  mixed_dtypes(mul);

  OpSamples& div = c.add(TN_OP_DIV, "div");
  div.on(kNumbers)
      .gives(binary(std::divides<double>(), [](auto a, auto b) { return int_div(a, b); }),
             Tolerance{3, false, false})
      .gradient(Grad::yes);
  elementwise_cases(div, {any, off_zero});
  div.add(special_pairs());
  div.add(Case{
      "integers",
      {in({8}, values({7, -7, 7, -7, 6, 5, 0, 9})), in({8}, values({2, 2, -2, -2, 3, 0, 0, 1}))}}
              .only(kSigned));
  mixed_dtypes(div);
}

// The greatest whole number q with q b not beyond a. A quotient that was rounded up to a whole number shows in the sign of q b - a.
double floor_div(double a, double b) {
  if (b == 0) return a / b;
  if (std::isinf(a) || std::isnan(a) || std::isnan(b)) return NAN;
  if (std::isinf(b)) return a != 0 && (a < 0) != (b < 0) ? -1 : 0;
  const long double quotient = static_cast<long double>(a) / static_cast<long double>(b);
  const double q = static_cast<double>(std::floor(quotient));
  const bool beyond = std::fma(q, b, -a) * (b < 0 ? -1 : 1) > 0;
  return std::fabs(q) < 0x1p52 && beyond ? q - 1 : q;
}

void add_division(Catalogue& c) {
  const Fill x = clear_of(-7, 7, {-6, -4, -2, 0, 2, 4, 6}, 0.2), two = uniform(2, 2);
  const Input signs_a = in({8}, values({5, -5, 5, -5, 6, -6, 1, 0}));
  const Input signs_b = in({8}, values({3, 3, -3, -3, 3, 3, -7, 5}));
  const std::vector<tn_dtype> with_sign = {TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_BF16,
                                           TN_DTYPE_I8,  TN_DTYPE_I32, TN_DTYPE_I64};
  OpSamples& quotient = c.add(TN_OP_FLOOR_DIV, "floor_div");
  quotient.on(kNumbers)
      .gives(binary(floor_div, [](auto a, auto b) { return int_floor_div(a, b); }), kRounded)
      .gradient(Grad::either);
  elementwise_cases(quotient, {x, two});
  quotient.add(Case{"infinities",
                    {in({6}, values({-1, 1, 5, -5, 0, INFINITY})),
                     in({6}, values({INFINITY, -INFINITY, INFINITY, -INFINITY, -INFINITY, 2}))}}
                   .no_grad()
                   .only(kFloats));
  quotient.add(Case{"signs", {signs_a, signs_b}}.no_grad().only(with_sign));
  // A quotient's remainder taken from a number leaves the dtype.
  quotient.add(Case{"extremes",
                    {in({10}, values({100, -100, 1, 127, -128, -128, 127, -127, 90, -1})),
                     in({10}, values({-90, 90, -128, -128, 127, 3, -3, 128, -91, 127}))}}
                   .no_grad()
                   .only({TN_DTYPE_I8}));
  quotient.add(Case{"far",
                    {in({6}, values({2e9, -2e9, 1, -2147483648.0, 2147483647, -5})),
                     in({6}, values({-1.5e9, 1.5e9, -2147483648.0, 2147483647, -2, 2e9}))}}
                   .no_grad()
                   .only({TN_DTYPE_I32, TN_DTYPE_I64}));
  quotient.add(
      Case{"by_zero", {in({3}, values({5, -1, 0})), in({3}, values({0, 0, 0}))}}.no_grad());
  // 1 / 0.1 rounds to 10, but 0.1 is above 1/10 in f32 and f64: it goes nine times.
  quotient.add(
      Case{"rounds_up", {in({2}, values({1, 6})), in({2}, values({0.1, 0.1}))}}.no_grad().only(
          {TN_DTYPE_F32, TN_DTYPE_F64}));
  mixed_dtypes(quotient);

  OpSamples& mod = c.add(TN_OP_MOD, "mod");
  const Oracle floored = binary(
      rem, [](auto a, auto b) { return int_rem(a, b); }, larger_size);
  const Oracle truncated = binary([](double a, double b) { return std::fmod(a, b); },
                                  [](auto a, auto b) { return int_fmod(a, b); }, larger_size);
  mod.on(kNumbers)
      .gives([=](const Call& k) { return (k.attrs.flag(TN_MOD_FMOD) ? truncated : floored)(k); },
             Tolerance{3, false, false})
      .gradient(Grad::yes);
  elementwise_cases(mod, {x, two});
  mod.add(Case{"signs", {signs_a, signs_b}}.no_grad().only(with_sign));
  mod.add(
      Case{"fmod_signs", {signs_a, signs_b}, {flag(TN_MOD_FMOD, true)}}.no_grad().only(with_sign));
  for (const bool fmod : {false, true}) {
    const std::string name = fmod ? "fmod_" : "";
    const std::vector<Attr> how = {flag(TN_MOD_FMOD, fmod)};
    // Quotients beyond a significand, and those that round to the next whole number.
    mod.add(Case{name + "far",
                 {in({10}, values({1e7, -1e7, 3e38, 1e-38, -1e30, 9, 16777217, 6, 1, -1e-40})),
                  in({10}, values({3, 7, 1e-30, 1e-45, 3, 0.9, 0.1, 0.1, 0.1, 3e-41}))},
                 how}
                .no_grad()
                .only({TN_DTYPE_F32, TN_DTYPE_F64}));
    mod.add(Case{name + "random", {in({97}, uniform(-1e5, 1e5)), in({97}, uniform(-9, 9))}, how}
                .no_grad()
                .only({TN_DTYPE_F32, TN_DTYPE_F64}));
    mod.add(Case{name + "extremes",
                 {in({8}, values({-128, -128, 127, -128, 127, -1, 5, -128})),
                  in({8}, values({3, -1, -128, -128, -2, -128, 0, 100}))},
                 how}
                .no_grad()
                .only({TN_DTYPE_I8}));
    mod.add(Case{name + "least", {in({1}, values({-0x1p63})), in({1}, values({3}))}, how}
                .no_grad()
                .only({TN_DTYPE_I64}));
    mod.add(
        Case{name + "special", {in({16, 1}, special()), in({16}, special())}, how}.no_grad().only(
            kFloats));
  }
  mod.add({"fmod", {in({3, 5}, x), in({5}, two)}, {flag(TN_MOD_FMOD, true)}});
  mixed_dtypes(mod);

  OpSamples& mix = c.add(TN_OP_LERP, "lerp");
  mix.on(kFloats)
      .gives(
          [](const Call& call) -> std::vector<Array> {
            const std::vector<Array> v = broadcast_inputs(call);
            Array y(common_dtype(call), v[0].dims);
            for (int64_t k = 0; k < y.count(); ++k) {
              const double a = v[0].real(k), b = v[1].real(k), w = v[2].real(k);
              y.f[static_cast<size_t>(k)] = (1 - w) * a + w * b;
              y.scale.push_back(std::fabs(a) + std::fabs(w * a) + std::fabs(w * b));
            }
            return {y};
          },
          kComposite)
      .gradient(Grad::yes);
  elementwise_cases(mix, {uniform(-4, 4), uniform(-4, 4), uniform(-1, 2)});
}

void add_others(Catalogue& c) {
  const Fill any = uniform(-4, 4);
  // The quotient stays clear of the integers where the remainder jumps.
  OpSamples& rem_op = c.add(TN_OP_REM, "rem");
  rem_op.on(kNumbers)
      .gives(binary(
                 rem, [](auto a, auto b) { return int_rem(a, b); }, larger_size),
             Tolerance{3, false, false})
      .gradient(Grad::yes);
  elementwise_cases(rem_op, {clear_of(-7, 7, {-6, -4, -2, 0, 2, 4, 6}, 0.2), uniform(2, 2)});
  rem_op.add(Case{
      "signs",
      {in({8}, values({5, -5, 5, -5, 6, -6, 1, 0})), in({8}, values({3, 3, -3, -3, 3, 3, -7, 5}))}}
                 .no_grad()
                 .only({TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_BF16, TN_DTYPE_I8,
                        TN_DTYPE_I32, TN_DTYPE_I64}));
  rem_op.add(Case{"far",
                  {in({6}, values({1e7, -1e7, 123456789, 1e6, -3, 5e8})),
                   in({6}, values({3, 7, 1000, 0.0009765625, 0.0009765625, -13}))}}
                 .no_grad()
                 .only({TN_DTYPE_F32, TN_DTYPE_F64}));
  rem_op.add(
      Case{"by_zero", {in({3}, values({5, -1, 0})), in({3}, values({0, 0, 0}))}}.no_grad().only(
          kFloats));

  OpSamples& power = c.add(TN_OP_POW, "pow");
  power.on(kNumbers)
      .gives(binary([](double a, double b) { return std::pow(a, b); },
                    [](auto a, auto b) { return int_pow(a, b); }),
             kFunction)
      .gradient(Grad::yes);
  elementwise_cases(power, {uniform(0.3, 3), uniform(0, 3)});
  power.add(special_pairs());
  power.add(Case{"negative_base",
                 {in({6}, values({-2, -2, -3, -1, 0, 0})), in({6}, values({2, 3, 1, 0, 0, 2}))}}
                .no_grad()
                .only({TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_I32, TN_DTYPE_I64}));
  power.add(Case{
      "far", {in({6}, values({3, -3, 2, -2, 7, 10})), in({6}, values({39, 37, 62, 61, 22, 18}))}}
                .no_grad()
                .only({TN_DTYPE_I64}));
  power.add({"host_square", {in({2, 3}, uniform(0.3, 3)), weak(uniform(2, 2))}});

  OpSamples& atan2_op = c.add(TN_OP_ATAN2, "atan2");
  atan2_op.on(kFloats)
      .gives(binary([](double a, double b) { return std::atan2(a, b); }), kFunction)
      .gradient(Grad::yes);
  elementwise_cases(atan2_op, {clear_of(-3, 3, {0}, 0.3), clear_of(-3, 3, {0}, 0.3)});
  atan2_op.add(special_pairs());

  add_division(c);

  const auto add_extremum = [&](tn_op op, const char* name, const Oracle& oracle) {
    OpSamples& s = c.add(op, name);
    s.on(kNumbers).gives(oracle, kSameBits).gradient(Grad::yes);
    // One above, one below, never near each other.
    const Fill a = clear_of(-4, 4, {-3, -1, 1, 3}, 0.4);
    const Fill b =
        clear_of(-4, 4, {-4, -3.5, -2.5, -2, -1.5, -0.5, 0, 0.5, 1.5, 2, 2.5, 3.5, 4}, 0.35);
    elementwise_cases(s, {a, b});
    s.add(special_pairs());
    mixed_dtypes(s);
  };
  add_extremum(TN_OP_MAXIMUM, "maximum",
               binary(maximum, [](auto a, auto b) { return a > b ? a : b; }));
  add_extremum(TN_OP_MINIMUM, "minimum",
               binary(minimum, [](auto a, auto b) { return a < b ? a : b; }));
}

}  // namespace

void add_binary(Catalogue& c) {
  add_arithmetic(c);
  add_others(c);
}

}  // namespace tenon::conformance
