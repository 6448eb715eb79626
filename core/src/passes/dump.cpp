#include "dump.hpp"

#include <sys/stat.h>

#include <atomic>
#include <cstdio>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "op/runtime.hpp"
#include "recipe/graph_text.hpp"
#include "recipe/lowered.hpp"
#include "tenon/plugin/region.h"

namespace tenon {
namespace {

// The instructions of a region: "      v3 = mul(v0, v1): f32", where its inputs are v0, v1 ..., and its outputs.
std::string region_text(const OpRegistry& ops, const GraphNode& n) {
  tn_region_code r;
  const tn_attr& code = n.attrs.items[TN_REGION_CODE];
  // Of a product with a region v0 is the product.
  const uint64_t operands = n.op->id == TN_OP_REGION ? 1
                            : n.op->id == TN_OP_MATMUL_REGION
                                ? 2
                                : n.attrs.items[TN_CONV2D_REGION_OPERANDS].bits;
  const auto inputs = static_cast<uint32_t>(n.inputs.size() - operands + 1);
  if (!tn_region_read(static_cast<const int64_t*>(code.data), code.bits, inputs, &r)) return "";
  std::string out;
  for (uint32_t k = 0; k < r.n_instructions; ++k) {
    const tn_region_instruction x = tn_region_at(&r, k);
    out += fmt::format("      v{} = ", inputs + k);
    if (x.op == TN_REGION_CONSTANT) {
      out += element_text(&x.args[0], x.dtype, 9);
    } else {
      out += ops.get(x.op).name();
      const bool folds = tn_region_folds(x.op);
      for (int i = 0; i < (folds ? 1 : 3) && x.args[i] >= 0; ++i)
        out += fmt::format("{}v{}", i ? ", " : "(", x.args[i]);
      if (folds) out += fmt::format(", mask {}", x.args[1]);
      out += ')';
    }
    out += fmt::format(": {}\n", tn_dtype_name(x.dtype));
  }
  out += "      gives";
  for (uint32_t i = 0; i < r.n_outputs; ++i) out += fmt::format(" v{}", r.outputs[i]);
  return out + "\n";
}

}  // namespace

// Nodes as boxes, values along the edges.
std::string Dump::dot_of(const Graph& graph) const {
  const SymTable none;
  std::string out = "digraph program {\n  node [shape=box];\n";
  const auto edge = [&](int i, char to, size_t k) {
    if (i < 0 || value_of(graph, i).constant) return;
    const int node = value_of(graph, i).node;
    out +=
        fmt::format("  {}{} -> {}{} [label=\"%{} {}\"];\n", node < 0 ? 'v' : 'n',
                    node < 0 ? i : node, to, k, i, symbolic_text(none, value_of(graph, i).shape));
  };
  for (size_t k = 0; k < graph.inputs.size(); ++k)
    out +=
        fmt::format("  v{} [label={}, shape=oval];\n", graph.inputs[k], json_string(input_text(k)));
  for (size_t k = 0; k < graph.nodes.size(); ++k) {
    out += fmt::format("  n{} [label=\"{}\"];\n", k, graph.nodes[k].op->name());
    for (int i : graph.nodes[k].inputs) edge(i, 'n', k);
  }
  for (size_t k = 0; k < graph.results.size(); ++k) {
    out += fmt::format("  r{} [label=\"result {}\"];\n", k, k);
    edge(graph.results[k], 'r', k);
  }
  return out + "}\n";
}

Dump::Dump(const PassContext& c, std::string_view program)
    : runtime_(c.runtime),
      input_text_(c.input_text),
      of_(c.program),
      notes_(c.notes),
      program_(program),
      device_(c.device->name) {
  static std::atomic<int> count{0};
  const std::string folder = environment(c.runtime, "DUMP");
  if (folder.empty()) return;
  // Where a folder is there already, fine; else the first file tells.
  for (size_t at = 1; at < folder.size(); ++at)
    if (folder[at] == '/') ::mkdir(folder.substr(0, at).c_str(), 0777);
  ::mkdir(folder.c_str(), 0777);
  std::string name;
  for (char x : program) name += std::isalnum(static_cast<unsigned char>(x)) ? x : '_';
  prefix_ = fmt::format("{}/{}-{}", folder, name.empty() ? "program" : name, ++count);
}

std::string Dump::input_text(size_t i) const {
  return input_text_ ? input_text_(*of_, i) : "input";
}

std::string Dump::text_of(const Graph& graph) const {
  const SymTable none;
  std::string out;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const int value = graph.inputs[i];
    out += fmt::format("  %{}: {} = {}\n", value, symbolic_text(none, value_of(graph, value).shape),
                       input_text(i));
  }
  for (const GraphNode& n : graph.nodes) {
    out += node_text(graph, none, n);
    if (has_region(n.op->id)) out += region_text(runtime_->ops, n);
  }
  for (size_t i = 0; i < graph.results.size(); ++i)
    out += fmt::format("  result {} = %{}\n", i, graph.results[i]);
  return out;
}

void Dump::write(const Graph& graph, std::string_view stage) {
  if (prefix_.empty()) return;
  const std::string path = next(stage);
  std::string text =
      fmt::format("{} on {}, {}: {} nodes\n", program_, device_, stage, graph.nodes.size()) +
      text_of(graph);
  for (size_t k = 0; notes_ && k < notes_->size(); ++k)
    text += fmt::format("  not compiled: {}\n", (*notes_)[k]);
  put(path + ".txt", text);
  put(path + ".dot", dot_of(graph));
}

void write_memory(Dump& dump, const Lowered& l, const Program& p) { dump.write_memory(l, p); }

void Dump::write_memory(const Lowered& l, const Program& p) {
  if (prefix_.empty()) return;
  std::string text = fmt::format("{} on {}, memory: {} steps, arena of {} bytes\n", program_,
                                 device_, l.steps.size(), p.arena_bytes);
  for (size_t i = 0; i < p.results.size(); ++i) {
    const int buffer = p.results[i].buffer;
    const int input = buffer < 0 ? -1 : p.buffers[static_cast<size_t>(buffer)].alias;
    if (input >= 0) text += fmt::format("  result {} is written over input {}\n", i, input);
  }
  const auto end = static_cast<int>(l.steps.size()) - 1;
  for (const Temp& t : l.temps)
    if (t.buffer < 0)
      text += fmt::format("  {} to {}, steps {} to {}: {}\n", t.offset, t.offset + t.bytes,
                          std::max(t.first, 0), std::min(t.last, end), shape_text(t.shape));
  for (size_t k = 0; k < l.steps.size(); ++k)
    text += fmt::format("  step {}: {}\n", k, view_of(l.steps[k].plan->kernel->op));
  put(next("memory") + ".txt", text);
}

std::string Dump::next(std::string_view stage) {
  return fmt::format("{}-{}-{}", prefix_, stage_++, stage);
}

void Dump::put(const std::string& path, const std::string& text) {
  std::FILE* f = std::fopen(path.c_str(), "w");
  const bool written = f && std::fwrite(text.data(), 1, text.size(), f) == text.size();
  if ((!f || std::fclose(f) == 0) && written) return;
  log(runtime_, TN_LOG_WARNING, fmt::format("TENON_DUMP: {} cannot be written", path));
  prefix_.clear();
}

}  // namespace tenon
