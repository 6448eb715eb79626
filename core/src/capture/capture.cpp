// Recording: a Graph of ops, the tape over its values, and where its inputs come from.
#include "capture.hpp"

#include "base/error.hpp"
#include "base/room.hpp"
#include "op/runtime.hpp"
#include "recipe/run.hpp"
#include "tenon/op_ids.h"
#include "tenon/program.h"

namespace tenon {
namespace {

constexpr tn_view kAbsent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};

// What the tensors of a capture know of it, also when it is gone.
struct Note {
  std::string name;
  std::mutex mutex;
  std::map<int64_t, std::string> sizes = {};  // symbolic dims
};
void free_note(void* user) { delete static_cast<Note*>(user); }
Note& note_of(const Buffer* b) { return *static_cast<Note*>(b->user); }

const std::string& capture_of(const tn_tensor* t) { return note_of(t->buffer).name; }

// What a rule sees of a value: no strides, since where it will lie is not known.
tn_view shown(const GraphValue& v, bool scalar) {
  tn_view out = view_of(v);
  if (out.count < 0) out.strides = nullptr;
  if (scalar) out.flags |= TN_VIEW_IMMEDIATE;
  return out;
}

}  // namespace

void need_elements(const tn_tensor* t, const char* function) {
  if (!is_abstract(t)) return;
  fail(TN_FAILED_PRECONDITION,
       "{}: {}, {}, has no elements: it stands for those of each run. Read what a run gives for it "
       "as an output.",
       function, abstract_text(t), named_shape(t));
}

void need_elements(const tn_ctx* ctx, const tn_tensor* t, const char* function) {
  if (!ctx->recorder) need_elements(t, function);
}

std::string named_shape(const tn_tensor* t) {
  if (!is_abstract(t)) return shape_text(t->view);
  Note& note = note_of(t->buffer);
  const std::lock_guard lock(note.mutex);
  std::string out = tn_dtype_name(t->view.dtype);
  out += '[';
  for (int i = 0; i < t->view.rank; ++i) {
    const int64_t d = t->view.dims[i];
    out += (i ? ", " : "") + (is_symbolic(d) ? note.sizes.at(d) : fmt::format("{}", d));
  }
  return out += ']';
}

std::string abstract_text(const tn_tensor* t) {
  return fmt::format("value %{} of capture \"{}\"", t->view.offset, capture_of(t));
}

Capture::Capture(tn_ctx* ctx, std::string_view name)
    : ctx_(ctx),
      program_(new tn_program),
      buffer_(new Buffer),
      seed_(ctx, nullptr),
      stream_(ctx, nullptr) {
  buffer_->abstract = true;
  program_->runtime = runtime_retain(ctx->runtime);
  program_->device = ctx->device;
  program_->name = name;
  buffer_->user = new Note{std::string(name), {}};
  buffer_->destroy = free_note;
}

int Capture::add_value(const Shape& shape) {
  GraphValue v;
  v.shape = shape;
  v.shape.set_dense();
  program_->graph.values.push_back(v);
  return static_cast<int>(program_->graph.values.size()) - 1;
}

Owned Capture::tensor_of(int value, const Shape& shape) {
  Note& note = note_of(buffer_.get());
  const std::lock_guard lock(note.mutex);
  for (int i = 0; i < shape.rank; ++i)
    if (const int64_t d = shape.dims[i]; is_symbolic(d) && !note.sizes.contains(d))
      note.sizes.emplace(d, program_->symbols.text(d));
  const uint64_t id = ctx_->runtime->shapes.intern(program_->device, shape, kAbstract);
  return Owned(ctx_, make_view(ctx_, buffer_.get(), program_->device, shape, id,
                               static_cast<uint64_t>(value)));
}

Owned Capture::add_input(Place place, const Shape& shape) {
  make_room(program_->inputs);
  const int value = add_value(shape);
  program_->graph.inputs.push_back(value);
  program_->inputs.push_back(std::move(place));
  return tensor_of(value);
}

