// A program for given sizes: symbols put in, kernels chosen.
#include <algorithm>
#include <cmath>
#include <list>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "passes/dump.hpp"
#include "program.hpp"
#include "recipe/graph_text.hpp"
#include "recipe/site.hpp"

namespace tenon {
namespace {

constexpr size_t kMostPrepared = 32;

// The value of each symbol; in a capture perhaps a symbol of that.
std::vector<int64_t> sizes_of(const tn_program& p, tn_tensor* const* arguments, SymTable* to,
                              bool any_dtype) {
  std::vector<int64_t> sizes(p.symbols.count(), -1);
  std::vector<size_t> from(sizes.size());  // the argument that gave it
  // What cannot be told in a capture is taken to be so.
  const auto same = [to](int64_t x, int64_t y, std::string_view by = "tn_program_run") {
    const bool unknown = to && x != y && to->equal(x, y) < 0;
    if (unknown) to->assume_equal(x, y, by);
    return unknown || x == y;
  };
  for (size_t i = 0; i < p.arguments.size(); ++i) {
    const Argument& a = p.arguments[i];
    const tn_view& v = arguments[i]->view;
    bool fits = (any_dtype || v.dtype == a.shape.dtype) && v.rank == a.shape.rank &&
                !is_scalar(arguments[i]);
    for (int k = 0; fits && k < v.rank; ++k) {
      if (!is_symbolic(a.shape.dims[k])) {
        fits = same(v.dims[k], a.shape.dims[k]);
        continue;
      }
      const auto symbol = p.symbols.symbol_of(a.shape.dims[k]);
      int64_t& size = sizes[symbol];
      if (size != -1 && !same(size, v.dims[k]))
        fail(TN_INVALID_ARGUMENT,
             "program \"{}\": {} is {} in input \"{}\", but {} in input \"{}\"", p.name,
             p.symbols.text(a.shape.dims[k]), v.dims[k], a.name, size,
             p.arguments[from[symbol]].name);
      if (size == -1) from[symbol] = i;
      size = v.dims[k];
    }
    if (!fits)
      fail(TN_INVALID_ARGUMENT, "program \"{}\": input \"{}\" is {}, the program takes {}", p.name,
           a.name, shape_text(v), symbolic_text(p.symbols, a.shape));
  }
  SymTable::Values value(p.symbols, sizes, to);
  for (const auto& [a, b, by] : p.symbols.assumed()) {
    const int64_t x = value(a), y = value(b);
    if (!same(x, y, by))
      fail(TN_INVALID_ARGUMENT,
           "program \"{}\" was captured for equal sizes {} and {} in {}; here they are {} and {}. "
           "Give sizes that are equal one name or one number, or capture it for these.",
           p.name, p.symbols.text(a), p.symbols.text(b), by, x, y);
  }
  return sizes;
}

class Substitution {
 public:
  Substitution(const tn_program& p, const std::vector<int64_t>& sizes, SymTable* to,
               std::list<std::vector<int64_t>>& lists)
      : p_(p), value_(p.symbols, sizes, to), to_(to), lists_(lists) {}

  Shape shape(Shape s) {
    for (int k = 0; k < s.rank; ++k) s.dims[k] = value_(s.dims[k]);
    if (!to_) check_dims(p_.name.c_str(), s.dtype, s.rank, s.dims);
    s.set_dense();
    return s;
  }
  // Lists with symbols get a copy; the others stay where they are.
  Attrs attrs(const Attrs& given) {
    Attrs out;
    out.items = given.items;
    for (tn_attr& a : out.items) {
      if (a.tag == TN_ATTR_I64)
        a.bits = static_cast<uint64_t>(value_(static_cast<int64_t>(a.bits)));
      if (a.tag != TN_ATTR_I64S) continue;
      const auto* list = static_cast<const int64_t*>(a.data);
      if (std::none_of(list, list + a.bits, [&](int64_t d) { return p_.symbols.has(d); })) continue;
      std::vector<int64_t>& copy = lists_.emplace_back(list, list + a.bits);
      for (int64_t& d : copy) d = value_(d);
      a.data = copy.data();
    }
    return out;
  }

