// Recipes on f16 and bf16: f32 in between where a result would be rounded more than once, and else no cast.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "recipes.hpp"
#include "tenon/op_ids.h"

using namespace tenon;

namespace {

struct Found {
  int casts = 0, narrow = 0;  // live nodes: casts, and others with a result of a half format
  tn_dtype result = TN_DTYPE_NONE;
};

Found look(const Graph& graph) {
  Found f;
  for (const GraphNode& n : graph.nodes) {
    if (!n.live) continue;
    const tn_dtype t = graph.values[static_cast<size_t>(n.outputs[0])].shape.dtype;
    const bool half = t == TN_DTYPE_F16 || t == TN_DTYPE_BF16;
    if (n.op->id == TN_OP_CAST)
      ++f.casts;
    else if (half)
      ++f.narrow;
  }
  f.result = graph.values[static_cast<size_t>(graph.results[0])].shape.dtype;
  return f;
}

std::vector<TraceInput> inputs_of(const OpEntry& op, tn_dtype dtype) {
  return std::vector<TraceInput>(op.variadic ? 2 : op.n_required, input(dtype, {4, 4}));
}

Found decomposed(tn_op id, tn_dtype dtype, std::vector<tn_attr> attrs = {}) {
  const OpEntry& op = registry().get(id);
  std::vector<TraceInput> inputs = inputs_of(op, dtype);
  while (!op.variadic && inputs.size() < op.n_fixed) inputs.emplace_back().absent = true;
  return look(trace_recipe(registry(), op.name(), op.def.decompose, inputs,
                           complete_attrs(op, attrs.data(), static_cast<uint32_t>(attrs.size())),
                           op.def.n_outputs));
}

Found derived(tn_op id, tn_dtype dtype) {
  const OpEntry& op = registry().get(id);
  const std::vector<TraceInput> inputs = inputs_of(op, dtype);
  return look(trace_gradient(registry(), op, inputs, {inputs[0].shape},
                             complete_attrs(op, nullptr, 0), std::vector<bool>(inputs.size(), true),
                             {true}));
}

}  // namespace

TEST_CASE("half formats: what takes several roundings is computed in f32 and rounded once") {
  for (const tn_dtype dtype : {TN_DTYPE_F16, TN_DTYPE_BF16})
    for (const tn_op op : {TN_OP_GELU, TN_OP_SILU, TN_OP_MISH, TN_OP_SELU, TN_OP_SIGMOID,
                           TN_OP_SOFTPLUS, TN_OP_HARD_SWISH, TN_OP_SOFTSIGN, TN_OP_LERP, TN_OP_MSE,
                           TN_OP_SOFTMAX, TN_OP_LAYER_NORM, TN_OP_MEAN, TN_OP_TAN}) {
      CAPTURE(op);
      const Found f = decomposed(op, dtype);
      CHECK(f.narrow == 0);
      CHECK(f.casts == static_cast<int>(registry().get(op).n_required) + 1);
      CHECK(f.result == dtype);
    }
}

TEST_CASE("half formats: moving elements and single steps need no cast") {
  for (const tn_op op : {TN_OP_RELU, TN_OP_SQUARE, TN_OP_RECIPROCAL, TN_OP_LEAKY_RELU, TN_OP_PRELU,
                         TN_OP_SIGN, TN_OP_CLIP, TN_OP_STACK, TN_OP_TRIL, TN_OP_TRACE}) {
    CAPTURE(op);
    CHECK(decomposed(op, TN_DTYPE_F16).casts == 0);
  }
  const int64_t twice[] = {2, 2}, one[] = {1};
  CHECK(decomposed(TN_OP_TILE, TN_DTYPE_F16, {tn_attr_i64s(TN_TILE_REPEATS, twice, 2)}).casts == 0);
  CHECK(decomposed(TN_OP_ROLL, TN_DTYPE_F16,
                   {tn_attr_i64s(TN_ROLL_SHIFTS, one, 1), tn_attr_i64s(TN_ROLL_AXES, one, 1)})
            .casts == 0);
}

TEST_CASE("half formats: products of matrices stay in them, other dtypes as they are") {
  CHECK(decomposed(TN_OP_LINEAR, TN_DTYPE_F16).casts == 0);
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_F64}) {
    CHECK(decomposed(TN_OP_GELU, dtype).casts == 0);
    CHECK(derived(TN_OP_GELU, dtype).casts == 0);
  }
}

TEST_CASE("half formats: gradients likewise") {
  for (const tn_op op :
       {TN_OP_GELU, TN_OP_SILU, TN_OP_MISH, TN_OP_TANH, TN_OP_DIV, TN_OP_SOFTMAX}) {
    CAPTURE(op);
    const Found f = derived(op, TN_DTYPE_BF16);
    CHECK(f.narrow == 0);
    CHECK(f.casts > 1);
    CHECK(f.result == TN_DTYPE_BF16);
  }
  for (const tn_op op : {TN_OP_MUL, TN_OP_ADD, TN_OP_RELU, TN_OP_NEG}) {
    CAPTURE(op);
    CHECK(derived(op, TN_DTYPE_BF16).casts == 0);
  }
}
