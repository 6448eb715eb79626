// An op that a plugin brings: the calls that are tried of it, and itself on the worker's device.
#pragma once
#include <string>
#include <vector>

#include "plugin.hpp"
#include "plugin_samples.hpp"
#include "worker.hpp"

namespace tenon::conformance {

// An op of the plugin, and the calls that are tried of it.
struct Subject {
  Subject(const std::string& plugin, const std::string& name, bool brief);
  std::string name() const { return text_of(def.name); }
  std::string why_none() const;
  // "input \"x\""
  std::string input(size_t k) const;

  Library library;
  const tn_op_def& def;
  std::vector<Misread> misread;
  std::vector<OpSample> samples;
  std::string refused;  // what the rule said to the first call that it refused
  std::vector<OpCall> calls;
};

CheckResult case_of(const Subject& s, const OpCall& call, bool gradient);
// Tells who watches the process which call comes now.
void announce(const Subject& s, const OpCall& call, bool gradient);

struct Op {
  Worker& w;
  const Subject& subject;
  const tn_op_def& def;
  tn_op id = 0;

  Op(Worker& worker, const Subject& s);
  std::vector<Tensor> call(const OpCall& c, const std::vector<tn_tensor*>& in) const;
  std::vector<Tensor> upload(const std::vector<Array>& inputs) const;
  std::vector<Array> values(const OpCall& c, const std::vector<Array>& inputs) const;
};

// Numbers inside the domain of most functions; numbers of both signs are tried where they give numbers.
constexpr double kPositive = 0.25, kBothSigns = -1.5;
// The inputs of a call, those that it has no values of drawn from `low` up.
std::vector<Array> arrays_of(const OpCall& call, uint64_t seed, double low = kPositive);
bool all_finite(const std::vector<Array>& arrays);

// The checks op_value., op_gradient. and op_gradient2. of one op.
void run_values(const Subject& s, Worker& w, Reporter& r);
void run_gradient(const Subject& s, Worker& w, Reporter& r);
void run_second_gradient(const Subject& s, Worker& w, Reporter& r);

// What to name in the manifest where the kit finds no call of its own.
inline constexpr const char* kSampleAdvice =
    "name calls that it takes in the manifest: {\"samples\": {OP: [{\"inputs\": [\"f32[3,4]\"]}]}} "
    "(docs/writing-an-op.md)";

}  // namespace tenon::conformance
