// Takes gradients: tn_vjp, tn_grad.
#include <algorithm>

#include "autograd.hpp"
#include "base/error.hpp"
#include "base/heap_sort.hpp"
#include "base/small.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "op/transfer.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

inline uint64_t bit_of(size_t i) { return 1ull << std::min<size_t>(i, 63); }

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
    ++ctx->backward_depth;
  }
  ~Backward() {
    for (tn_tensor* t : few_)
      if (t) drop(ctx_, t);
    for (tn_tensor* t : many_)
      if (t) drop(ctx_, t);
    for (Node* n : order_) {
      for (uint32_t k = 0; k < n->n_out; ++k)
        if (n->cotangents[k]) drop(ctx_, std::exchange(n->cotangents[k], nullptr));
      n->needed = n->target = false;
    }
    for (Outer& o : outer_) {
      o.node->epoch = o.epoch;
      o.node->needed = o.needed;
      o.node->asked = o.asked;
      o.node->target = o.target;
      std::copy(o.cotangents.begin(), o.cotangents.end(), o.node->cotangents);
    }
    for (Node* n : order_) node_release(n);
    order_.clear();
    ctx_->backward_order = std::move(order_);
    --ctx_->backward_depth;
  }

  void start(tn_tensor* output, tn_tensor* cotangent);
  void target(const tn_tensor* t);  // after all starts
  bool reached(const tn_tensor* t) const { return t->node && t->node->epoch == epoch_; }
  void run();
  tn_tensor* take(tn_tensor* input);

 private:
  // What a pass around this one, whose hook or callback started it, keeps in a node.
  struct Outer {
    Node* node;
    uint64_t epoch;
    bool needed, target;
    uint64_t asked;
    std::vector<tn_tensor*> cotangents;
  };

  void reach(Node* root);
  Owned seed(const tn_tensor* output);
  Owned filled(const Shape& shape, tn_device* device, double value);
  void add(Node* n, uint32_t index, tn_tensor* grad);  // owned
  void step(Node* n);
  void run_hooks(Node* n);
  void make_dense(tn_tensor*& t);
  bool pass_on(const Program& p, tn_tensor* const* values, tn_tensor** results);
  void gradients_of_op(Node* n, tn_tensor** results);
  void gradients_by_ops(Node* n, tn_tensor** results);
  void gradients_of_callback(Node* n, tn_tensor** results);
  void other_gradients(Node* n, tn_tensor** results);
  bool create() const { return (flags_ & TN_GRAD_CREATE) != 0; }
  bool retain() const { return (flags_ & (TN_GRAD_RETAIN | TN_GRAD_CREATE)) != 0; }

  tn_ctx* ctx_;
  uint32_t flags_;
  uint64_t epoch_;
  std::vector<Node*> order_;  // all that were reached, counted
  std::vector<Outer> outer_;  // of those, while a pass is inside another
  static constexpr uint32_t kFew = 4;
  tn_tensor* few_[kFew] = {};  // of the step under way: gradients of its inputs, owned
  std::vector<tn_tensor*> many_;
};

void Backward::reach(Node* root) {
  if (root->epoch == epoch_) return;
  auto take = [this](Node* n) {
    // Its edges are gone: what lies below cannot be seen any more, and leaving it out would give a wrong gradient.
    if (n->freed)
      fail(TN_FAILED_PRECONDITION,
           "gradient: the tape was already used and freed. To go through it twice, make the first "
           "call tn_vjp with TN_GRAD_RETAIN.");
    if (ctx_->backward_depth > 1) {
      outer_.push_back(
          {n, n->epoch, n->needed, n->target, n->asked, {n->cotangents, n->cotangents + n->n_out}});
      std::fill_n(n->cotangents, n->n_out, nullptr);
    }
    order_.push_back(n);
    ++n->refs;
    n->epoch = epoch_;
    n->needed = n->target = false;
  };
  take(root);
  for (size_t i = order_.size() - 1; i < order_.size(); ++i) {  // the list is its own work list
    Node* n = order_[i];
    for (uint32_t k = 0; k < n->n_in; ++k)
      if (Node* c = n->edges[k].node; c && c->epoch != epoch_) take(c);
  }
}

inline void Backward::add(Node* n, uint32_t index, tn_tensor* grad) {
  tn_tensor*& slot = n->cotangents[index];
  if (!slot) {
    slot = grad;
    return;
  }
  Owned part(ctx_, grad);
  add_to(ctx_, slot, grad);
}

