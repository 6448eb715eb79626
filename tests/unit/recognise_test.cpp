// Norms, softmax and attention by their parts: which ways of writing them are known, and what only looks like them.
#include "passes/recognise.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "recipes.hpp"
#include "tenon/plugin/builder_ops.h"

using namespace tenon;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kLast[] = {2}, kLastButOne[] = {1}, kLastTwo[] = {1, 2};

tn_value in(tn_builder* b, uint32_t i) { return b->v->input(b, i); }
void set(tn_builder* b, uint32_t i, tn_value v) { b->v->set(b, i, v); }
tn_value number(tn_builder* b, double v) { return b->v->scalar(b, v); }
tn_value mean(tn_builder* b, tn_value x, const int64_t* axes = kLast, uint32_t n = 1) {
  return tn_b_mean(b, x, axes, n, 1);
}
tn_value centred(tn_builder* b) { return tn_b_sub(b, in(b, 0), mean(b, in(b, 0))); }
tn_value shifted(tn_builder* b, tn_value v, double epsilon = 1e-5) {
  return tn_b_add(b, v, number(b, epsilon));
}
tn_value inverse(tn_builder* b, tn_value v) { return tn_b_rsqrt(b, shifted(b, v)); }
tn_value square_mean(tn_builder* b, tn_value c) { return mean(b, tn_b_square(b, c)); }

// What the graph has after the pass, as names in order; x is f32[2, 4, 6], the inputs after it as given.
struct Seen {
  size_t found = 0;
  std::string names;
  Graph graph;
  const GraphNode& last() const { return graph.nodes.back(); }
};
bool all(const Graph&, const GraphNode&) { return true; }
Seen see(tn_recipe recipe, std::vector<TraceInput> more = {}, uint32_t results = 1,
         const Takes& takes = all, tn_dtype dtype = TN_DTYPE_F32) {
  const PassContext none{nullptr, nullptr, nullptr, 0};
  more.insert(more.begin(), input(dtype, {2, 4, 6}));
  Seen s;
  s.graph = trace_recipe(registry(), "test", recipe, more, {}, results, nullptr, false);
  remove_dead_code(s.graph, none);
  share_subexpressions(s.graph, none);
  remove_dead_code(s.graph, none);
  s.found = recognise(s.graph, registry(), takes);
  remove_dead_code(s.graph, none);
  for (const GraphNode& n : s.graph.nodes)
    s.names += (s.names.empty() ? "" : " ") + std::string(n.op->name());
  return s;
}
double real(const tn_attr& a) {
  double v;
  std::memcpy(&v, &a.bits, sizeof v);
  return v;
}

const TraceInput kRow = input(TN_DTYPE_F32, {6}), kQuery = input(TN_DTYPE_F32, {2, 4, 6}),
                 kKeys = input(TN_DTYPE_F32, {2, 5, 6}), kValues = input(TN_DTYPE_F32, {2, 5, 3});

void softmax_of(tn_builder* b, const int64_t* axes) {
  const tn_value x = in(b, 0);
  const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_max(b, x, axes, 1, 1)));
  set(b, 0, tn_b_div(b, e, tn_b_sum(b, e, axes, 1, 1)));
}

// softmax(mask(x k^T * scale)) v, mask given by what it makes of the scores.
template <class Mask>
void attention_of(tn_builder* b, Mask mask) {
  const tn_value scores = tn_b_mul(b, tn_b_matmul(b, in(b, 0), in(b, 1), 0, 1), number(b, 0.25));
  set(b, 0, tn_b_matmul(b, tn_b_softmax(b, mask(scores), -1), in(b, 2), 0, 0));
}

}  // namespace

