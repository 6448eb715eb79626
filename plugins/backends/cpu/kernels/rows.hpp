// Row functions and run functions made from an op on vectors:
//
//   struct Add {
//     static constexpr float ns = 0.1f;               // per element of float, in cache
//     template <class V> static V apply(V a, V b) { return a + b; }
//   };
//   binary<Add, float>(TN_OP_ADD)                      // an ElementwiseEntry
//
// T is the dtype computed in; S, where it differs, the narrower one in memory.
#ifndef TENON_CPU_ROWS_HPP_
#define TENON_CPU_ROWS_HPP_
#include <type_traits>

#include "elementwise.hpp"
#include "narrow.hpp"

namespace tenon::cpu::CPU_ISA {

// A comparison's mask as bytes of 0 and 1.
template <class V>
CPU_INLINE VecN<uint8_t, kCount<V>> mask_bytes(V mask) {
#if defined(__AVX2__) && !defined(__AVX512BW__)
  if constexpr (sizeof(V) == 32 && sizeof(ElementOf<V>) >= 4) {
    // Packing saturates, which leaves 0 and -1 as they are.
    const auto all = bits_as<__m256i>(mask);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    if constexpr (sizeof(ElementOf<V>) == 8) half = _mm_packs_epi32(half, half);
    const __m128i bytes = _mm_packs_epi16(half, half);
    VecN<uint8_t, kCount<V>> y;
    __builtin_memcpy(&y, &bytes, sizeof y);
    return y & 1;
  }
#endif
  return convert<VecN<uint8_t, kCount<V>>>(mask) & 1;
}

template <class Op>
inline constexpr bool kCompares = requires {
  Op::compares;
};
template <class Op>
inline constexpr bool kHeavy = requires {
  Op::heavy;
};  // long code: one loop instead of one per mix
template <class Op, class T>
using OutputOf = std::conditional_t<kCompares<Op>, uint8_t, T>;

template <class Op, class T, class R>
CPU_INLINE void put_result(OutputOf<Op, T>* y, R v) {
  if constexpr (kCompares<Op>) {
    store(y, mask_bytes(v));
  } else {
    store(y, v);
  }
}
template <class Op, class T, class R>
CPU_INLINE void put_result_n(OutputOf<Op, T>* y, R v, int64_t n) {
  if constexpr (kCompares<Op>) {
    const auto bytes = mask_bytes(v);
    copy_part<uint8_t, int(sizeof bytes)>(y, &bytes, n);
  } else {
    store_n(y, v, n);
  }
}

template <class T>
CPU_INLINE void fill_run(T* y, T value, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = value;
}

// ---- one input

template <class Op, class T>
CPU_INLINE Vec<T> apply1(Vec<T> x, const void* param) {
  if constexpr (requires { Op::apply(x, param); }) {
    return Op::apply(x, param);
  } else {
    return Op::apply(x);
  }
}

template <class Op, class T>
void unary_row(void* out, const void* const* in, uint32_t scalars, int64_t n, const void* param) {
  constexpr int64_t lanes = kLanes<T>;
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(in[0]);
  if (scalars) {
    fill_run(y, apply1<Op, T>(splat<Vec<T>>(*x), param)[0], n);
    return;
  }
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, apply1<Op, T>(load(x + i), param));
  if (i < n) store_n(y + i, apply1<Op, T>(load_n(x + i, n - i), param), n - i);
}

// ---- two inputs

template <class Op, class T, class A, class B>
CPU_INLINE void binary_loop(OutputOf<Op, T>* y, int64_t n, A a, B b) {
  constexpr int64_t lanes = kLanes<T>;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    put_result<Op, T>(y + i, Op::apply(a.full(i), b.full(i)));
  }
  if (i < n) put_result_n<Op, T>(y + i, Op::apply(a.part(i, n - i), b.part(i, n - i)), n - i);
}