// One, in the output's shape.
Owned Backward::seed(const tn_tensor* output) {
  if (output->view.count != 1)
    fail(TN_INVALID_ARGUMENT,
         "gradient: the output is {}; only an output of one element can do without a cotangent. "
         "Reduce it with tn_sum or tn_mean.",
         named_shape(output));
  if (!is_abstract(output) && output->device->host_memory() && output->device->is_inline()) {
    DeviceState& ds = ctx_->state(output->device);
    const Shape shape = shape_of(output->view);
    const uint64_t bytes = dtype_size(shape.dtype);
    Owned t(ctx_, make_output(ctx_, ds, shape, output->shape_id, bytes, size_class(bytes)));
    const tn_view& v = t.get()->view;
    t.get()->queue = nullptr;
    element_from_f64(address_of(v), shape.dtype, 1);
    return t;
  }
  return filled(shape_of(output->view), output->device, 1);
}

[[gnu::cold]] Owned Backward::filled(const Shape& shape, tn_device* device, double value) {
  Owned scalar(ctx_, make_scalar(ctx_, TN_DTYPE_F64, true, &value));
  const NoGrad no_grad(ctx_);
  const OnDevice there(ctx_, device);
  return call_one(ctx_, TN_OP_FILL, {scalar.get()},
                  {tn_attr_i64s(TN_FILL_DIMS, shape.dims, shape.rank),
                   tn_attr_dtype(TN_FILL_DTYPE, shape.dtype)});
}

void Backward::start(tn_tensor* output, tn_tensor* cotangent) {
  if (!output->node && (flags_ & TN_GRAD_ALLOW_UNUSED)) return;
  if (!output->node)
    fail(TN_FAILED_PRECONDITION,
         "gradient: the output does not depend on anything that needs a gradient (was grad mode "
         "off, or is it an integer result?)");
  if (output->node->heap != ctx_->heap)
    fail(TN_FAILED_PRECONDITION,
         "gradient: the tape belongs to another context; take gradients where the operations were "
         "recorded");
  if (cotangent && !same_type(cotangent->view, output->view))
    fail(TN_INVALID_ARGUMENT, "gradient: the cotangent is {}, the output {}",
         named_shape(cotangent), named_shape(output));
  need_elements(ctx_, output, "gradient");
  if (cotangent) need_elements(ctx_, cotangent, "gradient");
  Owned grad = cotangent ? Owned(ctx_, keep(ctx_, cotangent)) : seed(output);
  reach(output->node);
  add(output->node, output->out_index, grad.release());
}

void Backward::target(const tn_tensor* t) {
  if (reached(t)) t->node->needed = t->node->target = true;
}

// Through `call`: recorded with TN_GRAD_CREATE, and wherever each op can run.
[[gnu::cold]] void Backward::gradients_by_ops(Node* n, tn_tensor** results) {
  Site& site = *n->site;
  const size_t n_in = n->n_in, n_out = n->n_out;
  Small<tn_tensor*, 8> inputs(n_in + 2 * n_out);
  std::vector<bool> want(n_in), have(n_out);
  for (size_t i = 0; i < n_in; ++i) {
    inputs[i] = n->saved[i];
    want[i] = n->edges[i].node && n->edges[i].node->needed;
  }
  for (size_t k = 0; k < n_out; ++k) {
    inputs[n_in + n_out + k] = n->cotangents[k];
    have[k] = n->cotangents[k] != nullptr;
  }
  Graph graph =
      trace_gradient(ctx_->runtime->ops, *site.entry, site.inputs, site.outputs, site.attrs, want,
                     have, ctx_->recorder ? &ctx_->recorder->symbols() : nullptr);
  // Saved outputs are on the tape again while the gradient is recorded; whole numbers never are.
  std::vector<Owned> linked;
  for (size_t k = 0; k < n_out; ++k)
    if (tn_tensor* s = n->saved[n_in + k]) {
      if (!is_floating(s->view.dtype)) {
        inputs[n_in + k] = s;
        continue;
      }
      Owned t(ctx_, make_alias(ctx_, s));
      if (is_floating(s->view.dtype)) t.get()->node = node_retain(n);
      t.get()->out_index = static_cast<uint32_t>(k);
      inputs[n_in + k] = t.get();
      linked.push_back(std::move(t));
    }
  const std::vector<tn_tensor*> grads = replay(ctx_, graph, inputs.data());
  std::copy(grads.begin(), grads.end(), results);
}

// A cotangent or saved value may have other strides than the prepared ones.
[[gnu::cold]] void Backward::make_dense(tn_tensor*& t) {
  Owned dense = call_one(ctx_, TN_OP_COPY, {t});
  drop(ctx_, std::exchange(t, dense.release()));
}

[[gnu::cold, noreturn]] static void refuse_unsaved(const Site& site, size_t i) {
  fail(TN_INTERNAL, "{}: its gradient needs value {}, which was not saved", site.entry->name(), i);
}

