#include "autograd.hpp"
#include "base/error.hpp"
#include "op/runtime.hpp"

namespace tenon {

tn_tensor* make_leaf(tn_ctx* ctx, tn_tensor* t) {
  if (is_scalar(t))
    fail(TN_INVALID_ARGUMENT,
         "leaf: a host scalar cannot need a gradient; make it a tensor with tn_tensor_full");
  Owned leaf(ctx,
             make_view(ctx, t->buffer, t->device, shape_of(t->view), t->shape_id, t->view.offset));
  leaf.get()->queue = t->queue;
  leaf.get()->value = t->value;
  leaf.get()->flags |= t->flags & kExternal;
  leaf.get()->node = node_make(ctx->heap, NodeKind::kLeaf, 0, 1);
  leaf.get()->out_index = 0;
  return leaf.release();
}

namespace {

void sweep(tn_ctx* ctx) {
  for (auto it = ctx->leaves.begin(); it != ctx->leaves.end();) {
    tn_variable* v = it->second.variable;
    if (v->refs.load(std::memory_order_acquire) == 1) {  // only we hold it
      drop(ctx, it->second.tensor);
      it = ctx->leaves.erase(it);
      tn_variable_release(v);
    } else {
      ++it;
    }
  }
  ctx->leaves_swept = ctx->leaves.size() * 2 + 64;
}

}  // namespace

tn_tensor* variable_leaf(tn_ctx* ctx, tn_variable* v) {
  auto it = ctx->leaves.find(v);
  Owned value(ctx, nullptr);
  uint64_t version;
  {
    std::lock_guard lock(v->mutex);
    version = v->version;
    if (it != ctx->leaves.end() && it->second.version == version) return it->second.tensor;
    value = Owned(ctx, tensor_retain(v->value));
  }
  tn_tensor* held = value.release();
  tn_tensor* leaf;
  try {
    if (v->flags & TN_VARIABLE_NOT_TRAINABLE || !is_floating(held->view.dtype)) {
      leaf = make_view(ctx, held->buffer, held->device, shape_of(held->view), held->shape_id,
                       held->view.offset);
      leaf->queue = held->queue;
      leaf->value = held->value;
    } else {
      leaf = make_leaf(ctx, held);
    }
  } catch (...) {
    tn_tensor_release(held);
    throw;
  }
  tn_tensor_release(held);
  if (it != ctx->leaves.end()) {
    drop(ctx, it->second.tensor);
    it->second.tensor = leaf;
    it->second.version = version;
    return leaf;
  }
  try {
    if (ctx->leaves.size() >= ctx->leaves_swept) sweep(ctx);
    ctx->leaves.emplace(v, tn_ctx::Leaf{version, leaf, v});
  } catch (...) {
    drop(ctx, leaf);
    throw;
  }
  tn_variable_retain(v);
  return leaf;
}

void variable_forget(tn_ctx* ctx, tn_variable* const* variables, size_t n) noexcept {
  for (size_t i = 0; i < n; ++i) {
    auto it = ctx->leaves.find(variables[i]);
    if (it == ctx->leaves.end()) continue;
    drop(ctx, it->second.tensor);
    tn_variable* v = it->second.variable;
    ctx->leaves.erase(it);
    tn_variable_release(v);
  }
}

void forget_leaves(tn_ctx* ctx) noexcept {
  for (auto& [key, leaf] : ctx->leaves) {
    drop(ctx, leaf.tensor);
    tn_variable_release(leaf.variable);
  }
  ctx->leaves.clear();
}

}  // namespace tenon
