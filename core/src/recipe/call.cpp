// tn_op_call: from the C entry to the kernel.
#include <cstring>
#include <optional>

#include "autocast.hpp"
#include "base/error.hpp"
#include "base/small.hpp"
#include "op/guards.hpp"
#include "op/infer.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "op/transfer.hpp"
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

inline bool same_call(const tn_ctx* ctx, const Site& s, tn_op op, tn_tensor* const* inputs,
                      uint32_t n, const tn_attr* attrs, uint32_t n_attrs) {
  if (s.op != op || s.n_in != n || s.n_attrs != n_attrs) return false;
  if (s.by_context && s.program->device != ctx->device) return false;
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

inline Site* find_site(tn_ctx* ctx, uint64_t hash, tn_op op, tn_tensor* const* inputs, uint32_t n,
                       const tn_attr* attrs, uint32_t n_attrs) {
  SiteTable::Set& set = ctx->sites.set(hash);
  for (size_t w = 0; w < SiteTable::kWays; ++w)
    if (set.tags[w] == hash && set.sites[w] &&
        same_call(ctx, *set.sites[w], op, inputs, n, attrs, n_attrs))
      return set.sites[w];
  return nullptr;
}

inline bool any_node(tn_tensor* const* inputs, uint32_t n) {
  bool any = false;
  for (uint32_t i = 0; i < n; ++i) any |= inputs[i] && inputs[i]->node;
  return any;
}

[[gnu::cold]] tn_error* annotate(tn_error* e, const OpEntry* op, const tn_device* device) {
  if (e && !e->is_static && op && e->refs.load() == 1) {
    try {
      if (e->op.empty()) {
        e->op = op->name();
        // A kernel does not know for which op it runs.
        if ((!e->plugin.empty() || e->code == TN_INTERNAL) && !e->message.starts_with(e->op))
          e->message = e->op + ": " + e->message;
      }
      if (device && e->device.empty()) e->device = device->name;
    } catch (...) {
    }
  }
  return e;
}

// An op the device cannot run, on the cpu: with copies there and back.
[[gnu::cold]] uint32_t call_on_cpu(tn_ctx* ctx, const OpEntry& op, tn_device* device,
                                   tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
                                   uint32_t n_attrs, tn_tensor** outputs, uint32_t capacity) {
  tn_device* cpu = find_device(ctx->runtime, "cpu");
  if (ctx->fell_back.insert({op.id, device}).second)
    log(ctx->runtime, TN_LOG_WARNING,
        fmt::format("{}: runs on {} because {} cannot (fallback is allowed on this context)",
                    op.name(), cpu->name, device->name));
  OwnedList moved(ctx, n), there(ctx, capacity), back(ctx, capacity);
  for (uint32_t i = 0; i < n; ++i) {
    if (!inputs[i]) continue;
    if (is_scalar(inputs[i]))
      moved[i] = keep(ctx, inputs[i]);
    else
      check(tn_tensor_to(ctx, inputs[i], tn_string(cpu->name.c_str()), &moved[i]));
  }
  uint32_t count;
  {
    const OnDevice on_cpu(ctx, cpu);
    count = call(ctx, op.id, moved.data(), n, attrs, n_attrs, there.data(), capacity);
  }
  for (uint32_t i = 0; i < count; ++i)
    check(tn_tensor_to(ctx, there[i], tn_string(device->name.c_str()), &back[i]));
  for (uint32_t i = 0; i < count; ++i) outputs[i] = back.take(i);
  return count;
}

// The ops of its recipe, one by one.
[[gnu::cold]] uint32_t call_parts(tn_ctx* ctx, Site& site, tn_tensor* const* inputs,
                                  tn_tensor** outputs, uint32_t count) {
  Graph graph = trace_recipe(ctx->runtime->ops, site.entry->name(), site.entry->def.decompose,
                             site.inputs, site.attrs, count, nullptr, !has_region(site.entry->id));
  std::vector<tn_tensor*> results = replay(ctx, graph, inputs);
  for (uint32_t i = 0; i < count; ++i) outputs[i] = results[i];
  return count;
}

uint32_t finish_call(tn_ctx* ctx, Site& site, tn_tensor* const* inputs, uint32_t n,
                     tn_tensor** outputs, uint32_t capacity, const std::vector<bool>* donate) {
  const auto count = static_cast<uint32_t>(site.program->results.size());
  if (count > capacity)
    fail(TN_INVALID_ARGUMENT, "{}: has {} outputs, room for {} given", site.entry->name(), count,
         capacity);
  const bool recording = ctx->grad_mode && site.records && any_node(inputs, n);
  if (recording && site.derived) [[unlikely]]
    return call_parts(ctx, site, inputs, outputs, count);
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
[[gnu::cold]] uint32_t call_random(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs,
                                   uint32_t n, const tn_attr* attrs, uint32_t n_attrs,
                                   tn_tensor** outputs, uint32_t capacity) {
  std::vector<tn_tensor*> all(inputs, inputs + n);
  all.resize(op.n_fixed - op.n_state, nullptr);
  std::vector<Owned> state;
  state.reserve(3);
  all.reserve(op.n_fixed);
  for (uint64_t word : {ctx->random.seed, ctx->random.stream, ctx->random.offset}) {
    state.emplace_back(ctx, make_scalar(ctx, TN_DTYPE_U64, false, &word));
    all.push_back(state.back().get());
  }
  const uint32_t count = call(ctx, op.id, all.data(), static_cast<uint32_t>(all.size()), attrs,
                              n_attrs, outputs, capacity);
  const auto n_all = static_cast<uint32_t>(all.size());
  const Site* site = find_site(ctx, hash_call(op.id, all.data(), n_all, attrs, n_attrs), op.id,
                               all.data(), n_all, attrs, n_attrs);
  uint64_t words;
  if (site) {
    words = site->random_words;
  } else {  // it ran elsewhere
    const OpGraph one = graph_of_op(op, all.data(), n_all, attrs, n_attrs);
    std::vector<TraceInput> traced;
    for (const ProgramInput& in : one.inputs) traced.push_back({in.shape, in.weak, in.absent});
    std::vector<Shape> shapes;
    for (const InferredOutput& o : one.graph.nodes[0].inferred.outputs) shapes.push_back(o.shape);
    words = words_drawn(ctx->runtime->ops, op, traced, one.graph.nodes[0].attrs, shapes);
  }
  ctx->random.offset += (words + 3) / 4;
  return count;
}

// Null: the cpu did it, and gave so many outputs.
[[gnu::cold]] Site* new_site(tn_ctx* ctx, const OpEntry& entry, tn_tensor* const* inputs,
                             uint32_t n, const tn_attr* attrs, uint32_t n_attrs,
                             tn_tensor** outputs, uint32_t capacity, uint32_t* count) {
  try {
    return make_site(ctx, entry, inputs, n, attrs, n_attrs);
  } catch (Error& e) {
    if (e.code() == TN_UNIMPLEMENTED && ctx->fallback) {
      tn_device* device = device_of(ctx, entry, inputs, n);
      if (device->type != "cpu") {
        *count = call_on_cpu(ctx, entry, device, inputs, n, attrs, n_attrs, outputs, capacity);
        return nullptr;
      }
    }
    annotate(e.get(), &entry, nullptr);
    throw;
  }
}

}  // namespace

uint32_t call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n, const tn_attr* attrs,
              uint32_t n_attrs, tn_tensor** outputs, uint32_t capacity,
              const std::vector<bool>* donate) {
  if (ctx->recorder) [[unlikely]] {
    const OpEntry& entry = ctx->runtime->ops.get(op);
    if (ctx->recorder->wants(entry, inputs, n)) {
      const size_t assumed = ctx->recorder->symbols().assumed().size();
      try {
        return ctx->recorder->call(entry, inputs, n, attrs, n_attrs, outputs, capacity);
      } catch (Error& e) {
        ctx->recorder->symbols().forget_assumed(assumed);  // by a call that there is not
        annotate(e.get(), &entry, nullptr);
        throw;
      }
    }
  }
  const uint64_t hash = hash_call(op, inputs, n, attrs, n_attrs);
  Site* site = find_site(ctx, hash, op, inputs, n, attrs, n_attrs);
  if (!site) {
    const OpEntry& entry = ctx->runtime->ops.get(op);
    if (entry.n_state && n <= entry.n_fixed - entry.n_state)
      return call_random(ctx, entry, inputs, n, attrs, n_attrs, outputs, capacity);
    check_input_count(entry, n);
    if (const uint32_t all = entry.with_absent(n); all != n)
      return call(ctx, op, Small<tn_tensor*, 8>(inputs, n, all).data(), all, attrs, n_attrs,
                  outputs, capacity);
    uint32_t count = 0;
    site = new_site(ctx, entry, inputs, n, attrs, n_attrs, outputs, capacity, &count);
    if (!site) return count;
    ctx->sites.insert(hash, site);
  }
  return finish_call(ctx, *site, inputs, n, outputs, capacity, donate);
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
inline tn_error* run_kernel(const FastCall& f, tn_tensor* const* inputs,
                            const tn_view* out) noexcept {
  const tn_view* args[n + 1];
  for (uint32_t i = 0; i < n; ++i) {
    args[i] = &inputs[i]->view;
    if (tn_view* v = f.in[i]) {
      v->mem = inputs[i]->view.mem;
      v->offset = inputs[i]->view.offset;
      args[i] = v;
    }
  }
  args[n] = out;
  return guard([&] { check(call_plugin("run", [&] { return f.run(f.data, nullptr, args); })); });
}

// The short road, once its site is found. Not a part of its callers, which so need no frame.
template <uint32_t n>
[[gnu::noinline]] tn_error* run_fast(tn_ctx* ctx, Site* s, tn_tensor* const* inputs,
                                     tn_tensor** outputs, uint32_t* out_n) noexcept {
  bool nodes = false;
  for (uint32_t i = 0; i < n; ++i) nodes = nodes || inputs[i]->node;
  nodes = nodes && ctx->grad_mode && s->records;
  tn_tensor* out = nullptr;
  tn_error* e = nullptr;
  try {
    const FastCall& f = s->fast;
    out = make_output(ctx, *f.state, f.buffer->shape, f.out_id, f.buffer->bytes, f.cls);
    out->queue = nullptr;
    e = run_kernel<n>(f, inputs, &out->view);
    if (e) [[unlikely]]
      annotate(e, s->entry, s->program->device);
    else if (nodes)
      record(ctx, *s, inputs, &out, 1);
  } catch (...) {
    e = error_from_exception();
  }
  if (e) [[unlikely]] {
    if (out) drop(ctx, out);
    return e;
  }
  outputs[0] = out;
  *out_n = 1;
  return nullptr;
}

}  // namespace

