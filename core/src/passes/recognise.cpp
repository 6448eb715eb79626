// Recognition: softmax, layer_norm, rms_norm and scaled_dot_product_attention that were written by hand become these ops where the device
// has kernels for them. Sums then come in another order: results differ within the tolerance of the op.
//
// Only in f32 and f64, where the parts round as the op does, and only where nobody else uses a value on the way: a gradient that goes
// through the parts keeps them. Norms grow from the inside: first without scale and bias, then with what multiplies and is added.
#include "recognise.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/heap_sort.hpp"
#include "op/runtime.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

static_assert(TN_SUM_AXES == 0 && TN_MEAN_AXES == 0 && TN_MAX_AXES == 0 && TN_VAR_AXES == 0);
static_assert(TN_LAYER_NORM_AXES == TN_RMS_NORM_AXES &&
              TN_LAYER_NORM_EPSILON == TN_RMS_NORM_EPSILON);

class Recognise {
 public:
  Recognise(Graph& graph, const OpRegistry& ops, const Takes& takes)
      : g_(graph), ops_(ops), takes_(takes) {}

  size_t run() {
    users_.resize(g_.values.size());
    is_result_.resize(g_.values.size());
    gone_.resize(g_.nodes.size());
    for (size_t k = 0; k < g_.nodes.size(); ++k)
      for (int i : g_.nodes[k].inputs)
        if (i >= 0) users_[static_cast<size_t>(i)].push_back(static_cast<int>(k));
    for (int r : g_.results)
      if (r >= 0) is_result_[static_cast<size_t>(r)] = true;
    for (size_t k = 0; k < g_.nodes.size(); ++k) {
      if (gone_[k] || g_.nodes[k].control) continue;
      at_ = static_cast<int>(k);
      const tn_op op = g_.nodes[k].op->id;
      if (op == TN_OP_MATMUL)
        found_ += attention();
      else if (op == TN_OP_DIV)
        found_ += normal(0) || softmax(0);
      else if (op == TN_OP_MUL)
        found_ += normal(0) || normal(1) || softmax(0) || softmax(1) || affine(0) || affine(1);
      else if (op == TN_OP_ADD)
        found_ += affine(0) || affine(1);
    }
    insert();
    return found_;
  }

 private:
  const GraphValue& value(int v) const { return value_of(g_, v); }
  const Shape& shape(int v) const { return value(v).shape; }
  const GraphNode& root() const { return g_.nodes[static_cast<size_t>(at_)]; }
  int out() const { return root().outputs[0]; }

  // ---- parts of a pattern

  void begin() {
    parts_.clear();
    extra_.clear();
  }
  const GraphNode* producer(int v) const {
    return v < 0 || value(v).node < 0 ? nullptr : &g_.nodes[static_cast<size_t>(value(v).node)];
  }
  // The node of that op that gives v: a part of the pattern.
  const GraphNode* part(int v, tn_op op) {
    const GraphNode* n = producer(v);
    if (!n || n->op->id != op) return nullptr;
    parts_.push_back(value(v).node);
    return n;
  }
  bool number(int v, double* out) const {
    const bool is = v >= 0 && value(v).constant && dtype_kind(shape(v).dtype) != Kind::kComplex;
    if (is) *out = element_to_f64(value(v).bits, shape(v).dtype);
    return is;
  }
  bool is_number(int v, double wanted) const {
    double got = 0;
    return number(v, &got) && std::fabs(got - wanted) <= 1e-7 * std::fabs(wanted);
  }
  // v without the views that only put axes of size 1 in or out.
  int flat(int v) {
    for (const GraphNode* n = producer(v); n; n = producer(v)) {
      const tn_op op = n->op->id;
      if (op != TN_OP_RESHAPE && op != TN_OP_SQUEEZE && op != TN_OP_UNSQUEEZE) break;
      parts_.push_back(value(v).node);
      v = n->inputs[0];
    }
    return v;
  }
  int unexpanded(int v) {
    while (const GraphNode* n = part(v, TN_OP_EXPAND)) v = n->inputs[0];
    return v;
  }
  // Are the dims of v those of x with size 1 along these axes?
  bool kept(int v, int x, uint32_t axes) const {
    const Shape &a = shape(v), &b = shape(x);
    bool is = a.rank == b.rank;
    for (int k = 0; is && k < a.rank; ++k) is = a.dims[k] == (axes >> k & 1 ? 1 : b.dims[k]);
    return is;
  }
  uint32_t axes_of(const GraphNode& n) const {
    const Shape& x = shape(n.inputs[0]);
    const tn_attr& a = n.attrs.items[0];
    if (!a.bits) return (1u << x.rank) - 1;
    uint32_t axes = 0;
    const auto* list = static_cast<const int64_t*>(a.data);
    for (uint64_t k = 0; k < a.bits; ++k) axes |= 1u << (list[k] < 0 ? list[k] + x.rank : list[k]);
    return axes;
  }

