// Layout: convolutions and pools take channels first, so what was written channels-last turns its tensors before each of them and back
// behind it. Here what lies between is computed channels-first too: f(transpose(x)) becomes transpose(f(x)) where f does the same to each
// element, or reduces, pads or joins along axes that can be renamed; then a transpose meets its inverse, and both go. Any order of
// axes is treated so.
//
// A transpose is a view and costs nothing by itself; reading one does, since elements then lie across rows. Nodes that hand turned
// values to each other are one group; a group is turned where fewer elements are read across rows then, counted before nodes are fused.
// What a variable is set to keeps its order, so that it can be written in place. Sums come in another order.
#include <algorithm>
#include <array>
#include <utility>

#include "op/runtime.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

static_assert(TN_SUM_AXES == 0 && TN_SUM_KEEPDIMS == 1 && TN_PROD_AXES == 0 &&
              TN_PROD_KEEPDIMS == 1 && TN_MAX_AXES == 0 && TN_MAX_KEEPDIMS == 1 &&
              TN_MIN_AXES == 0 && TN_MIN_KEEPDIMS == 1 && TN_MEAN_AXES == 0 &&
              TN_MEAN_KEEPDIMS == 1);
static_assert(TN_PAD_LOW == 0 && TN_PAD_HIGH == 1 && TN_PAD_INTERIOR == 2 && TN_EXPAND_DIMS == 0);

// Axis i of a transpose is axis axis_of(order, i) of what it is taken of: four bits each. 0: none; of two axes or more it is not 0.
using Order = uint32_t;
static_assert(TN_MAX_RANK <= 8);
int axis_of(Order order, int i) { return static_cast<int>(order >> 4 * i & 15); }

// What a node does to axes; their names stand in its attributes.
enum class Axes : uint8_t { kUnknown, kEach, kReduce, kList, kJoin };
Axes axes_of(const OpEntry& op) {
  switch (op.id) {
    case TN_OP_SUM:
    case TN_OP_PROD:
    case TN_OP_MAX:
    case TN_OP_MIN:
    case TN_OP_MEAN:  // not var: where it has no kernel for these axes it is gone by now
      return Axes::kReduce;
    case TN_OP_PAD:  // lists with a number for each axis
    case TN_OP_EXPAND:
      return Axes::kList;
    case TN_OP_CONCAT:
      return Axes::kJoin;
    case TN_OP_COPY:  // asked for as it lies in memory
      return Axes::kUnknown;
    default:
      return op.is(TN_OP_ELEMENTWISE) && !op.is(TN_OP_VIEW) && !op.n_state ? Axes::kEach
                                                                           : Axes::kUnknown;
  }
}

class Layout {
 public:
  Layout(Graph& graph, const PassContext& c)
      : g_(graph), c_(c), values_(graph.values.size()), nodes_(graph.nodes.size()) {}

  size_t run() {
    for (size_t i = 0; c_.layouts && i < c_.layouts->size() && i < g_.inputs.size(); ++i) {
      const Shape& given = (*c_.layouts)[i];
      at(g_.inputs[i]).strided = given.dtype != TN_DTYPE_NONE && !given.dense();
    }
    for (size_t i = 0; i < g_.results.size(); ++i) {
      if (g_.results[i] < 0) continue;
      Value& v = at(g_.results[i]);
      v.result = true;
      if (c_.overwrites && i < c_.overwrites->size()) v.assigned |= (*c_.overwrites)[i] >= 0;
    }
    for (size_t k = 0; k < nodes_.size(); ++k) look_at(static_cast<int>(k));
    for (int r : g_.results) leave(r);
    return turn();
  }

