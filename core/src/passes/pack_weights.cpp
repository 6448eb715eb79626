// Weights packed: where a kernel would turn an input that lasts into a form of its own in each run, that is done by a node in front,
// which fold_variables.cpp puts among what runs when a variable has another value. The plans of both nodes are those chosen here, for
// inputs that lie as the lowering will find them.
#include <algorithm>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "op/select.hpp"
#include "pass.hpp"

namespace tenon {
namespace {

constexpr uint64_t kMostPacked = uint64_t{1} << 46;

constexpr tn_kernel pack_kernel() {
  tn_kernel k{};
  k.struct_size = sizeof k;
  k.flags = TN_KERNEL_REENTRANT;
  k.op = k.name = {"pack", 4};
  return k;
}
constexpr tn_kernel kPack = pack_kernel();

struct Packing {
  PlanEntry* of;  // counted
  Shape whole;    // how the signature shows what is packed
};

tn_error* TN_CALL run_pack(void* data, void* queue, const tn_view* const* args) {
  const Packing& p = *static_cast<const Packing*>(data);
  tn_view in = *args[0];  // where an axis has one element its stride may be any
  in.dims = p.whole.dims;
  in.strides = p.whole.strides;
  const tn_view* shown[] = {&in, args[1]};
  return p.of->plan.pack(p.of->plan.data, queue, shown);
}

// The plan that packs for `of` and all whose form is the same; it keeps `of`.
PlanOwner packing(tn_device& device, PlanEntry* of, const Shape& whole) {
  int64_t parts[4 + 2 * TN_MAX_RANK] = {
      reinterpret_cast<intptr_t>(of->plan.pack), static_cast<int64_t>(of->plan.packed_bytes),
      static_cast<int64_t>(of->plan.packed_form), static_cast<int64_t>(whole.dtype)};
  std::copy_n(whole.dims, whole.rank, parts + 4);
  std::copy_n(whole.strides, whole.rank, parts + 4 + whole.rank);
  std::string key = "pack ";
  key.append(reinterpret_cast<const char*>(parts), sizeof(int64_t) * (4 + 2u * whole.rank));
  if (PlanEntry* known = device.plans.find(key)) return PlanOwner(known);
  const PlanOwner made(new PlanEntry);
  made->plan.data = new Packing{of, whole};
  of->refs.fetch_add(1, std::memory_order_relaxed);
  made->plan.release = [](void* data) {
    auto* p = static_cast<Packing*>(data);
    plan_release(p->of);
    delete p;
  };
  made->plan.run = run_pack;
  made->kernel = &kPack;
  return PlanOwner(device.plans.insert(key, made.get()));
}

class Pack {
 public:
  Pack(Graph& graph, const PassContext& c)
      : g_(graph), c_(c), lasts_(lasting_values(graph, c)), layouts_(graph.values.size()) {
    const std::vector<tn_tensor*>* constants[] = {&c.constants->given, &c.constants->made};
    size_t at = 0;
    for (const auto* list : constants)
      for (const tn_tensor* t : *list) {
        if (t) layouts_[static_cast<size_t>(g_.inputs[at])] = shape_of(t->view);
        ++at;
      }
    for (size_t i = 0; c.layouts && i < c.layouts->size(); ++i)
      if (const Shape& given = (*c.layouts)[i]; given.dtype != TN_DTYPE_NONE)
        layouts_[static_cast<size_t>(g_.inputs[i])] = given;
  }

  size_t run() {
    size_t packed = 0;
    std::vector<GraphNode> nodes;
    for (GraphNode& n : g_.nodes)
      if (may_pack(n)) packed += pack(n);
    if (!packed) return 0;
    size_t next = 0;
    for (size_t k = 0; k < g_.nodes.size(); ++k) {
      if (next < made_.size() && before_[next] == k) nodes.push_back(std::move(made_[next++]));
      nodes.push_back(std::move(g_.nodes[k]));
    }
    g_.nodes = std::move(nodes);
    return packed;
  }

 private:
  bool lasts(int v) const { return v >= 0 && lasts_[static_cast<size_t>(v)] != Lasts::kRun; }

  bool may_pack(const GraphNode& n) const {
    return !n.control && !n.compiled && !n.op->is(TN_OP_VIEW) && !n.op->is(TN_OP_ELEMENTWISE) &&
           std::ranges::any_of(n.inputs, [&](int i) { return lasts(i); }) &&
           std::ranges::none_of(n.outputs, [&](int o) { return lasts(o); }) &&
           std::ranges::none_of(n.inputs,
                                [&](int i) {
                                  return i >= 0 &&
                                         (value_of(g_, i).constant || value_of(g_, i).weak);
                                }) &&
           std::ranges::any_of(c_.device->kernels_of(n.op->slot),
                               [](const tn_kernel* k) { return packs(*k); });
  }

  // How the lowering will find it: dense, but for what views are of.
  const Shape& layout(int v) {
    Shape& s = layouts_[static_cast<size_t>(v)];
    if (s.dtype != TN_DTYPE_NONE) return s;
    s = value_of(g_, v).shape;
    s.set_dense();
    const int node = value_of(g_, v).node;
    if (node < 0) return s;
    const GraphNode& n = g_.nodes[static_cast<size_t>(node)];
    if (!n.op->is(TN_OP_VIEW)) return s;
    const Inferred inferred = infer(*n.op, views_of(n).pointers, n.attrs);
    if (std::ranges::any_of(inferred.outputs, [](auto& o) { return o.view_of < 0; })) return s;
    const auto k = std::ranges::find(n.outputs, v) - n.outputs.begin();
    return s = inferred.outputs[static_cast<size_t>(k)].shape;
  }

