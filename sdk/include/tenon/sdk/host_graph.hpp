// A graph run node by node in host memory, with kernels whose runs take addresses: what a compiler may fall back on, and a yardstick for
// what it makes.
#ifndef TENON_SDK_HOST_GRAPH_HPP_
#define TENON_SDK_HOST_GRAPH_HPP_
#include <tenon/plugin/ops.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph.hpp"
#include "kernels.hpp"

namespace tenon::sdk {

// Made once, then run any number of times, by several threads at once if the kernels are re-entrant. Holds a copy of the blob.
class HostGraph {
 public:
  // kernels: candidates; of several for one op the first that takes the signature. Throws UNIMPLEMENTED naming the op that none takes.
  HostGraph(const Graph& graph, uint32_t flags, Device& device, std::span<const tn_kernel> kernels)
      : host_(device.host), blob_((graph.bytes().size() + 7) / 8) {
    std::memcpy(blob_.data(), graph.bytes().data(), graph.bytes().size());
    place();
    for (const tn_graph_node& n : this->graph().nodes()) prepare(n, flags, device, kernels);
  }
  HostGraph(const HostGraph&) = delete;
  HostGraph& operator=(const HostGraph&) = delete;

  Graph graph() const { return {blob_.data(), tn_graph_of(blob_.data())->bytes}; }
  // Whether a value can be held: of whole bytes.
  static bool holds(const tn_graph_value& v) { return is_movable(v.dtype); }

  // inputs: where the elements of each lie, dense; results: where they go, dense. Results are written when everything has been read.
  void run(std::span<const void* const> inputs, std::span<void* const> results) const {
    const Graph g = graph();
    std::vector<std::byte> memory(static_cast<size_t>(memory_bytes_) + kAlign);
    std::byte* base = memory.data() + kAlign - reinterpret_cast<uintptr_t>(memory.data()) % kAlign;
    std::vector<uint64_t> at(g.values().size());
    for (size_t v = 0; v < at.size(); ++v) {
      at[v] = reinterpret_cast<uintptr_t>(base) + offsets_[v];
      const tn_graph_value& value = g.values()[v];
      if (Graph::is_constant(value))
        std::memcpy(base + offsets_[v], value.bits, tn_dtype_bytes(value.dtype, 1));
    }
    for (size_t k = 0; k < inputs.size(); ++k)
      at[static_cast<size_t>(g.inputs()[k])] = reinterpret_cast<uintptr_t>(inputs[k]);
    for (const Step& s : steps_) run(s, at, reinterpret_cast<uintptr_t>(base));
    for (size_t k = 0; k < results.size(); ++k) {
      const auto v = static_cast<size_t>(g.results()[k].value);
      if (const uint64_t size = bytes_of(g.values()[v]))
        std::memcpy(results[k], reinterpret_cast<const void*>(at[v]), size);
    }
  }

 private:
  static constexpr uint64_t kAlign = 64;
  static constexpr uint64_t kMost = uint64_t{1} << 48;  // bytes
  struct Plan : tn_plan {
    Plan() : tn_plan{} { struct_size = sizeof(tn_plan); }
    Plan(Plan&& o) noexcept : tn_plan(std::exchange(static_cast<tn_plan&>(o), tn_plan{})) {}
    Plan& operator=(Plan&& o) noexcept {
      std::swap(static_cast<tn_plan&>(*this), static_cast<tn_plan&>(o));
      return *this;
    }
    ~Plan() {
      if (release) release(data);
    }
  };
  struct Step {
    const tn_graph_node* node;
    Plan plan;                    // without a run: each output is a view of an operand
    std::vector<tn_view> views;   // inputs, outputs, workspace
    std::vector<int32_t> values;  // of each; -1: absent
    std::vector<std::array<int64_t, TN_MAX_RANK>> strides;
    uint64_t workspace = 0;  // offset
    std::vector<tn_attr> attrs;
  };

  static uint64_t bytes_of(const tn_graph_value& v) {
    return tn_dtype_bytes(v.dtype, static_cast<uint64_t>(Graph::count(v)));
  }
  uint64_t room(uint64_t bytes) {
    const uint64_t at = memory_bytes_;
    if (bytes > kMost || at > kMost) fail(TN_OUT_OF_MEMORY, "a graph of more than 2^48 bytes");
    memory_bytes_ += (std::max<uint64_t>(bytes, 1) + kAlign - 1) / kAlign * kAlign;
    return at;
  }
  void place() {
    for (const tn_graph_value& v : graph().values()) {
      if (!holds(v)) fail(TN_UNIMPLEMENTED, "elements smaller than a byte");
      offsets_.push_back(room(bytes_of(v)));
    }
  }

