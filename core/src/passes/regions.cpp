// Regions: elementwise nodes over the same dims that feed each other, or share an input, become one node of the op "region".
//
// Every value gets a stage: a node outside all groups has the greatest stage of its inputs, and what leaves a group counts one
// more than the group's own. A node joins a group of stage s if all its other inputs are there at stage s. So groups depend only on
// groups of lower stages, and any two of one stage may become one: no circles. A group that no node outside uses yet may still be put
// off to a later stage. One walk over the nodes.
//
// Then what only a later group reads is computed there, where that keeps less: of y = tanh(x) the backward pass gets y, which is kept
// anyway, and not 1 - y * y beside it.
//
// Then reductions of what a group computes join it, those over the same axes, where the device takes the region with them: nobody else
// gives them anything, so that this closes no circle either. Of reductions over several axes those join that save most.
#include <algorithm>
#include <map>
#include <queue>

#include "base/error.hpp"
#include "base/heap_sort.hpp"
#include "op/runtime.hpp"
#include "op/select.hpp"
#include "pass.hpp"
#include "tenon/plugin/region.h"

namespace tenon {
namespace {

constexpr size_t kMostInstructions = 96, kMostInputs = 24, kMostOutputs = 16, kMostFolds = 4;

// What the device takes in a region, asked with regions of one instruction.
class Takes {
 public:
  explicit Takes(const PassContext& c) : c_(c), region_(c.runtime->ops.get(TN_OP_REGION)) {}
  const OpEntry& region() const { return region_; }
  bool at_all() const { return device_has_kernel(c_.device, region_.slot); }

  bool operator()(tn_op op, const std::vector<tn_dtype>& operands, tn_dtype result) {
    const auto [at, fresh] = known_.emplace(Key{op, operands, result}, false);
    if (!fresh) return at->second;
    std::vector<int64_t> code = {TN_REGION_VERSION, 1, static_cast<int64_t>(operands.size()),
                                 word(op, result)};
    for (size_t i = 0; i < 3; ++i)
      code.push_back(i < operands.size() ? static_cast<int64_t>(i) : -1);
    Shape shape;
    shape.rank = 1;
    shape.dims[0] = 4;
    shape.set_dense();
    std::vector<Shape> inputs(operands.size(), shape), outputs(1, shape);
    for (size_t i = 0; i < operands.size(); ++i) inputs[i].dtype = operands[i];
    outputs[0].dtype = result;
    return at->second = ask(attrs(region_, code), inputs, outputs);
  }
  // Whole regions, of operands as kernels see them.
  bool operator()(const Graph& g, const GraphNode& n) {
    std::vector<const Shape*> all;
    for (int i : n.inputs) all.push_back(&value_of(g, i).shape);
    const Shape joint = joint_dims(all);
    std::vector<Shape> inputs, outputs;
    for (const Shape* from : all) {
      Shape own = *from, to = joint;
      own.set_dense();
      to.dtype = own.dtype;
      for (int k = 0; k < to.rank; ++k) {
        const int a = k - (to.rank - own.rank);
        to.strides[k] = a < 0 || own.dims[a] == 1 ? 0 : own.strides[a];
      }
      inputs.push_back(to);
    }
    for (int o : n.outputs) outputs.push_back(value_of(g, o).shape);
    return ask(n.attrs, inputs, outputs);
  }
  static int64_t word(tn_op op, tn_dtype dtype) {
    return static_cast<int64_t>(op | static_cast<uint64_t>(dtype) << 32);
  }
  static Attrs attrs(const OpEntry& region, const std::vector<int64_t>& code) {
    const tn_attr a = tn_attr_i64s(TN_REGION_CODE, code.data(), static_cast<uint32_t>(code.size()));
    return complete_attrs(region, &a, 1);
  }

 private:
  using Key = std::tuple<tn_op, std::vector<tn_dtype>, tn_dtype>;

