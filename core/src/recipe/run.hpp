// Runs recipes and donating calls: for optimizers and the like.
#pragma once
#include <span>

#include "site.hpp"

namespace tenon {

// Runs a recipe (form of a decomposition or update) on tensors; attrs: what b->v->attr(k) gives. Prepared once per name, attributes and
// shapes. Outputs are owned references. Not recorded.
void run_recipe(tn_ctx* ctx, const char* name, tn_recipe recipe, std::span<tn_tensor* const> inputs,
                std::span<const tn_attr> attrs, std::span<tn_tensor*> outputs);
// In a capture: records the ops of a recipe, on the tape if grad mode is on. Outputs as above.
void play_recipe(tn_ctx* ctx, std::string_view name, tn_recipe recipe,
                 std::span<tn_tensor* const> inputs, const Attrs& attrs,
                 std::span<tn_tensor*> outputs);
// What a trace sees of tensors; null: absent.
std::vector<TraceInput> trace_inputs(std::span<tn_tensor* const> tensors);
// A call that may take over the memory of inputs where the op's rule says alias and nobody else holds them. Not recorded.
void op_call_donating(tn_ctx* ctx, tn_op op, std::span<tn_tensor* const> inputs,
                      std::span<const tn_attr> attrs, std::span<tn_tensor*> outputs,
                      const std::vector<bool>& donate);

}  // namespace tenon
