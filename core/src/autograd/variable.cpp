#include "autograd.hpp"
#include "base/error.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"

namespace tenon {

tn_tensor* make_leaf(tn_ctx* ctx, tn_tensor* t, Node* node) {
  if (is_scalar(t))
    fail(TN_INVALID_ARGUMENT,
         "leaf: a host scalar cannot need a gradient; make it a tensor with tn_tensor_full");
  Owned leaf(ctx,
             make_view(ctx, t->buffer, t->device, shape_of(t->view), t->shape_id, t->view.offset));
  leaf.get()->queue = t->queue;
  leaf.get()->value = t->value;
  leaf.get()->flags |= t->flags & (kExternal | kAbstract);
  leaf.get()->node = node ? node_retain(node) : node_make(ctx->heap, NodeKind::kLeaf, 0, 1);
  leaf.get()->out_index = 0;
  return leaf.release();
}

namespace {

using Leaves = decltype(tn_ctx::leaves);

void set_tensor(tn_ctx* ctx, tn_ctx::Leaf& leaf, tn_tensor* t) noexcept {
  if (leaf.tensor) drop(ctx, leaf.tensor);
  leaf.tensor = t;
}

Leaves::iterator remove(tn_ctx* ctx, Leaves::iterator it) noexcept {
  const tn_ctx::Leaf leaf = it->second;
  it = ctx->leaves.erase(it);
  if (leaf.tensor) drop(ctx, leaf.tensor);
  if (leaf.node) node_release(leaf.node);
  tn_variable_release(leaf.variable);
  return it;
}

void sweep(tn_ctx* ctx) {
  for (auto it = ctx->leaves.begin(); it != ctx->leaves.end();) {
    const bool ours = it->second.variable->refs.load(std::memory_order_acquire) == 1;
    it = ours ? remove(ctx, it) : std::next(it);
  }
  ctx->leaves_swept = ctx->leaves.size() * 2 + 64;
}

}  // namespace

// The values that a variable takes one after the other are leaves of one node while a tape remembers it, so that a tape recorded
// before an assignment still finds it. A node with hooks belongs to the value that they were added to.
tn_tensor* variable_leaf(tn_ctx* ctx, tn_variable* v) {
  if (ctx->recorder) return ctx->recorder->variable(*v);
  auto it = ctx->leaves.find(v);
  const bool known = it != ctx->leaves.end();
  tn_tensor* held;
  uint64_t version;
  {
    std::lock_guard lock(v->mutex);
    check_not_lost(v->value);
    version = v->version;
    if (known && it->second.tensor && it->second.version == version) return it->second.tensor;
    held = tensor_retain(v->value);
  }
  Node* node = known && it->second.node && !it->second.node->hooks ? it->second.node : nullptr;
  Owned leaf(ctx, nullptr);
  try {
    if (!known && ctx->leaves.size() >= ctx->leaves_swept) sweep(ctx);
    if (v->flags & TN_VARIABLE_NOT_TRAINABLE || !is_floating(held->view.dtype))
      leaf = Owned(ctx, make_alias(ctx, held));
    else
      leaf = Owned(ctx, make_leaf(ctx, held, node));
    if (!known) {
      it = ctx->leaves.emplace(v, tn_ctx::Leaf{version, nullptr, nullptr, v}).first;
      tn_variable_retain(v);
    }
  } catch (...) {
    tn_tensor_release(held);
    throw;
  }
  tn_tensor_release(held);
  tn_ctx::Leaf& entry = it->second;
  if (leaf.get()->node != entry.node) {
    if (entry.node) node_release(entry.node);
    entry.node = leaf.get()->node ? node_retain(leaf.get()->node) : nullptr;
  }
  entry.version = version;
  set_tensor(ctx, entry, leaf.release());
  return entry.tensor;
}

void variable_forget(tn_ctx* ctx, tn_variable* const* variables, size_t n) noexcept {
  for (size_t i = 0; i < n; ++i) {
    auto it = ctx->leaves.find(variables[i]);
    if (it == ctx->leaves.end()) continue;
    set_tensor(ctx, it->second, nullptr);
    if (!it->second.node || it->second.node->refs == 1) remove(ctx, it);
  }
}

void forget_leaves(tn_ctx* ctx) noexcept {
  for (auto it = ctx->leaves.begin(); it != ctx->leaves.end();) it = remove(ctx, it);
}

}  // namespace tenon
