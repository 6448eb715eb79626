// Runs a Program.
#include <cstring>

#include "base/error.hpp"
#include "base/small.hpp"
#include "op/runtime.hpp"
#include "profile/profiler.hpp"
#include "program.hpp"

namespace tenon {
namespace {

void convert_scalar(const tn_tensor* t, tn_view& view) {
  const tn_dtype from = t->view.dtype, to = view.dtype;
  if (from == to) {
    view.mem = t->view.mem;
    return;
  }
  view.mem = 0;
  if (is_floating(from))
    element_from_f64(&view.mem, to, element_to_f64(&t->view.mem, from));
  else
    element_from_i64(&view.mem, to, element_to_i64(&t->view.mem, from));
}

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

// Tensors that are dropped on the way out unless taken.
class Held {
 public:
  Held(tn_ctx* ctx, size_t n) : ctx_(ctx), items_(n) {}
  ~Held() {
    for (tn_tensor* t : items_)
      if (t) drop(ctx_, t);
  }
  tn_tensor*& operator[](size_t i) { return items_[i]; }

 private:
  tn_ctx* ctx_;
  Small<tn_tensor*, 8> items_;
};

}  // namespace

void run_program(tn_ctx* ctx, Program& p, tn_tensor* const* inputs, tn_tensor** outputs,
                 const std::vector<bool>* donate) {
  DeviceState& ds = ctx->state(p.device);
  if (ds.queue) {
    if (ds.queue->failed_at(UINT64_MAX)) ds.queue->throw_failure();
    queue_throttle(ds.queue);
  }
  if (p.arena_bytes) ensure_arena(ds, p);
  for (const Patch& x : p.patches) {
    tn_tensor* t = inputs[x.index];
    tn_view& v = p.views[x.view];
    if (x.kind == PatchKind::kPointer) {
      if (t->queue && t->queue != ds.queue) order_after(ds.queue, t);
      v.mem = t->view.mem;
      v.offset = t->view.offset + x.delta;
    } else if (x.kind == PatchKind::kImmediate) {
      convert_scalar(t, v);
    }
  }
  // Results first: everything on the host that can fail comes before the first kernel.
  Held made(ctx, p.buffers.size());
  for (size_t i = 0; i < p.buffers.size(); ++i) {
    OutputBuffer& b = p.buffers[i];
    tn_tensor* t;
    if (donate && b.alias >= 0 && (*donate)[static_cast<size_t>(b.alias)] &&
        may_take_over(inputs[b.alias], b, ds)) {
      t = make_view(ctx, inputs[b.alias]->buffer, ds.device, b.shape, b.shape_id,
                    inputs[b.alias]->view.offset);
      t->flags |= kRecyclable;
    } else {
      t = make_output(ctx, ds, b.shape, b.shape_id, b.bytes);
    }
    made[i] = t;
    t->queue = nullptr;
    for (uint32_t k = 0; k < b.n_patches; ++k) {
      auto& [view, delta] = p.output_patches[b.first_patch + k];
      p.views[view].mem = t->view.mem;
      p.views[view].offset = t->view.offset + delta;
    }
  }
  Small<tn_tensor*, 8> bases(p.buffers.size());
  for (size_t i = 0; i < p.buffers.size(); ++i) bases[i] = made[i];
  Held results(ctx, p.results.size());
  for (size_t i = 0; i < p.results.size(); ++i) {
    const Result& r = p.results[i];
    tn_tensor* t = nullptr;
    if (r.input >= 0) {
      tn_tensor* in = inputs[r.input];
      if (r.same && !in->node) {
        t = keep(ctx, in);
      } else {
        t = make_view(ctx, in->buffer, p.device, r.shape, r.shape_id, in->view.offset + r.delta);
        t->queue = in->queue;
        t->value = in->value;
      }
    } else if (r.owns) {
      t = std::exchange(made[static_cast<size_t>(r.buffer)], nullptr);

    } else if (r.buffer >= 0) {
      const tn_tensor* base = bases[static_cast<size_t>(r.buffer)];
      t = make_view(ctx, base->buffer, p.device, r.shape, r.shape_id, base->view.offset + r.delta);
    }
    results[i] = t;
  }
  if (p.uploads) {
    for (const Constant& c : p.constants) upload(ds, p.views[c.view], c.bits, c.bytes);
    for (const Patch& x : p.patches)
      if (x.kind == PatchKind::kUpload) {
        tn_view element{};
        element.dtype = p.views[x.view].dtype;
        convert_scalar(inputs[x.index], element);
        upload(ds, p.views[x.view], &element.mem, dtype_size(element.dtype));
      }
  }
  Profiler& profiler = *ctx->runtime->profiler;
  for (const Step& s : p.steps) {
    const bool profiling = profiler.active();
    const uint64_t start = profiling ? Profiler::now() : 0;
    Submission submission(ds.queue);
    check(s.run(s.data, submission.native(), p.args.data() + s.first_arg));
    submission.commit();
    if (profiling) {
      const tn_str name = p.plans[static_cast<size_t>(&s - p.steps.data())]->kernel->name;
      profiler.add(view_of(name), "kernel", start, Profiler::now() - start,
                   {{"device", std::string_view(p.device->name)}});
    }
  }
  if (ds.queue) {
    const uint64_t value = ds.queue->line.submitted;
    for (size_t i = 0; i < p.results.size(); ++i) {
      tn_tensor* t = results[i];
      if (!t || p.results[i].input >= 0) continue;
      t->queue = ds.queue;
      t->value = value;
    }
  }
  for (size_t i = 0; i < p.results.size(); ++i) outputs[i] = std::exchange(results[i], nullptr);
}

}  // namespace tenon
