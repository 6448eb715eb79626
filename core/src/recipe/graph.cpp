#include "graph.hpp"

#include <cstring>
#include <list>

#include "base/error.hpp"
#include "op/infer.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

const tn_view kAbsent{0, 0, nullptr, nullptr, 0, 0, 0, TN_VIEW_ABSENT, 0};

struct Builder : tn_builder {
  const OpRegistry* ops;
  std::string_view name;
  Graph graph;
  const Attrs* attrs = nullptr;
  SymTable* symbols = nullptr;
  uint32_t n_inputs = 0,
           n_outputs = 0;  // of the op; gradient: outputs follow inputs, then cotangents
  bool gradient = false;
  std::vector<bool> wants, has_cotangent;
  std::vector<tn_value>
      seen;  // what the recipe gets for each value that is given; empty: that value
  std::optional<Error> error;

  void stick() noexcept {
    tn_error* e = error_from_exception();
    if (error)
      error_release(e);
    else
      error.emplace(e);
  }
  bool valid(int i) const { return i >= 0 && static_cast<size_t>(i) < graph.values.size(); }
  const GraphValue& value(int i) const {
    if (!valid(i))
      fail(TN_INVALID_ARGUMENT, "a value that does not exist is used ({}; TN_NO_VALUE is {})", i,
           TN_NO_VALUE);
    return graph.values[static_cast<size_t>(i)];
  }
  tn_value given(uint32_t i) const { return seen.empty() ? static_cast<tn_value>(i) : seen[i]; }
  int add(GraphValue fresh) {
    graph.values.push_back(std::move(fresh));
    return static_cast<int>(graph.values.size()) - 1;
  }
  int constant(tn_dtype dtype, bool weak, double f, int64_t i) {
    GraphValue made;
    made.shape.dtype = dtype;
    made.weak = weak;
    made.constant = true;
    if (is_floating(dtype)) {
      element_from_f64(made.bits, dtype, f);
      made.rounded = element_to_f64(made.bits, dtype) != f;
    } else {
      element_from_i64(made.bits, dtype, i);
    }
    return add(made);
  }
  void apply(tn_op op, const tn_value* in, uint32_t n_in, const tn_attr* a, uint32_t n_a,
             tn_value* out, uint32_t n_out);
  tn_value one(tn_op op, std::initializer_list<tn_value> in, std::initializer_list<tn_attr> a) {
    tn_value y = TN_NO_VALUE;
    apply(op, in.begin(), static_cast<uint32_t>(in.size()), a.begin(),
          static_cast<uint32_t>(a.size()), &y, 1);
    return y;
  }
};

Builder& self(tn_builder* b) { return *static_cast<Builder*>(b); }

void Builder::apply(tn_op op, const tn_value* in, uint32_t n_in, const tn_attr* a, uint32_t n_a,
                    tn_value* out, uint32_t n_out) {
  GraphNode node;
  node.op = &ops->get(op);
  node.attrs = complete_attrs(*node.op, a, n_a);
  std::list<tn_view> views;
  std::vector<const tn_view*> pointers;
  check_input_count(*node.op, n_in);
  for (uint32_t i = 0; i < node.op->with_absent(n_in); ++i) {
    node.inputs.push_back(i < n_in ? in[i] : TN_NO_VALUE);
    if (node.inputs.back() == TN_NO_VALUE || value(node.inputs.back()).absent) {
      node.inputs.back() = -1;
      pointers.push_back(&kAbsent);
    } else {
      views.push_back(view_of(value(in[i])));
      pointers.push_back(&views.back());
    }
  }
  node.inferred = infer(*node.op, pointers, node.attrs, symbols);
  if (node.inferred.outputs.size() > n_out && !node.op->is(TN_OP_OUTPUTS_VARY))
    fail(TN_INVALID_ARGUMENT, "{}: has {} outputs, room for {} given", node.op->name(),
         node.inferred.outputs.size(), n_out);
  for (const InferredOutput& o : node.inferred.outputs) {
    GraphValue made;
    made.shape = o.shape;
    made.node = static_cast<int>(graph.nodes.size());
    node.outputs.push_back(add(made));
  }
  for (uint32_t i = 0; i < n_out && i < node.outputs.size(); ++i) out[i] = node.outputs[i];
  graph.nodes.push_back(std::move(node));
}

