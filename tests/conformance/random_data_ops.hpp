// Steps of data movement, indices and order, random numbers, and what is quantised.
#pragma once
#include <cmath>
#include <vector>

#include "random_calls.hpp"

namespace random_programs {

inline void add_movement(Family& family) {
  using enum Kind;
  family.add("expand", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T row = o.reshape(o.reduced(TN_OP_MEAN, x, 0), {dims[1]});
    const T y = o.call(TN_OP_EXPAND, {row}, {i64s(TN_EXPAND_DIMS, {dims[0], -1})});
    return p < 0 ? o.add(o.tanh(y), x) : y;
  });
  family.add("pad", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const auto k = static_cast<int64_t>(std::floor(p * 2));
    // One element stays of each axis.
    const int64_t rows = dims_of(x)[0], low = std::max(k, 1 - rows);
    const T value = p * p < 1 ? o.mean(o.tanh(x)) : T();
    return o.over(x, o.call(TN_OP_PAD, {x, value},
                            {i64s(TN_PAD_LOW, {low, 1}), i64s(TN_PAD_HIGH, {0, k * k}),
                             i64s(TN_PAD_INTERIOR, {way(p, 3) == 1 ? 1 : 0, 0})}));
  });
  const auto padded = [&](const char* name, tn_op op) {
    family.add(name, 1, smooth, [op](const Ops& o, const T& x, const T&, double p) {
      const Dims dims = dims_of(x);
      const auto at_most = [](int64_t k, int64_t n) { return std::min(k, n - 1); };
      const int64_t rows = at_most(way(p, 3) ? 1 : 0, dims[0]), columns = at_most(3, dims[1]);
      return o.over(x,
                    o.call(op, {o.tanh(x)}, {i64s(0, {rows, columns}), i64s(1, {0, columns / 2})}));
    });
  };
  padded("pad_edge", TN_OP_PAD_EDGE);
  padded("pad_reflect", TN_OP_PAD_REFLECT);
  family.add("fill", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T y = o.call(TN_OP_FILL, {o.mean(o.tanh(x))},
                       {i64s(TN_FILL_DIMS, dims_of(x)), tn_attr_dtype(TN_FILL_DTYPE, o.dtype)});
    return o.add(y, o.tanh(x));
  });
  family.add("squeeze", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const int64_t axis = p < 0 ? 0 : 2;
    const T y = o.call(TN_OP_UNSQUEEZE, {x}, {i64s(TN_UNSQUEEZE_AXES, {axis, -1})});
    return o.call(TN_OP_SQUEEZE, {o.tanh(y)}, {i64s(TN_SQUEEZE_AXES, {axis, 3})});
  });
  family.add("stack", 2, smooth, [](const Ops& o, const T& x, const T& y, double p) {
    const T a = o.add(x, y);
    const T b = o.call(TN_OP_STACK, {a, o.tanh(a), o.call(TN_OP_SIN, {a})},
                       {tn_attr_i64(TN_STACK_AXIS, static_cast<int64_t>(way(p, 3)))});
    const T c =
        o.reduced(p * p < 1 ? TN_OP_MEAN : TN_OP_SUM, b, static_cast<int64_t>(way(p, 3)), false);
    return o.tanh(c);
  });
  family.add("split", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t axis = p < 0 ? 0 : 1, n = dims_of(x)[axis], first = n / 3, second = n / 2;
    const std::vector<T> parts = o.calls(TN_OP_SPLIT, {x},
                                         {i64s(TN_SPLIT_SIZES, {first, second, n - first - second}),
                                          tn_attr_i64(TN_SPLIT_AXIS, axis)});
    return o.call(TN_OP_CONCAT, {parts[2], o.tanh(parts[0]), parts[1]},
                  {tn_attr_i64(TN_CONCAT_AXIS, axis)});
  });
  family.add("tile", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims repeats = p < -0.5 ? Dims{2} : p < 0.5 ? Dims{2, 1} : Dims{3, 1, 2};
    return o.over(x, o.call(TN_OP_TILE, {o.tanh(x)}, {i64s(TN_TILE_REPEATS, repeats)}));
  });
  family.add("roll", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const auto k = static_cast<int64_t>(std::floor(p * 6));
    return p * p < 1
               ? o.call(TN_OP_ROLL, {x}, {i64s(TN_ROLL_SHIFTS, {k, 1}), i64s(TN_ROLL_AXES, {0, 1})})
               : o.call(TN_OP_ROLL, {x}, {i64s(TN_ROLL_SHIFTS, {k}), i64s(TN_ROLL_AXES, {-1})});
  });
  const auto blocks = [&](const char* name, tn_op op) {
    family.add(name, 1, smooth, [op](const Ops& o, const T& x, const T&, double p) {
      // Made a multiple of 4 rows and 2 columns by zeros.
      const Dims dims = dims_of(x);
      const int64_t rows = (dims[0] + 3) / 4 * 4, columns = (dims[1] + 1) / 2 * 2;
      const T y = o.call(
          TN_OP_PAD, {o.tanh(x)},
          {i64s(TN_PAD_LOW, {0, 0}), i64s(TN_PAD_HIGH, {rows - dims[0], columns - dims[1]})});
      std::vector<tn_attr> attrs = {tn_attr_i64(0, 2)};
      if (op == TN_OP_DEPTH_TO_SPACE && p < 0) attrs.push_back(text(TN_DEPTH_TO_SPACE_MODE, "CRD"));
      const bool deep = op == TN_OP_DEPTH_TO_SPACE;
      return o.over(
          x,
          o.call(op, {o.reshape(y, deep ? Dims{1, rows, 1, columns} : Dims{1, 1, rows, columns})},
                 attrs));
    });
  };
  blocks("depth_to_space", TN_OP_DEPTH_TO_SPACE);
  blocks("space_to_depth", TN_OP_SPACE_TO_DEPTH);
  family.add("arange", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t columns = dims_of(x)[1];
    const double step = p < 0 ? 0.25 : -0.5;
    const T y =
        o.call(TN_OP_ARANGE, {},
               {tn_attr_f64(TN_ARANGE_START, 1),
                tn_attr_f64(TN_ARANGE_STOP, 1 + step * static_cast<double>(columns)),
                tn_attr_f64(TN_ARANGE_STEP, step), tn_attr_dtype(TN_ARANGE_DTYPE, o.dtype)});
    return o.add(x, o.call(TN_OP_COS, {y}));
  });
  family.add("meshgrid", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T a = o.reduced(TN_OP_MEAN, o.tanh(x), 0, false), b = o.reduced(TN_OP_MEAN, x, 1, false);
    const std::vector<T> both =
        p < 0 ? o.calls(TN_OP_MESHGRID, {a, b})
              : o.calls(TN_OP_MESHGRID, {b, a}, {text(TN_MESHGRID_INDEXING, "ij")});
    return o.add(o.tanh(both[0]), o.mul(both[1], o.number(p)));
  });
  family.add("slices_with_steps", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T y =
        o.call(TN_OP_SLICE, {x},
               {i64s(TN_SLICE_STARTS, {-1, 0}), i64s(TN_SLICE_STOPS, {INT64_MIN, INT64_MAX}),
                i64s(TN_SLICE_STEPS, {-1, p < 0 ? 2 : 1})});
    return o.over(x, o.tanh(y));
  });
}

