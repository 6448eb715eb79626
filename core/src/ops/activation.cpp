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

tn_error* gelu_rule(Infer& c) {
  TN_TRY(c.choice("approximate", c.string(TN_GELU_APPROXIMATE), {"none", "tanh"}));
  return one_input<kFloat>(c);
}

// One float in, one out, and so many attributes, which are finite numbers.
template <uint32_t N, const char* const (&Names)[N]>
tn_error* shaped_rule(Infer& c) {
  for (uint32_t k = 0; k < N; ++k) TN_TRY(c.finite(k, Names[k]));
  return one_input<kFloat>(c);
}
constexpr const char* kSlope[] = {"slope"};
constexpr const char* kAlpha[] = {"alpha"};
constexpr const char* kAlphaGamma[] = {"alpha", "gamma"};
constexpr const char* kAlphaBeta[] = {"alpha", "beta"};

// x is divided by alpha.
tn_error* celu_rule(Infer& c) {
  if (c.f64(TN_CELU_ALPHA) == 0) return c.error("alpha is 0; it must be another number");
  return shaped_rule<1, kAlpha>(c);
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

// ---- elu, selu, celu: exponentials below 0

void elu_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, where(gt(x, 0), x, b.f64(TN_ELU_ALPHA) * expm1(minimum(x, 0))));
}
void d_elu(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, where(gt(x, 0), b.g(), b.g() * (b.f64(TN_ELU_ALPHA) * exp(minimum(x, 0)))));
}

void selu_of_base(Recipe& b) {
  const Value x = b.in(0);
  const double gamma = b.f64(TN_SELU_GAMMA), low = gamma * b.f64(TN_SELU_ALPHA);
  b.set(0, where(gt(x, 0), gamma * x, low * expm1(minimum(x, 0))));
}
void d_selu(Recipe& b) {
  const Value x = b.in(0);
  const double gamma = b.f64(TN_SELU_GAMMA), low = gamma * b.f64(TN_SELU_ALPHA);
  b.set(0, where(gt(x, 0), b.g() * gamma, b.g() * (low * exp(minimum(x, 0)))));
}

void celu_of_base(Recipe& b) {
  const Value x = b.in(0);
  const double alpha = b.f64(TN_CELU_ALPHA);
  b.set(0, where(gt(x, 0), x, alpha * expm1(minimum(x, 0) / alpha)));
}
void d_celu(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, where(gt(x, 0), b.g(), b.g() * exp(minimum(x, 0) / b.f64(TN_CELU_ALPHA))));
}

// ---- prelu: a slope of its own for each channel, or whatever broadcasts

void prelu_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, where(gt(x, 0), x, x * b.in(1)));
}
void d_prelu(Recipe& b) {
  const Value above = gt(b.in(0), 0);
  if (b.wants(0)) b.set_summed(0, where(above, b.g(), b.g() * b.in(1)));
  if (b.wants(1)) b.set_summed(1, where(above, 0, b.g() * b.in(0)));
}

// ---- mish, softsign, log_sigmoid

void mish_of_base(Recipe& b) { b.set(0, b.in(0) * tanh(softplus(b.in(0)))); }
void d_mish(Recipe& b) {
  const Value x = b.in(0), t = tanh(softplus(x));
  b.set(0, b.g() * (t + x * sigmoid(x) * (1 - t * t)));
}
void softsign_of_base(Recipe& b) { b.set(0, b.in(0) / (1 + abs(b.in(0)))); }
void d_softsign(Recipe& b) { b.set(0, b.g() / square(1 + abs(b.in(0)))); }
void log_sigmoid_of_base(Recipe& b) { b.set(0, -softplus(-b.in(0))); }
void d_log_sigmoid(Recipe& b) { b.set(0, b.g() * sigmoid(-b.in(0))); }

// ---- hard_sigmoid, hard_swish: straight lines; the derivatives at their ends are 0

void hard_sigmoid_of_base(Recipe& b) {
  const Value line = b.f64(TN_HARD_SIGMOID_ALPHA) * b.in(0) + b.f64(TN_HARD_SIGMOID_BETA);
  b.set(0, maximum(minimum(line, 1), 0));
}
void d_hard_sigmoid(Recipe& b) {
  const Value y = b.out(), alpha = b.g() * b.f64(TN_HARD_SIGMOID_ALPHA);
  b.set(0, where(gt(y, 0), where(lt(y, 1), alpha, 0), 0));
}
void hard_swish_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, x * maximum(minimum(x / 6 + 0.5, 1), 0));
}
void d_hard_swish(Recipe& b) {
  const Value x = b.in(0), inner = b.g() * (x / 3 + 0.5);
  b.set(0, where(le(x, -3), 0, where(lt(x, 3), inner, b.g())));
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
const OpRules rules_leaky_relu = {TN_OP_LEAKY_RELU, rule<shaped_rule<1, kSlope>>,
                                  recipe<leaky_relu_of_base>, recipe<d_leaky_relu>, nullptr};
const OpRules rules_elu = {TN_OP_ELU, rule<shaped_rule<1, kAlpha>>, recipe<elu_of_base>,
                           recipe<d_elu>, nullptr};
const OpRules rules_selu = {TN_OP_SELU, rule<shaped_rule<2, kAlphaGamma>>, recipe<selu_of_base>,
                            recipe<d_selu>, nullptr};
const OpRules rules_celu = {TN_OP_CELU, rule<celu_rule>, recipe<celu_of_base>, recipe<d_celu>,
                            nullptr};
const OpRules rules_prelu = {TN_OP_PRELU, rule<two_inputs<kFloat>>, recipe<prelu_of_base>,
                             recipe<d_prelu>, nullptr};
const OpRules rules_mish = {TN_OP_MISH, rule<one_input<kFloat>>, recipe<mish_of_base>,
                            recipe<d_mish>, nullptr};
const OpRules rules_softsign = {TN_OP_SOFTSIGN, rule<one_input<kFloat>>, recipe<softsign_of_base>,
                                recipe<d_softsign>, nullptr};
const OpRules rules_log_sigmoid = {TN_OP_LOG_SIGMOID, rule<one_input<kFloat>>,
                                   recipe<log_sigmoid_of_base>, recipe<d_log_sigmoid>, nullptr};
const OpRules rules_hard_sigmoid = {TN_OP_HARD_SIGMOID, rule<shaped_rule<2, kAlphaBeta>>,
                                    recipe<hard_sigmoid_of_base>, recipe<d_hard_sigmoid>, nullptr};
const OpRules rules_hard_swish = {TN_OP_HARD_SWISH, rule<one_input<kFloat>>,
                                  recipe<hard_swish_of_base>, recipe<d_hard_swish>, nullptr};

}  // namespace tenon::ops
