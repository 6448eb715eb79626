// Graph -> Program: decomposes what has no kernel, turns views into strides, places intermediates in one arena.
#include <algorithm>
#include <cstring>
#include <list>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "program.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

const tn_view kAbsent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};
constexpr int kForEver = 1 << 30;

enum class Base : uint8_t { kInput, kTemp, kConstant, kNone };

// A value while lowering: where it lies, as what.
struct LValue {
  Base base = Base::kNone;
  int index = -1;  // input or temp
  Shape shape;
  uint64_t delta = 0;  // bytes from the base's first element
  bool immediate = false, weak = false, converted = false;
  tn_dtype source = TN_DTYPE_NONE;  // immediate: dtype before conversion
  uint64_t bits[2] = {0, 0};        // constant
};

struct Temp : Temporary {
  Shape shape;
  int buffer = -1;  // it is a result
  int alias = -1;
};

struct LStep {
  PlanEntry* plan = nullptr;
  std::vector<int> inputs;   // values; -1 absent
  std::vector<int> outputs;  // temps
  int workspace = -1;        // temp
  bool immediates = false;
  const CompiledNode* compiled = nullptr;
};

class Lowering {
 public:
  Lowering(tn_runtime* rt, tn_device& device, const std::vector<ProgramInput>& inputs,
           const CompileOptions& options)
      : rt_(rt), device_(device), inputs_(inputs), options_(options), program_(new Program) {}
  ~Lowering() {
    for (LStep& s : steps_) plan_release(s.plan);
  }

  Program* run(Graph& graph);

 private:
  int add(LValue v) {
    values_.push_back(std::move(v));
    return static_cast<int>(values_.size()) - 1;
  }
  std::vector<int> lower_graph(Graph& graph, const std::vector<int>& inputs);
  std::vector<int> lower_nodes(const Graph& graph, const std::vector<int>& inputs, int depth);
  std::vector<int> lower(const OpEntry& op, std::vector<int> inputs, const Attrs& attrs, int depth);
  std::vector<int> lower_view(const std::vector<int>& inputs, const Inferred& inferred);
  std::vector<int> decompose(const OpEntry& op, const std::vector<int>& inputs, const Attrs& attrs,
                             const Inferred& inferred, int depth, bool first);
  int convert(int v, tn_dtype dtype);
  int call_one(tn_op op, int x, std::initializer_list<tn_attr> attrs = {});
  int contiguous(int v) { return call_one(TN_OP_COPY, v); }
  int expand_to(int v, const Shape& like);
  bool try_kernel(const OpEntry& op, const std::vector<int>& inputs, const Attrs& attrs,
                  const Inferred& inferred, std::vector<int>& outputs, std::vector<Candidate>& why);
  std::vector<int> lower_compiled(const Graph& graph, const GraphNode& n, std::vector<int> inputs);
  std::vector<int> lower_control(const Graph& graph, const GraphNode& n, std::vector<int> inputs);
  void place_step(std::string_view name, const std::vector<int>& inputs,
                  const std::vector<Shape>& shapes, const Inferred* inferred,
                  std::vector<int>& outputs);
  int temp(const Shape& shape, uint64_t bytes);
  tn_view view(const LValue& v) const;
  Inferred infer_now(const OpEntry& op, const std::vector<int>& inputs, const Attrs& attrs) const;
  [[noreturn]] void unsupported(const OpEntry& op, const std::vector<int>& inputs,
                                const std::vector<Candidate>& why) const;
  void place_results(const std::vector<int>& results);
  void check_aliases(const std::vector<int>& results);
  void emit();
  uint32_t emit_arg(int value, bool immediates);
  uint32_t emit_temp(int index, const Shape& shape, uint64_t delta);
  int slot_of(int value);

