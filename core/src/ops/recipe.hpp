// Sugar for recipes: a recipe is `void f(Recipe& b)` over Values with operators, and recipe<f> is
// its C form. Private to core/src/ops.
//
// Constants that meet a Value in an operator take its dtype: weak scalars beside floating values,
// typed ones beside integers. Dims are tokens: never look at a size, except that a concrete one may
// choose a cheaper form of the same result.
#pragma once
#include <span>
#include <string_view>

#include "dims.hpp"
#include "ops.hpp"
#include "tenon/plugin/builder_ops.h"

namespace tenon::ops {

// A value of a recipe: its builder and its number in one word, so that it takes one register.
class Value {
 public:
  Value() = default;
  Value(tn_builder* b, tn_value v);  // beyond kMost the recipe fails

  explicit operator bool() const { return v() != TN_NO_VALUE; }
  tn_builder* b() const {
    return reinterpret_cast<tn_builder*>(static_cast<uintptr_t>(bits_ & kAddress));
  }
  tn_value v() const {
    return static_cast<tn_value>((bits_ >> kHigh << 3) | (bits_ & 7)) - 1;  // TN_NO_VALUE is -1
  }
  tn_dtype dtype() const;
  uint32_t rank() const;
  int64_t dim(uint32_t axis) const;
  Dims dims() const;
  uint32_t all_axes() const;

  static constexpr tn_value kMost = (1 << 19) - 2;

 private:
  // The bits of an address that no object's has set: the highest 16, and 3 by alignment.
  static constexpr int kHigh = 48;
  static constexpr uint64_t kAddress = ((uint64_t{1} << kHigh) - 1) & ~uint64_t{7};
  uint64_t bits_ = 0;
};

class Recipe {
 public:
  explicit Recipe(tn_builder* b) : b_(b) {}
  tn_builder* raw() const { return b_; }

  uint32_t count() const { return b_->v->input_count(b_); }
  Value in(uint32_t i) const { return {b_, b_->v->input(b_, i)}; }
  int64_t i64(uint32_t key) const { return static_cast<int64_t>(attr(key).bits); }
  double f64(uint32_t key) const { return tn_attr_get_f64(&attr(key)); }
  bool flag(uint32_t key) const { return attr(key).bits != 0; }
  tn_dtype type(uint32_t key) const { return static_cast<tn_dtype>(attr(key).bits); }
  tn_str str(uint32_t key) const {
    return {static_cast<const char*>(attr(key).data), attr(key).bits};
  }
  std::string_view string(uint32_t key) const {
    return {str(key).data, static_cast<size_t>(str(key).size)};
  }
  std::span<const int64_t> list(uint32_t key) const {
    return {static_cast<const int64_t*>(attr(key).data), static_cast<size_t>(attr(key).bits)};
  }
  std::span<const double> numbers(uint32_t key) const {
    return {static_cast<const double*>(attr(key).data), static_cast<size_t>(attr(key).bits)};
  }

  // Gradient recipes.
  bool wants(uint32_t i) const { return b_->v->wants(b_, i) != 0; }
  Value out(uint32_t i = 0) const { return {b_, b_->v->output(b_, i)}; }
  Value g(uint32_t i = 0) const { return {b_, b_->v->cotangent(b_, i)}; }
  // The cotangent of output i of n, or none where nothing flows back: those that are there follow the
  // outputs.
  Value given(uint32_t i, uint32_t n) const {
    const Value from = g(i);
    return from.v() == out(i).v() + static_cast<tn_value>(n) ? from : Value();
  }

  void set(uint32_t i, Value v) const { b_->v->set(b_, i, v.v()); }
  void set_zero(uint32_t i) const { b_->v->set(b_, i, TN_NO_VALUE); }
  // As set(i, ...) for input i, first summed over the axes along which that input was broadcast.
  void set_summed(uint32_t i, Value v) const {
    b_->v->set(b_, i, b_->v->sum_to_like(b_, v.v(), b_->v->input(b_, i)));
  }

  int64_t add(int64_t x, int64_t y) const { return b_->v->dim_add(b_, x, y); }
  int64_t mul(int64_t x, int64_t y) const { return b_->v->dim_mul(b_, x, y); }
  int64_t floordiv(int64_t x, int64_t y) const { return b_->v->dim_floordiv(b_, x, y); }
  bool same(int64_t x, int64_t y) const { return b_->v->dim_equal(b_, x, y) == 1; }
  int64_t product(std::span<const int64_t> dims) const;

  Value fill(double value, const Dims& dims, tn_dtype dtype) const;
  Value iota(const Dims& dims, uint32_t axis, tn_dtype dtype) const;
  Value dim_scalar(int64_t dim, tn_dtype dtype) const {
    return {b_, b_->v->dim_scalar(b_, dim, dtype)};
  }
  void fail(tn_code code, std::string_view message) const {
    b_->v->fail(b_, code, {message.data(), message.size()});
  }

