// Passes: each makes the graph of a program, whose sizes are known, do the same with less. A file for each; none knows another.
//
// A graph is a list of nodes in an order in which they can run. A pass may add values and nodes, and leave nodes that nobody
// needs: the next removal of dead code takes them out. What a pass gives must be bit for bit what it found.
#pragma once
#include <span>

#include "device/device.hpp"
#include "recipe/graph.hpp"

namespace tenon {

struct PassContext {
  tn_runtime* runtime;
  tn_device* device;
  Queue* queue;
  uint32_t modes;  // TN_SIGNATURE_...
};

struct Pass {
  const char* name;
  size_t (*run)(Graph& graph, const PassContext& c);  // in how many places it changed something
};

size_t remove_dead_code(Graph& graph, const PassContext& c);
size_t expand_recipes(Graph& graph, const PassContext& c);
size_t simplify(Graph& graph, const PassContext& c);
size_t share_subexpressions(Graph& graph, const PassContext& c);
size_t form_regions(Graph& graph, const PassContext& c);

// In the order in which they run.
std::span<const Pass> passes();
// All of them; `program` names the files that TENON_DUMP asks for.
void run_passes(Graph& graph, const PassContext& c, std::string_view program);

// ---- for passes

inline const GraphValue& value_of(const Graph& g, int v) {
  return g.values[static_cast<size_t>(v)];
}
// Puts with[v] in the place of v wherever a node or a result uses v.
void replace_values(Graph& graph, std::vector<int>& with);
// with[v] == v for all.
std::vector<int> same_values(const Graph& graph);

}  // namespace tenon
