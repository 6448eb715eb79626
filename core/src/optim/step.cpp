// One step: every variable gets its update, or none does.
#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/heap_sort.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "optimizer.hpp"
#include "recipe/run.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

// The variables that have a gradient.
struct Work {
  std::vector<tn_variable*> variables;
  std::vector<tn_tensor*> grads;
  std::vector<tn_tensor*> values;  // of the variables
  std::vector<OptimizerGroup*> groups;
  std::vector<tn_tensor*> slots;  // of the groups, one after the other
  std::vector<Owned> kept;        // the values, where the variables are not locked
  tn_device* device = nullptr;
  size_t size() const { return variables.size(); }
};

bool computes(tn_dtype t) {
  return t == TN_DTYPE_F32 || t == TN_DTYPE_F64 || t == TN_DTYPE_F16 || t == TN_DTYPE_BF16;
}

void check_gradient(const tn_optimizer& o, const tn_variable& v, const tn_tensor* grad) {
  const Shape& s = v.shape;
  if (!computes(s.dtype))
    fail(TN_INVALID_ARGUMENT,
         "optimizer {}: variable \"{}\" is {}; only f32, f64, f16 and bf16 are updated", o.name,
         v.name, shape_text(s));
  const tn_view& g = grad->view;
  if (is_scalar(grad) || !same_type(g, s))
    fail(TN_INVALID_ARGUMENT, "optimizer {}: variable \"{}\" is {}, its gradient {}", o.name,
         v.name, shape_text(s), named_shape(grad));
}

Work collect(const tn_optimizer& o, tn_variable* const* variables, tn_tensor* const* grads,
             uint32_t n) {
  Work w;
  for (uint32_t i = 0; i < n; ++i) {
    if (!variables[i]) fail(TN_INVALID_ARGUMENT, "optimizer {}: variable {} is NULL", o.name, i);
    if (!grads[i]) continue;
    check_gradient(o, *variables[i], grads[i]);
    if (!w.device) w.device = grads[i]->device;
    if (grads[i]->device != w.device)
      fail(TN_INVALID_ARGUMENT,
           "optimizer {}: the gradient of \"{}\" lives on {}, that of \"{}\" on {}. Step them by "
           "one optimizer each.",
           o.name, w.variables[0]->name, w.device->name, variables[i]->name,
           grads[i]->device->name);
    w.variables.push_back(variables[i]);
    w.grads.push_back(grads[i]);
  }
  return w;
}

// Two variables of one name would share their state.
void check_names(const tn_optimizer& o, const Work& w) {
  std::vector<std::string_view> names;
  for (const tn_variable* v : w.variables) names.emplace_back(v->name);
  heap_sort(names);
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    fail(TN_INVALID_ARGUMENT,
         "optimizer {}: two of the variables are named \"{}\"; state is kept by name", o.name,
         *twice);
}

// Finds the state of each variable.
void find_state(tn_ctx* ctx, tn_optimizer& o, Work& w) {
  o.groups.reserve(o.groups.size() + w.size());  // so that groups stay where they are
  try {
    for (tn_variable* v : w.variables) w.groups.push_back(&optimizer_group(ctx, o, v, w.device));
  } catch (const Error&) {
    check_names(o, w);  // if that is why, it says more
    throw;
  }
  std::vector<OptimizerGroup*> sorted = w.groups;
  heap_sort(sorted);
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) check_names(o, w);
}

// step and the variable hyper-parameters, on the device of the variables.
std::vector<Owned> scalars(tn_ctx* ctx, tn_optimizer& o, tn_device* device) {
  std::vector<Owned> out;
  out.reserve(1 + o.hypers.size());
  const DeviceScope scope(ctx, device);
  out.push_back(ctx->recorder
                    ? ctx->recorder->next_step(o)
                    : make_full(ctx, TN_DTYPE_F32, static_cast<double>(o.step + 1), Shape{}));
  for (const auto& h : o.hypers) {
    if (h.constant) continue;
    Owned value(ctx, keep(ctx, variable_leaf(ctx, h.variable)));
    if (value.get()->device != device) {
      tn_tensor* moved = nullptr;
      check(tn_tensor_to(ctx, value.get(), tn_string(device->name.c_str()), &moved));
      value = Owned(ctx, moved);
    }
    out.push_back(std::move(value));
  }
  return out;
}

