// solve, inverse, det: by lu. f16 and bf16 are computed in f32.
#include <vector>

#include "linalg.hpp"

namespace tenon::ops {
namespace {

Value solve(Value a, Value r) { return {a.b(), tn_b_solve(a.b(), a.v(), r.v())}; }

// ---- solve

tn_error* solve_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat | kComplex, &t));
  TN_TRY(require_square(c, 0, "a"));
  const uint32_t nb = c.rank(1), axes = nb == 1 ? 1 : 2;
  const int64_t n = c.dim(0, c.rank(0) - 1);
  if (nb == 0 || c.differ(c.dim(1, nb - axes), n))
    return c.error("b is {}; for a, {}, it must be [..., {}, k], or [{}]", c.text(1), c.text(0),
                   dim_text(n), dim_text(n));
  Dims to;
  TN_TRY(batch_dims(c, axes, &to));
  for (uint32_t a = nb - axes; a < nb; ++a) to.push(c.dim(1, a));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// b as matrices, and back.
Value as_columns(const Recipe& b, Value x) {
  return b.in(1).rank() == 1 ? unsqueeze(x, 1u << x.rank()) : x;
}
Value as_given(const Recipe& b, Value x) {
  return b.in(1).rank() == 1 ? squeeze(x, 1u << (x.rank() - 1)) : x;
}

void solve_of_base(Recipe& b) {
  const Value a = wide(b.in(0)), r = as_columns(b, wide(b.in(1)));
  const Factors f = lu(a);
  const Value ordered = in_order(broadcast_like(r, matmul(a, r)), f.order);  // without the product
  const Value y = triangular_solve(f.packed, ordered, {false, false, true});
  const Value x = triangular_solve(f.packed, y, {true, false, false});
  b.set(0, cast(as_given(b, x), b.in(0).dtype()));
}

// db = a^-T g, da = -db x^T.
void d_solve(Recipe& b) {
  const Value db = solve(swapped(wide(b.in(0))), as_columns(b, wide(b.g())));
  if (b.wants(1)) b.set_summed(1, as_given(b, db));
  if (b.wants(0)) b.set_summed(0, -matmul(db, as_columns(b, wide(b.out())), false, true));
}

// ---- inverse, det

tn_error* inverse_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat | kComplex, &t));
  TN_TRY(require_square(c, 0, "x"));
  return c.out(0, t, c.dims(0));
}
void inverse_of_base(Recipe& b) {
  const Value x = wide(b.in(0));
  b.set(0, cast(solve(x, identity(b, x.dim(x.rank() - 1), x.dtype())), b.in(0).dtype()));
}
void d_inverse(Recipe& b) {
  const Value y = wide(b.out());
  b.set(0, -matmul(matmul(y, wide(b.g()), true, false), y, false, true));
}

tn_error* det_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat | kComplex, &t));
  TN_TRY(require_square(c, 0, "x"));
  Dims to = c.dims(0);
  to.n -= 2;
  return c.out(0, t, to);
}

// 1, or -1 where an odd number of pairs is out of order.
Value sign_of(Value order, tn_dtype dtype) {
  const uint32_t n = order.rank();
  const Value down = unsqueeze(order, 1u << n), across = unsqueeze(order, 1u << (n - 1));
  const Value pairs = tril(cast(lt(down, across), TN_DTYPE_I64), -1);
  return cast(1 - 2 * rem(sum(pairs, 3u << (n - 1), false), 2), dtype);
}

void det_of_base(Recipe& b) {
  const Factors f = lu(wide(b.in(0)));
  const Value d = {b.raw(), tn_b_diagonal(b.raw(), f.packed.v(), 0)};
  const int64_t last[] = {-1};
  const Value product = {b.raw(), tn_b_prod(b.raw(), d.v(), last, 1, false)};
  b.set(0, cast(product * sign_of(f.order, d.dtype()), b.in(0).dtype()));
}

// det(u) u^-1 for an upper triangle u of n rows, without a division.
struct Adjugate {
  Value matrix, det;
};
Adjugate adjugate(Value u, int64_t n) {
  if (n == 1) return {full_like(u, 1), u};
  const int64_t h = n / 2;
  const Adjugate first = adjugate(part(u, 0, h, 0, h), h),
                 second = adjugate(part(u, h, n, h, n), n - h);
  const Value corner = -matmul(matmul(first.matrix, part(u, 0, h, h, n)), second.matrix);
  Dims low(u.rank(), 0);
  low[u.rank() - 1] = h;
  const Value above = joined({first.matrix * second.det, corner}, -1);
  const Value below = pad(second.matrix * first.det, low, Dims(u.rank(), 0), Dims(u.rank(), 0));
  return {joined({above, below}, -2), first.det * second.det};
}

// The cofactors: the transpose of sign(P) adj(U) L^-1 P, finite also where det is 0.
void d_det(Recipe& b) {
  const Value x = wide(b.in(0));
  const int64_t n = steps_of(b, x);
  if (n == 0) return b.set_zero(0);
  if (n < 0) return;
  const Factors f = lu(x);
  const Value u = swapped(adjugate(triu(f.packed), n).matrix);
  const Value cofactors =
      in_order(triangular_solve(f.packed, u, {false, true, true}), argsort(f.order));
  const Value g = wide(b.g()) * sign_of(f.order, x.dtype());
  b.set(0, cofactors * unsqueeze(g, 3u << g.rank()));
}

}  // namespace

const OpRules rules_solve = {TN_OP_SOLVE, rule<solve_rule>, recipe<solve_of_base>, recipe<d_solve>,
                             nullptr};
const OpRules rules_inverse = {TN_OP_INVERSE, rule<inverse_rule>, recipe<inverse_of_base>,
                               recipe<d_inverse>, nullptr};
const OpRules rules_det = {TN_OP_DET, rule<det_rule>, recipe<det_of_base>, recipe<d_det>, nullptr};

}  // namespace tenon::ops
