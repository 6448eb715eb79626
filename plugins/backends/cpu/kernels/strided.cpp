#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct Wide {  // an element of 16 bytes
  uint64_t words[2];
};

// Calls f with a value of the unsigned type of that many bytes.
template <class F>
void with_bytes(int bytes, F&& f) {
  switch (bytes) {
    case 1:
      f(uint8_t{});
      break;
    case 2:
      f(uint16_t{});
      break;
    case 4:
      f(uint32_t{});
      break;
    case 8:
      f(uint64_t{});
      break;
    default:
      f(Wide{});
      break;
  }
}

template <class T>
CPU_INLINE void copy_steps(T* to, const T* from, int64_t step, int64_t n) {
  if (step == 1) {
    if (n * int64_t(sizeof(T)) <= 64) {
      for (int64_t i = 0; i < n; ++i) to[i] = from[i];
    } else {
      std::memcpy(static_cast<void*>(to), from, size_t(n) * sizeof(T));
    }
  } else if (step == 0) {
    const T value = *from;
    for (int64_t i = 0; i < n; ++i) to[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
  }
}

template <class T>
void gather(T* to, const T* from, int rank, const int64_t* dims, const int64_t* strides,
            int64_t begin, int64_t n) {
  if (n <= 0) return;
  if (rank == 0) {
    *to = *from;
    return;
  }
  const int last = rank - 1;
  int64_t index[TN_MAX_RANK];
  int64_t offset = 0;
  int64_t rest = begin;
  for (int i = last; i >= 0; --i) {
    index[i] = rest % dims[i];
    rest /= dims[i];
    offset += index[i] * strides[i];
  }
  while (n > 0) {
    int64_t run = dims[last] - index[last];
    if (run > n) run = n;
    copy_steps(to, from + offset, strides[last], run);
    to += run;
    n -= run;
    offset -= index[last] * strides[last];
    index[last] = 0;
    for (int i = last - 1; i >= 0; --i) {
      offset += strides[i];
      if (++index[i] < dims[i]) break;
      offset -= strides[i] * dims[i];
      index[i] = 0;
    }
  }
}

// Four columns of four consecutive 32-bit elements into four rows.
CPU_INLINE void transpose4(uint32_t* to, int64_t to_stride, const uint32_t* from, int64_t step) {
  using Q = VecN<uint32_t, 4>;
  const Q a = load_as<Q>(from), b = load_as<Q>(from + step);
  const Q c = load_as<Q>(from + 2 * step), d = load_as<Q>(from + 3 * step);
  const Q ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Q ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Q cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Q cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store(to, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
  store(to + to_stride, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
  store(to + 2 * to_stride, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  store(to + 3 * to_stride, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

template <class T>
void gather_tile_of(T* to, const T* from, int64_t rows, int64_t columns, int64_t to_stride,
                    int64_t row_stride, int64_t column_stride) {
  int64_t c = 0;
  if constexpr (sizeof(T) == 4) {
    if (row_stride == 1) {
      for (; c + 4 <= columns; c += 4) {
        int64_t r = 0;
        for (; r + 4 <= rows; r += 4) {
          transpose4(to + r * to_stride + c, to_stride, from + c * column_stride + r,
                     column_stride);
        }
        for (; r < rows; ++r) {
          for (int64_t i = c; i < c + 4; ++i) to[r * to_stride + i] = from[i * column_stride + r];
        }
      }
    }
  }
  for (; c < columns; ++c) {
    for (int64_t r = 0; r < rows; ++r) {
      to[r * to_stride + c] = from[c * column_stride + r * row_stride];
    }
  }
}

constexpr int64_t kTileRows = 64;
constexpr int64_t kTileColumns = 64;

struct Copy {
  const Device& device;
  char* to;
  const char* from;
  int bytes;
  int64_t n;
  Walk<1> walk;
};

void copy_flat(const Copy& c) {
  const int64_t step = c.walk.inner_stride(0);
  parallel(c.device, c.n, 8192, 0.1 * c.bytes, [&](int64_t begin, int64_t end) {
    with_bytes(c.bytes, [&](auto sample) {
      using T = decltype(sample);
      copy_steps(reinterpret_cast<T*>(c.to) + begin,
                 reinterpret_cast<const T*>(c.from) + begin * step, step, end - begin);
    });
  });
}

void copy_tiles(const Copy& c, int axis) {
  const Walk<1>& w = c.walk;
  const int64_t inner = w.inner();
  const int64_t strips = (w.dims[axis] + kTileRows - 1) / kTileRows;
  int64_t out[TN_MAX_RANK];
  int64_t step = 1;
  for (int i = w.rank - 1; i >= 0; --i) out[i] = step, step *= w.dims[i];
  const int64_t units = c.n / inner / w.dims[axis] * strips;
  const double cost = double(inner * kTileRows * c.bytes) * 0.2;
  parallel(c.device, units, 1, cost, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t r0 = u % strips * kTileRows;
      const int64_t rows = w.dims[axis] - r0 < kTileRows ? w.dims[axis] - r0 : kTileRows;
      int64_t rest = u / strips;
      int64_t to = r0 * out[axis];
      int64_t from = r0 * w.strides[0][axis];
      for (int i = w.rank - 2; i >= 0; --i) {
        if (i == axis) continue;
        const int64_t at = rest % w.dims[i];
        rest /= w.dims[i];
        to += at * out[i];
        from += at * w.strides[0][i];
      }
      for (int64_t c0 = 0; c0 < inner; c0 += kTileColumns) {
        const int64_t columns = inner - c0 < kTileColumns ? inner - c0 : kTileColumns;
        gather_tile(c.to + (to + c0) * c.bytes, c.from + (from + c0 * w.inner_stride(0)) * c.bytes,
                    c.bytes, rows, columns, out[axis], w.strides[0][axis], w.inner_stride(0));
      }
    }
  });
}

// An outer axis with steps of 1 while the innermost one has longer steps; -1 if there is none.
int transposed_axis(const Walk<1>& w) {
  if (w.rank < 2 || w.inner() < 4) return -1;
  const int64_t step = w.inner_stride(0);
  if (step >= -1 && step <= 1) return -1;
  for (int i = 0; i + 1 < w.rank; ++i) {
    if (w.strides[0][i] == 1 && w.dims[i] >= 4) return i;
  }
  return -1;
}

}  // namespace

void gather_run(void* to, const void* from, int bytes, int rank, const int64_t* dims,
                const int64_t* strides, int64_t begin, int64_t n) {
  with_bytes(bytes, [&](auto sample) {
    using T = decltype(sample);
    gather(static_cast<T*>(to), static_cast<const T*>(from), rank, dims, strides, begin, n);
  });
}

void gather_tile(void* to, const void* from, int bytes, int64_t rows, int64_t columns,
                 int64_t to_stride, int64_t row_stride, int64_t column_stride) {
  with_bytes(bytes, [&](auto sample) {
    using T = decltype(sample);
    gather_tile_of(static_cast<T*>(to), static_cast<const T*>(from), rows, columns, to_stride,
                   row_stride, column_stride);
  });
}

void copy_strided(const Device& device, void* to, const void* from, int bytes, int rank,
                  const int64_t* dims, const int64_t* strides) {
  Copy c{device, static_cast<char*>(to), static_cast<const char*>(from), bytes, 1, {}};
  for (int i = 0; i < rank; ++i) c.n *= dims[i];
  if (c.n == 0) return;
  c.walk.build(1, rank, dims, [&](int) { return strides; });
  if (c.walk.rank <= 1) return copy_flat(c);
  const int axis = transposed_axis(c.walk);
  if (axis >= 0) return copy_tiles(c, axis);
  const Walk<1>& w = c.walk;
  const double cost = 0.1 * bytes + 4.0 / double(w.inner());
  parallel(device, c.n, 4096, cost, [&](int64_t begin, int64_t end) {
    gather_run(c.to + begin * bytes, c.from, bytes, w.rank, w.dims, w.strides[0], begin,
               end - begin);
  });
}

}  // namespace tenon::cpu::CPU_ISA
