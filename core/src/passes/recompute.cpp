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

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "pass.hpp"
#include "tenon/op_ids.h"

namespace tenon {

double flop_of(std::string_view op, const tn_view* const* args) {
  const auto count = [](const tn_view* v) { return static_cast<double>(v->count); };
  const auto last = [](const tn_view* v, int from_end) {
    return static_cast<double>(v->rank >= from_end ? v->dims[v->rank - from_end] : 1);
  };
  const auto of_conv = [&](const tn_view* y, const tn_view* w) {
    return w->rank && w->dims[0] ? 2 * count(y) * count(w) / static_cast<double>(w->dims[0]) : 0;
  };
  if (op == "matmul") {
    // One of the last two dims of a is the rows of the result, the other is summed over.
    const double rows = last(args[2], 2), sides = last(args[0], 2) * last(args[0], 1);
    return rows > 0 ? 2 * count(args[2]) * sides / rows : 0;
  }
  if (op == "linear")
    return last(args[0], 1) > 0 ? 2 * count(args[0]) * count(args[1]) / last(args[0], 1) : 0;
  if (op == "conv2d" || op == "conv") return of_conv(args[3], args[1]);
  if (op == "conv2d_input_grad") return of_conv(args[0], args[1]);
  if (op == "conv2d_weight_grad") return of_conv(args[0], args[2]);
  return std::nan("");
}

namespace {

constexpr size_t kMostRounds = 100, kMostChain = 256, kMostWork = 20'000'000;
constexpr double kFlopsPerByte = 8;  // about what a processor computes while it moves one
constexpr double kLast = 1e-9;       // of the score of what fits only worse than it should

class Recompute {
 public:
  Recompute(Graph& graph, const PassContext& c) : g_(graph), c_(c), target_(c.recomputed->target) {}

  size_t run() {
    infer_views();
    size_t clones = 0;
    double flop = 0;
    for (size_t round = 0; round < kMostRounds && work_ < kMostWork; ++round) {
      measure();
      if (round == 0) allowed_ = total_cost_, flop = flop_of_all();
      if (live_[at_] <= target_ || !choose()) break;
      clones += rebuild();
      remove_dead_code(g_, c_);
    }
    measure();
    c_.recomputed->bytes = live_[at_];
    if (clones) c_.recomputed->flop = std::max(0.0, flop_of_all() - flop);
    return clones;
  }

 private:
  size_t base(int v) const { return static_cast<size_t>(base_[static_cast<size_t>(v)]); }
  const GraphNode& node(int k) const { return g_.nodes[static_cast<size_t>(k)]; }
  int maker(size_t v) const { return g_.values[v].node; }
  int last(size_t v) const { return uses_[v].empty() ? maker(v) : uses_[v].back(); }
  static bool is_view(const GraphNode& n) {
    return !n.inferred.outputs.empty() && n.inferred.outputs[0].view_of >= 0;
  }
  static bool can_repeat(const GraphNode& n) { return !n.control && !n.compiled; }

  // Which nodes are views, by the strides that their inputs have then.
  void infer_views() {
    std::vector<Shape> shapes;
    for (const GraphValue& v : g_.values) shapes.push_back(v.shape);
    for (GraphNode& n : g_.nodes) {
      n.inferred = {};
      if (!n.op->is(TN_OP_VIEW) || n.inputs.empty() || n.inputs[0] < 0) continue;
      std::vector<tn_view> views;
      for (int i : n.inputs) {
        views.push_back(i < 0 ? tn_view{} : view_of(shapes[static_cast<size_t>(i)]));
        if (i < 0 || value_of(g_, i).absent) views.back().flags |= TN_VIEW_ABSENT;
        if (i >= 0 && value_of(g_, i).weak) views.back().flags |= TN_VIEW_WEAK | TN_VIEW_IMMEDIATE;
      }
      std::vector<const tn_view*> pointers;
      for (const tn_view& v : views) pointers.push_back(&v);
      n.inferred = infer(*n.op, pointers, n.attrs);
      if (!is_view(n)) continue;
      for (size_t k = 0; k < n.outputs.size(); ++k)
        shapes[static_cast<size_t>(n.outputs[k])] = n.inferred.outputs[k].shape;
    }
  }

