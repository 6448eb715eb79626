#include "tenon/program.h"

#include "capture/capture.hpp"
#include "op/guards.hpp"
#include "profile/profiler.hpp"

using namespace tenon;

namespace {

Capture& capture_of(tn_ctx* ctx, const char* function) {
  if (!ctx->recorder)
    fail(TN_FAILED_PRECONDITION, "{}: this context has no capture under way; begin one first",
         function);
  return *static_cast<Capture*>(ctx->recorder);
}

void need_inputs(const tn_program* p, tn_tensor* const* inputs, uint32_t n, const char* function) {
  need(p, function, "program");
  if (n) need(inputs, function, "inputs");
  if (n != p->arguments.size())
    fail(TN_INVALID_ARGUMENT, "program \"{}\": {} inputs given, it takes {}", p->name, n,
         p->arguments.size());
}

}  // namespace

extern "C" {

tn_error* tn_capture_begin(tn_ctx* ctx, tn_str name) {
  return with_ctx(ctx, "tn_capture_begin", [&] {
    if (ctx->recorder)
      fail(TN_FAILED_PRECONDITION,
           "tn_capture_begin: this context captures already; end that first");
    ctx->recorder = new Capture(ctx, view_of(name));
  });
}

tn_error* tn_capture_input(tn_ctx* ctx, tn_str name, tn_dtype dtype, uint32_t rank,
                           const int64_t* dims, const tn_str* symbols, tn_tensor** out) {
  return with_ctx(ctx, "tn_capture_input", [&] {
    need(out, "tn_capture_input", "out_tensor");
    *out = capture_of(ctx, "tn_capture_input")
               .input(view_of(name), dtype, rank, dims, symbols)
               .release();
  });
}

tn_error* tn_capture_end(tn_ctx* ctx, tn_tensor* const* outputs, uint32_t n, tn_program** out) {
  return with_ctx(ctx, "tn_capture_end", [&] {
    Capture& capture = capture_of(ctx, "tn_capture_end");
    if (n) need(outputs, "tn_capture_end", "outputs");
    need(out, "tn_capture_end", "out_program");
    for (uint32_t i = 0; i < n; ++i) need_own(ctx, outputs[i], "tn_capture_end", "an output");
    *out = capture.finish(outputs, n).release();
    tn_capture_abort(ctx);
  });
}

tn_error* tn_capture_set_memory_budget(tn_ctx* ctx, uint64_t bytes) {
  return with_ctx(ctx, "tn_capture_set_memory_budget", [&] {
    Capture& capture = capture_of(ctx, "tn_capture_set_memory_budget");
    if (ctx->device->holds_values())
      fail(TN_UNIMPLEMENTED, "tn_capture_set_memory_budget: {} places memory itself",
           ctx->device->name);
    capture.set_memory_budget(bytes);
  });
}

void tn_capture_abort(tn_ctx* ctx) {
  if (ctx) delete std::exchange(ctx->recorder, nullptr);
}

tn_program* tn_program_retain(tn_program* p) {
  if (p) p->refs.fetch_add(1, std::memory_order_relaxed);
  return p;
}

void tn_program_release(tn_program* p) {
  if (p && p->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete p;
}

tn_error* tn_program_run(tn_ctx* ctx, tn_program* p, tn_tensor* const* inputs, uint32_t n,
                         tn_tensor** outputs, uint32_t capacity, uint32_t* out_n) {
  return with_ctx(ctx, "tn_program_run", [&] {
    need_inputs(p, inputs, n, "tn_program_run");
    if (p->n_outputs) need(outputs, "tn_program_run", "outputs");
    need(out_n, "tn_program_run", "out_n");
    if (capacity < p->n_outputs)
      fail(TN_INVALID_ARGUMENT, "program \"{}\": has {} outputs, room for {} given", p->name,
           p->n_outputs, capacity);
    const ProfileScope scope(*ctx->runtime->profiler, p->name, "program");
    if (ctx->recorder)
      capture_of(ctx, "tn_program_run").play(*p, inputs, outputs);
    else
      run_captured(ctx, *p, inputs, outputs);
    *out_n = p->n_outputs;
  });
}

tn_error* tn_program_get_info(tn_program* p, tn_program_info* out) {
  return guard([&] {
    need(p, "tn_program_get_info", "program");
    tn_program_info info = tn_program_info_init();
    info.input_count = static_cast<uint32_t>(p->arguments.size());
    info.output_count = p->n_outputs;
    info.variable_count = static_cast<uint32_t>(p->variables.size());
    for (const GraphNode& node : p->graph.nodes) info.op_count += node.live;
    {
      const std::lock_guard lock(p->mutex);
      size_t prepared = p->prepared.size();
      for (const auto& other : p->others) {
        const std::lock_guard guarded(other->mutex);
        prepared += other->prepared.size();
      }
      info.prepared_count = static_cast<uint32_t>(prepared);
    }
    info.name = str_of(p->name);
    info.device = str_of(p->device->name);
    give_struct(info, out, "tn_program_get_info");
  });
}

tn_error* tn_program_text(tn_program* p, char* buffer, uint64_t capacity, uint64_t* out_size) {
  return guard([&] {
    need(p, "tn_program_text", "program");
    give_text(program_text(*p), buffer, capacity, out_size);
  });
}

tn_error* tn_program_cost(tn_ctx* ctx, tn_program* p, tn_tensor* const* inputs, uint32_t n,
                          char* buffer, uint64_t capacity, uint64_t* out_size) {
  return with_ctx(ctx, "tn_program_cost", [&] {
    need_inputs(p, inputs, n, "tn_program_cost");
    if (ctx->recorder)
      fail(TN_FAILED_PRECONDITION, "tn_program_cost: this context captures; end that first");
    give_text(program_cost(ctx, *p, inputs), buffer, capacity, out_size);
  });
}

}  // extern "C"