TEST_CASE("recognise: layer norm, as it is written") {
  SUBCASE("with what multiplies and is added") {
    const Seen s = see(
        [](tn_builder* b) {
          const tn_value c = centred(b), y = tn_b_mul(b, c, inverse(b, square_mean(b, c)));
          set(b, 0, tn_b_add(b, tn_b_mul(b, in(b, 1), y), in(b, 2)));
        },
        {kRow, kRow});
    CHECK(s.found == 3);
    REQUIRE(s.names == "layer_norm");
    CHECK(s.last().inputs == s.graph.inputs);
    CHECK(s.last().attrs.items[TN_LAYER_NORM_AXES].bits == 1);
    CHECK(real(s.last().attrs.items[TN_LAYER_NORM_EPSILON]) == 1e-5);
  }
  SUBCASE("by var and a division by the root, over two axes") {
    const Seen s = see([](tn_builder* b) {
      const tn_value x = in(b, 0), v = tn_b_var(b, x, kLastTwo, 2, 1, 0);
      const tn_value c = tn_b_sub(b, x, mean(b, x, kLastTwo, 2));
      set(b, 0, tn_b_div(b, c, tn_b_sqrt(b, tn_b_add(b, number(b, 0.5), v))));
    });
    REQUIRE(s.names == "layer_norm");
    CHECK(s.last().attrs.items[TN_LAYER_NORM_AXES].bits == 2);
    CHECK(real(s.last().attrs.items[TN_LAYER_NORM_EPSILON]) == 0.5);
  }
  SUBCASE("by sums, powers and axes put back") {
    const Seen s = see([](tn_builder* b) {
      const tn_value x = in(b, 0), sum = tn_b_sum(b, x, kLast, 1, 0);
      const tn_value m = tn_b_unsqueeze(b, tn_b_div(b, sum, number(b, 6)), kLast, 1);
      const tn_value c = tn_b_sub(b, x, m);
      const tn_value squares = tn_b_sum(b, tn_b_pow(b, c, number(b, 2)), kLast, 1, 0);
      const tn_value v = tn_b_mul(b, squares, number(b, 1.0 / 6));
      const tn_value root = tn_b_pow(b, shifted(b, v), number(b, 0.5));
      set(b, 0, tn_b_div(b, c, tn_b_unsqueeze(b, root, kLast, 1)));
    });
    CHECK(s.names == "layer_norm");
  }
  SUBCASE("the scale within the factor, behind axes of size 1") {
    const Seen s = see(
        [](tn_builder* b) {
          const tn_value c = centred(b), r = inverse(b, square_mean(b, c));
          set(b, 0, tn_b_mul(b, c, tn_b_mul(b, r, in(b, 1))));
        },
        {input(TN_DTYPE_F32, {1, 1, 6})});
    REQUIRE(s.names == "reshape layer_norm");
    CHECK(value_of(s.graph, s.last().inputs[1]).shape.rank == 1);
  }
  SUBCASE("rms norm") {
    const Seen s = see(
        [](tn_builder* b) {
          const tn_value x = in(b, 0);
          set(b, 0, tn_b_mul(b, tn_b_mul(b, x, inverse(b, square_mean(b, x))), in(b, 1)));
        },
        {kRow});
    REQUIRE(s.names == "rms_norm");
    CHECK(s.last().inputs == s.graph.inputs);
  }
}

