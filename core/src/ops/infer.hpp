// Sugar for dtype and shape rules: a rule is `tn_error* f(Infer& c)`, and rule<f> is its C form.
// Private to core/src/ops. Functions that return tn_error* give null for success: use TN_TRY.
#pragma once
#include "base/error.hpp"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "dims.hpp"
#include "ops.hpp"
#include "tenon/op_ids.h"

namespace tenon::ops {

// x over one to three spatial axes.
inline constexpr const char* kSpatialForms[] = {"[N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"};

// What a text is to the format of an error: its characters.
template <class T>
using Shown = std::conditional_t<std::is_same_v<std::remove_cvref_t<T>, Text>, const char*, T>;
inline const char* shown(const Text& t) { return t.chars; }
template <class T>
const T& shown(const T& other) {
  return other;
}

class Infer {
 public:
  explicit Infer(tn_infer* c) : c_(c) {}

  // Inputs.
  uint32_t count() const { return c_->v->input_count(c_); }
  const tn_view& in(uint32_t i) const { return *c_->v->input(c_, i); }
  bool has(uint32_t i) const { return i < count() && !(in(i).flags & TN_VIEW_ABSENT); }
  bool weak(uint32_t i) const { return (in(i).flags & TN_VIEW_WEAK) != 0; }
  tn_dtype dtype(uint32_t i) const { return in(i).dtype; }
  uint32_t rank(uint32_t i) const { return in(i).rank; }
  int64_t dim(uint32_t i, uint32_t axis) const { return in(i).dims[axis]; }
  Dims dims(uint32_t i) const;
  // "f32[64, 784]". Kept here for so many calls: a string to be destroyed at each error would make the library larger.
  const char* text(uint32_t i) const;

  // Attributes.
  int64_t i64(uint32_t key) const { return static_cast<int64_t>(attr(key).bits); }
  double f64(uint32_t key) const { return tn_attr_get_f64(&attr(key)); }
  bool flag(uint32_t key) const { return attr(key).bits != 0; }
  tn_dtype type(uint32_t key) const { return static_cast<tn_dtype>(attr(key).bits); }
  std::string_view string(uint32_t key) const;
  std::span<const int64_t> list(uint32_t key) const;
  std::span<const double> numbers(uint32_t key) const {
    return {static_cast<const double*>(attr(key).data), static_cast<size_t>(attr(key).bits)};
  }

  // Arithmetic on dims. The second operand of plus is any concrete number, also negative; the
  // result is INT64_MIN where a concrete one would be negative.
  int64_t add(int64_t x, int64_t y) const { return c_->v->dim_add(c_, x, y); }
  int64_t sub(int64_t x, int64_t y) const { return c_->v->dim_sub(c_, x, y); }
  int64_t mul(int64_t x, int64_t y) const { return c_->v->dim_mul(c_, x, y); }
  int64_t floordiv(int64_t x, int64_t y) const { return c_->v->dim_floordiv(c_, x, y); }
  int64_t ceildiv(int64_t x, int64_t y) const { return c_->v->dim_ceildiv(c_, x, y); }
  int64_t max(int64_t x, int64_t y) const { return c_->v->dim_max(c_, x, y); }
  int64_t min(int64_t x, int64_t y) const { return c_->v->dim_min(c_, x, y); }
  int64_t plus(int64_t dim, int64_t number) const;
  int64_t broadcast_dim(int64_t x, int64_t y) const {
    return c_->v->dim_broadcast(c_, x, y);
  }  // -1: they do not
  bool differ(int64_t x, int64_t y) const {
    return c_->v->dim_equal(c_, x, y) == 0;
  }                                                                                  // for certain
  bool same(int64_t x, int64_t y) const { return c_->v->dim_equal(c_, x, y) == 1; }  // for certain

  // dtype rules. `kinds` is what the op computes on; the error names the input and says to cast.
  tn_error* require_kind(uint32_t i, const char* name, uint32_t kinds) const;
  // One input as the op computes with it: a weak scalar gets its default dtype; where `kinds` has
  // only floats, f32.
  tn_error* single(uint32_t i, const char* name, uint32_t kinds, tn_dtype* out) const;
  // The common dtype of those of `inputs` that are present, to which each is then cast.
  tn_error* common(std::initializer_list<uint32_t> inputs, uint32_t kinds, tn_dtype* out) const;
  tn_error* common_all(uint32_t kinds, tn_dtype* out) const;  // of all inputs
  void cast(uint32_t i, tn_dtype to) const;                   // nothing where it has that dtype

