// Control flow outside of captures: the host decides and calls, so the tape sees what happened.
#include "flow.hpp"

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "op/transfer.hpp"
#include "optim/optimizer.hpp"
#include "recipe/run.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

namespace tenon {

const char* Flow::function() const {
  constexpr const char* kNames[] = {"tn_program_if", "tn_program_while", "tn_program_scan"};
  return kNames[static_cast<size_t>(kind)];
}

void need_bytes(const Flow& f, tn_dtype dtype, const char* what, size_t i) {
  if (TN_DTYPE_BITS(dtype) >= 8) return;
  fail(TN_INVALID_ARGUMENT,
       "{}: {} {} is {}, whose elements are packed and have no addresses of their own. Cast it to "
       "i8 or "
       "u8.",
       f.function(), what, i, tn_dtype_name(dtype));
}

namespace {

void check_program(const tn_ctx* ctx, const Flow& f, const tn_program& p, size_t n) {
  if (p.runtime != ctx->runtime)
    fail(TN_INVALID_ARGUMENT, "{}: program \"{}\" belongs to another runtime", f.function(),
         p.name);
  if (p.device != (ctx->recorder ? ctx->device : f.first->device))
    fail(TN_INVALID_ARGUMENT, "{}: program \"{}\" is for {}, not for {}", f.function(), p.name,
         p.device->name, (ctx->recorder ? ctx->device : f.first->device)->name);
  if (p.arguments.size() != n)
    fail(TN_INVALID_ARGUMENT, "{}: program \"{}\" takes {} inputs, {} are given", f.function(),
         p.name, p.arguments.size(), n);
  if (!p.targets.empty())
    fail(TN_FAILED_PRECONDITION,
         "{}: program \"{}\" assigns to a variable or steps an optimizer, which a branch or loop "
         "may not. Give the value as an output and assign it outside.",
         f.function(), p.name);
  for (const Place& from : p.inputs)
    if (from.kind >= InputKind::kSeed)
      fail(TN_FAILED_PRECONDITION,
           "{}: program \"{}\" draws random numbers, which a branch or loop may not. Draw them "
           "outside and give them as an input.",
           f.function(), p.name);
}

void check_condition(const char* function, const tn_tensor* t) {
  if (t->view.dtype != TN_DTYPE_BOOL || t->view.rank != 0 || is_scalar(t))
    fail(TN_INVALID_ARGUMENT, "{}: the condition is {}, not a bool tensor of rank 0", function,
         is_scalar(t) ? "a host scalar" : named_shape(t));
}

class Calls {
 public:
  Calls(tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> operands)
      : ctx_(ctx), f_(f), given_(operands) {
    for (tn_tensor* t : given_) on_tape_ = on_tape_ || t->node;
    on_tape_ = on_tape_ && ctx->grad_mode;
    for (const tn_program* p : {f.first, f.second}) {
      if (!p) continue;
      for (const Place& from : p->inputs)
        on_tape_ = on_tape_ || (ctx->grad_mode && from.tensor && from.tensor->node);
      for (const tn_program::Use& use : p->variables)
        on_tape_ =
            on_tape_ || (ctx->grad_mode && !(use.variable->flags & TN_VARIABLE_NOT_TRAINABLE));
    }
  }

  std::vector<Owned> run() {
    switch (f_.kind) {
      case FlowKind::kIf:
        return program(is_true(ctx_, given_[0]) ? *f_.first : *f_.second, given_.subspan(1));
      case FlowKind::kWhile:
        return loop();
      default:
        return scan();
    }
  }

 private:
  // Its ops one by one where they are to be recorded, else the prepared program.
  std::vector<Owned> program(tn_program& captured, std::span<tn_tensor* const> arguments) {
    std::vector<Owned> out;
    if (!on_tape_) {
      std::vector<tn_tensor*> made(captured.n_outputs);
      run_captured(ctx_, captured, arguments.data(), made.data());
      for (tn_tensor* t : made) out.emplace_back(ctx_, t);
      return out;
    }
    check_arguments(ctx_, captured, arguments.data());
    tn_program& p = for_dtypes(ctx_, captured, arguments.data());
    std::list<std::vector<int64_t>> lists;
    const Graph graph = substitute(p, arguments.data(), lists);
    std::vector<tn_tensor*> inputs;
    for (const Place& from : p.inputs)
      inputs.push_back(from.kind == InputKind::kArgument   ? arguments[from.index]
                       : from.kind == InputKind::kVariable ? variable_leaf(ctx_, from.variable)
                                                           : from.tensor);
    for (tn_tensor* t : replay(ctx_, graph, inputs.data())) out.emplace_back(ctx_, t);
    return out;
  }