TEST_CASE("recognise: what only looks like a norm stays") {
  const auto stays = [](const Seen& s) {
    CHECK(s.found == 0);
    CHECK(s.names.find("norm") == std::string::npos);
  };
  SUBCASE("another axis") {
    stays(see([](tn_builder* b) {
      const tn_value x = in(b, 0), c = tn_b_sub(b, x, mean(b, x, kLastButOne));
      const tn_value v = mean(b, tn_b_square(b, c), kLastButOne);
      set(b, 0, tn_b_mul(b, c, inverse(b, v)));
    }));
  }
  SUBCASE("epsilon beside the root") {
    stays(see([](tn_builder* b) {
      const tn_value c = centred(b);
      set(b, 0, tn_b_div(b, c, shifted(b, tn_b_sqrt(b, square_mean(b, c)))));
    }));
  }
  SUBCASE("an epsilon below 0") {
    stays(see([](tn_builder* b) {
      const tn_value c = centred(b);
      set(b, 0, tn_b_div(b, c, tn_b_sqrt(b, shifted(b, square_mean(b, c), -1e-5))));
    }));
  }
  SUBCASE("the unbiased variance") {
    stays(see([](tn_builder* b) {
      const tn_value v = tn_b_var(b, in(b, 0), kLast, 1, 1, 1);
      set(b, 0, tn_b_mul(b, centred(b), inverse(b, v)));
    }));
  }
  SUBCASE("the sum for the mean") {
    stays(see([](tn_builder* b) {
      const tn_value c = centred(b);
      set(b, 0, tn_b_mul(b, c, inverse(b, tn_b_sum(b, tn_b_square(b, c), kLast, 1, 1))));
    }));
  }
  SUBCASE("a value on the way is a result, or used elsewhere") {
    stays(see(
        [](tn_builder* b) {
          const tn_value c = centred(b), v = square_mean(b, c);
          set(b, 0, tn_b_mul(b, c, inverse(b, v)));
          set(b, 1, v);
        },
        {}, 2));
    stays(see(
        [](tn_builder* b) {
          const tn_value c = centred(b), r = inverse(b, square_mean(b, c));
          set(b, 0, tn_b_mul(b, c, r));
          set(b, 1, tn_b_exp(b, r));
        },
        {}, 2));
  }
  SUBCASE("a half format, or a device without the kernel") {
    const auto norm = [](tn_builder* b) {
      const tn_value c = centred(b);
      set(b, 0, tn_b_mul(b, c, inverse(b, square_mean(b, c))));
    };
    stays(see(norm, {}, 1, all, TN_DTYPE_F16));
    stays(see(norm, {}, 1, [](const Graph&, const GraphNode&) { return false; }));
  }
  SUBCASE("a square matrix whose means lie along the other axis") {
    const Seen s = see(
        [](tn_builder* b) {
          constexpr int64_t axis[] = {1}, row[] = {1, 4}, wide[] = {4, 4};
          const tn_value x = in(b, 1), m = tn_b_reshape(b, tn_b_mean(b, x, axis, 1, 0), row, 2);
          const tn_value c = tn_b_sub(b, x, tn_b_expand(b, m, wide, 2));
          const tn_value v = tn_b_mean(b, tn_b_square(b, c), axis, 1, 0);
          set(b, 0, tn_b_mul(b, c, tn_b_reshape(b, inverse(b, v), row, 2)));
        },
        {input(TN_DTYPE_F32, {4, 4})});
    stays(s);
  }
  SUBCASE("a scale of other dims is left beside the norm") {
    const Seen s = see(
        [](tn_builder* b) {
          const tn_value c = centred(b), y = tn_b_mul(b, c, inverse(b, square_mean(b, c)));
          set(b, 0, tn_b_add(b, tn_b_mul(b, y, in(b, 1)), in(b, 2)));
        },
        {input(TN_DTYPE_F32, {4, 1}), input(TN_DTYPE_F32, {1})});
    CHECK(s.names == "layer_norm mul add");
  }
  SUBCASE("a bias before the scale is no bias of the norm") {
    const Seen s = see(
        [](tn_builder* b) {
          const tn_value c = centred(b), y = tn_b_mul(b, c, inverse(b, square_mean(b, c)));
          set(b, 0, tn_b_mul(b, tn_b_add(b, y, in(b, 1)), in(b, 1)));
        },
        {kRow});
    CHECK(s.names == "layer_norm mul");
  }
}

