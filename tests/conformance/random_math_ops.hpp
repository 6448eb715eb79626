// Steps of the other elementwise ops, reductions, sums of products, linear algebra, integers and complex numbers.
#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "random_calls.hpp"

namespace random_programs {

inline void add_elementwise(Family& family) {
  using enum Kind;
  const auto attributed = [&](const char* name, tn_op op, Kind kind, double least) {
    family.add(name, 1, kind, [op, least](const Ops& o, const T& x, const T&, double p) {
      return o.call(op, {x}, {tn_attr_f64(0, p * p + least)});
    });
  };
  // Of numbers of a size at which it is defined and not steep.
  const auto within = [&](const char* name, tn_op op, double size, double middle) {
    family.add(name, 1, smooth, [=](const Ops& o, const T& x, const T&, double) {
      return o.call(op, {o.plus(o.scaled(o.tanh(x), size), middle)});
    });
  };
  family.unary("atan", TN_OP_ATAN, smooth);
  family.unary("asinh", TN_OP_ASINH, smooth);
  family.unary("log_sigmoid", TN_OP_LOG_SIGMOID, smooth);
  family.unary("elu", TN_OP_ELU, smooth);
  attributed("elu_alpha", TN_OP_ELU, kinked, 0.1);
  attributed("celu", TN_OP_CELU, smooth, 0.5);
  attributed("leaky_relu", TN_OP_LEAKY_RELU, kinked, 0);
  family.unary("selu", TN_OP_SELU, kinked);
  family.unary("hard_sigmoid", TN_OP_HARD_SIGMOID, kinked);
  family.unary("hard_swish", TN_OP_HARD_SWISH, kinked);
  family.unary("trunc", TN_OP_TRUNC, stepped);
  within("tan", TN_OP_TAN, 1, 0);
  within("asin", TN_OP_ASIN, 0.9, 0);
  within("acos", TN_OP_ACOS, 0.9, 0);
  within("atanh", TN_OP_ATANH, 0.9, 0);
  within("sinh", TN_OP_SINH, 1, 0);
  within("cosh", TN_OP_COSH, 1, 0);
  within("acosh", TN_OP_ACOSH, 1, 2.5);
  within("log2", TN_OP_LOG2, 1, 2);
  family.add("gelu_by_tanh", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    return o.call(TN_OP_GELU, {x}, {text(TN_GELU_APPROXIMATE, "tanh")});
  });
  family.add("prelu", 2, kinked, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_PRELU, {x, o.tanh(y)});
  });
  family.add("lerp", 2, smooth, [](const Ops& o, const T& x, const T& y, double p) {
    return o.call(TN_OP_LERP, {x, y, p < 0 ? o.number(p / 2 + 1) : o.call(TN_OP_SIGMOID, {y})});
  });
  family.add("floor_div", 2, stepped, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_FLOOR_DIV, {x, o.above(y, 0.5)});
  });
  family.add("mod", 2, stepped, [](const Ops& o, const T& x, const T& y, double p) {
    return o.call(TN_OP_MOD, {x, o.call(TN_OP_SUB, {o.number(p), o.above(y, 2)})},
                  {tn_attr_bool(TN_MOD_FMOD, p < 0)});
  });
  family.add("rem", 2, stepped, [](const Ops& o, const T& x, const T& y, double p) {
    return o.call(TN_OP_REM, {x, o.above(y, p * p + 0.5)});
  });
  family.add("where_greater", 2, kinked, [](const Ops& o, const T& x, const T& y, double) {
    return o.call(TN_OP_WHERE, {o.call(TN_OP_GT, {x, y}), x, y});
  });
  // Logarithms of numbers below 0, and of 0.
  family.add("where_finite", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const T y = o.call(TN_OP_LOG, {o.call(TN_OP_MAXIMUM, {x, o.number(-0.5)})});
    const T z = o.call(TN_OP_LOG, {o.call(TN_OP_MAXIMUM, {x, o.number(0)})});
    const T what = p < -0.5  ? o.call(TN_OP_ISNAN, {y})
                   : p < 0.5 ? o.call(TN_OP_ISINF, {z})
                             : o.call(TN_OP_NOT, {o.call(TN_OP_ISFINITE, {y})});
    return o.call(TN_OP_WHERE, {what, o.number(p), p < 0 ? y : z});
  });
  family.add("isfinite", 1, stepped, [](const Ops& o, const T& x, const T&, double) {
    const T y = o.call(TN_OP_RECIPROCAL, {o.call(TN_OP_ROUND, {x})});
    return o.call(TN_OP_WHERE, {o.call(TN_OP_ISFINITE, {y}), y, x});
  });
  family.add("isnan_isinf", 1, stepped, [](const Ops& o, const T& x, const T&, double) {
    const T y = o.call(TN_OP_DIV, {o.call(TN_OP_TRUNC, {x}), o.call(TN_OP_ROUND, {x})});
    const T odd = o.call(
        TN_OP_XOR, {o.call(TN_OP_ISNAN, {y}),
                    o.call(TN_OP_ISINF, {o.call(TN_OP_RECIPROCAL, {o.call(TN_OP_FLOOR, {x})})})});
    return o.call(TN_OP_WHERE, {odd, x, o.tanh(x)});
  });
}

