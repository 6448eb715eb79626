#include "ops.hpp"

#include <algorithm>

#include "../base/error.hpp"
#include "schema.hpp"

namespace tenon {
namespace {

constexpr const OpRules* kRules[] = {
#define TN_OP(id, name, since, flags, parameters, attributes, outputs) &ops::rules_##name,
#include "ops.def"
#undef TN_OP
};
static_assert(std::size(kRules) == CoreOps::kCount && schema::kCount == CoreOps::kCount);

constexpr const auto& kTables = schema::kTables;

std::string_view view(schema::Text t) { return {kTables.chars.data() + t.at, t.size}; }
tn_str str(schema::Text t) { return {kTables.chars.data() + t.at, t.size}; }

// The default of a list or string that has one.
const void* data_of(const schema::Attr& a) {
  if (a.bits == 0) return nullptr;
  if (a.tag == TN_ATTR_STRING) return &kTables.chars[a.data];
  return a.tag == TN_ATTR_I64S ? &kTables.numbers[a.data] : nullptr;
}

}  // namespace

CoreOps::CoreOps() : params_(kTables.params.size()), attrs_(kTables.attrs.size()), defs_(kCount) {
  for (size_t i = 0; i < params_.size(); ++i)
    params_[i] = {str(kTables.params[i].name), kTables.params[i].kind, 0};
  const tn_param* param = params_.data();
  tn_attr_def* attr = attrs_.data();
  const schema::Attr* row = kTables.attrs.data();
  for (size_t i = 0; i < kCount; ++i) {
    const schema::Op& op = kTables.ops[i];
    const OpRules& rules = *kRules[i];
    const bool base = (op.flags & TN_OP_BASE) != 0;
    if (rules.op != op.id || !rules.infer || base == (rules.decompose != nullptr) ||
        (rules.gradient != nullptr && rules.why_not != nullptr) ||
        (base && rules.gradient == nullptr && rules.why_not == nullptr))
      fail(TN_INTERNAL, "op {}: its rules do not fit its schema", view(op.name));
    tn_op_def& d = defs_[i];
    d.struct_size = sizeof d;
    d.flags = op.flags;
    d.name = str(op.name);
    d.since = op.since;
    d.n_params = op.n_params, d.params = param;
    d.n_attrs = op.n_attrs, d.attrs = attr;
    d.n_outputs = op.n_outputs;
    d.infer = rules.infer;
    d.decompose = rules.decompose;
    d.gradient = rules.gradient;
    d.why_not_differentiable = tn_string(rules.why_not);
    param += op.n_params;
    for (uint32_t key = 0; key < op.n_attrs; ++key, ++row)
      *attr++ = {str(row->name), row->required, 0, {key, row->tag, row->bits, data_of(*row)}};
  }
}

tn_op CoreOps::id(size_t i) const { return kTables.ops[i].id; }

std::optional<size_t> CoreOps::index(tn_op op) const {
  const auto begin = kTables.ops.begin(), end = kTables.ops.end();
  const auto it = std::lower_bound(
      begin, end, op, [](const schema::Op& row, tn_op wanted) { return row.id < wanted; });
  if (it == end || it->id != op) return std::nullopt;
  return static_cast<size_t>(it - begin);
}

std::optional<size_t> CoreOps::find(std::string_view name) const {
  for (size_t i = 0; i < kCount; ++i)
    if (view(kTables.ops[i].name) == name) return i;
  return std::nullopt;
}

}  // namespace tenon