  // In bytes moved, or as many as may be while it computes.
  static double cost_of(const Graph& g, const GraphNode& n, double& flop) {
    std::vector<tn_view> views;
    double bytes = 0;
    const auto add = [&](int v) {
      views.push_back(v < 0 ? tn_view{} : view_of(value_of(g, v)));
      bytes += static_cast<double>(
          tn_dtype_bytes(views.back().dtype, static_cast<uint64_t>(views.back().count)));
    };
    for (int i : n.inputs) add(i);
    for (int o : n.outputs) add(o);
    std::vector<const tn_view*> pointers;
    for (const tn_view& v : views) pointers.push_back(&v);
    flop = flop_of(n.op->name(), pointers.data());
    if (!std::isnan(flop)) return bytes + flop / kFlopsPerByte;
    flop = 0;
    return n.op->id == TN_OP_REGION || n.op->is(TN_OP_ELEMENTWISE) ? bytes : 4 * bytes;
  }
  double flop_of_all() const {
    double all = 0, flop = 0;
    for (const GraphNode& n : g_.nodes) cost_of(g_, n, flop), all += flop;
    return all;
  }

  void measure() {
    const size_t n = g_.nodes.size(), m = g_.values.size();
    base_.assign(m, -1);
    bytes_.assign(m, 0);
    uses_.assign(m, {});
    given_up_.assign(m, false);
    seen_value_.assign(m, 0);
    clone_.assign(n, -1);
    seen_.assign(n, 0);
    cost_.assign(n, 0);
    known_.resize(m);
    total_cost_ = 0;
    mark_ = 0;
    for (size_t k = 0; k < n; ++k) {
      const GraphNode& x = g_.nodes[k];
      if (!is_view(x) && !x.outputs.empty()) {
        double &known = known_[static_cast<size_t>(x.outputs[0])], flop = 0;
        if (known == 0) known = cost_of(g_, x, flop);
        total_cost_ += cost_[k] = known;
      }
      for (int o : x.outputs)
        base_[static_cast<size_t>(o)] = is_view(x) ? base_[static_cast<size_t>(x.inputs[0])] : o;
    }
    std::vector<bool> kept(m);  // results have memory of their own
    for (int r : g_.results)
      if (r >= 0 && base_[static_cast<size_t>(r)] >= 0) kept[base(r)] = true;
    for (int& b : base_)
      if (b >= 0 && kept[static_cast<size_t>(b)]) b = -1;
    for (size_t k = 0; k < n; ++k) {
      if (is_view(g_.nodes[k])) continue;
      for (int i : g_.nodes[k].inputs)
        if (i >= 0 && base_[static_cast<size_t>(i)] >= 0) use(base(i), static_cast<int>(k));
    }
    const uint64_t align = c_.device ? c_.device->alignment : 16;
    live_.assign(n + 1, 0);
    for (size_t v = 0; v < m; ++v) {
      if (base_[v] != static_cast<int>(v)) continue;
      const Shape& s = g_.values[v].shape;
      const uint64_t bytes = tn_dtype_bytes(s.dtype, static_cast<uint64_t>(s.count()));
      bytes_[v] = std::max<uint64_t>(1, (bytes + align - 1) / align) * align;
      live_[static_cast<size_t>(maker(v))] += bytes_[v];
      live_[static_cast<size_t>(last(v)) + 1] -= bytes_[v];
    }
    at_ = 0;
    for (size_t k = 1; k < n; ++k) {
      live_[k] += live_[k - 1];
      if (live_[k] > live_[at_]) at_ = k;
    }
    work_ += 4 * (n + m);
  }

  void use(size_t v, int at) {
    std::vector<int>& list = uses_[v];
    const auto to = std::lower_bound(list.begin(), list.end(), at);
    if (to == list.end() || *to != at) list.insert(to, at);
  }

  // ---- what to give up

  struct Plan {
    size_t value;
    int before, at;              // its uses around the place: its last one, its next one
    std::vector<int> nodes;      // computed again then, in their order
    std::vector<size_t> longer;  // values that live on until then
    double cost = 0;
    uint64_t bytes = 0, passing = 0,
             kept = 0;  // more alive then; for a moment; more alive at the place
  };