void tenon::add_to(tn_ctx* ctx, tn_tensor*& a, tn_tensor* b) {
  tn_tensor *inputs[] = {b, a}, *sum = nullptr;  // of two alike the last may be written over
  uint32_t n = 0;
  Site* s = ctx->page->state.load(std::memory_order_relaxed) == kAlive
                ? fast_site<2>(ctx, TN_OP_ADD, inputs)
                : nullptr;
  if (!s) {
    call(ctx, TN_OP_ADD, inputs, 2, nullptr, 0, &sum, 1);
  } else if (s->fast.buffer->alias == 1 && a->shape_id == s->fast.out_id &&
             a->flags == kRecyclable && !a->node && !b->node && sole_reference(ctx, a) &&
             a->buffer->refs.load(std::memory_order_acquire) == 1) {
    if (tn_error* e = run_kernel<2>(s->fast, inputs, &a->view)) [[unlikely]]
      check(annotate(e, s->entry, s->program->device));
    return;
  } else {
    check(run_fast<2>(ctx, s, inputs, &sum, &n));
  }
  drop(ctx, std::exchange(a, sum));
}

namespace {

// Empty unless somebody looks.
std::string_view profiled_name(const tn_ctx* ctx, tn_op op) {
  if (!ctx->runtime->profiler->active()) return {};
  return view_of(ctx->runtime->ops.get(op).def.name);
}

// Of an op with TN_OP_COUNTED: its outputs cut to what is real of them. What would keep more than twice its size is copied.
[[gnu::cold]] uint32_t call_counted(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs,
                                    uint32_t n, const tn_attr* attrs, uint32_t n_attrs,
                                    tn_tensor** outputs, uint32_t capacity) {
  const uint32_t room = op.is(TN_OP_OUTPUTS_VARY) ? capacity : std::min(capacity, op.def.n_outputs);
  OwnedList made(ctx, room);
  const uint32_t n_out = call(ctx, op.id, inputs, n, attrs, n_attrs, made.data(), room);
  tn_tensor* const count = n_out ? made[n_out - 1] : nullptr;
  if (!count || !is_abstract(count)) {  // a capture has only sizes that were asked for
    const uint32_t n_all = op.with_absent(n);
    const OpGraph one =
        graph_of_op(op, Small<tn_tensor*, 8>(inputs, n, n_all).data(), n_all, attrs, n_attrs);
    int64_t real = -1;
    if (count && count->view.dtype == TN_DTYPE_I64 && count->view.rank == 0)
      read_tensor(ctx, count, &real);
    if (real < 0) fail(TN_INTERNAL, "{}: its last output does not count the others", op.name());
    for (uint32_t k = 0; k + 1 < n_out; ++k) {
      const int axis = one.graph.nodes[0].inferred.outputs[k].counted;
      const Shape shape = shape_of(made[k]->view);
      if (axis < 0 || real >= shape.dims[axis]) continue;
      int64_t starts[TN_MAX_RANK] = {}, stops[TN_MAX_RANK];
      std::copy_n(shape.dims, shape.rank, stops);
      stops[axis] = real;
      Owned cut = call_one(ctx, TN_OP_SLICE, {made[k]},
                           {tn_attr_i64s(TN_SLICE_STARTS, starts, shape.rank),
                            tn_attr_i64s(TN_SLICE_STOPS, stops, shape.rank)});
      if (real < shape.dims[axis] / 2) cut = call_one(ctx, TN_OP_COPY, {cut.get()});
      drop(ctx, std::exchange(made[k], cut.release()));
    }
  }
  for (uint32_t k = 0; k < n_out; ++k) outputs[k] = made.take(k);
  return n_out;
}

// Counts that cannot be meant, before anything is read that they would lead to.
void check_counts(const OpEntry& op, uint32_t n_inputs, const tn_attr* attrs, uint32_t n_attrs) {
  constexpr uint32_t kMost = 1 << 20;
  if (n_inputs > kMost || (n_inputs > op.n_fixed && !op.variadic)) check_input_count(op, n_inputs);
  if (n_inputs > kMost || n_attrs > kMost)
    fail(TN_OUT_OF_RANGE, "{}: {} inputs and {} attributes given", op.name(), n_inputs, n_attrs);
  for (uint32_t i = 0; i < n_attrs; ++i) {
    const uint32_t tag = attrs[i].tag;
    const bool list = tag == TN_ATTR_I64S || tag == TN_ATTR_F64S || tag == TN_ATTR_STRING;
    if (list && attrs[i].bits > kMost)
      fail(TN_OUT_OF_RANGE, "{}: attribute {} has {} entries", op.name(), attrs[i].key,
           attrs[i].bits);
  }
}

[[gnu::cold]] void refuse_runtime(tn_ctx* ctx, tn_op op) {
  // The lock of the registry may be held for ever in a forked child.
  const bool down = ctx->page->state.load() == kDown;
  const std::string name(down ? ctx->runtime->ops.get(op).name() : "tn_op_call");
  runtime_check(ctx->runtime, name.c_str());
}

[[gnu::noinline]] tn_error* general_call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs,
                                         uint32_t n_inputs, const tn_attr* attrs, uint32_t n_attrs,
                                         tn_tensor** outputs, uint32_t capacity,
                                         uint32_t* out_n) noexcept {
  return guard([&] {
    need(ctx, "tn_op_call", "ctx");
    if (!runtime_alive(ctx->runtime)) [[unlikely]]
      refuse_runtime(ctx, op);
    if (!outputs || !out_n || (n_inputs && !inputs) || (n_attrs && !attrs))
      fail(TN_INVALID_ARGUMENT,
           "tn_op_call: a required pointer is NULL (inputs, attrs, outputs, out_n)");
    const OpEntry& entry = ctx->runtime->ops.get(op);
    check_counts(entry, n_inputs, attrs, n_attrs);
    const ProfileScope scope(*ctx->runtime->profiler, profiled_name(ctx, op), "op");
    std::optional<Autocast> narrow;
    if (ctx->autocast) [[unlikely]]
      inputs = narrow.emplace(ctx, entry, inputs, n_inputs).inputs();
    if (entry.is(TN_OP_COUNTED)) [[unlikely]]
      *out_n = call_counted(ctx, entry, inputs, n_inputs, attrs, n_attrs, outputs, capacity);
    else
      *out_n = call(ctx, op, inputs, n_inputs, attrs, n_attrs, outputs, capacity);
  });
}

}  // namespace

extern "C" tn_error* tn_op_call(tn_ctx* ctx, tn_op op, tn_tensor* const* inputs, uint32_t n_inputs,
                                const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                                uint32_t capacity, uint32_t* out_n) {
  // While profiling, and in a forked child, the state is not kAlive.
  if (ctx && (n_attrs | ctx->autocast) == 0 && inputs && outputs && out_n && capacity &&
      ctx->page->state.load(std::memory_order_relaxed) == kAlive) [[likely]] {
    if (n_inputs == 2 && inputs[0] && inputs[1]) {
      if (Site* s = fast_site<2>(ctx, op, inputs))
        return run_fast<2>(ctx, s, inputs, outputs, out_n);
    } else if (n_inputs == 1 && inputs[0]) {
      if (Site* s = fast_site<1>(ctx, op, inputs))
        return run_fast<1>(ctx, s, inputs, outputs, out_n);
    }
  }
  return general_call(ctx, op, inputs, n_inputs, attrs, n_attrs, outputs, capacity, out_n);
}
