#include "autograd/autograd.hpp"
#include "op/guards.hpp"
#include "op/values.hpp"
#include "profile/profiler.hpp"
#include "recipe/site.hpp"
#include "tenon/program.h"

using namespace tenon;

namespace {

void destroy(tn_ctx* ctx) noexcept {
  tn_capture_abort(ctx);
  forget_leaves(ctx);
  for (auto& [key, p] : ctx->programs) program_release(p);
  ctx->programs.clear();
  ctx->sites.clear();
  ctx->heap->drain();
  end_values(ctx);
  ctx->flush_dead();
  const bool alive = runtime_alive(ctx->runtime);
  for (auto& ds : ctx->states) {
    if (!ds) continue;
    buffer_release(ds->arena);
    if (!alive) continue;
    ds->device->give_queue(ds->queue);
    if (ds->copies != ds->queue) ds->device->give_queue(ds->copies);
  }
  tn_runtime* rt = ctx->runtime;
  heap_abandon(ctx->heap);
  delete ctx;
  runtime_release(rt);
}

// Kernels are chosen anew where they change. Gives those before.
uint32_t set_modes(tn_ctx* ctx, uint32_t modes) noexcept {
  const uint32_t before = std::exchange(ctx->modes, modes);
  if (before != modes) ctx->sites.clear();
  return before;
}

}  // namespace

