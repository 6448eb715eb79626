// Reading tn_view on devices whose memory the host can address: data pointers, layout tests, loops over strided operands.
#ifndef TENON_SDK_VIEW_HPP_
#define TENON_SDK_VIEW_HPP_
#include <tenon/base.h>

#include <array>
#include <cstdint>
#include <span>
#include <tuple>

namespace tenon::sdk {

inline bool is_absent(const tn_view& v) { return (v.flags & TN_VIEW_ABSENT) != 0; }
inline bool is_immediate(const tn_view& v) { return (v.flags & TN_VIEW_IMMEDIATE) != 0; }
inline int64_t element_bytes(const tn_view& v) {
  return static_cast<int64_t>(tn_dtype_bytes(v.dtype, 1));
}
// Two elements to the byte, always dense: only copied and cast.
inline bool is_packed(tn_dtype dtype) { return dtype == TN_DTYPE_I4 || dtype == TN_DTYPE_U4; }
// Can elements of this dtype be moved one by one? Not the ones smaller than a byte.
inline bool is_movable(tn_dtype dtype) {
  return dtype != TN_DTYPE_NONE && TN_DTYPE_BITS(dtype) * TN_DTYPE_LANES(dtype) % 8 == 0;
}
inline std::span<const int64_t> dims(const tn_view& v) { return {v.dims, v.rank}; }
inline std::span<const int64_t> strides(const tn_view& v) { return {v.strides, v.rank}; }

// Address of element (0, 0, ...). For an immediate it points into the view itself and lives as long as that.
inline void* address(const tn_view& v) {
  if (is_immediate(v)) return const_cast<uint64_t*>(&v.mem);
  return reinterpret_cast<void*>(static_cast<uintptr_t>(v.mem + v.offset));
}
template <class T>
T* data(const tn_view& v) {
  return static_cast<T*>(address(v));
}
// The value of a tensor of one element.
template <class T>
T scalar(const tn_view& v) {
  return *data<const T>(v);
}

// Dense row-major, whether the flag says so or the strides do.
inline bool is_contiguous(const tn_view& v) {
  if (v.flags & TN_VIEW_CONTIGUOUS) return true;
  if (v.count <= 1) return true;
  int64_t expected = 1;
  for (int i = v.rank - 1; i >= 0; --i) {
    if (v.dims[i] != 1 && v.strides[i] != expected) return false;
    expected *= v.dims[i];
  }
  return true;
}

inline bool same_dims(const tn_view& a, const tn_view& b) {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; ++i) {
    if (a.dims[i] != b.dims[i]) return false;
  }
  return true;
}

// Dense row-major strides for `dims`.
inline std::array<int64_t, TN_MAX_RANK> dense_strides(std::span<const int64_t> dims) {
  std::array<int64_t, TN_MAX_RANK> out{};
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0; step *= dims[i]) out[i] = step;
  return out;
}

// A loop nest over N operands that share their dims, made minimal: axes of size 1 are gone, and neighbouring axes that every
// operand walks evenly are one. The innermost axis is the last; rank is at least 1, also for a scalar. Strides are in elements.
template <int N>
struct Nest {
  int rank = 1;
  std::array<int64_t, TN_MAX_RANK> dims{1};
  std::array<std::array<int64_t, TN_MAX_RANK>, N> strides{};

  int64_t inner() const { return dims[rank - 1]; }
  int64_t inner_stride(int operand) const { return strides[operand][rank - 1]; }
  // How many runs of the innermost axis there are.
  int64_t rows() const {
    int64_t n = 1;
    for (int i = 0; i + 1 < rank; ++i) n *= dims[i];
    return n;
  }
  // One axis, and each operand steps by 1 or (a broadcast scalar) by 0.
  bool is_flat() const {
    if (rank != 1) return false;
    for (int k = 0; k < N; ++k) {
      if (inner() > 1 && strides[k][0] != 1 && strides[k][0] != 0) return false;
    }
    return true;
  }
};

// strides[k] has one entry per dim for operand k.
template <int N>
Nest<N> coalesce(std::span<const int64_t> dims, const std::array<const int64_t*, N>& strides) {
  Nest<N> nest;
  int rank = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    bool merge = rank > 0;
    for (int k = 0; merge && k < N; ++k) {
      merge = nest.strides[k][rank - 1] == strides[k][i] * dims[i];
    }
    if (!merge) nest.dims[rank++] = 1;
    nest.dims[rank - 1] *= dims[i];
    for (int k = 0; k < N; ++k) nest.strides[k][rank - 1] = strides[k][i];
  }
  if (rank > 0) nest.rank = rank;
  return nest;
}

// The nest of views with equal dims: coalesce_views(out, a, b).
template <class... Views>
Nest<sizeof...(Views) + 1> coalesce_views(const tn_view& first, const Views&... others) {
  return coalesce<sizeof...(Views) + 1>(dims(first), {first.strides, others.strides...});
}

// Calls f(offsets) for rows begin..end of the nest; offsets[k] is where the row starts in operand k, in elements.
template <int N, class F>
void for_each_row(const Nest<N>& nest, int64_t begin, int64_t end, F&& f) {
  if (begin >= end) return;  // also when an outer axis has size 0
  std::array<int64_t, TN_MAX_RANK> index{};
  std::array<int64_t, N> offsets{};
  const int outer = nest.rank - 1;
  int64_t rest = begin;
  for (int i = outer - 1; i >= 0; --i) {
    index[i] = rest % nest.dims[i];
    rest /= nest.dims[i];
    for (int k = 0; k < N; ++k) offsets[k] += index[i] * nest.strides[k][i];
  }
  for (int64_t row = begin; row < end; ++row) {
    f(offsets);
    for (int i = outer - 1; i >= 0; --i) {
      for (int k = 0; k < N; ++k) offsets[k] += nest.strides[k][i];
      if (++index[i] < nest.dims[i]) break;
      for (int k = 0; k < N; ++k) offsets[k] -= nest.strides[k][i] * nest.dims[i];
      index[i] = 0;
    }
  }
}

// Calls f(o0, o1, ...) with the element offset in each operand, for every element in row-major order.
template <int N, class F>
void for_each(const Nest<N>& nest, F&& f) {
  const int64_t inner = nest.inner();
  if (inner == 0) return;
  for_each_row(nest, 0, nest.rows(), [&](std::array<int64_t, N> offsets) {
    for (int64_t i = 0; i < inner; ++i) {
      std::apply(f, offsets);
      for (int k = 0; k < N; ++k) offsets[k] += nest.inner_stride(k);
    }
  });
}

}  // namespace tenon::sdk
#endif