  struct Reduced {
    int x = -1;
    uint32_t axes = 0;
    explicit operator bool() const { return x >= 0; }
    bool operator==(const Reduced&) const = default;
  };
  Reduced reduced(int v, tn_op op) {
    const GraphNode* n = part(flat(v), op);
    return n ? Reduced{n->inputs[0], axes_of(*n)} : Reduced{};
  }
  // mean(x), or sum(x) / n, or sum(x) * (1 / n).
  Reduced mean(int v) {
    v = flat(v);
    if (const Reduced m = reduced(v, TN_OP_MEAN)) return m;
    const GraphNode* n = producer(v);
    const bool divides = n && n->op->id == TN_OP_DIV;
    if (!divides && !(n && n->op->id == TN_OP_MUL)) return {};
    parts_.push_back(value(v).node);
    const int other = !divides && value(n->inputs[0]).constant;
    const Reduced sum = reduced(n->inputs[static_cast<size_t>(other)], TN_OP_SUM);
    if (!sum) return {};
    double count = 1;
    for (int k = 0; k < shape(sum.x).rank; ++k)
      if (sum.axes >> k & 1) count *= static_cast<double>(shape(sum.x).dims[k]);
    const int by = n->inputs[static_cast<size_t>(1 - other)];
    return is_number(by, divides ? count : 1 / count) ? sum : Reduced{};
  }
  // What the square root is taken of; -1: it is none.
  int under_root(int v) {
    v = flat(v);
    if (const GraphNode* n = part(v, TN_OP_SQRT)) return n->inputs[0];
    const GraphNode* n = part(v, TN_OP_POW);
    return n && is_number(n->inputs[1], 0.5) ? n->inputs[0] : -1;
  }
  // The same of 1 / sqrt(...).
  int under_inverse_root(int v) {
    v = flat(v);
    if (const GraphNode* n = part(v, TN_OP_RSQRT)) return n->inputs[0];
    if (const int of = inverse(v); of >= 0) return under_root(of);
    const GraphNode* n = part(v, TN_OP_POW);
    return n && is_number(n->inputs[1], -0.5) ? n->inputs[0] : -1;
  }
  int inverse(int v) {
    if (const GraphNode* n = part(v, TN_OP_RECIPROCAL)) return n->inputs[0];
    const GraphNode* n = part(v, TN_OP_DIV);
    return n && is_number(n->inputs[0], 1) ? n->inputs[1] : -1;
  }
  int under_square(int v) {
    if (const GraphNode* n = part(v, TN_OP_SQUARE)) return n->inputs[0];
    if (const GraphNode* n = part(v, TN_OP_MUL); n && n->inputs[0] == n->inputs[1])
      return n->inputs[0];
    const GraphNode* n = part(v, TN_OP_POW);
    return n && is_number(n->inputs[1], 2) ? n->inputs[0] : -1;
  }

  // ---- patterns; the root is node at_

  // exp(x - max) / sum, or times 1 / sum.
  bool softmax(size_t side) {
    begin();
    const int e = root().inputs[side];
    int s = unexpanded(root().inputs[1 - side]);
    if (e < 0 || s < 0) return false;
    const int written = s;
    if (root().op->id == TN_OP_MUL && (s = inverse(s)) < 0) return false;
    const GraphNode* exp = part(e, TN_OP_EXP);
    const GraphNode* d = exp ? part(exp->inputs[0], TN_OP_SUB) : nullptr;
    if (!d) return false;
    const int top = unexpanded(d->inputs[1]);
    const Reduced sum = reduced(s, TN_OP_SUM), max = reduced(top, TN_OP_MAX);
    if (!sum || !sum.axes || sum.x != e || max.x != d->inputs[0] || sum.axes != max.axes ||
        (sum.axes & (sum.axes - 1)) || !kept(written, e, sum.axes) || !kept(top, e, sum.axes))
      return false;
    int64_t axis = 0;
    while (!(sum.axes >> axis & 1)) ++axis;
    return put(TN_OP_SOFTMAX, {max.x}, {tn_attr_i64(TN_SOFTMAX_AXIS, axis)});
  }

