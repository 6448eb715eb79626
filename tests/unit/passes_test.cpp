// Passes one by one: what each takes out, and what it must leave.
#include "passes/pass.hpp"

#include <doctest/doctest.h>

#include "recipes.hpp"
#include "tenon/plugin/builder_ops.h"

using namespace tenon;

namespace {

const PassContext kNoDevice{nullptr, nullptr, nullptr, false};

Graph traced(tn_recipe recipe, const std::vector<TraceInput>& inputs, uint32_t results) {
  return trace_recipe(registry(), "test", recipe, inputs, {}, results);
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> out;
  for (const GraphNode& n : graph.nodes) out.emplace_back(n.op->name());
  return out;
}

using Names = std::vector<std::string>;

Names after(size_t (*pass)(Graph&, const PassContext&), Graph& graph) {
  remove_dead_code(graph, kNoDevice);
  pass(graph, kNoDevice);
  remove_dead_code(graph, kNoDevice);
  return names(graph);
}

tn_value in(tn_builder* b, uint32_t i) { return b->v->input(b, i); }
void set(tn_builder* b, uint32_t i, tn_value v) { b->v->set(b, i, v); }
tn_value number(tn_builder* b, double v) { return b->v->scalar(b, v); }

}  // namespace

TEST_CASE("dead code goes, what results need stays in order") {
  Graph g = traced(
      [](tn_builder* b) {
        const tn_value y = tn_b_exp(b, in(b, 0));
        tn_b_log(b, tn_b_neg(b, y));
        set(b, 0, tn_b_add(b, y, in(b, 1)));
      },
      {input(TN_DTYPE_F32, {3}), input(TN_DTYPE_F32, {3})}, 1);
  CHECK(remove_dead_code(g, kNoDevice) == 2);
  CHECK(names(g) == Names{"exp", "add"});
  CHECK(g.values[static_cast<size_t>(g.results[0])].node == 1);
  CHECK(remove_dead_code(g, kNoDevice) == 0);
}

TEST_CASE("subexpressions: the same op of the same values with the same attributes") {
  Graph g = traced(
      [](tn_builder* b) {
        const tn_value x = in(b, 0), y = in(b, 1);
        const tn_value a = tn_b_mul(b, x, y), same = tn_b_mul(b, x, y), turned = tn_b_mul(b, y, x);
        const int64_t one[] = {0}, other[] = {1};
        const tn_value s = tn_b_sum(b, a, one, 1, 0), t = tn_b_sum(b, same, one, 1, 0);
        const tn_value u = tn_b_sum(b, a, other, 1, 0);
        set(b, 0, tn_b_add(b, tn_b_add(b, s, t), u));
        set(b, 1, tn_b_mul(b, turned, number(b, 3)));
        set(b, 2, tn_b_add(b, tn_b_mul(b, turned, number(b, 3)), number(b, 3)));
      },
      {input(TN_DTYPE_F32, {4, 4}), input(TN_DTYPE_F32, {4, 4})}, 3);
  CHECK(after(share_subexpressions, g) ==
        Names{"mul", "mul", "sum", "sum", "add", "add", "mul", "add"});
}

TEST_CASE("subexpressions: two results stay two") {
  Graph g = traced(
      [](tn_builder* b) {
        set(b, 0, tn_b_exp(b, in(b, 0)));
        set(b, 1, tn_b_exp(b, in(b, 0)));
      },
      {input(TN_DTYPE_F32, {4})}, 2);
  CHECK(after(share_subexpressions, g) == Names{"exp", "exp"});
  CHECK(g.results[0] != g.results[1]);
}

TEST_CASE("simplify: what changes no bit goes") {
  Graph g = traced(
      [](tn_builder* b) {
        const tn_value x = in(b, 0);
        tn_value y = tn_b_mul(b, x, number(b, 1));
        y = tn_b_div(b, y, number(b, 1));
        y = tn_b_sub(b, y, number(b, 0));
        y = tn_b_neg(b, tn_b_neg(b, y));
        y = tn_b_cast(b, y, TN_DTYPE_F32);
        const int64_t flat[] = {16}, square[] = {4, 4};
        y = tn_b_reshape(b, tn_b_reshape(b, y, flat, 1), square, 2);
        set(b, 0, tn_b_tanh(b, y));
      },
      {input(TN_DTYPE_F32, {4, 4})}, 1);
  CHECK(after(simplify, g) == Names{"tanh"});
}

TEST_CASE("simplify: a tensor filled with one number is that number") {
  Graph g = traced(
      [](tn_builder* b) {
        const int64_t dims[] = {1, 5}, wide[] = {3, 5};
        const tn_value ones = tn_b_fill(b, number(b, 1), dims, 2, TN_DTYPE_F32);
        const tn_value x = in(b, 0);
        set(b, 0, tn_b_exp(b, tn_b_mul(b, tn_b_expand(b, ones, wide, 2), x)));
        set(b, 1, tn_b_mul(b, ones, in(b, 1)));  // what gives the result its dims stays
      },
      {input(TN_DTYPE_F32, {3, 5}), input(TN_DTYPE_F32, {3, 1})}, 2);
  CHECK(after(simplify, g) == Names{"fill", "exp", "mul"});
}

TEST_CASE("simplify: what could change a bit stays") {
  Graph g = traced(
      [](tn_builder* b) {
        const tn_value x = in(b, 0);
        tn_value y = tn_b_add(b, x, number(b, 0));  // -0 + 0 is 0
        y = tn_b_sub(b, y, number(b, -0.0));        // -0 - -0 is 0
        y = tn_b_cast(b, tn_b_cast(b, y, TN_DTYPE_F16), TN_DTYPE_F32);
        y = tn_b_mul(b, y, in(b, 1));                      // more dims
        set(b, 0, tn_b_copy(b, y));                        // a result of its own
        set(b, 1, tn_b_mul(b, in(b, 2), number(b, 1.5)));  // an integer times a fraction
      },
      {input(TN_DTYPE_F32, {1}), input(TN_DTYPE_F32, {3}), input(TN_DTYPE_F32, {2})}, 2);
  CHECK(after(simplify, g) == Names{"add", "sub", "cast", "cast", "mul", "copy", "mul"});
}
