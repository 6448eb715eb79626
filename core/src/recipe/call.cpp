// tn_op_call: from the C entry to the kernel.
#include <cstring>

#include "base/error.hpp"
#include "op/guards.hpp"
#include "op/runtime.hpp"
#include "profile/profiler.hpp"
#include "run.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

constexpr uint64_t kMul = 0x9e3779b97f4a7c15u;

inline uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * kMul;
  return h ^ (h >> 32);
}

inline uint64_t hash_start(tn_op op, uint32_t n, uint32_t n_attrs) {
  return static_cast<uint64_t>(op) << 20 | static_cast<uint64_t>(n) << 8 | n_attrs;
}
inline uint64_t hash_input(uint64_t h, uint64_t id) { return (h ^ id) * kMul; }
// Never 0, which marks an empty way.
inline uint64_t hash_end(uint64_t h) { return (h ^ (h >> 32)) | 1; }

inline uint64_t hash_call(tn_op op, tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
                          uint32_t n_attrs) {
  uint64_t h = hash_start(op, n, n_attrs);
  for (uint32_t i = 0; i < n; ++i) h = hash_input(h, inputs[i] ? inputs[i]->shape_id : ~0ull);
  h = hash_end(h);
  for (uint32_t k = 0; k < n_attrs; ++k) {
    h = mix(h, static_cast<uint64_t>(attrs[k].key) << 8 | attrs[k].tag);
    h = mix(h, attrs[k].bits);
    const uint64_t bytes = attrs[k].data ? attr_bytes(attrs[k]) : 0;
    const auto* p = static_cast<const unsigned char*>(attrs[k].data);
    for (uint64_t i = 0; i + 8 <= bytes; i += 8) {
      uint64_t word;
      std::memcpy(&word, p + i, 8);
      h = mix(h, word);
    }
    uint64_t tail = 0;
    if (bytes % 8) {
      std::memcpy(&tail, p + bytes / 8 * 8, bytes % 8);
      h = mix(h, tail);
    }
  }
  return h | 1;
}

inline bool same_call(const Site& s, tn_op op, tn_tensor* const* inputs, uint32_t n,
                      const tn_attr* attrs, uint32_t n_attrs) {
  if (s.op != op || s.n_in != n || s.n_attrs != n_attrs) return false;
  const uint64_t* ids = n <= 4 ? s.ids_inline : s.ids.data();
  for (uint32_t i = 0; i < n; ++i)
    if (ids[i] != (inputs[i] ? inputs[i]->shape_id : ~0ull)) return false;
  for (uint32_t k = 0; k < n_attrs; ++k) {
    const tn_attr &a = attrs[k], &b = s.given[k];
    if (a.key != b.key || a.tag != b.tag || a.bits != b.bits) return false;
    if (const uint64_t bytes = attr_bytes(a);
        bytes && (!a.data || std::memcmp(a.data, b.data, bytes) != 0))
      return false;
  }
  return true;
}

tn_device* device_of(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n) {
  tn_device* device = nullptr;
  uint32_t first = 0;
  for (uint32_t i = 0; i < n; ++i) {
    if (!inputs[i] || is_scalar(inputs[i])) continue;
    if (!device) {
      device = inputs[i]->device;
      first = i;
    } else if (device != inputs[i]->device) {
      auto name = [&](uint32_t k) {
        return op.variadic ? fmt::format("{}", k) : std::string(view_of(op.def.params[k].name));
      };
      fail(TN_INVALID_ARGUMENT,
           "{}: inputs live on two devices: {} on {}, {} on {}. Copy one with tn_tensor_to.",
           op.name(), name(first), device->name, name(i), inputs[i]->device->name);
    }
  }
  return device ? device : ctx->device;
}

