// A compiler for the reference backend, which has none, and its faults: graphs run node by node with the base's kernels.
#include <tenon/sdk/host_graph.hpp>
#include <tenon/sdk/view.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <string>
#include <thread>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

constexpr uint64_t kWorkspace = 64;

struct Compiled {
  sdk::HostGraph graph;
  uint32_t flags;
  bool negated = false, off = false;
};

sdk::Host sdk_host(void* device) { return static_cast<sdk::Device*>(device)->host; }

std::vector<tn_kernel> base_kernels(void* device) {
  const auto* table = static_cast<const tn_kernels_vtbl*>(base_table(TN_IFACE_KERNELS));
  const tn_kernel* list = nullptr;
  uint32_t count = 0;
  sdk::check(sdk_host(device), table->list(device, &list, &count));
  return {list, list + count};
}

bool is_f32(const tn_view& v) { return v.dtype == TN_DTYPE_F32 && v.count > 0; }

// ---- claims

bool knows(void* device, std::string_view op, uint32_t since) {
  if (since != 1 && !is("claims_unknown")) return false;
  if (op.starts_with("zz") && is("claims_unknown")) return true;
  for (const tn_kernel& k : base_kernels(device))
    if (sdk::view_of(k.op) == op) return true;
  return false;
}

tn_error* TN_CALL claim(void* device, const tn_compile_request* r, tn_claim* out) {
  return sdk::guard(sdk_host(device), [&] {
    static std::atomic<int> asked{0};
    const sdk::Graph g(r->graph, r->graph_bytes);
    const bool wavers = is("claim_wavers") && ++asked % 2 == 0;
    for (size_t k = 0; k < g.nodes().size(); ++k) {
      const tn_graph_node& n = g.nodes()[k];
      const auto is_view = [&](int32_t v) {
        return g.values()[static_cast<size_t>(v)].view_of >= 0;
      };
      const auto is_held = [&](int32_t v) {
        return v < 0 || sdk::HostGraph::holds(g.values()[static_cast<size_t>(v)]);
      };
      const bool known =
          std::ranges::all_of(g.inputs(n), is_held) && std::ranges::all_of(g.outputs(n), is_held) &&
          (std::ranges::all_of(g.outputs(n), is_view) || knows(device, g.op(n), n.since));
      // One op is left, so that there are reasons to be given.
      out[k].claimed = known && g.op(n) != "exp" && !(wavers && k == 0);
      if (out[k].claimed == 0 && !is("claim_without_reason"))
        out[k].reason = tn_string("not an op of this compiler");
    }
  });
}

// ---- runs

tn_error* TN_CALL run(void* data, void*, const tn_view* const* args) {
  const auto& c = *static_cast<Compiled*>(data);
  return sdk::guard(sdk::Host(host()), [&] {
    const sdk::Graph g = c.graph.graph();
    const size_t n_inputs = g.inputs().size(), n_results = g.results().size();
    std::vector<const void*> in;
    std::vector<void*> out;
    for (size_t k = 0; k < n_inputs; ++k) in.push_back(sdk::address(*args[k]));
    for (size_t k = 0; k < n_results; ++k) out.push_back(sdk::address(*args[n_inputs + k]));
    for (size_t k = 0; k < n_inputs && is("inplace_cleared"); ++k)
      if (std::ranges::count(out, in[k]) > 0)  // before it is read
        std::memset(const_cast<void*>(in[k]), 0,
                    tn_dtype_bytes(args[k]->dtype, static_cast<uint64_t>(args[k]->count)));
    static float shared[1 << 16];  // of all runs
    for (size_t k = 0; k < n_inputs && is("run_not_reentrant"); ++k) {
      if (!is_f32(*args[k]) || args[k]->count > (1 << 16)) continue;
      std::memcpy(shared, in[k], static_cast<size_t>(args[k]->count) * sizeof *shared);
      std::this_thread::sleep_for(std::chrono::microseconds(300));
      in[k] = shared;
      break;
    }
    c.graph.run(in, out);
    const tn_view& first = *args[n_inputs];
    if (is_f32(first)) {
      auto* y = sdk::data<float>(first);
      if (is("compiled_wrong")) y[0] += 0.5f;
      if (is("compiled_past_end")) y[first.count] = 1;
      if (c.off) y[0] = std::nextafter(y[0], 1e30f);
      for (int64_t k = 0; k < first.count && c.negated; ++k) y[k] = -y[k];
    }
    for (size_t k = 0; k < n_inputs && is("compiled_changes_input"); ++k)
      if (is_f32(*args[k]) && !sdk::is_immediate(*args[k]) && std::ranges::count(out, in[k]) == 0) {
        *sdk::data<float>(*args[k]) += 1;
        break;
      }
    std::memset(sdk::address(*args[n_inputs + n_results]), 1,
                kWorkspace + (is("workspace_exceeded") ? 4 : 0));
  });
}

