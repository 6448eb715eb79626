// What the steps of a random program are written with: ops called in one context, and the list of kinds of step.
#pragma once
#include <tenon/tenon.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace random_programs {

inline void check(tn_error* e) {
  if (!e) return;
  const std::string message = tn_error_message(e);
  tn_error_release(e);
  throw std::runtime_error(message);
}

constexpr int64_t kFixed = 130;

using T = std::shared_ptr<tn_tensor>;
using Dims = std::vector<int64_t>;

inline T own(tn_tensor* t) { return {t, tn_tensor_release}; }
inline tn_attr i64s(uint32_t key, const Dims& values) {  // for the call in which it is written
  return tn_attr_i64s(key, values.data(), values.size());
}
inline tn_attr text(uint32_t key, const char* value) {
  return tn_attr_string(key, tn_string(value));
}
// One of n ways, by the number of a step, which is within -1.5 and 1.5.
inline size_t way(double p, size_t n) {
  return std::min(n - 1,
                  static_cast<size_t>(std::max(0.0, (p + 1.5) / 3) * static_cast<double>(n)));
}
inline Dims dims_of(const T& t) {
  const int64_t* d = tn_tensor_dims(t.get());
  return {d, d + tn_tensor_rank(t.get())};
}

// Ops of one context, in one dtype.
struct Ops {
  tn_ctx* ctx;
  tn_dtype dtype;
  tn_variable* fixed = nullptr;            // [kFixed, kFixed], which programs only read
  std::map<tn_op, int>* counts = nullptr;  // of calls
  double rounding = 0;                     // by how much of itself each element of a step is moved
  bool everywhere = false;                 // that of each call too
  uint64_t coins = 0;                      // which elements go up

