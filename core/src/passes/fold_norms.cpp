// Norms for inference, and other factors and shifts per channel, behind a convolution or a product with weights: they become part of its
// weights and bias, where all of these last longer than a run. What computes them then runs only when a variable has changed.
// Products are rounded elsewhere: results differ within the tolerance of the op.
//
// Only in f32 and f64, and only where nobody else uses the result before the norm: a gradient that goes through it keeps it. One op after
// the other goes in, so that a norm written by hand does too.
#include <algorithm>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

class FoldNorms {
 public:
  FoldNorms(Graph& graph, const PassContext& c)
      : g_(graph), c_(c), lasts_(lasting_values(graph, c)), uses_(graph.values.size()) {}

  size_t run() {
    for (const GraphNode& n : g_.nodes)
      for (int i : n.inputs)
        if (i >= 0) ++uses_[static_cast<size_t>(i)];
    for (int r : g_.results)
      if (r >= 0) uses_[static_cast<size_t>(r)] += 2;
    std::vector<GraphNode> before = std::move(g_.nodes);
    g_.nodes.clear();
    size_t folded = 0;
    for (GraphNode& n : before) {
      const tn_op op = n.op->id;
      const bool either = op == TN_OP_MUL || op == TN_OP_ADD;
      const bool first = either || op == TN_OP_DIV || op == TN_OP_SUB || op == TN_OP_BATCH_NORM;
      if ((first && fold(n, 0)) || (either && fold(n, 1))) {
        for (GraphNode& e : extra_) push(std::move(e));
        ++folded;
      }
      push(std::move(n));
    }
    return folded;
  }

 private:
  const GraphValue& value(int v) const { return value_of(g_, v); }
  const Shape& shape(int v) const { return value(v).shape; }
  void push(GraphNode&& n) {
    for (int o : n.outputs)
      g_.values[static_cast<size_t>(o)].node = static_cast<int>(g_.nodes.size());
    g_.nodes.push_back(std::move(n));
  }
  // Among the nodes before this one.
  const GraphNode* producer(int v) const {
    return value(v).node < 0 ? nullptr : &g_.nodes[static_cast<size_t>(value(v).node)];
  }
  bool is_fixed(int v, tn_dtype dtype) const {
    return v < 0 || (lasts_[static_cast<size_t>(v)] != Lasts::kRun && !value(v).constant &&
                     !value(v).weak && shape(v).dtype == dtype);
  }

  // A node more before the one that is looked at, in the dtype and with the dims of `like`.
  int add(tn_op op, int a, int b, const Shape& like) {
    GraphNode& n = extra_.emplace_back();
    n.op = &c_.runtime->ops.get(op);
    n.inputs.push_back(a);
    if (b >= 0) n.inputs.push_back(b);
    const tn_attr dims = tn_attr_i64s(TN_RESHAPE_DIMS, like.dims, like.rank);
    n.attrs = complete_attrs(*n.op, &dims, op == TN_OP_RESHAPE);
    n.outputs.push_back(new_value(like));
    return n.outputs[0];
  }
  int new_value(const Shape& like) {
    g_.values.emplace_back().shape = like;
    g_.values.back().shape.set_dense();
    lasts_.push_back(Lasts::kVersion);
    uses_.push_back(1);
    return static_cast<int>(g_.values.size()) - 1;
  }
  int number(tn_dtype dtype, double x) {
    Shape s;
    s.dtype = dtype;
    const int v = new_value(s);
    g_.values.back().constant = true;
    element_from_f64(g_.values.back().bits, dtype, x);
    return v;
  }
  // One number for each channel, with `rank` dims, of which the others are 1.
  int reshaped(int v, int rank) {
    Shape to;
    to.dtype = shape(v).dtype;
    to.rank = static_cast<uint8_t>(rank);
    std::fill_n(to.dims, rank, 1);
    to.dims[0] = shape(v).count();
    to.set_dense();
    return same_dims(to, shape(v)) ? v : add(TN_OP_RESHAPE, v, -1, to);
  }
  // v, which meets a value of that shape elementwise, as one number for each index of `axis`; -1: it is something else.
  int per_channel(int v, const Shape& at, int axis) {
    while (v >= 0 && producer(v) && producer(v)->op->id == TN_OP_EXPAND) v = producer(v)->inputs[0];
    if (v < 0 || !is_fixed(v, at.dtype) || shape(v).count() != at.dims[axis]) return -1;
    const int k = axis - at.rank + shape(v).rank;
    return k >= 0 && shape(v).dims[k] == at.dims[axis] ? reshaped(v, 1) : -1;
  }