// Every slot of the table: nothing after an error, and exceptions become the sticking error.
template <class R, class F>
R run(tn_builder* b, R otherwise, F f) {
  Builder& s = self(b);
  if (s.error) return otherwise;
  try {
    return f(s);
  } catch (...) {
    s.stick();
    return otherwise;
  }
}

uint32_t TN_CALL b_input_count(tn_builder* b) { return self(b).n_inputs; }
// What an author counted wrong sticks: "its recipe asks for input 2 of 2".
[[gnu::noinline]] bool there(tn_builder* b, const char* what, uint32_t i, size_t n) {
  return run(b, false, [&](Builder&) {
    if (i >= n)
      fail(TN_INVALID_ARGUMENT, "its recipe asks for {} {} of {}, counted from 0", what, i, n);
    return true;
  });
}
tn_value TN_CALL b_input(tn_builder* b, uint32_t i) {
  const Builder& s = self(b);
  if (!there(b, "input", i, s.n_inputs) || s.graph.values[i].absent) return TN_NO_VALUE;
  return s.given(i);
}
const tn_attr* TN_CALL b_attr(tn_builder* b, uint32_t k) {
  static const tn_attr none{};
  const Attrs& attrs = *self(b).attrs;
  // After an error too, for what is read without a look at it.
  return there(b, "attribute", k, attrs.items.size()) || k < attrs.items.size() ? &attrs.items[k]
                                                                                : &none;
}
int32_t TN_CALL b_wants(tn_builder* b, uint32_t i) {
  const Builder& s = self(b);
  return !s.error && s.gradient && i < s.wants.size() && s.wants[i];
}
tn_value TN_CALL b_output(tn_builder* b, uint32_t i) {
  const Builder& s = self(b);
  return there(b, "output", i, s.n_outputs) ? s.given(s.n_inputs + i) : TN_NO_VALUE;
}
tn_value TN_CALL b_cotangent(tn_builder* b, uint32_t i) {
  if (!there(b, "the gradient of output", i, self(b).n_outputs)) return TN_NO_VALUE;
  return run(b, TN_NO_VALUE, [&](Builder& s) -> tn_value {
    if (s.has_cotangent[i]) return s.given(s.n_inputs + s.n_outputs + i);
    const Shape like = s.value(s.given(s.n_inputs + i)).shape;
    const tn_value zero = s.constant(like.dtype, false, 0, 0);
    return s.one(TN_OP_EXPAND, {s.one(TN_OP_COPY, {zero}, {})},
                 {tn_attr_i64s(TN_EXPAND_DIMS, like.dims, like.rank)});
  });
}
void TN_CALL b_set(tn_builder* b, uint32_t i, tn_value v) {
  run(b, 0, [&](Builder& s) {
    if (i >= 65536) fail(TN_INVALID_ARGUMENT, "result {} is set", i);
    if (s.graph.results.size() <= i) s.graph.results.resize(i + 1, -1);
    if (v != TN_NO_VALUE) s.value(v);
    s.graph.results[i] = v;
    return 0;
  });
}
void TN_CALL b_call(tn_builder* b, tn_op op, const tn_value* in, uint32_t n_in, const tn_attr* a,
                    uint32_t n_a, tn_value* out, uint32_t n_out) {
  for (uint32_t i = 0; i < n_out; ++i) out[i] = TN_NO_VALUE;
  run(b, 0, [&](Builder& s) {
    s.apply(op, in, n_in, a, n_a, out, n_out);
    return 0;
  });
}
tn_value TN_CALL b_scalar(tn_builder* b, double v) {
  return run(b, TN_NO_VALUE, [&](Builder& s) { return s.constant(TN_DTYPE_F64, true, v, 0); });
}
tn_dtype TN_CALL b_dtype(tn_builder* b, tn_value v) {
  return run(b, TN_DTYPE_NONE, [&](Builder& s) { return s.value(v).shape.dtype; });
}
uint32_t TN_CALL b_rank(tn_builder* b, tn_value v) {
  return run(b, 0u, [&](Builder& s) -> uint32_t { return s.value(v).shape.rank; });
}
int64_t TN_CALL b_dim(tn_builder* b, tn_value v, uint32_t axis) {
  return run(b, int64_t{0}, [&](Builder& s) {
    const Shape& shape = s.value(v).shape;
    if (axis >= shape.rank)
      fail(TN_INVALID_ARGUMENT, "axis {} of a value of rank {}", axis, shape.rank);
    return shape.dims[axis];
  });
}
template <SymTable::Kind kind>
int64_t TN_CALL b_dim_op(tn_builder* b, int64_t x, int64_t y) {
  return run(b, int64_t{0}, [&](Builder& s) {
    return s.symbols ? s.symbols->make(kind, x, y) : dim_apply(kind, x, y);
  });
}
int32_t TN_CALL b_dim_equal(tn_builder* b, int64_t x, int64_t y) {
  const Builder& s = self(b);
  return x == y ? 1 : s.symbols ? s.symbols->equal(x, y) : 0;
}
tn_value TN_CALL b_dim_scalar(tn_builder* b, int64_t dim, tn_dtype dtype) {
  return run(b, TN_NO_VALUE, [&](Builder& s) -> tn_value {
    if (is_symbolic(
            dim)) {  // a tensor of that many ones, summed: the size is only known when it runs
      const tn_value ones =
          s.one(TN_OP_FILL, {s.constant(TN_DTYPE_F64, true, 1, 1)},
                {tn_attr_i64s(TN_FILL_DIMS, &dim, 1), tn_attr_dtype(TN_FILL_DTYPE, TN_DTYPE_I64)});
      return s.one(TN_OP_CAST, {s.one(TN_OP_SUM, {ones}, {})},
                   {tn_attr_dtype(TN_CAST_DTYPE, dtype)});
    }
    return s.constant(dtype, false, static_cast<double>(dim), dim);
  });
}
tn_value TN_CALL b_sum_to_like(tn_builder* b, tn_value x, tn_value like) {
  return run(b, TN_NO_VALUE, [&](Builder& s) -> tn_value {
    const Shape from = s.value(x).shape, to = s.value(like).shape;
    if (from.rank < to.rank)
      fail(TN_INVALID_ARGUMENT, "sum_to_like: {} has a lower rank than {}", shape_text(from),
           shape_text(to));
    int64_t axes[TN_MAX_RANK];
    uint32_t n = 0;
    const int lead = from.rank - to.rank;
    for (int i = 0; i < from.rank; ++i)
      if (i < lead || (to.dims[i - lead] == 1 && from.dims[i] != 1)) axes[n++] = i;
    if (n == 0) return x;
    tn_value y = s.one(TN_OP_SUM, {x},
                       {tn_attr_i64s(TN_SUM_AXES, axes, n), tn_attr_bool(TN_SUM_KEEPDIMS, 1)});
    return lead ? s.one(TN_OP_RESHAPE, {y}, {tn_attr_i64s(TN_RESHAPE_DIMS, to.dims, to.rank)}) : y;
  });
}
template <tn_op op, uint32_t key>
tn_value TN_CALL b_dims_like(tn_builder* b, tn_value x, tn_value like) {
  return run(b, TN_NO_VALUE, [&](Builder& s) -> tn_value {
    const Shape from = s.value(x).shape, to = s.value(like).shape;
    if (same_dims(from, to)) return x;
    return s.one(op, {x}, {tn_attr_i64s(key, to.dims, to.rank)});
  });
}
void TN_CALL b_fail(tn_builder* b, tn_code code, tn_str message) {
  run(b, 0, [&](Builder&) -> int { throw Error(code, std::string(view_of(message))); });
}

