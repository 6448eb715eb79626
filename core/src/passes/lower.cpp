// Steps for the nodes of a graph: chooses kernels, decomposes what has none, turns views into strides.
#include "recipe/lowered.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "tenon/op_ids.h"

namespace tenon {

int Lowered::temp(const Shape& shape, uint64_t bytes) {
  Temp t;
  t.shape = shape;
  t.bytes = std::max<uint64_t>(bytes, 16);
  t.first = static_cast<int>(steps.size());
  t.last = t.first;
  temps.push_back(t);
  return static_cast<int>(temps.size()) - 1;
}

Lowered::~Lowered() {
  for (LStep& s : steps) plan_release(s.plan);
}

tn_view view_of(const LValue& v) {
  tn_view out = view_of(v.shape);
  if (v.immediate) out.flags |= TN_VIEW_IMMEDIATE;
  if (v.weak) out.flags |= TN_VIEW_WEAK;
  return out;
}

namespace {

class Lowering {
 public:
  Lowering(Lowered& out, const CompileOptions& options)
      : out_(out), options_(options), values_(out.values), temps_(out.temps), steps_(out.steps) {}

  void run(Graph& graph);

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
  Inferred infer_now(const OpEntry& op, const std::vector<int>& inputs, const Attrs& attrs) const;
  [[noreturn]] void unsupported(const OpEntry& op, const std::vector<int>& inputs,
                                const std::vector<Candidate>& why) const;

  Lowered& out_;
  const CompileOptions& options_;
  std::deque<LValue>& values_;
  std::vector<Temp>& temps_;
  std::vector<LStep>& steps_;
  bool first_ = true;
};

Inferred Lowering::infer_now(const OpEntry& op, const std::vector<int>& inputs,
                             const Attrs& attrs) const {
  std::list<tn_view> views;
  std::vector<const tn_view*> pointers;
  for (int i : inputs) {
    if (i < 0) {
      pointers.push_back(&kAbsent);
      continue;
    }
    views.push_back(view_of(values_[static_cast<size_t>(i)]));
    pointers.push_back(&views.back());
  }
  return infer(op, pointers, attrs);
}

int Lowering::call_one(tn_op op, int x, std::initializer_list<tn_attr> attrs) {
  const OpEntry& entry = out_.rt->ops.get(op);
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
    views.push_back(view_of(values_[static_cast<size_t>(i)]));
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
    views.push_back(view_of(v));
    views.back().dims = shape.dims;
    views.back().strides = shape.strides;
    s.outputs.push_back(&views.back());
  }
  steps_.emplace_back().inputs = inputs;  // owns the plan as soon as there is one
  PlanEntry* plan = select_kernel(out_.device, s, &why);
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
    v.index = out_.temp(shapes[k],
                        tn_dtype_bytes(shapes[k].dtype, static_cast<uint64_t>(shapes[k].count())));
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
    const int w = out_.temp(bytes, plan->plan.workspace_bytes);
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
  std::unique_ptr<ControlRun> run = n.control->prepare(out_.rt, out_.device, in, out, options_);
  steps_.emplace_back().inputs = inputs;
  PlanEntry* plan = steps_.back().plan = new PlanEntry;
  plan->kernel = &n.control->kernel();
  plan->plan.run = run_control;
  steps_.back().control = true;
  plan->plan.workspace_bytes = run->workspace_bytes;
  plan->plan.release = [](void* data) { delete static_cast<ControlRun*>(data); };
  out_.controls.push_back(run.get());
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
  steps_.back().plan = n.compiled->plan.get();
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
       op.name(), given, out_.device.name, reasons);
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
      const size_t steps = steps_.size(), temps = temps_.size();
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
      temps_.resize(temps);
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
      trace_recipe(out_.rt->ops, op.name(), op.def.decompose, shapes, attrs,
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

void Lowering::run(Graph& graph) {
  std::vector<int> inputs;
  for (size_t i = 0; i < out_.inputs.size(); ++i) {
    const ProgramInput& in = out_.inputs[i];
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
  out_.results = lower_graph(graph, inputs);
  for (int& r : out_.results) {
    if (r < 0) continue;
    const LValue& v = values_[static_cast<size_t>(r)];
    if (v.immediate || (options_.own_results && (v.base == Base::kInput || !v.shape.dense())))
      r = contiguous(r);
  }
}

}  // namespace

void lower(Graph& graph, const CompileOptions& options, Lowered& out) {
  Lowering(out, options).run(graph);
}

}  // namespace tenon
