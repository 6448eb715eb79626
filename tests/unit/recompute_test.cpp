// Recomputation alone: what is given up for a number of bytes, and where it is computed again.
#include <doctest/doctest.h>

#include <chrono>

#include "passes/pass.hpp"
#include "recipes.hpp"
#include "tenon/plugin/builder_ops.h"

using namespace tenon;

namespace {

constexpr uint64_t kUnit = 1024;  // f32[16, 16]

tn_value in(tn_builder* b, uint32_t i) { return b->v->input(b, i); }
void set(tn_builder* b, uint32_t i, tn_value v) { b->v->set(b, i, v); }
tn_value sum(tn_builder* b, tn_value x) { return tn_b_sum(b, x, nullptr, 0, 0); }
tn_value wide(tn_builder* b) {
  const tn_value c = tn_b_neg(b, in(b, 0)), s = tn_b_sin(b, c), o = tn_b_cos(b, c);
  return tn_b_add(b, s, o);
}
tn_value chain(tn_builder* b) { return tn_b_neg(b, tn_b_sin(b, tn_b_neg(b, in(b, 0)))); }

struct Outcome {
  std::string names;  // of nodes, in their order
  Recomputed recomputed;
};
Outcome within(uint64_t target, tn_recipe recipe, uint32_t results, double dear = 1) {
  Graph g = trace_recipe(registry(), "test", recipe, {input(TN_DTYPE_F32, {16, 16})}, {}, results);
  Outcome out;
  out.recomputed.target = target;
  out.recomputed.dear = dear;
  PassContext c{nullptr, nullptr, nullptr, 0};
  c.recomputed = &out.recomputed;
  remove_dead_code(g, c);
  recompute(g, c);
  remove_dead_code(g, c);
  std::vector<bool> there(g.values.size());
  for (size_t v = 0; v < g.values.size(); ++v) there[v] = g.values[v].node < 0;
  for (const GraphNode& n : g.nodes) {
    out.names.append(out.names.empty() ? "" : " ").append(n.op->name());
    for (int i : n.inputs) CHECK(there[static_cast<size_t>(i)]);
    for (int o : n.outputs) there[static_cast<size_t>(o)] = true;
  }
  CHECK(out.recomputed.bytes <= std::max(target, kUnit));
  return out;
}

}  // namespace

TEST_CASE("recompute: what waits is given up, and computed again before its next use") {
  const tn_recipe recipe = [](tn_builder* b) {
    const tn_value a = tn_b_exp(b, in(b, 0));
    set(b, 0, sum(b, a));
    set(b, 1, tn_b_mul(b, a, chain(b)));
  };
  CHECK(within(2 * kUnit, recipe, 2).names == "exp sum neg sin neg exp mul");
  const Outcome enough = within(3 * kUnit, recipe, 2);
  CHECK(enough.names == "exp sum neg sin neg mul");
  CHECK(enough.recomputed.bytes == 3 * kUnit);
  CHECK(enough.recomputed.nodes == 0);
}

TEST_CASE("recompute: what is not used before is only computed later") {
  const Outcome o = within(
      2 * kUnit,
      [](tn_builder* b) {
        const tn_value a = tn_b_exp(b, in(b, 0));
        set(b, 0, tn_b_mul(b, a, chain(b)));
      },
      1);
  CHECK(o.names == "neg sin neg exp mul");
  CHECK(o.recomputed.nodes == 0);
}

TEST_CASE("recompute: views of it are views of what is computed again") {
  CHECK(within(
            2 * kUnit,
            [](tn_builder* b) {
              const tn_value a = tn_b_exp(b, in(b, 0));
              const int64_t turned[] = {1, 0};
              const tn_value t = tn_b_transpose(b, a, turned, 2);
              set(b, 0, sum(b, t));
              set(b, 1, tn_b_mul(b, t, chain(b)));
            },
            2)
            .names == "exp transpose sum neg sin neg exp transpose mul");
}