using K = SymTable::Kind;
const tn_builder_vtbl kTable = {sizeof(tn_builder_vtbl),
                                0,
                                b_input_count,
                                b_input,
                                b_attr,
                                b_wants,
                                b_output,
                                b_cotangent,
                                b_set,
                                b_call,
                                b_scalar,
                                b_dtype,
                                b_rank,
                                b_dim,
                                b_dim_op<K::kAdd>,
                                b_dim_op<K::kSub>,
                                b_dim_op<K::kMul>,
                                b_dim_op<K::kFloorDiv>,
                                b_dim_equal,
                                b_dim_scalar,
                                b_sum_to_like,
                                b_dims_like<TN_OP_EXPAND, TN_EXPAND_DIMS>,
                                b_dims_like<TN_OP_RESHAPE, TN_RESHAPE_DIMS>,
                                b_fail};

void start(Builder& b, const OpRegistry& ops, std::string_view name,
           const std::vector<TraceInput>& inputs, const Attrs& attrs, SymTable* symbols) {
  b.v = &kTable;
  b.ops = &ops;
  b.name = name;
  b.attrs = &attrs;
  b.symbols = symbols;
  b.n_inputs = static_cast<uint32_t>(inputs.size());
  for (const TraceInput& in : inputs) {
    GraphValue v;
    v.shape = in.shape;
    v.weak = in.weak;
    v.absent = in.absent;
    b.graph.inputs.push_back(b.add(v));
  }
}

