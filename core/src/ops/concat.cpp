// concat, stack and split along an axis.
#include <vector>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// All inputs have the dims of the first, `except` this axis (TN_MAX_RANK: no exception).
tn_error* require_same_dims(const Infer& c, uint32_t except) {
  for (uint32_t i = 1; i < c.count(); ++i) {
    bool fits = c.rank(i) == c.rank(0);
    for (uint32_t a = 0; fits && a < c.rank(0); ++a)
      fits = a == except || !c.differ(c.dim(i, a), c.dim(0, a));
    if (!fits)
      return c.error("input {} is {}, input 0 is {}: {}", i, c.text(i), c.text(0),
                     except < TN_MAX_RANK
                         ? fmt::format("they may differ only along axis {}", except)
                         : "their dims must be equal");
  }
  return nullptr;
}

// ---- concat

tn_error* concat_rule(Infer& c) {
  if (c.count() == 0) return c.error("no inputs");
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common_all(kAnyKind, &t));
  if (c.rank(0) == 0) return c.error("the inputs have rank 0. To join scalars use stack.");
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_CONCAT_AXIS), c.rank(0), &axis));
  TN_TRY(require_same_dims(c, axis));
  Dims to = c.dims(0);
  for (uint32_t i = 1; i < c.count(); ++i) to[axis] = c.add(to[axis], c.dim(i, axis));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

std::vector<tn_value> split(Value x, const std::vector<int64_t>& sizes, uint32_t axis) {
  std::vector<tn_value> parts(sizes.size(), TN_NO_VALUE);
  const auto n = static_cast<uint32_t>(sizes.size());
  tn_b_split(x.b(), x.v(), sizes.data(), n, axis, parts.data(), n);
  return parts;
}

void d_concat(Recipe& b) {
  const uint32_t axis = axis_of(b.i64(TN_CONCAT_AXIS), b.g().rank());
  std::vector<int64_t> sizes;
  for (uint32_t i = 0; i < b.count(); ++i) sizes.push_back(b.in(i).dim(axis));
  const auto parts = split(b.g(), sizes, axis);
  for (uint32_t i = 0; i < b.count(); ++i)
    if (b.wants(i)) b.set(i, {b.raw(), parts[i]});
}

// ---- stack

tn_error* stack_rule(Infer& c) {
  if (c.count() == 0) return c.error("no inputs");
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common_all(kAnyKind, &t));
  TN_TRY(require_same_dims(c, TN_MAX_RANK));
  TN_TRY(c.check_rank(c.rank(0) + 1));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_STACK_AXIS), c.rank(0) + 1, &axis));
  Dims to;
  for (uint32_t a = 0, from = 0; a <= c.rank(0); ++a)
    to.push(a == axis ? c.count() : c.dim(0, from++));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

void stack_of_base(Recipe& b) {
  const uint32_t axis = axis_of(b.i64(TN_STACK_AXIS), b.in(0).rank() + 1);
  std::vector<tn_value> parts;
  for (uint32_t i = 0; i < b.count(); ++i) parts.push_back(unsqueeze(b.in(i), 1u << axis).v());
  b.set(0,
        {b.raw(), tn_b_concat(b.raw(), parts.data(), static_cast<uint32_t>(parts.size()), axis)});
}

void d_stack(Recipe& b) {
  const uint32_t axis = axis_of(b.i64(TN_STACK_AXIS), b.g().rank());
  const auto parts = split(b.g(), std::vector<int64_t>(b.count(), 1), axis);
  for (uint32_t i = 0; i < b.count(); ++i)
    if (b.wants(i)) b.set(i, squeeze({b.raw(), parts[i]}, 1u << axis));
}

// ---- split

tn_error* split_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_SPLIT_AXIS), c.rank(0), &axis));
  const auto sizes = c.list(TN_SPLIT_SIZES);
  if (sizes.empty()) return c.error("sizes is empty");
  int64_t total = 0;
  for (const int64_t size : sizes) {
    if (size == -1)
      return c.error("sizes {}: -1 has no meaning here, give the size", dims_text(sizes));
    total = c.add(total, size);
  }
  if (c.differ(total, c.dim(0, axis)))
    return c.error("sizes {} add up to {}; axis {} of x, {}, has {} elements", dims_text(sizes),
                   dim_text(total), axis, c.text(0), dim_text(c.dim(0, axis)));
  Dims to = c.dims(0);
  for (uint32_t i = 0; i < sizes.size(); ++i) {
    to[axis] = sizes[i];
    TN_TRY(c.out(i, t, to));
  }
  return nullptr;
}

// Slices; a part whose place is not known beforehand is gathered.
void split_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t n = x.rank(), axis = axis_of(b.i64(TN_SPLIT_AXIS), n);
  const auto sizes = b.list(TN_SPLIT_SIZES);
  int64_t at = 0;
  for (uint32_t i = 0; i < sizes.size(); ++i) {
    const int64_t next = b.add(at, sizes[i]);
    if (concrete(at) && concrete(next)) {
      Dims starts(n, 0), stops(n, kToEnd);
      starts[axis] = at;
      stops[axis] = next;
      b.set(i, slice(x, starts, stops, Dims(n, 1)));
    } else {
      const Value index =
          b.iota(Dims(1, sizes[i]), 0, TN_DTYPE_I64) + b.dim_scalar(at, TN_DTYPE_I64);
      b.set(i, gather(x, index, axis));
    }
    at = next;
  }
}

void d_split(Recipe& b) {
  std::vector<tn_value> parts;
  for (uint32_t i = 0; i < b.list(TN_SPLIT_SIZES).size(); ++i) parts.push_back(b.g(i).v());
  const uint32_t axis = axis_of(b.i64(TN_SPLIT_AXIS), b.in(0).rank());
  b.set(0,
        {b.raw(), tn_b_concat(b.raw(), parts.data(), static_cast<uint32_t>(parts.size()), axis)});
}

}  // namespace

const OpRules rules_concat = {TN_OP_CONCAT, rule<concat_rule>, nullptr, recipe<d_concat>, nullptr};
const OpRules rules_stack = {TN_OP_STACK, rule<stack_rule>, recipe<stack_of_base>, recipe<d_stack>,
                             nullptr};
const OpRules rules_split = {TN_OP_SPLIT, rule<split_rule>, recipe<split_of_base>, recipe<d_split>,
                             nullptr};

}  // namespace tenon::ops