inline void add_reductions(Family& family) {
  using enum Kind;
  // Over one of the axes or both, beside x.
  const auto reduced = [&](const char* name, tn_op op, Kind kind,
                           const std::function<T(const Ops&, const T&, double)>& of) {
    family.add(name, 1, kind, [op, of](const Ops& o, const T& x, const T&, double p) {
      static const Dims kAxes[] = {{0}, {1}, {0, 1}};
      const T y = o.call(op, {of(o, x, p)}, {i64s(0, kAxes[way(p, 3)]), tn_attr_bool(1, 1)});
      return o.add(o.scaled(x, 0.5), o.to_float(y));
    });
  };
  const auto tanh = [](const Ops& o, const T& x, double) { return o.tanh(x); };
  // About 1, so that products of all are that too.
  const auto about_one = [](const Ops& o, const T& x, double) {
    const double n = static_cast<double>(tn_tensor_count(x.get()));
    return o.plus(o.scaled(o.tanh(x), 1 / n), 1);
  };
  reduced("var", TN_OP_VAR, smooth, tanh);
  reduced("mean_of_axes", TN_OP_MEAN, smooth, tanh);
  reduced("logsumexp_of_axes", TN_OP_LOGSUMEXP, smooth, tanh);
  reduced("prod", TN_OP_PROD, smooth, about_one);
  reduced("min", TN_OP_MIN, kinked, tanh);
  reduced("max_of_axes", TN_OP_MAX, kinked, tanh);
  reduced("any", TN_OP_ANY, stepped, [](const Ops& o, const T& x, double p) {
    return o.call(TN_OP_GT, {x, o.number(p + 1)});
  });
  reduced("all", TN_OP_ALL, stepped, [](const Ops& o, const T& x, double p) {
    return o.call(TN_OP_GT, {o.number(p + 1), x});
  });
  reduced("all_of_floats", TN_OP_ALL, stepped,
          [](const Ops& o, const T& x, double) { return o.call(TN_OP_TRUNC, {x}); });
  family.add("std", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    // Never of what is the same everywhere: the root of 0 is steep.
    const Dims dims = dims_of(x);
    const T table = o.call(TN_OP_SIN, {o.to_float(o.places(dims, 1 << 20))});
    const int64_t axis = p < 0 ? 0 : 1;
    return o.call(TN_OP_SUB,
                  {x, o.call(TN_OP_STD, {o.add(o.scaled(o.tanh(x), 0.3), table)},
                             {i64s(TN_STD_AXES, {axis}), tn_attr_bool(TN_STD_KEEPDIMS, 1),
                              tn_attr_f64(TN_STD_CORRECTION, dims[axis] > 1 ? 1 : 0)})});
  });
  family.add("norm", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t axis = p < 0 ? 0 : 1;
    const double n = static_cast<double>(dims_of(x)[axis]);
    const T y = o.call(TN_OP_NORM, {o.plus(o.tanh(x), 2)},
                       {tn_attr_f64(TN_NORM_ORD, p * p < 0.5 ? 1 : 2), i64s(TN_NORM_AXES, {axis}),
                        tn_attr_bool(TN_NORM_KEEPDIMS, 1)});
    return o.add(o.scaled(y, 1 / n), o.tanh(x));
  });
  family.add("greatest_norm", 1, kinked, [](const Ops& o, const T& x, const T&, double p) {
    const T y = o.call(TN_OP_NORM, {x},
                       {tn_attr_f64(TN_NORM_ORD, p < 0 ? 1 : INFINITY), i64s(TN_NORM_AXES, {1}),
                        tn_attr_bool(TN_NORM_KEEPDIMS, 1)});
    return o.add(o.tanh(y), x);
  });
  family.add("arg_of_extremes", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const auto of = [&](tn_op op) {
      return o.to_float(o.call(op, {x}, {tn_attr_i64(0, p < 0 ? 0 : -1), tn_attr_bool(1, 1)}));
    };
    return o.add(o.tanh(x),
                 o.scaled(o.call(TN_OP_SUB, {of(TN_OP_ARGMAX), of(TN_OP_ARGMIN)}), 0.01));
  });
  family.add("cumprod", 1, smooth, [about_one](const Ops& o, const T& x, const T&, double p) {
    return o.sub(o.call(TN_OP_CUMPROD, {about_one(o, x, p)}, {tn_attr_i64(TN_CUMPROD_AXIS, p < 0)}),
                 o.tanh(x));
  });
  family.add("cumsum_ways", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(TN_OP_CUMSUM, {o.tanh(x)},
                  {tn_attr_i64(TN_CUMSUM_AXIS, 1), tn_attr_bool(TN_CUMSUM_EXCLUSIVE, p < 0),
                   tn_attr_bool(TN_CUMSUM_REVERSE, p * p < 0.5)});
  });
  // Triangles and diagonals.
  const auto triangle = [&](const char* name, tn_op op) {
    family.add(name, 1, smooth, [op](const Ops& o, const T& x, const T&, double p) {
      const auto k = static_cast<int64_t>(std::floor(p * 3));
      return o.add(o.call(op, {x}, {tn_attr_i64(0, k)}), o.call(TN_OP_SIN, {x}));
    });
  };
  triangle("tril", TN_OP_TRIL);
  triangle("triu", TN_OP_TRIU);
  family.add("diagonal", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const auto k = static_cast<int64_t>(std::floor(p * 2));
    return o.over(x, o.call(TN_OP_DIAGONAL, {o.tanh(x)}, {tn_attr_i64(TN_DIAGONAL_OFFSET, k)}));
  });
  family.add("trace", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const auto k = static_cast<int64_t>(std::floor(p * 2));
    const T y = o.call(TN_OP_TRACE, {o.tanh(x)}, {tn_attr_i64(TN_TRACE_OFFSET, k)});
    return o.add(x, o.tanh(o.scaled(y, 0.1)));
  });
  family.add("eye", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T eye = o.call(TN_OP_EYE, {},
                         {tn_attr_i64(TN_EYE_N, dims[0]), tn_attr_i64(TN_EYE_M, dims[1]),
                          tn_attr_i64(TN_EYE_K, static_cast<int64_t>(std::floor(p * 2))),
                          tn_attr_dtype(TN_EYE_DTYPE, p < 0 ? o.dtype : TN_DTYPE_BOOL)});
    return p < 0 ? o.add(x, eye) : o.call(TN_OP_WHERE, {eye, o.number(p), x});
  });
}

