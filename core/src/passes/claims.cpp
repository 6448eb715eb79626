// Claims: what the device's compiler takes becomes nodes that are compiled graphs.
//
// Every value gets a level: a claimed node has the greatest level of its inputs; what is not claimed counts one more than the claimed nodes
// whose values it uses. The claimed nodes of one level are one graph: it needs only what is of its level or below, and nothing of that
// needs it.
#include "base/error.hpp"
#include "compiled.hpp"
#include "graph_blob.hpp"
#include "op/runtime.hpp"
#include "recipe/control.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

constexpr int kDeepest = 64;  // recipes within recipes

class Claims {
 public:
  Claims(Graph& graph, const PassContext& c) : g_(graph), c_(c) {}

  size_t run() {
    if (!c_.device->compiler) return 0;
    settle();
    for (size_t r = 0; c_.overwrites && r < c_.overwrites->size(); ++r)
      if (const int input = (*c_.overwrites)[r]; input >= 0)
        notes_.overwrites[g_.results[r]] = g_.inputs[static_cast<size_t>(input)];
    return replace();
  }
  std::vector<std::string_view> need_all() {
    settle();
    std::vector<std::string_view> names;
    for (size_t k = 0; k < g_.nodes.size(); ++k) {
      names.push_back(g_.nodes[k].op->name());
      if (!claimed_[k])
        fail(TN_UNIMPLEMENTED,
             "{}: not on {}, whose compiler has no op for it ({}). Cast or move the inputs, or "
             "allow fallback on this context.",
             g_.nodes[k].op->name(), c_.device->name,
             c_.notes->empty() ? "its attributes" : c_.notes->front());
    }
    return names;
  }

 private:
  // Which nodes are claimed, when what is not is made of what is.
  void settle() {
    bool any = true;
    for (int round = 0; any && round < kDeepest; ++round) {
      make_casts_explicit();
      notes_.scalar.assign(g_.values.size(), false);
      for (size_t i = 0; c_.scalars && i < c_.scalars->size(); ++i)
        notes_.scalar[static_cast<size_t>(g_.inputs[i])] = (*c_.scalars)[i];
      any = ask() && expand_once(g_, c_, claimed_) > 0;
      if (any) remove_dead_code(g_, c_);
    }
    if (any) fail(TN_INTERNAL, "{}: the decomposition of an op does not end", c_.device->name);
  }

  GraphValue& value(int v) { return g_.values[static_cast<size_t>(v)]; }

  // Value v in another dtype: a constant at once, else by a node.
  int cast(int v, tn_dtype dtype, std::vector<GraphNode>& nodes) {
    GraphValue to;
    to.shape = value(v).shape;
    to.shape.dtype = dtype;
    if (value(v).constant) {
      to.constant = true;
      if (is_floating(value(v).shape.dtype))
        element_from_f64(to.bits, dtype, element_to_f64(value(v).bits, value(v).shape.dtype));
      else
        element_from_i64(to.bits, dtype, element_to_i64(value(v).bits, value(v).shape.dtype));
    } else {
      GraphNode n;
      n.op = &c_.runtime->ops.get(TN_OP_CAST);
      const tn_attr a = tn_attr_dtype(TN_CAST_DTYPE, dtype);
      n.attrs = complete_attrs(*n.op, &a, 1);
      n.inputs = {v};
      n.outputs = {static_cast<int>(g_.values.size())};
      n.live = true;
      n.inferred = infer_node(g_, n);
      nodes.push_back(std::move(n));
    }
    g_.values.push_back(to);
    return static_cast<int>(g_.values.size()) - 1;
  }

  void make_casts_explicit() {
    for (GraphValue& v : g_.values) v.shape.set_dense();  // those of recipes may be views
    std::vector<GraphNode> nodes;
    for (GraphNode& n : g_.nodes) {
      if (blob_holds(n)) {
        Inferred inferred = infer_node(g_, n);
        bool changed = false;
        for (size_t k = 0; k < n.inputs.size(); ++k) {
          const tn_dtype want = inferred.casts[k];
          if (n.inputs[k] < 0 || want == TN_DTYPE_NONE) continue;
          const GraphValue& v = value(n.inputs[k]);
          if (v.shape.dtype == want && !v.weak) continue;
          n.inputs[k] = cast(n.inputs[k], want, nodes);
          changed = true;
        }
        n.inferred = changed ? infer_node(g_, n) : std::move(inferred);
      }
      nodes.push_back(std::move(n));
    }
    g_.nodes = std::move(nodes);
    for (size_t k = 0; k < g_.nodes.size(); ++k)
      for (int o : g_.nodes[k].outputs) value(o).node = static_cast<int>(k);
  }

