#include "autograd/autograd.hpp"

#include "op/guards.hpp"
#include "op/recorder.hpp"
#include "recipe/site.hpp"

using namespace tenon;

namespace {

template <class T>
void need_all(tn_ctx* ctx, T* const* items, uint32_t n, const char* function, const char* what) {
  if (n) need(items, function, what);
  for (uint32_t i = 0; i < n; ++i) {
    if (!items[i]) fail(TN_INVALID_ARGUMENT, "{}: {}[{}] is NULL", function, what, i);
    need_own(ctx, items[i], function, what);
  }
}

// Runs a callback's destroy unless it was handed on.
template <class Callback>
struct CallbackGuard {
  Callback* callback;
  ~CallbackGuard() {
    if (callback && callback->destroy) callback->destroy(callback->user);
  }
};

}  // namespace

extern "C" {

tn_error* tn_variable_create(tn_ctx* ctx, tn_str name, tn_tensor* value, uint32_t flags,
                             tn_variable** out) {
  return with_ctx(ctx, "tn_variable_create", [&] {
    need_own(ctx, value, "tn_variable_create", "value");
    need_elements(value, "tn_variable_create");
    need(out, "tn_variable_create", "out_variable");
    if (flags & ~TN_VARIABLE_NOT_TRAINABLE)
      fail(TN_INVALID_ARGUMENT, "tn_variable_create: unknown flags {:#x}", flags);
    if (is_scalar(value))
      fail(TN_INVALID_ARGUMENT,
           "tn_variable_create: a host scalar cannot be a variable; make it a tensor with "
           "tn_tensor_full");
    auto v = std::make_unique<tn_variable>();
    v->name = view_of(name);
    v->flags = flags;
    v->shape = shape_of(value->view);
    tn_tensor* plain = nullptr;
    check(tn_tensor_detach(ctx, value, &plain));
    v->value = plain;
    v->runtime = runtime_retain(ctx->runtime);
    *out = v.release();
  });
}

tn_variable* tn_variable_retain(tn_variable* v) {
  if (v) v->refs.fetch_add(1, std::memory_order_relaxed);
  return v;
}

void tn_variable_release(tn_variable* v) {
  if (!v || v->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  tn_runtime* rt = v->runtime;
  tensor_release_remote(v->value);
  delete v;
  runtime_release(rt);
}

tn_error* tn_variable_take(tn_ctx* ctx, tn_variable* v, tn_tensor** out) {
  return with_ctx(ctx, "tn_variable_take", [&] {
    need_own(ctx, v, "tn_variable_take", "variable");
    need(out, "tn_variable_take", "out_value");
    *out = keep(ctx, variable_leaf(ctx, v));
  });
}

tn_error* tn_variable_assign(tn_ctx* ctx, tn_variable* v, tn_tensor* value) {
  return with_ctx(ctx, "tn_variable_assign", [&] {
    need_own(ctx, v, "tn_variable_assign", "variable");
    need_own(ctx, value, "tn_variable_assign", "value");
    const tn_view& n = value->view;
    if (is_scalar(value) || !same_type(n, v->shape))
      fail(TN_INVALID_ARGUMENT, "variable \"{}\" is {}; {} cannot be assigned to it", v->name,
           shape_text(v->shape), named_shape(value));
    if (ctx->recorder) {
      ctx->recorder->assign(*v, value);
      return;
    }
    need_elements(value, "tn_variable_assign");
    tn_tensor* plain = nullptr;
    check(tn_tensor_detach(ctx, value, &plain));
    tn_tensor* old;
    {
      std::lock_guard lock(v->mutex);
      old = std::exchange(v->value, plain);
      ++v->version;
    }
    variable_forget(ctx, &v, 1);
    tensor_release_remote(old);
  });
}

tn_str tn_variable_name(const tn_variable* v) { return v ? str_of(v->name) : tn_string(""); }

tn_error* tn_grad(tn_ctx* ctx, tn_tensor* loss, tn_variable* const* variables, uint32_t n,
                  tn_tensor** out_grads) {
  return with_ctx(ctx, "tn_grad", [&] {
    need_own(ctx, loss, "tn_grad", "loss");
    need_all(ctx, variables, n, "tn_grad", "variables");
    if (n) need(out_grads, "tn_grad", "out_grads");
    std::vector<tn_tensor*> leaves(n);
    std::vector<const char*> names(n);
    for (uint32_t i = 0; i < n; ++i) {
      leaves[i] = variable_leaf(ctx, variables[i]);
      names[i] = variables[i]->name.c_str();
    }
    vjp(ctx, &loss, nullptr, 1, leaves.data(), n, 0, names.data(), out_grads);
  });
}

tn_error* tn_vjp(tn_ctx* ctx, tn_tensor* const* outputs, tn_tensor* const* cotangents,
                 uint32_t n_outputs, tn_tensor* const* inputs, uint32_t n_inputs, uint32_t flags,
                 tn_tensor** out_grads) {
  return with_ctx(ctx, "tn_vjp", [&] {
    if (flags & ~(TN_GRAD_RETAIN | TN_GRAD_CREATE | TN_GRAD_ALLOW_UNUSED))
      fail(TN_INVALID_ARGUMENT, "tn_vjp: unknown flags {:#x}", flags);
    if (n_outputs == 0) fail(TN_INVALID_ARGUMENT, "tn_vjp: no outputs");
    need_all(ctx, outputs, n_outputs, "tn_vjp", "outputs");
    need_all(ctx, inputs, n_inputs, "tn_vjp", "inputs");
    if (n_inputs) need(out_grads, "tn_vjp", "out_grads");
    vjp(ctx, outputs, cotangents, n_outputs, inputs, n_inputs, flags, nullptr, out_grads);
  });
}

tn_error* tn_tensor_leaf(tn_ctx* ctx, tn_tensor* t, tn_tensor** out) {
  return with_ctx(ctx, "tn_tensor_leaf", [&] {
    need_own(ctx, t, "tn_tensor_leaf", "tensor");
    need(out, "tn_tensor_leaf", "out_leaf");
    if (!is_floating(t->view.dtype))
      fail(TN_INVALID_ARGUMENT, "tn_tensor_leaf: {} has no gradient; only floating dtypes have",
           named_shape(t));
    *out = make_leaf(ctx, t);
  });
}

tn_error* tn_custom_grad(tn_ctx* ctx, tn_tensor* const* inputs, uint32_t n_inputs,
                         tn_tensor* const* outputs, uint32_t n_outputs, tn_grad_callback callback,
                         tn_tensor** out_results) {
  CallbackGuard<tn_grad_callback> hold{&callback};
  return with_ctx(ctx, "tn_custom_grad", [&] {
    need_all(ctx, inputs, n_inputs, "tn_custom_grad", "inputs");
    need_all(ctx, outputs, n_outputs, "tn_custom_grad", "outputs");
    need(out_results, "tn_custom_grad", "out_results");
    if (n_outputs == 0) fail(TN_INVALID_ARGUMENT, "tn_custom_grad: no outputs");
    if (!callback.function)
      fail(TN_INVALID_ARGUMENT, "tn_custom_grad: the callback has no function");
    bool wanted = false;
    for (uint32_t i = 0; i < n_inputs; ++i) {
      if (inputs[i]->node && inputs[i]->node->heap != ctx->heap)
        fail(TN_FAILED_PRECONDITION, "tn_custom_grad: input {} was recorded by another context", i);
      wanted |= inputs[i]->node != nullptr;
    }
    std::vector<Owned> results;
    results.reserve(n_outputs);
    for (uint32_t i = 0; i < n_outputs; ++i) {
      tn_tensor* t = outputs[i];
      if (is_scalar(t)) fail(TN_INVALID_ARGUMENT, "tn_custom_grad: output {} is a host scalar", i);
      results.emplace_back(ctx, make_view(ctx, t->buffer, t->device, shape_of(t->view), t->shape_id,
                                          t->view.offset));
      results.back().get()->queue = t->queue;
      results.back().get()->value = t->value;
    }
    if (wanted && ctx->grad_mode) {
      Node* n = node_make(ctx->heap, NodeKind::kCustom, n_inputs, n_outputs);
      try {
        n->shapes = new Shape[n_inputs + n_outputs];
      } catch (...) {
        node_release(n);
        throw;
      }
      for (uint32_t i = 0; i < n_outputs; ++i) n->shapes[i] = shape_of(outputs[i]->view);
      for (uint32_t i = 0; i < n_inputs; ++i) n->shapes[n_outputs + i] = shape_of(inputs[i]->view);
      for (uint32_t i = 0; i < n_inputs; ++i)
        if (inputs[i]->node) n->edges[i] = {node_retain(inputs[i]->node), inputs[i]->out_index};
      n->callback = callback;
      hold.callback = nullptr;
      for (uint32_t i = 0; i < n_outputs; ++i) {
        results[i].get()->node = node_retain(n);
        results[i].get()->out_index = i;
      }
      node_release(n);
    }
    for (uint32_t i = 0; i < n_outputs; ++i) out_results[i] = results[i].release();
  });
}

tn_error* tn_tensor_add_grad_hook(tn_ctx* ctx, tn_tensor* t, tn_grad_hook hook) {
  CallbackGuard<tn_grad_hook> hold{&hook};
  return with_ctx(ctx, "tn_tensor_add_grad_hook", [&] {
    need_own(ctx, t, "tn_tensor_add_grad_hook", "tensor");
    if (!hook.function)
      fail(TN_INVALID_ARGUMENT, "tn_tensor_add_grad_hook: the hook has no function");
    if (!t->node)
      fail(TN_FAILED_PRECONDITION,
           "tn_tensor_add_grad_hook: the tensor needs no gradient, so none flows into it");
    if (t->node->heap != ctx->heap)
      fail(TN_FAILED_PRECONDITION,
           "tn_tensor_add_grad_hook: the tensor was recorded by another context");
    if (!t->node->hooks) t->node->hooks = new std::vector<GradHook>;
    t->node->hooks->push_back({t->out_index, hook});
    hold.callback = nullptr;
  });
}

}  // extern "C"
