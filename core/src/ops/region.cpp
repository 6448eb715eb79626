// region: elementwise ops and reductions of them in one, for captures. See tenon/plugin/region.h.
#include "tenon/plugin/region.h"

#include <algorithm>
#include <vector>

#include "recipe.hpp"
#include "region.hpp"
#include "tensor/dtype.hpp"

namespace tenon::ops {
namespace {

bool read(std::span<const int64_t> code, uint32_t inputs, tn_region_code* out) {
  return tn_region_read(code.data(), code.size(), inputs, out) != 0;
}

// Do the operands of an instruction have the dtypes that its class asks for?
bool fits(const tn_region_instruction& x, const std::vector<tn_dtype>& types) {
  uint32_t n = 0;
  const tn_region_class kind = tn_region_class_of(x.op, &n);
  const auto type = [&](uint32_t k) { return types[static_cast<size_t>(x.args[k])]; };
  if (tn_region_folds(x.op)) {
    const uint32_t of = x.op == TN_OP_MEAN ? kFloat : kReal;
    const bool accumulates = x.op == TN_OP_SUM || x.op == TN_OP_PROD;
    return type(0) == x.dtype && (kind_of(x.dtype) & of) &&
           !(accumulates && kind_of(x.dtype) == kInt && TN_DTYPE_BITS(x.dtype) < 64);
  }
  switch (kind) {
    case TN_REGION_SAME:
      return type(0) == x.dtype && (n == 1 || type(1) == x.dtype);
    case TN_REGION_COMPARE:
      return type(0) == type(1) && x.dtype == TN_DTYPE_BOOL;
    case TN_REGION_SELECT:
      return type(0) == TN_DTYPE_BOOL && type(1) == x.dtype && type(2) == x.dtype;
    default:
      return kind == TN_REGION_CAST;
  }
}

// Without the axes that are folded, or with 1 in their place.
Dims folded(const Dims& dims, const tn_region_instruction& x) {
  Dims to;
  for (uint32_t a = 0; a < dims.n; ++a)
    if (!(x.args[1] >> a & 1)) {
      to.push(dims[a]);
    } else if (x.args[2]) {
      to.push(1);
    }
  return to;
}

}  // namespace

tn_error* region_types(const Infer& c, std::vector<tn_dtype>* types, tn_region_code* out) {
  const auto inputs = static_cast<uint32_t>(types->size());
  if (!read(c.list(TN_REGION_CODE), inputs, out))
    return c.error(
        "code is no list [{}, outputs, values ..., instructions of four numbers ...] over {} "
        "inputs; "
        "see tenon/plugin/region.h",
        TN_REGION_VERSION_FOLDS, inputs);
  for (uint32_t k = 0; k < out->n_instructions; ++k) {
    const tn_region_instruction x = tn_region_at(out, k);
    if (x.op != TN_REGION_CONSTANT && !fits(x, *types))
      return c.error("code: instruction {} does not fit the dtypes of its operands", k);
    if (x.op == TN_REGION_CONSTANT &&
        (!(kind_of(x.dtype) & (kReal | kBool)) || (x.dtype == TN_DTYPE_BOOL && x.args[0] >> 1)))
      return c.error(
          "code: instruction {} is no constant: its dtype must be a real one or bool, and a bool 0 "
          "or 1",
          k);
    types->push_back(x.dtype);
  }
  return nullptr;
}

namespace {

tn_error* region_rule(Infer& c) {
  tn_region_code r;
  if (c.count() == 0) return c.error("no inputs");
  std::vector<tn_dtype> types(c.count());
  Dims dims;
  TN_TRY(c.broadcast_all(&dims));
  for (uint32_t i = 0; i < c.count(); ++i) TN_TRY(c.single(i, "xs", kAnyKind, &types[i]));
  TN_TRY(region_types(c, &types, &r));
  if (r.axes >> dims.n) return c.error("code: it folds axes that {} has not", dims_text(dims));
  for (uint32_t i = 0; i < r.n_outputs; ++i) {
    const tn_region_instruction x =
        tn_region_at(&r, static_cast<uint32_t>(r.outputs[i] - int64_t{r.n_inputs}));
    const Dims to = tn_region_folds(x.op) ? folded(dims, x) : dims;
    if ((x.op == TN_OP_MAX || x.op == TN_OP_MIN) && known_empty(dims) && !known_empty(to))
      return c.error("{}: there are no elements to choose from", dims_text(dims));
    TN_TRY(c.out(i, x.dtype, to));
  }
  return nullptr;
}

// The dims that all inputs broadcast to; the rule has seen that they do.
Dims joint_dims(const Recipe& b) {
  Dims dims;
  for (uint32_t i = 0; i < b.count(); ++i) dims.n = std::max(dims.n, b.in(i).rank());
  for (uint32_t a = 0; a < dims.n; ++a) {
    dims[a] = 1;
    for (uint32_t i = 0; i < b.count() && dims[a] == 1; ++i) {
      const uint32_t rank = b.in(i).rank();
      if (a + rank >= dims.n) dims[a] = b.in(i).dim(a + rank - dims.n);
    }
  }
  return dims;
}

Value element_of(const Recipe& b, const tn_region_instruction& x) {
  const auto bits = static_cast<uint64_t>(x.args[0]);
  const auto number = [&](double v) {
    return Value{b.raw(), tn_b_cast(b.raw(), b.raw()->v->scalar(b.raw(), v), x.dtype)};
  };
  if (kind_of(x.dtype) == kFloat) return number(element_to_f64(&bits, x.dtype));
  if (TN_DTYPE_BITS(x.dtype) < 64)
    return number(static_cast<double>(element_to_i64(&bits, x.dtype)));
  // Whole numbers of 64 bits do not all fit a double: by halves.
  const Value high = number(static_cast<double>(bits >> 32));
  const Value low = number(static_cast<double>(bits & 0xffffffffu));
  return {b.raw(), tn_b_or(b.raw(), tn_b_shl(b.raw(), high.v(), number(32).v()), low.v())};
}

void region_by_ops(Recipe& b) {
  tn_region_code r;
  if (!read(b.list(TN_REGION_CODE), b.count(), &r)) return;  // the rule has said so
  const Dims dims = joint_dims(b);
  std::vector<Value> values;
  for (uint32_t i = 0; i < b.count(); ++i) values.push_back(b.in(i));
  for (uint32_t k = 0; k < r.n_instructions; ++k) {
    const tn_region_instruction x = tn_region_at(&r, k);
    if (x.op == TN_REGION_CONSTANT) {
      values.push_back(element_of(b, x));
      continue;
    }
    if (tn_region_folds(x.op)) {
      const Dims axes = axes_list(r.axes);
      const tn_attr attrs[] = {tn_attr_i64s(TN_SUM_AXES, axes.d, axes.n),
                               tn_attr_bool(TN_SUM_KEEPDIMS, x.args[2] != 0)};
      const tn_value of = expand(values[static_cast<size_t>(x.args[0])], dims).v();
      tn_value out = TN_NO_VALUE;
      b.raw()->v->call(b.raw(), x.op, &of, 1, attrs, 2, &out, 1);
      values.push_back({b.raw(), out});
      continue;
    }
    tn_value in[3], out = TN_NO_VALUE;
    uint32_t n = 0;
    tn_region_class_of(x.op, &n);
    for (uint32_t i = 0; i < n; ++i) in[i] = values[static_cast<size_t>(x.args[i])].v();
    const tn_attr dtype = tn_attr_dtype(TN_CAST_DTYPE, x.dtype);
    b.raw()->v->call(b.raw(), x.op, in, n, &dtype, x.op == TN_OP_CAST, &out, 1);
    values.push_back({b.raw(), out});
  }
  for (uint32_t i = 0; i < r.n_outputs; ++i) {
    const Value y = values[static_cast<size_t>(r.outputs[i])];
    const auto from = static_cast<uint32_t>(r.outputs[i] - int64_t{r.n_inputs});
    b.set(i, tn_region_folds(tn_region_at(&r, from).op) ? y : expand(y, dims));
  }
}

}  // namespace

const OpRules rules_region = {TN_OP_REGION, rule<region_rule>, recipe<region_by_ops>, nullptr,
                              nullptr};

}  // namespace tenon::ops