  bool choose() {
    const int at = static_cast<int>(at_);
    std::vector<std::pair<double, size_t>> scores;
    Plan plan;
    for (size_t v = 0; v < base_.size(); ++v)
      if (base_[v] == static_cast<int>(v) && maker(v) < at && last(v) > at &&
          !std::ranges::binary_search(uses_[v], at) && can_repeat(node(maker(v))))
        if (const double s = score(v, plan); s > 0) scores.emplace_back(s, v);
    bool any = false;
    while (live_[at_] > target_ && !scores.empty() && work_ < kMostWork) {
      size_t best = 0;
      double next = 0;  // the best of the others, or what it was when it was counted
      for (size_t k = 1; k < scores.size(); ++k) {
        next = std::max(next, std::min(scores[k].first, scores[best].first));
        if (scores[k].first > scores[best].first) best = k;
      }
      work_ += scores.size() / 8;
      scores[best].first = score(scores[best].second, plan);
      if (scores[best].first > 0 && scores[best].first < next) continue;
      if (scores[best].first > 0) {
        give_up(plan);
        any = true;
      }
      scores[best] = scores.back();
      scores.pop_back();
    }
    return any;
  }

  // How much is won by giving it up, for what it costs; 0: nothing, or it cannot be.
  double score(size_t v, Plan& plan) {
    const int at = static_cast<int>(at_);
    const std::vector<int>& uses = uses_[v];
    const auto next = std::upper_bound(uses.begin(), uses.end(), at);
    const bool used = next != uses.begin();
    plan = {v, used ? next[-1] : maker(v), *next, {}, {}};
    ++mark_;
    if (!need(maker(v), plan) || plan.kept >= bytes_[v]) return 0;
    const double cost =
        std::max(1.0, plan.cost - (used ? 0 : cost_[static_cast<size_t>(maker(v))]));
    if (spent_ + cost > allowed_) return 0;
    const uint64_t then = live_[static_cast<size_t>(plan.at)] + plan.bytes + plan.passing;
    if (then > target_ && then >= live_[at_]) return 0;
    const double gain = static_cast<double>(bytes_[v] - plan.kept) * (plan.at - plan.before);
    return gain / cost * (then > target_ ? kLast : 1);
  }

  // Has node k computed again at plan.at, unless it is by then.
  bool need(int k, Plan& plan) {
    const auto at = static_cast<size_t>(k);
    if ((clone_[at] >= 0 && clone_[at] <= plan.at) || seen_[at] == mark_) return true;
    seen_[at] = mark_;
    ++work_;
    for (int i : node(k).inputs) {
      if (i < 0 || base_[static_cast<size_t>(i)] < 0) continue;
      const size_t b = base(i);
      const int from = maker(b), again = clone_[static_cast<size_t>(from)];
      if (again >= 0 && again <= plan.at) continue;
      if (!given_up_[b]) {
        if (last(b) >= plan.at) continue;
        const bool gone = last(b) < static_cast<int>(at_);
        if (!gone || bytes_[b] * 8 <= bytes_[plan.value] || !can_repeat(node(from))) {
          if (seen_value_[b] == mark_) continue;
          seen_value_[b] = mark_;
          plan.longer.push_back(b);
          plan.bytes += bytes_[b];
          plan.kept += gone ? bytes_[b] : 0;
          continue;
        }
      }
      if (!need(from, plan)) return false;
    }
    plan.nodes.push_back(k);
    if (clone_[at] < 0) plan.cost += cost_[at];
    for (int o : node(k).outputs) {
      const auto v = static_cast<size_t>(o);
      if (base_[v] < 0 || v == plan.value) continue;
      if (given_up_[v])
        plan.bytes += bytes_[v];
      else if (last(v) < plan.at)
        plan.passing = std::max(plan.passing, bytes_[v]);
    }
    return plan.nodes.size() < kMostChain;
  }

  void change(int begin, int end, uint64_t bytes) {
    for (int k = begin; k < end; ++k) live_[static_cast<size_t>(k)] += bytes;
    work_ += static_cast<size_t>(std::max(0, end - begin)) / 16;
  }

