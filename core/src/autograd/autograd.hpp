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

// The thread sanitizer follows at most 64 locks of a thread.
#if defined(__SANITIZE_THREAD__)
constexpr size_t kMaxLocked = 32;
#else
constexpr size_t kMaxLocked = SIZE_MAX;
#endif

// Locks of several variables, taken in the order of their addresses, so that nobody waits for each other. As long as they are
// locked nobody can come to hold their memory, and it may be written over.
class VariableLocks {
 public:
  explicit VariableLocks(size_t n) { locked_.reserve(n); }
  VariableLocks(const VariableLocks&) = delete;
  ~VariableLocks() {
    for (tn_variable* v : locked_) v->mutex.unlock();
  }
  void lock(tn_variable* v) {
    v->mutex.lock();
    locked_.push_back(v);
  }

 private:
  std::vector<tn_variable*> locked_;
};

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
