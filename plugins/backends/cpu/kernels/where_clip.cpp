// where, by the size of the elements it moves, and clip.
#include <limits>

#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

// ---- where

template <class T, class A, class B>
CPU_INLINE void where_loop(T* y, const uint8_t* c, int64_t n, A a, B b) {
  constexpr int lanes = kLanes<T>;
  using Bytes = VecN<uint8_t, lanes>;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto mask = widen_bytes<Mask<T>>(load_as<Bytes>(c + i)) != 0;
    store(y + i, select(mask, a.full(i), b.full(i)));
  }
  if (i < n) {
    Bytes part{};
    copy_part<uint8_t, lanes>(&part, c + i, n - i);
    const auto mask = widen_bytes<Mask<T>>(part) != 0;
    store_n(y + i, select(mask, a.part(i, n - i), b.part(i, n - i)), n - i);
  }
}

template <class T>
void where_row(void* out, const void* const* in, uint32_t scalars, int64_t n, const void*) {
  T* y = static_cast<T*>(out);
  const uint8_t* c = static_cast<const uint8_t*>(in[0]);
  const T* a = static_cast<const T*>(in[1]);
  const T* b = static_cast<const T*>(in[2]);
  if (scalars & 1) {
    const int k = *c ? 1 : 2;
    const T* chosen = *c ? a : b;
    if (scalars >> k & 1) {
      fill_run(y, *chosen, n);
    } else {
      std::memmove(y, chosen, size_t(n) * sizeof(T));
    }
    return;
  }
  switch (scalars >> 1) {
    case 0:
      where_loop(y, c, n, Run<T>{a}, Run<T>{b});
      break;
    case 1:
      where_loop(y, c, n, One<T>{splat<Vec<T>>(*a)}, Run<T>{b});
      break;
    case 2:
      where_loop(y, c, n, Run<T>{a}, One<T>{splat<Vec<T>>(*b)});
      break;
    default:
      where_loop(y, c, n, One<T>{splat<Vec<T>>(*a)}, One<T>{splat<Vec<T>>(*b)});
  }
}

struct Pair {
  uint64_t words[2];
};
template <>
void where_row<Pair>(void* out, const void* const* in, uint32_t scalars, int64_t n, const void*) {
  Pair* y = static_cast<Pair*>(out);
  const uint8_t* c = static_cast<const uint8_t*>(in[0]);
  const Pair* a = static_cast<const Pair*>(in[1]);
  const Pair* b = static_cast<const Pair*>(in[2]);
  const int64_t steps[3] = {(scalars & 1) ? 0 : 1, (scalars & 2) ? 0 : 1, (scalars & 4) ? 0 : 1};
  for (int64_t i = 0; i < n; ++i) y[i] = c[i * steps[0]] ? a[i * steps[1]] : b[i * steps[2]];
}

template <class T>
struct Where {
  static constexpr int32_t kBytes = int32_t(sizeof(T));
  static constexpr Elementwise kernel = {where_row<T>, 3,
                                         0.2f,         {1, kBytes, kBytes},
                                         kBytes,       {nullptr, nullptr, nullptr},
                                         nullptr,      {1, kBytes, kBytes},
                                         kBytes};
  static tn_error* TN_CALL run(void* plan, void*, const tn_view* const* args) {
    run_elementwise(*static_cast<const Device*>(plan), kernel, args, nullptr);
    return nullptr;
  }
};

template <class T>
constexpr ElementwiseEntry where_of(tn_dtype dtype) {
  return {TN_OP_WHERE, dtype, Where<T>::run, Where<T>::run, &Where<T>::kernel};
}

