// Rolling captures: on devices whose tensors are values, ops are recorded and flushed as one program. See op/values.hpp.
#include <algorithm>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "op/values.hpp"
#include "passes/dump.hpp"
#include "passes/values.hpp"
#include "profile/profiler.hpp"
#include "recipe/program.hpp"

namespace tenon {

constexpr int kNothing = INT32_MIN;

// What a Program is here: nodes to be recorded, or one that is compiled, to be executed; none, where results are inputs.
struct ValueProgram {
  uint64_t id = 0;  // of what is recorded
  Graph graph;      // the same
  bool recorded = false;
  std::shared_ptr<const CompiledNode> node;
  std::vector<size_t> args;         // of the node: inputs
  std::vector<bool> scalars, used;  // of the inputs
  std::vector<tn_dtype> dtypes;     // the same
  std::vector<int> from;  // of each result: which one of those made; ~i: input i; kNothing
  size_t n_made = 0;
  std::vector<int> made;  // recorded: the values of the graph that those are
};

namespace {

constexpr size_t kMostPrepared = 64;

struct ReleaseBuffer {
  void operator()(Buffer* b) const noexcept { buffer_release(b); }
};
using BufferOwner = std::unique_ptr<Buffer, ReleaseBuffer>;

// One of a value that is still to be made.
BufferOwner make_buffer(tn_device& device, const Shape& shape, const OpEntry* maker) {
  BufferOwner b(new Buffer);
  b->device = &device;
  b->bytes = tn_dtype_bytes(shape.dtype, static_cast<uint64_t>(shape.count()));
  b->maker = maker;
  b->user = b.get();
  b->destroy = [](void* user) {
    auto* gone = static_cast<Buffer*>(user);
    gone->device->allocator->give_up(*gone, false);
  };
  return b;
}

// With the op, where it is this value's execution that failed, and nobody named one.
[[noreturn]] void throw_named(const Buffer& b, const Error& e) {
  const std::string_view text = e.message();
  const bool told = b.home->lost || b.device->runtime->ops.find(text.substr(0, text.find(':')), 0);
  if (told || !b.maker || b.ready != atomic_load(b.home->line.failed)) throw e;
  tn_error* named = error_make(e.code(), fmt::format("{}: {}", b.maker->name(), e.message()));
  if (!named->is_static) named->op = b.maker->name();
  throw Error(named);
}

// Its elements will be there when the queue comes to what is enqueued next; throws what it failed with. q null: just that.
void need_sound(Queue* q, const Buffer& b) {
  if (!b.home) return;
  try {
    if (q && b.home != q)
      order_after(q, b.home, b.ready);
    else if (b.home->failed_at(b.ready))
      b.home->throw_failure();
  } catch (const Error& e) {
    throw_named(b, e);
  }
}

// The value of the command that was enqueued last.
void arrive(Buffer& b, uint64_t handle, Queue* q) {
  b.mem = handle;
  b.home = q;
  b.ready = q->line.submitted;
  b.device->allocator->adopt(b);
}

// No queue of another context has to do with it, so that a command of this one may end it.
bool is_own(const Buffer& b, const DeviceState& ds) {
  const uint64_t own = 1ull << ds.queue->index | 1ull << ds.copies->index;
  return (b.home == ds.queue || b.home == ds.copies) && (b.readers.load() & ~own) == 0;
}

struct Operand {
  Buffer* buffer = nullptr;  // null: a host scalar
  uint64_t bits = 0;
};

// in: of the program's inputs; out: blank buffers for what is made. donate: nobody else needs the input.
void execute(tn_device& d, Queue* q, const ValueProgram& p, std::span<const Operand> in,
             const std::vector<bool>& donate, std::span<Buffer* const> out) {
  if (!p.node) return;
  if (q->failed_at(UINT64_MAX)) q->throw_failure();
  const PlanEntry& plan = *p.node->plan;
  std::vector<uint64_t> args, made(out.size());
  std::vector<uint8_t> donated;
  for (const size_t i : p.args) {
    const auto at = static_cast<int>(args.size());
    if (in[i].buffer) {
      need_sound(q, *in[i].buffer);
      if (in[i].buffer->home != q) in[i].buffer->readers.fetch_or(1ull << q->index);
    }
    args.push_back(in[i].buffer ? in[i].buffer->mem : in[i].bits);
    donated.push_back(in[i].buffer && donate[i] &&
                      std::ranges::find(p.node->aliases, at) != p.node->aliases.end());
  }
  const ProfileScope scope(*d.runtime->profiler, "compiled", "kernel");
  Submission s(q);
  check(call_plugin("execute", [&] {
    return plan.execute(plan.plan.data, s.native(), args.data(), donated.data(), made.data());
  }));
  s.commit();
  for (size_t a = 0; a < args.size(); ++a)
    if (donated[a]) d.allocator->give_up(*in[p.args[a]].buffer, true);
  for (size_t k = 0; k < out.size(); ++k) arrive(*out[k], made[k], q);
}

// What the passes left of a graph. Throws UNIMPLEMENTED where that is not one compiled node.
void take_compiled(ValueProgram& p, const Graph& graph, const tn_device& device,
                   const std::vector<std::string>& notes) {
  const auto left = std::ranges::find_if(graph.nodes, [](auto& n) { return !n.compiled; });
  if (left != graph.nodes.end())
    fail(TN_UNIMPLEMENTED, "{}: not on {}, which runs programs as a whole ({})", left->op->name(),
         device.name, notes.empty() ? "its compiler lacks it" : notes.front());
  std::vector<int> place(graph.values.size(), kNothing);
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    place[static_cast<size_t>(graph.inputs[i])] = ~static_cast<int>(i);
  if (!graph.nodes.empty()) {
    const GraphNode& n = graph.nodes[0];
    p.node = n.compiled;
    p.n_made = n.outputs.size();
    for (int i : n.inputs) p.args.push_back(static_cast<size_t>(~place[static_cast<size_t>(i)]));
    for (size_t k = 0; k < p.n_made; ++k)
      place[static_cast<size_t>(n.outputs[k])] = static_cast<int>(k);
  }
  for (int r : graph.results) p.from.push_back(r < 0 ? kNothing : place[static_cast<size_t>(r)]);
}

}  // namespace

Program* compile_values(tn_runtime* rt, tn_device& device, Graph& graph,
                        const std::vector<ProgramInput>& inputs, const CompileOptions& options) {
  static std::atomic<uint64_t> ids{0};
  auto v = std::make_shared<ValueProgram>();
  std::vector<std::string> notes;
  PassContext c{rt, &device, options.queue, options.modes};
  c.notes = &notes;
  for (const ProgramInput& in : inputs) v->scalars.push_back(in.scalar);
  c.scalars = &v->scalars;
  remove_dead_code(graph, c);
  v->recorded = !options.notes && !graph.nodes.empty() &&
                std::ranges::all_of(graph.nodes, [](auto& n) { return !n.compiled && !n.control; });
  if (v->recorded) {
    fit_scalars(graph, v->scalars);
    own_results(rt, graph, v->scalars);
    const std::vector<std::string_view> taken = need_claims(graph, c);
    if (options.decomposed && std::ranges::find(taken, graph.nodes[0].op->name()) == taken.end())
      *options.decomposed = taken;
  } else {
    take_compiled(*v, graph, device, options.notes ? *options.notes : notes);
  }
  v->used = graph.mark_live();
  for (GraphValue& value : graph.values) value.shape.set_dense();
  std::vector<int> place(graph.values.size(), kNothing);
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const auto value = static_cast<size_t>(graph.inputs[i]);
    v->used[i] = v->used[i] && !inputs[i].absent;
    v->dtypes.push_back(graph.values[value].shape.dtype);
    place[value] = ~static_cast<int>(i);
  }
  auto made = std::make_unique<Program>();
  made->device = &device;
  made->n_inputs = static_cast<uint32_t>(inputs.size());
  for (int r : graph.results) {
    Result& result = made->results.emplace_back();
    if (r >= 0) {
      result.shape = value_of(graph, r).shape;
      result.shape_id = rt->shapes.intern(&device, result.shape, 0);
    }
    if (!v->recorded) continue;
    if (r >= 0 && place[static_cast<size_t>(r)] == kNothing) {
      place[static_cast<size_t>(r)] = static_cast<int>(v->n_made++);
      v->made.push_back(r);
    }
    v->from.push_back(r < 0 ? kNothing : place[static_cast<size_t>(r)]);
  }
  if (v->recorded) {
    v->id = ++ids;
    v->graph = std::move(graph);
  }
  made->values = std::move(v);
  return made.release();
}