// The update failed: what it was writing over says so from now on.
void name_losses(const tn_optimizer& o, const Work& w, const Error& cause) noexcept {
  for (size_t i = 0; i < w.size(); ++i) {
    name_loss(w.values[i], "variable", w.variables[i]->name, "a step of optimizer", o.name, cause);
    for (size_t k = 0; k < o.slots.size(); ++k)
      name_loss(w.slots[i * o.slots.size() + k], "optimizer state", w.groups[i]->names[k],
                "a step of optimizer", o.name, cause);
  }
}

// All parameters in one call of the fused op. Where the device's kernel works in place, memory that nobody else holds is reused.
// Everything on the host that can fail comes before the kernel starts.
std::vector<Owned> run_fused(tn_ctx* ctx, tn_optimizer& o, const Work& w, bool locked, bool give,
                             const std::vector<Owned>& common) {
  const size_t n_slots = o.slots.size();
  std::vector<tn_tensor*> inputs;
  std::vector<bool> donate;
  inputs.reserve(common.size() + w.size() * (2 + n_slots));
  donate.reserve(inputs.capacity());
  const auto add = [&](tn_tensor* t, bool may) {
    inputs.push_back(t);
    donate.push_back(give && may && sole_reference(ctx, t));
  };
  for (const Owned& t : common) add(t.get(), false);
  for (size_t i = 0; i < w.size(); ++i) {
    add(w.values[i], locked);
    add(w.grads[i], false);
    for (size_t k = 0; k < n_slots; ++k) add(w.slots[i * n_slots + k], true);
  }
  std::vector<tn_tensor*> outputs(w.size() * (1 + n_slots), nullptr);
  std::vector<Owned> results;
  results.reserve(outputs.size());
  try {
    op_call_donating(ctx, o.fused->id, inputs, o.constants, outputs, donate);
  } catch (const Error& e) {
    name_losses(o, w, e);
    throw;
  }
  for (tn_tensor* t : outputs) results.emplace_back(ctx, t);
  return results;
}

// One parameter after the other by the recipe, into memory of its own.
std::vector<Owned> run_recipes(tn_ctx* ctx, tn_optimizer& o, const Work& w,
                               const std::vector<Owned>& common) {
  const size_t n_slots = o.slots.size();
  std::vector<Owned> results;
  results.reserve(w.size() * (1 + n_slots));
  std::vector<tn_tensor*> inputs, outputs(1 + n_slots);
  for (size_t i = 0; i < w.size(); ++i) {
    inputs.assign({w.values[i], w.grads[i]});
    const auto slots = w.slots.begin() + static_cast<std::ptrdiff_t>(i * n_slots);
    inputs.insert(inputs.end(), slots, slots + static_cast<std::ptrdiff_t>(n_slots));
    for (const Owned& t : common) inputs.push_back(t.get());
    run_recipe(ctx, o.recipe_name.c_str(), o.update, inputs, o.constants, outputs);
    for (tn_tensor* t : outputs) results.emplace_back(ctx, t);
  }
  return results;
}

// What the update gave must be what the variables and slots are: an optimizer may come from anywhere.
void check_results(const tn_optimizer& o, const Work& w, const std::vector<Owned>& results) {
  const size_t group = 1 + o.slots.size();
  for (size_t i = 0; i < w.size(); ++i) {
    for (size_t k = 0; k < group; ++k) {
      const tn_tensor* was = k == 0 ? w.values[i] : w.slots[i * (group - 1) + k - 1];
      const tn_tensor* is = results[i * group + k].get();
      const tn_view &a = was->view, &b = is->view;
      if (is_scalar(is) || !same_type(a, b))
        fail(TN_INVALID_ARGUMENT, "optimizer {}: its update made {} of \"{}\" {}, which was {}",
             o.name, k == 0 ? "the value" : o.slots[k - 1].name, w.variables[i]->name,
             shape_text(b), shape_text(a));
    }
  }
}

// Where `finite` is false, the values before.
void keep_old(tn_ctx* ctx, const Work& w, tn_tensor* finite, std::vector<Owned>& results) {
  const size_t group = results.size() / w.size();
  for (size_t i = 0; i < results.size(); ++i) {
    const size_t k = i % group;
    tn_tensor* was = k == 0 ? w.values[i / group] : w.slots[i / group * (group - 1) + k - 1];
    results[i] = call_one(ctx, TN_OP_WHERE, {finite, results[i].get(), was});
  }
}