// Without the frame of a run. False: one is on a tape, which its gradient must not be, was not saved, or is not dense, which all that
// follow would have to make it.
bool Backward::pass_on(const Program& p, tn_tensor* const* values, tn_tensor** results) {
  for (const Result& r : p.results) {
    if (r.input < 0) continue;
    const tn_tensor* t = values[r.input];
    if (!t || t->node || !(t->view.flags & TN_VIEW_CONTIGUOUS)) return false;
  }
  for (const Result& r : p.results) {
    if (r.input >= 0) *results = keep(ctx_, values[r.input]);
    ++results;
  }
  return true;
}

[[gnu::noinline]] void Backward::gradients_of_op(Node* n, tn_tensor** results) {
  Site& site = *n->site;
  const size_t n_in = n->n_in, n_out = n->n_out, n_all = n_in + 2 * n_out;
  uint64_t cotangents = 0;
  for (size_t k = 0; k < n_out; ++k)
    if (n->cotangents[k])
      cotangents |= bit_of(k);
    else if (n_out > 64 && k >= 63) [[unlikely]]  // one bit stands for all of them
      return gradients_by_ops(n, results);
  const GradProgram& g = site_gradient(ctx_, site, n->asked, cotangents);
  if (!g.program) return gradients_by_ops(n, results);
  tn_tensor** values = n->saved;
  if (g.passes && pass_on(*g.program, values, results)) return;
  for (size_t i = n_in; i < n_all; ++i)
    if (values[i] && !(values[i]->view.flags & TN_VIEW_CONTIGUOUS) && g.uses(i)) [[unlikely]]
      make_dense(values[i]);
  // For these wants and cotangents it was recorded what to save; others may need more.
  if (n->asked != n->wants || cotangents != site.floating_outputs) [[unlikely]]
    for (size_t i = 0; i < n_all; ++i)
      if (g.uses(i) && !values[i]) refuse_unsaved(site, i);
  run_program(ctx_, *g.program, values, results);
}

[[gnu::cold]] void Backward::gradients_of_callback(Node* n, tn_tensor** results) {
  check(n->callback.function(n->callback.user, ctx_, n->cotangents, n->n_out, results, n->n_in));
  const auto is = [](const tn_tensor* t) { return t != nullptr; };
  tn_device* device = (*std::find_if(n->cotangents, n->cotangents + n->n_out, is))->device;
  for (uint32_t i = 0; i < n->n_in; ++i) {
    const Shape& want = n->shapes[n->n_out + i];
    if (!results[i] && n->edges[i].node && n->edges[i].node->needed)
      results[i] = filled(want, device, 0).release();
    const tn_tensor* t = results[i];
    if (t && !same_type(t->view, want))
      fail(TN_INVALID_ARGUMENT, "custom gradient: the gradient of input {} is {}, expected {}", i,
           named_shape(t), shape_text(want));
    if (t) need_elements(ctx_, t, "custom gradient");
  }
}

[[gnu::cold]] void Backward::run_hooks(Node* n) {
  for (size_t h = 0; h < n->hooks->size(); ++h) {
    GradHook hook = (*n->hooks)[h];
    tn_tensor*& slot = n->cotangents[hook.index];
    if (!slot) continue;
    tn_tensor* other = nullptr;
    check(hook.hook.function(hook.hook.user, ctx_, slot, &other));
    if (!other) continue;
    Owned replacement(ctx_, other);
    if (other->device != slot->device)
      fail(TN_INVALID_ARGUMENT, "gradient hook: gives a tensor on {} for a gradient on {}",
           other->device ? other->device->name : "the host", slot->device->name);
    if (!same_type(other->view, slot->view))
      fail(TN_INVALID_ARGUMENT, "gradient hook: gives {} for a gradient of {}", named_shape(other),
           named_shape(slot));
    need_elements(ctx_, other, "gradient hook");
    drop(ctx_, slot);
    slot = replacement.release();
  }
}

[[gnu::cold, noreturn]] static void refuse_freed() {
  fail(TN_FAILED_PRECONDITION,
       "gradient: a hook or callback took a gradient of its own and freed this tape; it must pass "
       "TN_GRAD_RETAIN");
}

// Of what is not a plain op.
[[gnu::cold]] void Backward::other_gradients(Node* n, tn_tensor** results) {
  if (n->kind == NodeKind::kOp)
    gradients_by_ops(n, results);
  else if (n->kind == NodeKind::kCustom)
    gradients_of_callback(n, results);
  else
    check(tn_tensor_to(ctx_, n->cotangents[0], tn_string(n->from->name.c_str()), results));
}