// Words of the random state that an op reaches: the largest draw of its decomposition, all of which begin at the same offset.
uint64_t words_drawn(const OpRegistry& ops, const OpEntry& op,
                     const std::vector<TraceInput>& inputs, const Attrs& attrs,
                     const std::vector<Shape>& outputs) {
  if (op.id == TN_OP_PHILOX) return static_cast<uint64_t>(outputs[0].count());
  if (!op.n_state || !op.def.decompose) return 0;
  const Graph graph = trace_recipe(ops, op.name(), op.def.decompose, inputs, attrs,
                                   op.is(TN_OP_OUTPUTS_VARY) ? 0 : op.def.n_outputs);
  uint64_t words = 0;
  for (const GraphNode& n : graph.nodes) {
    if (!n.op->n_state) continue;
    std::vector<TraceInput> in(n.inputs.size());
    std::vector<Shape> out;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (n.inputs[i] < 0) {
        in[i].absent = true;
        continue;
      }
      const GraphValue& v = graph.values[static_cast<size_t>(n.inputs[i])];
      in[i].shape = v.shape;
      in[i].weak = v.weak;
    }
    for (int o : n.outputs) out.push_back(graph.values[static_cast<size_t>(o)].shape);
    words = std::max(words, words_drawn(ops, *n.op, in, n.attrs, out));
  }
  return words;
}

// Inline devices, one or two tensors, one kernel: see FastCall.
void prepare_fast(tn_ctx* ctx, Site& site) {
  Program& p = *site.program;
  if (!p.simple || site.n_in == 0 || site.n_in > 2 || site.derived ||
      p.args.size() != site.n_in + 1u)
    return;
  DeviceState& ds = ctx->state(p.device);
  if (ds.queue || p.patches.size() != site.n_in || p.buffers[0].n_patches != 1) return;
  FastCall f;
  if (!p.output_patches[0].whole || p.output_patches[0].view != site.n_in) return;
  for (const Patch& x : p.patches) {
    if (x.kind == PatchKind::kWhole) {
      if (x.view != x.index) return;
    } else {
      if (x.kind != PatchKind::kPointer || x.delta != 0 || p.args[x.index] != &p.views[x.view])
        return;
      f.in[x.index] = &p.views[x.view];
    }
  }
  f.run = p.steps[0].run;
  f.data = p.steps[0].data;
  f.state = &ds;
  f.out_id = p.buffers[0].shape_id;
  f.cls = p.buffers[0].cls;
  f.buffer = &p.buffers[0];
  site.fast = f;
}

Site* make_site(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n,
                const tn_attr* attrs, uint32_t n_attrs) {
  auto site = std::make_unique<Site>();
  site->op = op.id;
  site->entry = &op;
  site->n_in = n;
  site->n_attrs = n_attrs;
  site->attrs = complete_attrs(op, attrs, n_attrs);
  for (uint32_t k = 0; k < n_attrs; ++k) {
    site->given.push_back(attrs[k]);
    site->given.back().data = site->attrs.items[attrs[k].key].data;
  }
  tn_device* device = device_of(ctx, op, inputs, n);
  std::vector<const tn_view*> views;
  std::vector<ProgramInput> shapes;
  static const tn_view absent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};
  for (uint32_t i = 0; i < n; ++i) {
    ProgramInput in;
    TraceInput trace;
    if (inputs[i]) {
      in.shape = shape_of(inputs[i]->view);
      in.scalar = is_scalar(inputs[i]);
      in.weak = inputs[i]->view.flags & TN_VIEW_WEAK;
      views.push_back(&inputs[i]->view);
    } else {
      in.absent = true;
      views.push_back(&absent);
    }
    trace.shape = in.shape;
    trace.weak = in.weak;
    trace.absent = in.absent;
    shapes.push_back(in);
    site->inputs.push_back(trace);
    site->scalar_inputs.push_back(in.scalar);
    const uint64_t id = inputs[i] ? inputs[i]->shape_id : ~0ull;
    if (n <= 4)
      site->ids_inline[i] = id;
    else
      site->ids.push_back(id);
  }
  const Inferred inferred = infer(op, views, site->attrs);
  // One node, so that the same code lowers an op and a recipe.
  Graph graph;
  for (const TraceInput& in : site->inputs) {
    GraphValue v;
    v.shape = in.shape;
    v.weak = in.weak;
    v.absent = in.absent;
    graph.inputs.push_back(static_cast<int>(graph.values.size()));
    graph.values.push_back(v);
  }
  GraphNode node;
  node.op = &op;
  node.attrs = complete_attrs(op, attrs, n_attrs);
  for (uint32_t i = 0; i < n; ++i) node.inputs.push_back(inputs[i] ? static_cast<int>(i) : -1);
  for (const InferredOutput& o : inferred.outputs) {
    GraphValue v;
    v.shape = o.shape;
    v.node = 0;
    node.outputs.push_back(static_cast<int>(graph.values.size()));
    graph.results.push_back(static_cast<int>(graph.values.size()));
    graph.values.push_back(v);
    site->outputs.push_back(o.shape);
    site->outputs.back().set_dense();
  }
  node.inferred = inferred;
  graph.nodes.push_back(std::move(node));
  graph.mark_live();
  CompileOptions options;
  options.deterministic = ctx->deterministic;
  options.queue = ctx->state(device).queue;
  site->program = compile(ctx->runtime, *device, graph, shapes, options);
  bool floating_out = false;
  for (size_t k = 0; k < site->outputs.size(); ++k) {
    if (!is_floating(site->outputs[k].dtype)) continue;
    floating_out = true;
    site->floating_outputs |= 1ull << std::min<size_t>(k, 63);
  }
  site->records = op.differentiable() && floating_out;
  site->derived = site->records && !op.def.gradient;
  if (op.n_state)
    site->random_words =
        words_drawn(ctx->runtime->ops, op, site->inputs, site->attrs, site->outputs);
  prepare_fast(ctx, *site);
  return site.release();
}