// Under the device's value_mutex; by the context's thread, but for `flush`.
class Rolling {
 public:
  Rolling(tn_ctx* ctx, DeviceState& ds) : ctx_(ctx), ds_(ds) {}
  ~Rolling() { clear(); }
  Rolling(const Rolling&) = delete;

  // out: blank buffers for what it makes.
  void record(const Program& p, std::span<const Operand> in, std::span<Buffer* const> out);
  // Compiles and executes what is recorded; on behalf of `caller`. When that fails, what it was to make is lost, with the same error.
  void flush(tn_ctx* caller);
  void lose(tn_error* taken) noexcept;

 private:
  struct Entry {
    std::shared_ptr<const ValueProgram> program;
    size_t first_word;  // the numbers of its inputs
    int first_made;
  };
  struct Value : Operand {
    const GraphValue* as;  // in a program that is recorded
    bool pending = false;
  };
  // What is to be run, and as which graph.
  struct Batch {
    std::vector<int> inputs, results;  // numbers
    std::vector<int> overwrites;       // of each result: place in `inputs`; -1
    std::vector<uint64_t> key;
  };
  struct Prepared {
    std::vector<uint64_t> key;
    ValueProgram program;
  };

  int number_of(const Operand& in, const GraphValue& as);
  Batch batch() const;
  Graph graph(const Batch& b, std::vector<bool>& scalars) const;
  const ValueProgram& prepare(const Batch& b);
  void run();
  void clear() noexcept;

