// Control flow in a capture: one node, whose programs use nothing but their arguments; and its gradient, which is control flow again.
#include "autograd/autograd.hpp"
#include "base/error.hpp"
#include "base/room.hpp"
#include "flow.hpp"
#include "op/runtime.hpp"
#include "optim/optimizer.hpp"
#include "recipe/graph_text.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"
#include "tenon/program.h"

namespace tenon {
namespace {

struct ReleaseProgram {
  void operator()(tn_program* p) const noexcept { tn_program_release(p); }
};
using Held = std::unique_ptr<tn_program, ReleaseProgram>;
using Tensors = std::vector<tn_tensor*>;

Held hold(std::unique_ptr<tn_program> p) { return Held(p.release()); }

OpEntry named(const char* name) {
  OpEntry e;
  e.def.name = tn_string(name);
  e.id = UINT32_MAX;
  return e;
}
const OpEntry& op_of(FlowKind kind) {
  static const OpEntry kOps[] = {named("if"), named("while"), named("scan")};
  return kOps[static_cast<size_t>(kind)];
}

class FlowNode final : public Control {
 public:
  FlowNode(const Flow& f, Held first, Held second)
      : f_(f), first_(std::move(first)), second_(std::move(second)) {
    f_.first = first_.get(), f_.second = second_.get();
    kernel_.name = op_of(f.kind).def.name;
  }
  std::string text() const override {
    return f_.second ? fmt::format("\"{}\", \"{}\"", f_.first->name, f_.second->name)
                     : fmt::format("\"{}\"", f_.first->name);
  }
  const tn_kernel& kernel() const override { return kernel_; }
  const Flow& flow() const { return f_; }
  std::unique_ptr<ControlRun> prepare(tn_runtime* rt, tn_device& device,
                                      std::span<const Shape> inputs, std::span<const Shape> outputs,
                                      const CompileOptions& options) const override {
    return prepare_flow(f_, rt, device, inputs, outputs, options);
  }
  std::vector<Owned> call(tn_ctx* ctx, std::span<tn_tensor* const> inputs) const override {
    return run_flow(ctx, f_, inputs);
  }

 private:
  Flow f_;
  Held first_, second_;
  tn_kernel kernel_{};
};

// A capture inside of another, over values of its own.
class Inner : public Captured {
 public:
  using Captured::Captured;
  // The arguments of p from `first` on, `n` of them.
  std::vector<Owned> inputs(const tn_program& p, size_t first, size_t n) {
    std::vector<Owned> made;
    for (size_t i = first; i < first + n; ++i)
      made.push_back(input(p.arguments[i].shape, p.symbols));
    return made;
  }
  Owned input(const Shape& shape, const SymTable& symbols) {
    return capture.input(fmt::format("{}", count_++), shape, symbols);
  }
  std::vector<Owned> play(tn_program& p, const Tensors& arguments) {
    Tensors made(p.n_outputs);
    capture.play(p, arguments.data(), made.data());
    std::vector<Owned> out;
    for (tn_tensor* t : made) out.emplace_back(ctx_, t);
    return out;
  }
  Held finish(const std::vector<Owned>& outputs) {
    Tensors list;
    for (const Owned& t : outputs) list.push_back(t.get());
    return hold(capture.finish(list.data(), static_cast<uint32_t>(list.size())));
  }