inline Site* find_site(tn_ctx* ctx, uint64_t hash, tn_op op, tn_tensor* const* inputs, uint32_t n,
                       const tn_attr* attrs, uint32_t n_attrs) {
  SiteTable::Set& set = ctx->sites.set(hash);
  for (size_t w = 0; w < SiteTable::kWays; ++w)
    if (set.tags[w] == hash && set.sites[w] &&
        same_call(*set.sites[w], op, inputs, n, attrs, n_attrs))
      return set.sites[w];
  return nullptr;
}

inline bool any_node(tn_tensor* const* inputs, uint32_t n) {
  bool any = false;
  for (uint32_t i = 0; i < n; ++i) any |= inputs[i] && inputs[i]->node;
  return any;
}

tn_error* annotate(tn_error* e, const OpEntry* op, const tn_device* device) {
  if (e && !e->is_static && op && e->refs.load() == 1) {
    try {
      if (e->op.empty()) e->op = op->name();
      if (device && e->device.empty()) e->device = device->name;
    } catch (...) {
    }
  }
  return e;
}

// An op the device cannot run, on the cpu: with copies there and back.
uint32_t call_on_cpu(tn_ctx* ctx, const OpEntry& op, tn_device* device, tn_tensor* const* inputs,
                     uint32_t n, const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                     uint32_t capacity) {
  tn_device* cpu = find_device(ctx->runtime, "cpu");
  log(ctx->runtime, TN_LOG_WARNING,
      fmt::format(
          "{}: runs on {} because {} has no kernel for it (fallback is allowed on this context)",
          op.name(), cpu->name, device->name));
  std::vector<Owned> moved;
  std::vector<tn_tensor*> there;
  for (uint32_t i = 0; i < n; ++i) {
    tn_tensor* t = nullptr;
    if (inputs[i]) check(tn_tensor_to(ctx, inputs[i], tn_string(cpu->name.c_str()), &t));
    moved.emplace_back(ctx, t);
    there.push_back(t);
  }
  std::vector<tn_tensor*> results(capacity, nullptr);
  const uint32_t count =
      call(ctx, op.id, there.data(), n, attrs, n_attrs, results.data(), capacity);
  std::vector<Owned> owned, back;
  for (uint32_t i = 0; i < count; ++i) owned.emplace_back(ctx, results[i]);
  for (uint32_t i = 0; i < count; ++i) {
    tn_tensor* t = nullptr;
    check(tn_tensor_to(ctx, results[i], tn_string(device->name.c_str()), &t));
    back.emplace_back(ctx, t);
  }
  for (uint32_t i = 0; i < count; ++i) outputs[i] = back[i].release();
  return count;
}

