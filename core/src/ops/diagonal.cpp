// tril, triu, trace, diagonal, eye: what is made of the diagonals of the last two axes.
#include <algorithm>
#include <cstdlib>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr int64_t kFar = int64_t{1} << 52;  // no axis is as long

tn_error* require_matrices(const Infer& c) {
  if (c.rank(0) >= 2) return nullptr;
  return c.error("x is {}; it must have rank 2 or more: [..., rows, columns]", c.text(0));
}

// The row, moved by the number of the diagonal, and the column of each place of a matrix: they are
// equal on that diagonal.
struct Places {
  Value row, column;
};
Places places(const Recipe& b, int64_t rows, int64_t columns, int64_t k) {
  Dims down(2, 1), across(2, 1);
  down[0] = rows;
  across[1] = columns;
  return {b.iota(down, 0, TN_DTYPE_I64) + static_cast<double>(std::clamp(k, -kFar, kFar)),
          b.iota(across, 1, TN_DTYPE_I64)};
}
Places places_of(const Recipe& b, Value x, int64_t k) {
  return places(b, x.dim(x.rank() - 2), x.dim(x.rank() - 1), k);
}
Value only(Value mask, Value x) { return where(mask, x, Recipe(x.b()).fill(0, Dims(), x.dtype())); }

// ---- tril, triu

tn_error* triangle_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  TN_TRY(require_matrices(c));
  return c.elementwise(t, c.dims(0), {0});
}

Value lower(const Recipe& b, Value x) {
  const Places p = places_of(b, x, b.i64(TN_TRIL_K));
  return only(le(p.column, p.row), x);
}
Value upper(const Recipe& b, Value x) {
  const Places p = places_of(b, x, b.i64(TN_TRIU_K));
  return only(ge(p.column, p.row), x);
}
void tril_of_base(Recipe& b) { b.set(0, lower(b, b.in(0))); }
void triu_of_base(Recipe& b) { b.set(0, upper(b, b.in(0))); }
void d_tril(Recipe& b) { b.set(0, lower(b, b.g())); }
void d_triu(Recipe& b) { b.set(0, upper(b, b.g())); }

// ---- trace

tn_error* trace_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kComputable, &t));
  TN_TRY(require_matrices(c));
  if (kind_of(t) & (kBool | kInt)) t = is_unsigned(t) ? TN_DTYPE_U64 : TN_DTYPE_I64;
  c.cast(0, t);
  Dims to = c.dims(0);
  to.n -= 2;
  return c.out(0, t, to);
}

void trace_of_base(Recipe& b) {
  const Value x = b.in(0);
  const Places p = places_of(b, x, b.i64(TN_TRACE_OFFSET));
  b.set(0, sum(only(eq(p.column, p.row), x), 3u << (x.rank() - 2), false));
}
void d_trace(Recipe& b) {
  const Value x = b.in(0);
  const Places p = places_of(b, x, b.i64(TN_TRACE_OFFSET));
  b.set(0, broadcast_like(only(eq(p.column, p.row), unsqueeze(b.g(), 3u << (x.rank() - 2))), x));
}

// ---- diagonal

// The number of places (i, i + offset).
int64_t diagonal_length(int64_t rows, int64_t columns, int64_t offset) {
  const int64_t k = std::clamp(offset, -kFar, kFar);
  return std::max<int64_t>(k >= 0 ? std::min(rows, columns - k) : std::min(rows + k, columns), 0);
}