template <class T>
struct Run {
  const T* p;
  CPU_INLINE Vec<T> full(int64_t i) const { return load(p + i); }
  CPU_INLINE Vec<T> part(int64_t i, int64_t n) const { return load_n(p + i, n); }
};
template <class T>
struct One {
  Vec<T> v;
  CPU_INLINE Vec<T> full(int64_t) const { return v; }
  CPU_INLINE Vec<T> part(int64_t, int64_t) const { return v; }
};

template <class Op, class T>
void binary_row(void* out, const void* const* in, uint32_t scalars, int64_t n, const void*) {
  auto* y = static_cast<OutputOf<Op, T>*>(out);
  const T* a = static_cast<const T*>(in[0]);
  const T* b = static_cast<const T*>(in[1]);
  if constexpr (kHeavy<Op>) {
    if (scalars == 0) {
      binary_loop<Op, T>(y, n, Run<T>{a}, Run<T>{b});
      return;
    }
    constexpr int64_t block = 4 * kLanes<T>;
    T wide[2][block];
    if (scalars & 1) fill_run(wide[0], *a, block);
    if (scalars & 2) fill_run(wide[1], *b, block);
    for (int64_t i = 0; i < n; i += block) {
      const T* x0 = (scalars & 1) ? wide[0] : a + i;
      const T* x1 = (scalars & 2) ? wide[1] : b + i;
      binary_loop<Op, T>(y + i, n - i < block ? n - i : block, Run<T>{x0}, Run<T>{x1});
    }
  } else {
    switch (scalars) {
      case 0:
        binary_loop<Op, T>(y, n, Run<T>{a}, Run<T>{b});
        break;
      case 1:
        binary_loop<Op, T>(y, n, One<T>{splat<Vec<T>>(*a)}, Run<T>{b});
        break;
      case 2:
        binary_loop<Op, T>(y, n, Run<T>{a}, One<T>{splat<Vec<T>>(*b)});
        break;
      default: {
        OutputOf<Op, T> both;
        put_result_n<Op, T>(&both, Op::apply(splat<Vec<T>>(*a), splat<Vec<T>>(*b)), 1);
        fill_run(y, both, n);
      }
    }
  }
}

// ---- descriptions and run functions

template <class Op, class T>
constexpr float cost_of() {
  return Op::ns * float(sizeof(T)) / 4.0f;
}

// S in memory, T computed in. Bools that a comparison gives are stored as they come.
template <class Op, class T, class S, int inputs>
constexpr Elementwise describe(RowFunction row) {
  Elementwise e{};
  e.row = row;
  e.n_inputs = inputs;
  e.ns = cost_of<Op, T>() + (std::is_same_v<T, S> ? 0.0f : 0.1f * float(inputs + 1));
  e.out_bytes = kCompares<Op> ? 1 : int32_t(sizeof(S));
  e.row_out_bytes = int32_t(sizeof(OutputOf<Op, T>));
  for (int k = 0; k < inputs; ++k) {
    e.in_bytes[k] = int32_t(sizeof(S));
    e.row_in_bytes[k] = int32_t(sizeof(T));
    if constexpr (!std::is_same_v<T, S>) e.load[k] = convert_run<T, S>;
  }
  if constexpr (!std::is_same_v<T, S> && !kCompares<Op>) e.save = convert_run<S, T>;
  return e;
}

// Few elements, each input dense or an immediate: the row function at once. False: not so.
template <int inputs>
inline bool run_short(const Device& device, const Elementwise& kernel, const tn_view* const* args) {
  const tn_view* y = args[inputs];
  if (worth_threads(device, double(y->count) * double(kernel.ns))) return false;
  const void* in[inputs];
  uint32_t scalars = 0;
  for (int k = 0; k < inputs; ++k) {
    const tn_view* v = args[k];
    if (v->flags & TN_VIEW_IMMEDIATE) {
      scalars |= 1u << k;
    } else if (!contiguous(v)) {
      return false;
    }
    in[k] = input<char>(v);
  }
  if (y->count > 0) kernel.row(output<char>(y), in, scalars, y->count, nullptr);
  return true;
}