 private:
  uint32_t count_ = 0;
};

Tensors raw(const std::vector<Owned>& list) {
  Tensors out;
  for (const Owned& t : list) out.push_back(t.get());
  return out;
}
void append(Tensors& to, const std::vector<Owned>& from) {
  for (const Owned& t : from) to.push_back(t.get());
}
Owned zeros(tn_ctx* ctx, const Shape& shape) { return make_full(ctx, shape.dtype, 0, shape); }

// Variables and constants that p reads, as tensors of the capture under way.
void read_places(tn_ctx* ctx, const tn_program& p, Tensors& out) {
  for (const Place& from : p.inputs)
    if (from.kind != InputKind::kArgument)
      out.push_back(from.kind == InputKind::kVariable ? ctx->recorder->variable(*from.variable)
                                                      : from.tensor);
}

// p with what it reads as arguments: its own, then `before` that it does not use, then what it reads, then `after` unused.
Held close(tn_program& p, const std::vector<const tn_tensor*>& before,
           const std::vector<const tn_tensor*>& after) {
  Held made(new tn_program);
  made->runtime = runtime_retain(p.runtime);
  made->name = p.name;
  made->device = p.device;
  made->symbols = p.symbols;
  made->base = tn_program_retain(&p);
  made->graph = Graph(p.graph);
  made->n_outputs = p.n_outputs;
  made->arguments = p.arguments;
  const auto add = [&](const Shape& shape, int value) {
    made->graph.inputs.push_back(value);
    made->inputs.emplace_back(InputKind::kArgument, static_cast<uint32_t>(made->arguments.size()));
    made->arguments.push_back({fmt::format("operand {}", made->arguments.size()), shape});
  };
  const auto unused = [&](const tn_tensor* t) {
    Shape shape = shape_of(t->view);
    for (int i = 0; i < shape.rank; ++i)
      if (is_symbolic(shape.dims[i]))
        shape.dims[i] =
            made->symbols.symbol(fmt::format("operand {}.{}", made->arguments.size(), i));
    GraphValue v;
    v.shape = shape;
    made->graph.values.push_back(v);
    add(shape, static_cast<int>(made->graph.values.size()) - 1);
  };
  made->graph.inputs.clear();
  std::vector<int> read;
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    if (p.inputs[i].kind != InputKind::kArgument) {
      read.push_back(p.graph.inputs[i]);
      continue;
    }
    made->graph.inputs.push_back(p.graph.inputs[i]);
    made->inputs.emplace_back(InputKind::kArgument, p.inputs[i].index);
  }
  for (const tn_tensor* t : before) unused(t);
  for (int value : read) add(p.graph.values[static_cast<size_t>(value)].shape, value);
  for (const tn_tensor* t : after) unused(t);
  return made;
}

// The programs of f closed over one list of operands, which gets what they read.
std::shared_ptr<const FlowNode> close(tn_ctx* ctx, const Flow& f, Tensors& operands) {
  Tensors first, second;
  read_places(ctx, *f.first, first);
  if (f.second) read_places(ctx, *f.second, second);
  operands.insert(operands.end(), first.begin(), first.end());
  operands.insert(operands.end(), second.begin(), second.end());
  Held closed = close(*f.first, {}, {second.begin(), second.end()});
  return std::make_shared<FlowNode>(
      f, std::move(closed),
      f.second ? close(*f.second, {first.begin(), first.end()}, {}) : nullptr);
}

std::vector<Owned> add_node(tn_ctx* ctx, std::shared_ptr<const FlowNode> node,
                            const Tensors& operands) {
  auto& capture = static_cast<Capture&>(*ctx->recorder);
  const std::vector<Shape> shapes = output_shapes(node->flow(), operands, &capture.symbols());
  const OpEntry& op = op_of(node->flow().kind);
  return capture.control(op, std::move(node), operands, shapes);
}

// ---- gradients

// Which arguments and outputs of p have a gradient.
bool floats(const tn_program& p, size_t argument) {
  return is_floating(p.arguments[argument].shape.dtype);
}
const Shape& output_shape(const tn_program& p, size_t i) {
  return p.graph.values[static_cast<size_t>(p.graph.results[i])].shape;
}

// Gradients by the leaves among `arguments`, zeros where there is none.
std::vector<Owned> vjp_of(tn_ctx* ctx, Inner& in, tn_program& p, std::vector<Owned>& arguments,
                          const std::vector<Owned>& cotangents) {
  Tensors given, leaves;
  std::vector<Owned> held;
  for (Owned& t : arguments) {
    if (is_floating(t.get()->view.dtype)) {
      held.emplace_back(ctx, make_leaf(ctx, t.get()));
      leaves.push_back(held.back().get());
    }
    given.push_back(is_floating(t.get()->view.dtype) ? held.back().get() : t.get());
  }
  const std::vector<Owned> results = in.play(p, given);
  Tensors outputs, seeds, grads(leaves.size(), nullptr);
  std::vector<Owned> fitted;
  size_t next = 0;
  for (const Owned& t : results) {
    if (!is_floating(t.get()->view.dtype)) continue;
    tn_tensor* seed = cotangents[next++].get();
    if (!t.get()->node) continue;
    // Sizes may have other tokens than those that the cotangent was made with.
    fitted.push_back(in.capture.like(seed, shape_of(t.get()->view)));
    seed = fitted.back().get();
    outputs.push_back(t.get());
    seeds.push_back(seed);
  }
  if (!outputs.empty() && !leaves.empty())
    vjp(ctx, outputs.data(), seeds.data(), static_cast<uint32_t>(outputs.size()), leaves.data(),
        static_cast<uint32_t>(leaves.size()), TN_GRAD_ALLOW_UNUSED | TN_GRAD_CREATE, nullptr,
        grads.data());
  std::vector<Owned> out;
  for (size_t i = 0; i < leaves.size(); ++i)
    out.push_back(grads[i] ? Owned(ctx, grads[i]) : zeros(ctx, shape_of(leaves[i]->view)));
  return out;
}

// (arguments, cotangents of the floating outputs) -> gradients of the floating arguments.
Held gradient_of(tn_ctx* ctx, tn_program& p) {
  Inner in(ctx, p.device, "gradient of " + p.name);
  std::vector<Owned> arguments = in.inputs(p, 0, p.arguments.size()), cotangents;
  for (size_t i = 0; i < p.n_outputs; ++i)
    if (is_floating(output_shape(p, i).dtype))
      cotangents.push_back(in.input(output_shape(p, i), p.symbols));
  return in.finish(vjp_of(ctx, in, p, arguments, cotangents));
}

// The same as the body of a scan. Carries: cotangents of the floating carries, sums for the floating constants. Sequences: the carries
// that the step began with, its elements, cotangents of its floating outputs. Constants: the constants. Gives the carries, and the
// gradients of the floating elements.
Held scan_gradient_of(tn_ctx* ctx, const Flow& f) {
  tn_program& p = *f.first;
  const size_t n_const = p.arguments.size() - f.n_carry - f.n_sequences;
  const size_t first_const = f.n_carry + f.n_sequences;
  Inner in(ctx, p.device, "gradient of " + p.name);
  std::vector<Owned> cotangents, sums;
  for (size_t i = 0; i < f.n_carry; ++i)
    if (floats(p, i)) cotangents.push_back(in.input(p.arguments[i].shape, p.symbols));
  for (size_t i = first_const; i < p.arguments.size(); ++i)
    if (floats(p, i)) sums.push_back(in.input(p.arguments[i].shape, p.symbols));
  const size_t n_carry = cotangents.size();
  std::vector<Owned> arguments = in.inputs(p, 0, first_const);
  for (size_t i = f.n_carry; i < p.n_outputs; ++i)
    if (is_floating(output_shape(p, i).dtype))
      cotangents.push_back(in.input(output_shape(p, i), p.symbols));
  for (Owned& t : in.inputs(p, first_const, n_const)) arguments.push_back(std::move(t));
  std::vector<Owned> grads = vjp_of(ctx, in, p, arguments, cotangents);
  std::vector<Owned> out, elements;
  for (size_t i = 0; i < n_carry; ++i) out.push_back(std::move(grads[i]));
  const size_t n_elements = grads.size() - n_carry - sums.size();
  for (size_t i = 0; i < sums.size(); ++i)
    out.push_back(call_one(ctx, TN_OP_ADD, {sums[i].get(), grads[n_carry + n_elements + i].get()}));
  for (size_t i = 0; i < n_elements; ++i) out.push_back(std::move(grads[n_carry + i]));
  return in.finish(out);
}

// The body with the carries that a step begins with as further outputs.
Held keeping_carries(tn_program& p, uint32_t n_carry) {
  Held made = close(p, {}, {});
  for (uint32_t i = 0; i < n_carry; ++i) made->graph.results.push_back(made->graph.inputs[i]);
  made->n_outputs += n_carry;
  return made;
}

// What the callback of a node keeps: tensors of the capture, counted so that the tape may outlive the context.
struct Saved {
  explicit Saved(std::shared_ptr<const FlowNode> n) : node(std::move(n)) {}
  ~Saved() {
    for (const Tensors* list : {&operands, &carries})
      for (tn_tensor* t : *list) tensor_release_remote(t);
  }
  Saved(const Saved&) = delete;
  static void keep(Tensors& list, tn_tensor* t) {
    make_room(list);
    list.push_back(tensor_retain(t));
  }
  std::shared_ptr<const FlowNode> node;
  Tensors operands, carries;  // carries: stacked, of each step of a scan
};

std::vector<Owned> or_zeros(tn_ctx* ctx, const std::vector<Shape>& shapes,
                            tn_tensor* const* cotangents) {
  std::vector<Owned> out;
  for (size_t i = 0; i < shapes.size(); ++i)
    if (is_floating(shapes[i].dtype))
      out.push_back(cotangents[i] ? Owned(ctx, keep(ctx, cotangents[i])) : zeros(ctx, shapes[i]));
  return out;
}

void give(Capture& capture, const std::vector<Owned>& grads, size_t& next, const Tensors& operands,
          size_t from, size_t n, tn_tensor** out) {
  for (size_t i = from; i < from + n; ++i)
    if (is_floating(operands[i]->view.dtype))
      out[i] = capture.like(grads[next++].get(), shape_of(operands[i]->view)).release();
}

tn_error* TN_CALL flow_gradient(void* user, tn_ctx* ctx, tn_tensor* const* cotangents, uint32_t,
                                tn_tensor** out, uint32_t) {
  return guard([&] {
    const Saved& s = *static_cast<Saved*>(user);
    if (!ctx->recorder)
      fail(TN_FAILED_PRECONDITION, "gradient: the capture that recorded {} has ended",
           op_of(s.node->flow().kind).name());
    const Flow& f = s.node->flow();
    const Tensors& operands = s.operands;
    auto& capture = static_cast<Capture&>(*ctx->recorder);
    const std::vector<Owned> seeds =
        or_zeros(ctx, output_shapes(f, operands, &capture.symbols()), cotangents);
    Flow back;
    size_t next = 0;
    if (f.kind == FlowKind::kIf) {
      const Held first = gradient_of(ctx, *f.first), second = gradient_of(ctx, *f.second);
      back.first = first.get(), back.second = second.get();
      Tensors given = operands;
      append(given, seeds);
      const std::vector<Owned> grads = run_flow(ctx, back, given);
      give(capture, grads, next, operands, 1, operands.size() - 1, out);
      return;
    }
    const Held body = scan_gradient_of(ctx, f);
    back.kind = FlowKind::kScan;
    back.first = body.get();
    back.reverse = !f.reverse;
    back.steps = f.steps;
    const size_t first_const = f.n_carry + f.n_sequences;
    size_t n_float_carries = 0;
    for (size_t i = 0; i < f.n_carry; ++i) n_float_carries += is_floating(operands[i]->view.dtype);
    Tensors given;
    for (size_t i = 0; i < n_float_carries; ++i) given.push_back(seeds[i].get());
    std::vector<Owned> sums, carries;
    for (size_t i = first_const; i < operands.size(); ++i)
      if (is_floating(operands[i]->view.dtype))
        sums.push_back(zeros(ctx, shape_of(operands[i]->view)));
    append(given, sums);
    back.n_carry = static_cast<uint32_t>(given.size());
    if (ctx->grad_mode) {  // the carries themselves on the tape, which they could not be while it kept them
      const Held body_with = keeping_carries(*f.first, f.n_carry);
      Flow again = f;
      again.first = body_with.get();
      std::vector<Owned> all = run_flow(ctx, again, operands);
      for (size_t i = all.size() - f.n_carry; i < all.size(); ++i)
        carries.push_back(std::move(all[i]));
    }
    const Tensors stacked = ctx->grad_mode ? raw(carries) : s.carries;
    given.insert(given.end(), stacked.begin(), stacked.end());
    given.insert(given.end(), operands.begin() + f.n_carry,
                 operands.begin() + static_cast<std::ptrdiff_t>(first_const));
    for (size_t i = n_float_carries; i < seeds.size(); ++i) given.push_back(seeds[i].get());
    back.n_sequences = static_cast<uint32_t>(given.size()) - back.n_carry;
    given.insert(given.end(), operands.begin() + static_cast<std::ptrdiff_t>(first_const),
                 operands.end());
    const std::vector<Owned> grads = run_flow(ctx, back, given);
    give(capture, grads, next, operands, 0, f.n_carry, out);
    give(capture, grads, next, operands, first_const, operands.size() - first_const, out);
    give(capture, grads, next, operands, f.n_carry, f.n_sequences, out);
  });
}

// `node` with its results as ones of the tape.
std::vector<Owned> on_tape(tn_ctx* ctx, std::shared_ptr<const FlowNode> node,
                           const Tensors& operands) {
  auto saved = std::make_unique<Saved>(node);
  for (tn_tensor* t : operands) Saved::keep(saved->operands, t);
  std::vector<Owned> results;
  if (node->flow().kind == FlowKind::kScan) {
    const Flow& f = node->flow();
    auto longer = std::make_shared<FlowNode>(f, keeping_carries(*f.first, f.n_carry), nullptr);
    results = add_node(ctx, longer, operands);
    const size_t own = results.size() - f.n_carry;
    for (size_t i = own; i < results.size(); ++i) Saved::keep(saved->carries, results[i].get());
    results.erase(results.begin() + static_cast<std::ptrdiff_t>(own), results.end());
  } else {
    results = add_node(ctx, node, operands);
  }
  const Tensors plain = raw(results);
  Tensors made(plain.size());
  const tn_grad_callback callback{flow_gradient, saved.release(),
                                  [](void* user) { delete static_cast<Saved*>(user); }};
  check(tn_custom_grad(ctx, operands.data(), static_cast<uint32_t>(operands.size()), plain.data(),
                       static_cast<uint32_t>(plain.size()), callback, made.data()));
  for (size_t i = 0; i < made.size(); ++i) {
    Owned recorded(ctx, made[i]);
    if (is_floating(made[i]->view.dtype)) results[i] = std::move(recorded);
  }
  return results;
}

// A loop with a bound as a scan: (alive, state) -> (alive and condition, state or what the body makes of it).
std::vector<Owned> bounded_while(tn_ctx* ctx, const Flow& f, const Tensors& operands) {
  if (f.steps < 0)
    fail(TN_FAILED_PRECONDITION,
         "tn_program_while: \"{}\" has no bound, and its gradient needs one: give max_steps, or "
         "detach the inputs",
         f.second->name);
  tn_program& body = *f.second;
  Held stay, step;
  {
    Inner in(ctx, body.device, "as it is");
    std::vector<Owned> all = in.inputs(body, 0, body.arguments.size());
    all.erase(all.begin() + f.n_carry, all.end());
    stay = in.finish(all);
  }
  {
    Inner in(ctx, body.device, body.name);
    Shape flag;
    flag.dtype = TN_DTYPE_BOOL;
    const Owned alive = in.input(flag, body.symbols);
    const std::vector<Owned> all = in.inputs(body, 0, body.arguments.size());
    const std::vector<Owned> answer = in.play(*f.first, raw(all));
    Owned live = call_one(ctx, TN_OP_AND, {alive.get(), answer[0].get()});
    Flow choice;
    choice.first = f.second, choice.second = stay.get();
    Tensors given{live.get()};
    append(given, all);
    std::vector<Owned> out;
    std::vector<Owned> next = run_flow(ctx, choice, given);
    out.push_back(std::move(live));
    for (Owned& t : next) out.push_back(std::move(t));
    step = in.finish(out);
  }
  Flow scan;
  scan.kind = FlowKind::kScan;
  scan.first = step.get();
  scan.n_carry = f.n_carry + 1;
  scan.steps = f.steps;
  Shape flag;
  const Owned alive = make_full(ctx, TN_DTYPE_BOOL, 1, flag);
  Tensors given{alive.get()};
  given.insert(given.end(), operands.begin(), operands.end());
  std::vector<Owned> out = run_flow(ctx, scan, given);
  out.erase(out.begin());
  return out;
}

}  // namespace