  tn_runtime* rt_;
  tn_device& device_;
  const std::vector<ProgramInput>& inputs_;
  const CompileOptions& options_;
  std::unique_ptr<Program> program_;
  std::deque<LValue> values_;
  std::vector<Temp> temps_;
  std::vector<LStep> steps_;
  std::vector<std::pair<int, int>> slots_;  // immediate value -> temp that it is uploaded to
  std::vector<std::vector<OutputPatch>> buffer_patches_;
  std::vector<uint32_t> args_;  // views
  bool first_ = true;
};

tn_view Lowering::view(const LValue& v) const {
  tn_view out = view_of(v.shape);
  if (v.immediate) out.flags |= TN_VIEW_IMMEDIATE;
  if (v.weak) out.flags |= TN_VIEW_WEAK;
  return out;
}

Inferred Lowering::infer_now(const OpEntry& op, const std::vector<int>& inputs,
                             const Attrs& attrs) const {
  std::list<tn_view> views;
  std::vector<const tn_view*> pointers;
  for (int i : inputs) {
    if (i < 0) {
      pointers.push_back(&kAbsent);
      continue;
    }
    views.push_back(view(values_[static_cast<size_t>(i)]));
    pointers.push_back(&views.back());
  }
  return infer(op, pointers, attrs);
}

int Lowering::temp(const Shape& shape, uint64_t bytes) {
  Temp t;
  t.shape = shape;
  t.bytes = std::max<uint64_t>(bytes, 16);
  t.first = static_cast<int>(steps_.size());
  t.last = t.first;
  temps_.push_back(t);
  return static_cast<int>(temps_.size()) - 1;
}

int Lowering::call_one(tn_op op, int x, std::initializer_list<tn_attr> attrs) {
  const OpEntry& entry = rt_->ops.get(op);
  return lower(entry, {x},
               complete_attrs(entry, attrs.begin(), static_cast<uint32_t>(attrs.size())), 0)[0];
}

int Lowering::convert(int i, tn_dtype dtype) {
  LValue v = values_[static_cast<size_t>(i)];
  if (v.shape.dtype == dtype && !v.weak) return i;
  if (!v.immediate || (v.converted && v.shape.dtype != dtype))
    return call_one(TN_OP_CAST, i, {tn_attr_dtype(TN_CAST_DTYPE, dtype)});
  if (v.base == Base::kConstant) {
    uint64_t bits[2] = {0, 0};
    if (is_floating(v.shape.dtype))
      element_from_f64(bits, dtype, element_to_f64(v.bits, v.shape.dtype));
    else
      element_from_i64(bits, dtype, element_to_i64(v.bits, v.shape.dtype));
    std::memcpy(v.bits, bits, sizeof bits);
  }
  v.converted = true;
  v.weak = false;
  v.shape.dtype = dtype;
  return add(v);
}

int Lowering::expand_to(int i, const Shape& like) {
  const LValue& from = values_[static_cast<size_t>(i)];
  if (same_dims(from.shape, like)) return i;
  LValue v = from;
  const int lead = like.rank - from.shape.rank;
  v.shape.rank = like.rank;
  for (int k = 0; k < like.rank; ++k) {
    const int s = k - lead;
    v.shape.dims[k] = like.dims[k];
    v.shape.strides[k] =
        v.immediate || s < 0 || from.shape.dims[s] == 1 ? 0 : from.shape.strides[s];
  }
  return add(v);
}