 private:
  const tn_program& p_;
  SymTable::Values value_;
  SymTable* to_;
  std::list<std::vector<int64_t>>& lists_;
};

// A rule may do something else at a size than it did for the symbol: leave out an axis of one element.
void check_sizes(const tn_program& p, const Graph& graph, const GraphNode& n) {
  const Inferred now = infer_node(graph, n);
  for (size_t k = 0; k < n.outputs.size(); ++k) {
    const Shape &is = now.outputs[k].shape, &was = value_of(graph, n.outputs[k]).shape;
    if (!same_dims(is, was))
      fail(TN_INVALID_ARGUMENT,
           "program \"{}\": {} gives {} for these sizes, where it was captured for {}; capture it "
           "for these",
           p.name, n.op->name(), shape_text(is), shape_text(was));
  }
}

}  // namespace

Graph substitute(const tn_program& p, tn_tensor* const* arguments,
                 std::list<std::vector<int64_t>>& lists, SymTable* to, bool any_dtype) {
  const std::vector<int64_t> sizes = sizes_of(p, arguments, to, any_dtype);
  Substitution with(p, sizes, to, lists);
  Graph graph;
  graph.inputs = p.graph.inputs;
  graph.results = p.graph.results;
  graph.values = std::deque<GraphValue>(p.graph.values);
  for (GraphValue& v : graph.values) v.shape = with.shape(v.shape);
  for (const GraphNode& n : p.graph.nodes) {
    GraphNode& copy = graph.nodes.emplace_back();
    copy.op = n.op;
    copy.inputs = n.inputs;
    copy.outputs = n.outputs;
    copy.attrs = with.attrs(n.attrs);
    copy.live = n.live;
    copy.stop = n.stop;
    copy.control = n.control;
    if (!to && n.live && !n.control && p.symbols.count()) check_sizes(p, graph, copy);
  }
  return graph;
}

namespace {

// Where in the random state each draw begins: one after the other, as calls would draw. What draws again, as a gradient does, begins at
// the same place.
void place_draws(tn_ctx* ctx, const tn_program& p, Specialised& out) {
  std::map<int, uint32_t> draw_of;  // by value
  for (size_t i = 0; i < p.inputs.size(); ++i)
    if (p.inputs[i].kind == InputKind::kOffset) draw_of[p.graph.inputs[i]] = p.inputs[i].index;
  out.draws.resize(draw_of.size());  // for now the words of each
  for (const GraphNode& n : out.graph.nodes) {
    const auto it = n.op->n_state ? draw_of.find(n.inputs.back()) : draw_of.end();
    if (it == draw_of.end() || n.inputs.size() != n.op->n_fixed) continue;
    uint64_t& words = out.draws[it->second];
    words = std::max(words, words_drawn(ctx->runtime->ops, out.graph, n));
  }
  for (uint64_t& draw : out.draws) out.drawn += (std::exchange(draw, out.drawn) + 3) / 4;
}

uint64_t hash_of(const tn_program& p, tn_tensor* const* arguments, uint32_t modes) {
  uint64_t h = modes;
  for (size_t i = 0; i < p.arguments.size(); ++i) {
    h = (h ^ arguments[i]->shape_id) * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
  }
  return h;
}

// target: the bytes that passes may count on between nodes; 0: any. dear: see Recomputed.
std::shared_ptr<Specialised> prepare(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments,
                                     uint64_t hash, uint64_t target, double dear = 1) {
  auto made = std::make_shared<Specialised>();
  made->hash = hash;
  made->recomputed.target = target;
  made->recomputed.dear = dear;
  made->modes = ctx->modes;
  for (size_t i = 0; i < p.arguments.size(); ++i) made->ids.push_back(arguments[i]->shape_id);
  made->graph = substitute(p, arguments, made->lists);
  place_draws(ctx, p, *made);
  std::vector<bool> scalars;
  for (const Place& from : p.inputs) scalars.push_back(is_scalar(from.kind));
  for (const Place& from : p.inputs) made->constants.given.push_back(from.tensor);
  for (const Place& from : p.inputs)
    made->derived.given.push_back(from.index ? nullptr : from.variable);
  std::vector<Shape> layouts;
  for (const Place& from : p.inputs)
    layouts.push_back(from.kind == InputKind::kArgument ? shape_of(arguments[from.index]->view)
                                                        : Shape());
  PassContext context{ctx->runtime, p.device, ctx->state(p.device).queue, made->modes};
  context.layouts = &layouts;
  context.ctx = ctx;
  context.constants = &made->constants;
  context.derived = &made->derived;
  context.overwrites = &p.overwrites;
  context.scalars = &scalars;
  context.notes = &made->notes;
  context.input_text = input_text;
  context.program = &p;
  if (target) context.recomputed = &made->recomputed;
  made->by_calls = p.device->holds_values() &&
                   std::ranges::any_of(made->graph.nodes, [](auto& n) { return !!n.control; });
  Dump dump(context, p.name);
  if (!made->by_calls) run_passes(made->graph, context, dump);
  const std::vector<bool> used = made->graph.mark_live();
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    const Place& from = p.inputs[i];
    ProgramInput& in = made->inputs.emplace_back();
    const auto value = static_cast<size_t>(p.graph.inputs[i]);
    in.shape = from.kind == InputKind::kArgument   ? shape_of(arguments[from.index]->view)
               : from.kind == InputKind::kConstant ? shape_of(from.tensor->view)
                                                   : made->graph.values[value].shape;
    in.scalar = is_scalar(from.kind);
    in.absent = !used[i];
  }
  for (const tn_tensor* t : made->constants.made) {
    made->inputs.emplace_back().shape = shape_of(t->view);
    made->inputs.back().absent = !used[made->inputs.size() - 1];
  }
  if (!made->derived.graph.results.empty()) {
    made->derived.prepare(made->inputs);
    for (const std::shared_ptr<Specialised>& other : p.prepared)
      if (other->derived.key == made->derived.key)
        made->derived.derivation = other->derived.derivation;
    if (!made->derived.derivation) made->derived.derivation = std::make_shared<Derivation>();
  }
  made->idle.push_back(make_instance(ctx, p, *made, &dump));
  return made;
}

uint64_t arena_of(const std::shared_ptr<Specialised>& made) {
  return made->idle.front()->program->arena_bytes;
}

// Passes count bytes of nodes. What kernels need beside them, and gaps between what is placed, show in the arena alone: first with as many as
// it takes, and as long as the arena is larger than the budget once more with a smaller target. Where that does not do it, the least is
// searched for, at a higher price: the same for each budget, so that one of as many bytes can be met.
std::shared_ptr<Specialised> prepare_within(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments,
                                            uint64_t hash) {
  std::shared_ptr<Specialised> made = prepare(ctx, p, arguments, hash, UINT64_MAX);
  const uint64_t budget = p.memory_budget;
  uint64_t least = arena_of(made);
  double low = 1, high = static_cast<double>(made->recomputed.bytes);
  for (int turn = 1; turn < 7 && made->recomputed.bytes <= made->recomputed.target; ++turn) {
    if (arena_of(made) <= budget) return made;
    const double part = static_cast<double>(budget) / static_cast<double>(arena_of(made));
    const double less = 0.99 * part * static_cast<double>(made->recomputed.bytes);
    made = prepare(ctx, p, arguments, hash, 1 + static_cast<uint64_t>(less));
  }
  for (int step = 0; step < 8 && arena_of(made) > budget; ++step) {
    const double target = std::sqrt(low * high);
    made = prepare(ctx, p, arguments, hash, static_cast<uint64_t>(target), 3);
    if (arena_of(made) < least) least = arena_of(made);
    (made->recomputed.bytes <= made->recomputed.target ? high : low) = target;
  }
  if (arena_of(made) <= budget) return made;
  fail(TN_OUT_OF_MEMORY,
       "program \"{}\": {} bytes between its steps are the least that was found; its memory budget "
       "is {}",
       p.name, least, budget);
}

}  // namespace