  tn_ctx* ctx_;
  DeviceState& ds_;
  std::vector<Entry> entries_;
  std::vector<int> words_;
  std::vector<Value> values_;  // by number; buffers are counted
  size_t nodes_ = 0;
  uint32_t modes_ = 0;  // of the calls that are recorded
  std::vector<std::unique_ptr<Prepared>> prepared_;
  size_t next_ = 0;  // of those, to be replaced when there are as many as may be
};

int Rolling::number_of(const Operand& in, const GraphValue& as) {
  if (Buffer* b = in.buffer) {
    if (b->number < values_.size() && values_[b->number].buffer == b)
      return static_cast<int>(b->number);
    b->number = static_cast<uint32_t>(values_.size());
    buffer_retain(b);
  }
  values_.push_back({in, &as});  // there is room
  return static_cast<int>(values_.size()) - 1;
}

void Rolling::record(const Program& p, std::span<const Operand> in, std::span<Buffer* const> out) {
  const ValueProgram& v = *p.values;
  if (modes_ != ctx_->modes) flush(ctx_);
  modes_ = ctx_->modes;
  const size_t most = values_.size() + in.size() + out.size();
  if (values_.capacity() < most) values_.reserve(2 * most);
  entries_.push_back({p.values, words_.size(), 0});
  for (size_t i = 0; i < in.size(); ++i)
    words_.push_back(v.used[i] ? number_of(in[i], value_of(v.graph, v.graph.inputs[i])) : -1);
  entries_.back().first_made = static_cast<int>(values_.size());
  for (size_t k = 0; k < out.size(); ++k) {
    number_of({out[k]}, value_of(v.graph, v.made[k]));
    values_.back().pending = true;
    out[k]->pending = this;
  }
  nodes_ += v.graph.nodes.size();
  if (nodes_ >= ctx_->flush_limit) flush(ctx_);
}

