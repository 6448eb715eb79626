// The core's own ops: the schemas of abi/ops.def joined with a dtype and shape rule, a
// decomposition and a gradient for each.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tenon/plugin/ops.h"

namespace tenon {

// What is written in code about an op.
struct OpRules {
  tn_op op;
  tn_infer_rule infer;
  tn_recipe decompose;  // null: base op
  tn_recipe gradient;   // null: derived from the decomposition, or there is none
  const char* why_not;  // null: differentiable
};

// One constant per core op, defined in the file of its family: an op of ops.def without one does
// not link.
namespace ops {
#define TN_OP(id, name, since, flags, parameters, attributes, outputs) \
  extern const OpRules rules_##name;
#include "ops.def"
#undef TN_OP
}  // namespace ops

// The definitions, in the order of ops.def, made from small tables (a few microseconds). They point
// into the object. Throws INTERNAL when rules do not fit their schema.
class CoreOps {
 public:
  enum Row : size_t {
#define TN_OP(id, name, since, flags, parameters, attributes, outputs) kRow_##name,
#include "ops.def"
#undef TN_OP
    kCount
  };

  CoreOps();
  CoreOps(const CoreOps&) = delete;
  CoreOps& operator=(const CoreOps&) = delete;
  std::span<const tn_op_def> defs() const { return defs_; }
  tn_op id(size_t i) const;                                 // i < kCount
  std::optional<size_t> index(tn_op op) const;              // of an id
  std::optional<size_t> find(std::string_view name) const;  // index of a name

 private:
  std::vector<tn_param> params_;
  std::vector<tn_attr_def> attrs_;
  std::vector<tn_op_def> defs_;
};

}  // namespace tenon