inline void add_indices(Family& family) {
  using enum Kind;
  family.add("gather", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t axis = p < 0 ? 0 : 1, n = dims_of(x)[axis];
    const T at =
        o.places(p * p < 1 ? Dims{n} : Dims{2, n}, n, 3, p < 1 ? TN_DTYPE_I64 : TN_DTYPE_I32);
    return o.over(x, o.call(TN_OP_GATHER, {o.tanh(x), at}, {tn_attr_i64(TN_GATHER_AXIS, axis)}));
  });
  family.add("gather_from_end", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T at = o.call(TN_OP_NOT, {o.places({dims_of(x)[1]}, dims_of(x)[1])});  // -1, -2 ...
    return o.call(TN_OP_GATHER, {x, at}, {tn_attr_i64(TN_GATHER_AXIS, 1)});
  });
  family.add("embedding", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t rows = dims_of(x)[0];
    const T at = o.places({rows, 2}, rows, p < 0 ? 1 : 5);
    return o.over(x, o.call(TN_OP_EMBEDDING, {p * p < 0.5 ? o.tanh(x) : x, at}));
  });
  family.add("embedding_of_weights", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const Dims dims = dims_of(x);
    return o.add(x, o.call(TN_OP_EMBEDDING, {o.weights(8, dims[1]), o.places({dims[0]}, 8, 3)}));
  });
  const auto scattered = [&](const char* name, Kind kind, const char* mode) {
    family.add(name, 1, kind, [mode](const Ops& o, const T& x, const T&, double p) {
      const int64_t axis = p < 0 ? 0 : 1, n = dims_of(x)[axis];
      const T updates = o.call(TN_OP_SIN, {x});
      return o.call(TN_OP_SCATTER, {o.tanh(x), o.places({n}, n, p * p < 1 ? 3 : 2), updates},
                    {tn_attr_i64(TN_SCATTER_AXIS, axis), text(TN_SCATTER_MODE, mode)});
    });
  };
  scattered("scatter_set", smooth, "set");
  scattered("scatter_add_mode", smooth, "add");
  scattered("scatter_max", kinked, "max");
  scattered("scatter_min", kinked, "min");
  family.add("scatter_add", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t axis = p < 0 ? 0 : 1, n = dims_of(x)[axis];
    return o.tanh(o.call(TN_OP_SCATTER_ADD,
                         {x, o.places({n}, std::max<int64_t>(n / 2, 1)), o.tanh(x)},
                         {tn_attr_i64(TN_SCATTER_ADD_AXIS, axis)}));
  });
  family.add("one_hot", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T rows = o.call(TN_OP_ONE_HOT, {o.places({dims[0]}, dims[1], 2)},
                          {tn_attr_i64(TN_ONE_HOT_DEPTH, dims[1]),
                           tn_attr_dtype(TN_ONE_HOT_DTYPE, p < 0 ? o.dtype : TN_DTYPE_BOOL)});
    return p < 0 ? o.add(x, rows) : o.call(TN_OP_WHERE, {rows, o.tanh(x), x});
  });
  family.add("take_along_axis", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const int64_t axis = p < 0 ? 0 : 1;
    return o.call(TN_OP_TAKE_ALONG_AXIS, {x, o.places(dims, dims[axis], p * p < 1 ? 3 : 1)},
                  {tn_attr_i64(TN_TAKE_ALONG_AXIS_AXIS, axis)});
  });
  const auto pairs = [](const Ops& o, const Dims& dims, int64_t n) {  // places of elements
    return o.call(TN_OP_STACK, {o.places({n}, dims[0], 3), o.places({n}, dims[1])},
                  {tn_attr_i64(TN_STACK_AXIS, 1)});
  };
  family.add("gather_nd", 1, smooth, [pairs](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T at = p < 0 ? pairs(o, dims, 20) : o.places({dims[0], 1}, dims[0], 3);
    return o.over(x, o.call(TN_OP_GATHER_ND, {o.tanh(x), at}));
  });
  family.add("scatter_nd", 1, smooth, [pairs](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T updates = o.reshape(o.tanh(o.weights(1, 20)), {20});
    return o.call(TN_OP_SCATTER_ND, {x, pairs(o, dims, 20), o.add(updates, o.mean(o.tanh(x)))},
                  {text(TN_SCATTER_ND_MODE, p < 0 ? "set" : "add")});
  });
  family.add("checked_index", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t n = dims_of(x)[0];
    const T minus = o.call(TN_OP_SUB, {o.places({n}, n), o.whole(p < 0 ? n : 0)});
    const T at = o.call(TN_OP_CHECKED_INDEX, {minus}, {tn_attr_i64(TN_CHECKED_INDEX_SIZE, n)});
    return o.call(TN_OP_GATHER, {x, o.call(TN_OP_SUB, {o.whole(n - 1), at})});
  });
  // Indices that depend on values.
  family.add("gather_by_values", 1, stepped, [](const Ops& o, const T& x, const T&, double) {
    const T at = o.cast(o.scaled(o.reduced(TN_OP_MEAN, x, 1, false), 10), TN_DTYPE_I32);
    return o.call(TN_OP_GATHER, {x, o.call(TN_OP_REM, {at, o.whole(dims_of(x)[0])})});
  });
  // In order.
  family.add("sort", 2, kinked, [](const Ops& o, const T& x, const T& y, double p) {
    const T sum = o.add(x, y);
    const std::vector<T> both = o.calls(
        TN_OP_SORT, {sum, o.tanh(sum)},
        {tn_attr_i64(TN_SORT_AXIS, p < 0 ? 0 : -1), tn_attr_bool(TN_SORT_DESCENDING, p * p < 1)});
    return o.add(both[0], both[1]);
  });
  family.add("sort_of_equals", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const std::vector<T> both = o.calls(TN_OP_SORT, {o.cast(x, TN_DTYPE_I8), x},
                                        {tn_attr_i64(TN_SORT_AXIS, p < 0 ? 0 : -1)});
    return o.add(both[1], o.to_float(both[0]));
  });
  family.add("argsort", 1, kinked, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t axis = p < 0 ? 0 : -1;
    const T at = o.call(
        TN_OP_ARGSORT, {x},
        {tn_attr_i64(TN_ARGSORT_AXIS, axis), tn_attr_bool(TN_ARGSORT_DESCENDING, p * p < 1)});
    return o.call(TN_OP_TAKE_ALONG_AXIS, {x, at}, {tn_attr_i64(TN_TAKE_ALONG_AXIS_AXIS, axis)});
  });
  family.add("topk", 1, kinked, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t axis = p < 0 ? 0 : 1;
    const T y = o.call(TN_OP_TOPK, {x},
                       {tn_attr_i64(TN_TOPK_K, (dims_of(x)[axis] + 1) / 2),
                        tn_attr_i64(TN_TOPK_AXIS, axis), tn_attr_bool(TN_TOPK_LARGEST, p * p < 1)});
    return o.over(x, o.tanh(y));
  });
  family.add("indices_of_order", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const T whole = o.call(TN_OP_ROUND, {o.scaled(x, 3)});
    const T at = p < 0
                     ? o.call(TN_OP_ARGSORT, {whole})
                     : o.calls(TN_OP_TOPK, {whole}, {tn_attr_i64(TN_TOPK_K, dims_of(x)[1] / 2)})[1];
    return o.over(x, o.scaled(o.to_float(at), 0.01));
  });
  // Sizes that depend on values, of which there are so many places.
  family.add("nonzero", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const std::vector<T> both = o.calls(TN_OP_NONZERO, {o.call(TN_OP_GT, {x, o.number(p)})},
                                        {tn_attr_i64(TN_NONZERO_MAX_SIZE, 20)});
    const T sum = o.add(o.to_float(both[0]), o.to_float(both[1]));
    return o.over(x, o.call(TN_OP_SIN, {sum}));
  });
  family.add("unique", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const std::vector<T> all = o.calls(TN_OP_UNIQUE, {o.call(TN_OP_ROUND, {o.scaled(x, 2)})},
                                       {tn_attr_i64(TN_UNIQUE_MAX_SIZE, 10)});
    return o.over(x, o.call(TN_OP_SIN, {o.to_float(all[way(p, 5)])}));
  });
}