  // n and the product that its input `side` is become one product. False: nothing is changed.
  bool fold(GraphNode& n, size_t side) {
    extra_.clear();
    const int y = n.inputs[side];
    const GraphNode* from = y < 0 || uses_[static_cast<size_t>(y)] != 1 ? nullptr : producer(y);
    if (!from || from->control || from->compiled) return false;
    const tn_op op = from->op->id;
    const Shape at = shape(y);
    const bool conv = op == TN_OP_CONV2D, linear = op == TN_OP_LINEAR;
    if ((!conv && !linear && op != TN_OP_MATMUL) || !same_type(at, shape(n.outputs[0])) ||
        (at.dtype != TN_DTYPE_F32 && at.dtype != TN_DTYPE_F64))
      return false;
    const int axis = conv ? 1 : at.rank - 1;
    const int64_t channels = at.dims[axis];
    std::vector<int> inputs = from->inputs;
    inputs.resize(3, -1);
    const int w = inputs[1], rank = shape(w).rank;
    if (rank != (conv ? 4 : 2) || !is_fixed(w, at.dtype) || !is_fixed(inputs[2], at.dtype) ||
        shape(inputs[0]).dtype != at.dtype || channels < 1)
      return false;
    int factor = -1, less = -1, more = -1;
    const tn_op by = n.op->id;
    Shape channel;
    if (by == TN_OP_BATCH_NORM) {
      if (axis != 1 || !std::all_of(n.inputs.begin() + 1, n.inputs.end(),
                                    [&](int i) { return i >= 0 && is_fixed(i, at.dtype); }))
        return false;
      channel = shape(n.inputs[1]);
      double epsilon;
      std::memcpy(&epsilon, &n.attrs.items[TN_BATCH_NORM_EPSILON].bits, sizeof epsilon);
      const int plus = add(TN_OP_ADD, n.inputs[4], number(at.dtype, epsilon), channel);
      factor = add(TN_OP_MUL, n.inputs[1], add(TN_OP_RSQRT, plus, -1, channel), channel);
      more = n.inputs[2];
      less = n.inputs[3];
    } else {
      const int other = per_channel(n.inputs[1 - side], at, axis);
      if (other < 0) return false;
      channel = shape(other);
      (by == TN_OP_MUL || by == TN_OP_DIV ? factor : by == TN_OP_ADD ? more : less) = other;
    }
    if (op == TN_OP_MATMUL && factor < 0) return false;  // it has no bias
    int bias = inputs[2];
    const tn_op times = by == TN_OP_DIV ? TN_OP_DIV : TN_OP_MUL;
    if (less >= 0)
      bias = bias < 0 ? add(TN_OP_NEG, less, -1, channel) : add(TN_OP_SUB, bias, less, channel);
    if (factor >= 0) {
      const bool rows = conv || linear || from->attrs.items[TN_MATMUL_TRANSPOSE_B].bits;
      inputs[1] = add(times, w, rows ? reshaped(factor, rank) : factor, shape(w));
      if (bias >= 0) bias = add(times, bias, factor, channel);
    }
    if (more >= 0) bias = bias < 0 ? more : add(TN_OP_ADD, bias, more, channel);
    GraphNode made;
    made.op = from->op;
    made.attrs = complete_attrs(*from->op, from->attrs.data(), from->attrs.size());
    made.inputs = std::move(inputs);
    made.inputs[2] = bias;
    made.stop = n.stop;
    if (op == TN_OP_MATMUL) made.inputs.resize(2);
    if (!device_has_kernel(c_.device, made.op->slot) ||
        !has_kernel(g_, made, infer_node(g_, made), c_))
      return false;
    if (op == TN_OP_MATMUL && bias >= 0) {
      const int product = new_value(at);
      lasts_.back() = Lasts::kRun;
      made.outputs.push_back(product);
      extra_.push_back(std::move(made));
      made = GraphNode();
      made.op = &c_.runtime->ops.get(TN_OP_ADD);
      made.attrs = complete_attrs(*made.op, nullptr, 0);
      made.inputs.push_back(product);
      made.inputs.push_back(bias);
    }
    made.outputs = std::move(n.outputs);
    n = std::move(made);
    return true;
  }

  Graph& g_;
  const PassContext& c_;
  std::vector<Lasts> lasts_;
  std::vector<uint32_t> uses_;    // of values; two for a result
  std::vector<GraphNode> extra_;  // before the node that is looked at
};

}  // namespace

size_t fold_norms(Graph& graph, const PassContext& c) {
  return c.derived ? FoldNorms(graph, c).run() : 0;
}

}  // namespace tenon