  void prepare(const tn_graph_node& n, uint32_t flags, Device& device,
               std::span<const tn_kernel> kernels) {
    const Graph g = graph();
    Step s;
    s.node = &n;
    s.attrs = g.attrs(n);
    for (const int32_t v : g.inputs(n)) s.values.push_back(v);
    for (const int32_t v : g.outputs(n)) s.values.push_back(v);
    s.strides.resize(s.values.size());
    const auto is_view = [&](int32_t v) { return g.values()[static_cast<size_t>(v)].view_of >= 0; };
    if (std::ranges::all_of(g.outputs(n), is_view)) {
      steps_.push_back(std::move(s));
      return;
    }
    const tn_graph_value& out = g.values()[static_cast<size_t>(g.outputs(n)[0])];
    for (size_t k = 0; k < s.values.size(); ++k)
      s.views.push_back(view(s.values[k],
                             k < n.n_inputs && (n.flags & TN_OP_ELEMENTWISE) ? &out : nullptr,
                             s.strides[k]));
    std::vector<const tn_view*> pointers;
    for (const tn_view& v : s.views) pointers.push_back(&v);
    tn_signature signature{};
    signature.struct_size = sizeof signature;
    check(host_, host_.raw()->find_op(host_.raw(), str(g.op(n)), n.since, &signature.op));
    signature.n_inputs = n.n_inputs;
    signature.n_outputs = n.n_outputs;
    signature.n_attrs = n.n_attrs;
    signature.flags = flags;
    signature.inputs = pointers.data();
    signature.outputs = pointers.data() + n.n_inputs;
    signature.attrs = s.attrs.data();
    std::string why = "no kernel";
    for (const tn_kernel& k : kernels) {
      if (view_of(k.op) != g.op(n)) continue;
      s.plan = Plan();
      check(host_, k.prepare(&device, &signature, &s.plan));
      if (s.plan.declined.size == 0) break;
      why = view_of(s.plan.declined);
      s.plan = Plan();
    }
    if (!s.plan.run) fail(TN_UNIMPLEMENTED, g.op(n), ": ", why);
    if (s.plan.workspace_bytes) s.workspace = room(s.plan.workspace_bytes);
    steps_.push_back(std::move(s));
  }

  // As kernels see a value; like: the dims that it is broadcast to.
  tn_view view(int32_t v, const tn_graph_value* like,
               std::array<int64_t, TN_MAX_RANK>& strides) const {
    tn_view out{};
    if (v < 0) {
      out.flags = TN_VIEW_ABSENT;
      return out;
    }
    const tn_graph_value& value = graph().values()[static_cast<size_t>(v)];
    const tn_graph_value& shown = like ? *like : value;
    const auto dense = dense_strides({value.dims, value.rank});
    const uint32_t lead = shown.rank - value.rank;
    for (uint32_t k = 0; k < shown.rank; ++k)
      strides[k] =
          k < lead || (value.dims[k - lead] == 1 && shown.dims[k] != 1) ? 0 : dense[k - lead];
    out.dtype = value.dtype;
    out.rank = static_cast<decltype(out.rank)>(shown.rank);
    out.count = Graph::count(shown);
    out.dims = shown.dims;
    out.strides = strides.data();
    if (out.count == Graph::count(value)) out.flags = TN_VIEW_CONTIGUOUS;
    return out;
  }

  void run(const Step& s, const std::vector<uint64_t>& at, uint64_t base) const {
    if (!s.plan.run) return look(s, at);
    std::vector<tn_view> views = s.views;
    for (size_t k = 0; k < views.size(); ++k) {
      if (s.values[k] < 0) continue;
      views[k].strides = s.strides[k].data();
      views[k].mem = at[static_cast<size_t>(s.values[k])];
    }
    const auto room = static_cast<int64_t>(s.plan.workspace_bytes), one = int64_t{1};
    if (room) {
      tn_view& w = views.emplace_back();
      w = {};
      w.mem = base + s.workspace;
      w.dtype = TN_DTYPE_U8;
      w.rank = 1;
      w.flags = TN_VIEW_CONTIGUOUS;
      w.count = room;
      w.dims = &room;
      w.strides = &one;
    }
    std::vector<const tn_view*> pointers;
    for (const tn_view& v : views) pointers.push_back(&v);
    check(host_, s.plan.run(s.plan.data, nullptr, pointers.data()));
  }

  // The elements of views, made dense.
  void look(const Step& s, const std::vector<uint64_t>& at) const {
    const Graph g = graph();
    for (const int32_t o : g.outputs(*s.node)) {
      const tn_graph_value& v = g.values()[static_cast<size_t>(o)];
      const auto dense = dense_strides({v.dims, v.rank});
      const auto size = static_cast<int64_t>(tn_dtype_bytes(v.dtype, 1));
      auto* to = reinterpret_cast<std::byte*>(at[static_cast<size_t>(o)]);
      const auto* from = reinterpret_cast<const std::byte*>(at[static_cast<size_t>(v.view_of)]) +
                         v.view_offset * size;
      if (Graph::count(v) == 0) continue;
      for_each(coalesce<2>({v.dims, v.rank}, {dense.data(), v.strides}), [&](int64_t t, int64_t f) {
        std::memcpy(to + t * size, from + f * size, static_cast<size_t>(size));
      });
    }
  }

  Host host_;
  std::vector<uint64_t> blob_;
  std::vector<uint64_t> offsets_;  // of values
  uint64_t memory_bytes_ = 0;
  std::vector<Step> steps_;
};

}  // namespace tenon::sdk
#endif