bool Lowering::try_kernel(const OpEntry& op, const std::vector<int>& inputs, const Attrs& attrs,
                          const Inferred& inferred, std::vector<int>& outputs,
                          std::vector<Candidate>& why) {
  std::list<tn_view> views;
  Signature s;
  s.op = &op;
  s.attrs = &attrs;
  s.modes = options_.modes;
  s.queue = options_.queue;
  for (int i : inputs) {
    if (i < 0) {
      s.inputs.push_back(&kAbsent);
      continue;
    }
    views.push_back(view(values_[static_cast<size_t>(i)]));
    views.back().flags &= static_cast<uint8_t>(~TN_VIEW_WEAK);
    s.inputs.push_back(&views.back());
  }
  std::vector<Shape> shapes;
  for (const InferredOutput& o : inferred.outputs) {
    shapes.push_back(o.shape);
    shapes.back().set_dense();
  }
  for (const Shape& shape : shapes) {
    LValue v;
    v.shape = shape;
    views.push_back(view(v));
    views.back().dims = shape.dims;
    views.back().strides = shape.strides;
    s.outputs.push_back(&views.back());
  }
  steps_.emplace_back().inputs = inputs;  // owns the plan as soon as there is one
  PlanEntry* plan = select_kernel(device_, s, &why);
  if (!plan) {
    steps_.pop_back();
    return false;
  }
  steps_.back().plan = plan;
  steps_.back().immediates = plan->kernel->flags & TN_KERNEL_IMMEDIATES;
  place_step(op.name(), inputs, shapes, &inferred, outputs);
  return true;
}

// The memory of the last step: what it uses lives until then, what it makes begins there.
void Lowering::place_step(std::string_view name, const std::vector<int>& inputs,
                          const std::vector<Shape>& shapes, const Inferred* inferred,
                          std::vector<int>& outputs) {
  const PlanEntry* plan = steps_.back().plan;
  const int at = static_cast<int>(steps_.size()) - 1;
  for (int i : inputs) {
    if (i < 0) continue;
    LValue& v = values_[static_cast<size_t>(i)];
    if (v.base == Base::kTemp)
      temps_[static_cast<size_t>(v.index)].last =
          std::max(temps_[static_cast<size_t>(v.index)].last, at);
  }
  for (size_t k = 0; k < shapes.size(); ++k) {
    LValue v;
    v.base = Base::kTemp;
    v.shape = shapes[k];
    v.index =
        temp(shapes[k], tn_dtype_bytes(shapes[k].dtype, static_cast<uint64_t>(shapes[k].count())));
    Temp& t = temps_[static_cast<size_t>(v.index)];
    t.first = t.last = at;
    const int alias = inferred ? inferred->outputs[k].alias : -1;
    if (alias >= 0 && (plan->kernel->flags & TN_KERNEL_INPLACE) &&
        inputs[static_cast<size_t>(alias)] >= 0) {
      const LValue& a = values_[static_cast<size_t>(inputs[static_cast<size_t>(alias)])];
      if (a.base == Base::kInput && !a.immediate && a.delta == 0 && a.shape.dense())
        t.alias = a.index;
    }
    steps_.back().outputs.push_back(v.index);
    outputs.push_back(add(v));
  }
  if (plan->plan.workspace_bytes >> 46)
    fail(TN_INTERNAL, "{}: the kernel asks for a workspace of {} bytes", name,
         plan->plan.workspace_bytes);
  if (plan->plan.workspace_bytes) {
    Shape bytes;
    bytes.dtype = TN_DTYPE_U8;
    bytes.rank = 1;
    bytes.dims[0] = static_cast<int64_t>(plan->plan.workspace_bytes);
    bytes.strides[0] = 1;
    const int w = temp(bytes, plan->plan.workspace_bytes);
    temps_[static_cast<size_t>(w)].first = temps_[static_cast<size_t>(w)].last = at;
    steps_.back().workspace = w;
  }
}

tn_error* TN_CALL run_control(void* data, void*, const tn_view* const* args) {
  return guard([&] { static_cast<ControlRun*>(data)->run(args); });
}

std::vector<int> Lowering::lower_control(const Graph& graph, const GraphNode& n,
                                         std::vector<int> inputs) {
  std::vector<Shape> in, out;
  for (int& i : inputs) {
    const LValue& v = values_[static_cast<size_t>(i)];
    if (v.immediate || !v.shape.dense()) i = contiguous(i);
    in.push_back(values_[static_cast<size_t>(i)].shape);
  }
  for (int o : n.outputs) out.push_back(graph.values[static_cast<size_t>(o)].shape);
  std::unique_ptr<ControlRun> run = n.control->prepare(rt_, device_, in, out, options_);
  steps_.emplace_back().inputs = inputs;
  PlanEntry* plan = steps_.back().plan = new PlanEntry;
  plan->kernel = &n.control->kernel();
  plan->plan.run = run_control;
  plan->plan.workspace_bytes = run->workspace_bytes;
  plan->plan.release = [](void* data) { delete static_cast<ControlRun*>(data); };
  program_->controls.push_back(run.get());
  plan->plan.data = run.release();
  std::vector<int> outputs;
  place_step(n.op->name(), inputs, out, nullptr, outputs);
  return outputs;
}