 private:
  struct Value {
    Order order = 0;    // it is its inner value so transposed, or could be
    int inner = -1;     // known from the start of a transpose, else once the node is turned
    Order seen_in = 0;  // it is `seen` in this order by nodes that are turned
    int seen = -1;
    bool read = false;  // by a group, as it is
    bool result = false, assigned = false, strided = false;
  };
  struct Node {
    Order order = 0;
    int group = -1;      // a node of its group; of itself where it stands for all
    int64_t gain = 0;    // of a group: elements
    bool meets = false;  // a transpose back to the inner value
  };
  const Shape& shape(int v) const { return value_of(g_, v).shape; }
  Value& at(int v) { return values_[static_cast<size_t>(v)]; }
  static int64_t attr(const GraphNode& n, uint32_t key) {
    return static_cast<int64_t>(n.attrs.items[key].bits);
  }
  static int axis(int64_t named, int rank) {
    return static_cast<int>(named < 0 ? named + rank : named);
  }

  // ---- which nodes could be turned, and what that saves

  int group_of(int node) {
    if (node < 0) return -1;
    int g = nodes_[static_cast<size_t>(node)].group;
    while (g >= 0 && nodes_[static_cast<size_t>(g)].group != g)
      g = nodes_[static_cast<size_t>(g)].group;
    if (g >= 0) nodes_[static_cast<size_t>(node)].group = g;
    return g;
  }
  int group_giving(int v) { return group_of(value_of(g_, v).node); }
  void gain(int group, int64_t elements) { nodes_[static_cast<size_t>(group)].gain += elements; }
  // Somebody takes v as it is who is not turned.
  void leave(int v) {
    if (v < 0 || !at(v).order || is_row(shape(v))) return;
    if (const int g = group_giving(v); g >= 0) gain(g, -shape(v).count());
  }

  void look_at(int k) {
    const GraphNode& n = g_.nodes[static_cast<size_t>(k)];
    if (n.op->id == TN_OP_TRANSPOSE) return look_at_transpose(k, n);
    const Order order = n.outputs.size() == 1 && !n.control && !n.compiled ? order_for(n) : 0;
    if (!order) {
      for (int i : n.inputs) leave(i);
      return;
    }
    Node& node = nodes_[static_cast<size_t>(k)];
    node.order = order;
    node.group = k;
    for (int i : n.inputs) {
      if (i < 0) continue;
      if (at(i).order != order) {
        leave(i);
        if (!is_free(i)) gain(group_of(k), -shape(i).count());
      } else if (const int g = group_giving(i); g < 0) {
        if (!std::exchange(at(i).read, true) && !is_free(at(i).inner))
          gain(group_of(k), shape(i).count());
      } else if (const int mine = group_of(k); g != mine) {
        gain(mine, nodes_[static_cast<size_t>(g)].gain);
        nodes_[static_cast<size_t>(g)].group = mine;
      }
    }
    if (shape(n.outputs[0]).rank == rank_of(n)) at(n.outputs[0]).order = order;
  }

  void look_at_transpose(int k, const GraphNode& n) {
    const int x = n.inputs[0], y = n.outputs[0], rank = shape(y).rank;
    const auto* perm = static_cast<const int64_t*>(n.attrs.items[TN_TRANSPOSE_PERM].data);
    const Value& of = at(x);
    const int g = of.order ? group_giving(x) : -1;
    const bool again =
        of.order && g < 0;  // a transpose of one: both are one of what that is taken of
    Order order = 0;
    bool meets = of.order;
    for (int i = 0; i < rank; ++i) {
      const int from = axis(perm[i], rank), inner = axis_of(of.order, from);
      order |= static_cast<Order>(again ? inner : from) << 4 * i;
      meets = meets && inner == i;
    }
    if (meets && !at(y).result) {
      nodes_[static_cast<size_t>(k)].meets = true;
      if (g >= 0 && !is_row(shape(y))) gain(g, shape(y).count());
      return;
    }
    leave(x);
    if (of.strided) return;
    at(y).order = order;
    at(y).inner = again ? of.inner : x;
  }

