// Reductions made from a fold: how two values become one.
#ifndef TENON_CPU_FOLD_HPP_
#define TENON_CPU_FOLD_HPP_
#include <limits>

#include "narrow.hpp"
#include "reduce.hpp"

namespace tenon::cpu::CPU_ISA {

struct SumFold {
  template <class T>
  static constexpr T identity = T(0);
  template <class V>
  CPU_INLINE static V apply(V a, V x) {
    return a + x;
  }
};
struct ProdFold {
  template <class T>
  static constexpr T identity = T(1);
  template <class V>
  CPU_INLINE static V apply(V a, V x) {
    return a * x;
  }
};
struct MaxFold {
  template <class T>
  static constexpr T identity = std::numeric_limits<T>::has_infinity
                                    ? T(-std::numeric_limits<T>::infinity())
                                    : std::numeric_limits<T>::lowest();
  template <class V>
  CPU_INLINE static V apply(V a, V x) {
    return vmax(x, a);
  }
};
struct MinFold {
  template <class T>
  static constexpr T identity = std::numeric_limits<T>::has_infinity
                                    ? std::numeric_limits<T>::infinity()
                                    : std::numeric_limits<T>::max();
  template <class V>
  CPU_INLINE static V apply(V a, V x) {
    return vmin(x, a);
  }
};

template <class F, class V>
CPU_INLINE ElementOf<V> fold_lanes(V v) {
  constexpr int n = kCount<V>;
  if constexpr (n == 1) {
    return v[0];
  } else {
    VecN<ElementOf<V>, n / 2> parts[2];
    __builtin_memcpy(parts, &v, sizeof v);
    return fold_lanes<F>(F::apply(parts[0], parts[1]));
  }
}
template <class F, class T>
CPU_INLINE T fold_two(T a, T x) {
  using One = VecN<T, 1>;
  return F::apply(splat<One>(a), splat<One>(x))[0];
}

// Results of Y from wide values of W; `mean` divides by the number of items.
template <class W, class Y, bool mean>
void finish_fold(void* to, const void* wide, int64_t n, int64_t folded) {
  Y* y = static_cast<Y*>(to);
  const W* w = static_cast<const W*>(wide);
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (mean) {
      y[i] = Y(w[i] / W(folded));
    } else {
      y[i] = Y(w[i]);
    }
  }
}

// Folds items of T into wide values of W.
template <class F, class T, class W>
struct Fold {
  static constexpr int64_t lanes = kLanes<T>;

  static void init(void* wide, int64_t n) {
    W* w = static_cast<W*>(wide);
    for (int64_t i = 0; i < n; ++i) w[i] = F::template identity<W>;
  }

