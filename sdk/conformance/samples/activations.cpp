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
  const auto add = [&](tn_op op, const char* name, const Oracle& oracle) {
    OpSamples& s = c.add(op, name);
    s.on(kFloats).gives(oracle, kComposite).gradient(Grad::yes);
    elementwise_cases(s, {uniform(-4, 4)});
    s.add(Case{"wide", {in({9}, values({0, -0.0, 10, -10, 50, -50, 90, -100, 1e4}))}}.no_grad());
    return &s;
  };
  add(TN_OP_SIGMOID, "sigmoid", unary(sigmoid))->gradient(Grad::yes);
  add(TN_OP_SOFTPLUS, "softplus", unary(softplus, nullptr, [](double) { return 1.0; }));
  add(TN_OP_SILU, "silu", unary([](double x) { return x * sigmoid(x); }));
  const Oracle exact = unary(gelu, nullptr, size), by_tanh = unary(gelu_tanh, nullptr, size);
  add(TN_OP_GELU, "gelu",
      [=](const Call& call) {
        return (call.attrs.text(TN_GELU_APPROXIMATE, "none") == "tanh" ? by_tanh : exact)(call);
      })
      ->add({"tanh", {in({4, 3}, uniform(-4, 4))}, {text(TN_GELU_APPROXIMATE, "tanh")}})
      .add({"none", {in({4, 3}, uniform(-4, 4))}, {text(TN_GELU_APPROXIMATE, "none")}})
      .add(Case{"unknown", {in({3}, uniform(-1, 1))}, {text(TN_GELU_APPROXIMATE, "fast")}}
               .refused(TN_INVALID_ARGUMENT)
               .only({TN_DTYPE_F32}));
}

std::vector<Array> leaky_relu(const Call& call) {
  const double slope = call.attrs.number(TN_LEAKY_RELU_SLOPE, 0.01);
  return unary([=](double x) { return x < 0 ? slope * x : x; })(call);
}

std::vector<Array> clip(const Call& call) {
  const std::vector<Array> x = broadcast_inputs(call);
  Array y(common_dtype(call), x[0].dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    const auto limited = [&](auto value, auto at) {
      if (!x[1].absent && value < at(x[1])) value = at(x[1]);
      if (x.size() > 2 && !x[2].absent && value > at(x[2])) value = at(x[2]);
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
  s.add({"limits_by_row", {in({3, 5}, x), in({3, 1}, low), in({5}, high)}});
  s.add(Case{"special", {in({16}, special()), in({}, low), in({}, high)}}.no_grad().only(kFloats));
}

}  // namespace

void add_activations(Catalogue& c) {
  add_smooth(c);

  OpSamples& relu = c.add(TN_OP_RELU, "relu");
  relu.on(kFloats)
      .maybe(kSigned)
      .gives(unary([](double x) { return x < 0 ? 0 : x; }, [](int64_t x) { return x < 0 ? 0 : x; }),
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
