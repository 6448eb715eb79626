// Runs a Program.
#include <algorithm>
#include <cstring>

#include "base/denormals.hpp"
#include "base/error.hpp"
#include "op/runtime.hpp"
#include "profile/profiler.hpp"
#include "program.hpp"

namespace tenon {

void convert_scalar(const tn_tensor* t, tn_view& view) {
  const tn_dtype from = t->view.dtype, to = view.dtype;
  if (from == to) {
    view.mem = t->view.mem;
    return;
  }
  view.mem = 0;
  if (is_floating(from))
    element_from_f64(&view.mem, to, element_to_f64(&t->view.mem, from));
  else {
    const int64_t value = element_to_i64(&t->view.mem, from);
    element_from_i64(&view.mem, to, value);
    const bool changed = element_to_i64(&view.mem, to) != value;
    if (!is_floating(to) && (changed || (to == TN_DTYPE_U64 && value < 0)))
      fail(TN_OUT_OF_RANGE, "the scalar {} does not fit {}, the dtype of the other operands", value,
           tn_dtype_name(to));
  }
}

namespace {

void ensure_arena(DeviceState& ds, Program& p) {
  if (!ds.arena || ds.arena->bytes < p.arena_bytes) {
    Buffer* fresh = ds.device->allocator->allocate(p.arena_bytes, ds.queue, "scratch");
    buffer_release(ds.arena);
    ds.arena = fresh;
  }
  if (p.arena_mem == ds.arena->mem && p.arena_offset == ds.arena->offset) return;
  p.arena_mem = ds.arena->mem;
  p.arena_offset = ds.arena->offset;
  for (const TempPatch& t : p.temps) {
    p.views[t.view].mem = p.arena_mem;
    p.views[t.view].offset = p.arena_offset + t.offset;
  }
}

// Puts an element into its slot of the arena.
void upload(DeviceState& ds, const tn_view& slot, const void* element, uint64_t bytes) {
  if (ds.device->host_memory() && ds.device->is_inline()) {
    std::memcpy(reinterpret_cast<void*>(static_cast<uintptr_t>(slot.mem + slot.offset)), element,
                bytes);
    return;
  }
  Submission s(ds.queue);
  check(ds.device->vtbl->upload(ds.device->handle, s.native(), slot.mem, slot.offset, element,
                                bytes));
  s.commit();
}

bool may_take_over(const tn_tensor* t, const OutputBuffer& b, const DeviceState& ds) {
  return t && (t->flags & kRecyclable) && t->buffer->refs.load(std::memory_order_acquire) == 1 &&
         t->buffer->home == ds.queue && t->buffer->readers.load(std::memory_order_relaxed) == 0 &&
         t->buffer->bytes >= b.bytes && t->view.count == b.shape.count() &&
         t->view.dtype == b.shape.dtype;
}

[[gnu::cold]] void upload_immediates(DeviceState& ds, Program& p, tn_tensor* const* inputs) {
  for (const Constant& c : p.constants) upload(ds, p.views[c.view], c.bits, c.bytes);
  for (const Patch& x : p.patches) {
    if (x.kind != PatchKind::kUpload) continue;
    tn_view element{};
    element.dtype = p.views[x.view].dtype;
    convert_scalar(inputs[x.index], element);
    upload(ds, p.views[x.view], &element.mem, dtype_size(element.dtype));
  }
}

// The kernels, on a queue, under the profiler, or where denormals are flushed.
[[gnu::cold]] void run_observed(tn_ctx* ctx, DeviceState& ds, Program& p,
                                const tn_view* const* args, size_t& at) {
  Profiler& profiler = *ctx->runtime->profiler;
  const FlushDenormals flush(ctx->runtime->flush_denormals);
  for (; at < p.steps.size(); ++at) {
    const Step& s = p.steps[at];
    const bool profiling = profiler.active();
    const uint64_t start = profiling ? Profiler::now() : 0;
    Submission submission(s.control ? nullptr : ds.queue);
    check(
        call_plugin("run", [&] { return s.run(s.data, submission.native(), args + s.first_arg); }));
    submission.commit();
    if (profiling) {
      const tn_str name = p.plans[at]->kernel->name;
      profiler.add(view_of(name), "kernel", start, Profiler::now() - start,
                   {{"device", std::string_view(p.device->name)}});
    }
  }
}

// Step `at` failed: inputs are lost whose memory it, or one before it, was given to write into.
[[gnu::cold]] void lose_inputs(Program& p, tn_tensor* const* inputs,
                               const std::vector<bool>& donate, size_t at,
                               const Error& error) noexcept {
  const size_t end = at + 1 < p.steps.size() ? p.steps[at + 1].first_arg : p.args.size();
  for (const OutputBuffer& b : p.buffers) {
    if (b.alias < 0 || !donate[static_cast<size_t>(b.alias)]) continue;
    tn_tensor* in = inputs[b.alias];
    bool begun = false;
    for (uint32_t k = 0; k < b.n_patches; ++k) {
      const OutputPatch& x = p.output_patches[b.first_patch + k];
      const tn_view* v = x.whole ? p.args[x.view] : &p.views[x.view];
      if (v->mem != in->view.mem || v->offset != in->view.offset + (x.whole ? 0 : x.delta))
        continue;
      begun = begun || std::find(p.args.data(), p.args.data() + end, v) != p.args.data() + end;
    }
    if (begun) tensor_lose(in, error_retain(error.get()));
  }
}

// Results that share the memory of inputs or of one another.
[[gnu::noinline]] void make_views(tn_ctx* ctx, Program& p, tn_tensor* const* inputs) {
  tn_tensor** to = p.made_results.data();
  for (const Result& r : p.results) {
    tn_tensor*& t = *to++;
    if (r.owns) continue;
    if (r.input >= 0) {
      tn_tensor* in = inputs[r.input];
      if (r.same && !in->node) {
        t = keep(ctx, in);
        continue;
      }
      t = make_view(ctx, in->buffer, p.device, r.shape, r.shape_id, in->view.offset + r.delta);
      t->queue = in->queue;
      t->value = in->value;
    } else if (r.buffer >= 0) {
      const tn_tensor* base = p.made[static_cast<size_t>(r.buffer)];
      t = make_view(ctx, base->buffer, p.device, r.shape, r.shape_id, base->view.offset + r.delta);
    }
  }
}

// What a run made and nobody took, in the lists of its program, is dropped on the way out.
[[gnu::noinline]] void drop_left(tn_ctx* ctx, Program& p) noexcept {
  for (auto* list : {&p.made_results, &p.made})
    for (tn_tensor*& t : *list)
      if (t) drop(ctx, std::exchange(t, nullptr));
}
struct Made {
  tn_ctx* ctx;
  Program& p;
  bool left = true;
  ~Made() {
    if (left) drop_left(ctx, p);
  }
};

}  // namespace

void run_program(tn_ctx* ctx, Program& p, tn_tensor* const* inputs, tn_tensor** outputs,
                 const std::vector<bool>* donate) {
  if (p.values) [[unlikely]]
    return run_values(ctx, p, inputs, outputs, donate);
  DeviceState& ds = ctx->state(p.device);
  if (ds.queue) {
    if (ds.queue->failed_at(UINT64_MAX)) ds.queue->throw_failure();
    queue_throttle(ds.queue);
  }
  if (p.arena_bytes) ensure_arena(ds, p);
  const tn_view** args = p.args.data();
  for (const Patch& x : p.patches) {
    tn_tensor* t = inputs[x.index];
    if (x.kind <= PatchKind::kPointer) [[likely]] {
      if (t->queue && t->queue != ds.queue) [[unlikely]]
        order_after(ds.queue, t);
      if (x.kind == PatchKind::kWhole) {
        args[x.view] = &t->view;
      } else {
        p.views[x.view].mem = t->view.mem;
        p.views[x.view].offset = t->view.offset + x.delta;
      }
    } else if (x.kind == PatchKind::kImmediate) {
      convert_scalar(t, p.views[x.view]);
    }
  }
  // Results first: everything on the host that can fail comes before the first kernel.
  Made own{ctx, p};
  tn_tensor **made = p.made.data(), **results = p.made_results.data();
  for (const OutputBuffer& b : p.buffers) {
    tn_tensor* t;
    if (donate && b.alias >= 0 && (*donate)[static_cast<size_t>(b.alias)] &&
        may_take_over(inputs[b.alias], b, ds)) {
      t = make_view(ctx, inputs[b.alias]->buffer, ds.device, b.shape, b.shape_id,
                    inputs[b.alias]->view.offset);
      t->flags |= kRecyclable;
    } else {
      t = make_output(ctx, ds, b.shape, b.shape_id, b.bytes, b.cls);
    }
    *made++ = t;
    t->queue = nullptr;
    const OutputPatch* x = p.output_patches.data() + b.first_patch;
    for (const OutputPatch* end = x + b.n_patches; x != end; ++x) {
      if (x->whole) [[likely]] {
        args[x->view] = &t->view;
      } else {
        p.views[x->view].mem = t->view.mem;
        p.views[x->view].offset = t->view.offset + x->delta;
      }
    }
  }
  made = p.made.data();
  if (!p.owning) make_views(ctx, p, inputs);
  if (p.uploads) upload_immediates(ds, p, inputs);
  size_t at = 0;
  try {
    if (ds.queue || ctx->page->state.load(std::memory_order_relaxed) != kAlive)
      run_observed(ctx, ds, p, args, at);
    else
      for (const Step& s : p.steps) {
        check(call_plugin("run", [&] { return s.run(s.data, nullptr, args + s.first_arg); }));
        ++at;
      }
  } catch (const Error& e) {
    if (donate) lose_inputs(p, inputs, *donate, at, e);
    throw;
  } catch (const std::bad_alloc&) {
    if (donate) lose_inputs(p, inputs, *donate, at, Error(error_out_of_memory()));
    throw;
  }
  own.left = !p.owning;
  for (const Result& r : p.results) {
    tn_tensor*& from = r.owns ? made[r.buffer] : *results;
    tn_tensor* t = *outputs++ = std::exchange(from, nullptr);
    ++results;
    if (!ds.queue || !t || r.input >= 0) continue;
    t->queue = ds.queue;
    t->value = ds.queue->line.submitted;
  }
}

}  // namespace tenon