  CPU_INLINE static T block(const T* x, int64_t n) {
    constexpr int kSide = 8;
    using V = Vec<T>;
    V a = splat<V>(F::template identity<T>);
    int64_t i = 0;
    if (n >= kSide * lanes) {
      V side[kSide];
#pragma GCC unroll 8
      for (int k = 0; k < kSide; ++k) side[k] = load(x + k * lanes);
      for (i = kSide * lanes; i + kSide * lanes <= n; i += kSide * lanes) {
#pragma GCC unroll 8
        for (int k = 0; k < kSide; ++k) side[k] = F::apply(side[k], load(x + i + k * lanes));
      }
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) side[k] = F::apply(side[k], side[k + 4]);
      a = F::apply(F::apply(side[0], side[2]), F::apply(side[1], side[3]));
    }
    for (; i + lanes <= n; i += lanes) a = F::apply(a, load(x + i));
    if (i < n) {
      const V tail = load_n(x + i, n - i);
      V own = splat<V>(F::template identity<T>);
      if constexpr (!std::is_same_v<F, SumFold>) {
        T lane[lanes];
        store(lane, own);
        copy_part<T, kVectorBytes>(lane, &tail, n - i);
        own = load(lane);
      } else {
        own = tail;
      }
      a = F::apply(a, own);
    }
    return fold_lanes<F>(a);
  }

  static void run(void* wide, const void* from, int64_t n) {
    constexpr int64_t kBlock = 256 * lanes;  // 32 folds per lane and vector
    const T* x = static_cast<const T*>(from);
    W& w = *static_cast<W*>(wide);
    if constexpr (std::is_same_v<T, W> && !std::is_floating_point_v<T>) {
      w = fold_two<F, T>(w, block(x, n));
    } else {
      for (int64_t i = 0; i < n; i += kBlock) {
        w = fold_two<F, W>(w, W(block(x + i, n - i < kBlock ? n - i : kBlock)));
      }
    }
  }

  // a[c] folded with `rows` rows at c, 1 or 8 of them, as a tree.
  template <int rows>
  CPU_INLINE static void few_rows(T* a, const T* x, int64_t stride, int64_t n) {
    const auto step = [&](auto get) {
      decltype(get(x)) v[rows];
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) v[r] = get(x + r * stride);
#pragma GCC unroll 4
      for (int half = rows / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
        for (int r = 0; r < half; ++r) v[r] = F::apply(v[r], v[r + half]);
      }
      return v[0];
    };
    int64_t c = 0;
    for (; c + lanes <= n; c += lanes) {
      const auto at = [&](const T* row) { return load(row + c); };
      store(a + c, F::apply(load(a + c), step(at)));
    }
    if (c < n) {
      const auto at = [&](const T* row) { return load_n(row + c, n - c); };
      store(a + c, F::apply(load(a + c), step(at)));  // the accumulator has room for a whole vector
    }
  }

  static void clear(void* items, int64_t n) {
    T* a = static_cast<T*>(items);
    for (int64_t c = 0; c < n + lanes; ++c) a[c] = F::template identity<T>;
  }
  static void add_rows(void* items, const void* from, int64_t rows, int64_t stride, int64_t n) {
    T* a = static_cast<T*>(items);
    const T* x = static_cast<const T*>(from);
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) few_rows<8>(a, x + r * stride, stride, n);
    for (; r < rows; ++r) few_rows<1>(a, x + r * stride, stride, n);
  }
  static void widen(void* wide, const void* items, int64_t n) {
    W* w = static_cast<W*>(wide);
    const T* a = static_cast<const T*>(items);
    for (int64_t c = 0; c < n; ++c) w[c] = fold_two<F, W>(w[c], W(a[c]));
  }
  static void columns(void* wide, const void* from, int64_t rows, int64_t stride, int64_t n) {
    const T* x = static_cast<const T*>(from);
    alignas(64) T a[kColumns + lanes];
    for (int64_t first = 0; first < rows; first += kRows) {
      clear(a, n);
      add_rows(a, x + first * stride, rows - first < kRows ? rows - first : kRows, stride, n);
      widen(wide, a, n);
    }
  }

  static void merge(void* wide, const void* other, int64_t n) {
    W* w = static_cast<W*>(wide);
    const W* o = static_cast<const W*>(other);
    for (int64_t i = 0; i < n; ++i) w[i] = fold_two<F, W>(w[i], o[i]);
  }

  // S: what lies in memory; Y: what results are.
  template <class S, class Y = S, bool mean = false>
  static constexpr Reduction of() {
    ConvertFunction load = nullptr;
    if constexpr (!std::is_same_v<S, T>) load = convert_run<T, S>;
    return {int32_t(sizeof(S)),
            int32_t(sizeof(T)),
            int32_t(sizeof(W)),
            int32_t(sizeof(Y)),
            load,
            init,
            run,
            columns,
            clear,
            add_rows,
            widen,
            merge,
            finish_fold<W, Y, mean>};
  }
};

// max and min of S, narrow ones by way of T, to keep the code small.
#define CPU_EXTREMUM(T, S)                                       \
  {TN_OP_MAX, sdk::dtype_of<S>, Fold<MaxFold, T, T>::of<S>()}, { \
    TN_OP_MIN, sdk::dtype_of<S>, Fold<MinFold, T, T>::of<S>()    \
  }

struct ReductionEntry {
  tn_op op;
  tn_dtype dtype;
  Reduction kernel;
};

template <class Entries>
const Reduction* find_in(const Entries& entries, tn_op op, tn_dtype dtype) {
  for (const ReductionEntry& e : entries) {
    if (e.op == op && e.dtype == dtype) return &e.kernel;
  }
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

#endif