uint32_t finish_call(tn_ctx* ctx, Site& site, tn_tensor* const* inputs, uint32_t n,
                     tn_tensor** outputs, uint32_t capacity, const std::vector<bool>* donate) {
  const auto count = static_cast<uint32_t>(site.program->results.size());
  if (count > capacity)
    fail(TN_INVALID_ARGUMENT, "{}: has {} outputs, room for {} given", site.entry->name(), count,
         capacity);
  const bool recording = ctx->grad_mode && site.records && any_node(inputs, n);
  if (recording && site.derived) {
    Graph graph = trace_recipe(ctx->runtime->ops, site.entry->name(), site.entry->def.decompose,
                               site.inputs, site.attrs, count);
    std::vector<tn_tensor*> results = replay(ctx, graph, inputs);
    for (uint32_t i = 0; i < count; ++i) outputs[i] = results[i];
    return count;
  }
  tn_tensor* small[8];
  std::vector<tn_tensor*> large;
  tn_tensor** results = small;
  if (count > 8) {
    large.resize(count);
    results = large.data();
  }
  ++site.refs;  // a callback or an eviction must not take it away
  try {
    run_program(ctx, *site.program, inputs, results, donate);
    if (recording) {
      try {
        record(ctx, site, inputs, results, count);
      } catch (...) {
        for (uint32_t i = 0; i < count; ++i) drop(ctx, results[i]);
        throw;
      }
    }
  } catch (Error& e) {
    annotate(e.get(), site.entry, site.program->device);
    site_release(&site);
    throw;
  } catch (...) {
    site_release(&site);
    throw;
  }
  site_release(&site);
  for (uint32_t i = 0; i < count; ++i) outputs[i] = results[i];
  return count;
}

// The random state as three more inputs, and its advance.
uint32_t call_random(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n,
                     const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                     uint32_t capacity) {
  std::vector<tn_tensor*> all(inputs, inputs + n);
  all.resize(op.n_fixed - op.n_state, nullptr);
  std::vector<Owned> state;
  for (uint64_t word : {ctx->random.seed, ctx->random.stream, ctx->random.offset}) {
    state.emplace_back(ctx, make_scalar(ctx, TN_DTYPE_U64, false, &word));
    all.push_back(state.back().get());
  }
  const uint32_t count = call(ctx, op.id, all.data(), static_cast<uint32_t>(all.size()), attrs,
                              n_attrs, outputs, capacity);
  const auto n_all = static_cast<uint32_t>(all.size());
  const Site* site = find_site(ctx, hash_call(op.id, all.data(), n_all, attrs, n_attrs), op.id,
                               all.data(), n_all, attrs, n_attrs);
  TENON_ASSERT(site);
  ctx->random.offset += (site->random_words + 3) / 4;
  return count;
}

}  // namespace

uint32_t call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
              uint32_t n_attrs, tn_tensor** outputs, uint32_t capacity,
              const std::vector<bool>* donate) {
  const uint64_t hash = hash_call(op, inputs, n, attrs, n_attrs);
  Site* site = find_site(ctx, hash, op, inputs, n, attrs, n_attrs);
  if (!site) {
    const OpEntry& entry = ctx->runtime->ops.get(op);
    if (entry.n_state && n <= entry.n_fixed - entry.n_state)
      return call_random(ctx, entry, inputs, n, attrs, n_attrs, outputs, capacity);
    try {
      site = make_site(ctx, entry, inputs, n, attrs, n_attrs);
    } catch (Error& e) {
      if (e.code() == TN_UNIMPLEMENTED && ctx->fallback) {
        tn_device* device = device_of(ctx, entry, inputs, n);
        if (device->type != "cpu")
          return call_on_cpu(ctx, entry, device, inputs, n, attrs, n_attrs, outputs, capacity);
      }
      annotate(e.get(), &entry, nullptr);
      throw;
    }
    ctx->sites.insert(hash, site);
  }
  return finish_call(ctx, *site, inputs, n, outputs, capacity, donate);
}

std::vector<tn_tensor*> replay(tn_ctx* ctx, const Graph& graph, tn_tensor* const* inputs) {
  std::vector<Owned> values;
  for (size_t i = 0; i < graph.values.size(); ++i) values.emplace_back(ctx, nullptr);
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    if (inputs[i]) values[static_cast<size_t>(graph.inputs[i])] = Owned(ctx, keep(ctx, inputs[i]));
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const GraphValue& v = graph.values[i];
    if (v.constant) values[i] = Owned(ctx, make_scalar(ctx, v.shape.dtype, v.weak, v.bits));
  }
  for (const GraphNode& node : graph.nodes) {
    if (!node.live) continue;
    std::vector<tn_tensor*> in, out(node.outputs.size(), nullptr);
    for (int i : node.inputs) in.push_back(i < 0 ? nullptr : values[static_cast<size_t>(i)].get());
    call(ctx, node.op->id, in.data(), static_cast<uint32_t>(in.size()), node.attrs.data(),
         node.attrs.size(), out.data(), static_cast<uint32_t>(out.size()));
    for (size_t k = 0; k < out.size(); ++k)
      values[static_cast<size_t>(node.outputs[k])] = Owned(ctx, out[k]);
  }
  std::vector<tn_tensor*> results;
  results.reserve(graph.results.size());
  for (int r : graph.results)
    results.push_back(r < 0 ? nullptr : keep(ctx, values[static_cast<size_t>(r)].get()));
  return results;
}