TEST_CASE("recognise: softmax, and what only looks like it") {
  const Seen last = see([](tn_builder* b) { softmax_of(b, kLast); });
  REQUIRE(last.names == "softmax");
  CHECK(last.last().attrs.items[TN_SOFTMAX_AXIS].bits == 2);
  const Seen other = see([](tn_builder* b) { softmax_of(b, kLastButOne); });
  REQUIRE(other.names == "softmax");
  CHECK(other.last().attrs.items[TN_SOFTMAX_AXIS].bits == 1);
  CHECK(see([](tn_builder* b) {
          const tn_value x = in(b, 0);
          constexpr int64_t wide[] = {2, 4, 6};
          const tn_value m = tn_b_unsqueeze(b, tn_b_max(b, x, kLast, 1, 0), kLast, 1);
          const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_expand(b, m, wide, 3)));
          const tn_value s = tn_b_sum(b, e, kLast, 1, 1);
          set(b, 0, tn_b_mul(b, e, tn_b_reciprocal(b, s)));
        }).names == "softmax");
  SUBCASE("axes that differ") {
    CHECK(see([](tn_builder* b) {
            const tn_value x = in(b, 0);
            const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_max(b, x, kLastButOne, 1, 1)));
            set(b, 0, tn_b_div(b, e, tn_b_sum(b, e, kLast, 1, 1)));
          }).found == 0);
  }
  SUBCASE("two axes") {
    CHECK(see([](tn_builder* b) {
            const tn_value x = in(b, 0);
            const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_max(b, x, kLastTwo, 2, 1)));
            set(b, 0, tn_b_div(b, e, tn_b_sum(b, e, kLastTwo, 2, 1)));
          }).found == 0);
  }
  SUBCASE("the sum is used elsewhere") {
    CHECK(see(
              [](tn_builder* b) {
                softmax_of(b, kLast);
                const tn_value x = in(b, 0);
                const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_max(b, x, kLast, 1, 1)));
                set(b, 1, tn_b_log(b, tn_b_sum(b, e, kLast, 1, 1)));
              },
              {}, 2)
              .found == 0);
  }
  SUBCASE("the maximum of another value") {
    CHECK(see(
              [](tn_builder* b) {
                const tn_value x = in(b, 0);
                const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_max(b, in(b, 1), kLast, 1, 1)));
                set(b, 0, tn_b_div(b, e, tn_b_sum(b, e, kLast, 1, 1)));
              },
              {kQuery})
              .found == 0);
  }
}

TEST_CASE("recognise: attention, with and without a mask") {
  const std::string attention = "scaled_dot_product_attention";
  SUBCASE("none; its softmax by hand too") {
    const Seen s = see(
        [](tn_builder* b) {
          constexpr int64_t swap[] = {0, 2, 1};
          const tn_value k = tn_b_transpose(b, in(b, 1), swap, 3);
          const tn_value x = tn_b_div(b, tn_b_matmul(b, in(b, 0), k, 0, 0), number(b, 8));
          const tn_value e = tn_b_exp(b, tn_b_sub(b, x, tn_b_max(b, x, kLast, 1, 1)));
          set(b, 0, tn_b_matmul(b, tn_b_div(b, e, tn_b_sum(b, e, kLast, 1, 1)), in(b, 2), 0, 0));
        },
        {kKeys, kValues});
    REQUIRE(s.names == attention);
    CHECK(std::equal(s.graph.inputs.begin(), s.graph.inputs.end(), s.last().inputs.begin()));
    CHECK(s.last().inputs[3] == -1);
    CHECK(real(s.last().attrs.items[TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE]) == 0.125);
  }
  SUBCASE("without a scale it is 1") {
    const Seen s = see(
        [](tn_builder* b) {
          const tn_value x = tn_b_matmul(b, in(b, 0), in(b, 1), 0, 1);
          set(b, 0, tn_b_matmul(b, tn_b_softmax(b, x, 2), in(b, 2), 0, 0));
        },
        {kKeys, kValues});
    REQUIRE(s.names == attention);
    CHECK(real(s.last().attrs.items[TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE]) == 1);
  }
  SUBCASE("added") {
    for (const TraceInput& mask : {input(TN_DTYPE_F32, {4, 5}), input(TN_DTYPE_F32, {2, 1, 5})}) {
      const Seen s = see(
          [](tn_builder* b) {
            attention_of(b, [b](tn_value x) { return tn_b_add(b, in(b, 3), x); });
          },
          {kKeys, kValues, mask});
      REQUIRE(s.names == attention);
      CHECK(s.last().inputs == s.graph.inputs);
    }
  }
}

