// What follows from variables alone that the program reads and does not assign to (a cast, a transposed copy, the scale of a norm), or
// from constants that are too large to be folded, goes into a graph of its own, which runs when one of these variables has another value
// than before. Its results are inputs of the rest.
//
// Kept is what nodes that run see of it, through views, which cost nothing. It may have up to twice the bytes that it is computed from, and
// all of it twice those of all variables; more is computed in each run, from what may be kept of its parts.
#include <algorithm>

#include "op/runtime.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {

std::vector<Lasts> lasting_values(const Graph& g, const PassContext& c) {
  std::vector<Lasts> lasts(g.values.size(), Lasts::kRun);
  const auto of = [&](int v) -> Lasts& { return lasts[static_cast<size_t>(v)]; };
  for (size_t v = 0; v < lasts.size(); ++v)
    if (g.values[v].constant) lasts[v] = Lasts::kEver;
  const std::vector<tn_tensor*>& given = c.constants->given;
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    const bool constant = i >= given.size() || (given[i] && !given[i]->buffer->imported);
    if (constant) of(g.inputs[i]) = Lasts::kEver;
    tn_variable* v = i < c.derived->given.size() ? c.derived->given[i] : nullptr;
    if (!v) continue;
    const std::lock_guard lock(v->mutex);
    if (!v->value->buffer->imported) of(g.inputs[i]) = Lasts::kVersion;
  }
  for (const GraphNode& n : g.nodes) {
    if (n.control || n.op->n_state || n.op->is(TN_OP_COUNTED)) continue;
    Lasts least = Lasts::kEver;
    for (int i : n.inputs)
      if (i >= 0) least = std::min(least, of(i));
    for (int o : n.outputs) of(o) = least;
  }
  return lasts;
}

namespace {

class Fold {
 public:
  Fold(Graph& graph, const PassContext& c)
      : g_(graph), c_(c), lasts_(lasting_values(graph, c)), read_(graph.values.size()) {}

  size_t run() {
    for (int i : g_.inputs)
      if (lasts(i) != Lasts::kRun) left_ += 2 * (read(i) = bytes_of(i));
    for (const GraphNode& n : g_.nodes) {
      uint64_t bytes = 0;
      for (int i : n.inputs)
        if (i >= 0) bytes = std::min(bytes + read(i), uint64_t{1} << 60);
      for (int o : n.outputs) read(o) = bytes;
    }
    choose();
    if (kept_.empty()) return 0;
    split();
    return kept_.size();
  }

 private:
  const GraphValue& value(int v) const { return value_of(g_, v); }
  Lasts lasts(int v) const { return lasts_[static_cast<size_t>(v)]; }
  uint64_t& read(int v) { return read_[static_cast<size_t>(v)]; }
  const GraphNode* producer(int v) const {
    return value(v).node < 0 ? nullptr : &g_.nodes[static_cast<size_t>(value(v).node)];
  }
  uint64_t bytes_of(int v) const {
    const Shape& s = value(v).shape;
    return tn_dtype_bytes(s.dtype, static_cast<uint64_t>(s.count()));
  }
  static bool is_view(const GraphNode* n) { return n && n->op->is(TN_OP_VIEW); }
  // A reshape of what other views made strided may have to copy.
  bool may_copy(const GraphNode* n) const {
    if (n->op->id != TN_OP_RESHAPE) return false;
    for (n = producer(n->inputs[0]); is_view(n); n = producer(n->inputs[0]))
      if (n->op->id != TN_OP_RESHAPE && n->op->id != TN_OP_SQUEEZE && n->op->id != TN_OP_UNSQUEEZE)
        return true;
    return false;
  }