void op_call_donating(tn_ctx* ctx, tn_op op, std::span<tn_tensor* const> inputs,
                      std::span<const tn_attr> attrs, std::span<tn_tensor*> outputs,
                      const std::vector<bool>& donate) {
  NoGrad no_grad(ctx);
  call(ctx, op, inputs.data(), static_cast<uint32_t>(inputs.size()), attrs.data(),
       static_cast<uint32_t>(attrs.size()), outputs.data(), static_cast<uint32_t>(outputs.size()),
       &donate);
}

void run_recipe(tn_ctx* ctx, const char* name, tn_recipe recipe, std::span<tn_tensor* const> inputs,
                std::span<const tn_attr> attrs, std::span<tn_tensor*> outputs, uint64_t donate) {
  NoGrad no_grad(ctx);
  std::string key = name;
  auto put = [&key](const auto& v) { key.append(reinterpret_cast<const char*>(&v), sizeof v); };
  put(recipe);
  for (tn_tensor* t : inputs) put(t ? t->shape_id : ~0ull);
  for (const tn_attr& a : attrs) {
    put(a.tag);
    put(a.bits);
    key.append(static_cast<const char*>(a.data), attr_bytes(a));
  }
  auto it = ctx->programs.find(key);
  if (it == ctx->programs.end()) {
    std::vector<TraceInput> shapes;
    std::vector<ProgramInput> given;
    tn_device* device = nullptr;
    for (tn_tensor* t : inputs) {
      TraceInput trace;
      ProgramInput in;
      trace.absent = in.absent = !t;
      if (t) {
        trace.shape = in.shape = shape_of(t->view);
        trace.weak = in.weak = t->view.flags & TN_VIEW_WEAK;
        in.scalar = is_scalar(t);
        if (!in.scalar && !device) device = t->device;
        if (!in.scalar && device != t->device)
          fail(TN_INVALID_ARGUMENT, "{}: inputs live on {} and {}", name, device->name,
               t->device->name);
      }
      shapes.push_back(trace);
      given.push_back(in);
    }
    if (!device) device = ctx->device;
    Attrs complete;
    for (const tn_attr& a : attrs) complete.items.push_back(a);
    Graph graph = trace_recipe(ctx->runtime->ops, name, recipe, shapes, complete,
                               static_cast<uint32_t>(outputs.size()));
    CompileOptions options;
    options.deterministic = ctx->deterministic;
    options.queue = ctx->state(device).queue;
    std::unique_ptr<Program> program(compile(ctx->runtime, *device, graph, given, options));
    if (ctx->programs.size() >= 4096) {
      for (auto& [k, p] : ctx->programs) program_release(p);
      ctx->programs.clear();
    }
    it = ctx->programs.emplace(key, program.get()).first;
    program.release();
  }
  std::vector<bool> give(inputs.size());
  for (size_t i = 0; i < inputs.size() && i < 64; ++i) give[i] = donate >> i & 1;
  run_program(ctx, *it->second, inputs.data(), outputs.data(), donate ? &give : nullptr);
}

SiteTable::SiteTable() : sets_(new Set[kSets]{}) {}
SiteTable::~SiteTable() { clear(); }

void SiteTable::insert(uint64_t hash, Site* site) {
  Set& s = set(hash);
  size_t w = 0;
  while (w < kWays && s.sites[w]) ++w;
  if (w == kWays) w = next_++ % kWays;
  site_release(s.sites[w]);
  s.tags[w] = hash;
  s.sites[w] = site;
}

void SiteTable::clear() noexcept {
  for (size_t i = 0; i < kSets; ++i)
    for (size_t w = 0; w < kWays; ++w) {
      site_release(sets_[i].sites[w]);
      sets_[i].sites[w] = nullptr;
      sets_[i].tags[w] = 0;
    }
}

}  // namespace tenon

using namespace tenon;

