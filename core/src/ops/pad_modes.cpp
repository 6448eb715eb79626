// pad_edge, pad_reflect: elements put before and behind those of x that repeat or mirror them.
#include <algorithm>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr uint32_t kLow = TN_PAD_EDGE_LOW, kHigh = TN_PAD_EDGE_HIGH;
static_assert(kLow == TN_PAD_REFLECT_LOW && kHigh == TN_PAD_REFLECT_HIGH);

// An axis needs one element to repeat, or one more than are mirrored.
template <bool Reflect>
tn_error* mode_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const uint32_t n = c.rank(0);
  TN_TRY(c.length(kLow, "low", n, false));
  TN_TRY(c.length(kHigh, "high", n, false));
  TN_TRY(c.within(kLow, "low", 0));  // slice takes elements away
  TN_TRY(c.within(kHigh, "high", 0));
  const auto low = c.list(kLow), high = c.list(kHigh);
  Dims to;
  for (uint32_t a = 0; a < n; ++a) {
    const int64_t d = c.dim(0, a), most = Reflect ? std::max(low[a], high[a]) : 0;
    if (concrete(d) && d <= most && (low[a] > 0 || high[a] > 0))
      return c.error(
          "low {} and high {} of axis {}: x is {}, and that axis must have more than {} elements",
          low[a], high[a], a, c.text(0), most);
    const int64_t behind = c.plus(d, low[a]);
    to.push(behind == INT64_MIN ? behind : c.plus(behind, high[a]));
    if (to[a] == INT64_MIN)
      return c.error_of(TN_OUT_OF_RANGE,
                        fmt::format("low {} and high {} of axis {} overflow", low[a], high[a], a));
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// Where the elements along an axis of x, n long, come from.
Value sources(const Recipe& b, int64_t n, uint32_t axis, bool reflect) {
  const int64_t low = b.list(kLow)[axis], high = b.list(kHigh)[axis];
  const Value at =
      b.iota(Dims(1, b.add(n, low + high)), 0, TN_DTYPE_I64) - static_cast<double>(low);
  const Value last = b.dim_scalar(n, TN_DTYPE_I64) - 1;
  return reflect ? last - abs(last - abs(at)) : minimum(maximum(at, 0), last);
}
bool padded(const Recipe& b, uint32_t axis) {
  return b.list(kLow)[axis] > 0 || b.list(kHigh)[axis] > 0;
}

template <bool Reflect>
void mode_of_base(Recipe& b) {
  const Value x = b.in(0);
  Value y = x;
  for (uint32_t a = 0; a < x.rank(); ++a)
    if (padded(b, a)) y = gather(y, sources(b, x.dim(a), a, Reflect), a);
  b.set(0, y.v() == x.v() ? copy(x) : y);
}
// Each element takes the sum of what goes to its copies.
template <bool Reflect>
void d_mode(Recipe& b) {
  const Value x = b.in(0);
  Value g = b.g();
  for (uint32_t a = 0; a < x.rank(); ++a) {
    if (!padded(b, a)) continue;
    Dims to = g.dims();
    to[a] = x.dim(a);
    g = scatter(b.fill(0, to, g.dtype()), sources(b, x.dim(a), a, Reflect), g, a, "add");
  }
  b.set(0, g);
}

}  // namespace

const OpRules rules_pad_edge = {TN_OP_PAD_EDGE, rule<mode_rule<false>>, recipe<mode_of_base<false>>,
                                recipe<d_mode<false>>, nullptr};
const OpRules rules_pad_reflect = {TN_OP_PAD_REFLECT, rule<mode_rule<true>>,
                                   recipe<mode_of_base<true>>, recipe<d_mode<true>>, nullptr};

}  // namespace tenon::ops
