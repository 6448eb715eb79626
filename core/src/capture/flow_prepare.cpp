// Control flow inside of a program: its programs prepared for known sizes, and the host's part of a run. Asks for no memory but that of
// values between steps, which comes from the context's free lists.
#include "base/error.hpp"
#include "flow.hpp"
#include "op/guards.hpp"
#include "op/runtime.hpp"
#include "op/select.hpp"
#include "op/transfer.hpp"
#include "passes/dump.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

// One of the programs, whose intermediate values lie in the workspace of the node.
class Part {
 public:
  Part(const tn_program& p, tn_runtime* rt, tn_device& device, const std::vector<Shape>& shapes,
       const CompileOptions& options) {
    std::list<Stand> stands;
    std::vector<tn_tensor*> arguments;
    for (const Shape& s : shapes) arguments.push_back(&stands.emplace_back(s).tensor);
    graph_ = substitute(p, arguments.data(), lists_);
    PassContext c{rt, &device, options.queue, options.modes};
    c.input_text = input_text;
    c.program = &p;
    Dump dump(c, p.name);
    run_passes(graph_, c, dump);
    const std::vector<bool> used = graph_.mark_live();
    for (size_t i = 0; i < p.inputs.size(); ++i) {
      ProgramInput& in = inputs_.emplace_back();
      in.shape = shapes[i];
      in.absent = !used[i];
    }
    CompileOptions own = options;
    own.own_results = true;
    own.dump = &dump;
    own.trail = nullptr;
    own.decomposed = nullptr;
    program_.reset(compile(rt, device, graph_, inputs_, own));
    bytes_ = std::exchange(program_->arena_bytes, 0);  // not of the context's arena
    results.resize(program_->results.size());
  }
  uint64_t bytes() const { return bytes_; }
  // Fills `results`, which the caller drops.
  void run(tn_ctx* ctx, tn_tensor* const* arguments, const tn_view* workspace) {
    Program& p = *program_;
    for (ControlRun* c : p.controls) c->ctx = ctx;
    if (bytes_ && (p.arena_mem != workspace->mem || p.arena_offset != workspace->offset)) {
      p.arena_mem = workspace->mem;
      p.arena_offset = workspace->offset;
      for (const TempPatch& t : p.temps) {
        p.views[t.view].mem = p.arena_mem;
        p.views[t.view].offset = p.arena_offset + t.offset;
      }
    }
    run_program(ctx, p, arguments, results.data());
  }

  std::vector<tn_tensor*> results;  // of the run under way

 private:
  Graph graph_;
  std::list<std::vector<int64_t>> lists_;
  std::vector<ProgramInput> inputs_;
  std::unique_ptr<Program> program_;
  uint64_t bytes_ = 0;
};

// Puts a value into its place.
class Copy {
 public:
  Copy(const Shape& shape, tn_runtime* rt, tn_device& device, const CompileOptions& options)
      : to_(shape) {
    const OpEntry& op = rt->ops.get(TN_OP_COPY);
    const Attrs attrs = complete_attrs(op, nullptr, 0);
    Signature s;
    s.op = &op;
    s.attrs = &attrs;
    s.modes = options.modes;
    s.queue = options.queue;
    s.inputs = s.outputs = {&to_.tensor.view};
    plan_.reset(select_kernel(device, s, nullptr));
    if (!plan_)
      fail(TN_UNIMPLEMENTED, "copy: no kernel for {} on {}", shape_text(shape), device.name);
  }
  uint64_t bytes() const { return plan_->plan.workspace_bytes; }
  void run(Queue* queue, const tn_view& from, const tn_view& to, uint64_t delta,
           const tn_view* workspace) {
    to_.tensor.view.mem = to.mem;
    to_.tensor.view.offset = to.offset + delta;
    const tn_view* args[] = {&from, &to_.tensor.view, workspace};
    Submission s(queue);
    check(call_plugin("run", [&] { return plan_->plan.run(plan_->plan.data, s.native(), args); }));
    s.commit();
  }

 private:
  Stand to_;
  PlanOwner plan_;
};

