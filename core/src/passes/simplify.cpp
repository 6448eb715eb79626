// Algebraic clean-up: nodes whose result is one of their inputs to the last bit, chains of views, constants that were filled into
// tensors.
#include <algorithm>

#include "base/error.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

class Simplify {
 public:
  explicit Simplify(Graph& graph) : g_(graph), with_(same_values(graph)) {
    is_result_.resize(g_.values.size());
    for (int r : g_.results)
      if (r >= 0) is_result_[static_cast<size_t>(r)] = true;
  }

  size_t run() {
    for (GraphNode& n : g_.nodes) {
      for (int& i : n.inputs)
        if (i >= 0) i = with_[static_cast<size_t>(i)];
      if (n.op->is(TN_OP_ELEMENTWISE)) unfill(n);
      look_through(n);
      const int same = n.outputs.size() == 1 ? equal_input(n) : -1;
      if (same < 0) continue;
      with_[static_cast<size_t>(n.outputs[0])] = same;
      ++changes_;
    }
    replace_values(g_, with_);
    return changes_;
  }

 private:
  const GraphValue& value(int v) const { return value_of(g_, v); }
  const GraphNode* producer(int v) const {
    return v >= 0 && value(v).node >= 0 ? &g_.nodes[static_cast<size_t>(value(v).node)] : nullptr;
  }
  bool is_number(int v, double number) const {
    return value(v).constant && !is_complex(value(v).shape.dtype) &&
           element_to_f64(value(v).bits, value(v).shape.dtype) == number;
  }
  static bool is_complex(tn_dtype t) { return TN_DTYPE_CODE(t) == TN_DTYPE_CODE(TN_DTYPE_C64); }
  // x stands for the output: the same dtype and dims, and no constant.
  int if_like(const GraphNode& n, int x) const {
    if (x < 0) return -1;
    const GraphValue &from = value(x), &to = value(n.outputs[0]);
    const bool like = !from.weak && !from.constant && from.shape.dtype == to.shape.dtype &&
                      same_dims(from.shape, to.shape);
    return like ? x : -1;
  }

  // The constant that every element of v is, through views; -1: there is none.
  int filled_with(int v) const {
    const GraphNode* from = producer(v);
    while (from && from->op->is(TN_OP_VIEW) && from->op->id != TN_OP_BITCAST)
      from = producer(from->inputs[0]);
    const bool filled = from && from->op->id == TN_OP_FILL && value(from->inputs[0]).constant;
    return filled ? from->inputs[0] : -1;
  }

  // An elementwise op takes a constant as well as a tensor filled with it, where another input has the dims.
  void unfill(GraphNode& n) {
    const Shape& out = value(n.outputs[0]).shape;
    for (size_t k = 0; k < n.inputs.size() && n.inputs.size() > 1; ++k) {
      const int filled = filled_with(n.inputs[k]);
      if (filled < 0) continue;
      bool others = false;
      for (size_t j = 0; j < n.inputs.size(); ++j)
        others |= j != k && n.inputs[j] >= 0 && same_dims(value(n.inputs[j]).shape, out) &&
                  filled_with(n.inputs[j]) < 0;
      const tn_dtype dtype = value(n.inputs[k]).shape.dtype;
      if (!others || is_complex(dtype)) continue;
      GraphValue c = value(filled);
      if (is_complex(c.shape.dtype)) continue;
      const bool floating = is_floating(c.shape.dtype);
      const double f = floating ? element_to_f64(c.bits, c.shape.dtype) : 0;
      const int64_t i = floating ? 0 : element_to_i64(c.bits, c.shape.dtype);
      c.bits[0] = c.bits[1] = 0;
      if (floating)
        element_from_f64(c.bits, dtype, f);
      else
        element_from_i64(c.bits, dtype, i);
      c.shape.dtype = dtype;
      c.weak = false;
      g_.values.push_back(c);
      with_.push_back(static_cast<int>(g_.values.size()) - 1);
      is_result_.push_back(false);
      n.inputs[k] = with_.back();
      ++changes_;
    }
  }

  // A reshape of a reshape.
  void look_through(GraphNode& n) {
    if (n.op->id != TN_OP_RESHAPE) return;
    for (const GraphNode* from = producer(n.inputs[0]); from && from->op->id == TN_OP_RESHAPE;
         from = producer(n.inputs[0])) {
      n.inputs[0] = from->inputs[0];
      ++changes_;
    }
  }

  // The input that the output equals, or -1.
  int equal_input(const GraphNode& n) const {
    const int x = n.inputs.empty() ? -1 : n.inputs[0];
    if (x < 0) return -1;
    switch (n.op->id) {
      case TN_OP_CAST:
      case TN_OP_RESHAPE:
      case TN_OP_EXPAND:
        return if_like(n, x);
      case TN_OP_COPY:  // a result keeps memory of its own; what is strided is made dense once
        return is_result_[static_cast<size_t>(n.outputs[0])] || is_view(x) ? -1 : if_like(n, x);
      case TN_OP_NEG:
      case TN_OP_NOT: {
        const GraphNode* inner = producer(x);
        return inner && inner->op == n.op ? if_like(n, inner->inputs[0]) : -1;
      }
      case TN_OP_MUL:
        return is_number(n.inputs[1], 1) ? if_like(n, x)
               : is_number(x, 1)         ? if_like(n, n.inputs[1])
                                         : -1;
      case TN_OP_DIV:
      case TN_OP_POW:
        return is_number(n.inputs[1], 1) ? if_like(n, x) : -1;
      case TN_OP_SUB:  // x + 0 is not it: -0 + 0 is 0
        return is_positive_zero(n.inputs[1]) ? if_like(n, x) : -1;
      default:
        return -1;
    }
  }
  bool is_positive_zero(int v) const { return is_number(v, 0) && value(v).bits[0] == 0; }
  bool is_view(int v) const {
    const GraphNode* from = producer(v);
    return from && from->op->is(TN_OP_VIEW);
  }

  Graph& g_;
  std::vector<int> with_;
  std::vector<bool> is_result_;
  size_t changes_ = 0;
};

}  // namespace

size_t simplify(Graph& graph, const PassContext&) { return Simplify(graph).run(); }

}  // namespace tenon
