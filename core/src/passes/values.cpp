// Graphs of values: what a graph is before it is recorded for a device whose tensors are values.
#include "values.hpp"

#include <algorithm>

#include "op/runtime.hpp"
#include "tenon/op_ids.h"

namespace tenon {

void fit_scalars(Graph& graph, const std::vector<bool>& scalars) {
  for (size_t i = 0; i < scalars.size(); ++i) {
    if (!scalars[i]) continue;
    tn_dtype want = TN_DTYPE_NONE;
    bool same = true;
    for (const GraphNode& n : graph.nodes) {
      if (std::ranges::find(n.inputs, graph.inputs[i]) == n.inputs.end()) continue;
      const Inferred inferred = infer_node(graph, n);
      for (size_t k = 0; k < n.inputs.size(); ++k) {
        if (n.inputs[k] != graph.inputs[i]) continue;
        if (want == TN_DTYPE_NONE) want = inferred.casts[k];
        same &= inferred.casts[k] == want;
      }
    }
    if (!same || want == TN_DTYPE_NONE || dtype_size(want) > sizeof(uint64_t)) continue;
    GraphValue& v = graph.values[static_cast<size_t>(graph.inputs[i])];
    v.shape.dtype = want;
    v.weak = false;
  }
}

void own_results(tn_runtime* rt, Graph& graph, const std::vector<bool>& scalars) {
  std::vector<bool> there(graph.values.size());
  for (size_t i = 0; i < scalars.size(); ++i)
    there[static_cast<size_t>(graph.inputs[i])] = !scalars[i];
  for (int& r : graph.results) {
    if (r < 0 || there[static_cast<size_t>(r)] || value_of(graph, r).node >= 0) continue;
    GraphNode n;
    n.op = &rt->ops.get(TN_OP_COPY);
    n.attrs = complete_attrs(*n.op, nullptr, 0);
    n.inputs = {r};
    n.inferred = infer_node(graph, n);
    r = static_cast<int>(graph.values.size());
    n.outputs = {r};
    GraphValue& made = graph.values.emplace_back();
    made.shape = n.inferred.outputs[0].shape;
    made.node = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back(std::move(n));
    there.push_back(false);
  }
}

}  // namespace tenon
