#include "program.hpp"

namespace tenon {

OpGraph graph_of_op(const OpEntry& op, tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
                    uint32_t n_attrs) {
  static constexpr tn_view kAbsent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};
  OpGraph made;
  Graph& graph = made.graph;
  GraphNode node;
  node.op = &op;
  node.attrs = complete_attrs(op, attrs, n_attrs);
  std::vector<const tn_view*> views;
  for (uint32_t i = 0; i < n; ++i) {
    const tn_tensor* t = inputs[i];
    ProgramInput& in = made.inputs.emplace_back();
    in.absent = !t;
    if (t) {
      in.shape = shape_of(t->view);
      in.scalar = is_scalar(t);
      in.weak = t->view.flags & TN_VIEW_WEAK;
    }
    GraphValue& v = graph.values.emplace_back();
    v.shape = in.shape;
    v.weak = in.weak;
    v.absent = in.absent;
    views.push_back(t ? &t->view : &kAbsent);
    graph.inputs.push_back(static_cast<int>(i));
    node.inputs.push_back(t ? static_cast<int>(i) : -1);
  }
  node.inferred = infer(op, views, node.attrs);
  for (const InferredOutput& o : node.inferred.outputs) {
    node.outputs.push_back(static_cast<int>(graph.values.size()));
    GraphValue& v = graph.values.emplace_back();
    v.shape = o.shape;
    v.node = 0;
  }
  graph.results = node.outputs;
  graph.nodes.push_back(std::move(node));
  graph.mark_live();
  return made;
}

}  // namespace tenon