inline void add_random_numbers(Family& family) {
  using enum Kind;
  const auto drawn = [&](const char* name,
                         const std::function<T(const Ops&, const Dims&, double)>& f) {
    family.add(name, 1, smooth, [f](const Ops& o, const T& x, const T&, double p) {
      return o.over(o.tanh(x), o.to_float(f(o, dims_of(x), p)));
    });
  };
  drawn("philox", [](const Ops& o, const Dims& dims, double) {
    const T bits = o.call(TN_OP_PHILOX, {}, {i64s(TN_PHILOX_DIMS, dims)});
    const T eight = o.call(TN_OP_SHR, {bits, o.cast(o.whole(24), TN_DTYPE_U32)});
    return o.scaled(o.to_float(eight), 1.0 / 256);
  });
  drawn("normal", [](const Ops& o, const Dims& dims, double p) {
    return o.call(TN_OP_NORMAL, {}, {i64s(TN_NORMAL_DIMS, dims), tn_attr_f64(TN_NORMAL_MEAN, p)});
  });
  drawn("bernoulli", [](const Ops& o, const Dims& dims, double p) {
    return o.call(
        TN_OP_BERNOULLI, {},
        {i64s(TN_BERNOULLI_DIMS, dims), tn_attr_f64(TN_BERNOULLI_PROBABILITY, std::fabs(p) / 1.5)});
  });
  drawn("randint", [](const Ops& o, const Dims& dims, double p) {
    return o.call(TN_OP_RANDINT, {},
                  {i64s(TN_RANDINT_DIMS, dims), tn_attr_i64(TN_RANDINT_LOW, -3),
                   tn_attr_i64(TN_RANDINT_HIGH, 5),
                   tn_attr_dtype(TN_RANDINT_DTYPE, p < 0 ? TN_DTYPE_I64 : TN_DTYPE_I8)});
  });
  drawn("truncated_normal", [](const Ops& o, const Dims& dims, double p) {
    return o.call(TN_OP_TRUNCATED_NORMAL, {},
                  {i64s(TN_TRUNCATED_NORMAL_DIMS, dims), tn_attr_f64(TN_TRUNCATED_NORMAL_MEAN, p)});
  });
  drawn("permutation", [](const Ops& o, const Dims& dims, double) {
    const T y = o.call(TN_OP_PERMUTATION, {}, {tn_attr_i64(TN_PERMUTATION_N, dims[1])});
    return o.scaled(o.to_float(y), 0.01);
  });
  // What it draws depends on the dtype.
  family.add("categorical", 1, stepped, [](const Ops& o, const T& x, const T&, double) {
    const T y = o.call(TN_OP_CATEGORICAL, {o.cast(x, TN_DTYPE_F32)});
    return o.over(x, o.scaled(o.to_float(y), 0.01));
  });
}