extern "C" {

tn_error* tn_ctx_create(tn_runtime* rt, tn_str device, tn_ctx** out) {
  return with_runtime(rt, "tn_ctx_create", [&] {
    need(out, "tn_ctx_create", "out_ctx");
    tn_device* d = find_device(rt, view_of(device));
    auto ctx = std::make_unique<tn_ctx>();
    ctx->heap = new Heap(rt);
    ctx->heap->context = ctx.get();
    ctx->page = rt->page;
    ctx->device = d;
    ctx->runtime = runtime_retain(rt);
    try {
      ctx->make_state(d);
    } catch (...) {
      destroy(ctx.release());
      throw;
    }
    *out = ctx.release();
  });
}

void tn_ctx_release(tn_ctx* ctx) {
  if (ctx) destroy(ctx);
}

tn_device* tn_ctx_get_device(const tn_ctx* ctx) { return ctx ? ctx->device : nullptr; }
tn_runtime* tn_ctx_get_runtime(const tn_ctx* ctx) { return ctx ? ctx->runtime : nullptr; }

int32_t tn_ctx_set_grad_mode(tn_ctx* ctx, int32_t enabled) {
  return ctx ? std::exchange(ctx->grad_mode, enabled != 0) : 0;
}
int32_t tn_ctx_get_grad_mode(const tn_ctx* ctx) { return ctx && ctx->grad_mode; }

int32_t tn_ctx_set_deterministic(tn_ctx* ctx, int32_t enabled) {
  if (!ctx) return 0;
  constexpr uint32_t kBit = TN_SIGNATURE_DETERMINISTIC;
  return (set_modes(ctx, (ctx->modes & ~kBit) | (enabled ? kBit : 0)) & kBit) != 0;
}
tn_precision tn_ctx_set_precision(tn_ctx* ctx, tn_precision precision) {
  const tn_precision before = tn_ctx_get_precision(ctx);
  if (ctx && precision <= TN_PRECISION_MEDIUM)
    set_modes(ctx, (ctx->modes & TN_SIGNATURE_DETERMINISTIC) | precision << 1);
  return before;
}
tn_precision tn_ctx_get_precision(const tn_ctx* ctx) {
  static_assert(TN_PRECISION_HIGH << 1 == TN_SIGNATURE_PRECISION_HIGH &&
                TN_PRECISION_MEDIUM << 1 == TN_SIGNATURE_PRECISION_MEDIUM);
  return ctx ? ctx->modes >> 1 : TN_PRECISION_HIGHEST;
}
tn_error* tn_ctx_set_autocast(tn_ctx* ctx, tn_dtype dtype) {
  return with_ctx(ctx, "tn_ctx_set_autocast", [&] {
    if (dtype != TN_DTYPE_F32 && dtype != TN_DTYPE_BF16 && dtype != TN_DTYPE_F16)
      fail(TN_INVALID_ARGUMENT, "tn_ctx_set_autocast: {} given; it takes bf16, f16, or f32 (off)",
           tn_dtype_name(dtype));
    ctx->autocast = dtype == TN_DTYPE_F32 ? 0 : dtype;
  });
}
tn_dtype tn_ctx_get_autocast(const tn_ctx* ctx) {
  return ctx && ctx->autocast ? ctx->autocast : TN_DTYPE_F32;
}
int32_t tn_ctx_set_fallback(tn_ctx* ctx, int32_t enabled) {
  return ctx ? std::exchange(ctx->fallback, enabled != 0) : 0;
}

tn_error* tn_ctx_set_seed(tn_ctx* ctx, uint64_t seed) {
  return with_ctx(ctx, "tn_ctx_set_seed", [&] { ctx->random = {seed, 0, 0}; });
}
tn_error* tn_ctx_get_random_state(tn_ctx* ctx, uint64_t out[3]) {
  return with_ctx(ctx, "tn_ctx_get_random_state", [&] {
    need(out, "tn_ctx_get_random_state", "out_state");
    out[0] = ctx->random.seed, out[1] = ctx->random.stream, out[2] = ctx->random.offset;
  });
}
tn_error* tn_ctx_set_random_state(tn_ctx* ctx, const uint64_t state[3]) {
  return with_ctx(ctx, "tn_ctx_set_random_state", [&] {
    need(state, "tn_ctx_set_random_state", "state");
    ctx->random = {state[0], state[1], state[2]};
  });
}

uint32_t tn_ctx_set_flush_limit(tn_ctx* ctx, uint32_t ops) {
  if (!ctx) return 0;
  return ops ? std::exchange(ctx->flush_limit, ops) : ctx->flush_limit;
}
tn_error* tn_ctx_flush(tn_ctx* ctx) {
  return with_ctx(ctx, "tn_ctx_flush", [&] { flush_values(ctx); });
}

tn_error* tn_ctx_synchronize(tn_ctx* ctx, uint64_t timeout_ns) {
  return with_ctx(ctx, "tn_ctx_synchronize", [&] {
    const ProfileScope scope(*ctx->runtime->profiler, "synchronize", "wait");
    flush_values(ctx);
    const uint64_t start = Profiler::now();
    const auto wait = [&](Queue* q) {  // what is left of the time is shared by all queues
      const uint64_t gone = timeout_ns == TN_FOREVER ? 0 : Profiler::now() - start;
      queue_wait(q, q->submitted(), timeout_ns - std::min(gone, timeout_ns), &ctx->interrupt);
    };
    for (auto& ds : ctx->states) {
      if (!ds || !ds->queue) continue;
      wait(ds->queue);
      if (ds->copies != ds->queue) wait(ds->copies);
    }
  });
}

void tn_ctx_interrupt(tn_ctx* ctx) {
  if (ctx) ctx->interrupt.store(true);
}

tn_error* tn_ctx_recover(tn_ctx* ctx) {
  return with_ctx(ctx, "tn_ctx_recover", [&] {
    quietly([&] { flush_values(ctx); });  // what is recorded over what a failed queue made
    for (auto& ds : ctx->states) {
      if (!ds || !ds->queue) continue;
      const bool failed = ds->queue->failed_at(UINT64_MAX) || ds->copies->failed_at(UINT64_MAX);
      if (!failed) continue;
      const ValueLock lock(ds->device);
      Queue* fresh = ds->device->take_queue();
      Queue* copies = fresh;
      if (ds->copies != ds->queue) {
        try {
          copies = ds->device->take_queue();
        } catch (...) {
          ds->device->give_queue(fresh);
          throw;
        }
      }
      ctx->flush_dead();  // their memory belongs to the order of the old queue
      buffer_release(std::exchange(ds->arena, nullptr));
      if (ds->copies != ds->queue) ds->device->give_queue(ds->copies);
      ds->device->give_queue(ds->queue);
      ds->queue = fresh;
      ds->copies = copies;
    }
    ctx->sites.clear();  // plans may belong to a queue
    for (auto& [key, p] : ctx->programs) program_release(p);
    ctx->programs.clear();
  });
}

tn_error* tn_ctx_get_native_queue(tn_ctx* ctx, uint64_t* out) {
  return with_ctx(ctx, "tn_ctx_get_native_queue", [&] {
    need(out, "tn_ctx_get_native_queue", "out_queue");
    Queue* q = ctx->state(ctx->device).queue;
    if (!q)
      fail(TN_UNIMPLEMENTED,
           "tn_ctx_get_native_queue: {} runs everything inside the call, it has no queue",
           ctx->device->name);
    check(ctx->device->vtbl->queue_native(q->native, out));
  });
}

}  // extern "C"
