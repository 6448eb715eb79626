// Recomputation: where what lies between the nodes needs more than the memory budget, values that wait long for their next use are
// given up and computed again right before it, with the same bits.
//
// It runs last, when nodes are about what become steps: a node is a place in time, a value takes its bytes from its node to its last use,
// views take those of what they are of. In a round, at the place where most is alive, values are given up one by one, those first that
// give most bytes x places for what computing them again costs, until what is left fits. What such a value is computed from must be
// there at that time: it is, or it is kept longer, or it is computed again too, once for all that want it from there on (so a chain
// becomes the segment of Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016). Copies are nodes like others to the next round,
// which takes the place where most is alive then. Values that are not used before that place are only computed later.
#include <algorithm>
#include <cmath>

#include "op/runtime.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {

namespace {

constexpr size_t kMostRounds = 100, kMostChain = 256, kMostWork = 20'000'000;
constexpr double kFlopsPerByte = 8;  // about what a processor computes while it moves one
constexpr double kLast = 1e-9;       // of the score of what fits only worse than it should

class Recompute {
 public:
  Recompute(Graph& graph, const PassContext& c) : g_(graph), c_(c), target_(c.recomputed->target) {}

  size_t run() {
    // Which nodes are views, by the strides that their inputs have then.
    for (GraphNode& n : g_.nodes) {
      if (!n.op->is(TN_OP_VIEW)) continue;
      n.inferred = infer_node(g_, n);
      for (size_t k = 0; is_view(n) && k < n.outputs.size(); ++k)
        g_.values[index(n.outputs[k])].shape = n.inferred.outputs[k].shape;
    }
    size_t clones = 0;
    measure();
    const double flop = flop_;
    allowed_ = total_cost_ * c_.recomputed->dear;
    for (size_t round = 0; round < kMostRounds && work_ < kMostWork; ++round) {
      if (live_[at_] <= target_ || !choose_all()) break;
      clones += rebuild();
      remove_dead_code(g_, c_);
      measure();
    }
    c_.recomputed->bytes = live_[at_];
    c_.recomputed->flop = std::max(0.0, flop_ - flop);
    return clones;
  }

 private:
  struct Value {
    int base = -1;  // what it is a view of, or itself; -1: it takes no place between nodes
    int with = -1;  // its copy
    bool given_up = false;
    size_t seen = 0;  // by the search for what one more needs
    uint64_t bytes = 0;
    std::vector<int> uses;  // of a base: nodes, ascending
  };
  struct Node {
    int again = -1;  // before which node it is computed again
    size_t seen = 0;
  };
  struct Cost {
    double bytes = 0, flop = 0;  // moved, or as many as may be while it computes
  };
  struct Plan {
    size_t value;
    int before, at;              // its uses around the place: the last one, the next one
    std::vector<int> nodes;      // computed again then, in their order
    std::vector<size_t> longer;  // values that live on until then
    double cost = 0;
    uint64_t bytes = 0, passing = 0, kept = 0;  // more alive then; for a moment; at the place
  };

  static size_t index(int i) { return static_cast<size_t>(i); }
  const GraphNode& node(int k) const { return g_.nodes[index(k)]; }
  int maker(size_t v) const { return g_.values[v].node; }
  int last(size_t v) const { return values_[v].uses.empty() ? maker(v) : values_[v].uses.back(); }
  double& cost(int k) { return costs_[index(node(k).outputs[0])].bytes; }
  static bool is_view(const GraphNode& n) {
    return !n.inferred.outputs.empty() && n.inferred.outputs[0].view_of >= 0;
  }
  static bool can_repeat(const GraphNode& n) { return !n.control; }
  // f of each input that takes a place, by what it is a view of.
  template <class F>
  void each_base(const GraphNode& n, F f) {
    for (int i : n.inputs)
      if (i >= 0 && values_[index(i)].base >= 0) f(index(values_[index(i)].base));
  }
  // The first use that is not before a node.
  size_t use_from(size_t v, int at) const {
    size_t k = 0;
    while (k < values_[v].uses.size() && values_[v].uses[k] < at) ++k;
    return k;
  }
  void use(size_t v, int at) {
    std::vector<int>& uses = values_[v].uses;
    const size_t k = use_from(v, at);
    if (k == uses.size() || uses[k] != at) uses.insert(uses.begin() + static_cast<long>(k), at);
  }

