// Expansion: nodes of ops that the device has no kernel for become the nodes of their recipes, so that the passes after this one see
// what will run.
#include <algorithm>
#include <list>

#include "base/error.hpp"
#include "op/infer.hpp"
#include "op/runtime.hpp"
#include "op/select.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

constexpr int kDeepest = 64;

tn_view input_view(const Graph& graph, int i) {
  if (i >= 0) return view_of(value_of(graph, i));
  tn_view absent{};
  absent.flags = TN_VIEW_ABSENT;
  return absent;
}

class Expand {
 public:
  Expand(Graph& graph, const PassContext& c) : g_(graph), c_(c) {}

  // kept: of each node; null: none.
  size_t run(const std::vector<bool>* kept) {
    std::vector<GraphNode> before = std::move(g_.nodes);
    g_.nodes.clear();
    deepest_ = kept ? 1 : kDeepest;
    for (size_t k = 0; k < before.size(); ++k)
      add(std::move(before[k]), kept && (*kept)[k] ? kDeepest : 0);
    return expanded_;
  }

 private:
  GraphValue& value(int v) { return g_.values[static_cast<size_t>(v)]; }

  void add(GraphNode&& n, int depth) {
    if (depth < deepest_ && n.op->def.decompose && !n.op->is(TN_OP_VIEW)) {
      const Inferred inferred = infer_node(g_, n);
      if (!has_kernel(g_, n, inferred, c_) && splice(n, inferred.casts, depth)) {
        ++expanded_;
        return;
      }
    }
    n.live = true;
    for (int o : n.outputs) value(o).node = static_cast<int>(g_.nodes.size());
    g_.nodes.push_back(std::move(n));
  }

  // Value v in the dtype that a rule asks for.
  int as(int v, tn_dtype dtype) {
    if (dtype == TN_DTYPE_NONE || dtype == value(v).shape.dtype) return v;
    GraphValue made;
    made.shape = value(v).shape;
    made.shape.dtype = dtype;
    g_.values.push_back(made);
    const int cast = static_cast<int>(g_.values.size()) - 1;
    convert(v, cast);
    return cast;
  }

  // The node that makes value `to` of value `from`, in its dtype.
  void convert(int from, int to) {
    GraphNode n;
    const tn_dtype dtype = value(to).shape.dtype;
    const bool cast = value(from).shape.dtype != dtype;
    n.op = &c_.runtime->ops.get(cast ? TN_OP_CAST : TN_OP_COPY);
    const tn_attr attr = tn_attr_dtype(TN_CAST_DTYPE, dtype);
    n.attrs = complete_attrs(*n.op, &attr, cast);
    n.inputs = {from};
    n.outputs = {to};
    add(std::move(n), 0);
  }