  void choose() {
    std::vector<bool> stays(g_.nodes.size()), seen(g_.values.size());
    for (int r : g_.results)  // each has memory of its own
      if (r >= 0 && value(r).node >= 0) stays[static_cast<size_t>(value(r).node)] = true;
    for (size_t k = g_.nodes.size(); k-- > 0;) {
      const GraphNode& n = g_.nodes[k];
      if (!stays[k] && !n.outputs.empty() && lasts(n.outputs[0]) != Lasts::kRun) continue;
      for (int i : n.inputs) {
        if (i < 0 || lasts(i) == Lasts::kRun) continue;
        const GraphNode* from = producer(i);
        while (is_view(from) && !may_copy(from)) from = producer(i = from->inputs[0]);
        if (!from || seen[static_cast<size_t>(i)]) continue;
        seen[static_cast<size_t>(i)] = true;
        const auto node = static_cast<size_t>(value(i).node);
        if (stays[node]) continue;
        const uint64_t bytes = bytes_of(i);
        if (value(i).weak || bytes > 2 * read(i) || bytes > left_) {
          stays[node] = true;
          continue;
        }
        left_ -= bytes;
        kept_.push_back(i);
      }
    }
  }

  // Values there are numbered in the order in which they appear, so that the key is the same for the same.
  void split() {
    Graph& sub = c_.derived->graph;
    std::string& key = c_.derived->key;
    std::vector<int> number(g_.values.size(), -1);
    const auto add = [&](int v) {
      int& n = number[static_cast<size_t>(v)];
      if (n >= 0) return n;
      sub.values.push_back(value(v));
      if (value(v).constant) key += key_of(value(v));
      if (value(v).node >= 0) sub.values.back().node = static_cast<int>(sub.nodes.size()) - 1;
      return n = static_cast<int>(sub.values.size()) - 1;
    };
    key += static_cast<char>(c_.modes);
    g_.results.swap(kept_);
    const std::vector<bool> used = g_.mark_live();
    g_.results.swap(kept_);
    // Inputs that it does not use come last: of those that passes made there may be others for other sizes.
    const std::vector<tn_tensor*>& constants = c_.constants->made;
    const size_t given = g_.inputs.size() - constants.size();
    sub.inputs.resize(g_.inputs.size());
    for (size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) continue;
      sub.inputs[i] = add(g_.inputs[i]);
      const auto which = i < given ? i : reinterpret_cast<uintptr_t>(constants[i - given]);
      key.append(reinterpret_cast<const char*>(&which), sizeof which);
    }
    for (const GraphNode& n : g_.nodes) {
      if (!n.live) continue;
      std::vector<int> inputs;
      for (int i : n.inputs) inputs.push_back(i < 0 ? i : add(i));
      GraphNode& made = sub.nodes.emplace_back();
      made.op = n.op;
      made.inputs = std::move(inputs);
      made.attrs = complete_attrs(*n.op, n.attrs.data(), n.attrs.size());
      made.compiled = n.compiled;
      for (int o : n.outputs) made.outputs.push_back(add(o));
      key += key_of(made);
    }
    const size_t first = g_.values.size();
    for (int v : kept_) {
      sub.results.push_back(add(v));
      const Shape shape = value(v).shape;
      g_.values.emplace_back().shape = shape;
      g_.values.back().shape.set_dense();
    }
    for (size_t i = 0; i < used.size(); ++i)
      if (!used[i]) sub.inputs[i] = add(g_.inputs[i]);
    std::vector<int> with = same_values(g_);
    for (size_t k = 0; k < kept_.size(); ++k) {
      g_.inputs.push_back(static_cast<int>(first + k));
      with[static_cast<size_t>(kept_[k])] = g_.inputs.back();
    }
    replace_values(g_, with);
    key.append(reinterpret_cast<const char*>(sub.results.data()), sub.results.size() * sizeof(int));
  }

  Graph& g_;
  const PassContext& c_;
  std::vector<Lasts> lasts_;
  std::vector<uint64_t> read_;  // by value: bytes of the inputs that it is computed from
  uint64_t left_ = 0;           // bytes that may still be kept
  std::vector<int> kept_;       // values
};

}  // namespace

size_t fold_variables(Graph& graph, const PassContext& c) {
  if (!c.derived) return 0;
  const size_t kept = Fold(graph, c).run();
  return kept + unpack_weights(graph);
}

}  // namespace tenon