  bool ask(const Attrs& given, const std::vector<Shape>& inputs,
           const std::vector<Shape>& outputs) {
    std::vector<tn_view> views;
    views.reserve(inputs.size() + outputs.size());
    Signature s;
    s.op = &region_;
    s.attrs = &given;
    s.modes = c_.modes;
    s.queue = c_.queue;
    for (const Shape& x : inputs) s.inputs.push_back(&views.emplace_back(view_of(x)));
    for (const Shape& y : outputs) s.outputs.push_back(&views.emplace_back(view_of(y)));
    PlanEntry* plan = select_kernel(*c_.device, s, nullptr);
    if (!plan) return false;
    plan_release(plan);
    return true;
  }

  const PassContext& c_;
  const OpEntry& region_;
  std::map<Key, bool> known_;
};

struct Group {
  int stage = 0;
  bool pinned = false;  // a node outside uses one of its values
  Shape dims;
  std::vector<int> nodes;
  std::vector<int> folds;  // reductions of what it computes
};

// The axes that a reduction folds, a bit each, of an operand of that rank; 0: it is none that a region may have.
uint32_t folded_axes(const GraphNode& n, int rank) {
  if (!tn_region_folds(n.op->id)) return 0;
  const tn_attr& list = n.attrs.items[TN_SUM_AXES];
  uint32_t axes = list.bits ? 0 : (1u << rank) - 1;
  for (uint64_t k = 0; k < list.bits; ++k) {
    const int64_t a = static_cast<const int64_t*>(list.data)[k];
    axes |= 1u << (a < 0 ? a + rank : a);
  }
  return axes;
}

class Regions {
 public:
  Regions(Graph& graph, const PassContext& c) : g_(graph), takes_(c) {}

  size_t run() {
    if (!takes_.at_all()) return 0;
    group_of_.assign(g_.nodes.size(), -1);
    stage_.assign(g_.values.size(), 0);
    for (size_t k = 0; k < g_.nodes.size(); ++k) place(static_cast<int>(k));
    find_users();
    put_off();
    for (size_t k = 0; k < g_.nodes.size(); ++k) {
      const GraphNode& n = g_.nodes[k];
      const int of = n.inputs.empty() ? -1 : n.inputs[0];
      if (of >= 0 && group(of) >= 0 && value(of).shape.count() > 0 &&
          holds(value(n.outputs[0]).shape.dtype) && folded_axes(n, value(of).shape.rank))
        groups_[static_cast<size_t>(group(of))].folds.push_back(static_cast<int>(k));
    }
    return replace();
  }

  std::optional<GraphNode> one(int node) {
    const GraphNode& n = g_.nodes[static_cast<size_t>(node)];
    if (!takes_.at_all() || !fusable(n)) return {};
    return region_of({node});
  }

 private:
  const GraphValue& value(int v) const { return value_of(g_, v); }
  int group(int v) const {
    const int node = value(v).node;
    return node < 0 ? -1 : group_of_[static_cast<size_t>(node)];
  }
  int stage(int v) const {
    return group(v) < 0 ? stage_[static_cast<size_t>(v)]
                        : groups_[static_cast<size_t>(group(v))].stage;
  }
  int needs(int v) const { return stage(v) + (group(v) >= 0); }

  // The dtype in which a node sees its operand k.
  static tn_dtype operand_dtype(tn_region_class kind, size_t k, tn_dtype result, tn_dtype common) {
    return kind == TN_REGION_SELECT && k == 0 ? TN_DTYPE_BOOL
           : kind == TN_REGION_COMPARE        ? common
                                              : result;
  }
  static bool holds(tn_dtype dtype) {
    const Kind k = dtype_kind(dtype);
    return k != Kind::kNone && k != Kind::kComplex && k != Kind::kStorage;
  }
  // What a region has for a constant operand: its element in the dtype that the op computes in.
  bool element(const GraphValue& c, tn_dtype dtype, int64_t* bits) const {
    if (!holds(c.shape.dtype) || !holds(dtype)) return false;
    uint64_t to[2] = {0, 0};
    if (is_floating(c.shape.dtype)) {
      element_from_f64(to, dtype, element_to_f64(c.bits, c.shape.dtype));
    } else {
      const int64_t i = element_to_i64(c.bits, c.shape.dtype);
      if (i > (int64_t{1} << 53) || i < -(int64_t{1} << 53)) return false;
      element_from_i64(to, dtype, i);
    }
    *bits = static_cast<int64_t>(to[0]);
    return true;
  }