tn_error* diagonal_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  TN_TRY(require_matrices(c));
  const uint32_t n = c.rank(0);
  const int64_t rows = c.dim(0, n - 2), columns = c.dim(0, n - 1),
                k = std::clamp(c.i64(TN_DIAGONAL_OFFSET), -kFar, kFar);
  Dims to = c.dims(0);
  to.n -= 2;
  if (concrete(rows) && concrete(columns)) {
    to.push(diagonal_length(rows, columns, k));
  } else {
    const int64_t below = k < 0 ? c.max(c.sub(c.max(rows, -k), -k), 0) : rows,
                  beside = k > 0 ? c.max(c.sub(c.max(columns, k), k), 0) : columns;
    to.push(c.min(below, beside));
  }
  TN_TRY(c.out(0, t, to));
  if (!c.has_strides(0)) return nullptr;
  const int64_t down = c.in(0).strides[n - 2], across = c.in(0).strides[n - 1];
  Dims strides;
  for (uint32_t a = 0; a + 2 < n; ++a) strides.push(c.in(0).strides[a]);
  strides.push(down + across);
  c.view(strides, known_empty(to) ? 0 : k >= 0 ? k * across : -k * down);
  return nullptr;
}

// x with its last two axes as one, and the places of the diagonal along that.
Dims joined(const Recipe& b, Value x) {
  Dims to = x.dims();
  to[to.n - 2] = b.mul(to[to.n - 2], to[to.n - 1]);
  --to.n;
  return to;
}
Value along_diagonal(const Recipe& b, Value x, int64_t length) {
  const int64_t k = std::clamp(b.i64(TN_DIAGONAL_OFFSET), -kFar, kFar);
  const Value columns = b.dim_scalar(x.dim(x.rank() - 1), TN_DTYPE_I64);
  const auto far = static_cast<double>(std::abs(k));
  const Value steps = b.iota(Dims(1, length), 0, TN_DTYPE_I64) * (columns + 1);
  return k < 0 ? steps + columns * far : steps + far;
}

void diagonal_of_base(Recipe& b) {
  const Value x = b.in(0);
  const int64_t rows = x.dim(x.rank() - 2), columns = x.dim(x.rank() - 1);
  if (!concrete(rows) || !concrete(columns))
    return b.fail(TN_UNIMPLEMENTED, "the diagonal of a matrix of unknown size");
  const int64_t length = diagonal_length(rows, columns, b.i64(TN_DIAGONAL_OFFSET));
  b.set(0, gather(reshape(x, joined(b, x)), along_diagonal(b, x, length), x.rank() - 2));
}
void d_diagonal(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  const uint32_t axis = g.rank() - 1;
  const Value zeros = b.fill(0, joined(b, x), g.dtype());
  b.set(0, reshape_like(scatter(zeros, along_diagonal(b, x, g.dim(axis)), g, axis, "set"), x));
}

// ---- eye

tn_error* eye_rule(Infer& c) {
  const int64_t n = c.i64(TN_EYE_N), m = c.i64(TN_EYE_M);
  const tn_dtype t = c.type(TN_EYE_DTYPE);
  TN_TRY(c.dtype_attr(TN_EYE_DTYPE, kComputable));
  if (n < 0 || m < -1)
    return c.error("n is {} and m {}; they are sizes, and -1 for m means that of n", n, m);
  Dims to(2, n);
  if (m != -1) to[1] = m;
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

void eye_of_base(Recipe& b) {
  const int64_t n = b.i64(TN_EYE_N), m = b.i64(TN_EYE_M);
  const Places p = places(b, n, m == -1 ? n : m, b.i64(TN_EYE_K));
  b.set(0, cast(eq(p.column, p.row), b.type(TN_EYE_DTYPE)));
}

}  // namespace

const OpRules rules_tril = {TN_OP_TRIL, rule<triangle_rule>, recipe<tril_of_base>, recipe<d_tril>,
                            nullptr};
const OpRules rules_triu = {TN_OP_TRIU, rule<triangle_rule>, recipe<triu_of_base>, recipe<d_triu>,
                            nullptr};
const OpRules rules_trace = {TN_OP_TRACE, rule<trace_rule>, recipe<trace_of_base>, recipe<d_trace>,
                             nullptr};
const OpRules rules_diagonal = {TN_OP_DIAGONAL, rule<diagonal_rule>, recipe<diagonal_of_base>,
                                recipe<d_diagonal>, nullptr};
const OpRules rules_eye = {TN_OP_EYE, rule<eye_rule>, recipe<eye_of_base>, nullptr,
                           "it has no inputs"};

}  // namespace tenon::ops