Owned Capture::input(std::string_view name, tn_dtype dtype, uint32_t rank, const int64_t* dims,
                     const tn_str* symbols) {
  constexpr const char* kWhat = "tn_capture_input";
  int64_t sizes[TN_MAX_RANK] = {};
  for (uint32_t i = 0; i < std::min<uint32_t>(rank, TN_MAX_RANK) && dims; ++i)
    sizes[i] = dims[i] == TN_DIM_ANY ? 1 : dims[i];
  check_dims(kWhat, dtype, rank, dims ? sizes : nullptr);
  for (const Argument& a : program_->arguments)
    if (a.name == name)
      fail(TN_ALREADY_EXISTS, "{}: there is an input \"{}\" already", kWhat, name);
  Shape shape = dense_shape(dtype, rank, sizes);
  for (uint32_t i = 0; i < rank; ++i) {
    if (dims[i] != TN_DIM_ANY) continue;
    const std::string symbol(symbols ? view_of(symbols[i]) : std::string_view());
    if (symbol.empty()) {
      shape.dims[i] = program_->symbols.symbol(fmt::format("{}.{}", name, i));
      continue;
    }
    const auto [it, fresh] = symbol_of_.try_emplace(symbol, 0);
    if (fresh) it->second = program_->symbols.symbol(symbol);
    shape.dims[i] = it->second;
  }
  make_room(program_->arguments);
  Owned made = add_input(
      Place(InputKind::kArgument, static_cast<uint32_t>(program_->arguments.size())), shape);
  program_->arguments.push_back({std::string(name), shape});
  return made;
}

Owned Capture::input(std::string_view name, const Shape& shape, const SymTable& symbols) {
  int64_t dims[TN_MAX_RANK];
  std::string names[TN_MAX_RANK];
  tn_str views[TN_MAX_RANK];
  for (int i = 0; i < shape.rank; ++i) {
    const bool symbolic = symbols.has(shape.dims[i]);
    dims[i] = symbolic ? TN_DIM_ANY : shape.dims[i];
    if (symbolic) names[i] = symbols.text(shape.dims[i]);
    views[i] = tn_string(names[i].c_str());
  }
  return input(name, shape.dtype, static_cast<uint32_t>(shape.rank), dims, views);
}

Owned Capture::like(tn_tensor* t, const Shape& shape) {
  if (same_type(t->view, shape)) return Owned(ctx_, keep(ctx_, t));
  for (int i = 0; i < shape.rank; ++i)
    if (t->view.dims[i] != shape.dims[i])
      program_->symbols.assume_equal(t->view.dims[i], shape.dims[i], "gradient");
  Owned made = tensor_of(value_of(t, "gradient"), shape);
  if (t->node) made.get()->node = node_retain(t->node), made.get()->out_index = t->out_index;
  return made;
}

std::vector<Owned> Capture::control(const OpEntry& op, std::shared_ptr<const Control> control,
                                    std::span<tn_tensor* const> inputs,
                                    const std::vector<Shape>& outputs) {
  GraphNode node;
  node.op = &op;
  node.control = std::move(control);
  node.stop = !ctx_->grad_mode;
  for (tn_tensor* t : inputs) node.inputs.push_back(value_of(t, op.def.name.data));
  std::vector<Owned> made;
  for (const Shape& shape : outputs) {
    node.outputs.push_back(add_value(shape));
    program_->graph.values.back().node = static_cast<int>(program_->graph.nodes.size());
    made.push_back(tensor_of(node.outputs.back()));
  }
  program_->graph.nodes.push_back(std::move(node));
  return made;
}

int Capture::value_of(tn_tensor* t, const char* what) {
  if (is_abstract(t)) {
    if (t->buffer != buffer_.get())
      fail(TN_FAILED_PRECONDITION, "{}: an operand is a value of capture \"{}\", which has ended",
           what, capture_of(t));
    return static_cast<int>(t->view.offset);
  }
  if (is_scalar(t)) {
    const int value = add_value(shape_of(t->view));
    GraphValue& v = program_->graph.values[static_cast<size_t>(value)];
    v.constant = true;
    v.weak = t->view.flags & TN_VIEW_WEAK;
    std::memcpy(v.bits, &t->view.mem, sizeof t->view.mem);
    return value;
  }
  if (const auto it = constants_.find(t); it != constants_.end()) return it->second;
  if (t->device != program_->device)
    fail(TN_INVALID_ARGUMENT, "{}: an operand lives on {}, the capture on {}", what,
         t->device->name, program_->device->name);
  const Owned made = add_input(Place(t), shape_of(t->view));
  const auto value = static_cast<int>(made.get()->view.offset);
  constants_.emplace(t, value);
  return value;
}

