// Activation functions of networks, element by element.
#include <numbers>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr double kSqrtHalf = std::numbers::sqrt2 / 2;
constexpr double kSqrt2OverPi = 2 * std::numbers::inv_sqrtpi * kSqrtHalf;
constexpr double kInvSqrt2Pi = std::numbers::inv_sqrtpi * kSqrtHalf;
constexpr double kGeluCubic = 0.044715;  // Hendrycks and Gimpel, Gaussian Error Linear Units, 2016

template <uint32_t Kinds>
tn_error* one_input(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", Kinds, &t));
  return c.elementwise(t, c.dims(0), {0});
}

tn_error* gelu_rule(Infer& c) {
  TN_TRY(c.choice("approximate", c.string(TN_GELU_APPROXIMATE), {"none", "tanh"}));
  return one_input<kFloat>(c);
}

// ---- relu, leaky_relu

void relu_of_base(Recipe& b) { b.set(0, maximum(b.in(0), 0)); }
// The derivative at 0 is taken as 0.
void d_relu(Recipe& b) { b.set(0, where(gt(b.out(), 0), b.g(), 0)); }

void leaky_relu_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, where(gt(x, 0), x, x * b.f64(TN_LEAKY_RELU_SLOPE)));
}
// The derivative at 0 is taken as the slope.
void d_leaky_relu(Recipe& b) {
  b.set(0, where(gt(b.in(0), 0), b.g(), b.g() * b.f64(TN_LEAKY_RELU_SLOPE)));
}

// ---- sigmoid, silu, softplus: exponentials only of numbers <= 0

void sigmoid_of_base(Recipe& b) {
  const Value x = b.in(0), e = exp(-abs(x));
  b.set(0, where(lt(x, 0), e, 1) / (1 + e));
}
void d_sigmoid(Recipe& b) {
  const Value y = b.out();
  b.set(0, b.g() * (y * (1 - y)));
}

void silu_of_base(Recipe& b) { b.set(0, b.in(0) * sigmoid(b.in(0))); }
void d_silu(Recipe& b) {
  const Value x = b.in(0), s = sigmoid(x);
  b.set(0, b.g() * (s * (1 + x * (1 - s))));
}

void softplus_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, maximum(x, 0) + log1p(exp(-abs(x))));
}
void d_softplus(Recipe& b) { b.set(0, b.g() * sigmoid(b.in(0))); }

// ---- gelu: x * Phi(x), Phi the normal distribution function

// tanh(sqrt(2 / pi) * (x + 0.044715 x^3))
Value gelu_tanh(Value x) { return tanh(kSqrt2OverPi * (x + kGeluCubic * (x * x * x))); }

void gelu_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Value t = b.string(TN_GELU_APPROXIMATE) == "tanh" ? gelu_tanh(x) : erf(x * kSqrtHalf);
  b.set(0, 0.5 * x * (1 + t));
}
void d_gelu(Recipe& b) {
  const Value x = b.in(0);
  if (b.string(TN_GELU_APPROXIMATE) == "tanh") {
    const Value t = gelu_tanh(x), inner = kSqrt2OverPi * (1 + 3 * kGeluCubic * (x * x));
    b.set(0, b.g() * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner));
  } else {
    const Value phi = kInvSqrt2Pi * exp(-0.5 * (x * x));
    b.set(0, b.g() * (0.5 * (1 + erf(x * kSqrtHalf)) + x * phi));
  }
}

}  // namespace

const OpRules rules_relu = {TN_OP_RELU, rule<one_input<kReal>>, recipe<relu_of_base>,
                            recipe<d_relu>, nullptr};
const OpRules rules_sigmoid = {TN_OP_SIGMOID, rule<one_input<kFloat>>, recipe<sigmoid_of_base>,
                               recipe<d_sigmoid>, nullptr};
const OpRules rules_softplus = {TN_OP_SOFTPLUS, rule<one_input<kFloat>>, recipe<softplus_of_base>,
                                recipe<d_softplus>, nullptr};
const OpRules rules_gelu = {TN_OP_GELU, rule<gelu_rule>, recipe<gelu_of_base>, recipe<d_gelu>,
                            nullptr};
const OpRules rules_silu = {TN_OP_SILU, rule<one_input<kFloat>>, recipe<silu_of_base>,
                            recipe<d_silu>, nullptr};
const OpRules rules_leaky_relu = {TN_OP_LEAKY_RELU, rule<one_input<kFloat>>,
                                  recipe<leaky_relu_of_base>, recipe<d_leaky_relu>, nullptr};

}  // namespace tenon::ops
