// Nodes that are no ops: branches and loops, which run other programs, and graphs that were compiled. What they are is said by the layer of captures; the layers below only carry and
// run them.
#pragma once
#include <memory>
#include <span>

#include "op/context.hpp"

namespace tenon {

struct CompileOptions;

// Made ready for one program of one context. One run at a time.
class ControlRun {
 public:
  virtual ~ControlRun() = default;
  tn_ctx* ctx = nullptr;         // of the run under way; its owner sets it
  uint64_t workspace_bytes = 0;  // asked for at each run
  // args: inputs, outputs, the workspace if there is one; all dense. Throws.
  virtual void run(const tn_view* const* args) = 0;
};

class Control {
 public:
  virtual ~Control() = default;
  virtual std::string text() const = 0;         // its programs: "\"body\""
  virtual const tn_kernel& kernel() const = 0;  // its name, for profiles
  virtual std::unique_ptr<ControlRun> prepare(tn_runtime* rt, tn_device& device,
                                              std::span<const Shape> inputs,
                                              std::span<const Shape> outputs,
                                              const CompileOptions& options) const = 0;
  // The same by calls, which may be recorded.
  virtual std::vector<Owned> call(tn_ctx* ctx, std::span<tn_tensor* const> inputs) const = 0;
};

// A node whose plan is there already: a graph which the device's compiler made into one function, an op that takes an input packed, or
// the packing of one.
struct CompiledNode {
  explicit CompiledNode(PlanOwner p) : plan(std::move(p)) {}
  PlanOwner plan;
  std::vector<int> aliases;  // of each output: the input whose memory it may take over; -1: none
  size_t ops = 0;            // in the graph; 0: it is none
  std::vector<Shape> shown;  // not of a graph: how the plan takes its inputs to lie
  int packed = -1;           // input that is packed
  Shape whole;               // and what that was before
};
const OpEntry& compiled_op(bool pack = false);  // its name, or that of packing, and nothing else

}  // namespace tenon
