// Optimizer, Schedule, clipping.
#pragma once
#include "tenon/autograd.hpp"
#include "tenon/optimizer.h"

namespace tenon {

// One setting by name: {"lr", 1e-3}, {"nesterov", true}, {"reduction", "sum"}. Its texts are lent.
class Option {
 public:
  template <class T>
  requires(std::integral<T> || std::floating_point<T>) Option(const char* name, T value) {
    if constexpr (std::same_as<T, bool>)
      option_ = tn_option_bool(name, value);
    else if constexpr (std::integral<T>)
      option_ = tn_option_i64(name, static_cast<int64_t>(value));
    else
      option_ = tn_option_f64(name, static_cast<double>(value));
  }
  Option(const char* name, const char* value) : option_(tn_option_string(name, value)) {}
  const tn_option& get() const { return option_; }

 private:
  tn_option option_;
};
static_assert(sizeof(Option) == sizeof(tn_option));

namespace detail {
inline std::vector<tn_option> options(std::initializer_list<Option> list) {
  std::vector<tn_option> raw;
  for (const Option& o : list) raw.push_back(o.get());
  return raw;
}
}  // namespace detail

class Optimizer {
 public:
  // "sgd", "adam", "adamw", "rmsprop", "adagrad", or one that a plugin brings.
  Optimizer(const Context& cx, std::string_view name, std::initializer_list<Option> options = {})
      : ctx_(cx.get()) {
    const std::vector<tn_option> raw = detail::options(options);
    tn_optimizer* optimizer = nullptr;
    check(tn_optimizer_create(ctx_, to_str(name), raw.data(), static_cast<uint32_t>(raw.size()),
                              &optimizer));
    optimizer_.reset(optimizer);
  }
  tn_optimizer* get() const { return optimizer_.get(); }

  // One update of every variable from its gradient; an empty gradient leaves its variable alone.
  void step(std::span<const Variable> variables, std::span<const Tensor> grads) {
    if (variables.size() != grads.size())
      throw Error(TN_INVALID_ARGUMENT, "Optimizer::step: " + std::to_string(variables.size()) +
                                           " variables, but " + std::to_string(grads.size()) +
                                           " gradients");
    check(tn_optimizer_step(ctx_, get(), detail::handles(variables).data(),
                            detail::handles(grads).data(), static_cast<uint32_t>(grads.size())));
  }
  // A hyper-parameter as the variable it is: assign to it to change it.
  Variable hyper(std::string_view name) const {
    tn_variable* variable = nullptr;
    check(tn_optimizer_get_hyper(get(), to_str(name), &variable));
    return {ctx_, tn_variable_retain(variable)};
  }

  // State by slot name ("fc1.weight.exp_avg", "step").
  std::vector<std::pair<std::string, Tensor>> state() const {
    uint32_t n = 0;
    std::vector<std::pair<std::string, Tensor>> entries;
    check(tn_optimizer_state_count(get(), &n));
    for (uint32_t i = 0; i < n; ++i) {
      tn_str name{};
      tn_tensor* value = nullptr;
      check(tn_optimizer_state_take(ctx_, get(), i, &name, &value));
      Tensor owner(ctx_, value);
      entries.emplace_back(std::string(to_view(name)), std::move(owner));
    }
    return entries;
  }
  void set_state(std::string_view name, const Tensor& value) {
    check(tn_optimizer_state_set(ctx_, get(), to_str(name), value.get()));
  }

 private:
  tn_ctx* ctx_;
  detail::Owner<tn_optimizer, tn_optimizer_release> optimizer_;
};

// Drives one variable, most often a learning rate: see tn_schedule_create.
class Schedule {
 public:
  Schedule(const Context& cx, std::string_view kind, std::initializer_list<Option> options,
           const Variable& variable)
      : ctx_(cx.get()) {
    const std::vector<tn_option> raw = detail::options(options);
    tn_schedule* schedule = nullptr;
    check(tn_schedule_create(ctx_, to_str(kind), raw.data(), static_cast<uint32_t>(raw.size()),
                             variable.get(), &schedule));
    schedule_.reset(schedule);
  }
  tn_schedule* get() const { return schedule_.get(); }
  void step() { check(tn_schedule_step(ctx_, get())); }
  double value(uint64_t step) const {
    double value = 0;
    check(tn_schedule_value(get(), step, &value));
    return value;
  }

 private:
  tn_ctx* ctx_;
  detail::Owner<tn_schedule, tn_schedule_release> schedule_;
};

// Loss scaling for f16: see tn_loss_scale.
//
//   grads = tenon::grad(scale(loss), variables);
//   scale.step(optimizer, variables, grads), scale.update();
class LossScale {
 public:
  explicit LossScale(const Context& cx, std::initializer_list<Option> options = {})
      : ctx_(cx.get()) {
    const std::vector<tn_option> raw = detail::options(options);
    tn_loss_scale* scale = nullptr;
    check(tn_loss_scale_create(ctx_, raw.data(), static_cast<uint32_t>(raw.size()), &scale));
    scale_.reset(scale);
  }
  tn_loss_scale* get() const { return scale_.get(); }
  Tensor operator()(const Tensor& loss) const {
    tn_tensor* out = nullptr;
    check(tn_loss_scale_apply(ctx_, get(), loss.get(), &out));
    return {ctx_, out};
  }
  void step(Optimizer& optimizer, std::span<const Variable> variables,
            std::span<const Tensor> grads) const {
    if (variables.size() != grads.size())
      throw Error(TN_INVALID_ARGUMENT, "LossScale::step: " + std::to_string(variables.size()) +
                                           " variables, but " + std::to_string(grads.size()) +
                                           " gradients");
    check(tn_loss_scale_step(ctx_, get(), optimizer.get(), detail::handles(variables).data(),
                             detail::handles(grads).data(), static_cast<uint32_t>(grads.size())));
  }
  void update() const { check(tn_loss_scale_update(ctx_, get())); }
  // "loss_scale.scale" or "loss_scale.steps".
  Variable variable(std::string_view name) const {
    tn_variable* variable = nullptr;
    check(tn_loss_scale_get_variable(get(), to_str(name), &variable));
    return {ctx_, tn_variable_retain(variable)};
  }

 private:
  tn_ctx* ctx_;
  detail::Owner<tn_loss_scale, tn_loss_scale_release> scale_;
};

// Each element to [-limit, limit].
inline std::vector<Tensor> clip_grad_value(const Context& cx, std::span<const Tensor> grads,
                                           double limit) {
  std::vector<tn_tensor*> out(grads.size(), nullptr);
  check(tn_clip_grad_value(cx.get(), detail::handles(grads).data(),
                           static_cast<uint32_t>(grads.size()), limit, out.data()));
  return detail::owned(cx.get(), out);
}

struct Clipped {
  std::vector<Tensor> grads;
  Tensor norm;  // before clipping, f32 scalar
};
// All by one factor, so that their common 2-norm is at most max_norm.
inline Clipped clip_grad_norm(const Context& cx, std::span<const Tensor> grads, double max_norm) {
  std::vector<tn_tensor*> out(grads.size(), nullptr);
  tn_tensor* norm = nullptr;
  check(tn_clip_grad_norm(cx.get(), detail::handles(grads).data(),
                          static_cast<uint32_t>(grads.size()), max_norm, out.data(), &norm));
  return {detail::owned(cx.get(), out), Tensor(cx.get(), norm)};
}

}  // namespace tenon
