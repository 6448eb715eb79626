// Constant folding: what depends on nothing that a run brings is computed once, when the program is prepared for its sizes.
//
// A value is uniform where all its elements are one known number: a scalar, a fill, a view of one, an elementwise op of such. It becomes
// a fill of the number that it has, which costs no memory and which the passes after this one put into the ops that use it. Any other
// value that is the same in each run (a table of positions, a mask, what follows from constants of the program) becomes an input of the
// graph, kept with it. A result keeps a node and memory of its own.
#include <algorithm>

#include "base/room.hpp"
#include "op/runtime.hpp"
#include "op/transfer.hpp"
#include "pass.hpp"
#include "recipe/program.hpp"
#include "tenon/op_ids.h"

namespace tenon {

Constants::~Constants() {
  for (tn_tensor* t : made) tensor_release_remote(t);
}

namespace {

// What is kept for one set of sizes. More would cost the cache of the processor, and a program has up to 32 sets: half a gigabyte.
constexpr uint64_t kMostBytes = 16 << 20;

class Fold {
 public:
  Fold(Graph& graph, const PassContext& c) : g_(graph), c_(c) {}

  size_t run() {
    classify();
    choose();
    if (kept_.empty() && uniform_.empty()) return 0;
    compute();
    return kept_.size() + uniform_.size();
  }

 private:
  enum class Class : uint8_t { kVaries, kUniform, kSame };
  using enum Class;

  Class& kind(int v) { return kinds_[static_cast<size_t>(v)]; }
  const GraphValue& value(int v) const { return value_of(g_, v); }
  GraphNode* producer(int v) {
    return value(v).node < 0 ? nullptr : &g_.nodes[static_cast<size_t>(value(v).node)];
  }
  static bool is_view(const GraphNode* n) { return n && n->op->is(TN_OP_VIEW); }
  // Of its outputs; more than is kept: it does not count as the same.
  uint64_t bytes_of(const GraphNode& n) const {
    uint64_t bytes = 0;
    for (int o : n.outputs) {
      const Shape& s = value(o).shape;
      bytes +=
          s.count() ? tn_dtype_bytes(s.dtype, static_cast<uint64_t>(s.count())) : kMostBytes + 1;
    }
    return bytes;
  }

  void classify() {
    kinds_.assign(g_.values.size(), kVaries);
    for (size_t v = 0; v < kinds_.size(); ++v)
      if (g_.values[v].constant) kinds_[v] = kUniform;
    const std::vector<tn_tensor*>& given = c_.constants->given;
    for (size_t i = 0; i < given.size(); ++i)
      if (given[i] && !given[i]->buffer->imported) kind(g_.inputs[i]) = kSame;
    std::vector<bool> is_result(g_.values.size());
    for (int r : g_.results)
      if (r >= 0) is_result[static_cast<size_t>(r)] = true;
    for (const GraphNode& n : g_.nodes) {
      bool same = !n.control && !n.op->n_state && !n.op->is(TN_OP_COUNTED) && !n.outputs.empty();
      bool uniform = same && n.outputs.size() == 1 && is_uniform_op(n);
      for (int i : n.inputs) {
        if (i < 0) continue;
        same &= kind(i) != kVaries;
        uniform &= kind(i) == kUniform;
      }
      for (int o : n.outputs) same &= !is_result[static_cast<size_t>(o)];
      if (!same || (!uniform && bytes_of(n) > kMostBytes)) continue;
      for (int o : n.outputs) kind(o) = uniform ? kUniform : kSame;
    }
  }
  bool is_uniform_op(const GraphNode& n) const {
    const auto k = dtype_kind(value(n.outputs[0]).shape.dtype);
    if (n.op->id == TN_OP_BITCAST || k == Kind::kNone || k == Kind::kStorage) return false;
    if (dtype_size(value(n.outputs[0]).shape.dtype) > sizeof(uint64_t))
      return false;  // no immediate
    return n.op->id == TN_OP_FILL || (n.op->is(TN_OP_VIEW) && n.inputs.size() == 1) ||
           n.op->is(TN_OP_ELEMENTWISE);
  }

  // What nodes that run see of the rest, through views, which cost nothing.
  void choose() {
    std::vector<bool> chosen(g_.values.size());
    uint64_t bytes = 0;
    for (const GraphNode& n : g_.nodes) {
      if (n.outputs.empty() || kind(n.outputs[0]) != kVaries) continue;
      for (int i : n.inputs) {
        if (i < 0 || kind(i) == kVaries) continue;
        const bool uniform = kind(i) == kUniform;
        const GraphNode* from = producer(i);
        int at = i;
        // A reshape of another view may have to copy.
        while (is_view(from) &&
               (uniform || from->op->id != TN_OP_RESHAPE || !is_view(producer(from->inputs[0])))) {
          at = from->inputs[0];
          from = producer(at);
        }
        if (!from || (uniform && from->op->id == TN_OP_FILL) || chosen[static_cast<size_t>(at)])
          continue;
        if (!uniform && (bytes += bytes_of(*from)) > kMostBytes) {
          bytes -= bytes_of(*from);
          continue;
        }
        chosen[static_cast<size_t>(at)] = true;
        (uniform ? uniform_ : kept_).push_back(at);
      }
    }
  }