  // (x - mean) / sqrt(var + epsilon), or x / sqrt(mean of squares + epsilon); the factor perhaps times a scale.
  bool normal(size_t side) {
    begin();
    const int c = root().inputs[side];
    int f = root().inputs[1 - side], scale = -1;
    if (c < 0 || f < 0 || !value_is_wide(c)) return false;
    if (root().op->id == TN_OP_DIV) {
      f = unexpanded(f);
      return normal_of(c, f, under_root(f), scale);
    }
    if (const GraphNode* n = part(f, TN_OP_MUL)) {
      const size_t before = parts_.size();
      const bool first = under_inverse_root(unexpanded(n->inputs[0])) >= 0;
      parts_.resize(before);
      scale = n->inputs[first];
      f = n->inputs[!first];
    }
    f = unexpanded(f);
    return normal_of(c, f, under_inverse_root(f), scale);
  }
  bool normal_of(int c, int factor, int of, int scale) {
    const GraphNode* plus = of < 0 ? nullptr : part(flat(of), TN_OP_ADD);
    if (!plus) return false;
    const size_t right = value(plus->inputs[1]).constant ? 1 : 0;
    double epsilon = -1;
    if (!number(plus->inputs[right], &epsilon) || !(epsilon >= 0) || std::isinf(epsilon))
      return false;
    const int variance = flat(plus->inputs[1 - right]);
    Reduced x;
    const GraphNode* var = part(variance, TN_OP_VAR);
    if (var && var->attrs.items[TN_VAR_CORRECTION].bits == 0)
      x = {var->inputs[0], axes_of(*var)};
    else if (var || under_square((x = mean(variance)).x) != c)
      return false;
    const size_t before = parts_.size();
    const GraphNode* centred = part(c, TN_OP_SUB);
    const int middle = centred ? unexpanded(centred->inputs[1]) : -1;
    const Reduced average = centred ? mean(middle) : Reduced{};
    const bool layer = average && average.x == centred->inputs[0] && average.axes == x.axes &&
                       (!var || average.x == x.x) && kept(middle, average.x, average.axes);
    if (layer)
      x.x = average.x;
    else if (var)
      return false;
    else
      x.x = c, parts_.resize(before);
    const int axes = last_axes(x);
    if (!axes || !kept(factor, x.x, x.axes)) return false;
    std::vector<int> inputs = {x.x, -1};
    if (scale >= 0 && (inputs[1] = last_dims(scale, x.x, axes)) < 0) return false;
    if (layer) inputs.push_back(-1);
    return put(layer ? TN_OP_LAYER_NORM : TN_OP_RMS_NORM, inputs, norm_attrs(axes, epsilon));
  }
  static std::vector<tn_attr> norm_attrs(int64_t axes, double epsilon) {
    return {tn_attr_i64(TN_LAYER_NORM_AXES, axes), tn_attr_f64(TN_LAYER_NORM_EPSILON, epsilon)};
  }
  // How many, where they are the last ones; else 0.
  int last_axes(const Reduced& r) const {
    const int rank = shape(r.x).rank;
    for (int n = 1; n <= rank; ++n)
      if (r.axes == (((1u << rank) - 1) & ~((1u << (rank - n)) - 1))) return n;
    return 0;
  }
  // v with the last dims of x alone, which it has behind axes of size 1; -1: it has others.
  int last_dims(int v, int x, int axes) {
    const Shape& to = shape(x);
    while (const GraphNode* n = producer(v)) {
      if (n->op->id != TN_OP_EXPAND) break;
      v = n->inputs[0];
    }
    const Shape from = shape(v);
    if (value(v).constant || from.rank < axes || from.rank > to.rank || from.dtype != to.dtype)
      return -1;
    for (int k = 0; k < from.rank; ++k) {
      const int behind = from.rank - k;
      if (from.dims[k] != (behind > axes ? 1 : to.dims[to.rank - behind])) return -1;
    }
    if (from.rank == axes) return v;
    Shape made = from;
    made.rank = static_cast<uint8_t>(axes);
    std::copy(from.dims + from.rank - axes, from.dims + from.rank, made.dims);
    return extra(TN_OP_RESHAPE, {v}, made, {tn_attr_i64s(TN_RESHAPE_DIMS, made.dims, made.rank)});
  }

