#include "interposer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "plugin.hpp"
#include "session.hpp"

namespace tenon::conformance {
namespace {

// libtenon places tensors at multiples of this: what lies between the end of one and the next multiple belongs to nobody.
constexpr uint64_t kPlace = 4096;
constexpr size_t kWatched = 512;  // bytes looked at on either side
constexpr unsigned char kFill = 0xB6;

using Bytes = std::vector<unsigned char>;

// The one plugin under test of this process.
struct Real {
  std::unique_ptr<Library> library;
  std::unique_ptr<SimulatedHost> host;
  std::unique_ptr<OpenPlugin> plugin;
  std::unique_ptr<OpenDevice> device;
  std::unique_ptr<BareQueue> queue;
  const tn_host* outer = nullptr;  // libtenon's
  std::vector<tn_kernel> kernels;  // as libtenon sees them
  std::vector<const tn_kernel*> originals;
  std::map<uint64_t, uint64_t> blocks;                      // mem -> bytes, as libtenon sees them
  std::map<uint64_t, std::pair<uint64_t, uint64_t>> moved;  // the block of the plugin's under each
  std::mutex mutex;
  std::vector<Observation> seen;
  bool try_inplace = false, watch = true;
  int64_t inplace_runs = 0;
  const tn_compiler_vtbl* compiler = nullptr;
  std::vector<RecordedGraph> graphs;  // that were run
  int64_t compiled = 0;
  int leave = -1;

  void observe(const std::string& found, const std::string& expected) {
    const std::lock_guard lock(mutex);
    seen.push_back({found, expected});
  }
};
Real* real = nullptr;

tn_error* outer_error(tn_code code, const std::string& message) {
  return real->outer->error(real->outer, code, {message.data(), message.size()});
}
// Hands an error of the plugin's on to libtenon.
tn_error* passed_on(tn_error* error) {
  if (!error) return nullptr;
  const auto taken = real->host->take(error);
  return outer_error(taken.code, taken.message);
}
template <class F>
tn_error* guarded(F&& f) {
  try {
    return f();
  } catch (const Wrong& w) {
    real->observe(w.found, w.expected);
    return outer_error(TN_INTERNAL, w.what());
  }
}

// A command on the real queue.
template <class F>
tn_error* submit(const char* slot, F&& f) {
  BareQueue& q = *real->queue;
  if (!q.native) return passed_on(call(slot, f));
  std::atomic_ref(q.line->submitted).fetch_add(1);
  tn_error* e = call(slot, f);
  if (e) std::atomic_ref(q.line->submitted).fetch_sub(1);
  return passed_on(e);
}
// All that was submitted is done.
tn_error* finish() {
  BareQueue& q = *real->queue;
  if (!q.native) return nullptr;
  q.wait();
  if (q.failed() == 0) return nullptr;
  // A fresh timeline for what follows.
  real->queue = std::make_unique<BareQueue>(*real->device);
  return outer_error(TN_DEVICE_FAILED, real->host->last_failure());
}
template <class F>
tn_error* command(const char* slot, F&& f) {
  return guarded([&] {
    tn_error* e = submit(slot, f);
    return e ? e : finish();
  });
}

// ---- memory around an output

struct Place {
  uint64_t mem, begin, end;  // bytes watched
  Bytes before, after;
  bool behind;
  size_t output;
};

// Into `bytes` once finish() has been called: they must stay where they are.
void look(const Place& p, Bytes& bytes) {
  bytes.resize(p.end - p.begin);
  real->queue->download(bytes.data(), p.mem, p.begin, bytes.size());
}

// Where a dense view lies: in which of the blocks, and where there. Empty: in none.
struct Range {
  uint64_t mem = 0, block = 0, begin = 0, end = 0;
};
Range range_of(const tn_view& v) {
  auto found = real->blocks.upper_bound(v.mem);
  if (found == real->blocks.begin()) return {};
  --found;
  const uint64_t inside =
      v.mem - found->first;  // an address may lie in the middle, a handle may not
  if (inside > 0 && (!real->device->host_memory() || inside >= found->second)) return {};
  const uint64_t begin = inside + v.offset;
  const uint64_t end = begin + tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count));
  if (end > found->second) return {};
  return {found->first, found->second, begin, end};
}

