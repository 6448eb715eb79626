// Epilogues: a region over what a convolution or a product of matrices gives becomes part of it, where the device has a kernel for
// both together and nobody else uses the product. So does an elementwise node that stands alone, as a region of one. Not a bit changes:
// the region sees the product rounded to its dtype.
#include <algorithm>

#include "op/runtime.hpp"
#include "pass.hpp"
#include "tenon/plugin/region.h"

namespace tenon {
namespace {

class Epilogues {
 public:
  Epilogues(Graph& graph, const PassContext& c) : g_(graph), c_(c), uses_(graph.values.size()) {}

  size_t run() {
    if (!with(TN_OP_CONV2D) && !with(TN_OP_LINEAR) && !with(TN_OP_MATMUL)) return 0;
    for (const GraphNode& n : g_.nodes)
      for (int i : n.inputs)
        if (i >= 0) ++uses_[static_cast<size_t>(i)];
    for (int r : g_.results)
      if (r >= 0) uses_[static_cast<size_t>(r)] += 2;
    size_t joined = 0;
    for (size_t k = 0; k < g_.nodes.size(); ++k) joined += join(static_cast<int>(k));
    return joined;
  }

 private:
  const GraphNode& node(int k) const { return g_.nodes[static_cast<size_t>(k)]; }
  const Shape& shape(int v) const { return value_of(g_, v).shape; }

  // The op of a product with a region; null: it is no product, or the device has no such kernel.
  const OpEntry* with(tn_op product) const {
    const tn_op op = product == TN_OP_CONV2D   ? TN_OP_CONV2D_REGION
                     : product == TN_OP_LINEAR ? TN_OP_LINEAR_REGION
                     : product == TN_OP_MATMUL ? TN_OP_MATMUL_REGION
                                               : TN_OP_REGION;
    const OpEntry& entry = c_.runtime->ops.get(op);
    return op != TN_OP_REGION && device_has_kernel(c_.device, entry.slot) ? &entry : nullptr;
  }
  // The node of a product that `user` alone uses, as all of what it gives in turn; -1: v is nothing such.
  int product(int v, const GraphNode& user) const {
    const int at = v < 0 ? -1 : value_of(g_, v).node;
    if (at < 0 || node(at).control || node(at).compiled || !with(node(at).op->id) ||
        !same_dims(shape(v), shape(user.outputs[0])))
      return -1;
    return uses_[static_cast<size_t>(v)] == std::count(user.inputs.begin(), user.inputs.end(), v)
               ? at
               : -1;
  }

  bool join(int k) {
    const GraphNode& n = node(k);
    if (n.control || n.compiled || n.outputs.size() != 1) return false;
    if (n.op->id != TN_OP_REGION && !n.op->is(TN_OP_ELEMENTWISE)) return false;
    const auto there = [&](int v) { return product(v, n) >= 0; };
    if (std::none_of(n.inputs.begin(), n.inputs.end(), there)) return false;
    std::optional<GraphNode> one;
    if (n.op->id != TN_OP_REGION && !(one = region_of_one(g_, c_, k))) return false;
    const GraphNode& region = one ? *one : n;
    const auto* code = static_cast<const int64_t*>(region.attrs.items[TN_REGION_CODE].data);
    if (code[0] != TN_REGION_VERSION) return false;
    for (size_t i = 0; i < region.inputs.size(); ++i) {
      const int at = product(region.inputs[i], n);
      if (at < 0) continue;
      GraphNode made = joined(node(at), region, i);
      if (!has_kernel(g_, made, infer_node(g_, made), c_)) continue;
      g_.nodes[static_cast<size_t>(k)] = std::move(made);
      return true;
    }
    return false;
  }

  // The product and the region whose input `place` it is.
  GraphNode joined(const GraphNode& of, const GraphNode& region, size_t place) const {
    GraphNode n;
    n.op = with(of.op->id);
    n.outputs = region.outputs;
    n.live = true;
    n.inputs = of.inputs;
    while (n.inputs.back() < 0) n.inputs.pop_back();
    const auto operands = static_cast<int64_t>(n.inputs.size());
    for (size_t i = 0; i < region.inputs.size(); ++i)
      if (i != place) n.inputs.push_back(region.inputs[i]);

    const tn_attr& from = region.attrs.items[TN_REGION_CODE];
    const auto* words = static_cast<const int64_t*>(from.data);
    std::vector<int64_t> code(words, words + from.bits);
    const auto first = static_cast<int64_t>(place);
    for (size_t at = 2 + static_cast<size_t>(code[1]); at < code.size(); at += 4)
      if (static_cast<uint32_t>(code[at]) != TN_REGION_CONSTANT)
        for (size_t a = at + 1; a < at + 4; ++a)
          if (code[a] >= 0 && code[a] <= first) code[a] = code[a] == first ? 0 : code[a] + 1;
    std::vector<tn_attr> attrs = {
        tn_attr_i64s(TN_REGION_CODE, code.data(), static_cast<uint32_t>(code.size()))};
    if (of.op->id != TN_OP_MATMUL)
      attrs.push_back(tn_attr_i64(TN_CONV2D_REGION_OPERANDS, operands));
    const auto shift = static_cast<uint32_t>(attrs.size());
    for (uint32_t a = 0; a < of.attrs.size(); ++a) {
      attrs.push_back(of.attrs.items[a]);
      attrs.back().key = a + shift;
    }
    n.attrs = complete_attrs(*n.op, attrs.data(), static_cast<uint32_t>(attrs.size()));
    return n;
  }

  Graph& g_;
  const PassContext& c_;
  std::vector<long> uses_;  // of a value; more than there are where it must stay
};

}  // namespace

size_t form_epilogues(Graph& graph, const PassContext& c) { return Epilogues(graph, c).run(); }

}  // namespace tenon
