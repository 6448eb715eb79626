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

}  // namespace

CoreOps::CoreOps() : defs_(schema::kDefs) {
  for (size_t i = 0; i < kCount; ++i) {
    const OpRules& rules = *kRules[i];
    tn_op_def& d = defs_[i];
    const bool base = (d.flags & TN_OP_BASE) != 0;
    if (rules.op != id(i) || !rules.infer || base == (rules.decompose != nullptr) ||
        (rules.gradient != nullptr) == (rules.why_not != nullptr))
      fail(TN_INTERNAL, "op {}: its rules do not fit its schema",
           std::string_view(d.name.data, d.name.size));
    d.infer = rules.infer;
    d.decompose = rules.decompose;
    d.gradient = rules.gradient;
    d.why_not_differentiable = tn_string(rules.why_not);
  }
}

tn_op CoreOps::id(size_t i) const { return schema::kRows[i].id; }

std::optional<size_t> CoreOps::index(tn_op op) const {
  const auto it =
      std::lower_bound(std::begin(schema::kRows), std::end(schema::kRows), op,
                       [](const schema::Row& row, tn_op wanted) { return row.id < wanted; });
  if (it == std::end(schema::kRows) || it->id != op) return std::nullopt;
  return static_cast<size_t>(it - std::begin(schema::kRows));
}

std::optional<size_t> CoreOps::find(std::string_view name) const {
  for (size_t i = 0; i < kCount; ++i)
    if (schema::kRows[i].name == name) return i;
  return std::nullopt;
}

}  // namespace tenon