bool is_dense(const tn_view& v) {
  return (v.flags & (TN_VIEW_ABSENT | TN_VIEW_IMMEDIATE)) == 0 &&
         (v.flags & TN_VIEW_CONTIGUOUS) != 0;
}

// What lies before and behind a dense view that has a place of its own.
void add_places(const tn_view& v, size_t output, std::vector<Place>& places) {
  if (!is_dense(v)) return;
  const Range r = range_of(v);
  if (r.begin == r.end) return;
  if (r.begin % kPlace == 0) {
    const uint64_t next = std::min(r.block, (r.end + kPlace - 1) / kPlace * kPlace);
    const uint64_t stop = std::min<uint64_t>(next, r.end + kWatched);
    if (stop > r.end) places.push_back({r.mem, r.end, stop, {}, {}, true, output});
  }
  if (r.begin >= kWatched)
    places.push_back({r.mem, r.begin - kWatched, r.begin, {}, {}, false, output});
}

struct Plan {
  const tn_kernel* kernel;
  tn_plan inner;
  size_t inputs, outputs;
  std::string text;
};

// The places to watch during a run: not those that another output, or the workspace, holds.
std::vector<Place> places_of(const Plan& plan, const tn_view* const* args) {
  std::vector<Place> places;
  const size_t n = plan.inputs + plan.outputs + (plan.inner.workspace_bytes > 0 ? 1 : 0);
  for (size_t k = plan.inputs; k < n; ++k) add_places(*args[k], k - plan.inputs, places);
  std::erase_if(places, [&](const Place& p) {
    for (size_t k = plan.inputs; k < n; ++k) {
      if ((args[k]->flags & TN_VIEW_ABSENT) != 0) continue;
      const Range r = range_of(*args[k]);
      if (r.mem == p.mem && r.begin < p.end && r.end > p.begin) return true;
    }
    return false;
  });
  return places;
}

std::string bytes_text(std::ptrdiff_t n) {
  return std::to_string(n) + (n == 1 ? " byte" : " bytes");
}

void judge(const Plan& plan, const std::vector<Place>& places) {
  for (const Place& p : places) {
    std::ptrdiff_t first = -1, stop = 0;
    for (size_t k = 0; k < p.after.size(); ++k) {
      if (p.after[k] == p.before[k]) continue;
      stop = static_cast<std::ptrdiff_t>(k) + 1;
      if (first < 0) first = stop - 1;
    }
    if (first < 0) continue;
    const auto gap = p.behind ? first : static_cast<std::ptrdiff_t>(p.after.size()) - stop;
    std::string found = plan.text + " writes " + bytes_text(stop - first);
    if (gap > 0) found += ", " + bytes_text(gap) + " away,";
    found += p.behind ? " behind " : " before ";
    found += p.output < plan.outputs ? "output " + std::to_string(p.output) : "its workspace";
    real->observe(found, "that a kernel writes only the elements of its outputs");
  }
}

// Waits at the end for what was submitted.
struct Settled {
  Settled() = default;
  ~Settled() {
    try {
      real->queue->wait();
    } catch (const Wrong&) {  // reported by finish
    }
  }
  Settled(const Settled&) = delete;
  Settled& operator=(const Settled&) = delete;
};

// ---- outputs in the memory of inputs

// An input whose memory an output may take over.
bool fits(const tn_view& in, const tn_view& out) {
  return is_dense(in) && is_dense(out) && out.count > 0 && in.dtype == out.dtype &&
         in.rank == out.rank && std::equal(in.dims, in.dims + in.rank, out.dims);
}

Bytes bytes_of(const tn_view& v) {
  const Range r = range_of(v);
  Bytes bytes(r.end - r.begin);
  if (!is_dense(v) || bytes.empty()) return {};
  real->queue->download(bytes.data(), r.mem, r.begin, bytes.size());
  real->queue->wait();
  return bytes;
}
void set_bytes(const tn_view& v, const Bytes& bytes) {
  const Range r = range_of(v);
  if (bytes.empty()) return;
  real->queue->upload(r.mem, r.begin, bytes.data(), bytes.size());
  real->queue->wait();
}