  // That of what the node computes on: the greatest of its inputs.
  int rank_of(const GraphNode& n) const {
    int rank = 0;
    for (int i : n.inputs)
      if (i >= 0) rank = std::max<int>(rank, shape(i).rank);
    return rank;
  }
  bool is_packed(int v) const { return TN_DTYPE_BITS(shape(v).dtype) < 8; }  // has no strides
  // The order of axes in which n could be turned, that of its largest input that has one; 0: in none.
  Order order_for(const GraphNode& n) {
    const Axes axes = axes_of(*n.op);
    const int y = n.outputs[0], rank = rank_of(n), to = shape(y).rank;
    if (axes == Axes::kUnknown || (axes != Axes::kReduce && to != rank) || at(y).assigned ||
        is_packed(y))
      return 0;
    Order order = 0;
    int64_t largest = -1;
    for (int i : n.inputs) {
      if (i < 0) continue;
      if (is_packed(i)) return 0;
      if (shape(i).rank != rank || !at(i).order || shape(i).count() <= largest) continue;
      largest = shape(i).count();
      order = at(i).order;
    }
    if (axes == Axes::kList && at(n.inputs[0]).order != order) return 0;
    if (axes != Axes::kReduce || to == rank || !order) return order;
    // What is left of the axes must be in order as it is.
    uint32_t gone = 0;
    const auto* list = static_cast<const int64_t*>(n.attrs.items[0].data);
    for (int64_t i = 0; i < attr(n, 0); ++i) gone |= 1u << axis(list[i], rank);
    if (!attr(n, 0)) gone = ~0u;
    int last = -1;
    for (int i = 0; i < rank; ++i)
      if (!(gone >> i & 1)) {
        if (axis_of(order, i) < last) return 0;
        last = axis_of(order, i);
      }
    return order;
  }
  // Is it read as fast in any order?
  bool is_free(int v) const {
    const GraphValue& value = value_of(g_, v);
    if (value.node >= 0 && g_.nodes[static_cast<size_t>(value.node)].op->id == TN_OP_EXPAND)
      return true;
    return is_row(value.shape);
  }
  static bool is_row(const Shape& s) {
    return std::count_if(s.dims, s.dims + s.rank, [](int64_t d) { return d != 1; }) < 2;
  }

  // ---- turning

  bool is_turned(int node) {
    const int g = group_of(node);
    return g >= 0 && nodes_[static_cast<size_t>(g)].gain > 0;
  }
  size_t turn() {
    std::vector<GraphNode> before = std::move(g_.nodes);
    g_.nodes.clear();
    std::vector<int> with = same_values(g_);  // values keep the numbers of their nodes of before
    size_t changes = 0;
    for (size_t k = 0; k < before.size(); ++k) {
      GraphNode& n = before[k];
      if (nodes_[k].meets) {
        const int x = n.inputs[0], node = value_of(g_, x).node;
        if (group_of(node) < 0 || is_turned(node)) {
          with[static_cast<size_t>(n.outputs[0])] = at(x).inner;
          ++changes;
        }
      }
      if (is_turned(static_cast<int>(k))) {
        turn(std::move(n), nodes_[k].order);
        ++changes;
      } else {
        g_.nodes.push_back(std::move(n));
      }
    }
    for (size_t v = with.size(); v < g_.values.size(); ++v) with.push_back(static_cast<int>(v));
    replace_values(g_, with);
    return changes;
  }

  void turn(GraphNode&& n, Order order) {
    const int rank = rank_of(n), y = n.outputs[0];
    rename_axes(n, order, rank);
    for (int& i : n.inputs)
      if (i >= 0 && shape(i).rank) i = at(i).order == order ? at(i).inner : turned(i, order, rank);
    if (!at(y).order) {
      g_.nodes.push_back(std::move(n));
      return;
    }
    Shape inner = shape(y);
    std::array<int64_t, TN_MAX_RANK> perm;
    for (int i = 0; i < rank; ++i) {
      perm[static_cast<size_t>(i)] = axis_of(order, i);
      inner.dims[axis_of(order, i)] = shape(y).dims[i];
    }
    const int made = n.outputs[0] = at(y).inner = new_value(inner);
    g_.nodes.push_back(std::move(n));
    view(made, perm.data(), y);
  }