Rolling::Batch Rolling::batch() const {
  Batch b;
  std::vector<int> dead;  // places of inputs that end here
  for (size_t k = 0; k < values_.size(); ++k) {
    const Value& v = values_[k];
    const bool held = v.buffer && v.buffer->refs.load(std::memory_order_acquire) > 1;
    if (v.pending && held) b.results.push_back(static_cast<int>(k));
    if (v.pending) continue;
    if (v.buffer && !held && is_own(*v.buffer, ds_))
      dead.push_back(static_cast<int>(b.inputs.size()));
    b.inputs.push_back(static_cast<int>(k));
  }
  b.key = {modes_, entries_.size(), words_.size()};
  for (const Entry& e : entries_) b.key.push_back(e.program->id);
  for (const int w : words_) b.key.push_back(static_cast<uint64_t>(w));
  for (const int r : b.results) {
    const auto fits = std::ranges::find_if(dead, [&](int i) {
      const auto from = static_cast<size_t>(b.inputs[static_cast<size_t>(i)]);
      return same_type(values_[from].as->shape, values_[static_cast<size_t>(r)].as->shape);
    });
    b.overwrites.push_back(fits == dead.end() ? -1 : *fits);
    if (fits != dead.end()) dead.erase(fits);
    b.key.push_back(static_cast<uint64_t>(r));
    b.key.push_back(static_cast<uint64_t>(b.overwrites.back()));
  }
  return b;
}

// The recorded programs as one.
Graph Rolling::graph(const Batch& b, std::vector<bool>& scalars) const {
  Graph g;
  std::vector<int> value_of(values_.size(), -1);  // by number
  const auto add = [&](const GraphValue& from) {
    g.values.push_back(from);
    return static_cast<int>(g.values.size()) - 1;
  };
  for (const int number : b.inputs) {
    const Value& v = values_[static_cast<size_t>(number)];
    GraphValue in;
    in.shape = v.as->shape;
    in.weak = v.as->weak;
    g.inputs.push_back(value_of[static_cast<size_t>(number)] = add(in));
    scalars.push_back(!v.buffer);
  }
  for (const Entry& e : entries_) {
    const ValueProgram& p = *e.program;
    std::vector<int> map(p.graph.values.size(), -1);
    for (size_t i = 0; i < p.graph.inputs.size(); ++i)
      if (const int word = words_[e.first_word + i]; word >= 0)
        map[static_cast<size_t>(p.graph.inputs[i])] = value_of[static_cast<size_t>(word)];
    for (size_t k = 0; k < map.size(); ++k)
      if (map[k] < 0) map[k] = add(p.graph.values[k]);
    const auto put = [&](std::vector<int>& list) {
      for (int& i : list)
        if (i >= 0) i = map[static_cast<size_t>(i)];
    };
    for (const GraphNode& n : p.graph.nodes) {
      GraphNode& copy = g.nodes.emplace_back(n);
      put(copy.inputs);
      put(copy.outputs);
      for (int o : copy.outputs)
        g.values[static_cast<size_t>(o)].node = static_cast<int>(g.nodes.size()) - 1;
    }
    for (size_t k = 0; k < p.n_made; ++k)
      value_of[static_cast<size_t>(e.first_made) + k] = map[static_cast<size_t>(p.made[k])];
  }
  for (const int r : b.results) g.results.push_back(value_of[static_cast<size_t>(r)]);
  return g;
}

