// cholesky, triangular_solve, lu. f16 and bf16 are computed in f32.
//
// A decomposition takes one step per row or column, so it is written out for the size at hand; what
// lies beside a block of rows is brought up to date by one product. Gradients: Giles, An extended
// collection of matrix derivative results for forward and reverse mode AD, 2008; of lu, de Hoog,
// Anderssen and Lukas, Differentiation of matrix functionals using triangular factorization, 2011.
#include <algorithm>
#include <vector>

#include "linalg.hpp"

namespace tenon::ops {

constexpr int64_t kMostSteps = 1024;
constexpr int64_t kBlock = 16;

tn_error* require_square(const Infer& c, uint32_t i, const char* name) {
  const uint32_t n = c.rank(i);
  if (n >= 2 && !c.differ(c.dim(i, n - 2), c.dim(i, n - 1))) return nullptr;
  return c.error("{} is {}; it must be square: [..., n, n]", name, c.text(i));
}

tn_error* batch_dims(const Infer& c, uint32_t b_axes, Dims* out) {
  const uint32_t na = c.rank(0) - 2, nb = c.rank(1) - b_axes;
  out->n = std::max(na, nb);
  for (uint32_t a = 0; a < out->n; ++a) {
    const int64_t x = a + na < out->n ? 1 : c.dim(0, a + na - out->n),
                  y = a + nb < out->n ? 1 : c.dim(1, a + nb - out->n);
    (*out)[a] = c.broadcast_dim(x, y);
    if ((*out)[a] == -1)
      return c.error("a is {} and b is {}: the axes before the matrices do not broadcast",
                     c.text(0), c.text(1));
  }
  return nullptr;
}

int64_t steps_of(const Recipe& b, Value x) {
  const int64_t n = x.dim(x.rank() - 1);
  if (concrete(n) && n <= kMostSteps) return n;
  b.fail(TN_UNIMPLEMENTED,
         concrete(n) ? "the device has no kernel for it, and without one at most 1024 rows are "
                       "computed. Move x to a device that has one."
                     : "the device has no kernel for it, and without one the number of rows must "
                       "be known");
  return -1;
}

Value swapped(Value x) {
  Dims perm;
  for (uint32_t a = 0; a < x.rank(); ++a) perm.push(a);
  std::swap(perm[perm.n - 1], perm[perm.n - 2]);
  return transpose(x, perm);
}

Value part(Value x, int64_t row, int64_t row_end, int64_t column, int64_t column_end) {
  const uint32_t n = x.rank();
  Dims starts(n, 0), stops(n, kToEnd);
  starts[n - 2] = row;
  starts[n - 1] = column;
  stops[n - 2] = row_end;
  stops[n - 1] = column_end;
  return slice(x, starts, stops, Dims());
}

Value joined(const std::vector<Value>& parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  std::vector<tn_value> v;
  for (const Value& p : parts) v.push_back(p.v());
  tn_builder* b = parts[0].b();
  return {b, tn_b_concat(b, v.data(), static_cast<uint32_t>(v.size()), axis)};
}

Value identity(const Recipe& b, int64_t n, tn_dtype dtype) {
  Dims down(2, 1), across(2, 1);
  down[0] = across[1] = n;
  return cast(eq(b.iota(down, 0, TN_DTYPE_I64), b.iota(across, 1, TN_DTYPE_I64)), dtype);
}

Value in_order(Value x, Value order) {
  const uint32_t more = x.rank() - order.rank() - 1;
  const Value index = unsqueeze(unsqueeze(order, 1u << order.rank()), (1u << more) - 1);
  return {x.b(), tn_b_take_along_axis(x.b(), x.v(), index.v(), -2)};
}

namespace {

// ---- cholesky

tn_error* cholesky_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat | kComplex, &t));
  TN_TRY(require_square(c, 0, "x"));
  return c.out(0, t, c.dims(0));
}

// Columns with `zeros` rows of zeros above them.
Value lowered(Value x, int64_t zeros) {
  Dims low(x.rank(), 0);
  low[x.rank() - 2] = zeros;
  return zeros == 0 ? x : pad(x, low, Dims(x.rank(), 0), Dims(x.rank(), 0));
}

Value adjoint(Value x) { return conjugate(swapped(x)); }

