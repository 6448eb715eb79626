// The table of "tenon.ops" from constant definitions. See the template of `tenon new op` for one that uses all of it.
#ifndef TENON_SDK_OPS_HPP_
#define TENON_SDK_OPS_HPP_
#include <tenon/plugin/ops.h>

#include <bit>
#include <concepts>
#include <span>
#include <string>

#include "dtype.hpp"
#include "guard.hpp"

namespace tenon::sdk {

constexpr tn_param param(std::string_view name, uint32_t kind = TN_PARAM_REQUIRED) {
  return {str(name), kind, 0};
}

// An attribute with its default, which gives its type: a double, a whole number (i64), a bool or a text. key: its place in the list.
constexpr tn_attr_def attr_def(uint32_t key, std::string_view name,
                               std::floating_point auto fallback) {
  return {str(name), 0, 0, {key, TN_ATTR_F64, std::bit_cast<uint64_t>(double{fallback}), nullptr}};
}
constexpr tn_attr_def attr_def(uint32_t key, std::string_view name, std::integral auto fallback) {
  constexpr bool kBool = std::same_as<decltype(fallback), bool>;
  return {str(name),
          0,
          0,
          {key, kBool ? TN_ATTR_BOOL : TN_ATTR_I64, static_cast<uint64_t>(fallback), nullptr}};
}
constexpr tn_attr_def attr_def(uint32_t key, std::string_view name, std::string_view fallback) {
  return {str(name), 0, 0, {key, TN_ATTR_STRING, fallback.size(), fallback.data()}};
}

// What an op is. gradient: left out, it is derived from the decomposition.
struct Op {
  std::string_view name;
  uint32_t flags = 0;  // TN_OP_...
  std::span<const tn_param> params;
  std::span<const tn_attr_def> attrs = {};
  tn_infer_rule rule = nullptr;
  tn_recipe decompose = nullptr;
  tn_recipe gradient = nullptr;
  std::string_view why_not_differentiable = "";
  uint32_t outputs = 1;
};
namespace detail {
// Called, and so no constant, where it is not: a compiler shows this name.
inline void the_key_of_an_attribute_must_be_its_place_in_the_list() {}
}  // namespace detail
constexpr tn_op_def op(const Op& o) {
  for (uint32_t k = 0; k < o.attrs.size(); ++k)
    if (o.attrs[k].fallback.key != k)
      detail::the_key_of_an_attribute_must_be_its_place_in_the_list();
  tn_op_def d{};
  d.struct_size = sizeof d;
  d.flags = o.flags;
  d.name = str(o.name);
  d.since = 1;
  d.n_params = static_cast<uint32_t>(o.params.size());
  d.params = o.params.data();
  d.n_attrs = static_cast<uint32_t>(o.attrs.size());
  d.n_outputs = o.outputs;
  d.attrs = o.attrs.data();
  d.infer = o.rule;
  d.decompose = o.decompose;
  d.gradient = o.gradient;
  d.why_not_differentiable = str(o.why_not_differentiable);
  return d;
}
constexpr tn_ops_vtbl ops_table(std::span<const tn_op_def> ops) {
  return {sizeof(tn_ops_vtbl), sizeof(tn_op_def), static_cast<uint32_t>(ops.size()), 0, ops.data()};
}

// ---- rules --------------------------------------------------------------------------------------

// An error of a rule; the host puts the op's name in front.
template <class... Parts>
tn_error* rule_error(tn_infer* c, const Parts&... parts) {
  return c->v->error(c, TN_INVALID_ARGUMENT, str(text(parts...)));
}

// The rule of an elementwise op of one or two inputs, of which the second may be optional: they are promoted to one dtype, which must be of List, and broadcast. `what`
// names List in the error: "floating point".
template <class List>
tn_error* elementwise_rule(tn_infer* c, std::string_view what) {
  uint32_t last = c->v->input_count(c) - 1;
  if (c->v->input(c, last)->flags & TN_VIEW_ABSENT) last = 0;
  const tn_dtype dtype = c->v->promote(c, 0, last);
  if (!has_dtype<List>(dtype)) return rule_error(c, "the inputs must be ", what);
  const tn_view &a = *c->v->input(c, 0), &b = *c->v->input(c, last);
  const uint32_t rank = a.rank > b.rank ? a.rank : b.rank;
  int64_t dims[TN_MAX_RANK];
  for (uint32_t i = 0; i < rank; ++i) {
    const int64_t from_a = i + a.rank < rank ? 1 : a.dims[i + a.rank - rank];
    const int64_t from_b = i + b.rank < rank ? 1 : b.dims[i + b.rank - rank];
    dims[i] = c->v->dim_broadcast(c, from_a, from_b);
    if (dims[i] == -1) return rule_error(c, "the inputs do not broadcast at axis ", i);
  }
  for (uint32_t i = 0; i <= last; ++i) c->v->cast_input(c, i, dtype);
  return c->v->output(c, 0, dtype, rank, dims);
}

}  // namespace tenon::sdk
#endif
