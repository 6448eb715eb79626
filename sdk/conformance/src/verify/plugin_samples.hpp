// The calls that are tried of an op that a plugin brings: the kit's own choice, and those that its manifest names.
#pragma once
#include <string>
#include <vector>

#include "check.hpp"
#include "rules.hpp"
#include "session.hpp"
#include "tenon/conformance/optimizers.hpp"
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

// A sample that cannot be read: "sample 2", or "samples" where it is all of them, and what is wrong with it.
struct Misread {
  std::string where;
  Wrong wrong;
};

// {"samples": {OP: [{"inputs": ["f32[3,4]", "[4]", null], "attributes": {NAME: value}, "range": [low, high],
//                    "values": [[...], ...], "gives": [[...], ...]}, ...]}}
// All but "inputs" may be left out. What cannot be read goes to `misread`, with its place.
std::vector<OpSample> samples_of(const std::string& plugin, const tn_op_def& op,
                                 std::vector<Misread>* misread);
// Throws Wrong where it has samples of what the plugin does not bring.
void check_sampled(const Profile& profile);

// Of an optimizer: {"options": {NAME: number}, "parameter": [...], "gradients": [[...], ...], "gives": [...]}, a step for each
// gradient, and the parameter after them. "options" may be left out; `known`: those that there are.
struct OptimizerSample {
  std::string name;  // "sample 1"
  Hypers options;
  std::vector<double> parameter, gives;
  std::vector<std::vector<double>> gradients;
};
std::vector<OptimizerSample> optimizer_samples_of(const std::string& plugin,
                                                  const std::string& optimizer,
                                                  const std::vector<std::string>& known,
                                                  std::vector<Misread>* misread);

// f(), with advice that fits where the core refused what the plugin did: its message says it all.
template <class F>
auto told(F&& f) {
  try {
    return f();
  } catch (const Fault& fault) {
    if (fault.code() == TN_UNIMPLEMENTED) throw;
    throw Wrong(fault.what(), "no error", "the message says what the plugin did; correct that");
  }
}

// What the rule says to a call; `raw`, where it is there, stands for the attribute of its key.
RuleResult infer_call(const tn_op_def& op, const OpCall& call, bool symbolic,
                      const tn_attr* raw = nullptr);
// Some calls of two dtypes, whether its rule takes them or not.
std::vector<OpCall> candidates_of(const tn_op_def& op, const std::vector<OpSample>& samples);

// Every call whose rule takes it, each once, those of the manifest first; the kit varies dtypes, shapes, optional inputs, and each
// attribute alone. `refused`: what the rule said to the first one that it refused. brief: fewer of them.
std::vector<OpCall> calls_of(const tn_op_def& op, const std::vector<OpSample>& samples, bool brief,
                             std::string* refused);

}  // namespace tenon::conformance
