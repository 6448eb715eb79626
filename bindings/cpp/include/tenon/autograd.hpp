// Variable, and gradients. Gradients are returned; adding them up is the caller's business.
#pragma once
#include "tenon/autograd.h"
#include "tenon/tensor.hpp"

namespace tenon {

// A named slot that holds a tensor; copies are the same slot. Where a tensor is wanted, its current value is taken.
class Variable {
 public:
  Variable(const Context& cx, std::string_view name, const Tensor& value, bool trainable = true)
      : ctx_(cx.get()) {
    check(tn_variable_create(ctx_, to_str(name), value.get(),
                             trainable ? 0 : TN_VARIABLE_NOT_TRAINABLE, &variable_));
  }
  // Takes over one reference.
  Variable(tn_ctx* ctx, tn_variable* variable) : ctx_(ctx), variable_(variable) {}
  Variable(const Variable& other)
      : ctx_(other.ctx_),
        variable_(other.variable_ ? tn_variable_retain(other.variable_) : nullptr) {}
  Variable(Variable&& other) noexcept
      : ctx_(other.ctx_), variable_(std::exchange(other.variable_, nullptr)) {}
  Variable& operator=(Variable other) noexcept {
    std::swap(ctx_, other.ctx_);
    std::swap(variable_, other.variable_);
    return *this;
  }
  ~Variable() { tn_variable_release(variable_); }
  tn_variable* get() const { return variable_; }
  tn_ctx* context() const { return ctx_; }

  std::string_view name() const { return to_view(tn_variable_name(variable_)); }
  // A leaf for gradients.
  Tensor value() const {
    tn_tensor* t = nullptr;
    check(tn_variable_take(ctx_, variable_, &t));
    return {ctx_, t};
  }
  // NOLINTNEXTLINE(google-explicit-constructor): ops take tensors
  operator Tensor() const { return value(); }
  // Same dtype and dims as before.
  void assign(const Tensor& value) { check(tn_variable_assign(ctx_, variable_, value.get())); }

 private:
  tn_ctx* ctx_;
  tn_variable* variable_ = nullptr;
};

inline Operand::Operand(const Variable& variable)
    : ctx_(variable.context()), made_(variable.value()), tensor_(&made_) {}

namespace detail {
inline std::vector<tn_variable*> handles(std::span<const Variable> variables) {
  std::vector<tn_variable*> list;
  list.reserve(variables.size());
  for (const Variable& v : variables) list.push_back(v.get());
  return list;
}
}  // namespace detail

// d loss / d variable, at the values last taken in the context of `loss`. Frees the tape.
inline std::vector<Tensor> grad(const Tensor& loss, std::span<const Variable> variables) {
  std::vector<tn_tensor*> grads(variables.size(), nullptr);
  check(tn_grad(loss.context(), loss.get(), detail::handles(variables).data(),
                static_cast<uint32_t>(variables.size()), grads.data()));
  return detail::owned(loss.context(), grads);
}

// Vector-Jacobian product: one cotangent per output, or none where the outputs have one element. flags: TN_GRAD_...; with
// TN_GRAD_ALLOW_UNUSED a result may be empty.
inline std::vector<Tensor> vjp(std::span<const Tensor> outputs, std::span<const Tensor> cotangents,
                               std::span<const Tensor> inputs, uint32_t flags = 0) {
  if (outputs.empty() || (!cotangents.empty() && cotangents.size() != outputs.size()))
    throw Error(TN_INVALID_ARGUMENT, "vjp: it needs an output, and no cotangents or one for each");
  tn_ctx* const ctx = outputs[0].context();
  std::vector<tn_tensor*> grads(inputs.size(), nullptr);
  const std::vector<tn_tensor*> seeds = detail::handles(cotangents);
  check(tn_vjp(ctx, detail::handles(outputs).data(), seeds.empty() ? nullptr : seeds.data(),
               static_cast<uint32_t>(outputs.size()), detail::handles(inputs).data(),
               static_cast<uint32_t>(inputs.size()), flags, grads.data()));
  return detail::owned(ctx, grads);
}

// The gradient of one scalar with respect to one tensor, which is a leaf or was computed from one.
inline Tensor grad(const Tensor& loss, const Tensor& input, uint32_t flags = 0) {
  return std::move(vjp({&loss, 1}, {}, {&input, 1}, flags)[0]);
}

}  // namespace tenon