bool Capture::wants(const OpEntry& op, tn_tensor* const* inputs, uint32_t n) const {
  bool placed = false;
  for (uint32_t i = 0; i < n; ++i) {
    if (!inputs[i] || is_scalar(inputs[i])) continue;
    if (is_abstract(inputs[i])) return true;
    placed = true;
  }
  return !placed || op.n_state != 0;
}

Owned Capture::random_word(InputKind kind) {
  Shape u64;
  u64.dtype = TN_DTYPE_U64;
  if (kind == InputKind::kOffset) return add_input(Place(kind, draws_++), u64);
  Owned& kept = kind == InputKind::kSeed ? seed_ : stream_;
  if (!kept) kept = add_input(Place(kind, 0), u64);
  return Owned(ctx_, keep(ctx_, kept.get()));
}

// Puts a recorded op on the tape, with a site that has no program.
void Capture::record_node(const OpEntry& op, const std::vector<tn_tensor*>& inputs,
                          const GraphNode& node, const tn_attr* attrs, uint32_t n_attrs,
                          tn_tensor** outputs, uint32_t n) {
  struct ReleaseSite {
    void operator()(Site* s) const noexcept { site_release(s); }
  };
  const std::unique_ptr<Site, ReleaseSite> site(new Site);
  site->op = op.id;
  site->captured = true;
  site->entry = &op;
  site->n_in = static_cast<uint32_t>(inputs.size());
  site->attrs = complete_attrs(op, attrs, n_attrs);
  site->inputs = trace_inputs(inputs);
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    site->outputs.push_back(program_->graph.values[static_cast<size_t>(node.outputs[k])].shape);
    if (is_floating(site->outputs.back().dtype))
      site->floating_outputs |= 1ull << std::min<size_t>(k, 63);
  }
  record(ctx_, *site, inputs.data(), outputs, n);
}

uint32_t Capture::call(const OpEntry& op, tn_tensor* const* inputs, uint32_t n,
                       const tn_attr* attrs, uint32_t n_attrs, tn_tensor** outputs,
                       uint32_t capacity) {
  const std::string name(op.name());
  check_input_count(op, n);
  device_of(ctx_, op, inputs, n);  // throws where there are two
  std::vector<tn_tensor*> all(inputs, inputs + n);
  std::vector<Owned> state;
  if (op.n_state && n <= op.n_fixed - op.n_state) {
    all.resize(op.n_fixed - op.n_state, nullptr);
    for (const InputKind kind : {InputKind::kSeed, InputKind::kStream, InputKind::kOffset}) {
      state.push_back(random_word(kind));
      all.push_back(state.back().get());
    }
  }
  all.resize(op.with_absent(static_cast<uint32_t>(all.size())), nullptr);

  GraphNode node;
  node.op = &op;
  node.stop = !ctx_->grad_mode;
  node.attrs = complete_attrs(op, attrs, n_attrs);
  std::list<tn_view> views;
  std::vector<const tn_view*> pointers;
  bool on_tape = false;
  for (tn_tensor* t : all) {
    node.inputs.push_back(t ? value_of(t, name.c_str()) : -1);
    if (!t) {
      pointers.push_back(&kAbsent);
      continue;
    }
    const GraphValue& v = program_->graph.values[static_cast<size_t>(node.inputs.back())];
    views.push_back(shown(v, is_scalar(t)));
    pointers.push_back(&views.back());
    on_tape = on_tape || t->node;
  }
  node.inferred = infer(op, pointers, node.attrs, &program_->symbols);
  const auto count = static_cast<uint32_t>(node.inferred.outputs.size());
  if (count > capacity)
    fail(TN_INVALID_ARGUMENT, "{}: has {} outputs, room for {} given", name, count, capacity);
  bool recording = false;
  for (const InferredOutput& o : node.inferred.outputs) {
    if (o.counted >= 0)
      fail(TN_FAILED_PRECONDITION, "{}: a capture has no elements to count; give max_size", name);
    recording |= is_floating(o.shape.dtype);
  }
  recording = recording && on_tape && ctx_->grad_mode && op.differentiable();
  if (recording && !op.def.gradient) {  // its decomposition has one
    play_recipe(ctx_, name, op.def.decompose, all, node.attrs, {outputs, count});
    return count;
  }

  const auto at = static_cast<int>(program_->graph.nodes.size());
  OwnedList made(ctx_, count);
  for (uint32_t k = 0; k < count; ++k) {
    node.outputs.push_back(add_value(node.inferred.outputs[k].shape));
    program_->graph.values.back().node = at;
    made[k] = tensor_of(node.outputs.back()).release();
  }
  if (recording) record_node(op, all, node, attrs, n_attrs, made.data(), count);
  program_->graph.nodes.push_back(std::move(node));
  for (uint32_t k = 0; k < count; ++k) outputs[k] = made.take(k);
  return count;
}