void fill(void* device, const tn_compile_request* r, const void* blob, tn_compiled* out) {
  static std::atomic<int> made{0};
  const std::vector<tn_kernel> kernels = base_kernels(device);
  auto c = std::unique_ptr<Compiled>(
      new Compiled{sdk::HostGraph(sdk::Graph(blob, r->graph_bytes), r->flags,
                                  *static_cast<sdk::Device*>(device), kernels),
                   r->flags});
  c->off = is("compiles_differently") && ++made % 2 == 0;
  out->flags = TN_COMPILED_INPLACE;
  out->workspace_bytes = kWorkspace;
  out->run = run;
  out->release = [](void* data) { delete static_cast<Compiled*>(data); };
  out->data = c.release();
}

tn_error* TN_CALL compile(void* device, const tn_compile_request* r, tn_compiled* out) {
  return sdk::guard(sdk_host(device), [&] {
    if (!is("compile_not_reentrant")) return fill(device, r, r->graph, out);
    static std::vector<uint64_t> blob(1 << 16);  // of all threads
    std::memcpy(blob.data(), r->graph, std::min<size_t>(r->graph_bytes, blob.size() * 8));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    fill(device, r, blob.data(), out);
  });
}

// ---- forms: a sum of the rest, whether the results are negated (they never are), the graph

uint64_t sum_of(std::string_view bytes) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const char c : bytes) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return h;
}

tn_error* TN_CALL compatibility(void*, tn_str* out) {
  static std::atomic<int> asked{0};
  *out = tn_string(is("compatibility_empty")                         ? ""
                   : is("compatibility_changes") && ++asked % 2 == 0 ? "faulty 2"
                                                                     : "faulty 1");
  return nullptr;
}

tn_error* TN_CALL save(void* device, void* data, const tn_compiled_sink* sink) {
  return sdk::guard(sdk_host(device), [&] {
    const auto& c = *static_cast<Compiled*>(data);
    const auto blob = c.graph.graph().bytes();
    std::string form(1, c.negated ? 1 : 0);
    form.append(reinterpret_cast<const char*>(blob.data()), blob.size());
    const uint64_t sum = sum_of(form);
    sdk::check(sdk_host(device), sink->write(sink->user, &sum, sizeof sum));
    sdk::check(sdk_host(device), sink->write(sink->user, form.data(), form.size()));
  });
}

tn_error* TN_CALL load(void* device, const tn_compile_request* r, const void* bytes, uint64_t count,
                       tn_compiled* out) {
  return sdk::guard(sdk_host(device), [&] {
    const auto decline = [&] { out->declined = tn_string("damaged, or of another graph"); };
    std::string form(static_cast<const char*>(bytes), count);
    const uint64_t whole = sizeof(uint64_t) + 1 + r->graph_bytes;
    if (count < whole && is("load_crashes")) *reinterpret_cast<volatile char*>(form.size() & 0) = 1;
    if (count != whole) return decline();
    uint64_t sum = 0;
    std::memcpy(&sum, form.data(), sizeof sum);
    form.erase(0, sizeof sum);
    if (!is("load_trusts") && sum != sum_of(form)) return decline();
    if (!is("load_trusts") && std::memcmp(form.data() + 1, r->graph, r->graph_bytes) != 0)
      return decline();
    fill(device, r, r->graph, out);
    static_cast<Compiled*>(out->data)->negated = (form[0] & 1) != 0 || is("load_differs");
  });
}

}  // namespace

const tn_compiler_vtbl* compiler_table() {
  static tn_compiler_vtbl out;
  out = {sizeof out, 0, claim, compile, compatibility, save, load};
  if (is("compiler_slot_missing")) out.load = nullptr;
  return &out;
}

}  // namespace tenon::faulty