class Run final : public ControlRun {
 public:
  Run(const Flow& f, tn_runtime* rt, tn_device& device, std::span<const Shape> inputs,
      std::span<const Shape> outputs, const CompileOptions& options)
      : f_(f), device_(device) {
    std::vector<Shape> shapes(inputs.begin() + (f.kind == FlowKind::kIf), inputs.end());
    for (size_t i = f.n_carry; i < f.n_carry + f.n_sequences; ++i) {
      strides_.push_back(bytes_of(element_of(shapes[i])));
      shapes[i] = element_of(shapes[i]);
    }
    if (f.n_sequences)
      steps_ = inputs[f.n_carry].dims[0];
    else
      steps_ = f.steps;
    for (const tn_program* p : {f.first, f.second})
      if (p) parts_.emplace_back(*p, rt, device, shapes, options);
    for (const Shape& s : inputs) given_.emplace_back(s);
    for (size_t i = 0; i < shapes.size(); ++i) elements_.emplace_back(shapes[i]);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const bool stacked = f.kind == FlowKind::kScan && i >= f.n_carry;
      const Shape s = stacked ? element_of(outputs[i]) : outputs[i];
      copies_.emplace_back(s, rt, device, options);
      sizes_.push_back(bytes_of(s));
    }
    state_.resize(f.n_carry);
    arguments_.resize(shapes.size());
    for (const Part& p : parts_) workspace_bytes = std::max(workspace_bytes, p.bytes());
    for (const Copy& c : copies_) workspace_bytes = std::max(workspace_bytes, c.bytes());
  }

  void run(const tn_view* const* args) override {
    queue_ = ctx->state(&device_).queue;
    outputs_ = args + given_.size();
    workspace_ = workspace_bytes ? outputs_[copies_.size()] : nullptr;
    const Dropped dropped(*this);
    const size_t skip = f_.kind == FlowKind::kIf;
    for (size_t i = 0; i < given_.size(); ++i) look_at(given_[i].tensor, *args[i]);
    for (size_t i = 0; i < arguments_.size(); ++i) arguments_[i] = &given_[i + skip].tensor;
    if (f_.kind == FlowKind::kIf)
      branch();
    else if (f_.kind == FlowKind::kWhile)
      loop();
    else
      scan();
  }

 private:
  // Values between steps, also where one fails.
  struct Dropped {
    explicit Dropped(Run& r) : r_(r) {}
    ~Dropped() {
      r_.drop_all(r_.state_);
      for (Part& p : r_.parts_) r_.drop_all(p.results);
    }
    Run& r_;
  };
  void drop_all(std::vector<tn_tensor*>& list) {
    for (tn_tensor*& t : list)
      if (t) drop(ctx, std::exchange(t, nullptr));
  }
  static uint64_t bytes_of(const Shape& s) {
    return tn_dtype_bytes(s.dtype, static_cast<uint64_t>(s.count()));
  }
  void look_at(tn_tensor& t, const tn_view& v) {
    t.view.mem = v.mem;
    t.view.offset = v.offset;
    t.device = &device_;
    t.queue = queue_;
    if (queue_) t.value = queue_->line.submitted;
  }
  void put(size_t output, const tn_tensor* from, int64_t step = 0) {
    if (sizes_[output])
      copies_[output].run(queue_, from->view, *outputs_[output],
                          static_cast<uint64_t>(step) * sizes_[output], workspace_);
  }
  // The results of a step become what the next one begins with.
  void carry(Part& p) {
    for (size_t i = 0; i < state_.size(); ++i) {
      if (state_[i]) drop(ctx, state_[i]);
      arguments_[i] = state_[i] = std::exchange(p.results[i], nullptr);
    }
  }
  void put_state() {
    for (size_t i = 0; i < state_.size(); ++i) put(i, arguments_[i]);
  }

  void branch() {
    Part& chosen = is_true(ctx, &given_[0].tensor) ? parts_.front() : parts_.back();
    chosen.run(ctx, arguments_.data(), workspace_);
    for (size_t i = 0; i < copies_.size(); ++i) put(i, chosen.results[i]);
  }
  void loop() {
    for (int64_t k = 0; f_.steps < 0 || k < f_.steps; ++k) {
      parts_.front().run(ctx, arguments_.data(), workspace_);
      const bool go_on = is_true(ctx, parts_.front().results[0]);
      drop_all(parts_.front().results);
      if (!go_on) break;
      parts_.back().run(ctx, arguments_.data(), workspace_);
      carry(parts_.back());
    }
    put_state();
  }
  void scan() {
    Part& body = parts_.front();
    for (int64_t k = 0; k < steps_; ++k) {
      const int64_t at = f_.reverse ? steps_ - 1 - k : k;
      for (size_t i = 0; i < f_.n_sequences; ++i) {
        tn_tensor& element = elements_[f_.n_carry + i].tensor;
        look_at(element, given_[f_.n_carry + i].tensor.view);
        element.view.offset += static_cast<uint64_t>(at) * strides_[i];
        arguments_[f_.n_carry + i] = &element;
      }
      body.run(ctx, arguments_.data(), workspace_);
      for (size_t i = f_.n_carry; i < copies_.size(); ++i) put(i, body.results[i], at);
      carry(body);
      drop_all(body.results);
    }
    put_state();
  }

  Flow f_;
  tn_device& device_;
  int64_t steps_ = 0;
  std::list<Part> parts_;
  std::deque<Copy> copies_;                // of each output, or of one element of it
  std::vector<uint64_t> sizes_, strides_;  // bytes of that, and of elements of sequences
  std::deque<Stand> given_, elements_;
  std::vector<tn_tensor*> state_, arguments_;  // state_: counted
  Queue* queue_ = nullptr;
  const tn_view* const* outputs_ = nullptr;
  const tn_view* workspace_ = nullptr;
};

}  // namespace

std::unique_ptr<ControlRun> prepare_flow(const Flow& f, tn_runtime* rt, tn_device& device,
                                         std::span<const Shape> inputs,
                                         std::span<const Shape> outputs,
                                         const CompileOptions& options) {
  return std::make_unique<Run>(f, rt, device, inputs, outputs, options);
}

}  // namespace tenon