// After a run: once more with output `o` as the very view that input `i` is.
void run_in_place(const Plan& plan, const tn_view* const* args, size_t i, size_t o,
                  const std::vector<Bytes>& expected) {
  const tn_view* const* outputs = args + plan.inputs;
  const size_t workspace = plan.inner.workspace_bytes > 0 ? 1 : 0;
  std::vector<const tn_view*> views(args, args + plan.inputs + plan.outputs + workspace);
  views[i] = outputs[o];
  set_bytes(*outputs[o], bytes_of(*args[i]));
  ++real->inplace_runs;
  const std::string where = plan.text + " with output " + std::to_string(o) +
                            " in the memory of input " + std::to_string(i);
  const std::string same = "the bits that it gives in memory of its own";
  tn_error* error = submit(
      "run", [&] { return plan.inner.run(plan.inner.data, real->queue->native, views.data()); });
  if (!error) error = finish();
  if (error) {
    real->observe(where + " fails: " + real->outer->error_message(error), same);
    real->outer->error_release(error);
    return;
  }
  for (size_t k = 0; k < plan.outputs; ++k) {
    const Bytes got = bytes_of(*outputs[k]);
    const auto at = std::mismatch(got.begin(), got.end(), expected[k].begin()).first - got.begin();
    if (at == static_cast<std::ptrdiff_t>(got.size())) continue;
    const auto element = static_cast<uint64_t>(at) * 8 / TN_DTYPE_BITS(outputs[k]->dtype);
    return real->observe(where + ": element " + std::to_string(element) + " of output " +
                             std::to_string(k) + " has other bits",
                         same);
  }
}

void run_in_places(const Plan& plan, const tn_view* const* args) {
  if ((plan.kernel->flags & TN_KERNEL_INPLACE) == 0 ||
      (plan.kernel->flags & TN_KERNEL_NONDETERMINISTIC) != 0)
    return;
  const tn_view* const* outputs = args + plan.inputs;
  std::vector<Bytes> expected;
  for (size_t k = 0; k < plan.outputs; ++k) expected.push_back(bytes_of(*outputs[k]));
  for (size_t o = 0; o < plan.outputs; ++o)
    for (size_t i = 0; i < plan.inputs; ++i)
      if (fits(*args[i], *outputs[o])) run_in_place(plan, args, i, o, expected);
  for (size_t k = 0; k < plan.outputs; ++k) set_bytes(*outputs[k], expected[k]);
}

tn_error* watched_run(const Plan& plan, const tn_view* const* args) {
  return guarded([&]() -> tn_error* {
    std::vector<Place> places;
    if (real->watch) places = places_of(plan, args);
    const Settled settled;  // before the places go, whatever is thrown
    for (Place& p : places) {
      if (!p.behind) continue;
      p.before.assign(p.end - p.begin, kFill);
      real->queue->upload(p.mem, p.begin, p.before.data(), p.before.size());
    }
    for (Place& p : places)  // what is behind one may be before another
      if (!p.behind) look(p, p.before);
    tn_error* error =
        submit("run", [&] { return plan.inner.run(plan.inner.data, real->queue->native, args); });
    for (Place& p : places) look(p, p.after);
    if (tn_error* failed = finish()) {
      if (error) real->outer->error_release(error);
      return failed;
    }
    if (error) return error;
    if (real->try_inplace)
      run_in_places(plan, args);
    else
      judge(plan, places);
    return nullptr;
  });
}

tn_error* TN_CALL run_plan(void* data, void*, const tn_view* const* args) {
  return watched_run(*static_cast<Plan*>(data), args);
}
// As a kernel of one input and one output.
tn_error* TN_CALL run_pack(void* data, void*, const tn_view* const* args) {
  Plan packing = *static_cast<Plan*>(data);
  packing.inner.run = packing.inner.pack;
  packing.inner.workspace_bytes = 0;
  packing.inputs = packing.outputs = 1;
  packing.text += ", packing,";
  return watched_run(packing, args);
}