  Attrs fill_attrs(const Shape& like, int rank) const {
    const tn_attr attrs[] = {
        tn_attr_i64s(TN_FILL_DIMS, like.dims, static_cast<uint64_t>(rank)),
        tn_attr_dtype(TN_FILL_DTYPE, like.dtype),
    };
    return complete_attrs(c_.runtime->ops.get(TN_OP_FILL), attrs, 2);
  }

  // The nodes of what is the same in each run; those of uniform values for one element.
  Graph part() {
    Graph sub;
    sub.values = std::deque<GraphValue>(g_.values);
    sub.inputs = g_.inputs;
    std::vector<int> one = same_values(g_);  // the element of a uniform value
    const auto copy = [&](const GraphNode& n) {
      GraphNode& made = sub.nodes.emplace_back();
      made.op = n.op;
      made.inputs = n.inputs;
      made.outputs = n.outputs;
      made.attrs.items = n.attrs.items;
      made.compiled = n.compiled;
      for (int o : made.outputs)
        sub.values[static_cast<size_t>(o)].node = static_cast<int>(sub.nodes.size()) - 1;
      return &made;
    };
    for (const GraphNode& n : g_.nodes) {
      if (n.outputs.empty() || kind(n.outputs[0]) == kVaries) continue;
      copy(n);
      if (kind(n.outputs[0]) != kUniform) continue;
      int& element = one[static_cast<size_t>(n.outputs[0])];
      if (is_view(&n)) {
        element = one[static_cast<size_t>(n.inputs[0])];
        continue;
      }
      element = static_cast<int>(sub.values.size());
      GraphValue& v = sub.values.emplace_back();
      v.shape.dtype = value(n.outputs[0]).shape.dtype;
      GraphNode* made = copy(n);
      if (n.op->id == TN_OP_FILL) made->attrs = fill_attrs(v.shape, 0);
      for (int& i : made->inputs)
        if (i >= 0) i = one[static_cast<size_t>(i)];
      made->outputs = {element};
      sub.values[static_cast<size_t>(n.outputs[0])].node = static_cast<int>(sub.nodes.size()) - 2;
      v.node = static_cast<int>(sub.nodes.size()) - 1;
    }
    sub.results = kept_;
    for (int v : uniform_) sub.results.push_back(one[static_cast<size_t>(v)]);
    return sub;
  }

  void compute() {
    Graph sub = part();
    const std::vector<bool> used = sub.mark_live();
    std::vector<ProgramInput> inputs(sub.inputs.size());
    std::vector<tn_tensor*> given = c_.constants->given;
    given.resize(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs[i].absent = !used[i];
      if (used[i]) inputs[i].shape = shape_of(given[i]->view);
    }
    CompileOptions options;
    options.modes = c_.modes;
    options.queue = c_.queue;
    options.own_results = true;
    const std::unique_ptr<Program> program(compile(c_.runtime, *c_.device, sub, inputs, options));
    OwnedList made(c_.ctx, sub.results.size());
    run_program(c_.ctx, *program, given.data(), made.data());
    // A failure of the device shows now, and not in each of the runs.
    for (size_t k = 0; k < sub.results.size(); ++k) wait_tensor(c_.ctx, made[k]);
    std::vector<int> with = same_values(g_);
    for (size_t k = 0; k < kept_.size(); ++k)
      with[static_cast<size_t>(kept_[k])] = keep_as_input(made[k]);
    for (GraphNode& n : g_.nodes)
      for (int& i : n.inputs)
        if (i >= 0) i = with[static_cast<size_t>(i)];
    for (size_t k = 0; k < uniform_.size(); ++k) make_fill(uniform_[k], made[kept_.size() + k]);
  }

  int keep_as_input(tn_tensor* t) {
    Constants& c = *c_.constants;
    make_room(c.made);
    c.made.push_back(tensor_retain(t));
    GraphValue& v = g_.values.emplace_back();
    v.shape = shape_of(t->view);
    g_.inputs.push_back(static_cast<int>(g_.values.size()) - 1);
    return g_.inputs.back();
  }
  void make_fill(int v, tn_tensor* element) {
    GraphValue& c = g_.values.emplace_back();
    c.shape.dtype = value(v).shape.dtype;
    c.constant = true;
    read_tensor(c_.ctx, element, c.bits);
    GraphNode& n = *producer(v);
    n.op = &c_.runtime->ops.get(TN_OP_FILL);
    n.attrs = fill_attrs(value(v).shape, value(v).shape.rank);
    n.inputs = {static_cast<int>(g_.values.size()) - 1};
  }

  Graph& g_;
  const PassContext& c_;
  std::vector<Class> kinds_;         // of values
  std::vector<int> kept_, uniform_;  // values to compute
};

}  // namespace

size_t fold_constants(Graph& graph, const PassContext& c) {
  return c.constants ? Fold(graph, c).run() : 0;
}

}  // namespace tenon