template <class Op, class T, class S = T>
struct Unary {
  static constexpr Elementwise kernel = describe<Op, T, S, 1>(unary_row<Op, T>);

  static tn_error* TN_CALL any(void* plan, void*, const tn_view* const* args) {
    run_elementwise(*static_cast<const Device*>(plan), kernel, args, nullptr);
    return nullptr;
  }
  static tn_error* TN_CALL dense(void* plan, void* queue, const tn_view* const* args) {
    const tn_view* x = args[0];
    const int64_t n = args[1]->count;
    if (x->flags & TN_VIEW_IMMEDIATE) [[unlikely]]
      return any(plan, queue, args);
    const T* from = reinterpret_cast<const T*>(x->mem + x->offset);
    T* y = output<T>(args[1]);
    if (n <= kLanes<T>) {
      store_n(y, apply1<Op, T>(load_n(from, n), nullptr), n);
      return nullptr;
    }
    if (worth_threads(*static_cast<const Device*>(plan), double(n) * double(kernel.ns)))
      return any(plan, queue, args);
    const void* in[1] = {from};
    unary_row<Op, T>(y, in, 0, n, nullptr);
    return nullptr;
  }
};

template <class Op, class T, class S = T>
struct Binary {
  static constexpr Elementwise kernel = describe<Op, T, S, 2>(binary_row<Op, T>);

  static tn_error* TN_CALL any(void* plan, void*, const tn_view* const* args) {
    if constexpr (std::is_same_v<T, S>) {
      if (run_short<2>(*static_cast<const Device*>(plan), kernel, args)) return nullptr;
    }
    run_elementwise(*static_cast<const Device*>(plan), kernel, args, nullptr);
    return nullptr;
  }
  [[gnu::noinline]] static tn_error* many(void* plan, const tn_view* const* args, const T* a,
                                          const T* b, int64_t n) {
    if (worth_threads(*static_cast<const Device*>(plan), double(n) * double(kernel.ns)))
      return any(plan, nullptr, args);
    const void* in[2] = {a, b};
    binary_row<Op, T>(output<OutputOf<Op, T>>(args[2]), in, 0, n, nullptr);
    return nullptr;
  }
  static tn_error* TN_CALL dense(void* plan, void* queue, const tn_view* const* args) {
    const tn_view* va = args[0];
    const tn_view* vb = args[1];
    const tn_view* vy = args[2];
    if ((va->flags | vb->flags) & TN_VIEW_IMMEDIATE) [[unlikely]]
      return any(plan, queue, args);
    const T* a = reinterpret_cast<const T*>(va->mem + va->offset);
    const T* b = reinterpret_cast<const T*>(vb->mem + vb->offset);
    const int64_t n = vy->count;
    if (n > kLanes<T>) return many(plan, args, a, b, n);
    put_result_n<Op, T>(output<OutputOf<Op, T>>(vy), Op::apply(load_n(a, n), load_n(b, n)), n);
    return nullptr;
  }
};

template <class Op, class T, class S = T>
constexpr ElementwiseEntry unary(tn_op op, tn_dtype dtype = sdk::dtype_of<S>) {
  using K = Unary<Op, T, S>;
  if constexpr (std::is_same_v<T, S>) return {op, dtype, K::dense, K::any, &K::kernel};
  return {op, dtype, K::any, K::any, &K::kernel};
}
template <class Op, class T, class S = T>
constexpr ElementwiseEntry binary(tn_op op, tn_dtype dtype = sdk::dtype_of<S>) {
  using K = Binary<Op, T, S>;
  if constexpr (std::is_same_v<T, S>) return {op, dtype, K::dense, K::any, &K::kernel};
  return {op, dtype, K::any, K::any, &K::kernel};
}

}  // namespace tenon::cpu::CPU_ISA

#endif
