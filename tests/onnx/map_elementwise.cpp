// ONNX's elementwise ops.
#include <utility>

#include "mapping.hpp"

namespace tenon::onnx {
namespace {

template <Tensor (*op)(const Tensor&)>
Results unary(const Call& c) {
  return {op(c.in(0))};
}
template <Tensor (*op)(const Operand&, const Operand&)>
Results binary(const Call& c) {
  return {op(c.in(0), c.in(1))};
}
// Any number of inputs, from left to right.
template <Tensor (*op)(const Operand&, const Operand&)>
Results folded(const Call& c) {
  Tensor y = c.in(0);
  for (size_t k = 1; k < c.inputs().size(); ++k) y = op(y, c.in(k));
  return {y};
}

Results mean_of_inputs(const Call& c) {
  return {folded<add>(c)[0] / static_cast<double>(c.inputs().size())};
}

// The result has the dtype of the base, whatever the exponent is.
Results power(const Call& c) { return {as(pow(c.in(0), c.in(1)), c.in(0).dtype())}; }

Results is_infinite(const Call& c) {
  const bool negative = c.flag("detect_negative", true), positive = c.flag("detect_positive", true);
  Tensor y = isinf(c.in(0));
  if (!negative) y = y & (c.in(0) > 0);
  if (!positive) y = y & (c.in(0) < 0);
  return {y};
}

Results bit_shift(const Call& c) {
  return {c.text("direction", "") == "LEFT" ? shl(c.in(0), c.in(1)) : shr(c.in(0), c.in(1))};
}

Results shrink(const Call& c) {
  const double lambda = c.real("lambd", 0.5), bias = c.real("bias", 0);
  const Tensor& x = c.in(0);
  return {where(x < -lambda, x + bias, where(x > lambda, x - bias, 0))};
}

Results clip_between(const Call& c) { return {clip(c.in(0), c.in(1), c.in(2))}; }

// ONNX's defaults of Selu are those of the paper as f32 has them.
constexpr double kAlpha = 1.67326319217681884765625, kGamma = 1.05070102214813232421875;

constexpr Mapping kMappings[] = {
    {"Abs", unary<abs>},
    {"Acos", unary<acos>},
    {"Acosh", unary<acosh>},
    {"Asin", unary<asin>},
    {"Asinh", unary<asinh>},
    {"Atan", unary<atan>},
    {"Atanh", unary<atanh>},
    {"Ceil", unary<ceil>},
    {"Cos", unary<cos>},
    {"Cosh", unary<cosh>},
    {"Erf", unary<erf>},
    {"Exp", unary<exp>},
    {"Floor", unary<floor>},
    {"HardSwish", unary<hard_swish>},
    {"Identity", unary<copy>},
    {"IsNaN", unary<isnan>},
    {"Log", unary<log>},
    {"Neg", unary<neg>},
    {"Not", unary<not_>},
    {"Reciprocal", unary<reciprocal>},
    {"Relu", unary<relu>},
    {"Round", unary<round>},
    {"Sigmoid", unary<sigmoid>},
    {"Sign", unary<sign>},
    {"Sin", unary<sin>},
    {"Sinh", unary<sinh>},
    {"Softplus", unary<softplus>},
    {"Softsign", unary<softsign>},
    {"Sqrt", unary<sqrt>},
    {"Tan", unary<tan>},
    {"Tanh", unary<tanh>},
    {"Add", binary<add>},
    {"And", binary<and_>},
    {"Div", binary<div>},
    {"Equal", binary<eq>},
    {"Greater", binary<gt>},
    {"GreaterOrEqual", binary<ge>},
    {"Less", binary<lt>},
    {"LessOrEqual", binary<le>},
    {"Mul", binary<mul>},
    {"Or", binary<or_>},
    {"PRelu", binary<prelu>},
    {"Sub", binary<sub>},
    {"Xor", binary<xor_>},
    {"Max", folded<maximum>},
    {"Min", folded<minimum>},
    {"Sum", folded<add>},
    {"Mean", mean_of_inputs},
    {"Pow", power},
    {"IsInf", is_infinite},
    {"BitShift", bit_shift},
    {"Shrink", shrink},
    {"Clip", clip_between},
    {"Cast",
     [](const Call& c) -> Results { return {cast(c.in(0), c.dtype("to", TN_DTYPE_NONE))}; }},
    {"CastLike", [](const Call& c) -> Results { return {cast(c.in(0), c.in(1).dtype())}; }},
    {"Celu",
     [](const Call& c) -> Results { return {celu(c.in(0), {.alpha = c.real("alpha", 1)})}; }},
    {"Elu", [](const Call& c) -> Results { return {elu(c.in(0), {.alpha = c.real("alpha", 1)})}; }},
    {"HardSigmoid",
     [](const Call& c) -> Results {
       return {hard_sigmoid(c.in(0), {.alpha = c.real("alpha", 0.2), .beta = c.real("beta", 0.5)})};
     }},
    {"LeakyRelu",
     [](const Call& c) -> Results {
       return {leaky_relu(c.in(0), {.slope = c.real("alpha", 0.01)})};
     }},
    {"Mod",
     [](const Call& c) -> Results {
       return {mod(c.in(0), c.in(1), {.fmod = c.flag("fmod", false)})};
     }},
    {"Selu",
     [](const Call& c) -> Results {
       return {selu(c.in(0), {.alpha = c.real("alpha", kAlpha), .gamma = c.real("gamma", kGamma)})};
     }},
    {"ThresholdedRelu",
     [](const Call& c) -> Results { return {where(c.in(0) > c.real("alpha", 1), c.in(0), 0)}; }},
    {"Where", [](const Call& c) -> Results { return {where(c.in(0), c.in(1), c.in(2))}; }},
};

}  // namespace

std::span<const Mapping> elementwise_mappings() { return kMappings; }

}  // namespace tenon::onnx
