// pad: elements put before, behind and between those of x; negative amounts before and behind take
// elements away.
#include <algorithm>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

tn_error* pad_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  if (c.has(1)) {
    TN_TRY(c.require_scalar(1, "value"));
    c.cast(1, t);
  }
  const uint32_t n = c.rank(0);
  TN_TRY(c.length(TN_PAD_LOW, "low", n, false));
  TN_TRY(c.length(TN_PAD_HIGH, "high", n, false));
  TN_TRY(c.length(TN_PAD_INTERIOR, "interior", n, true));
  TN_TRY(c.within(TN_PAD_INTERIOR, "interior", 0));
  const auto low = c.list(TN_PAD_LOW), high = c.list(TN_PAD_HIGH),
             interior = c.list(TN_PAD_INTERIOR);
  Dims to;
  for (uint32_t a = 0; a < n; ++a) {
    const int64_t d = c.dim(0, a), between = interior.empty() ? 0 : interior[a];
    int64_t size = d, both = 0;
    if (between > 0 && (!concrete(d) || d > 1)) {
      const int64_t gaps = concrete(d) ? d - 1 : c.max(c.sub(d, 1), 0);
      size = c.add(d, c.mul(gaps, between));
    }
    if (__builtin_add_overflow(low[a], high[a], &both))
      return c.error_of(TN_OUT_OF_RANGE,
                        fmt::format("low {} and high {} of axis {} overflow", low[a], high[a], a));
    size = c.plus(size, both);
    if (size == INT64_MIN)
      return c.error("low {} and high {} take more away than axis {} of x has, {}", low[a], high[a],
                     a, c.text(0));
    to.push(size);
  }
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

void d_pad(Recipe& b) {
  const auto low = b.list(TN_PAD_LOW), high = b.list(TN_PAD_HIGH),
             interior = b.list(TN_PAD_INTERIOR);
  const auto n = static_cast<uint32_t>(low.size());
  if (b.wants(0)) {
    // What had been taken away gets zeros; what had been put in is cut off.
    Dims more_low(n, 0), more_high(n, 0), starts(n, 0), stops(n, kToEnd), steps(n, 1);
    bool cropped = false, grown = false;
    for (uint32_t a = 0; a < n; ++a) {
      more_low[a] = std::max<int64_t>(-low[a], 0);
      more_high[a] = std::max<int64_t>(-high[a], 0);
      starts[a] = std::max<int64_t>(low[a], 0);
      if (high[a] > 0) stops[a] = -high[a];
      if (!interior.empty()) steps[a] = interior[a] + 1;
      cropped = cropped || low[a] < 0 || high[a] < 0;
      grown = grown || low[a] > 0 || high[a] > 0 || steps[a] > 1;
    }
    Value g = b.g();
    if (cropped) g = pad(g, more_low, more_high, Dims(n, 0));
    if (grown) g = slice(g, starts, stops, steps);
    b.set(0, g);
  }
  if (b.wants(1)) {
    Dims l, h, between(n, 0);
    for (uint32_t a = 0; a < n; ++a) {
      l.push(low[a]);
      h.push(high[a]);
      if (!interior.empty()) between[a] = interior[a];
    }
    const Value mask = pad(full_like(b.in(0), 0), l, h, between, 1);
    b.set(1, sum(b.g() * mask, mask.all_axes(), false));
  }
}

}  // namespace

const OpRules rules_pad = {TN_OP_PAD, rule<pad_rule>, nullptr, recipe<d_pad>, nullptr};

}  // namespace tenon::ops
