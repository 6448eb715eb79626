// Takes gradients: tn_vjp, tn_grad.
#include <algorithm>

#include "autograd.hpp"
#include "base/error.hpp"
#include "base/small.hpp"
#include "op/runtime.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

// One backward pass. Cotangents lie in the nodes meanwhile.
class Backward {
 public:
  // The list of nodes keeps its memory in the context between passes (a nested pass starts a list of its own).
  Backward(tn_ctx* ctx, uint32_t flags)
      : ctx_(ctx),
        flags_(flags),
        epoch_(++ctx->backward_epoch),
        order_(std::move(ctx->backward_order)) {
    order_.clear();
  }
  ~Backward() {
    for (Node* n : order_) {
      for (uint32_t k = 0; k < n->n_out; ++k)
        if (n->cotangents[k]) drop(ctx_, std::exchange(n->cotangents[k], nullptr));
      n->needed = false;
      node_release(n);
    }
    order_.clear();
    ctx_->backward_order = std::move(order_);
  }

  void start(tn_tensor* output, tn_tensor* cotangent);
  void target(tn_tensor* t);
  void run();
  tn_tensor* take(tn_tensor* input);

 private:
  void reach(Node* root);
  void add(Node* n, uint32_t index, Owned grad);
  void step(Node* n);
  void gradients_of_op(Node* n, tn_tensor** results);
  void gradients_of_callback(Node* n, tn_tensor** results);
  bool create() const { return (flags_ & TN_GRAD_CREATE) != 0; }
  bool retain() const { return (flags_ & (TN_GRAD_RETAIN | TN_GRAD_CREATE)) != 0; }

  tn_ctx* ctx_;
  uint32_t flags_;
  uint64_t epoch_;
  std::vector<Node*> order_;  // all that were reached, counted
  std::vector<std::pair<Node*, uint32_t>> targets_;
};

void Backward::reach(Node* root) {
  if (root->epoch == epoch_) return;
  auto take = [this](Node* n) {
    // Its edges are gone: what lies below cannot be seen any more, and leaving it out would give a wrong gradient.
    if (n->freed)
      fail(TN_FAILED_PRECONDITION,
           "gradient: the tape was already used and freed. Pass TN_GRAD_RETAIN to the first call "
           "to go through it twice.");
    order_.push_back(n);
    ++n->refs;
    n->epoch = epoch_;
    n->needed = false;
  };
  take(root);
  for (size_t i = order_.size() - 1; i < order_.size(); ++i) {  // the list is its own work list
    Node* n = order_[i];
    for (uint32_t k = 0; k < n->n_in; ++k)
      if (Node* c = n->edges[k].node; c && c->epoch != epoch_) take(c);
  }
}

void Backward::add(Node* n, uint32_t index, Owned grad) {
  tn_tensor*& slot = n->cotangents[index];
  if (!slot) {
    slot = grad.release();
    return;
  }
  Owned sum = call_one(ctx_, TN_OP_ADD, {slot, grad.get()});
  drop(ctx_, slot);
  slot = sum.release();
}

void Backward::start(tn_tensor* output, tn_tensor* cotangent) {
  if (!output->node)
    fail(TN_FAILED_PRECONDITION,
         "gradient: the output does not depend on anything that needs a gradient (was grad mode "
         "off, or is it an integer result?)");
  if (output->node->heap != ctx_->heap)
    fail(TN_FAILED_PRECONDITION,
         "gradient: the tape belongs to another context; take gradients where the operations were "
         "recorded");
  Owned seed(ctx_, nullptr);
  if (cotangent) {
    if (cotangent->view.dtype != output->view.dtype || cotangent->view.rank != output->view.rank ||
        std::memcmp(cotangent->view.dims, output->view.dims, sizeof(int64_t) * output->view.rank) !=
            0)
      fail(TN_INVALID_ARGUMENT, "gradient: the cotangent is {}, the output {}",
           shape_text(cotangent->view), shape_text(output->view));
    seed = Owned(ctx_, keep(ctx_, cotangent));
  } else {
    if (output->view.count != 1)
      fail(TN_INVALID_ARGUMENT,
           "gradient: the output is {}; only an output of one element can do without a cotangent. "
           "Reduce it with tn_sum or tn_mean.",
           shape_text(output->view));
    const double one = 1;
    Owned scalar(ctx_, make_scalar(ctx_, TN_DTYPE_F64, true, &one));
    NoGrad no_grad(ctx_);
    tn_device* device = output->device;
    std::swap(ctx_->device, device);
    try {
      seed = call_one(ctx_, TN_OP_FILL, {scalar.get()},
                      {tn_attr_i64s(TN_FILL_DIMS, output->view.dims, output->view.rank),
                       tn_attr_dtype(TN_FILL_DTYPE, output->view.dtype)});
    } catch (...) {
      std::swap(ctx_->device, device);
      throw;
    }
    std::swap(ctx_->device, device);
  }
  reach(output->node);
  add(output->node, output->out_index, std::move(seed));
}

