// Reading and writing along one axis by index: gather, scatter, scatter_add, embedding, one_hot,
// checked_index.
#include "scatter.hpp"

namespace tenon::ops {

tn_error* require_indices(const Infer& c, uint32_t i, const char* name) {
  if (kind_of(c.dtype(i)) != kInt)
    return c.error("{} is {}; it must be integer. Cast it first (cast, dtype = i64).", name,
                   c.text(i));
  if (c.weak(i)) c.cast(i, TN_DTYPE_I64);
  return nullptr;
}

namespace {

// x dims with those of the indices in place of `axis`.
tn_error* gathered_dims(const Infer& c, uint32_t axis, Dims* out) {
  TN_TRY(c.check_rank(c.rank(0) + c.rank(1) - 1));
  Dims to;
  for (uint32_t a = 0; a < c.rank(0); ++a) {
    if (a != axis) {
      to.push(c.dim(0, a));
      continue;
    }
    for (uint32_t k = 0; k < c.rank(1); ++k) to.push(c.dim(1, k));
  }
  *out = to;
  return c.check_count(to);
}

// ---- gather, embedding

tn_error* gather_rule(Infer& c) {
  TN_TRY(require_indices(c, 1, "indices"));
  uint32_t axis = 0;
  TN_TRY(c.axis(c.i64(TN_GATHER_AXIS), c.rank(0), &axis));
  Dims to;
  TN_TRY(gathered_dims(c, axis, &to));
  return c.out(0, c.dtype(0), to);
}

// Each slice of the cotangent is added to the place it was read from.
void gather_gradient(Recipe& b, uint32_t axis) {
  if (!b.wants(0)) return;
  const Value g = b.g();
  b.set(0, scatter(b.fill(0, b.in(0).dims(), g.dtype()), b.in(1), g, axis, "add"));
}
void d_gather(Recipe& b) { gather_gradient(b, axis_of(b.i64(TN_GATHER_AXIS), b.in(0).rank())); }

tn_error* embedding_rule(Infer& c) {
  TN_TRY(c.require_rank(0, "table", 2, "[rows, width]"));
  TN_TRY(require_indices(c, 1, "indices"));
  Dims to;
  TN_TRY(gathered_dims(c, 0, &to));
  return c.out(0, c.dtype(0), to);
}
void embedding_of_base(Recipe& b) {
  b.set(0, gather(b.in(0), checked(b.in(1), b.in(0).dim(0), "embedding: indices", true), 0));
}
void d_embedding(Recipe& b) { gather_gradient(b, 0); }

// ---- scatter

tn_error* scatter_into(Infer& c, int64_t wanted_axis, uint32_t kinds) {
  TN_TRY(require_indices(c, 1, "indices"));
  uint32_t axis = 0;
  TN_TRY(c.axis(wanted_axis, c.rank(0), &axis));
  TN_TRY(c.require_kind(0, "x", kinds));
  c.cast(2, c.dtype(0));
  Dims slots;
  TN_TRY(gathered_dims(c, axis, &slots));
  bool fits = slots.n == c.rank(2);
  for (uint32_t a = 0; fits && a < slots.n; ++a) fits = !c.differ(slots[a], c.dim(2, a));
  if (!fits)
    return c.error("updates is {}; for x, {}, and indices, {}, along axis {} it must have dims {}",
                   c.text(2), c.text(0), c.text(1), axis, dims_text(slots.span()));
  return c.elementwise(c.dtype(0), c.dims(0), {0});
}

tn_error* scatter_rule(Infer& c) {
  const auto mode = c.string(TN_SCATTER_MODE);
  TN_TRY(c.choice("mode", mode, {"set", "add", "max", "min"}));
  return scatter_into(c, c.i64(TN_SCATTER_AXIS),
                      mode == "set"   ? kAnyKind
                      : mode == "add" ? kNumber
                                      : kReal);
}

void added_gradient(Recipe& b, uint32_t axis) {
  if (b.wants(0)) b.set(0, b.g());
  if (b.wants(2)) b.set(2, gather(b.g(), b.in(1), axis));
}

void set_gradient(Recipe& b, uint32_t axis) {
  const Value g = b.g(), indices = b.in(1);
  if (b.wants(0))
    b.set(0, scatter(g, indices, full_like(gather(g, indices, axis), 0), axis, "set"));
  if (b.wants(2)) b.set(2, taken_by_last(b, g, indices, axis));
}

// Everything equal to the result takes an equal share of the gradient.
void extremum_gradient(Recipe& b, uint32_t axis) {
  const Value g = b.g(), y = b.out(), indices = b.in(1);
  const Value from_x = eq(b.in(0), y);
  const Value from_updates = eq(cast(b.in(2), y.dtype()), gather(y, indices, axis));
  const Value sources =
      scatter(cast(from_x, g.dtype()), indices, cast(from_updates, g.dtype()), axis, "add");
  const Value share = g / sources;
  if (b.wants(0)) b.set(0, where(from_x, share, 0));
  if (b.wants(2)) b.set(2, where(from_updates, gather(share, indices, axis), 0));
}

void d_scatter(Recipe& b) {
  const uint32_t axis = axis_of(b.i64(TN_SCATTER_AXIS), b.in(0).rank());
  const auto mode = b.string(TN_SCATTER_MODE);
  if (mode == "add") return added_gradient(b, axis);
  if (mode == "set") return set_gradient(b, axis);
  extremum_gradient(b, axis);
}

// ---- scatter_add

tn_error* scatter_add_rule(Infer& c) {
  return scatter_into(c, c.i64(TN_SCATTER_ADD_AXIS), kNumber);
}
void scatter_add_of_base(Recipe& b) {
  const Value x = b.in(0);
  const uint32_t axis = axis_of(b.i64(TN_SCATTER_ADD_AXIS), x.rank());
  const Value at = checked(b.in(1), x.dim(axis), "scatter_add: indices", true);
  b.set(0, scatter(x, at, b.in(2), axis, "add"));
}
void d_scatter_add(Recipe& b) {
  added_gradient(b, axis_of(b.i64(TN_SCATTER_ADD_AXIS), b.in(0).rank()));
}

// ---- one_hot

tn_error* one_hot_rule(Infer& c) {
  TN_TRY(require_indices(c, 0, "indices"));
  const int64_t depth = c.i64(TN_ONE_HOT_DEPTH);
  if (depth == -1) return c.error("depth is -1; it must be the number of classes");
  const tn_dtype t = c.type(TN_ONE_HOT_DTYPE);
  TN_TRY(c.dtype_attr(TN_ONE_HOT_DTYPE, kComputable));
  TN_TRY(c.check_rank(c.rank(0) + 1));
  Dims to = c.dims(0);
  to.push(depth);
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// An index outside 0 to depth - 1 gives zeros.
void one_hot_of_base(Recipe& b) {
  const Value classes = b.iota(Dims(1, b.i64(TN_ONE_HOT_DEPTH)), 0, TN_DTYPE_I64);
  const Value indices = cast(b.in(0), TN_DTYPE_I64);
  b.set(0, cast(eq(unsqueeze(indices, 1u << indices.rank()), classes), b.type(TN_ONE_HOT_DTYPE)));
}

// ---- checked_index

tn_error* checked_index_rule(Infer& c) {
  TN_TRY(require_indices(c, 0, "indices"));
  const int64_t size = c.i64(TN_CHECKED_INDEX_SIZE);
  if (size == -1) return c.error("size is -1; it must be the number of elements along an axis");
  if (!concrete(size)) c.add(size, 0);  // fails where it is no symbol
  return c.out(0, TN_DTYPE_I64, c.dims(0));
}

// Looked up, so that gather checks them: as unsigned numbers where negative ones do not count from the
// end.
void checked_index_of_base(Recipe& b) {
  const Value at = b.in(0);
  const Value all = b.iota(Dims(1, b.i64(TN_CHECKED_INDEX_SIZE)), 0, TN_DTYPE_I64);
  b.set(0, gather(all, b.flag(TN_CHECKED_INDEX_FROM_END) ? at : cast(at, TN_DTYPE_U64), 0));
}

}  // namespace

Value checked(Value indices, int64_t size, std::string_view what, bool from_end) {
  return {indices.b(),
          tn_b_checked_index(indices.b(), indices.v(), size, {what.data(), what.size()}, from_end)};
}

// The place of each update in their order is scattered and read back to find the last one.
Value taken_by_last(const Recipe& b, Value g, Value indices, uint32_t axis) {
  const Dims at = indices.dims();
  const Value order = reshape(b.iota(Dims(1, b.product(at.span())), 0, TN_DTYPE_I64), at);
  const Value last =
      scatter(b.fill(0, Dims(1, g.dim(axis)), TN_DTYPE_I64), indices, order, 0, "max");
  const Value won = eq(gather(last, indices, 0), order);
  const Value taken = gather(g, indices, axis);
  uint32_t around = 0;
  for (uint32_t a = 0; a < taken.rank(); ++a)
    if (a < axis || a >= axis + at.n) around |= 1u << a;
  return where(unsqueeze(won, around), taken, 0);
}

const OpRules rules_gather = {TN_OP_GATHER, rule<gather_rule>, nullptr, recipe<d_gather>, nullptr};
const OpRules rules_scatter = {TN_OP_SCATTER, rule<scatter_rule>, nullptr, recipe<d_scatter>,
                               nullptr};
const OpRules rules_scatter_add = {TN_OP_SCATTER_ADD, rule<scatter_add_rule>,
                                   recipe<scatter_add_of_base>, recipe<d_scatter_add>, nullptr};
const OpRules rules_embedding = {TN_OP_EMBEDDING, rule<embedding_rule>, recipe<embedding_of_base>,
                                 recipe<d_embedding>, nullptr};
const OpRules rules_one_hot = {TN_OP_ONE_HOT, rule<one_hot_rule>, recipe<one_hot_of_base>, nullptr,
                               "its input is an integer index"};
const OpRules rules_checked_index = {TN_OP_CHECKED_INDEX, rule<checked_index_rule>,
                                     recipe<checked_index_of_base>, nullptr,
                                     "its input is an integer index"};

}  // namespace tenon::ops