std::vector<int> Lowering::lower_compiled(const Graph& graph, const GraphNode& n,
                                          std::vector<int> inputs) {
  Inferred inferred;
  std::vector<Shape> shapes;
  for (size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k] < 0) continue;
    const LValue& v = values_[static_cast<size_t>(inputs[k])];
    if (!n.compiled->shown.empty()) {
      const Shape& shown = n.compiled->shown[k];
      if (!same_layout(v.shape, shown)) inputs[k] = contiguous(inputs[k]);
      TENON_ASSERT(same_layout(values_[static_cast<size_t>(inputs[k])].shape, shown));
      continue;
    }
    // The graph takes for a scalar what the program is given as one, and no view of that.
    const bool made = graph.values[static_cast<size_t>(n.inputs[k])].node >= 0;
    if (!v.shape.dense() || (v.immediate && made)) inputs[k] = contiguous(inputs[k]);
  }
  for (size_t k = 0; k < n.outputs.size(); ++k) {
    Shape& shape = shapes.emplace_back(graph.values[static_cast<size_t>(n.outputs[k])].shape);
    shape.set_dense();
    const std::vector<int>& aliases = n.compiled->aliases;
    inferred.outputs.emplace_back().alias = k < aliases.size() ? aliases[k] : -1;
  }
  steps_.emplace_back().inputs = inputs;
  n.compiled->plan->refs.fetch_add(1, std::memory_order_relaxed);
  steps_.back().plan = n.compiled->plan;
  steps_.back().immediates = n.compiled->plan->kernel->flags & TN_KERNEL_IMMEDIATES;
  steps_.back().compiled = n.compiled.get();
  std::vector<int> outputs;
  place_step(n.op->name(), inputs, shapes, &inferred, outputs);
  return outputs;
}

void Lowering::unsupported(const OpEntry& op, const std::vector<int>& inputs,
                           const std::vector<Candidate>& why) const {
  std::string given;
  for (int i : inputs) {
    if (i < 0) continue;
    const Shape& s = values_[static_cast<size_t>(i)].shape;
    given += (given.empty() ? "" : ", ") + shape_text(s);
  }
  std::string reasons;
  for (const Candidate& c : why)
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", view_of(c.kernel->name), c.why);
  if (reasons.empty()) reasons = "the device has none, and the op has no decomposition";
  fail(TN_UNIMPLEMENTED,
       "{}: no kernel for ({}) on {} ({}). Cast or move the inputs, or allow fallback on this "
       "context.",
       op.name(), given, device_.name, reasons);
}

// Outputs that are views of inputs.
std::vector<int> Lowering::lower_view(const std::vector<int>& inputs, const Inferred& inferred) {
  std::vector<int> outputs;
  for (const InferredOutput& o : inferred.outputs) {
    LValue v = values_[static_cast<size_t>(inputs[static_cast<size_t>(o.view_of)])];
    v.shape = o.shape;
    if (v.immediate) {
      std::fill(v.shape.strides, v.shape.strides + TN_MAX_RANK, 0);
    } else {
      const auto size = static_cast<int64_t>(dtype_size(v.shape.dtype));
      v.delta = static_cast<uint64_t>(static_cast<int64_t>(v.delta) + o.view_offset * size);
    }
    outputs.push_back(add(v));
  }
  return outputs;
}