// The first `width` columns of L for a, of which only the lower triangle is read.
Value cholesky_panel(Value a, int64_t width) {
  std::vector<Value> columns;
  Value p = part(a, 0, kToEnd, 0, width);
  for (int64_t k = 0; k < width; ++k) {
    const Value pivot = part(p, 0, 1, 0, 1);
    const Value column = part(p, 0, kToEnd, 0, 1) / sqrt(is_complex(p) ? real(pivot) : pivot);
    columns.push_back(lowered(column, k));
    if (k + 1 == width) break;
    const Value below = rows(column, 1, kToEnd);
    p = part(p, 1, kToEnd, 1, kToEnd) - below * adjoint(rows(below, 0, width - k - 1));
  }
  return joined(columns, -1);
}

void cholesky_of_base(Recipe& b) {
  const bool upper = b.flag(TN_CHOLESKY_UPPER);
  Value a = upper ? adjoint(wide(b.in(0))) : wide(b.in(0));
  const int64_t n = steps_of(b, a);
  if (n == 0) return b.set(0, copy(b.in(0)));
  std::vector<Value> panels;
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t width = std::min(kBlock, n - at);
    const Value panel = cholesky_panel(a, width);
    panels.push_back(lowered(panel, at));
    if (at + width == n) break;
    const Value below = rows(panel, width, kToEnd);
    a = part(a, width, kToEnd, width, kToEnd) - matmul(below, conjugate(below), false, true);
  }
  if (n < 0) return;
  Value l = joined(panels, -1);
  if (is_complex(l))  // what the diagonal of x has beside its real part is not looked at
    l = where(identity(b, n, TN_DTYPE_BOOL), cast(real(l), l.dtype()), l);
  b.set(0, cast(upper ? adjoint(l) : l, b.in(0).dtype()));
}

// The lower triangle with half the diagonal.
Value halved(const Recipe& b, Value x) {
  const Value diagonal = identity(b, x.dim(x.rank() - 1), x.dtype());
  return tril(x) * (1 - 0.5 * diagonal);
}

// S = L^-T phi(L^T g) conj(L)^-1, phi being `halved`; of the triangle that is read: phi(S + S^H).
void d_cholesky(Recipe& b) {
  const bool upper = b.flag(TN_CHOLESKY_UPPER);
  const Value l = upper ? adjoint(wide(b.out())) : wide(b.out());
  const Value g = tril(upper ? adjoint(wide(b.g())) : wide(b.g()));
  const Triangle back = {false, true, false};
  const Value half = triangular_solve(l, halved(b, matmul(l, g, true, false)), back);
  const Value s = triangular_solve(conjugate(l), swapped(half), back);
  const Value dx = halved(b, conjugate(s) + swapped(s));
  b.set(0, upper ? adjoint(dx) : dx);
}

// ---- triangular_solve

tn_error* triangular_solve_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat | kComplex, &t));
  TN_TRY(require_square(c, 0, "a"));
  const uint32_t n = c.rank(1);
  if (n < 2 || c.differ(c.dim(1, n - 2), c.dim(0, c.rank(0) - 1)))
    return c.error("b is {}; for a, {}, it must be [..., {}, k]", c.text(1), c.text(0),
                   dim_text(c.dim(0, c.rank(0) - 1)));
  Dims to;
  TN_TRY(batch_dims(c, 2, &to));
  to.push(c.dim(1, n - 2));
  to.push(c.dim(1, n - 1));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// x of a x = r for the lower triangle of a, n rows.
Value solved_lower(Value a, Value r, int64_t n, bool unit) {
  if (n > kBlock) {
    const int64_t half = n / 2;
    const Value first = solved_lower(part(a, 0, half, 0, half), rows(r, 0, half), half, unit);
    const Value rest = rows(r, half, n) - matmul(part(a, half, n, 0, half), first);
    return joined({first, solved_lower(part(a, half, n, half, n), rest, n - half, unit)}, -2);
  }
  std::vector<Value> x;
  for (int64_t k = 0; k < n; ++k) {
    const Value row = rows(r, 0, 1);
    x.push_back(unit ? row : row / part(a, k, k + 1, k, k + 1));
    if (k + 1 < n) r = rows(r, 1, kToEnd) - part(a, k + 1, n, k, k + 1) * x.back();
  }
  return joined(x, -2);
}

// The other cases are this one for the transposed matrix, and for rows and columns from the end.
void triangular_solve_of_base(Recipe& b) {
  const bool transpose = b.flag(TN_TRIANGULAR_SOLVE_TRANSPOSE),
             upper = b.flag(TN_TRIANGULAR_SOLVE_UPPER) != transpose;
  Value a = wide(b.in(0)), r = wide(b.in(1));
  r = broadcast_like(r, matmul(a, r));  // the product is not used
  if (transpose) a = swapped(a);
  const int64_t n = steps_of(b, a);
  if (n == 0) return b.set(0, copy(cast(r, b.in(0).dtype())));
  if (n < 0) return;
  const uint32_t down = 1u << (r.rank() - 2), both = 3u << (a.rank() - 2);
  if (upper) a = flip(a, both), r = flip(r, down);
  const Value x = solved_lower(a, r, n, b.flag(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL));
  b.set(0, cast(upper ? flip(x, down) : x, b.in(0).dtype()));
}

