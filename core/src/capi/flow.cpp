#include "capture/flow.hpp"

#include "op/guards.hpp"
#include "tenon/program.h"

using namespace tenon;

namespace {

tn_error* flow(tn_ctx* ctx, Flow f, tn_tensor* condition, tn_tensor* const* inputs, uint32_t n,
               tn_tensor** outputs, uint32_t capacity, uint32_t* out_n) {
  const char* function = f.function();
  return with_ctx(ctx, function, [&] {
    need(f.first, function, "program");
    if (f.kind != FlowKind::kScan) need(f.second, function, "program");
    std::vector<tn_tensor*> operands;
    if (f.kind == FlowKind::kIf) {
      need_own(ctx, condition, function, "condition");
      operands.push_back(condition);
    } else if (f.kind == FlowKind::kWhile) {
      f.n_carry = f.second->n_outputs;
    }
    if (n) need(inputs, function, "inputs");
    for (uint32_t i = 0; i < n; ++i) {
      need_own(ctx, inputs[i], function, "an input");
      operands.push_back(inputs[i]);
    }
    const uint32_t n_out = f.body().n_outputs;
    if (n_out) need(outputs, function, "outputs");
    need(out_n, function, "out_n");
    if (capacity < n_out)
      fail(TN_INVALID_ARGUMENT, "{}: program \"{}\" has {} outputs, room for {} given", function,
           f.body().name, n_out, capacity);
    check_flow(ctx, f, operands);
    std::vector<Owned> results = run_flow(ctx, f, operands);
    for (size_t i = 0; i < results.size(); ++i) outputs[i] = results[i].release();
    *out_n = static_cast<uint32_t>(results.size());
  });
}

}  // namespace

extern "C" {

tn_error* tn_program_if(tn_ctx* ctx, tn_tensor* condition, tn_program* then, tn_program* otherwise,
                        tn_tensor* const* inputs, uint32_t n, tn_tensor** outputs,
                        uint32_t capacity, uint32_t* out_n) {
  Flow f;
  f.first = then, f.second = otherwise;
  return flow(ctx, f, condition, inputs, n, outputs, capacity, out_n);
}

tn_error* tn_program_while(tn_ctx* ctx, tn_program* condition, tn_program* body, int64_t max_steps,
                           tn_tensor* const* inputs, uint32_t n, tn_tensor** outputs,
                           uint32_t capacity, uint32_t* out_n) {
  Flow f;
  f.kind = FlowKind::kWhile;
  f.first = condition, f.second = body, f.steps = max_steps;
  return flow(ctx, f, nullptr, inputs, n, outputs, capacity, out_n);
}

tn_error* tn_program_scan(tn_ctx* ctx, tn_program* body, const tn_scan_options* options,
                          tn_tensor* const* inputs, uint32_t n, tn_tensor** outputs,
                          uint32_t capacity, uint32_t* out_n) {
  Flow f;
  f.kind = FlowKind::kScan;
  f.first = body;
  if (tn_error* e = guard([&] {
        const auto o = take_struct(options, tn_scan_options_init(), "tn_program_scan");
        f.n_carry = o.carry_count, f.n_sequences = o.sequence_count;
        f.steps = o.length, f.reverse = o.reverse != 0;
      }))
    return e;
  return flow(ctx, f, nullptr, inputs, n, outputs, capacity, out_n);
}

}  // extern "C"