constexpr ElementwiseEntry kWhere[] = {
    where_of<uint8_t>(TN_DTYPE_BOOL),  where_of<uint8_t>(TN_DTYPE_I8),
    where_of<uint8_t>(TN_DTYPE_U8),    where_of<uint16_t>(TN_DTYPE_I16),
    where_of<uint16_t>(TN_DTYPE_U16),  where_of<uint16_t>(TN_DTYPE_F16),
    where_of<uint16_t>(TN_DTYPE_BF16), where_of<uint32_t>(TN_DTYPE_I32),
    where_of<uint32_t>(TN_DTYPE_U32),  where_of<uint32_t>(TN_DTYPE_F32),
    where_of<uint64_t>(TN_DTYPE_I64),  where_of<uint64_t>(TN_DTYPE_U64),
    where_of<uint64_t>(TN_DTYPE_F64),  where_of<uint64_t>(TN_DTYPE_C64),
    where_of<Pair>(TN_DTYPE_C128),
};

// ---- clip: minimum(maximum(x, low), high); an absent bound is one that bounds nothing

template <class T>
void clip_row(void* out, const void* const* in, uint32_t scalars, int64_t n, const void*) {
  constexpr int64_t lanes = kLanes<T>;
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(in[0]);
  const T* low = static_cast<const T*>(in[1]);
  const T* high = static_cast<const T*>(in[2]);
  if (scalars == 6) {
    const Vec<T> l = splat<Vec<T>>(*low), h = splat<Vec<T>>(*high);
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) store(y + i, vmin(vmax(load(x + i), l), h));
    if (i < n) store_n(y + i, vmin(vmax(load_n(x + i, n - i), l), h), n - i);
    return;
  }
  const int64_t steps[3] = {(scalars & 1) ? 0 : 1, (scalars & 2) ? 0 : 1, (scalars & 4) ? 0 : 1};
  using One = VecN<T, 1>;
  for (int64_t i = 0; i < n; ++i) {
    const One v = splat<One>(x[i * steps[0]]);
    y[i] = vmin(vmax(v, splat<One>(low[i * steps[1]])), splat<One>(high[i * steps[2]]))[0];
  }
}

template <class T>
constexpr T kLeast = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                          : std::numeric_limits<T>::lowest();
template <class T>
constexpr T kGreatest = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                             : std::numeric_limits<T>::max();

struct ClipOp {
  static constexpr float ns = 0.2f;
};

// S in memory, T computed in.
template <class T, class S = T>
struct Clip {
  static constexpr Elementwise kernel = describe<ClipOp, T, S, 3>(clip_row<T>);
  static tn_error* TN_CALL run(void* plan, void*, const tn_view* const* args) {
    const tn_view* all[4] = {args[0], args[1], args[2], args[3]};
    tn_view bounds[2] = {*args[3], *args[3]};
    for (int k = 0; k < 2; ++k) {
      if (!absent(args[k + 1])) continue;
      const T value = k == 0 ? kLeast<T> : kGreatest<T>;
      bounds[k].flags = TN_VIEW_IMMEDIATE;
      bounds[k].mem = 0;
      bounds[k].offset = 0;
      convert_run<S, T>(&bounds[k].mem, &value, 1);
      all[k + 1] = &bounds[k];
    }
    run_elementwise(*static_cast<const Device*>(plan), kernel, all, nullptr);
    return nullptr;
  }
};

template <class T, class S = T>
constexpr ElementwiseEntry clip_of() {
  return {TN_OP_CLIP, sdk::dtype_of<S>, Clip<T, S>::run, Clip<T, S>::run, &Clip<T, S>::kernel};
}

// A narrow integer is clipped in its own width, so that the absent bound fits.
constexpr ElementwiseEntry kClip[] = {
    clip_of<float>(),   clip_of<double>(),   clip_of<float, f16>(), clip_of<float, bf16>(),
    clip_of<int8_t>(),  clip_of<int16_t>(),  clip_of<int32_t>(),    clip_of<int64_t>(),
    clip_of<uint8_t>(), clip_of<uint16_t>(), clip_of<uint32_t>(),   clip_of<uint64_t>(),
};

}  // namespace

EntryTable where_entries() { return kWhere; }
EntryTable clip_entries() { return kClip; }

}  // namespace tenon::cpu::CPU_ISA
