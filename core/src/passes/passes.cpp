// The order of the passes.
#include "pass.hpp"

#include "dump.hpp"

namespace tenon {

std::span<const Pass> passes() {
  static constexpr Pass kPasses[] = {{"dead_code", remove_dead_code},
                                     {"compile", form_compiled},
                                     {"expand", expand_recipes},
                                     {"simplify", simplify},
                                     {"subexpressions", share_subexpressions},
                                     {"recognise", recognise},
                                     {"layout", layout},
                                     {"fold_constants", fold_constants},
                                     {"simplify", simplify},  // once more, of what was folded
                                     {"fold_norms", fold_norms},
                                     {"pack_weights", pack_weights},
                                     {"fold_variables", fold_variables},
                                     {"regions", form_regions},
                                     {"epilogues", form_epilogues},
                                     {"recompute", recompute}};
  return kPasses;
}

void run_passes(Graph& graph, const PassContext& c, Dump& dump) {
  dump.write(graph, "captured");
  for (const Pass& pass : passes()) {
    if (c.device->holds_values() && pass.run == expand_recipes) break;  // all is compiled, or fails
    if (!pass.run(graph, c)) continue;
    remove_dead_code(graph, c);  // each begins with the nodes that are needed, numbered
    dump.write(graph, pass.name);
  }
}

void replace_values(Graph& graph, std::vector<int>& with) {
  const auto put = [&](int& v) {
    if (v < 0) return;
    int to = with[static_cast<size_t>(v)];
    while (with[static_cast<size_t>(to)] != to) to = with[static_cast<size_t>(to)];
    for (int at = v; at != to;) at = std::exchange(with[static_cast<size_t>(at)], to);
    v = to;
  };
  for (GraphNode& n : graph.nodes)
    for (int& i : n.inputs) put(i);
  for (int& r : graph.results) put(r);
}

std::vector<int> same_values(const Graph& graph) {
  std::vector<int> with(graph.values.size());
  for (size_t i = 0; i < with.size(); ++i) with[i] = static_cast<int>(i);
  return with;
}

}  // namespace tenon