  void add_cost(const GraphNode& n, Cost& to) const {
    std::vector<tn_view> views;
    for (const std::vector<int>* list : {&n.inputs, &n.outputs})
      for (int v : *list) {
        views.push_back(v < 0 ? tn_view{} : view_of(value_of(g_, v)));
        const tn_view& view = views.back();
        to.bytes +=
            static_cast<double>(tn_dtype_bytes(view.dtype, static_cast<uint64_t>(view.count)));
      }
    if (n.compiled && n.compiled->packed >= 0)
      views[index(n.compiled->packed)] = view_of(n.compiled->whole);
    std::vector<const tn_view*> pointers;
    for (const tn_view& v : views) pointers.push_back(&v);
    to.flop = flop_of(n.op->name(), pointers.data(), n.inputs.size());
    if (std::isnan(to.flop)) {
      to.flop = 0;
      if (n.op->id != TN_OP_REGION && !n.op->is(TN_OP_ELEMENTWISE)) to.bytes *= 4;
    }
    to.bytes += to.flop / kFlopsPerByte;
  }

  void measure() {
    const size_t n = g_.nodes.size(), m = g_.values.size();
    values_.clear();
    values_.resize(m);
    nodes_.assign(n, {});
    live_.assign(n + 1, 0);
    costs_.resize(m);
    total_cost_ = flop_ = 0;
    for (const GraphNode& x : g_.nodes) {
      const bool view = is_view(x);
      for (int o : x.outputs) values_[index(o)].base = view ? values_[index(x.inputs[0])].base : o;
      if (view || x.outputs.empty()) continue;
      Cost& cost = costs_[index(x.outputs[0])];
      if (cost.bytes == 0) add_cost(x, cost);
      total_cost_ += cost.bytes;
      flop_ += cost.flop;
    }
    for (int r : g_.results)  // each has memory of its own
      if (r >= 0 && values_[index(r)].base >= 0)
        values_[index(values_[index(r)].base)].given_up = true;
    for (Value& v : values_)
      if (v.base >= 0 && values_[index(v.base)].given_up) v.base = -1;
    for (size_t k = 0; k < n; ++k)
      if (!is_view(g_.nodes[k]))
        each_base(g_.nodes[k], [&](size_t b) {
          std::vector<int>& uses = values_[b].uses;
          if (uses.empty() || uses.back() != static_cast<int>(k))
            uses.push_back(static_cast<int>(k));
        });
    const uint64_t align = c_.device ? c_.device->alignment : 16;
    for (size_t v = 0; v < m; ++v) {
      if (values_[v].base != static_cast<int>(v)) continue;
      const Shape& s = g_.values[v].shape;
      const uint64_t bytes = tn_dtype_bytes(s.dtype, static_cast<uint64_t>(s.count()));
      values_[v].bytes = std::max<uint64_t>(1, (bytes + align - 1) / align) * align;
      live_[index(maker(v))] += values_[v].bytes;
      live_[index(last(v)) + 1] -= values_[v].bytes;
    }
    at_ = 0;
    for (size_t k = 1; k < n; ++k) {
      live_[k] += live_[k - 1];
      if (live_[k] > live_[at_]) at_ = k;
    }
    work_ += 4 * (n + m);
  }

  // ---- what to give up

  using Scores = std::vector<std::pair<double, size_t>>;

