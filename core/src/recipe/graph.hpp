// A recipe, traced: ops over values with known (or symbolic) shapes.
#pragma once
#include <deque>
#include <memory>

#include "op/infer.hpp"
#include "tenon/op_ids.h"
#include "tenon/plugin/builder.h"

namespace tenon {

struct GraphValue {
  Shape shape;
  bool weak = false;      // weakly typed scalar
  bool constant = false;  // its element is in `bits`
  bool absent = false;
  bool rounded = false;  // a constant that its dtype does not hold
  uint64_t bits[2] = {0, 0};
  int node = -1;  // producer; -1: an input of the graph or a constant
};

class Control;
struct CompiledNode;

struct GraphNode {
  const OpEntry* op;
  std::vector<int> inputs;  // -1: absent
  Attrs attrs;
  Inferred inferred;
  std::vector<int> outputs;
  bool live = false;
  bool stop = false;  // recorded off the tape: no gradient flows through it where it is played
  std::shared_ptr<const Control> control;        // instead of a kernel of the op
  std::shared_ptr<const CompiledNode> compiled;  // the same
};

// Ops whose attribute TN_REGION_CODE is a region, which rounds as its ops do.
inline bool has_region(tn_op op) {
  return op == TN_OP_REGION || (op >= TN_OP_CONV2D_REGION && op <= TN_OP_MATMUL_REGION);
}

struct Graph {
  std::deque<GraphValue> values;
  std::vector<GraphNode> nodes;
  std::vector<int> inputs;   // values
  std::vector<int> results;  // values; -1: none (a gradient that is zero)

  // Marks the nodes that the results need, and says which inputs they use.
  std::vector<bool> mark_live();
};

// What a value of a graph looks like to a rule. `out` refers into `v`.
tn_view view_of(const GraphValue& v);

struct TraceInput {
  Shape shape;
  bool weak = false, absent = false;
};

// Both: where results of f16 or bf16 would be rounded more than once on the way, the recipe sees f32 in their place, and the graph
// casts at both ends; but not where it has a product of matrices or a convolution, or `widens` is false.

// Form of a decomposition or an update: set(i) gives result i. n_results 0: as many as are set.
Graph trace_recipe(const OpRegistry& ops, std::string_view name, tn_recipe recipe,
                   const std::vector<TraceInput>& inputs, const Attrs& attrs, uint32_t n_results,
                   SymTable* symbols = nullptr, bool widens = true);

// Gradient of an op. Inputs of the graph: the op's inputs, its outputs, the cotangents of its outputs. result i: gradient of input i in
// its dtype and dims; -1 where it is not wanted or zero. has_cotangent: where false, the recipe sees zeros.
Graph trace_gradient(const OpRegistry& ops, const OpEntry& op,
                     const std::vector<TraceInput>& inputs, const std::vector<Shape>& outputs,
                     const Attrs& attrs, const std::vector<bool>& wants,
                     const std::vector<bool>& has_cotangent, SymTable* symbols = nullptr);

}  // namespace tenon