  void give_up(const Plan& plan) {
    spent_ += plan.cost;
    for (size_t b : plan.longer) {
      change(last(b) + 1, plan.at + 1, bytes_[b]);
      use(b, plan.at);
    }
    for (int k : plan.nodes) {
      int& again = clone_[static_cast<size_t>(k)];
      for (int o : node(k).outputs)
        if (given_up_[static_cast<size_t>(o)])
          change(plan.at, again, bytes_[static_cast<size_t>(o)]);
      again = plan.at;
      for (int i : node(k).inputs)
        if (i >= 0 && base_[static_cast<size_t>(i)] >= 0) use(base(i), plan.at);
    }
    given_up_[plan.value] = true;
    change(plan.before + 1, clone_[static_cast<size_t>(maker(plan.value))], -bytes_[plan.value]);
  }

  // ---- the graph with it

  struct Made {
    int from;  // node
    bool again;
    std::vector<int> inputs, outputs;
  };

  size_t rebuild() {
    const size_t n = g_.nodes.size();
    with_ = same_values(g_);
    std::vector<std::vector<int>> pending(n);
    size_t clones = 0;
    for (size_t k = 0; k < n; ++k)
      if (clone_[k] >= 0) {
        pending[static_cast<size_t>(clone_[k])].push_back(static_cast<int>(k));
        ++clones;
      }
    made_.clear();
    for (size_t k = 0; k < n; ++k) {
      for (int c : pending[k]) repeat(c, static_cast<int>(k));
      const GraphNode& x = g_.nodes[k];
      std::vector<int> inputs;
      for (int i : x.inputs) inputs.push_back(is_view(x) ? i : seen_at(i, static_cast<int>(k)));
      made_.push_back({static_cast<int>(k), false, std::move(inputs), x.outputs});
    }
    std::vector<GraphNode> nodes;
    nodes.reserve(made_.size());
    for (const Made& m : made_) {
      if (!m.again) {
        nodes.emplace_back();  // the node itself, once all its copies are made
        continue;
      }
      const GraphNode& x = node(m.from);
      GraphNode& copy = nodes.emplace_back();
      copy.op = x.op;
      copy.attrs = complete_attrs(*x.op, x.attrs.data(), x.attrs.size());
      copy.inferred = x.inferred;
    }
    for (size_t k = 0; k < made_.size(); ++k) {
      Made& m = made_[k];
      if (!m.again) nodes[k] = std::move(g_.nodes[static_cast<size_t>(m.from)]);
      nodes[k].inputs = std::move(m.inputs);
      nodes[k].outputs = std::move(m.outputs);
    }
    g_.nodes = std::move(nodes);
    return clones;
  }

  // Node k once more, before node `at`.
  void repeat(int k, int at) {
    Made m{k, true, {}, {}};
    for (int i : node(k).inputs) m.inputs.push_back(seen_at(i, at));
    for (int o : node(k).outputs) {
      const GraphValue like = value_of(g_, o);
      m.outputs.push_back(static_cast<int>(g_.values.size()));
      g_.values.push_back(like);
      with_[static_cast<size_t>(o)] = m.outputs.back();
    }
    made_.push_back(std::move(m));
  }

  // What stands for a value there.
  int seen_at(int v, int at) {
    if (v < 0 || base_[static_cast<size_t>(v)] < 0) return v;
    const auto b = base(v);
    const int again = clone_[static_cast<size_t>(maker(b))];
    if (again < 0 || again > at) return v;
    int& with = with_[static_cast<size_t>(v)];
    if (with == v) repeat(maker(static_cast<size_t>(v)), at);  // a view, of the copy
    return with_[static_cast<size_t>(v)];
  }

  Graph& g_;
  const PassContext& c_;
  const uint64_t target_;
  // By value: what it is a view of, or itself; -1: takes no place between nodes.
  std::vector<int> base_;
  std::vector<uint64_t> bytes_;
  std::vector<std::vector<int>> uses_;  // by base: nodes, ascending
  std::vector<bool> given_up_;
  std::vector<size_t> seen_value_;
  // By node: where it is computed again, -1: nowhere; what that costs.
  std::vector<int> clone_;
  std::vector<size_t> seen_;
  std::vector<double> cost_;
  std::vector<uint64_t> live_;  // bytes at each node
  size_t at_ = 0;               // where that is most
  size_t mark_ = 0, work_ = 0;
  std::vector<double> known_;  // by value: cost of what makes it
  double total_cost_ = 0, spent_ = 0, allowed_ = 0;
  std::vector<Made> made_;
  std::vector<int> with_;
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