inline void add_products(Family& family) {
  using enum Kind;
  family.add("outer", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T t = o.tanh(x);
    return o.add(o.call(TN_OP_OUTER,
                        {o.reduced(TN_OP_MEAN, t, 1, false), o.reduced(TN_OP_MEAN, t, 0, false)}),
                 o.call(TN_OP_SIN, {x}));
  });
  family.add("dot", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const int64_t n = tn_tensor_count(x.get());
    const T flat = o.reshape(o.tanh(x), {n}), waves = o.call(TN_OP_SIN, {flat});
    return o.add(x, o.scaled(o.call(TN_OP_DOT, {flat, waves}), 1.0 / static_cast<double>(n)));
  });
  family.add("vecdot", 2, smooth, [](const Ops& o, const T& x, const T& y, double p) {
    const int64_t axis = p < 0 ? 0 : 1;
    const T a = o.tanh(x), sum = o.add(a, y), b = o.call(TN_OP_SIN, {sum});
    const T c = o.call(TN_OP_VECDOT, {dims_of(x) == dims_of(sum) ? a : b, b},
                       {tn_attr_i64(TN_VECDOT_AXIS, axis - 2)});
    const T back = o.call(TN_OP_UNSQUEEZE, {c}, {i64s(TN_UNSQUEEZE_AXES, {axis})});
    return o.add(sum, o.scaled(back, 1.0 / static_cast<double>(dims_of(b)[axis])));
  });
  family.add("einsum", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T a = o.tanh(o.corner(x, 12, 12));
    const Dims dims = dims_of(a);
    const int64_t rows = dims[0], columns = dims[1];
    const T w = o.weights_of({columns, 3});
    const auto of = [&](const char* equation, const std::vector<T>& in) {
      return o.over(x, o.tanh(o.call(TN_OP_EINSUM, in, {text(TN_EINSUM_EQUATION, equation)})));
    };
    switch (way(p, 8)) {
      case 0:
        return of("ij->ji", {a});
      case 1:
        return of("ij,ij->i", {a, o.call(TN_OP_SIN, {a})});
      case 2:
        return of("ij,kj->ik", {a, a});
      case 3:
        return of("ij,jk,lk->il", {a, w, w});
      case 4:
        return of("...j,jk->...k", {o.reshape(a, {rows, 1, columns}), w});
      case 5:
        return of("ij,kl->ikl", {a, o.corner(a, 2, 1)});
      case 6: {
        const int64_t n = std::min(rows, columns);
        return of("ii->i", {o.corner(a, n, n)});
      }
      default:
        return of("ij->", {a});
    }
  });
}