  // Shape rules.
  tn_error* broadcast(std::initializer_list<uint32_t> inputs, Dims* out) const;
  tn_error* broadcast_all(Dims* out) const;  // of all inputs
  tn_error* require_rank(uint32_t i, const char* name, uint32_t rank, const char* form) const;
  // Input i is a rank-0 scalar.
  tn_error* require_scalar(uint32_t i, const char* name) const;
  tn_error* axis(int64_t value, uint32_t rank, uint32_t* out) const;
  // A list of axes without duplicates, as a bit mask; an empty one means `if_empty`.
  tn_error* axes(std::span<const int64_t> values, uint32_t rank, uint32_t if_empty,
                 uint32_t* mask) const;
  // Length of a list attribute; an empty list passes when `or_empty`.
  tn_error* length(uint32_t key, const char* name, uint32_t n, bool or_empty) const;
  // An integer attribute, or each entry of a list of them, is one of least to most.
  tn_error* within(uint32_t key, const char* name, int64_t least, int64_t most = INT64_MAX) const;
  // An attribute that is neither infinite nor NaN.
  tn_error* finite(uint32_t key, const char* name) const;
  // An attribute dtype of one of these kinds.
  tn_error* dtype_attr(uint32_t key, uint32_t kinds) const;
  // dims attribute: each >= 0 or symbolic, at most TN_MAX_RANK, the count below 2^63.
  tn_error* dims_attr(uint32_t key, Dims* out) const;
  tn_error* check_count(const Dims& dims) const;
  tn_error* check_rank(uint32_t rank) const;
  // `found` is one of `allowed` ("mean, sum, none").
  tn_error* choice(const char* name, std::string_view found,
                   std::initializer_list<std::string_view> allowed) const;

  // Results.
  tn_error* out(uint32_t index, tn_dtype dtype, const Dims& dims) const {
    // Arithmetic with a symbolic size fails where there are none: a wild negative number in an
    // attribute.
    for (const int64_t d : dims)
      if (!concrete(d)) add(d, 0);
    return c_->v->output(c_, index, dtype, dims.n, dims.d);
  }
  // out(0), and each of `inputs` that has its dtype and dims may give up its memory to it.
  tn_error* elementwise(tn_dtype dtype, const Dims& dims,
                        std::initializer_list<uint32_t> inputs) const;
  // Only for an op with the flag TN_OP_COUNTED.
  void counted(uint32_t index, uint32_t axis) const { c_->v->counted(c_, index, axis); }
  void view(const Dims& strides, int64_t offset) const { c_->v->view(c_, 0, 0, strides.d, offset); }
  bool has_strides(uint32_t i) const {
    return concrete(dims(i)) && (in(i).strides != nullptr || rank(i) == 0);
  }

  template <class... Args>
  tn_error* error(fmt::format_string<Shown<Args>...> format, Args&&... args) const {
    return error_with(format, fmt::make_format_args(shown(args)...));
  }
  tn_error* error_with(fmt::string_view format, fmt::format_args args) const;
  tn_error* error_of(tn_code code, const std::string& message) const {
    return c_->v->error(c_, code, {message.data(), message.size()});
  }

 private:
  const tn_attr& attr(uint32_t key) const { return *c_->v->attr(c_, key); }
  tn_error* promote(std::span<const uint32_t> inputs, tn_dtype* out) const;
  tn_error* common_of(std::span<const uint32_t> inputs, uint32_t kinds, tn_dtype* out) const;
  tn_error* broadcast_of(std::span<const uint32_t> inputs, Dims* out) const;

  static constexpr size_t kTexts = 8, kTextBytes = 200;
  tn_infer* c_;
  mutable uint32_t n_texts_ = 0;
  mutable char texts_[kTexts][kTextBytes];
};

// Rules of elementwise ops of these kinds: y like x, and y of the common dtype and the broadcast dims of both inputs.
tn_error* elementwise_of_one(const Infer& c, uint32_t kinds);
tn_error* elementwise_of_two(const Infer& c, uint32_t kinds);
template <uint32_t Kinds>
tn_error* one_input(Infer& c) {
  return elementwise_of_one(c, Kinds);
}
template <uint32_t Kinds>
tn_error* two_inputs(Infer& c) {
  return elementwise_of_two(c, Kinds);
}

// The C form of a rule. The core catches what is thrown (no memory, overflow of sizes).
template <tn_error* (*Body)(Infer&)>
tn_error* TN_CALL rule(tn_infer* c) {
  Infer infer(c);
  return Body(infer);
}

}  // namespace tenon::ops