  // A norm without scale times one, without bias plus one.
  bool affine(size_t side) {
    begin();
    const bool times = root().op->id == TN_OP_MUL;
    const int y = root().inputs[side], other = root().inputs[1 - side];
    const GraphNode* n = y < 0 ? nullptr : part(y, TN_OP_LAYER_NORM);
    if (!n && times && y >= 0) n = part(y, TN_OP_RMS_NORM);
    if (!n || other < 0) return false;
    const size_t place = times ? 1 : 2;
    std::vector<int> inputs = n->inputs;
    if (times && std::any_of(inputs.begin() + 1, inputs.end(), [](int i) { return i >= 0; }))
      return false;
    if (inputs.size() <= place || inputs[place] >= 0) return false;
    const auto axes = static_cast<int64_t>(n->attrs.items[TN_LAYER_NORM_AXES].bits);
    inputs[place] = last_dims(other, inputs[0], static_cast<int>(axes));
    double epsilon;
    std::memcpy(&epsilon, &n->attrs.items[TN_LAYER_NORM_EPSILON].bits, sizeof epsilon);
    return inputs[place] >= 0 && put(n->op->id, inputs, norm_attrs(axes, epsilon));
  }

  // softmax(q k^T * scale + mask) v. A mask by `where` stays: it takes the place of a score, be that infinite or no number; added to it, it would not.
  bool attention() {
    begin();
    const GraphNode& n = root();
    const GraphNode* p = flag(n, 0) || flag(n, 1) ? nullptr : part(n.inputs[0], TN_OP_SOFTMAX);
    if (!p) return false;
    const int scores = p->inputs[0], rank = shape(scores).rank;
    const auto axis = static_cast<int64_t>(p->attrs.items[TN_SOFTMAX_AXIS].bits);
    if (axis != rank - 1 && axis != -1) return false;
    const size_t before = parts_.size();
    if (products(scores, -1)) return true;
    for (size_t side : {0u, 1u}) {
      parts_.resize(before);
      extra_.clear();
      const GraphNode* plus = part(scores, TN_OP_ADD);
      if (!plus) break;
      const int mask = plus->inputs[1 - side];
      if (is_mask(mask, scores, shape(scores).dtype) && products(plus->inputs[side], mask))
        return true;
    }
    return false;
  }
  bool flag(const GraphNode& n, uint32_t key) const { return n.attrs.items[key].bits != 0; }
  bool is_mask(int v, int scores, tn_dtype dtype) const {
    if (v < 0 || value(v).constant || shape(v).dtype != dtype) return false;
    const Shape &m = shape(v), &s = shape(scores);
    bool fits = m.rank <= s.rank;
    for (int k = 1; fits && k <= m.rank; ++k)
      fits = m.dims[m.rank - k] == 1 || m.dims[m.rank - k] == s.dims[s.rank - k];
    return fits;
  }
  bool products(int s, int mask) {
    double scale = 1;
    const int scores = s;
    if (const GraphNode* n = part(s, TN_OP_MUL)) {
      const size_t by = value(n->inputs[1]).constant ? 1 : 0;
      if (!number(n->inputs[by], &scale)) return false;
      s = n->inputs[1 - by];
    } else if (n = part(s, TN_OP_DIV); n) {
      if (!number(n->inputs[1], &scale)) return false;
      scale = 1 / scale;
      s = n->inputs[0];
    }
    const GraphNode* m = part(s, TN_OP_MATMUL);
    if (!m || flag(*m, 0) || scale == 0 || !std::isfinite(scale)) return false;
    const int q = m->inputs[0], v = root().inputs[1];
    const int k = flag(*m, 1) ? m->inputs[1] : transposed(m->inputs[1]);
    if (k < 0 || !same_type(shape(s), shape(root_scores())) || !same_type(shape(s), shape(scores)))
      return false;
    const Shape &a = shape(q), &b = shape(k), &c = shape(v);
    const int rank = a.rank;
    bool fits = rank >= 3 && b.rank == rank && c.rank == rank && a.count() && b.count() &&
                c.count() && b.dims[rank - 2] == c.dims[rank - 2];
    for (int i = 0; fits && i < rank - 2; ++i)
      fits = a.dims[i] == b.dims[i] && a.dims[i] == c.dims[i];
    return fits && a.dtype == b.dtype && a.dtype == c.dtype &&
           put(TN_OP_SCALED_DOT_PRODUCT_ATTENTION, {q, k, v, mask},
               {tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, 0),
                tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, scale)});
  }
  int root_scores() const { return producer(root().inputs[0])->inputs[0]; }
  // What v is with the last two axes swapped; -1: v is nothing transposed so.
  int transposed(int v) const {
    const GraphNode* n = producer(v);
    if (!n || n->op->id != TN_OP_TRANSPOSE) return -1;
    const auto* perm = static_cast<const int64_t*>(n->attrs.items[TN_TRANSPOSE_PERM].data);
    const int rank = shape(v).rank;
    for (int k = 0; k < rank; ++k)
      if (perm[k] != (k < rank - 2 ? k : 2 * rank - 3 - k)) return -1;
    return n->inputs[0];
  }

  // ---- the op in its place

  bool value_is_wide(int v) const {
    return shape(v).dtype == TN_DTYPE_F32 || shape(v).dtype == TN_DTYPE_F64;
  }
  int constant(tn_dtype dtype, double number) {
    GraphValue v;
    v.shape.dtype = dtype;
    v.constant = true;
    element_from_f64(v.bits, dtype, number);
    g_.values.push_back(v);
    return static_cast<int>(g_.values.size()) - 1;
  }
  GraphNode made(tn_op op, std::vector<int> inputs, const std::vector<tn_attr>& attrs) const {
    GraphNode n;
    n.op = &ops_.get(op);
    n.inputs = std::move(inputs);
    n.attrs = complete_attrs(*n.op, attrs.data(), static_cast<uint32_t>(attrs.size()));
    return n;
  }
  // A node before the root, if it comes to that; the value that it gives.
  int extra(tn_op op, std::vector<int> inputs, Shape shape, const std::vector<tn_attr>& attrs) {
    GraphNode& n = extra_.emplace_back(made(op, std::move(inputs), attrs));
    GraphValue v;
    shape.set_dense();
    v.shape = shape;
    g_.values.push_back(v);
    n.outputs = {static_cast<int>(g_.values.size()) - 1};
    return n.outputs[0];
  }
  // Nobody but parts uses what a part gives.
  bool alone() {
    heap_sort(parts_);
    parts_.erase(std::unique(parts_.begin(), parts_.end()), parts_.end());
    for (int k : parts_)
      for (int o : g_.nodes[static_cast<size_t>(k)].outputs) {
        if (is_result_[static_cast<size_t>(o)]) return false;
        for (int u : users_[static_cast<size_t>(o)])
          if (u != at_ && !gone_[static_cast<size_t>(u)] &&
              !std::binary_search(parts_.begin(), parts_.end(), u))
            return false;
      }
    return true;
  }
  // The op instead of the root, if the device takes it.
  bool put(tn_op op, std::vector<int> inputs, const std::vector<tn_attr>& attrs) {
    if (!value_is_wide(out()) || !alone()) return false;
    GraphNode n = made(op, std::move(inputs), attrs);
    n.outputs = root().outputs;
    n.stop = root().stop;
    if (!same_type(shape(out()), shape(n.inputs[0])) && op != TN_OP_SCALED_DOT_PRODUCT_ATTENTION)
      return false;
    if (!takes_(g_, n)) return false;
    users_.resize(g_.values.size());
    is_result_.resize(g_.values.size());
    for (int k : parts_) gone_[static_cast<size_t>(k)] = true;
    for (int i : n.inputs)
      if (i >= 0) users_[static_cast<size_t>(i)].push_back(at_);
    for (GraphNode& e : extra_) {
      for (int i : e.inputs)  // as if the root used them
        users_[static_cast<size_t>(i)].push_back(at_);
      added_.emplace_back(at_, std::move(e));
    }
    g_.nodes[static_cast<size_t>(at_)] = std::move(n);
    return true;
  }
  void insert() {
    if (added_.empty()) return;
    std::vector<GraphNode> all;
    all.reserve(g_.nodes.size() + added_.size());
    auto next = added_.begin();
    for (size_t k = 0; k < g_.nodes.size(); ++k) {
      for (; next != added_.end() && next->first == static_cast<int>(k); ++next)
        all.push_back(std::move(next->second));
      all.push_back(std::move(g_.nodes[k]));
    }
    g_.nodes = std::move(all);
  }

  Graph& g_;
  const OpRegistry& ops_;
  const Takes& takes_;
  std::vector<std::vector<int>> users_;  // nodes, by value
  std::vector<bool> is_result_, gone_;   // gone_: nodes that only dead ones use
  int at_ = 0;
  std::vector<int> parts_;        // nodes of the pattern that is tried, but the root
  std::vector<GraphNode> extra_;  // what comes before the root if it fits
  std::vector<std::pair<int, GraphNode>> added_;
  size_t found_ = 0;
};

}  // namespace

size_t recognise(Graph& graph, const OpRegistry& ops, const Takes& takes) {
  return Recognise(graph, ops, takes).run();
}

size_t recognise(Graph& graph, const PassContext& c) {
  return recognise(graph, c.runtime->ops, [&](const Graph& g, const GraphNode& n) {
    return device_has_kernel(c.device, n.op->slot) && has_kernel(g, n, infer_node(g, n), c);
  });
}

}  // namespace tenon