// A matrix of at most 8 rows, or two, which is near the unit matrix.
inline T near_unit(const Ops& o, const T& x, double p, double size = 0.5) {
  const Dims dims = dims_of(x);
  const int64_t n = std::min<int64_t>(8, std::min(dims[0], dims[1]));
  const bool two = p < 0 && dims[0] >= 2 * n;
  const T corner = o.corner(x, two ? 2 * n : n, n);
  const T small = o.scaled(o.tanh(corner), size / static_cast<double>(n));
  const T unit =
      o.call(TN_OP_EYE, {}, {tn_attr_i64(TN_EYE_N, n), tn_attr_dtype(TN_EYE_DTYPE, o.dtype)});
  return o.add(two ? o.reshape(small, {2, n, n}) : small, unit);
}

inline void add_linear_algebra(Family& family) {
  using enum Kind;
  const auto algebra = [&](const char* name,
                           const std::function<T(const Ops&, const T& a, const T& b, double)>& f) {
    family.add(name, 1, smooth, [f](const Ops& o, const T& x, const T&, double p) {
      const T a = near_unit(o, x, p);
      const int64_t n = dims_of(a).back();
      return o.over(x, f(o, a, o.call(TN_OP_SIN, {o.corner(x, n, 5)}), p));
    });
  };
  algebra("cholesky", [](const Ops& o, const T& a, const T&, double p) {
    const T turned = tn_tensor_rank(a.get()) == 3 ? o.moved(a, {0, 2, 1}) : o.moved(a, {1, 0});
    return o.call(TN_OP_CHOLESKY, {p * p < 0.5 ? a : o.add(a, turned)},
                  {tn_attr_bool(TN_CHOLESKY_UPPER, p * p < 1)});
  });
  algebra("triangular_solve", [](const Ops& o, const T& a, const T& b, double p) {
    const size_t k = way(p, 8);
    return o.call(TN_OP_TRIANGULAR_SOLVE, {a, b},
                  {tn_attr_bool(TN_TRIANGULAR_SOLVE_UPPER, (k & 1) != 0),
                   tn_attr_bool(TN_TRIANGULAR_SOLVE_TRANSPOSE, (k & 2) != 0),
                   tn_attr_bool(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL, k % 3 == 0)});
  });
  algebra("lu", [](const Ops& o, const T& a, const T&, double) {
    const std::vector<T> both = o.calls(TN_OP_LU, {a});
    const T order = o.call(TN_OP_UNSQUEEZE, {o.to_float(both[1])}, {i64s(TN_UNSQUEEZE_AXES, {-1})});
    return o.add(both[0], o.scaled(order, 0.1));
  });
  algebra("solve", [](const Ops& o, const T& a, const T& b, double) {
    return o.call(TN_OP_SOLVE, {a, b});
  });
  algebra("inverse",
          [](const Ops& o, const T& a, const T&, double) { return o.call(TN_OP_INVERSE, {a}); });
  algebra("det", [](const Ops& o, const T& a, const T&, double) { return o.call(TN_OP_DET, {a}); });
  // With rows that change places.
  family.add("lu_of_any", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const T a = near_unit(o, o.scaled(x, 3), p, 20);
    const std::vector<T> both = o.calls(TN_OP_LU, {a});
    return o.over(x, o.tanh(p * p < 1 ? both[0] : o.to_float(both[1])));
  });
}