TEST_CASE("recognise: what only looks like attention stays") {
  const auto stays = [](const Seen& s) {
    CHECK(s.names.find("scaled_dot") == std::string::npos);
    CHECK(s.names.find("matmul") != std::string::npos);
  };
  SUBCASE("a mask that widens the scores") {
    stays(see(
        [](tn_builder* b) {
          const tn_value s = tn_b_matmul(b, in(b, 3), in(b, 4), 0, 1);
          set(b, 0, tn_b_matmul(b, tn_b_softmax(b, tn_b_add(b, s, in(b, 1)), -1), in(b, 2), 0, 0));
        },
        {input(TN_DTYPE_F32, {2, 4, 5}), kValues, input(TN_DTYPE_F32, {1, 4, 6}),
         input(TN_DTYPE_F32, {1, 5, 6})}));
  }
  // What it hides may be infinite or no number.
  SUBCASE("a mask by where") {
    stays(see(
        [](tn_builder* b) {
          attention_of(b, [b](tn_value x) { return tn_b_where(b, in(b, 3), x, number(b, -1e9)); });
        },
        {kKeys, kValues, input(TN_DTYPE_BOOL, {4, 5})}));
    stays(see(
        [](tn_builder* b) {
          attention_of(
              b, [b](tn_value x) { return tn_b_where(b, in(b, 3), x, number(b, -kInfinity)); });
        },
        {kKeys, kValues, input(TN_DTYPE_BOOL, {4, 5})}));
  }
  SUBCASE("a mask before the scale") {
    stays(see(
        [](tn_builder* b) {
          const tn_value s = tn_b_add(b, tn_b_matmul(b, in(b, 0), in(b, 1), 0, 1), in(b, 3));
          const tn_value p = tn_b_softmax(b, tn_b_mul(b, s, number(b, 0.25)), -1);
          set(b, 0, tn_b_matmul(b, p, in(b, 2), 0, 0));
        },
        {kKeys, kValues, input(TN_DTYPE_F32, {4, 5})}));
  }
  SUBCASE("the softmax along the queries") {
    stays(see(
        [](tn_builder* b) {
          const tn_value s = tn_b_matmul(b, in(b, 0), in(b, 1), 0, 1);
          set(b, 0, tn_b_matmul(b, tn_b_softmax(b, s, 1), in(b, 2), 0, 0));
        },
        {kKeys, kValues}));
  }
  SUBCASE("the probabilities are a result") {
    stays(see(
        [](tn_builder* b) {
          const tn_value p = tn_b_softmax(b, tn_b_matmul(b, in(b, 0), in(b, 1), 0, 1), -1);
          set(b, 0, tn_b_matmul(b, p, in(b, 2), 0, 0));
          set(b, 1, p);
        },
        {kKeys, kValues}, 2));
  }
  SUBCASE("keys that are shared by all, a temperature of 0") {
    stays(see([](tn_builder* b) { attention_of(b, [](tn_value x) { return x; }); },
              {input(TN_DTYPE_F32, {1, 5, 6}), kValues}));
    stays(see(
        [](tn_builder* b) {
          const tn_value s = tn_b_matmul(b, in(b, 0), in(b, 1), 0, 1);
          const tn_value p = tn_b_softmax(b, tn_b_mul(b, s, number(b, 0)), -1);
          set(b, 0, tn_b_matmul(b, p, in(b, 2), 0, 0));
        },
        {kKeys, kValues}));
  }
}