void Backward::target(tn_tensor* t) {
  if (t->node) targets_.emplace_back(t->node, t->out_index);
}

void Backward::gradients_of_op(Node* n, tn_tensor** results) {
  Site& site = *n->site;
  uint64_t wants = 0, cotangents = 0;
  for (uint32_t i = 0; i < n->n_in; ++i)
    if (n->edges[i].node && n->edges[i].node->needed) wants |= 1ull << std::min(i, 63u);
  for (uint32_t k = 0; k < n->n_out; ++k)
    if (n->cotangents[k]) cotangents |= 1ull << std::min(k, 63u);
  const size_t n_in = n->n_in, n_out = n->n_out;
  Small<tn_tensor*, 8> inputs(n_in + 2 * n_out);
  for (size_t i = 0; i < n_in + n_out; ++i) inputs[i] = n->saved[i];
  for (size_t k = 0; k < n_out; ++k) inputs[n_in + n_out + k] = n->cotangents[k];
  if (create()) {
    auto bit = [](uint64_t mask, size_t i) { return (mask >> std::min<size_t>(i, 63) & 1) != 0; };
    std::vector<bool> want(n_in), have(n_out);
    for (size_t i = 0; i < n_in; ++i)
      want[i] = bit(wants, i) && n->edges[i].node && n->edges[i].node->needed;
    for (size_t k = 0; k < n_out; ++k) have[k] = n->cotangents[k] != nullptr;
    Graph graph = trace_gradient(ctx_->runtime->ops, *site.entry, site.inputs, site.outputs,
                                 site.attrs, want, have);
    // Saved outputs are on the tape again while the gradient is recorded.
    std::vector<Owned> linked;
    for (size_t k = 0; k < n_out; ++k)
      if (tn_tensor* s = n->saved[n_in + k]) {
        Owned t(ctx_, make_view(ctx_, s->buffer, s->device, shape_of(s->view), s->shape_id,
                                s->view.offset));
        t.get()->queue = s->queue;
        t.get()->value = s->value;
        t.get()->node = node_retain(n);
        t.get()->out_index = static_cast<uint32_t>(k);
        inputs[n_in + k] = t.get();
        linked.push_back(std::move(t));
      }
    const std::vector<tn_tensor*> grads = replay(ctx_, graph, inputs.data());
    std::copy(grads.begin(), grads.end(), results);
    return;
  }
  const GradProgram& g = site_gradient(ctx_, site, wants, cotangents);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (g.used[i] && !inputs[i])
      fail(TN_INTERNAL, "{}: its gradient needs value {}, which was not saved", site.entry->name(),
           i);
  // A cotangent or saved value may have other strides than the prepared ones.
  std::vector<Owned> dense;
  for (size_t k = n_in; k < inputs.size(); ++k) {
    if (!g.used[k] || (inputs[k]->view.flags & TN_VIEW_CONTIGUOUS)) continue;
    dense.push_back(call_one(ctx_, TN_OP_COPY, {inputs[k]}));
    inputs[k] = dense.back().get();
  }
  run_program(ctx_, *g.program, inputs.data(), results);
}

void Backward::gradients_of_callback(Node* n, tn_tensor** results) {
  check(n->callback.function(n->callback.user, ctx_, n->cotangents, n->n_out, results, n->n_in));
  for (uint32_t i = 0; i < n->n_in; ++i) {
    const Shape& want = n->shapes[n->n_out + i];
    const tn_tensor* t = results[i];
    if (t && (t->view.dtype != want.dtype || t->view.rank != want.rank ||
              std::memcmp(t->view.dims, want.dims, sizeof(int64_t) * want.rank) != 0))
      fail(TN_INVALID_ARGUMENT, "custom gradient: the gradient of input {} is {}, expected {}", i,
           shape_text(t->view), shape_text(want.dtype, want.rank, want.dims));
  }
}