inline void add_complex(Family& family) {
  using enum Kind;
  const auto parts = [](const Ops& o, const T& z) {
    return o.sub(o.tanh(o.call(TN_OP_REAL, {z})), o.scaled(o.tanh(o.call(TN_OP_IMAG, {z})), 0.5));
  };
  family.add("complex", 2, smooth, [parts](const Ops& o, const T& x, const T& y, double p) {
    const T z = o.call(TN_OP_COMPLEX, {o.tanh(x), y}), w = o.call(TN_OP_CONJ, {z});
    switch (way(p, 5)) {
      case 0:
        return parts(o, o.add(o.mul(z, w), z));
      case 1:
        return parts(o, o.sub(w, o.number(p)));
      case 2:
        return parts(o, o.call(TN_OP_DIV, {w, o.plus(o.tanh(x), 2)}));
      case 3:
        return parts(o, o.mul(z, o.mul(z, o.number(0.5))));
      default:
        return o.add(o.call(TN_OP_REAL, {z}), o.call(TN_OP_IMAG, {o.mul(w, w)}));
    }
  });
  family.add("complex_functions", 1, smooth, [parts](const Ops& o, const T& x, const T&, double p) {
    static constexpr tn_op kOf[] = {TN_OP_EXP,   TN_OP_EXPM1, TN_OP_LOG,    TN_OP_LOG1P,
                                    TN_OP_SQRT,  TN_OP_RSQRT, TN_OP_SIN,    TN_OP_COS,
                                    TN_OP_TANH,  TN_OP_ABS,   TN_OP_SQUARE, TN_OP_RECIPROCAL,
                                    TN_OP_ASINH, TN_OP_ATAN,  TN_OP_LOG2,   TN_OP_SINH};
    const T z = o.call(TN_OP_COMPLEX, {o.plus(o.tanh(x), 1.5), o.call(TN_OP_SIN, {x})});
    return parts(o, o.call(kOf[way(p, std::size(kOf))], {z}));
  });
  family.add("complex_sums", 1, smooth, [parts](const Ops& o, const T& x, const T&, double p) {
    const T z = o.call(TN_OP_COMPLEX, {o.tanh(x), o.scaled(o.call(TN_OP_COS, {x}), p)});
    const T few = o.scaled(o.cut(z, {0, 0}, {12, 12}), 0.2);
    switch (way(p, 4)) {
      case 0:
        return o.over(x, parts(o, o.call(TN_OP_MATMUL, {few, few},
                                         {tn_attr_bool(TN_MATMUL_TRANSPOSE_A, 0),
                                          tn_attr_bool(TN_MATMUL_TRANSPOSE_B, 1)})));
      case 1:
        return o.add(x, parts(o, o.reduced(TN_OP_MEAN, z, 0)));
      case 2:
        return parts(o, o.scaled(o.call(TN_OP_CUMSUM, {z}), 0.1));
      default:
        return o.add(x, parts(o, o.reduced(TN_OP_SUM, z, 1)));
    }
  });
  // The two parts of each number, one beside the other.
  family.add("bitcast_of_complex", 1, smooth, [](const Ops& o, const T& x, const T&, double) {
    const T z = o.call(TN_OP_COMPLEX, {o.tanh(x), o.call(TN_OP_SIN, {x})});
    return o.over(x, o.call(TN_OP_BITCAST, {z}, {tn_attr_dtype(TN_BITCAST_DTYPE, o.dtype)}));
  });
}