// From here on nothing fails.
void commit(tn_ctx* ctx, tn_optimizer& o, const Work& w, bool locked,
            std::vector<Owned>& results) noexcept {
  const size_t group = 1 + o.slots.size();
  for (size_t i = 0; i < w.size(); ++i) {
    tn_variable& v = *w.variables[i];
    if (!locked) v.mutex.lock();
    tn_tensor* old = std::exchange(v.value, results[i * group].release());
    ++v.version;
    if (!locked) v.mutex.unlock();
    drop(ctx, old);
    OptimizerGroup& state = *w.groups[i];
    if (state.variable != &v)  // one of the same name takes over
      tn_variable_release(std::exchange(state.variable, tn_variable_retain(&v)));
    for (size_t k = 1; k < group; ++k)
      drop(ctx, std::exchange(state.slots[k - 1], results[i * group + k].release()));
  }
  ++o.step;
}

std::vector<Owned> update(tn_ctx* ctx, tn_optimizer& o, const Work& w, bool locked,
                          const std::vector<Owned>& common, tn_tensor* finite) {
  std::vector<Owned> results = o.fused && device_has_kernel(w.device, o.fused->slot)
                                   ? run_fused(ctx, o, w, locked, !finite, common)
                                   : run_recipes(ctx, o, w, common);
  check_results(o, w, results);
  if (finite) keep_old(ctx, w, finite, results);
  return results;
}

// In a capture: the update over the values that a run will find, which takes effect at its end.
void record_step(tn_ctx* ctx, tn_optimizer& o, Work& w, tn_tensor* finite) {
  const std::vector<Owned> common = scalars(ctx, o, w.device);
  for (size_t i = 0; i < w.size(); ++i) {
    w.values.push_back(variable_leaf(ctx, w.variables[i]));
    const auto group = static_cast<size_t>(w.groups[i] - o.groups.data());
    for (size_t k = 0; k < o.slots.size(); ++k) w.slots.push_back(ctx->recorder->slot(o, group, k));
  }
  std::vector<Owned> results = update(ctx, o, w, false, common, finite);
  size_t next = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    ctx->recorder->assign(*w.variables[i], results[next++].get());
    const auto group = static_cast<size_t>(w.groups[i] - o.groups.data());
    for (size_t k = 0; k < o.slots.size(); ++k)
      ctx->recorder->assign_slot(o, group, k, results[next++].get());
  }
}

}  // namespace

void optimizer_step(tn_ctx* ctx, tn_optimizer& o, tn_variable* const* variables,
                    tn_tensor* const* grads, uint32_t n, tn_tensor* finite) {
  const NoGrad no_grad(ctx);
  Work w = collect(o, variables, grads, n);
  if (w.size() == 0) return;
  NewState state(ctx, o);
  {
    const Unrecorded now(ctx);
    find_state(ctx, o, w);
  }
  if (ctx->recorder) {
    record_step(ctx, o, w, finite);
    state.keep();
    return;
  }
  for (OptimizerGroup* group : w.groups)
    w.slots.insert(w.slots.end(), group->slots.begin(), group->slots.end());
  const std::vector<Owned> common = scalars(ctx, o, w.device);
  settle(ctx);
  // The context's own views of the old values would count as holders of their memory.
  variable_forget(ctx, w.variables.data(), w.size());

  VariableLocks locks(w.size());
  const bool locked = w.size() <= kMaxLocked;
  if (locked) {
    std::vector<tn_variable*> sorted = w.variables;
    heap_sort(sorted);
    for (tn_variable* v : sorted) locks.lock(v);
  }
  for (tn_variable* v : w.variables) {
    if (locked) {
      w.values.push_back(v->value);
      continue;
    }
    const std::lock_guard lock(v->mutex);
    Owned value(ctx, keep(ctx, v->value));
    w.values.push_back(value.get());
    w.kept.push_back(std::move(value));
  }
  std::vector<Owned> results = update(ctx, o, w, locked, common, finite);
  commit(ctx, o, w, locked, results);
  state.keep();
}

}  // namespace tenon
