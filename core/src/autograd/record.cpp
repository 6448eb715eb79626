// Adds calls to the tape.
#include <algorithm>

#include "base/error.hpp"
#include "op/node.hpp"
#include "op/runtime.hpp"
#include "recipe/site.hpp"

namespace tenon {

[[gnu::cold]] const GradProgram& make_gradient(tn_ctx* ctx, Site& site, uint64_t wants,
                                               uint64_t cotangents) {
  if (site.captured)
    fail(TN_FAILED_PRECONDITION, "gradient: the capture that recorded {} has ended",
         site.entry->name());
  const size_t n_in = site.n_in, n_out = site.outputs.size();
  auto bit = [](uint64_t mask, size_t i) { return i >= 64 || (mask >> i & 1); };
  std::vector<bool> want(n_in), have(n_out);
  for (size_t i = 0; i < n_in; ++i)
    want[i] = bit(wants, i) && !site.inputs[i].absent && is_floating(site.inputs[i].shape.dtype);
  for (size_t i = 0; i < n_out; ++i)
    have[i] = bit(cotangents, i) && is_floating(site.outputs[i].dtype);
  Graph graph = trace_gradient(ctx->runtime->ops, *site.entry, site.inputs, site.outputs,
                               site.attrs, want, have);
  std::vector<bool> used = graph.mark_live();
  std::vector<ProgramInput> inputs(n_in + 2 * n_out);
  for (size_t i = 0; i < n_in; ++i) {
    inputs[i].shape = site.inputs[i].shape;
    inputs[i].weak = site.inputs[i].weak;
    inputs[i].absent = site.inputs[i].absent || !used[i];
    inputs[i].scalar = site.scalar_inputs[i];
  }
  for (size_t i = 0; i < n_out; ++i) {
    inputs[n_in + i].shape = inputs[n_in + n_out + i].shape = site.outputs[i];
    inputs[n_in + i].absent = !used[n_in + i];
    inputs[n_in + n_out + i].absent = !used[n_in + n_out + i];
  }
  CompileOptions options;
  options.modes = ctx->modes;
  options.queue = ctx->state(site.program->device).queue;
  std::unique_ptr<Program> program;
  try {
    program.reset(compile(ctx->runtime, *site.program->device, graph, inputs, options));
  } catch (Error& e) {  // with fallback it is done op by op
    if (e.code() != TN_UNIMPLEMENTED || !ctx->fallback) throw;
  }
  if (site.gradients.size() >= 16) {  // many masks: forget the oldest
    program_release(site.gradients.front().program);
    site.gradients.erase(site.gradients.begin());
  }
  uint64_t used_bits = 0;
  for (size_t i = 0; i < used.size() && i < 64; ++i)
    used_bits |= static_cast<uint64_t>(used[i]) << i;
  const bool passes =
      program && !program->values && program->steps.empty() && program->buffers.empty() &&
      std::all_of(program->results.begin(), program->results.end(),
                  [](const Result& r) { return r.same || (r.input < 0 && r.buffer < 0); });
  site.gradients.push_back({wants, cotangents, std::move(used), used_bits, program.get(), passes});
  (void)program.release();
  return site.gradients.back();
}

[[gnu::cold, noreturn]] static void refuse_foreign(const Site& site, uint32_t i) {
  fail(TN_FAILED_PRECONDITION,
       "{}: input {} was recorded by another context. Use tn_tensor_detach, or take it from its "
       "variable here.",
       site.entry->name(), i);
}

void record(tn_ctx* ctx, Site& site, tn_tensor* const* inputs, tn_tensor** outputs,
            uint32_t n_outputs) {
  uint64_t wants = 0;
  for (uint32_t i = 0; i < site.n_in; ++i) {
    if (!inputs[i] || !inputs[i]->node) continue;  // only floating tensors have nodes
    if (inputs[i]->node->heap != ctx->heap) [[unlikely]]
      refuse_foreign(site, i);
    wants |= 1ull << std::min(i, 63u);
  }
  if (!wants) return;
  const uint64_t cotangents = site.floating_outputs;
  // Values of a capture cost nothing to keep; those of a call are kept where the gradient needs them.
  const GradProgram* gradient =
      site.program ? &site_gradient(ctx, site, wants, cotangents) : nullptr;
  const uint64_t used = gradient ? gradient->used_bits : ~0ull;
  const auto uses = [&](size_t i) {
    return i < 64 ? (used >> i & 1) != 0 : !gradient || gradient->used[i];
  };
  Node* node = node_make(ctx->heap, NodeKind::kOp, site.n_in, n_outputs);
  node->site = &site;
  ++site.refs;
  node->wants = wants;
  for (uint32_t i = 0; i < site.n_in; ++i) {
    tn_tensor* t = inputs[i];
    if (!t) continue;
    if (t->node) node->edges[i] = {node_retain(t->node), t->out_index};
    if (uses(i)) node->saved[i] = keep(ctx, t);
  }
  try {
    for (uint32_t k = 0; k < n_outputs; ++k) {
      tn_tensor* t = outputs[k];
      // A result that is an input itself must not get that input's place on the tape.
      for (uint32_t i = 0; site.gives_inputs && i < site.n_in; ++i)
        if (inputs[i] == t) {
          tn_tensor* fresh = make_alias(ctx, t);
          drop(ctx, t);
          outputs[k] = t = fresh;
          break;
        }
      // A saved output shares the memory, not the tensor: that would be a cycle.
      if (uses(site.n_in + k)) node->saved[site.n_in + k] = make_alias(ctx, t);
    }
  } catch (...) {
    node_release(node);
    throw;
  }
  for (uint32_t k = 0; k < n_outputs; ++k) {
    if (!(site.floating_outputs >> std::min(k, 63u) & 1)) continue;
    outputs[k]->node = node_retain(node);
    outputs[k]->out_index = k;
  }
  if (--node->refs == 0) node->refs = 1, node_release(node);  // no floating output: nobody holds it
}

}  // namespace tenon