  // At each place where most is alive, between those where what is fits.
  bool choose_all() {
    Scores peaks;
    bool above = false, any = false;
    for (size_t k = 0; k < nodes_.size(); ++k) {
      const bool more = live_[k] > target_;
      const auto bytes = static_cast<double>(live_[k]);
      if (more && !above) peaks.emplace_back(bytes, k);
      if (more && bytes > peaks.back().first) peaks.back() = {bytes, k};
      above = more;
    }
    for (std::ranges::make_heap(peaks); !peaks.empty(); peaks.pop_back()) {
      std::ranges::pop_heap(peaks);
      at_ = peaks.back().second;
      if (choose()) any = true;
    }
    return any;
  }

  bool choose() {
    const int at = static_cast<int>(at_);
    Scores scores;
    Plan plan;
    for (size_t v = 0; v < values_.size(); ++v)
      if (values_[v].base == static_cast<int>(v) && maker(v) < at && last(v) > at &&
          !values_[v].given_up)
        scores.emplace_back(score(v, plan), v);
    work_ += values_.size() / 8;
    std::ranges::make_heap(scores);
    bool any = false;
    while (live_[at_] > target_ && !scores.empty() && work_ < kMostWork) {
      // The best of all, or what it was when it was counted.
      std::ranges::pop_heap(scores);
      auto& [then, v] = scores.back();
      const double now = score(v, plan);
      if (now > 0 && scores.size() > 1 && now < scores.front().first) {
        then = now;
        std::ranges::push_heap(scores);
        continue;
      }
      if (now > 0) give_up(plan);
      any |= now > 0;
      scores.pop_back();
    }
    return any;
  }

  // How much is won by giving it up, for what it costs; 0: nothing, or it cannot be.
  double score(size_t v, Plan& plan) {
    ++work_;
    const std::vector<int>& uses = values_[v].uses;
    const size_t next = use_from(v, static_cast<int>(at_));
    if (uses[next] == static_cast<int>(at_) || !can_repeat(node(maker(v)))) return 0;
    plan = {v, next ? uses[next - 1] : maker(v), uses[next], {}, {}};
    ++mark_;
    if (!need(maker(v), plan) || plan.kept >= values_[v].bytes) return 0;
    // What is not used before is only computed later.
    const double price = std::max(1.0, plan.cost - (next ? 0 : cost(maker(v))));
    if (spent_ + price > allowed_) return 0;
    const uint64_t then = live_[index(plan.at)] + plan.bytes + plan.passing;
    if (then > target_ && then >= live_[at_]) return 0;
    const double gain = static_cast<double>(values_[v].bytes - plan.kept) * (plan.at - plan.before);
    return gain / price * (then > target_ ? kLast : 1);
  }

  // Has node k computed again at plan.at, unless it is by then.
  bool need(int k, Plan& plan) {
    Node& x = nodes_[index(k)];
    if ((x.again >= 0 && x.again <= plan.at) || x.seen == mark_) return true;
    x.seen = mark_;
    ++work_;
    bool can = true;
    each_base(node(k), [&](size_t b) {
      const int from = maker(b), again = nodes_[index(from)].again;
      Value& v = values_[b];
      if (again >= 0 && again <= plan.at) return;
      if (!v.given_up) {
        if (last(b) >= plan.at) return;
        const bool gone = last(b) < static_cast<int>(at_);
        if (!gone || v.bytes * 8 <= values_[plan.value].bytes || !can_repeat(node(from))) {
          if (v.seen == mark_) return;
          v.seen = mark_;
          plan.longer.push_back(b);
          plan.bytes += v.bytes;
          plan.kept += gone ? v.bytes : 0;
          return;
        }
      }
      can = can && need(from, plan);
    });
    plan.nodes.push_back(k);
    if (x.again < 0) plan.cost += cost(k);
    for (int o : node(k).outputs) {
      const Value& v = values_[index(o)];
      if (v.base < 0 || index(o) == plan.value) continue;
      if (v.given_up)
        plan.bytes += v.bytes;
      else if (last(index(o)) < plan.at)
        plan.passing = std::max(plan.passing, v.bytes);
    }
    return can && plan.nodes.size() < kMostChain;
  }

