// An optimizer in use: its hyper-parameters, and the state of every variable that it has stepped.
#pragma once
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "autograd/autograd.hpp"
#include "tenon/optimizer.h"
#include "tenon/plugin/optimizer.h"

namespace tenon {

// State of one variable.
struct OptimizerGroup {
  tn_variable* variable = nullptr;  // counted; the one that was stepped last under this name
  std::vector<tn_tensor*> slots;    // owned
  std::vector<std::string> names;   // "<variable>.<slot>"
};

}  // namespace tenon

// One thread at a time, but for programs, which step it under `mutex`. Holds no pointer to data of a plugin but the recipe.
struct tn_optimizer {
  struct Hyper {
    std::string name;
    double min, max;
    bool constant;
    tn_variable* variable = nullptr;  // counted; null for a constant one
  };
  struct Slot {
    std::string name;
    double initial;
  };

  std::atomic<uint32_t> refs{1};
  std::mutex mutex;
  tn_runtime* runtime = nullptr;  // counted
  std::string name;
  std::string recipe_name;  // "adam update", for messages and as a key
  tn_recipe update = nullptr;
  const tenon::OpEntry* fused = nullptr;  // null: it has none
  std::vector<Hyper> hypers;
  std::vector<tn_attr> constants;
  std::vector<Slot> slots;

  int64_t step = 0;  // updates done
  std::vector<tenon::OptimizerGroup> groups;
  std::unordered_map<std::string, size_t> group_of;  // by the variable's name
  std::map<std::string, tn_tensor*> pending;         // state set for variables not seen yet; owned

  ~tn_optimizer();
};

namespace tenon {

inline tn_optimizer* optimizer_retain(tn_optimizer* o) noexcept {
  o->refs.fetch_add(1, std::memory_order_relaxed);
  return o;
}
inline void optimizer_release(tn_optimizer* o) noexcept {
  if (o && o->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete o;
}

// All throw; contracts in tenon/optimizer.h.
tn_optimizer* optimizer_create(tn_ctx* ctx, std::string_view name, const tn_option* options,
                               uint32_t n_options);
tn_variable* optimizer_hyper(tn_optimizer& o, std::string_view name);
// finite: a bool scalar; where it is false everything keeps its value, but the step is counted.
void optimizer_step(tn_ctx* ctx, tn_optimizer& o, tn_variable* const* variables,
                    tn_tensor* const* grads, uint32_t n, tn_tensor* finite = nullptr);
uint32_t optimizer_state_count(const tn_optimizer& o);
Owned optimizer_state_take(tn_ctx* ctx, tn_optimizer& o, uint32_t index, tn_str* out_name);
void optimizer_state_set(tn_ctx* ctx, tn_optimizer& o, std::string_view name, tn_tensor* value);

// Gives the state of a variable, making it from what was set before or from the slots' initial values. Throws if what was set
// does not fit the variable. What it makes is for a NewState to keep.
OptimizerGroup& optimizer_group(tn_ctx* ctx, tn_optimizer& o, tn_variable* variable,
                                tn_device* device);

// The state that is made while it lives goes with it, unless it is kept: what was set is used up only then.
class NewState {
 public:
  NewState(tn_ctx* ctx, tn_optimizer& o) : ctx_(ctx), o_(o), before_(o.groups.size()) {}
  ~NewState();
  NewState(const NewState&) = delete;
  void keep() noexcept;

 private:
  tn_ctx* ctx_;
  tn_optimizer& o_;
  size_t before_;
};

void clip_grad_value(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n, double limit,
                     tn_tensor** out_grads);
void clip_grad_norm(tn_ctx* ctx, tn_tensor* const* grads, uint32_t n, double max_norm,
                    tn_tensor** out_grads, tn_tensor** out_norm);

// What narrow parameters and gradients are computed in.
inline tn_dtype slot_dtype(tn_dtype t) {
  return t == TN_DTYPE_F16 || t == TN_DTYPE_BF16 ? TN_DTYPE_F32 : t;
}

// Options of an optimizer or a schedule: numbers by name.
double option_number(std::string_view owner, const tn_option& option);

// Makes tensors on another device than the context's own while it lives.
class DeviceScope {
 public:
  DeviceScope(tn_ctx* ctx, tn_device* device) : ctx_(ctx), before_(ctx->device) {
    ctx->device = device;
  }
  ~DeviceScope() { ctx_->device = before_; }
  DeviceScope(const DeviceScope&) = delete;

 private:
  tn_ctx* ctx_;
  tn_device* before_;
};

// A weakly typed host scalar.
Owned scalar(tn_ctx* ctx, double value);
// t itself where it has the dtype.
Owned cast(tn_ctx* ctx, tn_tensor* t, tn_dtype dtype);
// tn_tensor_full as an owned reference, on the context's device.
Owned make_full(tn_ctx* ctx, tn_dtype dtype, double value, const Shape& like);

}  // namespace tenon