std::vector<Shape> output_shapes(const Flow& f, std::span<tn_tensor* const> operands,
                                 SymTable* to) {
  std::list<Stand> stands;
  const auto shapes_of = [&](const tn_program& p, size_t skip) {
    Tensors arguments;
    for (size_t i = skip; i < operands.size(); ++i) {
      Shape shape = shape_of(operands[i]->view);
      const bool sequence =
          f.kind == FlowKind::kScan && i >= f.n_carry && i < f.n_carry + f.n_sequences;
      arguments.push_back(&stands.emplace_back(sequence ? element_of(shape) : shape).tensor);
    }
    std::list<std::vector<int64_t>> lists;
    const Graph graph = substitute(p, arguments.data(), lists, to);
    std::vector<Shape> out;
    for (uint32_t i = 0; i < p.n_outputs; ++i)
      out.push_back(graph.values[static_cast<size_t>(graph.results[i])].shape);
    return out;
  };
  const auto same_size = [&](int64_t a, int64_t b) {
    const bool unknown = to && a != b && to->equal(a, b) < 0;
    if (unknown) to->assume_equal(a, b, f.function());
    return unknown || a == b || (to && to->equal(a, b) == 1);
  };
  const auto need_same = [&](const Shape& a, const Shape& b, size_t i, const char* other) {
    bool same = a.dtype == b.dtype && a.rank == b.rank;
    for (int k = 0; same && k < a.rank; ++k) same = same_size(a.dims[k], b.dims[k]);
    if (!same)
      fail(TN_INVALID_ARGUMENT, "{}: output {} of \"{}\" is {}, {} {}", f.function(), i,
           f.body().name, to ? symbolic_text(*to, a) : shape_text(a), other,
           to ? symbolic_text(*to, b) : shape_text(b));
  };
  if (f.kind == FlowKind::kIf) {
    const std::vector<Shape> first = shapes_of(*f.first, 1), second = shapes_of(*f.second, 1);
    for (size_t i = 0; i < first.size(); ++i)
      need_same(second[i], first[i], i, "that of the other branch");
    return first;
  }
  if (f.kind == FlowKind::kWhile) {
    const Shape condition = shapes_of(*f.first, 0)[0];
    if (condition.dtype != TN_DTYPE_BOOL || condition.rank != 0)
      fail(TN_INVALID_ARGUMENT, "tn_program_while: condition \"{}\" gives {}, not a bool of rank 0",
           f.first->name, to ? symbolic_text(*to, condition) : shape_text(condition));
  }
  std::vector<Shape> out = shapes_of(f.body(), 0);
  for (size_t i = 0; i < f.n_carry; ++i)
    need_same(out[i], shape_of(operands[i]->view), i, "what it carries on");
  const int64_t length = f.n_sequences ? operands[f.n_carry]->view.dims[0] : f.steps;
  for (uint32_t i = 1; i < f.n_sequences; ++i) {
    const int64_t other = operands[f.n_carry + i]->view.dims[0];
    if (!same_size(other, length))
      fail(TN_INVALID_ARGUMENT, "{}: sequence {} is {}, sequence 0 {}: lengths differ",
           f.function(), i, named_shape(operands[f.n_carry + i]), named_shape(operands[f.n_carry]));
  }
  for (size_t i = f.n_carry; i < out.size(); ++i) {
    Shape& s = out[i];
    need_bytes(f, s.dtype, "output", i);
    if (s.rank == TN_MAX_RANK)
      fail(TN_INVALID_ARGUMENT, "{}: output {} of \"{}\" has {} dims; one more does not fit",
           f.function(), i, f.body().name, s.rank);
    std::copy_backward(s.dims, s.dims + s.rank, s.dims + s.rank + 1);
    s.dims[0] = length;
    ++s.rank;
    s.set_dense();
  }
  return out;
}

std::vector<Owned> record_flow(tn_ctx* ctx, const Flow& f, std::span<tn_tensor* const> given) {
  Tensors operands(given.begin(), given.end());
  const std::shared_ptr<const FlowNode> node = close(ctx, f, operands);
  bool nodes = false;
  for (const tn_tensor* t : operands) nodes = nodes || t->node;
  if (!nodes || !ctx->grad_mode) return add_node(ctx, node, operands);
  if (f.kind == FlowKind::kWhile) return bounded_while(ctx, node->flow(), operands);
  return on_tape(ctx, node, operands);
}

}  // namespace tenon