Owned Capture::detach(tn_tensor* t) {
  const NoGrad no_grad(ctx_);
  return call_one(
      ctx_, TN_OP_RESHAPE, {t},
      {tn_attr_i64s(TN_RESHAPE_DIMS, t->view.dims, static_cast<uint64_t>(t->view.rank))});
}

tn_tensor* Capture::variable(tn_variable& v) {
  if (const auto it = variables_.find(&v); it != variables_.end()) return it->second.value.get();
  {
    const std::lock_guard lock(v.mutex);
    if (v.value->device != program_->device)
      fail(TN_INVALID_ARGUMENT, "variable \"{}\" lives on {}, the capture on {}", v.name,
           v.value->device->name, program_->device->name);
  }
  const size_t input = program_->inputs.size();
  Owned value = add_input(Place(v), v.shape);
  if (!(v.flags & TN_VARIABLE_NOT_TRAINABLE) && is_floating(v.shape.dtype))
    value = Owned(ctx_, make_leaf(ctx_, value.get()));
  return variables_.emplace(&v, Cell{Place(v), std::move(value), input}).first->second.value.get();
}

void Capture::assign(tn_variable& v, tn_tensor* value) {
  tn_tensor* before = variable(v);
  Cell& cell = variables_.at(&v);
  tn_tensor* plain = make_alias(ctx_, value);
  Owned after(ctx_, plain);
  value_of(plain, "tn_variable_assign");
  // All values of a variable are one leaf.
  if (before->node) after = Owned(ctx_, make_leaf(ctx_, plain, before->node));
  cell.value = std::move(after);
  cell.written = true;
}

tn_tensor* Capture::slot(tn_optimizer& o, size_t group, size_t slot) {
  const SlotKey key(&o, {group, slot});
  if (const auto it = slots_.find(key); it != slots_.end()) return it->second.value.get();
  const auto place = [&] {
    return Place(InputKind::kSlot, o, static_cast<uint32_t>(group), static_cast<uint32_t>(slot));
  };
  const size_t input = program_->inputs.size();
  Owned value = add_input(place(), shape_of(o.groups[group].slots[slot]->view));
  return slots_.emplace(key, Cell{place(), std::move(value), input}).first->second.value.get();
}

void Capture::assign_slot(tn_optimizer& o, size_t group, size_t slot, tn_tensor* value) {
  this->slot(o, group, slot);
  value_of(value, "tn_optimizer_step");
  Cell& cell = slots_.at({&o, {group, slot}});
  cell.value = Owned(ctx_, keep(ctx_, value));
  cell.written = true;
}

Owned Capture::next_step(tn_optimizer& o) {
  Shape f32;
  f32.dtype = TN_DTYPE_F32;
  const int64_t before = steps_[&o]++;
  return add_input(Place(InputKind::kStep, o, 0, static_cast<uint32_t>(before)), f32);
}

void Capture::play(tn_program& p, tn_tensor* const* arguments, tn_tensor** outputs) {
  check_arguments(ctx_, p, arguments);
  play_ops(for_dtypes(ctx_, p, arguments), arguments, outputs);
}

