// matmul (numpy batching) and linear.
#include "matmul.hpp"

#include "recipe.hpp"

namespace tenon::ops {
namespace {

tn_error* require_matrix(const Infer& c, uint32_t i, const char* name) {
  if (c.rank(i) >= 2) return nullptr;
  return c.error(
      "{} is {}; it must have rank 2 or more. Give a vector an axis of size 1 with unsqueeze.",
      name, c.text(i));
}

}  // namespace

tn_error* matmul_dims(const Infer& c, uint32_t a, uint32_t b, bool transpose_a, bool transpose_b,
                      Dims* out) {
  TN_TRY(require_matrix(c, a, "a"));
  TN_TRY(require_matrix(c, b, "b"));
  const uint32_t na = c.rank(a), nb = c.rank(b);
  const int64_t rows = c.dim(a, na - (transpose_a ? 1 : 2)),
                inner_a = c.dim(a, na - (transpose_a ? 2 : 1));
  const int64_t columns = c.dim(b, nb - (transpose_b ? 2 : 1)),
                inner_b = c.dim(b, nb - (transpose_b ? 1 : 2));
  if (c.differ(inner_a, inner_b)) {
    std::string hint;
    if (c.same(inner_a, columns)) {
      hint = fmt::format(" Transpose b (transpose_b = {})?", transpose_b ? "false" : "true");
    } else if (c.same(rows, inner_b)) {
      hint = fmt::format(" Transpose a (transpose_a = {})?", transpose_a ? "false" : "true");
    }
    return c.error("inner dimensions differ: a is {}{}, b is {}{} ({} against {}).{}", c.text(a),
                   transpose_a ? " transposed" : "", c.text(b), transpose_b ? " transposed" : "",
                   dim_text(inner_a), dim_text(inner_b), hint);
  }
  Dims to;
  to.n = (na > nb ? na : nb) - 2;
  for (uint32_t k = 0; k < to.n; ++k) {
    const int64_t x = k + na < to.n + 2 ? 1 : c.dim(a, k + na - to.n - 2);
    const int64_t y = k + nb < to.n + 2 ? 1 : c.dim(b, k + nb - to.n - 2);
    to[k] = c.broadcast_dim(x, y);
    if (to[k] == -1)
      return c.error(
          "batch dimensions do not broadcast: a is {}, b is {} ({} against {}; they must be equal "
          "or 1)",
          c.text(a), c.text(b), dim_text(x), dim_text(y));
  }
  to.push(rows);
  to.push(columns);
  *out = to;
  return c.check_count(to);
}

tn_error* linear_dims(const Infer& c, bool biased, tn_dtype* t, Dims* out) {
  if (c.rank(0) == 0) return c.error("x is {}; it must have rank 1 or more: [..., in]", c.text(0));
  TN_TRY(c.require_rank(1, "w", 2, "[out, in]"));
  if (biased) TN_TRY(c.require_rank(2, "bias", 1, "[out]"));
  TN_TRY(biased ? c.common({0, 1, 2}, kNumber, t) : c.common({0, 1}, kNumber, t));
  const uint32_t last = c.rank(0) - 1;
  if (c.differ(c.dim(0, last), c.dim(1, 1)))
    return c.error(
        "x is {} and w is {}: the last axis of x and axis 1 of w differ ({} against {}). w is "
        "[out, in].{}",
        c.text(0), c.text(1), dim_text(c.dim(0, last)), dim_text(c.dim(1, 1)),
        c.same(c.dim(0, last), c.dim(1, 0)) ? " Transpose w?" : "");
  if (biased && c.differ(c.dim(2, 0), c.dim(1, 0)))
    return c.error("bias is {}; for w, {}, it must be [{}]", c.text(2), c.text(1),
                   dim_text(c.dim(1, 0)));
  Dims to = c.dims(0);
  to[last] = c.dim(1, 0);
  *out = to;
  return c.check_count(to);
}

namespace {

// ---- matmul

tn_error* matmul_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kNumber, &t));
  Dims to;
  TN_TRY(matmul_dims(c, 0, 1, c.flag(TN_MATMUL_TRANSPOSE_A), c.flag(TN_MATMUL_TRANSPOSE_B), &to));
  return c.out(0, t, to);
}

// y = A B with A = a or a^T, B = b or b^T: dA = g B^T, dB = A^T g. Where b has no batch axes, those
// of a are rows for it.
void d_matmul(Recipe& b) {
  const Value x = b.in(0), w = b.in(1), g = b.g();
  const bool tx = b.flag(TN_MATMUL_TRANSPOSE_A), tw = b.flag(TN_MATMUL_TRANSPOSE_B);
  if (b.wants(0)) b.set_summed(0, tx ? matmul(w, g, tw, true) : matmul(g, w, false, !tw));
  if (!b.wants(1)) return;
  const bool flat = !tx && w.rank() == 2;
  const Value xm = flat ? as_matrix(x) : x, gm = flat ? as_matrix(g) : g;
  b.set_summed(1, tw ? matmul(gm, xm, true, tx) : matmul(xm, gm, !tx, false));
}

// ---- linear: y = x w^T + bias, w [out, in]

tn_error* linear_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  Dims to;
  TN_TRY(linear_dims(c, c.has(2), &t, &to));
  return c.out(0, t, to);
}

void linear_of_base(Recipe& b) {
  const Value x = b.in(0);
  Value y = matmul(x.rank() == 1 ? as_matrix(x) : x, b.in(1), false, true);
  if (x.rank() == 1) y = squeeze(y, 1u);
  b.set(0, b.in(2) ? y + b.in(2) : y);
}

void d_linear(Recipe& b) {
  const Value x = b.in(0), g = b.g();
  if (b.wants(0)) {
    const Value dx = matmul(as_matrix(g), b.in(1));
    b.set(0, x.rank() == 2 ? dx : reshape_like(dx, x));
  }
  if (b.wants(1)) b.set(1, matmul(as_matrix(g), as_matrix(x), true, false));
  if (b.in(2) && b.wants(2)) b.set_summed(2, g);
}

}  // namespace

const OpRules rules_matmul = {TN_OP_MATMUL, rule<matmul_rule>, nullptr, recipe<d_matmul>, nullptr};
const OpRules rules_linear = {TN_OP_LINEAR, rule<linear_rule>, recipe<linear_of_base>,
                              recipe<d_linear>, nullptr};

}  // namespace tenon::ops