std::vector<int> Lowering::lower(const OpEntry& op, std::vector<int> inputs, const Attrs& attrs,
                                 int depth) {
  const bool first = std::exchange(first_, false);
  if (depth > 64) fail(TN_INTERNAL, "{}: its decomposition does not end", op.name());
  Inferred inferred = infer_now(op, inputs, attrs);
  bool cast = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] < 0 || inferred.casts[i] == TN_DTYPE_NONE) continue;
    inputs[i] = convert(inputs[i], inferred.casts[i]);
    cast = true;
  }
  if (cast) inferred = infer_now(op, inputs, attrs);

  if (op.is(TN_OP_VIEW) && inputs[0] >= 0) {
    if (inferred.outputs[0].view_of < 0 && !values_[static_cast<size_t>(inputs[0])].immediate &&
        !values_[static_cast<size_t>(inputs[0])].shape.dense()) {
      inputs[0] = contiguous(inputs[0]);
      inferred = infer_now(op, inputs, attrs);
    }
    if (std::ranges::all_of(inferred.outputs, [](auto& o) { return o.view_of >= 0; }))
      return lower_view(inputs, inferred);
  }
  std::vector<int> expanded = inputs;
  if (op.is(TN_OP_ELEMENTWISE) || op.id == TN_OP_REGION) {
    std::vector<const Shape*> shapes;
    for (int i : inputs)
      if (i >= 0) shapes.push_back(&values_[static_cast<size_t>(i)].shape);
    const Shape to = joint_dims(shapes);
    for (int& i : expanded)
      if (i >= 0) i = expand_to(i, to);
  }

  std::vector<Candidate> why;
  std::vector<int> outputs;
  if (try_kernel(op, expanded, attrs, inferred, outputs, why)) {
    if (first && options_.trail) *options_.trail = why;
    return outputs;
  }
  // Once more with what is strided made contiguous.
  bool strided = false;
  std::vector<int> packed = expanded;
  if (op.id != TN_OP_COPY && !why.empty()) {
    for (int& i : packed) {
      if (i < 0) continue;
      const LValue& v = values_[static_cast<size_t>(i)];
      if (v.shape.dense()) continue;
      strided = true;
    }
    if (strided) {
      std::vector<Candidate> again;
      const size_t steps = steps_.size();
      for (int& i : packed)
        if (i >= 0 && !values_[static_cast<size_t>(i)].shape.dense()) i = contiguous(i);
      if (try_kernel(op, packed, attrs, inferred, outputs, again)) {
        if (first && options_.trail) *options_.trail = again;
        return outputs;
      }
      while (steps_.size() > steps) {  // the copies were for nothing
        plan_release(steps_.back().plan);
        steps_.pop_back();
      }
    }
  }
  if (first && options_.trail) *options_.trail = why;
  if (!op.def.decompose) unsupported(op, inputs, why);
  return decompose(op, inputs, attrs, inferred, depth, first);
}

// By the op's recipe. `first`: this is what the caller of compile asked for.
std::vector<int> Lowering::decompose(const OpEntry& op, const std::vector<int>& inputs,
                                     const Attrs& attrs, const Inferred& inferred, int depth,
                                     bool first) {
  std::vector<TraceInput> shapes;
  for (int i : inputs) {
    TraceInput t;
    if (i < 0)
      t.absent = true;
    else
      t.shape = values_[static_cast<size_t>(i)].shape,
      t.weak = values_[static_cast<size_t>(i)].weak;
    shapes.push_back(t);
  }
  Graph graph =
      trace_recipe(rt_->ops, op.name(), op.def.decompose, shapes, attrs,
                   op.is(TN_OP_OUTPUTS_VARY) ? 0 : op.def.n_outputs, nullptr, !has_region(op.id));
  if (first && options_.decomposed)
    for (const GraphNode& n : graph.nodes)
      if (n.live) options_.decomposed->push_back(n.op->name());
  std::vector<int> outputs;
  const std::vector<int> map = lower_nodes(graph, inputs, depth + 1);
  for (size_t k = 0; k < graph.results.size(); ++k) {
    int r = map[static_cast<size_t>(graph.results[k])];
    // The rule is what counts: a recipe may have computed in another dtype or left a scalar.
    const Shape& want = inferred.outputs[k].shape;
    if (values_[static_cast<size_t>(r)].shape.dtype != want.dtype ||
        values_[static_cast<size_t>(r)].weak)
      r = convert(r, want.dtype);
    const Shape& got = values_[static_cast<size_t>(r)].shape;
    if (!same_dims(got, want))
      fail(TN_INTERNAL, "{}: its decomposition gives {} where its rule says {}", op.name(),
           shape_text(got), shape_text(want));
    outputs.push_back(r);
  }
  return outputs;
}

