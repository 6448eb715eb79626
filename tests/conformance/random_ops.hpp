// The steps that passes make most of: elementwise ops, products, reductions, and what is recognised or folded.
#pragma once
#include <cmath>
#include <utility>
#include <vector>

#include "random_calls.hpp"

namespace random_programs {

inline int64_t last_axis(const T& x) { return static_cast<int64_t>(tn_tensor_rank(x.get())) - 1; }

inline std::vector<Op> usual_ops() {
  using enum Kind;
  Family family;
  std::vector<Op>& all = family.all;
  const auto unary = [&](const char* name, tn_op op, Kind kind) { family.unary(name, op, kind); };
  unary("neg", TN_OP_NEG, smooth);
  unary("abs", TN_OP_ABS, kinked);
  unary("tanh", TN_OP_TANH, smooth);
  unary("sin", TN_OP_SIN, smooth);
  unary("cos", TN_OP_COS, smooth);
  unary("erf", TN_OP_ERF, smooth);
  unary("sigmoid", TN_OP_SIGMOID, smooth);
  unary("gelu", TN_OP_GELU, smooth);
  unary("silu", TN_OP_SILU, smooth);
  unary("softplus", TN_OP_SOFTPLUS, smooth);
  unary("mish", TN_OP_MISH, smooth);
  unary("softsign", TN_OP_SOFTSIGN, smooth);
  unary("relu", TN_OP_RELU, kinked);
  unary("floor", TN_OP_FLOOR, stepped);
  unary("ceil", TN_OP_CEIL, stepped);
  unary("round", TN_OP_ROUND, stepped);
  unary("sign", TN_OP_SIGN, stepped);
  const auto add = [&](const char* name, int arity, Kind kind, Apply f) {
    family.add(name, arity, kind, std::move(f));
  };
  add("exp", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_EXP, {o.call(TN_OP_NEG, {o.call(TN_OP_ABS, {x})})});
  });
  add("expm1", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_EXPM1, {o.call(TN_OP_TANH, {x})});
  });
  add("log", 1, kinked, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_LOG, {o.above(x, p + 2)});
  });
  add("log1p", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_LOG1P, {o.call(TN_OP_ABS, {x})});
  });
  add("sqrt", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_SQRT, {o.above(x, 1)});
  });
  add("rsqrt", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_RSQRT, {o.above(x, 1)});
  });
  add("square", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_SQUARE, {o.call(TN_OP_TANH, {x})});
  });
  add("reciprocal", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_RECIPROCAL, {o.above(x, 1)});
  });
  // What simplification takes out.
  add("times_one", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_MUL, {x, o.number(1)});
  });
  add("plus_zero", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_ADD, {x, o.number(0)});
  });
  add("minus_zero", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_SUB, {x, o.number(0)});
  });
  add("twice_negated", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_NEG, {o.call(TN_OP_NEG, {x})});
  });
  add("same_cast", 1, smooth,
      [](const Ops& o, const T& x, const T&, double) { return o.cast(x, o.dtype); });
  add("times_ones", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_MUL, {o.full(1, dims_of(x)), x});
  });
  add("plus_full", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_ADD, {x, o.full(p, dims_of(x))});
  });
  add("times_number", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_MUL, {x, o.number(p)});
  });
  add("number_minus", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_SUB, {o.number(p), x});
  });
  add("copy", 1, smooth,
      [](const Ops& o, const T& x, const T&, double) { return o.call(TN_OP_COPY, {x}); });
  // What is the same in each run.
  add("plus_table", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T at = o.iota({1, dims_of(x)[1]}, 1, o.dtype);
    return o.call(TN_OP_ADD, {x, o.call(TN_OP_SIN, {o.call(TN_OP_MUL, {at, o.number(p / 8)})})});
  });
  add("causal", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_WHERE, {o.causal(dims_of(x)[0], dims_of(x)[1]), x, o.number(p)});
  });
  add("times_root_of_full", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_MUL, {x, o.call(TN_OP_SQRT, {o.full(p * p + 0.5, {1, dims_of(x)[1]})})});
  });
  // What is recognised where no gradient goes through it.
  const auto by_hand = [&](const char* name, Apply f) {
    add(name, 1, smooth, std::move(f));
    all.back().reordered = true;
  };
  by_hand("norm_by_hand", [](const Ops& o, const T& x, const T&, double p) {
    const T in = o.call(TN_OP_TANH, {p > 1 ? x : o.detached(x)}),
            c = o.call(TN_OP_SUB, {in, o.reduced(TN_OP_MEAN, in, 1)});
    const T v = o.reduced(TN_OP_MEAN, o.call(TN_OP_MUL, {c, c}), 1);
    const T plus = o.call(TN_OP_ADD, {v, o.number(p * p + 0.25)});
    return p < 0 ? o.call(TN_OP_MUL, {c, o.call(TN_OP_RSQRT, {plus})})
                 : o.call(TN_OP_DIV, {c, o.call(TN_OP_SQRT, {plus})});
  });
  by_hand("softmax_by_hand", [](const Ops& o, const T& x, const T&, double p) {
    return o.softmax_by_hand(p > 1 ? x : o.detached(x), p < 0);
  });
  by_hand("attention_by_hand", [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T in = p > 1 ? x : o.detached(x);
    const T q = o.reshape(o.call(TN_OP_TANH, {in}), {1, dims[0], dims[1]});
    const T product =
        o.call(TN_OP_MATMUL, {q, q},
               {tn_attr_bool(TN_MATMUL_TRANSPOSE_A, 0), tn_attr_bool(TN_MATMUL_TRANSPOSE_B, 1)});
    T scores = o.call(TN_OP_MUL, {product, o.number(0.1 + p * p / 8)});
    if (p < -0.5)
      scores = o.call(TN_OP_WHERE, {o.causal(dims[0], dims[0]), scores, o.number(-INFINITY)});
    return o.reshape(o.call(TN_OP_MATMUL, {o.softmax_by_hand(scores, 2), q}), dims);
  });
  // Behind weights, whose part it becomes.
  by_hand("norm_of_product", [](const Ops& o, const T& x, const T&, double p) {
    const int64_t n = dims_of(x)[1];
    const T in = o.call(TN_OP_TANH, {x}), w = o.weights(n, n);
    const T y = o.call(p < 0 ? TN_OP_MATMUL : TN_OP_LINEAR, {in, w});
    return o.call(TN_OP_SIN, {o.norm_of(y, n)});
  });
  by_hand("norm_of_convolution", [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T in = o.reshape(o.call(TN_OP_TANH, {x}), {1, dims[0], 1, dims[1]});
    const T w = o.reshape(o.weights(3, dims[0]), {3, dims[0], 1, 1});
    const T y = o.norm_of(o.call(TN_OP_CONV2D, {in, w, p < 0 ? o.channels(3) : T()}), 3);
    return o.call(TN_OP_MUL,
                  {x, o.reshape(o.reduced(TN_OP_MEAN, o.call(TN_OP_SIN, {y}), 1), {1, dims[1]})});
  });
  // Turned for each convolution, and back behind it.
  by_hand("channels_last", [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const auto convolution = [&](const T& of, const T& w) {
      return o.moved(o.call(TN_OP_CONV2D, {o.moved(of, {0, 3, 1, 2}), w}), {0, 2, 3, 1});
    };
    const T in = o.reshape(o.tanh(x), {1, dims[0], dims[1], 1});
    const T first = convolution(in, o.reshape(o.weights(1, 3), {3, 1, 1, 1}));
    T y = o.call(TN_OP_SIN, {o.add(first, o.channels(3))});
    if (p < -0.5) y = o.sub(y, o.reduced(TN_OP_MEAN, y, 3));
    if (p > 0.5) y = o.mul(y, o.reshape(o.reduced(TN_OP_SUM, x, 1), {1, dims[0], 1, 1}));
    int64_t n = 3;
    if (p > 0) {
      y = o.call(TN_OP_CONCAT, {y, first}, {tn_attr_i64(TN_CONCAT_AXIS, 3)});
      n = 6;
    }
    const T second = convolution(y, o.reshape(o.weights(2, n), {2, n, 1, 1}));
    return o.mul(x, o.reshape(o.reduced(TN_OP_MEAN, o.tanh(second), 3), dims));
  });
  // Of what a variable alone decides.
  add("product_with_sines", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const int64_t n = dims_of(x)[1];
    return o.call(TN_OP_MATMUL, {o.call(TN_OP_TANH, {x}), o.call(TN_OP_SIN, {o.weights(n, n)})});
  });
  add("plus_softmax_of_weights", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_ADD, {x, o.call(TN_OP_SOFTMAX, {o.weights(1, dims_of(x)[1])})});
  });
  // Other dtypes on the way.
  add("through_f16", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T half = o.cast(x, TN_DTYPE_F16);
    return o.cast(o.call(TN_OP_MUL, {half, o.call(TN_OP_TANH, {half})}), o.dtype);
  });
  all.back().grain = 0x1p-11;
  add("through_bf16", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    const T half = o.cast(x, TN_DTYPE_BF16);
    return o.cast(
        o.call(TN_OP_ADD,
               {half, o.call(TN_OP_EXP, {o.call(TN_OP_NEG, {o.call(TN_OP_ABS, {half})})})}),
        o.dtype);
  });
  all.back().grain = 0x1p-8;
  add("through_i32", 1, stepped, [](const Ops& o, const T& x, const T&, double) {
    const T whole = o.cast(o.call(TN_OP_MUL, {x, o.number(5)}), TN_DTYPE_I32);
    return o.cast(o.call(TN_OP_MUL, {whole, whole}), o.dtype);
  });
  add("whole_against_fraction", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const T whole = o.cast(o.call(TN_OP_MUL, {x, o.number(2)}), TN_DTYPE_I16);
    const T less = o.call(TN_OP_LT, {whole, o.number(std::floor(p * 4) / 2)});
    const T other = o.call(TN_OP_NE, {o.call(TN_OP_NOT, {less}), o.number(0.5)});
    return o.call(TN_OP_SUB, {x, o.cast(o.call(TN_OP_AND, {other, less}), o.dtype)});
  });
  const auto binary = [&](const char* name, tn_op op, Kind kind) { family.binary(name, op, kind); };
  binary("add", TN_OP_ADD, smooth);
  binary("sub", TN_OP_SUB, smooth);
  binary("maximum", TN_OP_MAXIMUM, kinked);
  binary("minimum", TN_OP_MINIMUM, kinked);
  add("mul", 2, smooth, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_MUL, {o.call(TN_OP_TANH, {x}), y});
  });
  add("div", 2, kinked, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_DIV, {x, o.above(y, 1)});
  });
  add("pow", 2, kinked, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_POW, {o.above(x, 0.5), o.call(TN_OP_TANH, {y})});
  });
  add("atan2", 2, kinked, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_ATAN2, {x, o.above(y, 1)});
  });
  add("where_less", 2, kinked, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_WHERE, {o.call(TN_OP_LT, {x, y}), x, y});
  });
  add("where_logic", 2, stepped, [](const Ops& o, const T& x, const T& y, double p) {
    const T both =
        o.call(TN_OP_AND, {o.call(TN_OP_GE, {x, y}), o.call(TN_OP_NE, {x, o.number(p)})});
    return o.call(TN_OP_WHERE, {o.call(TN_OP_NOT, {both}), y, o.number(p)});
  });
  add("equal", 2, stepped, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_ADD, {x, o.cast(o.call(TN_OP_EQ, {x, y}), o.dtype)});
  });
  add("clip", 1, kinked, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_CLIP, {x, o.number(-1 - p * p), o.number(1 + p * p)});
  });
  // Along axes, and moved.
  add("sum", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.reduced(TN_OP_SUM, o.call(TN_OP_TANH, {x}), 0);
  });
  add("mean", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.reduced(TN_OP_MEAN, x, last_axis(x));
  });
  add("max", 1, kinked, [](const Ops& o, const T& x, const T&, double) {
    return o.reduced(TN_OP_MAX, x, last_axis(x));
  });
  add("logsumexp", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.reduced(TN_OP_LOGSUMEXP, x, last_axis(x));
  });
  add("softmax", 1, smooth,
      [](const Ops& o, const T& x, const T&, double) { return o.call(TN_OP_SOFTMAX, {x}); });
  add("cumsum", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_CUMSUM, {o.call(TN_OP_TANH, {x})}, {tn_attr_i64(TN_CUMSUM_AXIS, 0)});
  });
  add("transpose", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const int64_t perm[] = {1, 0};
    return o.call(TN_OP_TRANSPOSE, {x}, {tn_attr_i64s(TN_TRANSPOSE_PERM, perm, 2)});
  });
  add("reshape_twice", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const int64_t flat[] = {tn_tensor_count(x.get())};
    const Dims dims = dims_of(x);
    return o.call(TN_OP_RESHAPE, {o.call(TN_OP_RESHAPE, {x}, {tn_attr_i64s(0, flat, 1)})},
                  {tn_attr_i64s(0, dims.data(), 2)});
  });
  add("flip", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const int64_t axis[] = {1};
    return o.call(TN_OP_FLIP, {x}, {tn_attr_i64s(TN_FLIP_AXES, axis, 1)});
  });
  add("concat", 2, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T both = o.call(TN_OP_CONCAT, {x, x}, {tn_attr_i64(TN_CONCAT_AXIS, 1)});
    const int64_t start[] = {0, 1}, stop[] = {INT64_MAX, dims_of(x)[1] + 1};
    return o.call(TN_OP_SLICE, {both},
                  {tn_attr_i64s(TN_SLICE_STARTS, start, 2), tn_attr_i64s(TN_SLICE_STOPS, stop, 2)});
  });
  add("matmul", 2, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T square =
        o.call(TN_OP_MATMUL, {x, x},
               {tn_attr_bool(TN_MATMUL_TRANSPOSE_A, 0), tn_attr_bool(TN_MATMUL_TRANSPOSE_B, 1)});
    return o.call(TN_OP_MATMUL, {o.call(TN_OP_TANH, {square}), x});
  });
  // Random numbers, which are drawn as f32 whatever the dtype of x.
  add("uniform", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const Dims dims = dims_of(x);
    return o.call(TN_OP_ADD,
                  {x, o.call(TN_OP_UNIFORM, {}, {tn_attr_i64s(TN_UNIFORM_DIMS, dims.data(), 2)})});
  });
  add("dropout", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_DROPOUT, {x}, {tn_attr_f64(TN_DROPOUT_RATE, 0.3)});
  });
  return all;
}

}  // namespace random_programs