 private:
  const tn_attr& attr(uint32_t key) const { return *b_->v->attr(b_, key); }
  tn_builder* b_;
};

// A constant to meet x with.
Value constant(Value x, double value);

// One op each; defined in recipe.cpp, as there are many places that use them.
#define TN_VALUE_UNARY_OPS(X) \
  X(abs)                      \
  X(floor)                    \
  X(ceil)                     \
  X(round)                    \
  X(trunc)                    \
  X(exp)                      \
  X(expm1)                    \
  X(log)                      \
  X(log1p)                    \
  X(rsqrt)                    \
  X(sin)                      \
  X(cos)                      \
  X(sqrt)                     \
  X(sinh)                     \
  X(cosh)                     \
  X(tanh)                     \
  X(erf)                      \
  X(sign)                     \
  X(sigmoid)                  \
  X(softplus)                 \
  X(square)                   \
  X(copy)                     \
  X(real)                     \
  X(imag)                     \
  X(conj)
#define TN_VALUE_BINARY_OPS(X) \
  X(operator+, add)            \
  X(operator-, sub)            \
  X(operator*, mul)            \
  X(operator/, div)            \
  X(rem, rem)                  \
  X(pow, pow)                  \
  X(atan2, atan2)              \
  X(maximum, maximum)          \
  X(minimum, minimum)          \
  X(eq, eq)                    \
  X(ne, ne)                    \
  X(lt, lt)                    \
  X(le, le)                    \
  X(gt, gt)                    \
  X(ge, ge)                    \
  X(shr, shr)                  \
  X(complex, complex)
#define TN_DECLARE(name) Value name(Value x);
TN_VALUE_UNARY_OPS(TN_DECLARE)
#undef TN_DECLARE
Value operator-(Value x);
Value operator!(Value x);

#define TN_DECLARE(name, op)     \
  Value name(Value x, Value y);  \
  Value name(Value x, double y); \
  Value name(double x, Value y);
TN_VALUE_BINARY_OPS(TN_DECLARE)
#undef TN_DECLARE

Value where(Value c, Value x, Value y);
Value where(Value c, Value x, double y);
Value where(Value c, double x, Value y);

inline bool is_complex(Value x) { return kind_of(x.dtype()) == kComplex; }
// The conjugate of complex numbers; real ones as they are.
inline Value conjugate(Value x) { return is_complex(x) ? conj(x) : x; }

// To `dtype`; nothing where x has it.
Value cast(Value x, tn_dtype dtype);
// The same for an input that may be a weak scalar: one of its own dtype afterwards, so that
// arithmetic with constants alone does not fall to the default dtype.
Value typed(Value x, tn_dtype dtype);
// f16 and bf16 to f32, in which sums and exponentials of them are computed; others stay.
Value wide(Value x);

// Reductions over a mask of axes; mask 0 (rank 0): x itself.
Value sum(Value x, uint32_t axes, bool keepdims);
Value max(Value x, uint32_t axes, bool keepdims);
Value mean(Value x, uint32_t axes,
           bool keepdims);  // by division with the size as a scalar of x's dtype
Value softmax(Value x, int64_t axis);
Value log_softmax(Value x, int64_t axis);
Value size_of(Value x,
              uint32_t axes);  // product of the dims, a scalar of x's dtype (complex: its real one)

Value reshape(Value x, const Dims& dims);
Value expand(Value x, const Dims& dims);
Value transpose(Value x, const Dims& perm);
Value flip(Value x, uint32_t axes);
// low, high, interior as the op pad; the new elements are `value`.
Value pad(Value x, const Dims& low, const Dims& high, const Dims& interior, double value = 0);
inline constexpr int64_t kToEnd = INT64_MAX;  // as a stop: up to the end
Value slice(Value x, const Dims& starts, const Dims& stops, const Dims& steps);
Value matmul(Value a, Value b, bool transpose_a = false, bool transpose_b = false);
Value gather(Value x, Value indices, uint32_t axis);
Value scatter(Value x, Value indices, Value updates, uint32_t axis, const char* mode);

inline Value sum_to_like(Value x, Value like) {
  return {x.b(), x.b()->v->sum_to_like(x.b(), x.v(), like.v())};
}
inline Value broadcast_like(Value x, Value like) {
  return {x.b(), x.b()->v->broadcast_like(x.b(), x.v(), like.v())};
}
inline Value reshape_like(Value x, Value like) {
  return {x.b(), x.b()->v->reshape_like(x.b(), x.v(), like.v())};
}
// A value with x's dims and dtype.
Value full_like(Value x, double value);

// Puts axes of size 1 where `axes` (a mask over the result) says, or takes them away.
Value unsqueeze(Value x, uint32_t axes);
Value squeeze(Value x, uint32_t axes);
// Undoes the shape change of a reduction of `like`: r (reduced over `axes`) with the dims of
// `like`.
Value unreduce(Value r, Value like, uint32_t axes, bool keepdims);
// [..., n] as [product of the others, n]; rank 1 as [1, n].
Value as_matrix(Value x);
// A vector [n] with axes of size 1 around it, so that it lies along `axis` of a tensor of rank
// `rank`.
Value along(Value vector, uint32_t axis, uint32_t rank);

// ---- masks of axes

inline uint32_t axis_of(int64_t axis, uint32_t rank) {
  const int64_t a = axis < 0 ? axis + rank : axis;
  return a >= 0 && a < TN_MAX_RANK ? static_cast<uint32_t>(a) : 0;
}
uint32_t axes_mask(std::span<const int64_t> axes, uint32_t rank, uint32_t if_empty);
Dims axes_list(uint32_t mask);

// The C form of a recipe.
template <void (*Body)(Recipe&)>
void TN_CALL recipe(tn_builder* b) {
  Recipe r(b);
  Body(r);
}

}  // namespace tenon::ops