// What each value of the graph became; -1: nothing.
std::vector<int> Lowering::lower_nodes(const Graph& graph, const std::vector<int>& inputs,
                                       int depth) {
  std::vector<int> map(graph.values.size(), -1);
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    map[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const GraphValue& g = graph.values[i];
    if (!g.constant) continue;
    LValue v;
    v.base = Base::kConstant;
    v.shape = g.shape;
    v.immediate = true;
    v.weak = g.weak;
    std::memcpy(v.bits, g.bits, sizeof v.bits);
    map[i] = add(v);
  }
  for (const GraphNode& n : graph.nodes) {
    if (!n.live) continue;
    std::vector<int> in;
    for (int i : n.inputs) in.push_back(i < 0 ? -1 : map[static_cast<size_t>(i)]);
    const std::vector<int> out = n.control    ? lower_control(graph, n, in)
                                 : n.compiled ? lower_compiled(graph, n, in)
                                              : lower(*n.op, in, n.attrs, depth);
    for (size_t k = 0; k < n.outputs.size(); ++k) map[static_cast<size_t>(n.outputs[k])] = out[k];
  }
  return map;
}

std::vector<int> Lowering::lower_graph(Graph& graph, const std::vector<int>& inputs) {
  const std::vector<int> map = lower_nodes(graph, inputs, 0);
  std::vector<int> results;
  for (int r : graph.results) results.push_back(r < 0 ? -1 : map[static_cast<size_t>(r)]);
  return results;
}

// Results become buffers that a run allocates, or views of inputs.
void Lowering::place_results(const std::vector<int>& results) {
  for (int i : results) {
    Result r;
    if (i < 0) {
      program_->results.push_back(r);
      continue;
    }
    const LValue& v = values_[static_cast<size_t>(i)];
    r.shape = v.shape;
    r.shape_id = rt_->shapes.intern(&device_, v.shape, 0);
    r.delta = v.delta;
    if (v.base == Base::kInput) {
      r.input = v.index;
      r.same = v.delta == 0 && same_layout(inputs_[static_cast<size_t>(v.index)].shape, v.shape);
    } else {
      Temp& t = temps_[static_cast<size_t>(v.index)];
      const bool whole = v.delta == 0 && v.shape.dense() && v.shape.count() == t.shape.count() &&
                         v.shape.dtype == t.shape.dtype;
      if (t.buffer < 0) {
        t.buffer = static_cast<int>(program_->buffers.size());
        OutputBuffer b;
        b.shape = t.shape;
        b.bytes = t.bytes;
        b.cls = size_class(t.bytes);
        b.alias = t.alias;
        program_->buffers.push_back(b);
        r.owns = whole;
        if (whole) {
          program_->buffers.back().shape = v.shape;
          program_->buffers.back().shape_id = r.shape_id;
        }
      }
      r.buffer = t.buffer;
      t.last = kForEver;
    }
    program_->results.push_back(r);
  }
  for (OutputBuffer& b : program_->buffers)
    if (!b.shape_id) b.shape_id = rt_->shapes.intern(&device_, b.shape, 0);
}