namespace {

// The site of a call with one or two tensors and no attributes, if it may take the short road.
template <uint32_t n>
inline Site* fast_site(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs) {
  uint64_t h = hash_start(op, n, 0);
  for (uint32_t i = 0; i < n; ++i) h = hash_input(h, inputs[i]->shape_id);
  h = hash_end(h);
  const SiteTable::Set& set = ctx->sites.set(h);
  for (size_t w = 0; w < SiteTable::kWays; ++w) {
    if (set.tags[w] != h) continue;
    Site* s = set.sites[w];
    bool same = s->op == op && s->n_in == n && s->n_attrs == 0 && s->fast.run;
    for (uint32_t i = 0; i < n; ++i) same = same && s->ids_inline[i] == inputs[i]->shape_id;
    return same ? s : nullptr;
  }
  return nullptr;
}

template <uint32_t n>
inline tn_tensor* fast_call(tn_ctx* ctx, const FastCall& f, tn_tensor* const* inputs,
                            tn_error** error) {
  tn_tensor* out = make_output(ctx, *f.state, f.buffer->shape, f.out_id, f.buffer->bytes, f.cls);
  out->queue = nullptr;
  const tn_view* args[n + 1];
  for (uint32_t i = 0; i < n; ++i) {
    args[i] = &inputs[i]->view;
    if (tn_view* v = f.in[i]) {
      v->mem = inputs[i]->view.mem;
      v->offset = inputs[i]->view.offset;
      args[i] = v;
    }
  }
  args[n] = &out->view;
  *error = f.run(f.data, nullptr, args);
  return out;
}

// False: the general road has to be taken.
template <uint32_t n>
inline bool try_fast(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, tn_tensor** outputs,
                     uint32_t* out_n) {
  Site* s = fast_site<n>(ctx, op, inputs);
  if (!s) return false;
  bool nodes = false;
  for (uint32_t i = 0; i < n; ++i) nodes = nodes || inputs[i]->node;
  nodes = nodes && ctx->grad_mode && s->records;
  tn_error* e = nullptr;
  tn_tensor* out = fast_call<n>(ctx, s->fast, inputs, &e);
  if (e) [[unlikely]] {
    drop(ctx, out);
    throw Error(annotate(e, s->entry, s->program->device));
  }
  if (nodes) {
    try {
      record(ctx, *s, inputs, &out, 1);
    } catch (...) {
      drop(ctx, out);
      throw;
    }
  }
  outputs[0] = out;
  *out_n = 1;
  return true;
}

}  // namespace

tn_tensor* tenon::call_pair(tn_ctx* ctx, tn_op op, tn_tensor* a, tn_tensor* b) {
  tn_tensor *inputs[] = {a, b}, *out = nullptr;
  uint32_t n = 0;
  if (ctx->page->state.load(std::memory_order_relaxed) != kAlive ||
      !try_fast<2>(ctx, op, inputs, &out, &n))
    call(ctx, op, inputs, 2, nullptr, 0, &out, 1);
  return out;
}

namespace {

tn_error* general_call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n_inputs,
                       const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                       uint32_t capacity, uint32_t* out_n) noexcept {
  return guard([&] {
    need(ctx, "tn_op_call", "ctx");
    if (ctx->page->state.load(std::memory_order_relaxed) != kAlive) runtime_check(ctx->runtime);
    if (!outputs || !out_n || (n_inputs && !inputs) || (n_attrs && !attrs))
      fail(TN_INVALID_ARGUMENT,
           "tn_op_call: a required pointer is NULL (inputs, attrs, outputs, out_n)");
    *out_n = call(ctx, op, inputs, n_inputs, attrs, n_attrs, outputs, capacity);
  });
}

}  // namespace

extern "C" tn_error* tn_op_call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n_inputs,
                                const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                                uint32_t capacity, uint32_t* out_n) {
  // While profiling, and in a forked child, the state is not kAlive.
  if (ctx && n_attrs == 0 && inputs && outputs && out_n && capacity &&
      ctx->page->state.load(std::memory_order_relaxed) == kAlive) [[likely]] {
    try {
      if (n_inputs == 2) {
        if (inputs[0] && inputs[1] && try_fast<2>(ctx, op, inputs, outputs, out_n)) return nullptr;
      } else if (n_inputs == 1) {
        if (inputs[0] && try_fast<1>(ctx, op, inputs, outputs, out_n)) return nullptr;
      }
    } catch (...) {
      return error_from_exception();
    }
  }
  return general_call(ctx, op, inputs, n_inputs, attrs, n_attrs, outputs, capacity, out_n);
}
