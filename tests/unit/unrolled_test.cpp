// Decompositions that write out the steps of a sequence: how many nodes, and when they refuse.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "recipes.hpp"
#include "tenon/op_ids.h"

using namespace tenon;

namespace {

// x [steps, 2, 3] with weights for two units; for ctc log_probabilities and two labels each.
Graph trace(tn_op op, int64_t steps, SymTable* symbols = nullptr) {
  const OpRegistry& ops = registry();
  const OpEntry& entry = ops.get(op);
  const int64_t gates = op == TN_OP_RNN ? 1 : op == TN_OP_GRU ? 3 : 4;
  std::vector<TraceInput> inputs;
  if (op == TN_OP_CTC) {
    inputs = {input(TN_DTYPE_F32, {steps, 2, 3}), input(TN_DTYPE_I64, {2, 2}),
              input(TN_DTYPE_I64, {2}), input(TN_DTYPE_I64, {2})};
  } else if (op == TN_OP_LSTM_STEPS) {
    inputs = {input(TN_DTYPE_F32, {steps, 2, 1, 8}), input(TN_DTYPE_F32, {1, 8, 2})};
  } else if (op == TN_OP_LSTM_STEPS_GRAD) {
    inputs = {input(TN_DTYPE_F32, {steps, 2, 1, 10}), input(TN_DTYPE_F32, {1, 8, 2})};
  } else {
    inputs = {input(TN_DTYPE_F32, {steps, 2, 3}), input(TN_DTYPE_F32, {1, gates * 2, 3}),
              input(TN_DTYPE_F32, {1, gates * 2, 2})};
  }
  while (inputs.size() < entry.n_fixed) inputs.emplace_back().absent = true;
  return trace_recipe(ops, entry.name(), entry.def.decompose, inputs,
                      complete_attrs(entry, nullptr, 0), entry.def.n_outputs, symbols);
}

std::string refusal(tn_op op, int64_t steps, SymTable* symbols = nullptr) {
  try {
    trace(op, steps, symbols);
  } catch (const Error& e) {
    CHECK(e.code() == TN_UNIMPLEMENTED);
    return std::string(e.message());
  }
  return "";
}

constexpr tn_op kUnrolled[] = {TN_OP_RNN, TN_OP_GRU, TN_OP_LSTM_STEPS, TN_OP_LSTM_STEPS_GRAD,
                               TN_OP_CTC};

}  // namespace

TEST_CASE("unrolled: the nodes grow with the steps, and not faster") {
  for (const tn_op op : kUnrolled) {
    CAPTURE(op);
    const size_t few = trace(op, 8).nodes.size(), more = trace(op, 16).nodes.size(),
                 most = trace(op, 24).nodes.size();
    CHECK(more > few);
    CHECK(most - more == more - few);
    CHECK((more - few) / 8 < 80);  // views too
  }
}

TEST_CASE("unrolled: a symbolic number of steps, or too many, are refused with what to do") {
  for (const tn_op op : kUnrolled) {
    CAPTURE(op);
    SymTable symbols;
    const int64_t steps = symbols.symbol("T");
    CHECK(refusal(op, steps, &symbols).find("a symbolic number of steps cannot be unrolled") !=
          std::string::npos);
    CHECK(refusal(op, 16385).find("more than 16,384 steps are not unrolled") != std::string::npos);
    CHECK(refusal(op, 300).empty());
  }
}

TEST_CASE("unrolled: lstm leaves its steps to lstm_steps, whatever their number") {
  SymTable symbols;
  const Graph graph = trace(TN_OP_LSTM, symbols.symbol("T"), &symbols);
  CHECK(graph.nodes.back().op->id == TN_OP_LSTM_STEPS);
}