void Capture::play_ops(const tn_program& p, tn_tensor* const* arguments, tn_tensor** outputs) {
  std::list<std::vector<int64_t>> lists;
  Graph graph = substitute(p, arguments, lists, &program_->symbols, true);
  // Draws that nobody needs advance the random state too.
  for (auto n = graph.nodes.rbegin(); n != graph.nodes.rend(); ++n) {
    n->live = n->live || n->op->n_state;
    for (size_t k = 0; n->live && k < n->inputs.size(); ++k)
      if (const int i = n->inputs[k]; i >= 0 && graph.values[static_cast<size_t>(i)].node >= 0)
        graph.nodes[static_cast<size_t>(graph.values[static_cast<size_t>(i)].node)].live = true;
  }
  std::vector<Owned> held;
  std::vector<tn_tensor*> inputs;
  for (const Place& from : p.inputs) {
    if (from.kind == InputKind::kArgument) {
      held.emplace_back(ctx_, keep(ctx_, arguments[from.index]));
    } else if (from.kind == InputKind::kVariable) {
      held.emplace_back(ctx_, keep(ctx_, variable(*from.variable)));
    } else if (from.kind == InputKind::kSlot) {
      const std::lock_guard lock(from.optimizer->mutex);  // runs put new ones in its place
      held.emplace_back(ctx_, keep(ctx_, slot(*from.optimizer, from.group, from.index)));
    } else if (from.kind == InputKind::kConstant) {
      held.emplace_back(ctx_, keep(ctx_, from.tensor));
    } else {
      held.push_back(from.kind == InputKind::kStep ? next_step(*from.optimizer)
                                                   : random_word(from.kind));
    }
    inputs.push_back(held.back().get());
  }
  std::vector<Owned> results;
  for (tn_tensor* t : replay(ctx_, graph, inputs.data())) results.emplace_back(ctx_, t);
  for (size_t i = 0; i < p.targets.size(); ++i) {
    const Place& to = p.targets[i];
    tn_tensor* value = results[p.n_outputs + i].get();
    if (to.kind == InputKind::kSlot) {
      assign_slot(*to.optimizer, to.group, to.index, value);
      continue;
    }
    if (value->view.dtype != to.variable->shape.dtype)
      fail(TN_INVALID_ARGUMENT, "variable \"{}\" is {}; {} cannot be assigned to it",
           to.variable->name, shape_text(to.variable->shape), named_shape(value));
    assign(*to.variable, value);
  }
  for (uint32_t i = 0; i < p.n_outputs; ++i) outputs[i] = results[i].release();
}

std::unique_ptr<tn_program> Capture::finish(tn_tensor* const* outputs, uint32_t n) {
  tn_program& p = *program_;
  Graph& graph = p.graph;
  std::vector<int> results;
  for (uint32_t i = 0; i < n; ++i) {
    Owned made(ctx_, nullptr);
    tn_tensor* t = outputs[i];
    if (is_scalar(t)) {
      const tn_dtype dtype =
          t->view.flags & TN_VIEW_WEAK ? weak_default(t->view.dtype) : t->view.dtype;
      made =
          call_one(ctx_, TN_OP_FILL, {t},
                   {tn_attr_i64s(TN_FILL_DIMS, nullptr, 0), tn_attr_dtype(TN_FILL_DTYPE, dtype)});
      t = made.get();
    }
    results.push_back(value_of(t, "tn_capture_end"));
  }
  const auto take = [&](auto& cells) {
    for (auto& [key, cell] : cells) {
      if (!cell.written) continue;
      results.push_back(value_of(cell.value.get(), "tn_capture_end"));
      p.overwrites.resize(results.size(), -1);
      p.overwrites.back() = static_cast<int>(cell.input);
      p.targets.push_back(std::move(cell.place));
    }
  };
  take(variables_);
  take(slots_);
  p.n_outputs = n;
  graph.results = std::move(results);
  graph.mark_live();
  for (Place& from : p.inputs)
    if (from.kind == InputKind::kVariable) from.index = variables_.at(from.variable).written;
  for (const auto& [variable, cell] : variables_) p.variables.push_back({variable, cell.written});
  p.steps.assign(steps_.begin(), steps_.end());
  return std::move(program_);
}

}  // namespace tenon