// A x = b, A being a or a^T: db = A^-T g, dA = -db x^T, of which a has its triangle.
void d_triangular_solve(Recipe& b) {
  Triangle how = {b.flag(TN_TRIANGULAR_SOLVE_UPPER), b.flag(TN_TRIANGULAR_SOLVE_TRANSPOSE),
                  b.flag(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL)};
  const Value a = wide(b.in(0)), x = wide(b.out());
  how.transpose = !how.transpose;
  const Value db = triangular_solve(a, wide(b.g()), how);
  if (b.wants(1)) b.set_summed(1, db);
  if (!b.wants(0)) return;
  const Value da = how.transpose ? matmul(db, x, false, true) : matmul(x, db, false, true);
  const int64_t k = how.unit ? 1 : 0;
  b.set_summed(0, -(how.upper ? triu(da, k) : tril(da, -k)));
}

// ---- lu

tn_error* lu_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat | kComplex, &t));
  TN_TRY(require_square(c, 0, "x"));
  Dims order = c.dims(0);
  --order.n;
  TN_TRY(c.out(0, t, c.dims(0)));
  return c.out(1, TN_DTYPE_I64, order);
}

// Rows stay where they are until the end: a row that has been a pivot is no longer free. Where a
// column has only zeros left, so has the factor.
void lu_of_base(Recipe& b) {
  Value a = wide(b.in(0));
  const int64_t n = steps_of(b, a);
  if (n == 0) {
    Dims order = a.dims();
    --order.n;
    b.set(0, copy(b.in(0)));
    b.set(1, b.fill(0, order, TN_DTYPE_I64));
  }
  if (n <= 0) return;
  Dims down(2, 1);
  down[0] = n;
  const Value places = b.iota(down, 0, TN_DTYPE_I64);
  const uint32_t rows_axis = a.rank() - 2;
  Value free = b.fill(1, down, TN_DTYPE_BOOL);
  std::vector<Value> columns, pivots;
  for (int64_t k = 0; k < n; ++k) {
    const Value column = part(a, 0, kToEnd, 0, 1), size = where(free, abs(column), -1);
    const Value at = {b.raw(), tn_b_argmax(b.raw(), size.v(), rows_axis, true)};
    const Value here = eq(places, at), row = sum(where(here, a, 0), 1u << rows_axis, true);
    const Value pivot = part(row, 0, 1, 0, 1);
    free = {b.raw(), tn_b_and(b.raw(), free.v(), (!here).v())};
    const Value factor = column / where(eq(pivot, 0), 1, pivot);
    columns.push_back(where(free, factor, column));
    pivots.push_back(at);
    if (k + 1 < n)
      a = part(a, 0, kToEnd, 1, kToEnd) - where(free, factor, 0) * part(row, 0, 1, 1, kToEnd);
  }
  const Value order = squeeze(joined(pivots, -2), 1u << (rows_axis + 1));
  b.set(0, cast(in_order(joined(columns, -1), order), b.in(0).dtype()));
  b.set(1, order);
}

// P^T L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T.
void d_lu(Recipe& b) {
  const Value y = wide(b.out(0)), g = wide(b.g(0)), gl = tril(g, -1);
  const Value lower = tril(matmul(tril(y, -1), gl, true, false) + gl, -1);
  const Value middle = lower + triu(matmul(triu(g), triu(y), false, true));
  const Value left = triangular_solve(y, middle, {false, true, true});
  const Value right = triangular_solve(y, swapped(left), {true, false, false});
  b.set(0, in_order(swapped(right), argsort(b.out(1))));
}

}  // namespace

const OpRules rules_cholesky = {TN_OP_CHOLESKY, rule<cholesky_rule>, recipe<cholesky_of_base>,
                                recipe<d_cholesky>, nullptr};
const OpRules rules_triangular_solve = {TN_OP_TRIANGULAR_SOLVE, rule<triangular_solve_rule>,
                                        recipe<triangular_solve_of_base>,
                                        recipe<d_triangular_solve>, nullptr};
const OpRules rules_lu = {TN_OP_LU, rule<lu_rule>, recipe<lu_of_base>, recipe<d_lu>, nullptr};

}  // namespace tenon::ops