void Backward::step(Node* n) {
  bool any = false;
  for (uint32_t k = 0; k < n->n_out; ++k) any |= n->cotangents[k] != nullptr;
  if (!any) return;
  if (n->hooks)
    for (size_t h = 0; h < n->hooks->size(); ++h) {
      GradHook hook = (*n->hooks)[h];
      tn_tensor*& slot = n->cotangents[hook.index];
      if (!slot) continue;
      tn_tensor* other = nullptr;
      check(hook.hook.function(hook.hook.user, ctx_, slot, &other));
      if (!other) continue;
      Owned replacement(ctx_, other);
      if (other->view.dtype != slot->view.dtype || other->view.rank != slot->view.rank ||
          std::memcmp(other->view.dims, slot->view.dims, sizeof(int64_t) * slot->view.rank) != 0)
        fail(TN_INVALID_ARGUMENT, "gradient hook: gives {} for a gradient of {}",
             shape_text(other->view), shape_text(slot->view));
      drop(ctx_, slot);
      slot = replacement.release();
    }
  if (n->kind == NodeKind::kLeaf) return;
  struct Grads {
    tn_ctx* ctx;
    Small<tn_tensor*, 4> items;
    ~Grads() {
      for (tn_tensor* t : items)
        if (t) drop(ctx, t);
    }
  } grads{ctx_, Small<tn_tensor*, 4>(n->n_in)};
  if (n->kind == NodeKind::kOp)
    gradients_of_op(n, grads.items.data());
  else if (n->kind == NodeKind::kCustom)
    gradients_of_callback(n, grads.items.data());
  else
    check(tn_tensor_to(ctx_, n->cotangents[0], tn_string(n->from->name.c_str()), &grads.items[0]));
  for (uint32_t i = 0; i < n->n_in; ++i)
    if (grads.items[i] && n->edges[i].node && n->edges[i].node->needed)
      add(n->edges[i].node, n->edges[i].index, Owned(ctx_, std::exchange(grads.items[i], nullptr)));
}

void Backward::run() {
  std::sort(order_.begin(), order_.end(),
            [](const Node* a, const Node* b) { return a->seq < b->seq; });
  for (auto& [n, index] : targets_)
    if (n->epoch == epoch_) n->needed = true;
  for (Node* n : order_)
    for (uint32_t i = 0; i < n->n_in && !n->needed; ++i)
      if (Node* c = n->edges[i].node) n->needed = c->needed;
  const bool before = ctx_->grad_mode;
  ctx_->grad_mode = create();
  try {
    for (size_t i = order_.size(); i-- > 0;) {
      Node* n = order_[i];
      bool is_target = false;
      for (auto& t : targets_) is_target |= t.first == n;
      if (n->needed) step(n);
      if (!retain() && n->kind != NodeKind::kLeaf) node_drop_saved(n);
      if (is_target) continue;
      for (uint32_t k = 0; k < n->n_out; ++k)
        if (n->cotangents[k]) drop(ctx_, std::exchange(n->cotangents[k], nullptr));
    }
  } catch (...) {
    ctx_->grad_mode = before;
    throw;
  }
  ctx_->grad_mode = before;
}

tn_tensor* Backward::take(tn_tensor* input) {
  if (!input->node || input->node->epoch != epoch_) return nullptr;
  tn_tensor* t = input->node->cotangents[input->out_index];
  return t ? keep(ctx_, t) : nullptr;
}

}  // namespace

void vjp(tn_ctx* ctx, tn_tensor* const* outputs, tn_tensor* const* cotangents, uint32_t n_outputs,
         tn_tensor* const* inputs, uint32_t n_inputs, uint32_t flags, const char* const* names,
         tn_tensor** out_grads) {
  std::vector<Owned> grads;
  {
    Backward pass(ctx, flags);
    for (uint32_t i = 0; i < n_outputs; ++i)
      pass.start(outputs[i], cotangents ? cotangents[i] : nullptr);
    for (uint32_t i = 0; i < n_inputs; ++i)
      if (inputs[i]) pass.target(inputs[i]);
    pass.run();
    for (uint32_t i = 0; i < n_inputs; ++i) {
      tn_tensor* g = inputs[i] ? pass.take(inputs[i]) : nullptr;
      if (!g && !(flags & TN_GRAD_ALLOW_UNUSED)) {
        const std::string what =
            names ? fmt::format("variable \"{}\"", names[i]) : fmt::format("input {}", i);
        fail(TN_FAILED_PRECONDITION,
             "gradient: the output does not depend on {} (or only through an op without gradient). "
             "Pass TN_GRAD_ALLOW_UNUSED to get NULL instead.",
             what);
      }
      grads.emplace_back(ctx, g);
    }
  }
  for (uint32_t i = 0; i < n_inputs; ++i) out_grads[i] = grads[i].release();
}

}  // namespace tenon
