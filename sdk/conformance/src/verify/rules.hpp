// A dtype and shape rule (tn_infer_rule), run by the kit: on sizes that are known, and on symbols that stand for the same sizes.
#pragma once
#include <string>
#include <vector>

#include "host.hpp"
#include "tenon/conformance/array.hpp"
#include "tenon/plugin/ops.h"

namespace tenon::conformance {

struct RuleInput {
  tn_dtype dtype = TN_DTYPE_NONE;
  Dims dims;
  bool absent = false;
};
struct RuleOutput {
  tn_dtype dtype = TN_DTYPE_NONE;
  Dims dims;
  bool operator==(const RuleOutput&) const = default;
};
struct RuleResult {
  tn_code code = TN_OK;
  std::string message;
  std::vector<RuleOutput> outputs;
};

// `symbolic`: every size is a symbol; what comes out are the sizes that the symbols stand for. Throws Wrong where the rule
// computes with a symbol by itself, or asks for what is not there.
RuleResult run_rule(const tn_op_def& op, const std::vector<RuleInput>& inputs,
                    const std::vector<tn_attr>& attrs, bool symbolic);

}  // namespace tenon::conformance