// An output may lie over an input in the last step alone, so that after a step that fails everything is as it was; and where that
// step sees the input once and no result is a view of it.
void Lowering::check_aliases(const std::vector<int>& results) {
  std::vector<int> uses(inputs_.size());
  const auto use = [&](int value) {
    if (value < 0) return;
    const LValue& v = values_[static_cast<size_t>(value)];
    if (v.base == Base::kInput) ++uses[static_cast<size_t>(v.index)];
  };
  if (!steps_.empty()) std::ranges::for_each(steps_.back().inputs, use);
  for (int r : results) {
    use(r);
    use(r);  // more than once, whatever the step does
  }
  for (Temp& t : temps_)
    if (t.alias >= 0 && (t.first + 1 != static_cast<int>(steps_.size()) ||
                         uses[static_cast<size_t>(t.alias)]++ != 1))
      t.alias = -1;
}

// The temp that an immediate is uploaded to, for kernels that take none.
int Lowering::slot_of(int value) {
  const LValue& x = values_[static_cast<size_t>(value)];
  for (auto& [v, t] : slots_) {
    const LValue& y = values_[static_cast<size_t>(v)];
    if (v == value || (x.base == Base::kConstant && y.base == Base::kConstant &&
                       x.shape.dtype == y.shape.dtype && std::ranges::equal(x.bits, y.bits)))
      return t;
  }
  Shape s;
  s.dtype = x.shape.dtype;
  const int t = temp(s, 16);
  temps_[static_cast<size_t>(t)].first = -1;
  temps_[static_cast<size_t>(t)].last = kForEver - 1;
  slots_.emplace_back(value, t);
  return t;
}

uint32_t Lowering::emit_temp(int index, const Shape& shape, uint64_t delta) {
  Program& p = *program_;
  p.shapes.push_back(shape);
  LValue v;
  v.shape = shape;
  tn_view out = view(v);
  out.dims = p.shapes.back().dims;
  out.strides = p.shapes.back().strides;
  const auto id = static_cast<uint32_t>(p.views.size());
  p.views.push_back(out);
  const Temp& t = temps_[static_cast<size_t>(index)];
  if (t.buffer < 0) {
    p.temps.push_back({id, t.offset + delta});
    return id;
  }
  const auto b = static_cast<size_t>(t.buffer);
  const bool whole = delta == 0 && same_layout(shape, p.buffers[b].shape);
  buffer_patches_[b].push_back({whole ? static_cast<uint32_t>(args_.size()) : id, whole, delta});
  return id;
}

uint32_t Lowering::emit_arg(int value, bool immediates) {
  Program& p = *program_;
  const auto id = static_cast<uint32_t>(p.views.size());
  if (value < 0) {
    p.views.push_back(kAbsent);
    return id;
  }
  const LValue& v = values_[static_cast<size_t>(value)];
  if (v.base == Base::kTemp) return emit_temp(v.index, v.shape, v.delta);
  if (v.immediate && !immediates) {
    const int slot = slot_of(value);
    Shape s = v.shape;
    std::fill(s.strides, s.strides + TN_MAX_RANK, 0);
    const uint32_t at = emit_temp(slot, s, 0);
    if (v.base == Base::kConstant) {
      Constant c{at, {v.bits[0], v.bits[1]}, static_cast<uint32_t>(dtype_size(v.shape.dtype))};
      p.constants.push_back(c);
    } else {
      p.patches.push_back({static_cast<uint32_t>(v.index), at, 0, PatchKind::kUpload});
    }
    p.uploads = true;
    return at;
  }
  p.shapes.push_back(v.shape);
  tn_view out = view(v);
  out.flags &= static_cast<uint8_t>(~TN_VIEW_WEAK);
  out.dims = p.shapes.back().dims;
  out.strides = p.shapes.back().strides;
  if (v.base == Base::kConstant) {
    std::memcpy(&out.mem, v.bits, 8);
  } else {
    const auto input = static_cast<uint32_t>(v.index);
    if (v.immediate)
      p.patches.push_back({input, id, 0, PatchKind::kImmediate});
    else if (v.delta == 0 && same_layout(v.shape, inputs_[input].shape))
      p.patches.push_back({input, static_cast<uint32_t>(args_.size()), 0, PatchKind::kWhole});
    else
      p.patches.push_back({input, id, v.delta, PatchKind::kPointer});
  }
  p.views.push_back(out);
  return id;
}

