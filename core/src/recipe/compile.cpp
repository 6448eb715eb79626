// Graph -> Program: its steps, with everything that they work on in its place.
#include <algorithm>
#include <cstring>

#include "lowered.hpp"
#include "op/runtime.hpp"

namespace tenon {
namespace {

constexpr int kForEver = 1 << 30;

// What was lowered, as the flat lists that a run walks.
class Emission {
 public:
  explicit Emission(Lowered& l) : l_(l), program_(new Program) {}
  Program* run(Dump* dump);

 private:
  void place_results();
  void emit(Dump* dump);
  uint32_t emit_arg(int value, bool immediates);
  uint32_t emit_temp(int index, const Shape& shape, uint64_t delta);
  int slot_of(int value);

  Lowered& l_;
  std::unique_ptr<Program> program_;
  std::vector<std::pair<int, int>> slots_;  // immediate value -> temp that it is uploaded to
  std::vector<std::vector<OutputPatch>> buffer_patches_;
  std::vector<uint32_t> args_;  // views
};

// Results become buffers that a run allocates, or views of inputs.
void Emission::place_results() {
  for (int i : l_.results) {
    Result r;
    if (i < 0) {
      program_->results.push_back(r);
      continue;
    }
    const LValue& v = l_.values[static_cast<size_t>(i)];
    r.shape = v.shape;
    r.shape_id = l_.rt->shapes.intern(&l_.device, v.shape, 0);
    r.delta = v.delta;
    if (v.base == Base::kInput) {
      r.input = v.index;
      r.same = v.delta == 0 && same_layout(l_.inputs[static_cast<size_t>(v.index)].shape, v.shape);
    } else {
      Temp& t = l_.temps[static_cast<size_t>(v.index)];
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
    if (!b.shape_id) b.shape_id = l_.rt->shapes.intern(&l_.device, b.shape, 0);
}

// The temp that an immediate is uploaded to, for kernels that take none.
int Emission::slot_of(int value) {
  const LValue& x = l_.values[static_cast<size_t>(value)];
  for (auto& [v, t] : slots_) {
    const LValue& y = l_.values[static_cast<size_t>(v)];
    if (v == value || (x.base == Base::kConstant && y.base == Base::kConstant &&
                       x.shape.dtype == y.shape.dtype && std::ranges::equal(x.bits, y.bits)))
      return t;
  }
  Shape s;
  s.dtype = x.shape.dtype;
  const int t = l_.temp(s, 16);
  l_.temps[static_cast<size_t>(t)].first = -1;
  l_.temps[static_cast<size_t>(t)].last = kForEver - 1;
  slots_.emplace_back(value, t);
  return t;
}

uint32_t Emission::emit_temp(int index, const Shape& shape, uint64_t delta) {
  Program& p = *program_;
  p.shapes.push_back(shape);
  LValue v;
  v.shape = shape;
  tn_view out = view_of(v);
  out.dims = p.shapes.back().dims;
  out.strides = p.shapes.back().strides;
  const auto id = static_cast<uint32_t>(p.views.size());
  p.views.push_back(out);
  const Temp& t = l_.temps[static_cast<size_t>(index)];
  if (t.buffer < 0) {
    p.temps.push_back({id, t.offset + delta});
    return id;
  }
  const auto b = static_cast<size_t>(t.buffer);
  const bool whole = delta == 0 && same_layout(shape, p.buffers[b].shape);
  buffer_patches_[b].push_back({whole ? static_cast<uint32_t>(args_.size()) : id, whole, delta});
  return id;
}

uint32_t Emission::emit_arg(int value, bool immediates) {
  Program& p = *program_;
  const auto id = static_cast<uint32_t>(p.views.size());
  if (value < 0) {
    p.views.push_back(kAbsent);
    return id;
  }
  const LValue& v = l_.values[static_cast<size_t>(value)];
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
  tn_view out = view_of(v);
  out.flags &= static_cast<uint8_t>(~TN_VIEW_WEAK);
  out.dims = p.shapes.back().dims;
  out.strides = p.shapes.back().strides;
  if (v.base == Base::kConstant) {
    std::memcpy(&out.mem, v.bits, 8);
  } else {
    const auto input = static_cast<uint32_t>(v.index);
    if (v.immediate)
      p.patches.push_back({input, id, 0, PatchKind::kImmediate});
    else if (v.delta == 0 && same_layout(v.shape, l_.inputs[input].shape))
      p.patches.push_back({input, static_cast<uint32_t>(args_.size()), 0, PatchKind::kWhole});
    else
      p.patches.push_back({input, id, v.delta, PatchKind::kPointer});
  }
  p.views.push_back(out);
  return id;
}

void Emission::emit(Dump* dump) {
  Program& p = *program_;
  // Slots for immediates are temps too: they must exist before memory is planned.
  for (size_t s = 0; s < l_.steps.size(); ++s)
    for (int i : l_.steps[s].inputs)
      if (i >= 0 && l_.values[static_cast<size_t>(i)].immediate && !l_.steps[s].immediates)
        slot_of(i);
  std::vector<Temporary*> between;
  for (Temp& t : l_.temps)
    if (t.buffer < 0) between.push_back(&t);
  p.arena_bytes = plan_memory(between, l_.steps.size(), l_.device.alignment);
  if (dump) write_memory(*dump, l_, p);
  buffer_patches_.resize(p.buffers.size());
  for (const LStep& s : l_.steps) {
    Step step{s.plan->plan.run, s.plan->plan.data, static_cast<uint32_t>(args_.size()), s.control};
    if (s.compiled && s.compiled->packed >= 0)
      p.packed.push_back(
          {step.first_arg + static_cast<uint32_t>(s.compiled->packed), s.compiled->whole});
    for (int i : s.inputs) args_.push_back(emit_arg(i, s.immediates));
    for (int t : s.outputs)
      args_.push_back(emit_temp(t, l_.temps[static_cast<size_t>(t)].shape, 0));
    if (s.workspace >= 0)
      args_.push_back(emit_temp(s.workspace, l_.temps[static_cast<size_t>(s.workspace)].shape, 0));
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
  p.plans.reserve(l_.steps.size());
  for (LStep& s : l_.steps) p.plans.push_back(std::exchange(s.plan, nullptr));
  bool direct = true;
  for (const Patch& x : p.patches) direct = direct && x.kind != PatchKind::kUpload;
  size_t owned = 0, shared = 0;
  for (const Result& r : p.results)
    (r.owns ? owned : shared) += r.owns || r.input >= 0 || r.buffer >= 0;
  p.owning = shared == 0 && owned == p.buffers.size();
  p.simple = direct && p.steps.size() == 1 && p.buffers.size() == 1 && p.results.size() == 1 &&
             p.results[0].owns && p.arena_bytes == 0 && p.constants.empty();
}

Program* Emission::run(Dump* dump) {
  program_->device = &l_.device;
  program_->n_inputs = static_cast<uint32_t>(l_.inputs.size());
  program_->controls = std::move(l_.controls);
  place_results();
  emit(dump);
  return program_.release();
}

}  // namespace

Program* compile(tn_runtime* rt, tn_device& device, Graph& graph,
                 const std::vector<ProgramInput>& inputs, const CompileOptions& options) {
  if (device.holds_values()) return compile_values(rt, device, graph, inputs, options);
  Lowered lowered(rt, device, inputs);
  lower(graph, options, lowered);
  overwrite_in_place(lowered);
  return Emission(lowered).run(options.dump);
}

}  // namespace tenon
