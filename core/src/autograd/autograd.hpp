// Gradients and variables.
#pragma once
#include "op/node.hpp"
#include "tenon/autograd.h"

// The one mutable thing. Any thread; `mutex` guards value and version.
struct tn_variable {
  std::atomic<uint32_t> refs{1};
  tn_runtime* runtime = nullptr;  // counted
  std::string name;
  uint32_t flags = 0;
  std::mutex mutex;
  tn_tensor* value = nullptr;  // one reference
  uint64_t version = 1;
  tenon::Shape shape;
};

namespace tenon {

inline const tn_runtime* runtime_of(const tn_variable& v) { return v.runtime; }

// names: of the inputs, for messages; may be null.
void vjp(tn_ctx* ctx, tn_tensor* const* outputs, tn_tensor* const* cotangents, uint32_t n_outputs,
         tn_tensor* const* inputs, uint32_t n_inputs, uint32_t flags, const char* const* names,
         tn_tensor** out_grads);

// The context's leaf for the variable's current value; lent.
tn_tensor* variable_leaf(tn_ctx* ctx, tn_variable* v);
// Forgets the context's leaves of these variables, so that nothing here holds their memory.
void variable_forget(tn_ctx* ctx, tn_variable* const* variables, size_t n) noexcept;
void forget_leaves(tn_ctx* ctx) noexcept;
tn_tensor* make_leaf(tn_ctx* ctx, tn_tensor* t,
                     Node* node = nullptr);  // node: of an earlier leaf, to share

}  // namespace tenon