void TN_CALL release_plan(void* data) {
  auto* plan = static_cast<Plan*>(data);
  if (plan->inner.release) try {
      call("release of a plan", [&] { plan->inner.release(plan->inner.data); });
    } catch (const Wrong& w) {
      real->observe(w.found, w.expected);
    }
  delete plan;
}

tn_error* prepare(size_t index, const tn_signature* signature, tn_plan* out) {
  return guarded([&]() -> tn_error* {
    const tn_kernel* kernel = real->originals[index];
    auto plan = std::make_unique<Plan>();
    plan->kernel = kernel;
    plan->inputs = signature->n_inputs, plan->outputs = signature->n_outputs;
    plan->text = "kernel " + text_of(kernel->name) + " of " + text_of(kernel->op);
    plan->inner = {};
    plan->inner.struct_size = sizeof(tn_plan);
    if (tn_error* e = call("prepare", [&] {
          return kernel->prepare(real->device->handle, signature, &plan->inner);
        }))
      return passed_on(e);
    if (plan->inner.declined.size > 0) {
      out->declined = plan->inner.declined;
      if (plan->inner.release) plan->inner.release(plan->inner.data);
      return nullptr;
    }
    expect(plan->inner.run != nullptr, plan->text + " prepares a plan without run",
           "run, or declined with a reason");
    *out = plan->inner;
    out->run = run_plan, out->release = release_plan;
    if (out->pack) out->pack = run_pack;
    out->data = plan.release();
    return nullptr;
  });
}

// tn_kernel.prepare has no word for which kernel it is: one function each.
constexpr size_t kMostKernels = 1024;
template <size_t index>
tn_error* TN_CALL prepare_at(void*, const tn_signature* s, tn_plan* out) {
  return prepare(index, s, out);
}
using Prepare = tn_error*(TN_CALL*)(void*, const tn_signature*, tn_plan*);
template <size_t... index>
constexpr std::array<Prepare, sizeof...(index)> prepares(std::index_sequence<index...>) {
  return {prepare_at<index>...};
}
constexpr std::array<Prepare, kMostKernels> kPrepares =
    prepares(std::make_index_sequence<kMostKernels>());

// ---- compiled graphs

struct Compiled {
  tn_compiled inner;
  RecordedGraph graph;
  bool tried = false;
};

// Once more in other memory, once in place, once as it was saved and loaded: the same results.
void try_graph(const Compiled& c) {
  const RecordedGraph& g = c.graph;
  const CompiledGraph made = CompiledGraph::lent(c.inner);
  BareQueue& queue = *real->queue;
  const std::string of = "a compiled graph of " + g.text();
  const auto attempt = [&](const std::string& how, const std::function<void()>& body) {
    try {
      body();
    } catch (const Wrong& w) {
      real->observe(of + how + ": " + w.found, w.expected);
    } catch (const Unsupported&) {  // it cannot be saved
    }
  };
  std::vector<Elements> own;
  attempt("", [&] {
    own = run_graph(queue, made, g);
    expect_same(g, own, g.results, "run again in other memory", "the bits of the first run");
  });
  if (own.empty()) return;
  attempt(", run in place", [&] {
    if ((c.inner.flags & TN_COMPILED_INPLACE) == 0) return;
    expect_same(g, run_graph(queue, made, g, Memory::in_place), own,
                "results in the memory of the inputs that the graph names",
                "the bits that it gives in memory of its own, or no TN_COMPILED_INPLACE");
  });
  attempt(", saved and loaded", [&] {
    if (!real->compiler->save) return;
    const std::string form = made.save(*real->device, *real->compiler);
    const CompiledGraph loaded = CompiledGraph::load(*real->device, *real->compiler, g, form);
    expect(loaded.refused.empty(), "load gives " + loaded.refused, "a form that was just saved");
    if (!loaded.declined.empty()) return;
    expect_same(g, run_graph(queue, loaded, g), g.results, "a loaded form",
                "the bits that the saved one gives");
  });
}

