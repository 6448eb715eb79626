// The calls that are tried of an op that a plugin brings: the kit's own choice, and those that its manifest names.
#pragma once
#include <string>
#include <vector>

#include "rules.hpp"
#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

struct OpCall {
  std::vector<RuleInput> inputs;
  std::vector<Attr> attrs;        // those that are not left at their default
  std::string sample;             // "sample 2": of the manifest; "" of the kit
  std::string told;               // ", b = 2": attributes that are otherwise than by default
  tn_dtype dtype = TN_DTYPE_F32;  // the dtype of the case
  bool ranged = false;
  double low = 0, high = 0;  // of the elements, where `ranged`
  std::vector<std::vector<double>> values,
      gives;  // elements of the inputs, and of the outputs, where known

  std::string place() const;  // "f32[3,4], absent, b = 2"
  bool floating() const;      // has a floating input
};

// A sample as the manifest has it; its inputs of no dtype take that of the case.
struct OpSample {
  OpCall call;
  std::vector<bool> any_dtype;  // for each input
};

// {"samples": {OP: [{"inputs": ["f32[3,4]", "[4]", null], "attributes": {NAME: value}, "range": [low, high],
//                    "values": [[...], ...], "gives": [[...], ...]}, ...]}}
// All but "inputs" may be left out. Throws Wrong with the place of what cannot be read.
std::vector<OpSample> samples_of(const std::string& plugin, const tn_op_def& op);
// The names of ops under "samples".
std::vector<std::string> sampled_ops(const std::string& plugin);

// What the rule says to a call.
RuleResult infer_call(const tn_op_def& op, const OpCall& call, bool symbolic);

// Every call whose rule takes it, each once, those of the manifest first; the kit varies dtypes, shapes, optional inputs, and each
// attribute alone. `refused`: what the rule said to the first one that it refused. brief: fewer of them.
std::vector<OpCall> calls_of(const tn_op_def& op, const std::vector<OpSample>& samples, bool brief,
                             std::string* refused);

}  // namespace tenon::conformance
