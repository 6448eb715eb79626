// reshape, expand, squeeze, unsqueeze: the same elements under other dims. Views where the strides
// allow it.
#include <algorithm>
#include <vector>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// Strides under which the elements of (dims, strides) are seen as `to`, both concrete and of equal
// count; false: there are none. Runs of old axes that lie densely behind each other are matched
// against runs of new axes of the same size.
bool reshape_strides(const Dims& dims, const Dims& strides, const Dims& to, Dims* out) {
  Dims result;
  result.n = to.n;
  const bool empty = std::any_of(to.begin(), to.end(), [](int64_t d) { return d == 0; });
  Dims od, os;
  for (uint32_t a = 0; a < dims.n; ++a) {
    if (dims[a] == 1) continue;
    od.push(dims[a]);
    os.push(strides[a]);
  }
  uint32_t i = 0, k = 0;
  while (!empty && i < od.n) {
    int64_t old_run = od[i], new_run = to[k];
    uint32_t i_end = i + 1, k_end = k + 1;
    while (old_run != new_run) {
      if (old_run < new_run) {
        old_run *= od[i_end++];
      } else {
        new_run *= to[k_end++];
      }
    }
    for (uint32_t a = i; a + 1 < i_end; ++a)
      if (os[a] != os[a + 1] * od[a + 1]) return false;
    int64_t stride = os[i_end - 1];
    for (uint32_t a = k_end; a-- > k;) {
      result[a] = stride;
      stride *= to[a];
    }
    i = i_end;
    k = k_end;
  }
  // What is left has size 1, or the tensor is empty: any stride will do; take the dense ones.
  for (uint32_t a = to.n; a-- > (empty ? 0 : k);)
    result[a] = a + 1 < to.n ? result[a + 1] * std::max<int64_t>(to[a + 1], 1) : 1;
  *out = result;
  return true;
}

Dims strides_of(const Infer& c) {
  Dims out;
  for (uint32_t a = 0; a < c.rank(0); ++a) out.push(c.in(0).strides[a]);
  return out;
}

// out(0) with these dims, as a view where that is possible.
tn_error* reshaped(Infer& c, tn_dtype t, const Dims& to) {
  TN_TRY(c.out(0, t, to));
  if (!c.has_strides(0) || !concrete(to)) return nullptr;
  Dims strides;
  if (reshape_strides(c.dims(0), strides_of(c), to, &strides)) c.view(strides, 0);
  return nullptr;
}

// ---- reshape

int64_t product(const Infer& c, const std::vector<int64_t>& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n = c.mul(n, d);
  return n;
}

// Fills in -1 and compares the numbers of elements. Dims that stand on both sides are cancelled
// first, so that symbolic ones need no arithmetic in the usual cases.
tn_error* resolve_reshape(Infer& c, Dims* to) {
  const auto wanted = c.list(TN_RESHAPE_DIMS);
  TN_TRY(c.check_rank(static_cast<uint32_t>(std::min<size_t>(wanted.size(), TN_MAX_RANK + 1))));
  const Dims from = c.dims(0);
  std::vector<int64_t> have(from.begin(), from.end()), want;
  int64_t inferred = -1;
  Dims result, known;
  for (const int64_t d : wanted) {
    if (d == -1 && inferred >= 0)
      return c.error("dims {}: -1 may stand only once", dims_text(wanted));
    if (d == -1) {
      inferred = result.n;
    } else if (const auto it = std::find(have.begin(), have.end(), d); it != have.end() && d != 0) {
      have.erase(it);
    } else {
      want.push_back(d);
    }
    if (d != -1) known.push(d);
    result.push(d);
  }
  TN_TRY(c.check_count(known));
  const int64_t left = product(c, have), right = product(c, want);
  if (inferred >= 0) {
    if (right == 0)
      return c.error("dims {}: -1 is not determined beside a size of 0", dims_text(wanted));
    const int64_t size = c.floordiv(left, right);
    if (c.differ(c.mul(size, right), left))
      return c.error("x is {}; its elements do not divide into dims {}", c.text(0),
                     dims_text(wanted));
    result[static_cast<uint32_t>(inferred)] = size;
  } else if (c.differ(left, right)) {
    return c.error("x is {}; dims {} hold another number of elements", c.text(0),
                   dims_text(wanted));
  }
  *to = result;
  return nullptr;
}

tn_error* reshape_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  Dims to;
  TN_TRY(resolve_reshape(c, &to));
  return reshaped(c, t, to);
}

void d_reshape(Recipe& b) { b.set(0, reshape_like(b.g(), b.in(0))); }

// ---- expand