  std::vector<Owned> carried() {
    std::vector<Owned> state;
    for (tn_tensor* t : given_.first(f_.n_carry)) state.emplace_back(ctx_, keep(ctx_, t));
    return state;
  }
  void take_over(std::vector<Owned>& state, std::vector<Owned>& next) {
    for (size_t i = 0; i < state.size(); ++i) {
      const tn_view &was = state[i].get()->view, &is = next[i].get()->view;
      if (!same_type(was, is))
        fail(TN_INVALID_ARGUMENT, "{}: output {} of \"{}\" is {}; what it carries on is {}",
             f_.function(), i, f_.body().name, shape_text(is), shape_text(was));
      state[i] = std::move(next[i]);
    }
  }

  std::vector<Owned> loop() {
    std::vector<Owned> state = carried();
    for (int64_t step = 0; f_.steps < 0 || step < f_.steps; ++step) {
      std::vector<tn_tensor*> arguments;
      for (const Owned& t : state) arguments.push_back(t.get());
      const auto constants = given_.subspan(f_.n_carry);
      arguments.insert(arguments.end(), constants.begin(), constants.end());
      const std::vector<Owned> answer = program(*f_.first, arguments);
      check_condition(f_.function(), answer[0].get());
      if (!is_true(ctx_, answer[0].get())) break;
      std::vector<Owned> next = program(*f_.second, arguments);
      take_over(state, next);
    }
    return state;
  }

  std::vector<Owned> scan() {
    std::vector<Owned> state = carried();
    const auto sequences = given_.subspan(f_.n_carry, f_.n_sequences);
    const auto constants = given_.subspan(f_.n_carry + f_.n_sequences);
    const int64_t steps = sequences.empty() ? f_.steps : sequences[0]->view.dims[0];
    const size_t n_stacked = f_.first->n_outputs - f_.n_carry;
    std::vector<std::vector<Owned>> made(n_stacked);
    for (int64_t k = 0; k < steps; ++k) {
      const int64_t at = f_.reverse ? steps - 1 - k : k;
      std::vector<Owned> elements;
      std::vector<tn_tensor*> arguments;
      for (const Owned& t : state) arguments.push_back(t.get());
      for (tn_tensor* t : sequences) {
        elements.push_back(element(t, at));
        arguments.push_back(elements.back().get());
      }
      arguments.insert(arguments.end(), constants.begin(), constants.end());
      std::vector<Owned> next = program(*f_.first, arguments);
      take_over(state, next);
      for (size_t i = 0; i < n_stacked; ++i) made[i].push_back(std::move(next[f_.n_carry + i]));
    }
    if (steps == 0) return empty(std::move(state));
    for (std::vector<Owned>& parts : made) {
      if (f_.reverse) std::reverse(parts.begin(), parts.end());
      std::vector<tn_tensor*> list;
      for (const Owned& t : parts) list.push_back(t.get());
      tn_tensor* stacked = nullptr;
      const tn_attr axis = tn_attr_i64(TN_STACK_AXIS, 0);
      call(ctx_, TN_OP_STACK, list.data(), static_cast<uint32_t>(list.size()), &axis, 1, &stacked,
           1);
      state.emplace_back(ctx_, stacked);
    }
    return state;
  }

  // Of no steps: stacked outputs without elements.
  std::vector<Owned> empty(std::vector<Owned> state) {
    std::vector<Shape> shapes = output_shapes(f_, given_, nullptr);
    const NoGrad no_grad(ctx_);
    for (size_t i = f_.n_carry; i < shapes.size(); ++i)
      state.push_back(make_full(ctx_, shapes[i].dtype, 0, shapes[i]));
    return state;
  }