  // Which nodes the compiler takes. False: it was shown none.
  bool ask() {
    claimed_.assign(g_.nodes.size(), false);
    used_by_.clear();
    if (c_.notes) c_.notes->clear();
    std::vector<int> shown;
    for (size_t k = 0; k < g_.nodes.size(); ++k)
      if (blob_holds(g_.nodes[k])) shown.push_back(static_cast<int>(k));
    if (shown.empty()) return false;
    const std::string blob = graph_blob(g_, part_of(shown), notes_);
    tn_compile_request request{};
    request.struct_size = sizeof request;
    request.flags = c_.modes;
    request.graph = blob.data();
    request.graph_bytes = blob.size();
    std::vector<tn_claim> claims(shown.size());
    check(call_plugin("claim", [&] {
      return c_.device->compiler->claim(c_.device->handle, &request, claims.data());
    }));
    for (size_t k = 0; k < shown.size(); ++k) {
      const bool taken = claims[k].claimed != 0;
      claimed_[static_cast<size_t>(shown[k])] = taken;
      if (!taken && c_.notes)
        c_.notes->push_back(fmt::format("{}: {}",
                                        g_.nodes[static_cast<size_t>(shown[k])].op->name(),
                                        view_of(claims[k].reason)));
    }
    return true;
  }

  BlobPart part_of(std::vector<int> nodes) {
    if (used_by_.empty()) {
      used_by_.resize(g_.values.size());
      for (size_t k = 0; k < g_.nodes.size(); ++k)
        for (int i : g_.nodes[k].inputs)
          if (i >= 0) used_by_[static_cast<size_t>(i)].push_back(static_cast<int>(k));
      for (int r : g_.results)
        if (r >= 0) used_by_[static_cast<size_t>(r)].push_back(-1);
    }
    std::vector<bool> inside(g_.nodes.size()), seen(g_.values.size());
    for (int k : nodes) inside[static_cast<size_t>(k)] = true;
    BlobPart part;
    for (int k : nodes) {
      const GraphNode& n = g_.nodes[static_cast<size_t>(k)];
      for (int i : n.inputs) {
        if (i < 0 || value(i).constant || value(i).absent || seen[static_cast<size_t>(i)]) continue;
        seen[static_cast<size_t>(i)] = true;
        if (value(i).node < 0 || !inside[static_cast<size_t>(value(i).node)])
          part.inputs.push_back(i);
      }
      for (int o : n.outputs)
        if (std::ranges::any_of(used_by_[static_cast<size_t>(o)], [&](int user) {
              return user < 0 || !inside[static_cast<size_t>(user)];
            }))
          part.results.push_back(o);
    }
    part.nodes = std::move(nodes);
    return part;
  }

  size_t replace() {
    std::vector<int> level(g_.nodes.size());
    int most = 0;
    for (size_t k = 0; k < g_.nodes.size(); ++k) {
      for (int i : g_.nodes[k].inputs) {
        const int from = i < 0 ? -1 : value(i).node;
        if (from < 0) continue;
        const auto f = static_cast<size_t>(from);
        level[k] = std::max(level[k], level[f] + (claimed_[f] && !claimed_[k]));
      }
      most = std::max(most, level[k]);
    }
    std::vector<std::vector<int>> others(static_cast<size_t>(most) + 1), groups(others.size());
    for (size_t k = 0; k < g_.nodes.size(); ++k)
      (claimed_[k] ? groups : others)[static_cast<size_t>(level[k])].push_back(static_cast<int>(k));
    std::vector<GraphNode> nodes;
    size_t compiled = 0;
    for (size_t l = 0; l < others.size(); ++l) {
      std::optional<GraphNode> made;
      if (!groups[l].empty()) made = compile_group(groups[l]);
      for (int k : others[l]) nodes.push_back(std::move(g_.nodes[static_cast<size_t>(k)]));
      if (made) {
        nodes.push_back(std::move(*made));
        ++compiled;
        continue;
      }
      for (int k : groups[l]) nodes.push_back(std::move(g_.nodes[static_cast<size_t>(k)]));
    }
    g_.nodes = std::move(nodes);
    for (size_t k = 0; k < g_.nodes.size(); ++k)
      for (int o : g_.nodes[k].outputs) value(o).node = static_cast<int>(k);
    return compiled;
  }

  std::optional<GraphNode> compile_group(const std::vector<int>& group) {
    const BlobPart part = part_of(group);
    if (part.results.empty()) return {};
    const std::string blob = graph_blob(g_, part, notes_);
    std::string why;
    PlanOwner plan = compiled_plan(c_, blob, &why);
    if (!plan) {
      if (c_.notes) c_.notes->push_back(fmt::format("{} ops: {}", part.nodes.size(), why));
      return {};
    }
    GraphNode out;
    auto compiled = std::make_shared<CompiledNode>(std::move(plan));
    const auto* results = static_cast<const tn_graph_result*>(
        tn_graph_at(blob.data(), tn_graph_of(blob.data())->results));
    for (size_t r = 0; r < part.results.size(); ++r) compiled->aliases.push_back(results[r].input);
    compiled->ops = part.nodes.size();
    out.op = &compiled_op();
    out.compiled = std::move(compiled);
    out.inputs = part.inputs;
    out.outputs = part.results;
    out.live = true;
    return out;
  }

  Graph& g_;
  const PassContext& c_;
  BlobNotes notes_;
  std::vector<bool> claimed_;              // of nodes
  std::vector<std::vector<int>> used_by_;  // of values: nodes; -1: a result
};

}  // namespace

size_t form_compiled(Graph& graph, const PassContext& c) { return Claims(graph, c).run(); }
std::vector<std::string_view> need_claims(Graph graph, const PassContext& c) {
  return Claims(graph, c).need_all();
}

}  // namespace tenon