TEST_CASE("recompute: with what it is computed from, unless that is there or small") {
  const tn_recipe recipe = [](tn_builder* b) {
    const tn_value a = tn_b_tanh(b, tn_b_exp(b, in(b, 0)));
    set(b, 0, sum(b, a));
    set(b, 1, tn_b_mul(b, a, wide(b)));
  };
  const Outcome o = within(3 * kUnit, recipe, 2);
  CHECK(o.names == "exp tanh sum neg sin cos add exp tanh mul");
  CHECK(o.recomputed.nodes == 2);
  CHECK(within(
            3 * kUnit + 64,
            [](tn_builder* b) {
              const tn_value s = sum(b, tn_b_exp(b, in(b, 0)));
              const tn_value a = tn_b_mul(b, s, in(b, 0));
              set(b, 0, sum(b, a));
              set(b, 1, tn_b_mul(b, a, wide(b)));
            },
            2)
            .names == "exp sum mul sum neg sin cos add mul mul");
}

TEST_CASE("recompute: results and products cost what they cost") {
  // Two wait: the product moves fewer bytes, but what it computes counts.
  const Outcome o = within(
      4 * kUnit + 64,
      [](tn_builder* b) {
        const tn_value x = in(b, 0), p = tn_b_matmul(b, x, x, 0, 0);
        const tn_value less = tn_b_lt(b, x, b->v->scalar(b, 0)), e = tn_b_where(b, less, x, x);
        const tn_value of_p = sum(b, p), of_e = sum(b, e);
        set(b, 0, tn_b_add(b, of_p, of_e));
        set(b, 1, tn_b_mul(b, tn_b_mul(b, wide(b), p), e));
        set(b, 2, less);
      },
      3);
  CHECK(o.names.find("matmul") == o.names.rfind("matmul"));
  CHECK(o.names.find("where") != o.names.rfind("where"));
  CHECK(o.recomputed.flop == 0);
  // A result is there anyway.
  CHECK(within(
            kUnit * 2,
            [](tn_builder* b) {
              const tn_value e = tn_b_exp(b, in(b, 0));
              set(b, 0, e);
              set(b, 1, tn_b_mul(b, e, chain(b)));
            },
            2)
            .names == "exp neg sin neg mul");
}

TEST_CASE("recompute: a chain in segments, and 10,000 nodes in time") {
  for (const size_t depth : {64, 5000}) {
    static size_t n;
    n = depth;
    const uint64_t target = (depth == 64 ? 20 : 600) * kUnit;
    const auto start = std::chrono::steady_clock::now();
    const Outcome o = within(
        target,
        [](tn_builder* b) {
          std::vector<tn_value> y = {tn_b_tanh(b, in(b, 0))};
          while (y.size() < n) y.push_back(tn_b_tanh(b, y.back()));
          tn_value g = y.back();
          for (size_t k = n; k-- > 0;) g = tn_b_mul(b, g, y[k]);
          set(b, 0, g);
        },
        1);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    MESSAGE(depth << " layers in " << target / kUnit << ": " << o.recomputed.nodes
                  << " nodes more, in " << took.count() << " s");
    CHECK(o.recomputed.nodes > depth / 2);
    CHECK(o.recomputed.nodes < 2 * depth);
  }
}

TEST_CASE("recompute: layers that share a weight") {
  const tn_recipe recipe = [](tn_builder* b) {
    const tn_value w = in(b, 0);
    std::vector<tn_value> y = {w};
    while (y.size() <= 200) y.push_back(tn_b_tanh(b, tn_b_matmul(b, y.back(), w, 0, 0)));
    tn_value g = y.back(), of_w = g;
    for (size_t k = 200; k-- > 0;) {
      g = tn_b_mul(b, g, y[k + 1]);
      of_w = tn_b_add(b, of_w, tn_b_matmul(b, y[k], g, 1, 0));
      g = tn_b_matmul(b, g, w, 0, 1);
    }
    set(b, 0, g);
    set(b, 1, of_w);
  };
  const size_t most = within(UINT64_MAX, recipe, 2).recomputed.bytes / kUnit;
  CHECK(most > 200);
  // Two nodes of each layer that is not kept; where there is little room some of those twice.
  const std::pair<size_t, size_t> at_most[] = {{150, 120}, {100, 220}, {60, 400},
                                               {40, 550},  {25, 900},  {12, 2000}};
  for (const auto& [target, nodes] : at_most) {
    CAPTURE(target);
    CHECK(within(target * kUnit, recipe, 2).recomputed.nodes < nodes);
  }
  CHECK(within(8 * kUnit, recipe, 2, 3).recomputed.nodes > 1200);  // more than once each
}
