// A run of a program: its inputs gathered, its kernels run, what it assigns put in place.
#include "base/error.hpp"
#include "base/room.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "profile/profiler.hpp"
#include "program.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"
#include "tenon/program.h"

tn_program::~tn_program() {
  delete last.load();
  prepared.clear();
  inputs.clear();
  targets.clear();
  tn_program_release(base);
  tenon::runtime_release(runtime);
}

namespace tenon {
namespace {

constexpr size_t kMostIdle = 16;

// An instance for one run, handed back at its end. The one used last waits in the program, where a run of the same kind finds it without
// a lock or a search.
class Borrowed {
 public:
  Borrowed(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments) : p_(&p) {
    const Queue* queue = ctx->state(p.device).queue;
    if (take_last(ctx, queue, arguments)) [[likely]]
      return;
    p_ = &for_dtypes(ctx, p, arguments);
    if (p_ != &p && take_last(ctx, queue, arguments)) return;
    auto of = specialise(ctx, *p_, arguments);
    {
      const std::lock_guard lock(of->mutex);
      for (auto it = of->idle.rbegin(); it != of->idle.rend() && !instance_; ++it) {
        if ((*it)->queue != queue) continue;
        instance_ = std::move(*it);
        of->idle.erase(std::next(it).base());
        break;
      }
    }
    if (!instance_) instance_ = make_instance(ctx, *p_, *of);
    instance_->of = std::move(of);
  }
  ~Borrowed() {
    for (tn_tensor* t : instance_->held) tensor_release_remote(t);
    instance_->held.clear();
    instance_.reset(p_->last.exchange(instance_.release(), std::memory_order_acq_rel));
    put_away();
  }
  Borrowed(const Borrowed&) = delete;
  tn_program& program() const { return *p_; }
  Instance* operator->() const { return instance_.get(); }
  Instance& operator*() const { return *instance_; }
  Specialised& specialised() const { return *instance_->of; }

 private:
  bool take_last(const tn_ctx* ctx, const Queue* queue, tn_tensor* const* arguments) {
    instance_.reset(p_->last.exchange(nullptr, std::memory_order_acquire));
    if (instance_ && instance_->queue == queue && fits(ctx, arguments)) [[likely]]
      return true;
    put_away();
    return false;
  }
  bool fits(const tn_ctx* ctx, tn_tensor* const* arguments) const {
    const Specialised& s = *instance_->of;
    bool same = s.modes == ctx->modes;
    for (size_t i = 0; same && i < s.ids.size(); ++i) same = s.ids[i] == arguments[i]->shape_id;
    return same;
  }
  void put_away() noexcept {
    if (!instance_) return;
    instance_->derived.values.reset();
    const std::shared_ptr<Specialised> of = std::move(instance_->of);
    auto instance = std::move(instance_);
    const std::lock_guard lock(of->mutex);
    if (of->idle.size() >= kMostIdle) return;
    try {
      of->idle.push_back(std::move(instance));
    } catch (...) {  // no memory to keep it
    }
  }
  tn_program* p_;
  std::unique_ptr<Instance> instance_;
};

// Locks what a run uses: first optimizers, then variables, each kind in the order of addresses, so that runs never wait for each
// other in a circle. Variables that are only read are let go once their values are taken; as long as the others are locked nobody can
// come to hold their memory, and it may be written over.
class Locks {
 public:
  explicit Locks(tn_program& p) : p_(p), whole_(p.variables.size() <= kMaxLocked) {
    for (auto& [optimizer, n] : p_.steps) optimizer->mutex.lock();
    if (whole_)
      for (const tn_program::Use& use : p_.variables) use.variable->mutex.lock();
  }
  ~Locks() {
    unlock(true);
    if (reading_) unlock(false);
    for (auto& [optimizer, n] : p_.steps) optimizer->mutex.unlock();
  }
  Locks(const Locks&) = delete;
  bool whole() const { return whole_; }
  void end_reading() {
    unlock(false);
    reading_ = false;
  }