  bool fusable(const GraphNode& n) {
    uint32_t operands = 0;
    const tn_region_class kind = tn_region_class_of(n.op->id, &operands);
    if (kind == TN_REGION_NONE || n.inputs.size() != operands) return false;
    const tn_dtype result = value(n.outputs[0]).shape.dtype;
    if (kind != TN_REGION_CAST)
      for (uint32_t k = 0; k < n.attrs.size(); ++k) {
        const tn_attr &a = n.attrs.items[k], &d = n.op->def.attrs[k].fallback;
        const uint64_t bytes = attr_bytes(a);
        if (a.bits != d.bits || (bytes && std::memcmp(a.data, d.data, bytes) != 0)) return false;
      }
    tn_dtype common = TN_DTYPE_NONE;
    bool tensor = false;
    for (int i : n.inputs) {
      if (i < 0 || (value(i).weak && !value(i).constant)) return false;
      tensor |= !value(i).constant;
      if (!value(i).weak) common = value(i).shape.dtype;
    }
    if (!tensor || !holds(result)) return false;
    std::vector<tn_dtype> types;
    for (size_t k = 0; k < operands; ++k) {
      const GraphValue& v = value(n.inputs[k]);
      const tn_dtype want =
          kind == TN_REGION_CAST ? v.shape.dtype : operand_dtype(kind, k, result, common);
      int64_t bits = 0;
      if (v.constant ? !element(v, want, &bits) : v.shape.dtype != want || !holds(want))
        return false;
      // A scalar of a higher kind than the tensor would have raised the dtype.
      if (v.weak && kind != TN_REGION_CAST && promote(want, false, v.shape.dtype, true) != want)
        return false;
      types.push_back(want);
    }
    return takes_(n.op->id, types, result);
  }

  void place(int k) {
    const GraphNode& n = g_.nodes[static_cast<size_t>(k)];
    int at = 0, to = -1;
    if (fusable(n)) {
      to = group_of_[static_cast<size_t>(k)] = join(n);
      groups_[static_cast<size_t>(to)].nodes.push_back(k);
    }
    for (int i : n.inputs) {
      if (i < 0) continue;
      at = std::max(at, needs(i));
      if (group(i) >= 0 && group(i) != to) groups_[static_cast<size_t>(group(i))].pinned = true;
    }
    for (int o : n.outputs) stage_[static_cast<size_t>(o)] = at;
  }

  // The group for a node. Groups of its inputs take part if they are of its stage; those that nobody outside uses yet can be put off
  // until then.
  int join(const GraphNode& n) {
    const Shape& dims = value(n.outputs[0]).shape;
    std::vector<int> parts;
    int at = 0;
    for (int i : n.inputs) {
      const int g = group(i);
      const bool near = g >= 0 && same_dims(groups_[static_cast<size_t>(g)].dims, dims);
      if (near && std::find(parts.begin(), parts.end(), g) == parts.end()) parts.push_back(g);
      if (i >= 0) at = std::max(at, near ? stage(i) : needs(i));
    }
    size_t size = 1;
    std::erase_if(parts, [&](int g) {
      const Group& part = groups_[static_cast<size_t>(g)];
      const bool apart = part.pinned && part.stage < at;
      if (!apart) size += part.nodes.size();
      return apart;
    });
    if (size > kMostInstructions) {
      for (int i : n.inputs)
        if (i >= 0) at = std::max(at, needs(i));
      parts.clear();
    }
    const int into = parts.empty() ? beside(n, at, dims) : parts[0];
    groups_[static_cast<size_t>(into)].stage = at;
    for (size_t p = 1; p < parts.size(); ++p) merge(parts[p], into);
    note(n, into);
    return into;
  }