tn_error* TN_CALL run_compiled(void* data, void*, const tn_view* const* args) {
  Compiled& c = *static_cast<Compiled*>(data);
  return guarded([&]() -> tn_error* {
    const bool first = !std::exchange(c.tried, true);
    RecordedGraph& g = c.graph;
    const uint32_t n_inputs = g.header().input_count, n_results = g.header().result_count;
    for (uint32_t k = 0; k < n_inputs && first; ++k) {
      const bool scalar = (g.input(k).flags & TN_GRAPH_SCALAR) != 0;
      const auto* from = reinterpret_cast<const unsigned char*>(args[k]);
      g.inputs.push_back(scalar ? Elements(from, from + tn_dtype_bytes(args[k]->dtype, 1))
                                : bytes_of(*args[k]));
    }
    tn_error* error = submit("run of a compiled graph",
                             [&] { return c.inner.run(c.inner.data, real->queue->native, args); });
    if (!error) error = finish();
    if (error || !first) return error;
    for (uint32_t k = 0; k < n_results; ++k) g.results.push_back(bytes_of(*args[n_inputs + k]));
    try_graph(c);
    real->graphs.push_back(g);
    return nullptr;
  });
}

void TN_CALL release_compiled(void* data) {
  auto* c = static_cast<Compiled*>(data);
  if (c->inner.release) try {
      call("release of a compiled graph", [&] { c->inner.release(c->inner.data); });
    } catch (const Wrong& w) {
      real->observe(w.found, w.expected);
    }
  delete c;
}

tn_error* TN_CALL i_claim(void*, const tn_compile_request* request, tn_claim* out) {
  return guarded([&]() -> tn_error* {
    if (tn_error* e = call(
            "claim", [&] { return real->compiler->claim(real->device->handle, request, out); }))
      return passed_on(e);
    const uint32_t n = tn_graph_of(request->graph)->node_count;
    for (uint32_t k = 0; k < n && real->leave >= 0; ++k) {
      if (out[k].claimed == 0 || static_cast<int>(k % 3) != real->leave) continue;
      out[k].claimed = 0;
      out[k].reason = tn_string("left to kernels by the kit");
    }
    return nullptr;
  });
}

tn_error* TN_CALL i_compile(void*, const tn_compile_request* request, tn_compiled* out) {
  return guarded([&]() -> tn_error* {
    auto c = std::make_unique<Compiled>();
    RecordedGraph& g = c->graph;
    g.blob.resize((request->graph_bytes + 7) / 8);
    std::memcpy(g.blob.data(), request->graph, request->graph_bytes);
    g.bytes = request->graph_bytes, g.flags = request->flags;
    c->inner = {};
    c->inner.struct_size = sizeof c->inner;
    if (tn_error* e = call("compile", [&] {
          return real->compiler->compile(real->device->handle, request, &c->inner);
        }))
      return passed_on(e);
    out->declined = c->inner.declined;
    if (out->declined.size > 0) {
      if (c->inner.release) c->inner.release(c->inner.data);
      return nullptr;
    }
    expect(c->inner.run != nullptr, "compile of " + g.text() + " gives no function",
           "run, or declined with a reason");
    ++real->compiled;
    out->flags = c->inner.flags;
    out->workspace_bytes = c->inner.workspace_bytes;
    out->run = run_compiled, out->release = release_compiled;
    out->data = c.release();
    return nullptr;
  });
}
constexpr tn_compiler_vtbl kCompiler = {
    sizeof(tn_compiler_vtbl), 0, i_claim, i_compile, nullptr, nullptr, nullptr};

// ---- the tables that libtenon sees