  struct Views {
    std::vector<tn_view> views;  // of the inputs, with room for those of outputs
    std::vector<const tn_view*> pointers;
  };
  Views views_of(const GraphNode& n) {
    Views all;
    all.views.reserve(n.inputs.size() + n.outputs.size());
    for (int i : n.inputs) {
      tn_view& v = all.views.emplace_back(i < 0 ? tn_view{} : view_of(layout(i)));
      if (i < 0) v.flags = TN_VIEW_ABSENT;
      all.pointers.push_back(&v);
    }
    return all;
  }

  // False: it stays as it is.
  bool pack(GraphNode& n) {
    Views views = views_of(n);
    const Inferred inferred = infer(*n.op, views.pointers, n.attrs);
    if (std::ranges::any_of(inferred.casts, [](tn_dtype t) { return t != TN_DTYPE_NONE; }))
      return false;
    for (size_t k = 0; k < n.inputs.size(); ++k)
      if (lasts(n.inputs[k])) views.views[k].flags |= TN_VIEW_LASTING;
    Signature s;
    s.op = n.op;
    s.attrs = &n.attrs;
    s.modes = c_.modes;
    s.queue = c_.queue;
    s.inputs = views.pointers;
    std::vector<Shape> shapes;
    for (const InferredOutput& o : inferred.outputs) shapes.push_back(o.shape);
    for (Shape& shape : shapes) {
      shape.set_dense();
      s.outputs.push_back(&views.views.emplace_back(view_of(shape)));
    }
    const PlanOwner plan(select_kernel(*c_.device, s, nullptr));
    if (!plan || !plan->plan.pack) return false;
    const size_t k = plan->plan.packed_input;
    const uint64_t bytes = plan->plan.packed_bytes;
    if (k >= n.inputs.size() || !lasts(n.inputs[k]) || !bytes || bytes > kMostPacked)
      fail(TN_INTERNAL, "kernel {} of {} packs its input {} into {} bytes",
           view_of(plan->kernel->name), c_.device->plugin, k, bytes);
    plan->refs.fetch_add(1, std::memory_order_relaxed);
    auto with = std::make_shared<CompiledNode>(PlanOwner(plan.get()));
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      with->shown.push_back(n.inputs[i] < 0 ? Shape() : layout(n.inputs[i]));
      // What lasts may come dense from other nodes that view it.
      if (i != k && lasts(n.inputs[i]) && !with->shown[i].dense()) return false;
    }
    with->packed = static_cast<int>(k);
    with->whole = with->shown[k];
    Shape form;
    form.dtype = TN_DTYPE_U8;
    form.rank = 1;
    form.dims[0] = static_cast<int64_t>(bytes);
    form.set_dense();
    with->shown[k] = form;
    n.inputs[k] = packed(n, n.inputs[k], packing(*c_.device, plan.get(), with->whole), *with);
    n.compiled = std::move(with);
    return true;
  }

  // The value that the plan packs v into, in front of `user`.
  int packed(const GraphNode& user, int v, PlanOwner plan, const CompiledNode& with) {
    for (const GraphNode& n : made_)
      if (n.inputs[0] == v && n.compiled->plan == plan) return n.outputs[0];
    before_.push_back(static_cast<size_t>(&user - g_.nodes.data()));
    GraphNode& n = made_.emplace_back();
    n.op = &compiled_op(true);
    n.inputs.push_back(v);
    n.outputs.push_back(static_cast<int>(g_.values.size()));
    g_.values.emplace_back().shape = with.shown[static_cast<size_t>(with.packed)];
    const auto by = std::make_shared<CompiledNode>(std::move(plan));
    by->shown.push_back(with.whole);
    n.compiled = by;
    return n.outputs[0];
  }

  Graph& g_;
  const PassContext& c_;
  std::vector<Lasts> lasts_;
  std::vector<Shape> layouts_;  // by value; of no dtype: not known yet
  std::vector<GraphNode> made_;
  std::vector<size_t> before_;  // by node made: the node of the graph that it goes in front of
};

}  // namespace

const OpEntry& compiled_op(bool pack) {
  static OpEntry entries[2];
  static const bool named = [] {
    entries[0].def.name = tn_string("compiled");
    entries[1].def.name = tn_string("pack");
    entries[0].id = entries[1].id = UINT32_MAX;
    return true;
  }();
  return entries[pack && named];
}

size_t pack_weights(Graph& graph, const PassContext& c) {
  return c.derived && !c.device->holds_values() ? Pack(graph, c).run() : 0;
}

size_t unpack_weights(Graph& graph) {
  size_t unpacked = 0;
  for (GraphNode& n : graph.nodes) {
    if (!n.compiled || n.compiled->packed < 0) continue;
    int& input = n.inputs[static_cast<size_t>(n.compiled->packed)];
    const int by = value_of(graph, input).node;
    if (by < 0) continue;
    input = graph.nodes[static_cast<size_t>(by)].inputs[0];
    n.compiled.reset();
    ++unpacked;
  }
  return unpacked;
}

}  // namespace tenon