  // A group of that stage that reads one of the node's inputs, or else a new one.
  int beside(const GraphNode& n, int stage, const Shape& dims) {
    for (int i : n.inputs) {
      const auto it = readers_.find({i, stage});
      if (it == readers_.end()) continue;
      int g = it->second;
      while (merged_into_[static_cast<size_t>(g)] >= 0) g = merged_into_[static_cast<size_t>(g)];
      const Group& found = groups_[static_cast<size_t>(g)];
      if (found.stage == stage && same_dims(found.dims, dims) &&
          found.nodes.size() < kMostInstructions)
        return g;
    }
    groups_.push_back({stage, false, dims, {}, {}});
    merged_into_.push_back(-1);
    return static_cast<int>(groups_.size()) - 1;
  }
  void note(const GraphNode& n, int g) {
    for (int i : n.inputs)
      if (!value(i).constant) readers_[{i, groups_[static_cast<size_t>(g)].stage}] = g;
  }
  void merge(int from, int into) {
    for (int k : groups_[static_cast<size_t>(from)].nodes) {
      group_of_[static_cast<size_t>(k)] = into;
      groups_[static_cast<size_t>(into)].nodes.push_back(k);
    }
    groups_[static_cast<size_t>(from)].nodes.clear();
    groups_[static_cast<size_t>(into)].pinned |= groups_[static_cast<size_t>(from)].pinned;
    merged_into_[static_cast<size_t>(from)] = into;
  }

  // ---- what is computed later

  // Nodes, ascending; -1: a result.
  std::span<const int> users(int v) const {
    const auto at = static_cast<size_t>(v);
    return {users_.data() + first_user_[at], users_.data() + first_user_[at + 1]};
  }
  void find_users() {
    const auto each = [&](auto f) {
      for (int r : g_.results)
        if (r >= 0) f(static_cast<size_t>(r), -1);
      for (size_t k = 0; k < g_.nodes.size(); ++k)
        for (int i : g_.nodes[k].inputs)
          if (i >= 0) f(static_cast<size_t>(i), static_cast<int>(k));
    };
    first_user_.assign(g_.values.size() + 1, 0);
    each([&](size_t v, int) { ++first_user_[v + 1]; });
    for (size_t v = 0; v + 1 < first_user_.size(); ++v) first_user_[v + 1] += first_user_[v];
    users_.resize(first_user_.back());
    std::vector<uint32_t> next = first_user_;
    each([&](size_t v, int user) { users_[next[v]++] = user; });
  }
  // About where a node will run.
  int place_of(int node) const {
    const int g = group_of_[static_cast<size_t>(node)];
    return g < 0 ? node : place_[static_cast<size_t>(g)];
  }
  // The one group of all that use v; -1: several, or none.
  int reader(int v) const {
    int found = -1;
    for (int user : users(v)) {
      const int g = user < 0 ? -1 : group_of_[static_cast<size_t>(user)];
      if (g < 0 || (found >= 0 && g != found)) return -1;
      found = g;
    }
    return found;
  }

