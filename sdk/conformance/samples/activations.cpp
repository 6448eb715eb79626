// Activations and clip.
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }
double gelu(double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }
double gelu_tanh(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double size(double x) { return std::fabs(x); }

void add_smooth(Catalogue& c) {
  const auto add = [&](tn_op op, const char* name, const Oracle& oracle,
                       const Fill& fill = uniform(-4, 4)) {
    OpSamples& s = c.add(op, name);
    s.on(kFloats).gives(oracle, kComposite).gradient(Grad::yes);
    elementwise_cases(s, {fill});
    s.add(Case{"wide", {in({9}, values({0, -0.0, 10, -10, 50, -50, 90, -100, 1e4}))}}.no_grad());
    return &s;
  };
  add(TN_OP_SIGMOID, "sigmoid", unary(sigmoid))->gradient(Grad::yes);
  add(TN_OP_SOFTPLUS, "softplus", unary(softplus, nullptr, [](double) { return 1.0; }));
  add(TN_OP_SILU, "silu", unary([](double x) { return x * sigmoid(x); }));
  add(TN_OP_MISH, "mish",
      unary([](double x) { return x * std::tanh(softplus(x)); }, nullptr, size));
  add(TN_OP_SOFTSIGN, "softsign", unary([](double x) { return x / (1 + std::fabs(x)); }));
  add(TN_OP_LOG_SIGMOID, "log_sigmoid",
      unary([](double x) { return -softplus(-x); }, nullptr, [](double) { return 1.0; }));
  add(TN_OP_HARD_SWISH, "hard_swish",
      unary([](double x) { return x * std::fmin(1, std::fmax(0, x / 6 + 0.5)); }, nullptr, size),
      clear_of(-5, 5, {-3, 3}, 0.05));
  const Oracle exact = unary(gelu, nullptr, size), by_tanh = unary(gelu_tanh, nullptr, size);
  add(TN_OP_GELU, "gelu",
      [=](const Call& call) {
        return (call.attrs.text(TN_GELU_APPROXIMATE, "none") == "tanh" ? by_tanh : exact)(call);
      })
      ->add({"tanh", {in({4, 3}, uniform(-4, 4))}, {text(TN_GELU_APPROXIMATE, "tanh")}})
      .add({"none", {in({4, 3}, uniform(-4, 4))}, {text(TN_GELU_APPROXIMATE, "none")}})
      .add(Case{"special", {in({16}, special())}}.no_grad())
      .add(Case{"special_tanh", {in({16}, special())}, {text(TN_GELU_APPROXIMATE, "tanh")}}
               .no_grad())
      .add(Case{"unknown", {in({3}, uniform(-1, 1))}, {text(TN_GELU_APPROXIMATE, "fast")}}
               .refused(TN_INVALID_ARGUMENT)
               .only({TN_DTYPE_F32}));
}

// f(x, first attribute, second attribute)
Oracle with_attrs(std::vector<std::pair<uint32_t, double>> attrs,
                  std::function<double(double, double, double)> f) {
  return [=](const Call& call) {
    const auto value = [&](size_t i) {
      return i < attrs.size() ? call.attrs.number(attrs[i].first, attrs[i].second) : 0.0;
    };
    return unary([&](double x) { return f(x, value(0), value(1)); })(call);
  };
}

void add_parametric(Catalogue& c) {
  const auto add = [&](tn_op op, const char* name, const Fill& fill, const Oracle& oracle,
                       std::vector<Attr> other) {
    OpSamples& s = c.add(op, name);
    s.on(kFloats).gives(oracle, kComposite).gradient(Grad::yes);
    elementwise_cases(s, {fill});
    s.add({"attributes", {in({4, 3}, fill)}, std::move(other)});
    s.add(Case{"wide", {in({9}, values({0, -0.0, 10, -10, 50, -50, 90, -100, 1e4}))}}.no_grad());
  };
  const Fill off_zero = clear_of(-4, 4, {0}, 0.05);
  add(TN_OP_ELU, "elu", off_zero,
      with_attrs({{TN_ELU_ALPHA, 1}},
                 [](double x, double a, double) { return x > 0 ? x : a * std::expm1(x); }),
      {number(TN_ELU_ALPHA, 1.5)});
  add(TN_OP_SELU, "selu", off_zero,
      with_attrs({{TN_SELU_ALPHA, 1.6732632423543772848}, {TN_SELU_GAMMA, 1.0507009873554804934}},
                 [](double x, double a, double g) { return g * (x > 0 ? x : a * std::expm1(x)); }),
      {number(TN_SELU_ALPHA, 2), number(TN_SELU_GAMMA, 0.7)});
  add(TN_OP_CELU, "celu", off_zero,
      with_attrs({{TN_CELU_ALPHA, 1}},
                 [](double x, double a, double) { return x > 0 ? x : a * std::expm1(x / a); }),
      {number(TN_CELU_ALPHA, 2)});
  add(TN_OP_HARD_SIGMOID, "hard_sigmoid", clear_of(-6, 6, {-2.5, 2.5, -1, 1}, 0.1),
      with_attrs(
          {{TN_HARD_SIGMOID_ALPHA, 0.2}, {TN_HARD_SIGMOID_BETA, 0.5}},
          [](double x, double a, double b) { return std::fmin(1, std::fmax(0, a * x + b)); }),
      {number(TN_HARD_SIGMOID_ALPHA, 0.5)});

  OpSamples& prelu = c.add(TN_OP_PRELU, "prelu");
  prelu.on(kFloats)
      .gives(binary([](double x, double slope) { return x > 0 ? x : slope * x; }), kRounded)
      .gradient(Grad::yes);
  elementwise_cases(prelu, {off_zero, uniform(0, 0.5)});
  prelu.add({"by_channel", {in({2, 3, 4}, off_zero), in({3, 1}, uniform(0, 0.5))}});
}

std::vector<Array> leaky_relu(const Call& call) {
  const double slope = call.attrs.number(TN_LEAKY_RELU_SLOPE, 0.01);
  return unary([=](double x) { return x < 0 ? slope * x : x; })(call);
}

// -0 is less than 0.
bool less(double a, double b) { return a < b || (a == b && std::signbit(a) && !std::signbit(b)); }
bool less(int64_t a, int64_t b) { return a < b; }

std::vector<Array> clip(const Call& call) {
  const std::vector<Array> x = broadcast_inputs(call);
  Array y(common_dtype(call), x[0].dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    const auto limited = [&](auto value, auto at) {
      if (!x[1].absent && less(value, at(x[1]))) value = at(x[1]);
      if (x.size() > 2 && !x[2].absent && less(at(x[2]), value)) value = at(x[2]);
      return value;
    };
    if (y.floating())
      y.f[static_cast<size_t>(k)] =
          limited(x[0].real(k), [k](const Array& a) { return a.real(k); });
    else
      y.set(k, limited(x[0].integer(k), [k](const Array& a) { return a.integer(k); }));
  }
  return {y};
}

void add_clip(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CLIP, "clip");
  s.on(kNumbers).gives(clip, kExact).gradient(Grad::yes);
  const Fill x = clear_of(-3, 3, {-1, 1.5}, 0.05), low = uniform(-1, -1), high = uniform(1.5, 1.5);
  elementwise_cases(s, {x, low, high});
  s.add({"low_only", {in({3, 5}, x), in({}, low), absent()}});
  s.add({"high_only", {in({3, 5}, x), absent(), in({}, high)}});
  s.add({"host_low_only", {in({3, 5}, x), weak(low), absent()}});
  s.add({"host_limits", {in({3, 5}, x), weak(low), weak(high)}});
  s.add(Case{
      "zeros",
      {in({5}, values({-0.0, 0.0, -0.0, 0.0, -0.0})), in({5}, values({0.0, -0.0, -0.0, 0.0, -1})),
       in({5}, values({0.0, 0.0, -0.0, -0.0, 0.0}))}}
            .no_grad()
            .within(kSameBits)
            .only(kFloats));
  s.add({"limits_by_row", {in({3, 5}, x), in({3, 1}, low), in({5}, high)}});
  s.add(Case{"special", {in({16}, special()), in({}, low), in({}, high)}}.no_grad().only(kFloats));
}

}  // namespace

void add_activations(Catalogue& c) {
  add_smooth(c);
  add_parametric(c);

  OpSamples& relu = c.add(TN_OP_RELU, "relu");
  relu.on(kFloats)
      .maybe(kSigned)
      .gives(unary([](double x) { return x < 0 ? 0 : x; }, [](auto x) { return x < 0 ? 0 : x; }),
             kExact)
      .gradient(Grad::yes);
  elementwise_cases(relu, {clear_of(-3, 3, {0}, 0.02)});
  relu.add(Case{"special", {in({16}, special())}}.no_grad().only(kFloats));

  OpSamples& leaky = c.add(TN_OP_LEAKY_RELU, "leaky_relu");
  leaky.on(kFloats).gives(leaky_relu, kRounded).gradient(Grad::yes);
  elementwise_cases(leaky, {clear_of(-3, 3, {0}, 0.02)});
  leaky.add(
      {"slope", {in({4, 3}, clear_of(-3, 3, {0}, 0.02))}, {number(TN_LEAKY_RELU_SLOPE, 0.3)}});

  add_clip(c);
}

}  // namespace tenon::conformance