  // All outputs.
  std::vector<T> calls(tn_op op, const std::vector<T>& in,
                       const std::vector<tn_attr>& attrs = {}) const {
    std::vector<tn_tensor*> raw;
    for (const T& t : in) raw.push_back(t.get());
    tn_tensor* out[8] = {};
    uint32_t n = 0;
    check(tn_op_call(ctx, op, raw.data(), static_cast<uint32_t>(raw.size()), attrs.data(),
                     static_cast<uint32_t>(attrs.size()), out, 8, &n));
    if (counts) ++(*counts)[op];
    std::vector<T> all;
    for (uint32_t i = 0; i < n; ++i) all.push_back(own(out[i]));
    if (everywhere)
      for (T& t : all)
        if (tn_tensor_dtype(t.get()) == TN_DTYPE_F64) t = rounded(t, rounding);
    return all;
  }
  T call(tn_op op, const std::vector<T>& in, const std::vector<tn_attr>& attrs = {}) const {
    return calls(op, in, attrs)[0];
  }
  // What was computed in f64, each element up or down by so much of itself.
  T rounded(const T& x, double part) const {
    if (part == 0) return x;
    std::vector<double> by(static_cast<size_t>(tn_tensor_count(x.get())));
    std::mt19937_64 coin(by.size() + (coins << 32));
    for (double& f : by) f = 1 + (coin() % 2 ? part : -part);
    const Dims dims = dims_of(x);
    tn_tensor* t = nullptr;
    check(tn_tensor_from_host(ctx, TN_DTYPE_F64, static_cast<uint32_t>(dims.size()), dims.data(),
                              by.data(), by.size() * sizeof(double), &t));
    tn_tensor *in[] = {x.get(), t}, *out = nullptr;
    uint32_t n = 0;
    tn_error* e = tn_op_call(ctx, TN_OP_MUL, in, 2, nullptr, 0, &out, 1, &n);
    tn_tensor_release(t);
    check(e);
    return own(out);
  }
  T number(double v) const {
    tn_tensor* t = nullptr;
    check(tn_tensor_scalar_f64(ctx, v, &t));
    return own(t);
  }
  T whole(int64_t v) const {
    tn_tensor* t = nullptr;
    check(tn_tensor_scalar_i64(ctx, v, &t));
    return own(t);
  }
  T full(double v, const Dims& dims) const {
    tn_tensor* t = nullptr;
    check(tn_tensor_full(ctx, dtype, v, static_cast<uint32_t>(dims.size()), dims.data(), &t));
    return own(t);
  }
  T cast(const T& x, tn_dtype to) const {
    return call(TN_OP_CAST, {x}, {tn_attr_dtype(TN_CAST_DTYPE, to)});
  }
  T above(const T& x, double least) const {  // |x| + least
    return call(TN_OP_ADD, {call(TN_OP_ABS, {x}), number(least)});
  }
  T reduced(tn_op op, const T& x, int64_t axis, bool keep = true) const {
    return call(op, {x}, {tn_attr_i64s(0, &axis, 1), tn_attr_bool(1, keep)});
  }
  T iota(const Dims& dims, int64_t axis, tn_dtype of) const {
    return call(TN_OP_IOTA, {},
                {tn_attr_i64s(TN_IOTA_DIMS, dims.data(), dims.size()),
                 tn_attr_i64(TN_IOTA_AXIS, axis), tn_attr_dtype(TN_IOTA_DTYPE, of)});
  }
  T reshape(const T& x, const Dims& dims) const {
    return call(TN_OP_RESHAPE, {x}, {tn_attr_i64s(TN_RESHAPE_DIMS, dims.data(), dims.size())});
  }
  // Whether the place along axis 1 is not behind that along axis 0.
  T causal(int64_t rows, int64_t columns) const {
    return call(TN_OP_LE, {iota({1, columns}, 1, TN_DTYPE_I64), iota({rows, 1}, 0, TN_DTYPE_I64)});
  }
  T detached(const T& x) const {
    tn_tensor* t = nullptr;
    check(tn_tensor_detach(ctx, x.get(), &t));
    return own(t);
  }
  // The first rows and columns of the variable that is read.
  T weights(int64_t rows, int64_t columns) const {
    tn_tensor* t = nullptr;
    check(tn_variable_take(ctx, fixed, &t));
    const int64_t start[] = {0, 0}, stop[] = {rows, columns};
    return call(TN_OP_SLICE, {own(t)},
                {tn_attr_i64s(TN_SLICE_STARTS, start, 2), tn_attr_i64s(TN_SLICE_STOPS, stop, 2)});
  }
  // As many of them, which are about `size` at most.
  T weights_of(const Dims& dims, double size = 0.5) const {
    int64_t n = 1;
    for (const int64_t d : dims) n *= d;
    const int64_t rows = (n + kFixed - 1) / kFixed, columns = (n + rows - 1) / rows;
    const T all = scaled(weights(rows, columns), size / 2);
    return reshape(rows * columns == n ? all : cut(reshape(all, {rows * columns}), {0}, {n}), dims);
  }
  T channels(int64_t n) const { return reshape(weights(1, n), {n}); }
  // A norm with given statistics, of [N, n, ...].
  T norm_of(const T& y, int64_t n) const {
    const T c = channels(n), variance = call(TN_OP_ADD, {call(TN_OP_SQUARE, {c}), number(0.5)});
    return call(TN_OP_BATCH_NORM, {y, call(TN_OP_COS, {c}), c, call(TN_OP_SIN, {c}), variance});
  }
  T add(const T& a, const T& b) const { return call(TN_OP_ADD, {a, b}); }
  T sub(const T& a, const T& b) const { return call(TN_OP_SUB, {a, b}); }
  T mul(const T& a, const T& b) const { return call(TN_OP_MUL, {a, b}); }
  T tanh(const T& x) const { return call(TN_OP_TANH, {x}); }
  T scaled(const T& x, double by) const { return mul(x, number(by)); }
  T plus(const T& x, double v) const { return add(x, number(v)); }
  T mean(const T& x) const { return call(TN_OP_MEAN, {x}); }
  T to_float(const T& x) const { return cast(x, dtype); }
  T moved(const T& x, const Dims& perm) const {
    return call(TN_OP_TRANSPOSE, {x}, {i64s(TN_TRANSPOSE_PERM, perm)});
  }
  T cut(const T& x, const Dims& starts, const Dims& stops) const {
    return call(TN_OP_SLICE, {x}, {i64s(TN_SLICE_STARTS, starts), i64s(TN_SLICE_STOPS, stops)});
  }
  // The first rows and columns of it, as far as there are any.
  T corner(const T& x, int64_t rows, int64_t columns) const {
    return cut(x, {0, 0}, {rows, columns});
  }
  // Whole numbers of 0 to n - 1, `step` on from one to the next, in order of elements.
  T places(const Dims& dims, int64_t n, int64_t step = 1, tn_dtype of = TN_DTYPE_I64) const {
    int64_t count = 1;
    for (const int64_t d : dims) count *= d;
    const T at = call(TN_OP_MUL, {iota({count}, 0, of), whole(step)});
    return reshape(call(TN_OP_REM, {at, whole(n)}), dims);
  }
  // All elements of v, again and again or one on the other, over x.
  T over(const T& x, const T& v) const {
    const int64_t n = tn_tensor_count(x.get()), m = tn_tensor_count(v.get());
    const int64_t times = m ? (std::max(n, m) + std::min(n, m) - 1) / std::min(n, m) : 0;
    T flat = m ? reshape(v, {m}) : full(0, {n});
    if (m > n) {
      flat = call(TN_OP_PAD, {flat}, {i64s(TN_PAD_LOW, {0}), i64s(TN_PAD_HIGH, {n * times - m})});
      flat = reduced(TN_OP_MEAN, reshape(flat, {times, n}), 0);
    } else if (m && m < n) {
      flat = call(TN_OP_EXPAND, {flat}, {i64s(TN_EXPAND_DIMS, {times, m})});
      flat = cut(reshape(flat, {times * m}), {0}, {n});
    }
    return add(scaled(x, 0.5), reshape(flat, dims_of(x)));
  }
  T softmax_by_hand(const T& x, int64_t axis) const {
    const T e = call(TN_OP_EXP, {call(TN_OP_SUB, {x, reduced(TN_OP_MAX, x, axis)})});
    return call(TN_OP_DIV, {e, reduced(TN_OP_SUM, e, axis)});
  }
};

// Where values and gradients are near those in another precision: everywhere, but at kinks, but at kinks and jumps.
enum class Kind { smooth, kinked, stepped };

using Apply = std::function<T(const Ops&, const T&, const T&, double)>;
struct Op {
  const char* name;
  int arity;
  Kind kind;
  Apply apply;
  bool reordered = false;  // a program may sum in another order: only beside what is smooth
  double grain = 0;  // of a half precision in which it computes: the most that one rounding changes
};

// The kinds of step of one family.
struct Family {
  std::vector<Op> all;
  void add(const char* name, int arity, Kind kind, Apply f) {
    all.push_back({name, arity, kind, std::move(f)});
  }
  void unary(const char* name, tn_op op, Kind kind) {
    add(name, 1, kind,
        [op](const Ops& o, const T& x, const T&, double) { return o.call(op, {x}); });
  }
  void binary(const char* name, tn_op op, Kind kind) {
    add(name, 2, kind, [op](const Ops& o, const T& x, const T& y, double) {
      return o.call(op, {x, y});
    });
  }
};

}  // namespace random_programs