  void put_off() {
    for (const Group& g : groups_) {
      int place = INT32_MAX;
      for (int k : g.nodes)
        for (int user : users(g_.nodes[static_cast<size_t>(k)].outputs[0]))
          if (user >= 0 &&
              group_of_[static_cast<size_t>(user)] != group_of_[static_cast<size_t>(k)])
            place = std::min(place, user);
      place_.push_back(place);
    }
    for (auto k = static_cast<int>(g_.nodes.size()) - 1; k >= 0; --k) {
      const int from = group_of_[static_cast<size_t>(k)];
      const int to = from < 0 ? -1 : reader(g_.nodes[static_cast<size_t>(k)].outputs[0]);
      if (to >= 0 && to != from) put_off(k, from, to);
    }
  }
  // The node, and those of its group that nothing else needs.
  void put_off(int node, int from, int to) {
    std::vector<int>& source = groups_[static_cast<size_t>(from)].nodes;
    std::vector<int>& target = groups_[static_cast<size_t>(to)].nodes;
    if (!same_dims(groups_[static_cast<size_t>(from)].dims, groups_[static_cast<size_t>(to)].dims))
      return;
    std::vector<int> moved = {node};
    for (size_t m = 0; m < moved.size(); ++m) {
      group_of_[static_cast<size_t>(moved[m])] = to;
      for (int i : g_.nodes[static_cast<size_t>(moved[m])].inputs)
        if (group(i) == from && reader(i) == to) moved.push_back(value(i).node);
    }
    const bool put =
        target.size() + moved.size() <= kMostInstructions && keeps_less(moved, from, to);
    for (int m : moved) {
      if (!put)
        group_of_[static_cast<size_t>(m)] = from;
      else if (std::erase(source, m))
        target.push_back(m);
    }
  }
  // By bytes and the time that they are kept: what the first of them gives no longer, what all read until group `to` runs. Nor may more
  // be read there than was written and read: of relu the mask of bytes stays.
  bool keeps_less(const std::vector<int>& moved, int from, int to) const {
    const int later = place_[static_cast<size_t>(to)];
    const auto bits = [&](int v) {
      return static_cast<double>(value(v).shape.count()) * TN_DTYPE_BITS(value(v).shape.dtype);
    };
    double more = 0, reads = 0;
    int before = -1;
    for (int m : moved)
      for (int i : g_.nodes[static_cast<size_t>(m)].inputs) {
        const int made = value(i).node;
        if (made < 0 || i == before || group_of_[static_cast<size_t>(made)] == to) continue;
        before = i;
        int last = place_[static_cast<size_t>(from)];
        for (int user : users(i))
          if (user < 0)
            last = later;
          else if (group_of_[static_cast<size_t>(user)] != to)
            last = std::max(last, place_of(user));
        more += bits(i) * std::max(later - last, 0);
        reads += bits(i);
      }
    const double given = bits(g_.nodes[static_cast<size_t>(moved[0])].outputs[0]);
    return reads <= 2 * given && more <= given * (later - place_[static_cast<size_t>(from)]);
  }

  // ---- from groups to nodes