  void change(int begin, int end, uint64_t bytes) {
    for (int k = begin; k < end; ++k) live_[index(k)] += bytes;
    work_ += index(std::max(0, end - begin)) / 16;
  }

  void give_up(const Plan& plan) {
    spent_ += plan.cost;
    for (size_t b : plan.longer) {
      change(last(b) + 1, plan.at + 1, values_[b].bytes);
      use(b, plan.at);
    }
    for (int k : plan.nodes) {
      int& again = nodes_[index(k)].again;
      for (int o : node(k).outputs)
        if (values_[index(o)].given_up) change(plan.at, again, values_[index(o)].bytes);
      again = plan.at;
      each_base(node(k), [&](size_t b) {
        const int made = nodes_[index(maker(b))].again;  // then that is what is used
        if (made < 0 || made > plan.at) use(b, plan.at);
      });
    }
    values_[plan.value].given_up = true;
    change(plan.before + 1, nodes_[index(maker(plan.value))].again, -values_[plan.value].bytes);
  }

  // ---- the graph with it

  size_t rebuild() {
    Scores pending;  // by place, then by node
    for (size_t k = 0; k < nodes_.size(); ++k)
      if (nodes_[k].again >= 0) pending.emplace_back(-nodes_[k].again, ~k);
    const size_t clones = pending.size();
    std::ranges::make_heap(pending);
    made_.clear();
    for (size_t k = 0; k < nodes_.size(); ++k) {
      const int at = static_cast<int>(k);
      for (; !pending.empty() && pending.front().first == -at; pending.pop_back()) {
        std::ranges::pop_heap(pending);
        repeat(static_cast<int>(~pending.back().second), at);
      }
      GraphNode& x = g_.nodes[k];
      if (!is_view(x))
        for (int& i : x.inputs) i = seen_at(i, at);
      made_.emplace_back().op = nullptr;  // the node itself, once all its copies are made
    }
    size_t next = 0;
    for (GraphNode& n : made_)
      if (!n.op) n = std::move(g_.nodes[next++]);
    g_.nodes.swap(made_);
    return clones;
  }

  // Node k once more, before node `at`.
  void repeat(int k, int at) {
    GraphNode copy;
    copy.op = node(k).op;
    for (int i : node(k).inputs) copy.inputs.push_back(seen_at(i, at));
    copy.attrs = complete_attrs(*copy.op, node(k).attrs.data(), node(k).attrs.size());
    copy.inferred = node(k).inferred;
    copy.compiled = node(k).compiled;
    for (int o : node(k).outputs) {
      copy.outputs.push_back(values_[index(o)].with = static_cast<int>(g_.values.size()));
      g_.values.push_back(GraphValue(value_of(g_, o)));
    }
    made_.push_back(std::move(copy));
  }

  // What stands for a value there.
  int seen_at(int v, int at) {
    if (v < 0 || index(v) >= values_.size() || values_[index(v)].base < 0) return v;
    const int again = nodes_[index(maker(index(values_[index(v)].base)))].again;
    if (again < 0 || again > at) return v;
    if (values_[index(v)].with < 0) repeat(maker(index(v)), at);  // a view, of the copy
    return values_[index(v)].with;
  }

  Graph& g_;
  const PassContext& c_;
  const uint64_t target_;
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<Cost> costs_;     // of what makes a value, by its first output
  std::vector<uint64_t> live_;  // bytes at each node
  size_t at_ = 0;               // where that is most
  size_t mark_ = 0, work_ = 0;
  double total_cost_ = 0, flop_ = 0, spent_ = 0, allowed_ = 0;
  std::vector<GraphNode> made_;
};

}  // namespace

size_t recompute(Graph& graph, const PassContext& c) {
  if (!c.recomputed || graph.nodes.empty()) return 0;
  const size_t before = graph.nodes.size();
  const size_t clones = Recompute(graph, c).run();
  c.recomputed->nodes = graph.nodes.size() > before ? graph.nodes.size() - before : 0;
  return clones;
}

}  // namespace tenon
