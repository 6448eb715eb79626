#include "recipe.hpp"

namespace tenon::ops {

Value::Value(tn_builder* b, tn_value v) {
  if (v > kMost) {
    Recipe(b).fail(TN_OUT_OF_RANGE, "the recipe is too long: it has more than 524,286 values");
    v = TN_NO_VALUE;
  }
  const auto number = static_cast<uint64_t>(v) + 1;
  bits_ = reinterpret_cast<uintptr_t>(b) | number >> 3 << kHigh | (number & 7);
}
tn_dtype Value::dtype() const { return b()->v->dtype(b(), v()); }
uint32_t Value::rank() const { return b()->v->rank(b(), v()); }
int64_t Value::dim(uint32_t axis) const { return b()->v->dim(b(), v(), axis); }
uint32_t Value::all_axes() const { return (1u << rank()) - 1; }

Dims Value::dims() const {
  Dims out;
  const uint32_t n = rank();
  for (uint32_t a = 0; a < n; ++a) out.push(dim(a));
  return out;
}

int64_t Recipe::product(std::span<const int64_t> dims) const {
  int64_t n = 1;
  for (const int64_t d : dims) n = mul(n, d);
  return n;
}

Value Recipe::fill(double value, const Dims& dims, tn_dtype dtype) const {
  return {b_, tn_b_fill(b_, b_->v->scalar(b_, value), dims.d, dims.n, dtype)};
}

Value Recipe::iota(const Dims& dims, uint32_t axis, tn_dtype dtype) const {
  return {b_, tn_b_iota(b_, dims.d, dims.n, axis, dtype)};
}

#define TN_DEFINE(name) \
  Value name(Value x) { return {x.b(), tn_b_##name(x.b(), x.v())}; }
TN_VALUE_UNARY_OPS(TN_DEFINE)
#undef TN_DEFINE
Value operator-(Value x) { return {x.b(), tn_b_neg(x.b(), x.v())}; }
Value operator!(Value x) { return {x.b(), tn_b_not(x.b(), x.v())}; }

#define TN_DEFINE(name, op)                                                        \
  Value name(Value x, Value y) { return {x.b(), tn_b_##op(x.b(), x.v(), y.v())}; } \
  Value name(Value x, double y) { return name(x, constant(x, y)); }                \
  Value name(double x, Value y) { return name(constant(y, x), y); }
TN_VALUE_BINARY_OPS(TN_DEFINE)
#undef TN_DEFINE

Value where(Value c, Value x, Value y) { return {c.b(), tn_b_where(c.b(), c.v(), x.v(), y.v())}; }
Value where(Value c, Value x, double y) { return where(c, x, constant(x, y)); }
Value where(Value c, double x, Value y) { return where(c, constant(y, x), y); }

Value constant(Value x, double value) {
  const tn_dtype t = x.dtype();
  if (kind_of(t) & (kFloat | kComplex)) return {x.b(), x.b()->v->scalar(x.b(), value)};
  if (value >= 0) return Recipe(x.b()).dim_scalar(static_cast<int64_t>(value), t);
  return Recipe(x.b()).fill(value, Dims(), t);
}

Value full_like(Value x, double value) { return Recipe(x.b()).fill(value, x.dims(), x.dtype()); }

Value cast(Value x, tn_dtype dtype) {
  return x.dtype() == dtype ? x : Value{x.b(), tn_b_cast(x.b(), x.v(), dtype)};
}
Value typed(Value x, tn_dtype dtype) {
  return x.rank() == 0 ? Value{x.b(), tn_b_cast(x.b(), x.v(), dtype)} : cast(x, dtype);
}
Value wide(Value x) { return is_half(x.dtype()) ? cast(x, TN_DTYPE_F32) : x; }

Value sum(Value x, uint32_t axes, bool keepdims) {
  if (axes == 0) return x;
  const Dims list = axes_list(axes);
  return {x.b(), tn_b_sum(x.b(), x.v(), list.d, list.n, keepdims)};
}

Value max(Value x, uint32_t axes, bool keepdims) {
  if (axes == 0) return x;
  const Dims list = axes_list(axes);
  return {x.b(), tn_b_max(x.b(), x.v(), list.d, list.n, keepdims)};
}

Value size_of(Value x, uint32_t axes) {
  const Recipe b(x.b());
  int64_t n = 1;
  for (const int64_t a : axes_list(axes)) n = b.mul(n, x.dim(static_cast<uint32_t>(a)));
  return b.dim_scalar(n, part_of(x.dtype()));
}

Value mean(Value x, uint32_t axes, bool keepdims) {
  return sum(x, axes, keepdims) / size_of(x, axes);
}

Value softmax(Value x, int64_t axis) { return {x.b(), tn_b_softmax(x.b(), x.v(), axis)}; }
Value log_softmax(Value x, int64_t axis) { return {x.b(), tn_b_log_softmax(x.b(), x.v(), axis)}; }

Value reshape(Value x, const Dims& dims) {
  return {x.b(), tn_b_reshape(x.b(), x.v(), dims.d, dims.n)};
}
Value expand(Value x, const Dims& dims) {
  return {x.b(), tn_b_expand(x.b(), x.v(), dims.d, dims.n)};
}
Value transpose(Value x, const Dims& perm) {
  return {x.b(), tn_b_transpose(x.b(), x.v(), perm.d, perm.n)};
}

Value flip(Value x, uint32_t axes) {
  if (axes == 0) return x;
  const Dims list = axes_list(axes);
  return {x.b(), tn_b_flip(x.b(), x.v(), list.d, list.n)};
}

Value pad(Value x, const Dims& low, const Dims& high, const Dims& interior, double value) {
  const tn_value fill = value == 0 ? TN_NO_VALUE : constant(x, value).v();
  return {x.b(),
          tn_b_pad(x.b(), x.v(), fill, low.d, low.n, high.d, high.n, interior.d, interior.n)};
}

Value slice(Value x, const Dims& starts, const Dims& stops, const Dims& steps) {
  return {x.b(), tn_b_slice(x.b(), x.v(), starts.d, starts.n, stops.d, stops.n, steps.d, steps.n)};
}

Value matmul(Value a, Value b, bool transpose_a, bool transpose_b) {
  return {a.b(), tn_b_matmul(a.b(), a.v(), b.v(), transpose_a, transpose_b)};
}

Value gather(Value x, Value indices, uint32_t axis) {
  return {x.b(), tn_b_gather(x.b(), x.v(), indices.v(), axis)};
}

Value scatter(Value x, Value indices, Value updates, uint32_t axis, const char* mode) {
  return {x.b(), tn_b_scatter(x.b(), x.v(), indices.v(), updates.v(), axis, tn_string(mode))};
}

Value unsqueeze(Value x, uint32_t axes) {
  if (axes == 0) return x;
  const Dims list = axes_list(axes);
  return {x.b(), tn_b_unsqueeze(x.b(), x.v(), list.d, list.n)};
}

Value squeeze(Value x, uint32_t axes) {
  if (axes == 0) return x;
  const Dims list = axes_list(axes);
  return {x.b(), tn_b_squeeze(x.b(), x.v(), list.d, list.n)};
}

Value unreduce(Value r, Value like, uint32_t axes, bool keepdims) {
  return broadcast_like(keepdims ? r : unsqueeze(r, axes), like);
}

Value as_matrix(Value x) {
  const Dims from = x.dims();
  if (from.n == 2 || from.n == 0) return x;
  Dims to;
  to.push(Recipe(x.b()).product({from.d, from.n - 1}));
  to.push(from[from.n - 1]);
  return reshape(x, to);
}

Value along(Value vector, uint32_t axis, uint32_t rank) {
  return unsqueeze(vector, ((1u << rank) - 1) & ~(1u << axis));
}

uint32_t axes_mask(std::span<const int64_t> axes, uint32_t rank, uint32_t if_empty) {
  if (axes.empty()) return if_empty;
  uint32_t mask = 0;
  for (const int64_t a : axes) mask |= 1u << axis_of(a, rank);
  return mask;
}

Dims axes_list(uint32_t mask) {
  Dims out;
  for (uint32_t a = 0; a < TN_MAX_RANK; ++a)
    if (mask & (1u << a)) out.push(a);
  return out;
}

}  // namespace tenon::ops