  // The nodes, ascending, as one; empty: too many inputs or outputs.
  std::optional<GraphNode> region_of(const std::vector<int>& nodes) const {
    GraphNode out;
    out.op = &takes_.region();
    std::map<int, int64_t> number;  // of a value in the region
    std::vector<const GraphNode*> members;
    for (int k : nodes) members.push_back(&g_.nodes[static_cast<size_t>(k)]);
    const auto is_member = [&](int v) {
      return std::binary_search(nodes.begin(), nodes.end(), value(v).node);
    };
    for (const GraphNode* n : members)
      for (int i : n->inputs)
        if (!value(i).constant && !is_member(i) &&
            number.emplace(i, static_cast<int64_t>(out.inputs.size())).second)
          out.inputs.push_back(i);
    for (const GraphNode* n : members)
      if (used_outside(n->outputs[0], nodes)) out.outputs.push_back(n->outputs[0]);
    if (out.inputs.size() > kMostInputs || out.outputs.size() > kMostOutputs) return {};
    std::vector<int64_t> code;
    auto next = static_cast<int64_t>(out.inputs.size());
    int64_t version = TN_REGION_VERSION;
    for (const GraphNode* n : members) {
      uint32_t operands = 0;
      const tn_region_class kind = tn_region_class_of(n->op->id, &operands);
      const tn_dtype result = value(n->outputs[0]).shape.dtype;
      if (kind == TN_REGION_NONE) {
        const Shape& of = value(n->inputs[0]).shape;
        int64_t from = number.at(n->inputs[0]);
        if (of.dtype != result) {  // the rule of sums asks for it
          code.insert(code.end(), {Takes::word(TN_OP_CAST, result), from, -1, -1});
          from = next++;
        }
        code.insert(code.end(), {Takes::word(n->op->id, result), from, folded_axes(*n, of.rank),
                                 static_cast<int64_t>(n->attrs.items[TN_SUM_KEEPDIMS].bits)});
        number[n->outputs[0]] = next++;
        version = TN_REGION_VERSION_FOLDS;
        continue;
      }
      tn_dtype common = TN_DTYPE_NONE;
      for (int i : n->inputs)
        if (!value(i).weak) common = value(i).shape.dtype;
      int64_t args[3] = {-1, -1, -1};
      for (size_t k = 0; k < operands; ++k) {
        const GraphValue& v = value(n->inputs[k]);
        if (!v.constant) {
          args[k] = number.at(n->inputs[k]);
          continue;
        }
        const tn_dtype want =
            kind == TN_REGION_CAST ? v.shape.dtype : operand_dtype(kind, k, result, common);
        int64_t bits = 0;
        element(v, want, &bits);
        code.insert(code.end(), {Takes::word(TN_REGION_CONSTANT, want), bits, -1, -1});
        args[k] = next++;
      }
      code.insert(code.end(), {Takes::word(n->op->id, result), args[0], args[1], args[2]});
      number[n->outputs[0]] = next++;
    }
    std::vector<int64_t> head = {version, static_cast<int64_t>(out.outputs.size())};
    for (int o : out.outputs) head.push_back(number.at(o));
    head.insert(head.end(), code.begin(), code.end());
    out.attrs = Takes::attrs(takes_.region(), head);
    out.live = true;
    return out;
  }

  bool used_outside(int v, const std::vector<int>& members) const {
    if (first_user_.empty()) return true;  // of a node alone
    const auto all = users(v);
    return std::any_of(all.begin(), all.end(), [&](int user) {
      return !std::binary_search(members.begin(), members.end(), user);
    });
  }

  // What a reduction saves with its group: its operand is not read, and not written where nobody else needs it.
  int saved(int fold, const std::vector<int>& members) const {
    std::vector<int> inside = members;
    inside.push_back(fold);
    heap_sort(inside);
    return used_outside(g_.nodes[static_cast<size_t>(fold)].inputs[0], inside) ? 1 : 2;
  }

  // The group with reductions that the device takes with it, all over the same axes.
  void emit_with(const Group& g) {
    int saves[1 << TN_MAX_RANK] = {};
    uint32_t axes = 0;
    const auto axes_of = [&](int k) {
      return folded_axes(g_.nodes[static_cast<size_t>(k)], g.dims.rank);
    };
    for (int k : g.folds) {
      const uint32_t own = axes_of(k);
      saves[own] += saved(k, g.nodes);
      if (saves[own] > saves[axes]) axes = own;
    }
    std::vector<int> folds;
    for (int k : g.folds)
      if (axes_of(k) == axes && folds.size() < kMostFolds) folds.push_back(k);
    std::optional<GraphNode> made;
    for (; !folds.empty(); folds.pop_back()) {
      std::vector<int> nodes = g.nodes;
      nodes.insert(nodes.end(), folds.begin(), folds.end());
      heap_sort(nodes);
      made = region_of(nodes);
      if (made && takes_(g_, *made)) break;
    }
    for (int k : g.folds)
      if (std::find(folds.begin(), folds.end(), k) == folds.end()) single_.push_back(k);
    if (folds.empty()) return emit(g.nodes);
    regions_.emplace_back(g.nodes.back(), std::move(*made));
  }