 private:
  void unlock(bool written) {
    if (!whole_) return;
    for (const tn_program::Use& use : p_.variables)
      if (use.written == written) use.variable->mutex.unlock();
  }
  tn_program& p_;
  bool whole_, reading_ = true;
};

template <class T>
void set_scalar(tn_tensor* t, T value) {
  std::memcpy(&t->view.mem, &value, sizeof value);
}

// A run's inputs. Values of variables are counted where somebody may assign to the variable meanwhile.
class Inputs {
 public:
  Inputs(tn_ctx* ctx, tn_program& p, Instance& run, const Locks& locks)
      : ctx_(ctx), p_(p), run_(run), locks_(locks) {}
  void gather(tn_tensor* const* arguments, const Specialised& s) {
    stale_ = s.derived.derivation && run_.derived.stale(s.derived, !locks_.whole());
    for (size_t i = 0; i < p_.inputs.size(); ++i) {
      const Place& from = p_.inputs[i];
      if (s.inputs[i].absent && !(stale_ && s.derived.uses(i))) continue;
      switch (from.kind) {
        case InputKind::kArgument:
          run_.inputs[i] = arguments[from.index];
          break;
        case InputKind::kVariable:
          take(i, from);
          break;
        case InputKind::kSlot: {
          tn_tensor* t = from.optimizer->groups[from.group].slots[from.index];
          run_.inputs[i] = fit(t, "an optimizer's state", from.optimizer->name);
          run_.donate[i] = sole_reference(ctx_, t);
          break;
        }
        case InputKind::kConstant:
          run_.inputs[i] = from.tensor;
          break;
        case InputKind::kStep:
          set_scalar(run_.inputs[i], static_cast<float>(from.optimizer->step + 1 +
                                                        static_cast<int64_t>(from.index)));
          break;
        default:  // words of the random state
          set_scalar(run_.inputs[i], from.kind == InputKind::kSeed ? ctx_->random.seed
                                     : from.kind == InputKind::kStream
                                         ? ctx_->random.stream
                                         : ctx_->random.offset + s.draws[from.index]);
      }
    }
  }

  void derive(Specialised& s) {
    if (stale_)
      run_.derived.derive(ctx_, s.derived, *run_.program, s.modes, run_.queue, run_.inputs);
  }

 private:
  void take(size_t i, const Place& from) {
    tn_variable& v = *from.variable;
    std::unique_lock<std::mutex> lock;
    if (!locks_.whole()) lock = std::unique_lock(v.mutex);
    const bool stays = locks_.whole() && from.index;  // as it is until the run ends
    run_.inputs[i] = fit(v.value, "variable", v.name);
    run_.donate[i] = stays && sole_reference(ctx_, v.value);
    if (!stays && run_.inputs[i] == v.value) run_.held.push_back(tensor_retain(v.value));
  }
  // As the program was prepared for: dense, on its device.
  tn_tensor* fit(tn_tensor* t, const char* what, const std::string& name) {
    check_not_lost(t);
    if (t->device == p_.device && (t->view.flags & TN_VIEW_CONTIGUOUS)) [[likely]]
      return t;
    return make_fit(t, what, name);
  }
  [[gnu::cold, gnu::noinline]] tn_tensor* make_fit(tn_tensor* t, const char* what,
                                                   const std::string& name) {
    if (t->device != p_.device)
      fail(TN_FAILED_PRECONDITION,
           "program \"{}\": {} \"{}\" lives on {} by now, the program on {}", p_.name, what, name,
           t->device->name, p_.device->name);
    const NoGrad no_grad(ctx_);
    make_room(run_.held);
    Owned dense = call_one(ctx_, TN_OP_COPY, {t});
    tensor_retain(dense.get());
    run_.held.push_back(dense.get());
    return dense.get();
  }