std::shared_ptr<Specialised> specialise(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments) {
  const uint64_t hash = hash_of(p, arguments, ctx->modes);
  const auto matches = [&](const Specialised& s) {
    bool same = s.hash == hash && s.modes == ctx->modes;
    for (size_t i = 0; same && i < s.ids.size(); ++i) same = s.ids[i] == arguments[i]->shape_id;
    return same;
  };
  const std::lock_guard lock(p.mutex);
  for (auto it = p.prepared.begin(); it != p.prepared.end(); ++it) {
    if (!matches(**it)) continue;
    p.prepared.splice(p.prepared.begin(), p.prepared, it);
    return p.prepared.front();
  }
  const auto made = p.memory_budget ? prepare_within(ctx, p, arguments, hash)
                                    : prepare(ctx, p, arguments, hash, 0);
  if (p.prepared.size() == kMostPrepared) p.prepared.pop_back();
  p.prepared.push_front(made);
  return made;
}

std::unique_ptr<Instance> make_instance(tn_ctx* ctx, tn_program& p, Specialised& s, Dump* dump) {
  auto made = std::make_unique<Instance>();
  CompileOptions options;
  options.modes = s.modes;
  options.notes = &s.notes;
  options.dump = dump;
  options.queue = made->queue = ctx->state(p.device).queue;
  if (!s.by_calls)
    made->program.reset(compile(ctx->runtime, *p.device, s.graph, s.inputs, options));
  made->inputs.resize(p.inputs.size());
  made->inputs.insert(made->inputs.end(), s.constants.made.begin(), s.constants.made.end());
  made->inputs.resize(s.inputs.size());
  made->donate.resize(made->inputs.size());
  made->results.resize(s.graph.results.size());
  made->held.reserve(p.variables.size() + 1);
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    if (!is_scalar(p.inputs[i].kind)) continue;
    tn_tensor& t = made->scalars.emplace_back();
    t.view.dtype = s.inputs[i].shape.dtype;
    t.view.flags = TN_VIEW_CONTIGUOUS | TN_VIEW_IMMEDIATE;
    t.view.count = 1;
    t.flags = kScalar;
    made->inputs[i] = &t;
  }
  return made;
}

}  // namespace tenon