inline void add_integers(Family& family) {
  using enum Kind;
  family.add("bitcast", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const auto bits = [&](const T& t, tn_dtype to) {
      return o.call(TN_OP_BITCAST, {t}, {tn_attr_dtype(TN_BITCAST_DTYPE, to)});
    };
    const auto single = [&](const T& t) { return bits(o.cast(t, TN_DTYPE_F32), TN_DTYPE_I32); };
    const T sign = o.call(TN_OP_AND, {single(x), o.whole(INT32_MIN)});
    const T size = single(o.full(std::fabs(p), dims_of(x)));
    return o.to_float(bits(o.call(TN_OP_OR, {size, sign}), TN_DTYPE_F32));
  });
  static constexpr tn_dtype kDtypes[] = {TN_DTYPE_I8,  TN_DTYPE_U8,  TN_DTYPE_I16, TN_DTYPE_U16,
                                         TN_DTYPE_I32, TN_DTYPE_U32, TN_DTYPE_I64, TN_DTYPE_U64};
  const auto of_two = [&](const char* name, tn_op op, double size) {
    family.add(name, 2, stepped, [op, size](const Ops& o, const T& x, const T& y, double p) {
      const tn_dtype dtype = kDtypes[way(p, 8)];
      const T a = o.cast(o.scaled(x, 50), dtype);
      const T b = o.cast(o.call(TN_OP_ABS, {o.scaled(o.tanh(y), size)}), dtype);
      return o.call(TN_OP_SIN, {o.to_float(o.call(TN_OP_REM, {o.call(op, {a, b}), o.whole(100)}))});
    });
  };
  of_two("whole_add", TN_OP_ADD, 100);
  of_two("whole_mul", TN_OP_MUL, 100);
  of_two("whole_div", TN_OP_DIV, 20);
  of_two("whole_rem", TN_OP_REM, 20);
  of_two("whole_pow", TN_OP_POW, 4);
  of_two("whole_minimum", TN_OP_MINIMUM, 50);
  of_two("whole_floor_div", TN_OP_FLOOR_DIV, 20);
  of_two("whole_mod", TN_OP_MOD, 20);
  of_two("or", TN_OP_OR, 100);
  of_two("xor", TN_OP_XOR, 100);
  of_two("shl", TN_OP_SHL, 40);
  of_two("shr", TN_OP_SHR, 10);
  family.add("whole_sums", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const T a = o.cast(o.scaled(x, 4), kDtypes[way(std::sin(p * 100), 8)]);
    static constexpr tn_op kOf[] = {TN_OP_SUM, TN_OP_PROD, TN_OP_MAX, TN_OP_MIN, TN_OP_ANY};
    const int64_t axis = way(p, 2) ? 1 : 0;
    const T sum = o.reduced(kOf[way(p, 5)], a, axis);
    const T more = p < 0 ? o.call(TN_OP_CUMSUM, {a}) : o.call(TN_OP_CUMPROD, {a});
    return o.call(TN_OP_SIN, {o.add(o.to_float(sum), o.to_float(more))});
  });
  family.add("whole_products", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const T a = o.cast(o.scaled(x, 4), kDtypes[way(p, 8)]);
    const T b =
        o.call(TN_OP_MATMUL, {a, a},
               {tn_attr_bool(TN_MATMUL_TRANSPOSE_A, 1), tn_attr_bool(TN_MATMUL_TRANSPOSE_B, 0)});
    return o.over(x, o.call(TN_OP_SIN, {o.to_float(b)}));
  });
}

inline void add_math(Family& family) {
  add_elementwise(family);
  add_reductions(family);
  add_products(family);
  add_linear_algebra(family);
  add_complex(family);
  add_integers(family);
}

}  // namespace random_programs