  void rename_axes(GraphNode& n, Order order, int rank) const {
    const Axes axes = axes_of(*n.op);
    if (axes == Axes::kEach) return;
    std::vector<tn_attr> items = n.attrs.items;
    if (axes == Axes::kJoin)
      items[TN_CONCAT_AXIS].bits =
          static_cast<uint64_t>(axis_of(order, axis(attr(n, TN_CONCAT_AXIS), rank)));
    std::array<std::array<int64_t, TN_MAX_RANK>, 3> lists;
    const size_t n_lists = axes == Axes::kReduce ? 1 : axes == Axes::kList ? items.size() : 0;
    for (size_t a = 0; a < n_lists; ++a) {
      const auto* from = static_cast<const int64_t*>(items[a].data);
      for (int i = 0; i < static_cast<int>(items[a].bits); ++i) {
        if (axes == Axes::kReduce)
          lists[a][static_cast<size_t>(i)] = axis_of(order, axis(from[i], rank));
        else
          lists[a][static_cast<size_t>(axis_of(order, i))] = from[i];
      }
      items[a].data = lists[a].data();
    }
    n.attrs = complete_attrs(*n.op, items.data(), static_cast<uint32_t>(items.size()));
  }

  // A view of v in the inner order, of full rank.
  int turned(int v, Order order, int rank) {
    Value& of = at(v);
    if (of.seen_in == order) return of.seen;
    Shape full = shape(v);
    full.rank = static_cast<uint8_t>(rank);
    const int more = rank - shape(v).rank;
    std::fill_n(full.dims, more, 1);
    std::copy_n(shape(v).dims, shape(v).rank, full.dims + more);
    Shape inner = full;
    std::array<int64_t, TN_MAX_RANK> perm;
    for (int i = 0; i < rank; ++i) {
      perm[static_cast<size_t>(axis_of(order, i))] = i;
      inner.dims[axis_of(order, i)] = full.dims[i];
    }
    if (more && !is_row(full)) {
      const int made = new_value(full);
      add(TN_OP_RESHAPE, v, tn_attr_i64s(TN_RESHAPE_DIMS, full.dims, full.rank), made);
      v = made;
    }
    of.seen_in = order;
    of.seen = new_value(inner);
    view(v, perm.data(), of.seen);
    return of.seen;
  }

  // The node that makes `to` of `from`, whose axes it has in the order of perm.
  void view(int from, const int64_t* perm, int to) {
    const Shape& s = shape(to);
    if (is_row(s))
      add(TN_OP_RESHAPE, from, tn_attr_i64s(TN_RESHAPE_DIMS, s.dims, s.rank), to);
    else
      add(TN_OP_TRANSPOSE, from, tn_attr_i64s(TN_TRANSPOSE_PERM, perm, s.rank), to);
  }
  int new_value(const Shape& shape) {
    GraphValue& v = g_.values.emplace_back();
    v.shape = shape;
    v.shape.set_dense();
    return static_cast<int>(g_.values.size()) - 1;
  }
  void add(tn_op op, int from, const tn_attr& attr, int to) {
    GraphNode& n = g_.nodes.emplace_back();
    n.op = &c_.runtime->ops.get(op);
    n.inputs.push_back(from);
    n.outputs.push_back(to);
    n.attrs = complete_attrs(*n.op, &attr, 1);
  }

  Graph& g_;
  const PassContext& c_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
};

}  // namespace

size_t layout(Graph& graph, const PassContext& c) { return Layout(graph, c).run(); }

}  // namespace tenon