void finish(Builder& b, tn_recipe recipe) {
  try {
    recipe(&b);
  } catch (...) {
    b.stick();
  }
  if (b.error) {
    const std::string m = b.error->message();
    const std::string prefix = std::string(b.name) + ": ";
    if (m.compare(0, prefix.size(), prefix) == 0) throw *b.error;
    fail(b.error->code(), "{}{}", prefix, m);
  }
}

// ---- f16 and bf16: where a result would be rounded more than once, the recipe is traced again with f32 in their place

bool is_half(const GraphValue& v) {
  return v.shape.dtype == TN_DTYPE_F16 || v.shape.dtype == TN_DTYPE_BF16;
}

// Its floating results are elements of its inputs, or as exact as these.
bool is_exact(const OpEntry& op) {
  if (op.is(TN_OP_VIEW)) return true;
  switch (op.id) {
    case TN_OP_NEG:
    case TN_OP_ABS:
    case TN_OP_FLOOR:
    case TN_OP_CEIL:
    case TN_OP_ROUND:
    case TN_OP_MAXIMUM:
    case TN_OP_MINIMUM:
    case TN_OP_WHERE:
    case TN_OP_COPY:
    case TN_OP_PAD:
    case TN_OP_CONCAT:
    case TN_OP_GATHER:
    case TN_OP_IOTA:
    case TN_OP_FILL:
    case TN_OP_MAX:
    case TN_OP_MIN:
    case TN_OP_SORT:
    case TN_OP_SIGN:
    case TN_OP_RELU:
    case TN_OP_CLIP:
    case TN_OP_STACK:
    case TN_OP_SPLIT:
    case TN_OP_ONE_HOT:
    case TN_OP_EMBEDDING:
    case TN_OP_TRUNC:
    case TN_OP_TRIL:
    case TN_OP_TRIU:
    case TN_OP_TILE:
    case TN_OP_ROLL:
    case TN_OP_TAKE_ALONG_AXIS:
    case TN_OP_GATHER_ND:
      return true;
    default:
      return false;
  }
}

// Whether a live value of a half format is on its way from the inputs to a result rounded more than once. Products of matrices and
// convolutions are for the device's own units: a recipe with one of them stays as it is.
bool rounds_twice(const Graph& graph) {
  std::vector<int> times;
  for (const GraphValue& v : graph.values) times.push_back(v.rounded && !v.weak && is_half(v));
  int most = 0;
  for (const GraphNode& n : graph.nodes) {
    if (!n.live) continue;
    if (n.op->id == TN_OP_MATMUL || n.op->id == TN_OP_CONV) return false;
    int before = 0;
    for (const int i : n.inputs)
      if (i >= 0) before = std::max(before, times[static_cast<size_t>(i)]);
    for (const int o : n.outputs) {
      const GraphValue& v = graph.values[static_cast<size_t>(o)];
      if (!is_floating(v.shape.dtype)) continue;
      int& t = times[static_cast<size_t>(o)];
      t = before + (is_half(v) && !is_exact(*n.op));
      most = std::max(most, t);
    }
  }
  return most > 1;
}

void widen(Builder& b) {
  b.seen = b.graph.inputs;
  for (tn_value& v : b.seen)
    if (is_half(b.value(v)) && !b.value(v).absent)
      v = b.one(TN_OP_CAST, {v}, {tn_attr_dtype(TN_CAST_DTYPE, TN_DTYPE_F32)});
}