tn_error* expand_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const auto wanted = c.list(TN_EXPAND_DIMS);
  TN_TRY(c.check_rank(static_cast<uint32_t>(std::min<size_t>(wanted.size(), TN_MAX_RANK + 1))));
  const Dims from = c.dims(0);
  const auto n = static_cast<uint32_t>(wanted.size());
  if (n < from.n) return c.error("x is {}; dims {} have fewer axes", c.text(0), dims_text(wanted));
  Dims to(n, 1), strides(n, 0);
  const bool viewable = c.has_strides(0);
  for (uint32_t a = 0; a < n; ++a) {
    const bool added = a < n - from.n;
    const int64_t old = added ? 1 : from[a - (n - from.n)],
                  size = wanted[a] == -1 && !added ? old : wanted[a];
    if (size == -1)
      return c.error("dims {}: -1 keeps a size, and axis {} is new", dims_text(wanted), a);
    const bool stretched = !c.same(old, size) && c.same(old, 1);
    if (!stretched && c.differ(old, size))
      return c.error(
          "x is {} and does not expand to dims {}: axis {} has {} elements, and only 1 can be "
          "repeated",
          c.text(0), dims_text(wanted), a, dim_text(old));
    to[a] = size;
    if (viewable && !added && !stretched) strides[a] = c.in(0).strides[a - (n - from.n)];
  }
  TN_TRY(c.check_count(to));
  TN_TRY(c.out(0, t, to));
  if (viewable && concrete(to)) c.view(strides, 0);
  return nullptr;
}

void d_expand(Recipe& b) { b.set(0, sum_to_like(b.g(), b.in(0))); }

// ---- squeeze, unsqueeze

tn_error* squeeze_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const auto wanted = c.list(TN_SQUEEZE_AXES);
  uint32_t mask = 0;
  TN_TRY(c.axes(wanted, c.rank(0), 0, &mask));
  const Dims from = c.dims(0);
  Dims to;
  for (uint32_t a = 0; a < from.n; ++a) {
    if (wanted.empty() ? c.same(from[a], 1) : (mask & (1u << a)) != 0) {
      if (c.differ(from[a], 1))
        return c.error("x is {}; axis {} has {} elements, and only an axis of 1 can go", c.text(0),
                       a, dim_text(from[a]));
    } else {
      to.push(from[a]);
    }
  }
  return reshaped(c, t, to);
}

void squeeze_of_base(Recipe& b) {
  const Value x = b.in(0);
  const auto wanted = b.list(TN_SQUEEZE_AXES);
  const uint32_t mask = axes_mask(wanted, x.rank(), 0);
  Dims to;
  for (uint32_t a = 0; a < x.rank(); ++a)
    if (!(wanted.empty() ? b.same(x.dim(a), 1) : (mask & (1u << a)) != 0)) to.push(x.dim(a));
  b.set(0, reshape(x, to));
}

tn_error* unsqueeze_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const auto wanted = c.list(TN_UNSQUEEZE_AXES);
  const size_t n = c.rank(0) + wanted.size();
  TN_TRY(c.check_rank(static_cast<uint32_t>(std::min<size_t>(n, TN_MAX_RANK + 1))));
  uint32_t mask = 0;
  TN_TRY(c.axes(wanted, static_cast<uint32_t>(n), 0, &mask));
  Dims to;
  for (uint32_t a = 0, from = 0; a < n; ++a) to.push(mask & (1u << a) ? 1 : c.dim(0, from++));
  return reshaped(c, t, to);
}

void unsqueeze_of_base(Recipe& b) {
  const Value x = b.in(0);
  const auto wanted = b.list(TN_UNSQUEEZE_AXES);
  const uint32_t n = x.rank() + static_cast<uint32_t>(wanted.size());
  const uint32_t mask = axes_mask(wanted, n, 0);
  Dims to;
  for (uint32_t a = 0, from = 0; a < n; ++a) to.push(mask & (1u << a) ? 1 : x.dim(from++));
  b.set(0, reshape(x, to));
}

}  // namespace

const OpRules rules_reshape = {TN_OP_RESHAPE, rule<reshape_rule>, nullptr, recipe<d_reshape>,
                               nullptr};
const OpRules rules_expand = {TN_OP_EXPAND, rule<expand_rule>, nullptr, recipe<d_expand>, nullptr};
const OpRules rules_squeeze = {TN_OP_SQUEEZE, rule<squeeze_rule>, recipe<squeeze_of_base>,
                               recipe<d_reshape>, nullptr};
const OpRules rules_unsqueeze = {TN_OP_UNSQUEEZE, rule<unsqueeze_rule>, recipe<unsqueeze_of_base>,
                                 recipe<d_reshape>, nullptr};

}  // namespace tenon::ops