  tn_ctx* ctx_;
  tn_program& p_;
  Instance& run_;
  const Locks& locks_;
  bool stale_ = false;  // what is derived of variables
};

// The kernels failed: what they were writing over says so from now on.
[[gnu::cold]] void name_losses(tn_program& p, Instance& run, const Error& cause) noexcept {
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    if (!run.donate[i]) continue;
    const Place& from = p.inputs[i];
    const bool slot = from.kind == InputKind::kSlot;
    name_loss(run.inputs[i], slot ? "optimizer state" : "variable",
              slot ? from.optimizer->groups[from.group].names[from.index] : from.variable->name,
              "a run of program", p.name, cause);
  }
}

// Its branches and loops run programs, each of which is compiled.
[[gnu::cold]] void run_by_calls(tn_ctx* ctx, Instance& run) {
  const NoGrad no_grad(ctx);
  std::vector<tn_tensor*> inputs = run.inputs;
  std::vector<Owned> scalars;
  for (tn_tensor*& t : inputs) {
    if (!t || t->heap) continue;
    scalars.emplace_back(ctx, make_scalar(ctx, t->view.dtype, false, &t->view.mem));
    t = scalars.back().get();
  }
  run.results = replay(ctx, run.of->graph, inputs.data());
}

// From here on nothing fails.
void commit(tn_ctx* ctx, tn_program& p, Instance& run, bool locked) noexcept {
  for (size_t i = 0; i < p.targets.size(); ++i) {
    const Place& to = p.targets[i];
    tn_tensor* fresh = std::exchange(run.results[p.n_outputs + i], nullptr);
    if (to.kind == InputKind::kSlot) {
      drop(ctx, std::exchange(to.optimizer->groups[to.group].slots[to.index], fresh));
      continue;
    }
    if (!locked) to.variable->mutex.lock();
    tn_tensor* old = std::exchange(to.variable->value, fresh);
    ++to.variable->version;
    if (!locked) to.variable->mutex.unlock();
    drop(ctx, old);
  }
  for (auto& [optimizer, n] : p.steps) optimizer->step += n;
}

}  // namespace

[[gnu::cold]] static void refuse_argument(const tn_program& p, size_t i, const tn_tensor* t) {
  const std::string_view name = p.arguments[i].name;
  if (!t) fail(TN_INVALID_ARGUMENT, "program \"{}\": input \"{}\" is NULL", p.name, name);
  if (is_scalar(t))
    fail(TN_INVALID_ARGUMENT,
         "program \"{}\": input \"{}\" is a host scalar; make it a tensor with tn_tensor_full",
         p.name, name);
  need_elements(t, "tn_program_run");
  fail(TN_INVALID_ARGUMENT,
       "program \"{}\": input \"{}\" lives on {}, the program on {}. Copy it with tn_tensor_to.",
       p.name, name, t->device->name, p.device->name);
}

void check_arguments(const tn_ctx* ctx, const tn_program& p, tn_tensor* const* arguments) {
  for (size_t i = 0; i < p.arguments.size(); ++i) {
    const tn_tensor* t = arguments[i];
    if (!t || is_scalar(t) || t->device != p.device || (is_abstract(t) && !ctx->recorder))
        [[unlikely]]
      refuse_argument(p, i, t);
  }
  if (p.runtime != ctx->runtime)
    fail(TN_INVALID_ARGUMENT, "program \"{}\" belongs to another runtime", p.name);
}

void run_captured(tn_ctx* ctx, tn_program& captured, tn_tensor* const* arguments,
                  tn_tensor** outputs) {
  check_arguments(ctx, captured, arguments);
  const Borrowed run(ctx, captured, arguments);
  tn_program& p = run.program();
  settle(ctx);
  // The context's own views of the old values would count as holders of their memory.
  if (!ctx->leaves.empty())
    for (const Place& to : p.targets)
      if (to.variable) variable_forget(ctx, &to.variable, 1);
  Locks locks(p);
  Inputs inputs(ctx, p, *run, locks);
  inputs.gather(arguments, run.specialised());
  locks.end_reading();
  inputs.derive(run.specialised());
  try {
    if (run->program) [[likely]] {
      for (ControlRun* c : run->program->controls) c->ctx = ctx;
      run_program(ctx, *run->program, run->inputs.data(), run->results.data(), &run->donate);
    } else {
      run_by_calls(ctx, *run);
    }
  } catch (const Error& e) {
    name_losses(p, *run, e);
    throw;
  }
  commit(ctx, p, *run, locks.whole());
  ctx->random.offset += run.specialised().drawn;
  for (uint32_t i = 0; i < p.n_outputs; ++i) outputs[i] = std::exchange(run->results[i], nullptr);
}

}  // namespace tenon