// A gradient of input i in its dtype and dims.
int fitted(Builder& b, int r, size_t i, const Shape& want) {
  // A real operand of complex arithmetic: the imaginary part is no variable.
  if (TN_DTYPE_CODE(b.value(r).shape.dtype) == TN_DTYPE_CODE(TN_DTYPE_C64) &&
      TN_DTYPE_CODE(want.dtype) != TN_DTYPE_CODE(TN_DTYPE_C64))
    r = b.one(TN_OP_REAL, {r}, {});
  if (b.value(r).weak || b.value(r).shape.dtype != want.dtype)
    r = b.one(TN_OP_CAST, {r}, {tn_attr_dtype(TN_CAST_DTYPE, want.dtype)});
  const Shape got = b.value(r).shape;
  if (!same_dims(got, want)) {
    bool same = got.rank == want.rank && b.symbols;
    for (int k = 0; same && k < got.rank; ++k)
      same = b.symbols->equal(got.dims[k], want.dims[k]) != 0;
    if (!same)
      fail(TN_INVALID_ARGUMENT, "{}: its gradient of input {} is {}, expected {}", b.name, i,
           shape_text(got), shape_text(want));
  }
  return r;
}

}  // namespace

tn_view view_of(const GraphValue& v) {
  tn_view out = view_of(v.shape);
  if (v.weak) out.flags |= TN_VIEW_WEAK | TN_VIEW_IMMEDIATE;
  if (v.absent) out.flags |= TN_VIEW_ABSENT;
  return out;
}

std::vector<bool> Graph::mark_live() {
  std::vector<bool> needed(values.size());
  for (int r : results)
    if (r >= 0) needed[static_cast<size_t>(r)] = true;
  for (size_t i = nodes.size(); i-- > 0;) {
    GraphNode& n = nodes[i];
    n.live = false;
    for (int o : n.outputs) n.live |= needed[static_cast<size_t>(o)];
    if (n.live)
      for (int in : n.inputs)
        if (in >= 0) needed[static_cast<size_t>(in)] = true;
  }
  std::vector<bool> used(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) used[i] = needed[static_cast<size_t>(inputs[i])];
  return used;
}

Graph trace_recipe(const OpRegistry& ops, std::string_view name, tn_recipe recipe,
                   const std::vector<TraceInput>& inputs, const Attrs& attrs, uint32_t n_results,
                   SymTable* symbols, bool widens) {
  Graph narrow;
  for (bool wide = false;; wide = true) {
    Builder b;
    start(b, ops, name, inputs, attrs, symbols);
    if (wide) widen(b);
    finish(b, recipe);
    if (n_results && b.graph.results.size() > n_results)
      fail(TN_INVALID_ARGUMENT, "{}: its recipe sets result {} of {}", name,
           b.graph.results.size() - 1, n_results);
    if (n_results) b.graph.results.resize(n_results, -1);
    for (size_t k = 0; k < b.graph.results.size(); ++k) {
      int& r = b.graph.results[k];
      if (r < 0) fail(TN_INVALID_ARGUMENT, "{}: its recipe leaves result {} out", name, k);
      if (!wide) continue;
      const tn_dtype dtype = narrow.values[static_cast<size_t>(narrow.results[k])].shape.dtype;
      if (b.value(r).shape.dtype != dtype)
        r = b.one(TN_OP_CAST, {r}, {tn_attr_dtype(TN_CAST_DTYPE, dtype)});
    }
    b.graph.mark_live();
    if (wide || !widens || !rounds_twice(b.graph)) return std::move(b.graph);
    narrow = std::move(b.graph);
  }
}

Graph trace_gradient(const OpRegistry& ops, const OpEntry& op,
                     const std::vector<TraceInput>& inputs, const std::vector<Shape>& outputs,
                     const Attrs& attrs, const std::vector<bool>& wants,
                     const std::vector<bool>& has_cotangent, SymTable* symbols) {
  for (bool wide = false;; wide = true) {
    Builder b;
    start(b, ops, op.name(), inputs, attrs, symbols);
    b.gradient = true;
    b.wants = wants;
    b.has_cotangent = has_cotangent;
    b.n_outputs = static_cast<uint32_t>(outputs.size());
    for (int round = 0; round < 2; ++round)
      for (const Shape& s : outputs) {
        GraphValue v;
        v.shape = s;
        b.graph.inputs.push_back(b.add(v));
      }
    if (wide) widen(b);
    finish(b, op.def.gradient);
    b.graph.results.resize(inputs.size(), -1);
    for (size_t i = 0; i < inputs.size(); ++i) {
      int& r = b.graph.results[i];
      if (!wants[i]) r = -1;
      if (r >= 0) r = fitted(b, r, i, inputs[i].shape);
    }
    b.graph.mark_live();
    if (wide || !rounds_twice(b.graph)) return std::move(b.graph);
  }
}

}  // namespace tenon
