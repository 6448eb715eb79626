// Recipes (tenon/plugin/builder.h) written as arithmetic: gradients, decompositions and updates of optimizers.
//
//   void softplus(sdk::Recipe& r) { r.set(0, log(1 + exp(r.in(0)))); }      // sdk::recipe<softplus> is its C form
//
// What has no function here is there as tn_b_<op> (tenon/plugin/builder_ops.h): sdk::Value{r.raw(), tn_b_softmax(r.raw(), x.v, -1)}.
#ifndef TENON_SDK_RECIPE_HPP_
#define TENON_SDK_RECIPE_HPP_
#include <tenon/plugin/builder_ops.h>

#include <string_view>

#include "guard.hpp"

namespace tenon::sdk {

// A value and the builder that it belongs to. A number becomes a weakly typed scalar, which widens nothing.
struct Value {
  tn_builder* b = nullptr;
  tn_value v = TN_NO_VALUE;

  Value number(double x) const { return {b, b->v->scalar(b, x)}; }
  tn_dtype dtype() const { return b->v->dtype(b, v); }
  uint32_t rank() const { return b->v->rank(b, v); }
  // The same value in another dtype.
  Value as(tn_dtype t) const { return dtype() == t ? *this : Value{b, tn_b_cast(b, v, t)}; }
};

#define TENON_SDK_UNARY(name, op) \
  inline Value name(Value x) { return {x.b, tn_b_##op(x.b, x.v)}; }
#define TENON_SDK_BINARY(name, op)                                                \
  inline Value name(Value x, Value y) { return {x.b, tn_b_##op(x.b, x.v, y.v)}; } \
  inline Value name(Value x, double y) { return name(x, x.number(y)); }           \
  inline Value name(double x, Value y) { return name(y.number(x), y); }
TENON_SDK_UNARY(operator-, neg)
TENON_SDK_UNARY(abs, abs)
TENON_SDK_UNARY(sign, sign)
TENON_SDK_UNARY(exp, exp)
TENON_SDK_UNARY(expm1, expm1)
TENON_SDK_UNARY(log, log)
TENON_SDK_UNARY(log1p, log1p)
TENON_SDK_UNARY(sqrt, sqrt)
TENON_SDK_UNARY(tanh, tanh)
TENON_SDK_UNARY(sigmoid, sigmoid)
TENON_SDK_BINARY(operator+, add)
TENON_SDK_BINARY(operator-, sub)
TENON_SDK_BINARY(operator*, mul)
TENON_SDK_BINARY(operator/, div)
TENON_SDK_BINARY(pow, pow)
TENON_SDK_BINARY(maximum, maximum)
TENON_SDK_BINARY(minimum, minimum)
TENON_SDK_BINARY(equal, eq)
TENON_SDK_BINARY(less, lt)
TENON_SDK_BINARY(less_equal, le)
#undef TENON_SDK_UNARY
#undef TENON_SDK_BINARY

inline Value square(Value x) { return x * x; }
inline Value where(Value condition, Value x, Value y) {
  return {x.b, tn_b_where(x.b, condition.v, x.v, y.v)};
}
// rate * x + (1 - rate) * y: an exponential mean.
inline Value mix(Value rate, Value x, Value y) { return y + rate * (x - y); }
// 1 - base^exponent, also where base^exponent is so close to 1 that their difference would have lost its digits.
inline Value one_minus_power(Value base, Value exponent) { return -expm1(exponent * log(base)); }

class Recipe {
 public:
  explicit Recipe(tn_builder* b) : b_(b) {}
  tn_builder* raw() const { return b_; }

  uint32_t count() const { return b_->v->input_count(b_); }
  Value in(uint32_t i) const { return {b_, b_->v->input(b_, i)}; }
  // Result i: an output of a decomposition or an update, the gradient of input i of a gradient.
  void set(uint32_t i, Value v) const { b_->v->set(b_, i, v.v); }

  // An attribute by its key. One that is not there or of another type fails the recipe.
  int64_t i64(uint32_t key) const { return static_cast<int64_t>(attr(key, TN_ATTR_I64).bits); }
  double f64(uint32_t key) const { return tn_attr_get_f64(&attr(key, TN_ATTR_F64)); }
  bool flag(uint32_t key) const { return attr(key, TN_ATTR_BOOL).bits != 0; }
  std::string_view string(uint32_t key) const {
    const tn_attr& a = attr(key, TN_ATTR_STRING);
    return {static_cast<const char*>(a.data), static_cast<size_t>(a.bits)};
  }
  // Fails the recipe; the host puts the op's name in front.
  template <class... Parts>
  void fail(const Parts&... parts) const {
    b_->v->fail(b_, TN_INVALID_ARGUMENT, str(text(parts...)));
  }

  // Gradients only: is that of input i asked for, output i, and the gradient that flows into it.
  bool wants(uint32_t i) const { return b_->v->wants(b_, i) != 0; }
  Value out(uint32_t i = 0) const { return {b_, b_->v->output(b_, i)}; }
  Value g(uint32_t i = 0) const { return {b_, b_->v->cotangent(b_, i)}; }
  // The gradient of input i, first summed over the axes along which that input was broadcast.
  void set_summed(uint32_t i, Value v) const {
    b_->v->set(b_, i, b_->v->sum_to_like(b_, v.v, b_->v->input(b_, i)));
  }

 private:
  const tn_attr& attr(uint32_t key, uint32_t tag) const {
    static constexpr tn_attr kNone{};
    const tn_attr& a = *b_->v->attr(b_, key);
    if (a.tag == tag) return a;
    fail("its recipe reads attribute ", key, " as ", tag_name(tag), ", it is ", tag_name(a.tag));
    return kNone;
  }
  static constexpr std::string_view tag_name(uint32_t tag) {
    constexpr std::string_view kNames[] = {"not there", "i64", "f64", "bool", "string"};
    return tag < 5 ? kNames[tag] : "of another type";
  }
  tn_builder* b_;
};

template <void (*F)(Recipe&)>
void TN_CALL recipe(tn_builder* b) {
  Recipe r(b);
  F(r);
}

}  // namespace tenon::sdk
#endif