void Backward::step(Node* n) {
  bool any = false;
  for (uint32_t k = 0; k < n->n_out; ++k) any |= n->cotangents[k] != nullptr;
  if (!any) return;
  if (n->hooks) {
    run_hooks(n);
    if (n->freed) refuse_freed();
  }
  if (n->kind == NodeKind::kLeaf) return;
  tn_tensor** grads = few_;
  if (n->n_in > kFew) [[unlikely]] {
    if (many_.size() < n->n_in) many_.resize(n->n_in);
    grads = many_.data();
  }
  if (n->kind == NodeKind::kOp && !create() && !ctx_->recorder) [[likely]]
    gradients_of_op(n, grads);
  else
    other_gradients(n, grads);
  if (n->freed) [[unlikely]]
    refuse_freed();
  for (uint32_t i = 0; i < n->n_in; ++i) {
    if (!grads[i]) continue;
    tn_tensor* grad = std::exchange(grads[i], nullptr);
    if (const Edge& e = n->edges[i]; e.node && e.node->needed)
      add(e.node, e.index, grad);
    else
      drop(ctx_, grad);
  }
}

[[gnu::cold]] Error used_up_error(const Error& e) {
  Error last(e.code(), fmt::format("{} (the tape is used up; record the loss again)", e.message()));
  if (!last.get()->is_static) {
    last.get()->retryable = false;
    last.get()->cause = error_retain(e.get());
  }
  return last;
}

void Backward::run() {
  // Latest first, which is about how they were reached: few are put in place one by one.
  const auto later = [](const Node* x, const Node* y) { return x->seq > y->seq; };
  if (order_.size() > 64) heap_sort(order_, later);
  for (size_t i = 1; i < order_.size(); ++i)
    for (size_t k = i; k && later(order_[k], order_[k - 1]); --k)
      std::swap(order_[k], order_[k - 1]);
  for (size_t k = order_.size(); k-- > 0;) {
    Node* n = order_[k];
    uint64_t asked = 0;
    for (uint32_t i = 0; i < n->n_in; ++i)
      if (const Node* c = n->edges[i].node; c && c->needed) asked |= bit_of(i);
    n->asked = asked;
    n->needed |= asked != 0;
  }
  const bool before = ctx_->grad_mode;
  ctx_->grad_mode = create();
  bool used_up = false;
  try {
    for (size_t i = 0; i < order_.size(); ++i) {
      Node* n = order_[i];
      if (n->needed && n->freed) refuse_freed();
      if (n->needed) step(n);
      if (!retain() && n->kind != NodeKind::kLeaf) node_drop_saved(n), used_up = true;
      if (n->target) continue;
      for (uint32_t k = 0; k < n->n_out; ++k)
        if (n->cotangents[k]) drop(ctx_, std::exchange(n->cotangents[k], nullptr));
    }
  } catch (const Error& e) {
    ctx_->grad_mode = before;
    if (!used_up || !e.get()->retryable) throw;
    throw used_up_error(e);
  } catch (...) {
    ctx_->grad_mode = before;
    throw;
  }
  ctx_->grad_mode = before;
}

tn_tensor* Backward::take(tn_tensor* input) {
  if (!reached(input)) return nullptr;
  tn_tensor* t = input->node->cotangents[input->out_index];
  return t ? keep(ctx_, t) : nullptr;
}

}  // namespace

[[gnu::cold, noreturn]] static void refuse_unused(const char* const* names, uint32_t i) {
  const std::string what =
      names ? fmt::format("variable \"{}\"", names[i]) : fmt::format("input {}", i);
  fail(TN_FAILED_PRECONDITION,
       "gradient: the output does not depend on {} (or only through an op without gradient). "
       "tn_vjp with TN_GRAD_ALLOW_UNUSED gives NULL instead.",
       what);
}

void vjp(tn_ctx* ctx, tn_tensor* const* outputs, tn_tensor* const* cotangents, uint32_t n_outputs,
         tn_tensor* const* inputs, uint32_t n_inputs, uint32_t flags, const char* const* names,
         tn_tensor** out_grads) {
  OwnedList grads(ctx, n_inputs);
  {
    Backward pass(ctx, flags);
    for (uint32_t i = 0; i < n_outputs; ++i)
      pass.start(outputs[i], cotangents ? cotangents[i] : nullptr);
    for (uint32_t i = 0; i < n_inputs; ++i)
      if (inputs[i]) pass.target(inputs[i]);
    const auto must = [&](bool there, uint32_t i) {
      if (!there && !(flags & TN_GRAD_ALLOW_UNUSED)) [[unlikely]]
        refuse_unused(names, i);
    };
    for (uint32_t i = 0; i < n_inputs; ++i)  // before anything is freed
      must(inputs[i] && pass.reached(inputs[i]), i);
    pass.run();
    for (uint32_t i = 0; i < n_inputs; ++i) {
      grads[i] = inputs[i] ? pass.take(inputs[i]) : nullptr;
      must(grads[i], i);
    }
  }
  for (uint32_t i = 0; i < n_inputs; ++i) out_grads[i] = grads.take(i);
}

}  // namespace tenon