void Lowering::emit() {
  Program& p = *program_;
  // Slots for immediates are temps too: they must exist before memory is planned.
  for (size_t s = 0; s < steps_.size(); ++s)
    for (int i : steps_[s].inputs)
      if (i >= 0 && values_[static_cast<size_t>(i)].immediate && !steps_[s].immediates) slot_of(i);
  std::vector<Temporary*> between;
  for (Temp& t : temps_)
    if (t.buffer < 0) between.push_back(&t);
  p.arena_bytes = plan_memory(std::move(between), steps_.size(), device_.alignment);
  buffer_patches_.resize(p.buffers.size());
  for (const LStep& s : steps_) {
    Step step{s.plan->plan.run, s.plan->plan.data, static_cast<uint32_t>(args_.size()),
              s.plan->plan.run == run_control};
    if (s.compiled && s.compiled->packed >= 0)
      p.packed.push_back(
          {step.first_arg + static_cast<uint32_t>(s.compiled->packed), s.compiled->whole});
    for (int i : s.inputs) args_.push_back(emit_arg(i, s.immediates));
    for (int t : s.outputs) args_.push_back(emit_temp(t, temps_[static_cast<size_t>(t)].shape, 0));
    if (s.workspace >= 0)
      args_.push_back(emit_temp(s.workspace, temps_[static_cast<size_t>(s.workspace)].shape, 0));
    p.steps.push_back(step);
  }
  for (uint32_t a : args_) p.args.push_back(&p.views[a]);  // views no longer move
  for (size_t b = 0; b < p.buffers.size(); ++b) {
    p.buffers[b].first_patch = static_cast<uint32_t>(p.output_patches.size());
    p.buffers[b].n_patches = static_cast<uint32_t>(buffer_patches_[b].size());
    for (auto& patch : buffer_patches_[b]) p.output_patches.push_back(patch);
  }
  p.made.resize(p.buffers.size());
  p.made_results.resize(p.results.size());
  p.plans.reserve(steps_.size());
  for (LStep& s : steps_) p.plans.push_back(std::exchange(s.plan, nullptr));
  bool direct = true;
  for (const Patch& x : p.patches) direct = direct && x.kind != PatchKind::kUpload;
  p.simple = direct && p.steps.size() == 1 && p.buffers.size() == 1 && p.results.size() == 1 &&
             p.results[0].owns && p.arena_bytes == 0 && p.constants.empty();
}

Program* Lowering::run(Graph& graph) {
  program_->device = &device_;
  program_->n_inputs = static_cast<uint32_t>(inputs_.size());
  std::vector<int> inputs;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const ProgramInput& in = inputs_[i];
    if (in.absent) {
      inputs.push_back(-1);
      continue;
    }
    LValue v;
    v.base = Base::kInput;
    v.index = static_cast<int>(i);
    v.shape = in.shape;
    v.immediate = in.scalar;
    v.weak = in.weak;
    v.source = in.shape.dtype;
    inputs.push_back(add(v));
  }
  std::vector<int> results = lower_graph(graph, inputs);
  for (int& r : results) {
    if (r < 0) continue;
    const LValue& v = values_[static_cast<size_t>(r)];
    if (v.immediate || (options_.own_results && (v.base == Base::kInput || !v.shape.dense())))
      r = contiguous(r);
  }
  check_aliases(results);
  place_results(results);
  emit();
  return program_.release();
}

}  // namespace

Program* compile(tn_runtime* rt, tn_device& device, Graph& graph,
                 const std::vector<ProgramInput>& inputs, const CompileOptions& options) {
  if (device.holds_values()) return compile_values(rt, device, graph, inputs, options);
  Lowering lowering(rt, device, inputs, options);
  return lowering.run(graph);
}

}  // namespace tenon
