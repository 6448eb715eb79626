// A program as text.
#include "base/json_text.hpp"
#include "op/registry.hpp"
#include "op/runtime.hpp"
#include "program.hpp"
#include "recipe/graph_text.hpp"

namespace tenon {
namespace {

std::string place_text(const tn_program& p, const Place& place) {
  switch (place.kind) {
    case InputKind::kArgument:
      return "input " + json_string(p.arguments[place.index].name);
    case InputKind::kVariable:
      return "variable " + json_string(place.variable->name);
    case InputKind::kSlot:
      return "state " + json_string(place.optimizer->groups[place.group].names[place.index]) +
             " of " + place.optimizer->name;
    case InputKind::kStep:
      return fmt::format("step {} of {}", place.index + 1, place.optimizer->name);
    case InputKind::kConstant:
      return "constant";
    case InputKind::kSeed:
      return "random seed";
    case InputKind::kStream:
      return "random stream";
    case InputKind::kOffset:
      return fmt::format("random offset {}", place.index);
  }
  return {};
}

}  // namespace

std::string input_text(const tn_program& p, size_t i) {
  return i < p.inputs.size() ? place_text(p, p.inputs[i]) : "input";
}

std::string program_text(const tn_program& p) {
  std::string out = fmt::format("program \"{}\" on {}\n", p.name, p.device->name);
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    const int value = p.graph.inputs[i];
    out += fmt::format("  %{}: {} = {}\n", value,
                       symbolic_text(p.symbols, p.graph.values[static_cast<size_t>(value)].shape),
                       input_text(p, i));
  }
  for (const GraphNode& n : p.graph.nodes)
    if (n.live) out += node_text(p.graph, p.symbols, n);
  for (size_t i = 0; i < p.graph.results.size(); ++i)
    out += fmt::format(
        "  {} = %{}\n",
        i < p.n_outputs ? fmt::format("output {}", i) : place_text(p, p.targets[i - p.n_outputs]),
        p.graph.results[i]);
  return out;
}

}  // namespace tenon