  // The nodes of the op's recipe in the place of n. False: something about it does not fit; nothing is changed.
  bool splice(const GraphNode& n, const std::vector<tn_dtype>& casts, int depth) {
    std::vector<TraceInput> inputs;
    for (int i : n.inputs) {
      TraceInput& in = inputs.emplace_back();
      in.absent = i < 0;
      if (i < 0) continue;
      const tn_dtype to = casts[inputs.size() - 1];
      if (value(i).weak || (value(i).constant && (deepest_ == kDeepest || to != TN_DTYPE_NONE)))
        return false;  // the rule would cast it
      in.shape = value(i).shape;
      if (to != TN_DTYPE_NONE) in.shape.dtype = to;
    }
    Graph inner = trace_recipe(c_.runtime->ops, n.op->name(), n.op->def.decompose, inputs, n.attrs,
                               n.op->is(TN_OP_OUTPUTS_VARY) ? 0 : n.op->def.n_outputs, nullptr,
                               !has_region(n.op->id));
    if (inner.results.size() < n.outputs.size()) return false;
    std::vector<size_t> copies;  // results that nodes do not give as they are wanted
    for (size_t k = 0; k < n.outputs.size(); ++k) {
      const GraphValue& r = inner.values[static_cast<size_t>(inner.results[k])];
      const Shape& want = value(n.outputs[k]).shape;
      if (r.constant || r.weak || !same_dims(r.shape, want)) return false;
      if (r.node >= 0 && r.shape.dtype == want.dtype &&
          std::count(inner.results.begin(), inner.results.end(), inner.results[k]) == 1)
        continue;
      if (!c_.device->holds_values()) return false;  // lowered it may cost nothing
      copies.push_back(k);
    }
    std::vector<int> map(inner.values.size(), -1);
    for (size_t i = 0; i < inner.inputs.size(); ++i)
      map[static_cast<size_t>(inner.inputs[i])] = n.inputs[i] < 0 ? -1 : as(n.inputs[i], casts[i]);
    for (size_t k = 0; k < n.outputs.size(); ++k)
      if (std::ranges::find(copies, k) == copies.end())
        map[static_cast<size_t>(inner.results[k])] = n.outputs[k];
    for (size_t v = 0; v < inner.values.size(); ++v) {
      if (map[v] >= 0 || inner.values[v].absent) continue;
      map[v] = static_cast<int>(g_.values.size());
      g_.values.push_back(inner.values[v]);
    }
    for (GraphNode& node : inner.nodes) {
      if (!node.live) continue;
      for (int& i : node.inputs)
        if (i >= 0) i = map[static_cast<size_t>(i)];
      for (int& o : node.outputs) o = map[static_cast<size_t>(o)];
      add(std::move(node), depth + 1);
    }
    for (size_t k : copies) convert(map[static_cast<size_t>(inner.results[k])], n.outputs[k]);
    return true;
  }

  Graph& g_;
  const PassContext& c_;
  int deepest_ = kDeepest;
  size_t expanded_ = 0;
};

}  // namespace

Inferred infer_node(const Graph& graph, const GraphNode& n) {
  std::list<tn_view> views;
  std::vector<const tn_view*> seen;
  for (int i : n.inputs) seen.push_back(&views.emplace_back(input_view(graph, i)));
  return infer(*n.op, seen, n.attrs);
}

bool has_kernel(const Graph& graph, const GraphNode& n, const Inferred& inferred,
                const PassContext& c) {
  if (!device_has_kernel(c.device, n.op->slot)) return false;
  std::list<tn_view> views;
  Signature s;
  s.op = n.op;
  s.attrs = &n.attrs;
  s.modes = c.modes;
  s.queue = c.queue;
  std::list<Shape> shapes;
  const auto view = [&](Shape shape, uint8_t flags) {
    shape.set_dense();
    const Shape& kept = shapes.emplace_back(shape);
    tn_view v = view_of(kept);
    v.flags |= flags;
    return &views.emplace_back(v);
  };
  std::vector<const Shape*> all;
  for (int i : n.inputs)
    if (i >= 0) all.push_back(&value_of(graph, i).shape);
  for (size_t k = 0; k < n.inputs.size(); ++k) {
    if (n.inputs[k] < 0) {
      s.inputs.push_back(&views.emplace_back(input_view(graph, -1)));
      continue;
    }
    const GraphValue& in = value_of(graph, n.inputs[k]);
    Shape shape = in.shape;
    if (inferred.casts[k] != TN_DTYPE_NONE) shape.dtype = inferred.casts[k];
    if ((n.op->is(TN_OP_ELEMENTWISE) || n.op->id == TN_OP_REGION) && !in.constant) {
      const tn_dtype dtype = shape.dtype;
      shape = joint_dims(all);
      shape.dtype = dtype;
    }
    s.inputs.push_back(view(shape, in.constant || in.weak ? TN_VIEW_IMMEDIATE : 0));
  }
  for (const InferredOutput& o : inferred.outputs) s.outputs.push_back(view(o.shape, 0));
  PlanEntry* plan = select_kernel(*c.device, s, nullptr);
  if (!plan) return false;
  plan_release(plan);
  return true;
}

size_t expand_recipes(Graph& graph, const PassContext& c) { return Expand(graph, c).run(nullptr); }
size_t expand_once(Graph& graph, const PassContext& c, const std::vector<bool>& kept) {
  return Expand(graph, c).run(&kept);
}

}  // namespace tenon
