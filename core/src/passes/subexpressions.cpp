// Common subexpressions: of nodes that compute the same from the same, the first serves for all.
#include <cstring>
#include <unordered_map>

#include "pass.hpp"

namespace tenon {

std::string key_of(const GraphNode& n) {
  std::string key(reinterpret_cast<const char*>(&n.op), sizeof n.op);
  const auto put = [&](const auto& x) { key.append(reinterpret_cast<const char*>(&x), sizeof x); };
  put(n.control.get());
  put(n.compiled ? n.compiled->plan.get() : nullptr);
  put(n.outputs.size());
  put(n.inputs.size());
  for (int i : n.inputs) put(i);
  for (const tn_attr& a : n.attrs.items) {
    put(a.key);
    put(a.tag);
    put(a.bits);
    if (const uint64_t bytes = attr_bytes(a)) key.append(static_cast<const char*>(a.data), bytes);
  }
  return key;
}

std::string key_of(const GraphValue& v) {
  std::string key(reinterpret_cast<const char*>(v.bits), sizeof v.bits);
  key += static_cast<char>(v.weak);
  return key.append(reinterpret_cast<const char*>(&v.shape.dtype), sizeof v.shape.dtype);
}

size_t share_subexpressions(Graph& graph, const PassContext&) {
  std::vector<int> with = same_values(graph);
  std::unordered_map<std::string, int> constants, nodes;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const GraphValue& v = graph.values[i];
    if (v.constant && v.shape.rank == 0)
      with[i] = constants.emplace(key_of(v), static_cast<int>(i)).first->second;
  }
  // Two results stay two: a variable whose memory another result shares could not be updated in place.
  std::vector<bool> is_result(graph.values.size());
  for (int r : graph.results)
    if (r >= 0) is_result[static_cast<size_t>(r)] = true;
  size_t shared = 0;
  for (size_t k = 0; k < graph.nodes.size(); ++k) {
    GraphNode& n = graph.nodes[k];
    for (int& i : n.inputs)
      if (i >= 0) i = with[static_cast<size_t>(i)];
    const auto [at, fresh] = nodes.emplace(key_of(n), static_cast<int>(k));
    if (fresh) continue;
    const GraphNode& first = graph.nodes[static_cast<size_t>(at->second)];
    bool both = false;
    for (size_t o = 0; o < n.outputs.size(); ++o)
      both |= is_result[static_cast<size_t>(n.outputs[o])] &&
              is_result[static_cast<size_t>(first.outputs[o])];
    if (both) continue;
    for (size_t o = 0; o < n.outputs.size(); ++o) {
      with[static_cast<size_t>(n.outputs[o])] = first.outputs[o];
      if (is_result[static_cast<size_t>(n.outputs[o])])
        is_result[static_cast<size_t>(first.outputs[o])] = true;
    }
    ++shared;
  }
  replace_values(graph, with);
  return shared;
}

}  // namespace tenon