inline void add_quantised(Family& family) {
  using enum Kind;
  const auto quantised = [](const Ops& o, const T& x, tn_dtype dtype) {
    const T zero = o.full(dtype == TN_DTYPE_U8 ? 120 : -7, {});
    return o.call(
        TN_OP_QUANTIZE_LINEAR, {x, o.full(0.02, {}), o.cast(zero, dtype)},
        {tn_attr_i64(TN_QUANTIZE_LINEAR_AXIS, 1), tn_attr_dtype(TN_QUANTIZE_LINEAR_DTYPE, dtype)});
  };
  const auto dtype_of = [](double p) { return p < 0 ? TN_DTYPE_U8 : TN_DTYPE_I8; };
  family.add("quantize_linear", 1, stepped, [=](const Ops& o, const T& x, const T&, double p) {
    return o.scaled(o.to_float(quantised(o, x, dtype_of(p))), 0.01);
  });
  family.add("dequantize_linear", 1, stepped, [=](const Ops& o, const T& x, const T&, double p) {
    // A scale for each column, which has a gradient.
    const T scale = o.plus(o.scaled(o.tanh(o.reduced(TN_OP_MEAN, x, 0, false)), 0.01), 0.02);
    const T zero = o.cast(o.places({dims_of(x)[1]}, 5), dtype_of(p));
    return o.call(TN_OP_DEQUANTIZE_LINEAR,
                  {quantised(o, x, dtype_of(p)), scale, p * p < 1 ? zero : T()});
  });
  family.add("dynamic_quantize_linear", 1, stepped, [](const Ops& o, const T& x, const T&, double) {
    const std::vector<T> all = o.calls(TN_OP_DYNAMIC_QUANTIZE_LINEAR, {x});
    return o.call(TN_OP_DEQUANTIZE_LINEAR, {all[0], all[1], all[2]});
  });
  family.add("matmul_integer", 1, stepped, [=](const Ops& o, const T& x, const T&, double p) {
    const T a = quantised(o, x, dtype_of(p)),
            b = quantised(o, o.moved(o.tanh(x), {1, 0}), TN_DTYPE_I8);
    const T zero = o.cast(o.whole(p < 0 ? 120 : -7), dtype_of(p));
    const T y = o.call(TN_OP_MATMUL_INTEGER,
                       {a, b, zero, p * p < 1 ? o.cast(o.whole(-7), TN_DTYPE_I8) : T()});
    return o.over(x, o.tanh(o.scaled(o.to_float(y), 1e-4)));
  });
  family.add("qlinear_matmul", 1, stepped, [=](const Ops& o, const T& x, const T&, double p) {
    const T a = quantised(o, x, dtype_of(p)),
            b = quantised(o, o.moved(o.tanh(x), {1, 0}), TN_DTYPE_I8);
    const T scale = o.full(0.02, {}), zero = o.cast(o.whole(p < 0 ? 120 : -7), dtype_of(p));
    const T y =
        o.call(TN_OP_QLINEAR_MATMUL,
               {a, scale, zero, b, scale, o.cast(o.whole(-7), TN_DTYPE_I8), o.full(0.5, {}), zero});
    return o.over(x, o.scaled(o.to_float(y), 0.01));
  });
  // Images of one channel, or of many, of one row.
  const auto image = [](const Ops& o, const T& x, double p) {
    const Dims dims = dims_of(x);
    return o.reshape(x, p * p < 1 ? Dims{1, 1, dims[0], dims[1]} : Dims{1, dims[0], 1, dims[1]});
  };
  const auto kernel = [=](const Ops& o, const T& x) {
    const int64_t channels = dims_of(x)[1], height = dims_of(x)[2] == 1 ? 1 : 3;
    return quantised(o, o.weights_of({2, channels, height, 3}), TN_DTYPE_I8);
  };
  family.add("conv_integer", 1, stepped, [=](const Ops& o, const T& x, const T&, double p) {
    const T in = quantised(o, image(o, x, p), dtype_of(p));
    const T zero = o.cast(o.whole(p < 0 ? 120 : -7), dtype_of(p));
    const Dims pad = dims_of(in)[2] == 1 ? Dims{0, 1} : Dims{1, 1};
    const T y =
        o.call(TN_OP_CONV_INTEGER, {in, kernel(o, in), zero, o.cast(o.whole(-7), TN_DTYPE_I8)},
               {i64s(TN_CONV_INTEGER_LOW, pad), i64s(TN_CONV_INTEGER_HIGH, pad)});
    return o.over(x, o.tanh(o.scaled(o.to_float(y), 1e-4)));
  });
  family.add("qlinear_conv", 1, stepped, [=](const Ops& o, const T& x, const T&, double p) {
    const T in = quantised(o, image(o, x, p), dtype_of(p)), scale = o.full(0.02, {});
    const T zero = o.cast(o.whole(p < 0 ? 120 : -7), dtype_of(p));
    const Dims pad = dims_of(in)[2] == 1 ? Dims{0, 1} : Dims{1, 1};
    const T bias = o.cast(o.scaled(o.reshape(o.weights(1, 2), {2}), 1000), TN_DTYPE_I32);
    const T y = o.call(TN_OP_QLINEAR_CONV,
                       {in, scale, zero, kernel(o, in), scale, o.cast(o.whole(-7), TN_DTYPE_I8),
                        o.full(0.05, {}), zero, p < 0.5 ? bias : T()},
                       {i64s(TN_QLINEAR_CONV_LOW, pad), i64s(TN_QLINEAR_CONV_HIGH, pad)});
    return o.over(x, o.scaled(o.to_float(y), 0.01));
  });
}

inline void add_data(Family& family) {
  add_movement(family);
  add_indices(family);
  add_random_numbers(family);
  add_quantised(family);
}

}  // namespace random_programs