  Owned element(tn_tensor* t, int64_t at) {
    int64_t starts[TN_MAX_RANK] = {}, stops[TN_MAX_RANK];
    std::copy_n(t->view.dims, t->view.rank, stops);
    starts[0] = at, stops[0] = at + 1;
    const auto rank = static_cast<uint64_t>(t->view.rank);
    const Owned row = call_one(
        ctx_, TN_OP_SLICE, {t},
        {tn_attr_i64s(TN_SLICE_STARTS, starts, rank), tn_attr_i64s(TN_SLICE_STOPS, stops, rank)});
    return call_one(ctx_, TN_OP_RESHAPE, {row.get()},
                    {tn_attr_i64s(TN_RESHAPE_DIMS, t->view.dims + 1, rank - 1)});
  }

  tn_ctx* ctx_;
  const Flow& f_;
  std::span<tn_tensor* const> given_;
  bool on_tape_ = false;
};

}  // namespace

bool is_true(tn_ctx* ctx, tn_tensor* condition) {
  if (ctx->interrupt.load(std::memory_order_relaxed) && ctx->interrupt.exchange(false))
    fail(TN_CANCELLED, "interrupted at a condition");
  uint8_t byte = 0;
  read_tensor(ctx, condition, &byte);
  return byte != 0;
}

void check_flow(const tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> operands) {
  const size_t n = operands.size() - (f.kind == FlowKind::kIf);
  for (const tn_program* p : {f.first, f.second})
    if (p) check_program(ctx, f, *p, n);
  for (const tn_tensor* t : operands) {
    if (is_scalar(t))
      fail(TN_INVALID_ARGUMENT,
           "{}: an input is a host scalar; make it a tensor with tn_tensor_full", f.function());
    if (t->device != f.first->device)
      fail(TN_INVALID_ARGUMENT, "{}: an input lives on {}, program \"{}\" on {}", f.function(),
           t->device->name, f.first->name, f.first->device->name);
    need_elements(ctx, t, f.function());
  }
  const uint32_t n_out = f.body().n_outputs;
  if (f.kind == FlowKind::kIf) {
    check_condition(f.function(), operands[0]);
    if (f.first->n_outputs != f.second->n_outputs)
      fail(TN_INVALID_ARGUMENT, "tn_program_if: \"{}\" has {} outputs, \"{}\" {}", f.first->name,
           f.first->n_outputs, f.second->name, f.second->n_outputs);
    return;
  }
  if (size_t{f.n_carry} + f.n_sequences > n || f.n_carry > n_out)
    fail(TN_INVALID_ARGUMENT,
         "{}: {} carried values and {} sequences of {} inputs and {} outputs of \"{}\"",
         f.function(), f.n_carry, f.n_sequences, n, n_out, f.body().name);
  if (f.kind == FlowKind::kWhile && f.first->n_outputs != 1)
    fail(TN_INVALID_ARGUMENT, "tn_program_while: condition \"{}\" has {} outputs, not one",
         f.first->name, f.first->n_outputs);
  if (f.kind == FlowKind::kWhile && f.steps < -1)
    fail(TN_INVALID_ARGUMENT, "tn_program_while: max_steps is {}; -1 is without a bound", f.steps);
  if (f.kind == FlowKind::kScan && f.n_sequences == 0 && f.steps < 0)
    fail(TN_INVALID_ARGUMENT, "tn_program_scan: without sequences the options must say the length");
  for (uint32_t i = 0; i < f.n_sequences; ++i) {
    const tn_view &v = operands[f.n_carry + i]->view, &first = operands[f.n_carry]->view;
    need_bytes(f, v.dtype, "sequence", i);
    if (v.rank == 0)
      fail(TN_INVALID_ARGUMENT, "tn_program_scan: sequence {} is {}; its first dim is the steps", i,
           named_shape(operands[f.n_carry + i]));
    if (!is_symbolic(v.dims[0]) && !is_symbolic(first.dims[0]) && v.dims[0] != first.dims[0])
      fail(TN_INVALID_ARGUMENT, "tn_program_scan: sequence {} is {}, sequence 0 {}: lengths differ",
           i, named_shape(operands[f.n_carry + i]), named_shape(operands[f.n_carry]));
  }
}

std::vector<Owned> run_flow(tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> operands) {
  return ctx->recorder ? record_flow(ctx, f, operands) : Calls(ctx, f, operands).run();
}

}  // namespace tenon