tn_error* TN_CALL i_count(void*, uint32_t* out) { return *out = 1, nullptr; }
tn_error* TN_CALL i_props(void*, uint32_t, tn_device_props* out) {
  const tn_device_props& p = real->device->props;
  out->flags = TN_DEVICE_INLINE | (p.flags & TN_DEVICE_HOST_MEMORY);
  out->type = tn_string("verified");
  out->label = tn_string("the device under test, one command at a time");
  out->memory_bytes = p.memory_bytes;
  out->alignment = std::max(p.alignment, kPlace);
  out->max_block_bytes = p.max_block_bytes, out->max_binding_bytes = p.max_binding_bytes;
  return nullptr;
}
tn_error* TN_CALL i_open(void*, uint32_t, void** out) { return *out = real, nullptr; }
void TN_CALL i_close(void*) {}
tn_error* TN_CALL i_allocate(void*, uint64_t bytes, uint64_t* out) {
  return guarded([&]() -> tn_error* {
    // Aligned to kPlace from an address that is aligned to less: only where it is an address.
    const uint64_t more = real->device->host_memory() ? kPlace : 0;
    uint64_t mem = 0;
    if (tn_error* e = call("allocate", [&] {
          return real->device->v->allocate(real->device->handle, bytes + more, &mem);
        }))
      return passed_on(e);
    const uint64_t given = more ? (mem + kPlace - 1) / kPlace * kPlace : mem;
    const std::lock_guard lock(real->mutex);
    real->blocks[given] = bytes;
    real->moved[given] = {mem, bytes + more};
    *out = given;
    return nullptr;
  });
}
void TN_CALL i_free(void*, uint64_t mem, uint64_t) {
  std::pair<uint64_t, uint64_t> block;
  {
    const std::lock_guard lock(real->mutex);
    block = real->moved[mem];
    real->moved.erase(mem);
    real->blocks.erase(mem);
  }
  try {
    call("free", [&] { real->device->v->free(real->device->handle, block.first, block.second); });
  } catch (const Wrong& w) {
    real->observe(w.found, w.expected);
  }
}
tn_error* TN_CALL i_upload(void*, void*, uint64_t mem, uint64_t offset, const void* from,
                           uint64_t bytes) {
  return command("upload", [&] {
    return real->device->v->upload(real->device->handle, real->queue->native, mem, offset, from,
                                   bytes);
  });
}
tn_error* TN_CALL i_download(void*, void*, void* to, uint64_t mem, uint64_t offset,
                             uint64_t bytes) {
  return command("download", [&] {
    return real->device->v->download(real->device->handle, real->queue->native, to, mem, offset,
                                     bytes);
  });
}
constexpr tn_device_vtbl kDevice = {sizeof(tn_device_vtbl),
                                    0,
                                    i_count,
                                    i_props,
                                    i_open,
                                    i_close,
                                    i_allocate,
                                    i_free,
                                    nullptr,
                                    i_upload,
                                    i_download,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr};

tn_error* TN_CALL i_list(void*, const tn_kernel** out, uint32_t* count) {
  *out = real->kernels.data();
  *count = static_cast<uint32_t>(real->kernels.size());
  return nullptr;
}
constexpr tn_kernels_vtbl kKernels = {sizeof(tn_kernels_vtbl), sizeof(tn_kernel), i_list};

tn_error* TN_CALL i_open_plugin(const tn_host* host, void** out) {
  real->outer = host;
  *out = real;
  return nullptr;
}
void TN_CALL i_close_plugin(void*) {}

constexpr char kId[] = "org.tenon.verified";
const tn_interface kInterfaces[] = {{{TN_IFACE_DEVICE, sizeof TN_IFACE_DEVICE - 1},
                                     TN_IFACE_DEVICE_MAJOR,
                                     TN_IFACE_DEVICE_REVISION,
                                     &kDevice},
                                    {{TN_IFACE_KERNELS, sizeof TN_IFACE_KERNELS - 1},
                                     TN_IFACE_KERNELS_MAJOR,
                                     TN_IFACE_KERNELS_REVISION,
                                     &kKernels},
                                    {{TN_IFACE_COMPILER, sizeof TN_IFACE_COMPILER - 1},
                                     TN_IFACE_COMPILER_MAJOR,
                                     TN_IFACE_COMPILER_REVISION,
                                     &kCompiler}};