const ValueProgram& Rolling::prepare(const Batch& b) {
  const auto known = std::ranges::find_if(prepared_, [&](auto& p) { return p->key == b.key; });
  if (known != prepared_.end()) return (*known)->program;
  auto made = std::make_unique<Prepared>();
  made->key = b.key;
  std::vector<bool> scalars;
  std::vector<std::string> notes;
  Graph g = graph(b, scalars);
  PassContext c{ctx_->runtime, ds_.device, ds_.queue, modes_};
  c.overwrites = &b.overwrites;
  c.scalars = &scalars;
  c.notes = &notes;
  Dump dump(c, "rolling");
  run_passes(g, c, dump);
  take_compiled(made->program, g, *ds_.device, notes);
  if (prepared_.size() < kMostPrepared) prepared_.emplace_back();
  std::unique_ptr<Prepared>& at = prepared_[next_++ % kMostPrepared];
  at = std::move(made);
  return at->program;
}

void Rolling::run() {
  const Batch b = batch();
  if (b.results.empty()) return;
  const ValueProgram& p = prepare(b);
  std::vector<Operand> in;
  for (const int number : b.inputs) in.push_back(values_[static_cast<size_t>(number)]);
  std::vector<bool> donate(in.size());
  for (const int i : b.overwrites)
    if (i >= 0) donate[static_cast<size_t>(i)] = true;
  std::vector<Buffer*> out(p.n_made);
  for (size_t r = 0; r < b.results.size(); ++r)
    out[static_cast<size_t>(p.from[r])] = values_[static_cast<size_t>(b.results[r])].buffer;
  execute(*ds_.device, ds_.queue, p, in, donate, out);
}

void Rolling::flush(tn_ctx* caller) {
  if (entries_.empty()) return;
  if (caller == ctx_) settle(ctx_);
  try {
    run();
  } catch (const Error& e) {
    tn_error* told =
        error_make(e.code(), fmt::format("{} and what was recorded with it on {}: {}",
                                         entries_[0].program->graph.nodes[0].op->name(),
                                         ds_.device->name, e.message()));
    lose(error_retain(told));
    throw Error(told);
  } catch (const std::bad_alloc&) {
    lose(error_out_of_memory());
    throw;
  }
  clear();
}

void Rolling::lose(tn_error* taken) noexcept {
  Queue* lost = lost_queue(*ds_.device, taken);
  for (const Value& v : values_)
    if (v.pending) v.buffer->home = lost, v.buffer->ready = 1;
  clear();
}

void Rolling::clear() noexcept {
  for (const Value& v : values_) {
    if (v.pending) v.buffer->pending = nullptr;
    buffer_release(v.buffer);
  }
  values_.clear();
  words_.clear();
  entries_.clear();
  nodes_ = 0;
}

