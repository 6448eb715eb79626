// norm: the 1-, 2- and infinity-norm over axes. f16 and bf16 are computed in f32.
#include <limits>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

tn_error* norm_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kFloat | kComplex, &t));
  const double ord = c.f64(TN_NORM_ORD);
  if (ord != 1 && ord != 2 && ord != kInf)
    return c.error("ord is {}; it must be 1, 2 or infinity", ord);
  const uint32_t n = c.rank(0);
  uint32_t axes = 0;
  TN_TRY(c.axes(c.list(TN_NORM_AXES), n, (1u << n) - 1, &axes));
  Dims to;
  for (uint32_t a = 0; a < n; ++a) {
    if (!(axes & (1u << a))) {
      to.push(c.dim(0, a));
    } else if (c.flag(TN_NORM_KEEPDIMS)) {
      to.push(1);
    }
  }
  if (ord == kInf && known_empty(c.dims(0)) && !known_empty(to))
    return c.error("x is {}: there are no elements to choose from", c.text(0));
  return c.out(0, part_of(t), to);
}

uint32_t axes_of(const Recipe& b) {
  const Value x = b.in(0);
  return axes_mask(b.list(TN_NORM_AXES), x.rank(), x.all_axes());
}

void norm_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axes = axes_of(b);
  const bool keep = b.flag(TN_NORM_KEEPDIMS);
  const double ord = b.f64(TN_NORM_ORD);
  const Value y = ord == 2   ? sqrt(sum(square(is_complex(x) ? abs(x) : x), axes, keep))
                  : ord == 1 ? sum(abs(x), axes, keep)
                             : max(abs(x), axes, keep);
  b.set(0, y);
}

// At the zero vector the 2-norm has a kink: the gradient is zero there, as that of |x| is.
void d_norm(Recipe& b) {
  const Value x = b.in(0), y = b.out(), g = b.g();
  const uint32_t axes = axes_of(b);
  const bool keep = b.flag(TN_NORM_KEEPDIMS);
  const double ord = b.f64(TN_NORM_ORD);
  if (ord == 1) return b.set(0, conjugate(sign(x)) * unreduce(g, x, axes, keep));
  if (ord == 2) {
    const Value zero = eq(y, 0);
    return b.set(0, conjugate(x) * unreduce(where(zero, 0, g / where(zero, 1, y)), x, axes, keep));
  }
  const Value hit = eq(abs(x), unreduce(y, x, axes, keep));
  const Value share = g / sum(cast(hit, g.dtype()), axes, keep);
  b.set(0, where(hit, conjugate(sign(x)) * unreduce(share, x, axes, keep), 0));
}

}  // namespace

const OpRules rules_norm = {TN_OP_NORM, rule<norm_rule>, recipe<norm_of_base>, recipe<d_norm>,
                            nullptr};

}  // namespace tenon::ops
