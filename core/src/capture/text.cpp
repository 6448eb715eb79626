// A program as text.
#include "op/registry.hpp"
#include "op/runtime.hpp"
#include "program.hpp"

namespace tenon {
namespace {

std::string number_text(double v) { return fmt::format("{}", v); }

std::string constant_text(const GraphValue& v) {
  const std::string text = is_floating(v.shape.dtype)
                               ? number_text(element_to_f64(v.bits, v.shape.dtype))
                               : fmt::format("{}", element_to_i64(v.bits, v.shape.dtype));
  return v.weak ? text : fmt::format("{}:{}", text, tn_dtype_name(v.shape.dtype));
}

std::string attr_text(const SymTable& symbols, const tn_attr& a) {
  const auto whole = [&](int64_t i) { return symbols.text(i); };
  std::string out;
  switch (a.tag) {
    case TN_ATTR_F64: {
      double v;
      std::memcpy(&v, &a.bits, sizeof v);
      return number_text(v);
    }
    case TN_ATTR_STRING:
      return fmt::format("'{}'", std::string_view(static_cast<const char*>(a.data), a.bits));
    case TN_ATTR_DTYPE:
      return tn_dtype_name(static_cast<tn_dtype>(a.bits));
    case TN_ATTR_I64S:
      for (uint64_t i = 0; i < a.bits; ++i)
        out += (i ? ", " : "") + whole(static_cast<const int64_t*>(a.data)[i]);
      return "[" + out + "]";
    case TN_ATTR_F64S:
      for (uint64_t i = 0; i < a.bits; ++i)
        out += (i ? ", " : "") + number_text(static_cast<const double*>(a.data)[i]);
      return "[" + out + "]";
    default:
      return whole(static_cast<int64_t>(a.bits));
  }
}

bool is_default(const tn_attr& a, const tn_attr& b) {
  const uint64_t bytes = attr_bytes(a);
  return a.tag == b.tag && a.bits == b.bits &&
         (bytes == 0 || std::memcmp(a.data, b.data, bytes) == 0);
}

std::string place_text(const tn_program& p, const Place& place) {
  switch (place.kind) {
    case InputKind::kArgument:
      return fmt::format("input \"{}\"", p.arguments[place.index].name);
    case InputKind::kVariable:
      return fmt::format("variable \"{}\"", place.variable->name);
    case InputKind::kSlot:
      return fmt::format("state \"{}\" of {}",
                         place.optimizer->groups[place.group].names[place.index],
                         place.optimizer->name);
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

std::string node_text(const tn_program& p, const GraphNode& n) {
  const Graph& graph = p.graph;
  std::string out;
  for (int o : n.outputs)
    out += fmt::format("{}%{}: {}", out.empty() ? "  " : ", ", o,
                       symbolic_text(p.symbols, graph.values[static_cast<size_t>(o)].shape));
  out += fmt::format(" = {}(", n.op->name());
  const char* comma = "";
  for (int i : n.inputs) {
    const bool constant = i >= 0 && graph.values[static_cast<size_t>(i)].constant;
    out += comma + (i < 0      ? std::string("none")
                    : constant ? constant_text(graph.values[static_cast<size_t>(i)])
                               : fmt::format("%{}", i));
    comma = ", ";
  }
  for (uint32_t k = 0; k < n.attrs.size(); ++k) {
    const tn_attr& a = n.attrs.items[k];
    const tn_attr_def& def = n.op->def.attrs[k];
    if (is_default(a, def.fallback)) continue;
    out += fmt::format("{}{}={}", comma, view_of(def.name), attr_text(p.symbols, a));
    comma = ", ";
  }
  return out + ")\n";
}

}  // namespace

std::string program_text(const tn_program& p) {
  std::string out = fmt::format("program \"{}\" on {}\n", p.name, p.device->name);
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    const int value = p.graph.inputs[i];
    out += fmt::format("  %{}: {} = {}\n", value,
                       symbolic_text(p.symbols, p.graph.values[static_cast<size_t>(value)].shape),
                       place_text(p, p.inputs[i]));
  }
  for (const GraphNode& n : p.graph.nodes)
    if (n.live) out += node_text(p, n);
  for (size_t i = 0; i < p.graph.results.size(); ++i)
    out += fmt::format(
        "  {} = %{}\n",
        i < p.n_outputs ? fmt::format("output {}", i) : place_text(p, p.targets[i - p.n_outputs]),
        p.graph.results[i]);
  return out;
}

}  // namespace tenon