void run_values(tn_ctx* ctx, Program& p, tn_tensor* const* inputs, tn_tensor** outputs,
                const std::vector<bool>* donate) {
  const ValueProgram& v = *p.values;
  tn_device& d = *p.device;
  DeviceState& ds = ctx->state(&d);
  queue_throttle(ds.queue, kMaxProgramsAhead);  // not under the lock, which other threads wait for
  const ValueLock lock(&d);
  std::vector<Operand> in(p.n_inputs);
  std::vector<bool> gone(p.n_inputs);
  for (size_t i = 0; i < in.size(); ++i) {
    tn_tensor* t = inputs[i];
    if (!t) continue;
    if (is_scalar(t)) {
      tn_view element{};
      element.dtype = v.dtypes[i];
      if (v.used[i]) convert_scalar(t, element);
      in[i].bits = element.mem;
      continue;
    }
    in[i].buffer = t->buffer;
    if (!v.used[i]) continue;
    Rolling* pending = t->buffer->pending;
    if (pending && (pending != ds.rolling || !v.recorded)) pending->flush(ctx);
    need_sound(nullptr, *t->buffer);
    gone[i] = donate && (*donate)[i] && t->buffer->refs.load() == 1 && is_own(*t->buffer, ds);
  }
  OwnedList results(ctx, v.from.size());
  std::vector<BufferOwner> made(v.n_made);
  std::vector<Buffer*> out(v.n_made);
  for (size_t r = 0; r < v.from.size(); ++r) {
    if (v.from[r] == kNothing) continue;
    if (v.from[r] < 0) {
      const auto i = static_cast<size_t>(~v.from[r]);
      results[r] = inputs[i]->node ? make_alias(ctx, inputs[i]) : keep(ctx, inputs[i]);
      gone[i] = false;
      continue;
    }
    const auto k = static_cast<size_t>(v.from[r]);
    const Result& result = p.results[r];
    if (!made[k])
      made[k] = make_buffer(
          d, result.shape,
          v.recorded ? v.graph.nodes[static_cast<size_t>(value_of(v.graph, v.made[k]).node)].op
                     : nullptr);
    out[k] = made[k].get();
    results[r] = make_view(ctx, out[k], &d, result.shape, result.shape_id, 0);
  }
  if (v.recorded) {
    if (!ds.rolling) ds.rolling = new Rolling(ctx, ds);
    try {
      ds.rolling->record(p, in, out);
    } catch (const std::bad_alloc&) {  // half of it may be there
      ds.rolling->lose(error_out_of_memory());
      throw;
    }
  } else {
    execute(d, ds.queue, v, in, gone, out);
  }
  for (size_t r = 0; r < v.from.size(); ++r) outputs[r] = results.take(r);
}

tn_tensor* upload_value(tn_ctx* ctx, tn_device* device, const Shape& shape, const void* data) {
  Queue* q = ctx->state(device).copies;
  const uint64_t id = ctx->runtime->shapes.intern(device, shape, 0);
  const BufferOwner b = make_buffer(*device, shape, nullptr);
  Owned t(ctx, make_view(ctx, b.get(), device, shape, id, 0));
  const tn_view from = view_of(shape, data);
  queue_throttle(q);
  const ValueLock lock(device);
  uint64_t made = 0;
  const auto make = [&] {
    Submission s(q);
    check(device->vtbl->make_value(device->handle, s.native(), &from, &made));
    s.commit();
  };
  try {
    make();
  } catch (const Error& e) {
    Rolling* rolling = ctx->state(device).rolling;
    if (e.code() != TN_OUT_OF_MEMORY || !rolling) throw;
    rolling->flush(ctx);  // what it keeps for ops that nobody needs any more
    make();
  }
  arrive(*b, made, q);
  return t.release();
}

void wait_value(tn_ctx* ctx, tn_tensor* t) {
  const Buffer& b = *t->buffer;
  {
    const ValueLock lock(t->device);
    if (b.pending) b.pending->flush(ctx);
  }
  const ProfileScope scope(*t->device->runtime->profiler, t->device->name, "wait");
  try {
    queue_wait(b.home, b.ready, TN_FOREVER, ctx ? &ctx->interrupt : nullptr);
  } catch (const Error& e) {
    throw_named(b, e);
  }
}

void flush_values(tn_ctx* ctx) {
  settle(ctx);
  std::optional<Error> first;
  for (auto& ds : ctx->states) {
    if (!ds || !ds->rolling) continue;
    const ValueLock lock(ds->device);
    try {
      ds->rolling->flush(ctx);
    } catch (const Error& e) {
      if (!first) first = e;
    }
  }
  if (first) throw *first;
}

void end_values(tn_ctx* ctx) noexcept {
  for (auto& ds : ctx->states) {
    if (!ds || !ds->rolling) continue;
    std::unique_ptr<Rolling> rolling(std::exchange(ds->rolling, nullptr));
    if (!runtime_alive(ctx->runtime)) continue;  // nobody will read what it was to make
    const ValueLock lock(ds->device);
    quietly([&] { rolling->flush(ctx); });
    rolling.reset();
  }
}

}  // namespace tenon