  // A group too wide for one region is cut: what comes first does not depend on the rest.
  void emit(std::vector<int> nodes) {
    if (nodes.size() < 2) {
      for (int k : nodes) single_.push_back(k);
      return;
    }
    if (std::optional<GraphNode> made = region_of(nodes)) {
      regions_.emplace_back(nodes.back(), std::move(*made));
      return;
    }
    const auto half = nodes.begin() + static_cast<long>(nodes.size() / 2);
    emit({nodes.begin(), half});
    emit({half, nodes.end()});
  }

  size_t replace() {
    std::vector<bool> waits(g_.nodes.size());  // for its group
    for (Group& g : groups_) {
      heap_sort(g.nodes);
      for (int k : g.folds) waits[static_cast<size_t>(k)] = true;
      if (g.folds.empty()) {
        emit(g.nodes);
      } else {
        emit_with(g);
      }
    }
    for (size_t k = 0; k < g_.nodes.size(); ++k)
      if (group_of_[k] < 0 && !waits[k]) single_.push_back(static_cast<int>(k));
    if (regions_.empty()) return 0;
    const size_t formed = regions_.size();
    for (int k : single_) regions_.emplace_back(k, std::move(g_.nodes[static_cast<size_t>(k)]));
    in_order();
    return formed;
  }

  // Nodes in an order in which they can run, each about where its last part was.
  void in_order() {
    std::vector<int> from(g_.values.size(), -1), waits(regions_.size());
    for (size_t u = 0; u < regions_.size(); ++u)
      for (int o : regions_[u].second.outputs) from[static_cast<size_t>(o)] = static_cast<int>(u);
    std::vector<std::vector<int>> next(regions_.size());
    for (size_t u = 0; u < regions_.size(); ++u)
      for (int i : regions_[u].second.inputs) {
        if (i < 0 || from[static_cast<size_t>(i)] < 0) continue;
        next[static_cast<size_t>(from[static_cast<size_t>(i)])].push_back(static_cast<int>(u));
        ++waits[u];
      }
    using Ready = std::pair<int, int>;  // place, unit
    std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
    for (size_t u = 0; u < regions_.size(); ++u)
      if (!waits[u]) ready.emplace(regions_[u].first, static_cast<int>(u));
    std::vector<GraphNode> nodes;
    while (!ready.empty()) {
      const auto u = static_cast<size_t>(ready.top().second);
      ready.pop();
      for (int o : regions_[u].second.outputs)
        g_.values[static_cast<size_t>(o)].node = static_cast<int>(nodes.size());
      nodes.push_back(std::move(regions_[u].second));
      for (int v : next[u])
        if (--waits[static_cast<size_t>(v)] == 0)
          ready.emplace(regions_[static_cast<size_t>(v)].first, v);
    }
    if (nodes.size() != regions_.size()) fail(TN_INTERNAL, "regions wait for each other");
    g_.nodes = std::move(nodes);
  }

  Graph& g_;
  Takes takes_;
  std::vector<Group> groups_;
  std::vector<int> merged_into_;
  std::vector<int> group_of_, stage_;           // of nodes; of values
  std::vector<int> place_;                      // of groups: before what needs them
  std::map<std::pair<int, int>, int> readers_;  // {input, stage} -> group
  std::vector<int> users_;                      // of all values, one after another
  std::vector<uint32_t> first_user_;            // of each value
  std::vector<int> single_;
  std::vector<std::pair<int, GraphNode>> regions_;  // place in the order before, node
};

}  // namespace

size_t form_regions(Graph& graph, const PassContext& c) { return Regions(graph, c).run(); }

std::optional<GraphNode> region_of_one(Graph& graph, const PassContext& c, int node) {
  return Regions(graph, c).one(node);
}

}  // namespace tenon
