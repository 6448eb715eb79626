// Dead code: nodes that no result needs. What is left is numbered anew.
#include <algorithm>

#include "pass.hpp"

namespace tenon {

size_t remove_dead_code(Graph& graph, const PassContext&) {
  graph.mark_live();
  const size_t before = graph.nodes.size();
  std::erase_if(graph.nodes, [](const GraphNode& n) { return !n.live; });
  for (GraphValue& v : graph.values) v.node = -1;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (int o : graph.nodes[i].outputs)
      graph.values[static_cast<size_t>(o)].node = static_cast<int>(i);
  return before - graph.nodes.size();
}

}  // namespace tenon