constexpr tn_plugin_info info_of(uint32_t interfaces) {
  return {sizeof(tn_plugin_info),
          TENON_VERSION,
          {kId, sizeof kId - 1},
          {"1", 1},
          kInterfaces,
          interfaces,
          sizeof(tn_interface),
          i_open_plugin,
          i_close_plugin};
}
const tn_plugin_info kWithKernels = info_of(2), kWithCompiler = info_of(3);
const tn_plugin_info* TN_CALL query(uint32_t) {
  return real->compiler ? &kWithCompiler : &kWithKernels;
}

void list_kernels(Real& r) {
  const tn_kernels_vtbl* table = r.library->kernels();
  if (!table) return;
  const tn_kernel* list = nullptr;
  uint32_t count = 0;
  r.device->ok("list of kernels",
               call("list", [&] { return table->list(r.device->handle, &list, &count); }));
  check_kernel_sizes(*table, list, count);
  for (uint32_t k = 0; k < std::min<uint32_t>(count, kMostKernels); ++k) {
    const tn_kernel* original = entry(list, table->kernel_stride, k);
    r.originals.push_back(original);
    tn_kernel mine{};
    std::memcpy(&mine, original, std::min<size_t>(sizeof mine, original->struct_size));
    mine.struct_size = sizeof mine;
    mine.prepare = kPrepares[k];
    r.kernels.push_back(mine);
  }
}

}  // namespace

Interposed::Interposed(const std::string& plugin) {
  expect(real == nullptr, "a second interposer in one process", "one");
  auto r = std::make_unique<Real>();
  r->library = std::make_unique<Library>(plugin);
  r->host = std::make_unique<SimulatedHost>();
  r->host->find_op = [](const std::string& name, uint32_t since, tn_op* out) {
    tn_error* e = real->outer->find_op(real->outer, {name.data(), name.size()}, since, out);
    if (e) real->outer->error_release(e);
    return e == nullptr;
  };
  r->plugin = std::make_unique<OpenPlugin>(*r->library, *r->host);
  r->device = std::make_unique<OpenDevice>(*r->plugin, 0);
  r->queue = std::make_unique<BareQueue>(*r->device);
  list_kernels(*r);
  r->compiler = r->library->compiler();
  real = r.release();
  static const tn_plugin_query_fn plugins[] = {query, nullptr};
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.static_plugins = plugins;
  desc.trust = TN_TRUST_ANY;
  desc.thread_count = 1;
  check(tn_runtime_create(&desc, &runtime_));
}

Interposed::~Interposed() {
  tn_runtime_release(runtime_);
  real->queue.reset();
  real->device.reset();
  real->plugin.reset();
  delete real;
  real = nullptr;
}

std::vector<Observation> Interposed::take() {
  const std::lock_guard lock(real->mutex);
  const std::string misuse = real->host->misuse();
  if (!misuse.empty()) real->seen.push_back({misuse, "services used as tenon/plugin/entry.h says"});
  return std::exchange(real->seen, {});
}
bool Interposed::has_inplace(const std::string& op) const {
  return std::any_of(real->kernels.begin(), real->kernels.end(), [&](const tn_kernel& k) {
    return text_of(k.op) == op && (k.flags & TN_KERNEL_INPLACE) != 0;
  });
}
void Interposed::try_inplace(bool on) { real->try_inplace = on; }
int64_t Interposed::inplace_runs() const { return real->inplace_runs; }
void Interposed::fail_allocation(int64_t n, bool all_after) {
  real->host->fail_allocation(n, all_after);
}
const tn_compiler_vtbl* Interposed::compiler() const { return real->compiler; }
const OpenDevice& Interposed::device() const { return *real->device; }
std::vector<RecordedGraph> Interposed::take_graphs() { return std::exchange(real->graphs, {}); }
void Interposed::watch(bool on) { real->watch = on; }
int64_t Interposed::compiled() const { return real->compiled; }
void Interposed::leave(int which) { real->leave = which; }
int64_t Interposed::refused() const { return real->host->refused(); }

}  // namespace tenon::conformance
