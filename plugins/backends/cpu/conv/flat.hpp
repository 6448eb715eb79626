// The positions of images one after another, as a convolution on tiles goes through them. Between rows, and between images, lie as many
// positions of zeros as taps reach beyond an edge: those behind a row serve the next one in front. So a tap is an offset, the same
// for every position; what is computed between the rows is not stored.
#ifndef TENON_CPU_CONV_FLAT_HPP_
#define TENON_CPU_CONV_FLAT_HPP_
#include "conv/geometry.hpp"
#include "matmul/splitter.hpp"

namespace tenon::cpu::CPU_ISA {

struct Flat {
  int64_t low_y = 0, low_x = 0;      // smallest offsets of taps
  int64_t reach_y = 0, reach_x = 0;  // largest less smallest
  int64_t rows = 0,
          pitch = 0;  // of an image, in outputs: (n, h, w) is at (n * rows + h) * pitch + w

  // For all of these, whose inputs and steps are the same.
  void plan(const Geometry* g, int count);
};

#if defined(__AVX512BW__)

// f(the number of parts as a constant): of f32 1 to 3, of bf16 1.
template <class T, class F>
auto with_parts(int parts, F f) {
  if constexpr (std::is_same_v<T, bf16>) {
    return f(std::integral_constant<int, 1>());
  } else {
    if (parts == 1) return f(std::integral_constant<int, 1>());
    if (parts == 2) return f(std::integral_constant<int, 2>());
    return f(std::integral_constant<int, 3>());
  }
}

// lines[i][j] becomes lines[j][i]: one function, for it is long.
void turn_lines(Vec<float>* lines);

// Where 16 positions are in a tensor's plane, or that they are nowhere.
struct Spots {
  __mmask16 there = 0;
  bool dense = true;  // side by side in memory, apart from those that are nowhere
  int64_t first = 0;
  alignas(64) int32_t at[16] = {};  // from first on

  // offset(n, h, w) of positions p .. p + 16 of `images` images, one after another; negative: nowhere.
  template <class Offset>
  static Spots of(int64_t p, int64_t images, int64_t rows, int64_t pitch, Offset offset) {
    Spots s;
    int64_t w = p % pitch, h = p / pitch % rows, n = p / pitch / rows;
    int count = 0;
    for (int i = 0; i < int(kTileSide) && n < images; ++i) {
      s.put(i, offset(n, h, w), &count);
      if (++w < pitch) continue;
      w = 0;
      if (++h < rows) continue;
      h = 0;
      ++n;
    }
    return s;
  }
  // Of `side` images side by side, of which there are `images`; both are multiples of 16.
  template <class Offset>
  static Spots beside(int64_t p, int64_t side, int64_t images, int64_t rows, int64_t pitch,
                      Offset offset) {
    Spots s;
    const int64_t n = p % side, w = p / side % pitch, h = p / side / pitch;
    int count = 0;
    for (int i = 0; i < int(kTileSide) && n < images && h < rows; ++i)
      s.put(i, offset(n + i, h, w), &count);
    return s;
  }
  void put(int i, int64_t o, int* count) {
    if (o < 0) return;
    if (!there) first = o;
    there |= __mmask16(1u << i);
    at[i] = int32_t(o - first);
    dense = dense && at[i] == (*count)++;
  }

  template <class T>
  CPU_INLINE __m512 load(const T* plane) const {
    const T* from = plane + first;
    if (dense) {
      if (there == 0xffff) return load_wide(from, 0xffff);
      const __m512 x = load_wide(from, first_lanes(__builtin_popcount(there)));
      return _mm512_maskz_expand_ps(there, x);
    }
    if constexpr (std::is_same_v<T, float>) {
      return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), there, _mm512_load_si512(at), from, 4);
    } else {
      alignas(64) float x[16] = {};
      for (unsigned rest = there; rest; rest &= rest - 1) {
        const int i = __builtin_ctz(rest);
        x[i] = float(from[at[i]]);
      }
      return _mm512_load_ps(x);
    }
  }

  template <class T>
  CPU_INLINE void store(T* plane, __m512 x) const {
    T* to = plane + first;
    if constexpr (std::is_same_v<T, float>) {
      if (!dense) {
        _mm512_mask_i32scatter_ps(to, there, _mm512_load_si512(at), x, 4);
      } else if (there == 0xffff) {
        _mm512_storeu_ps(to, x);
      } else {
        _mm512_mask_storeu_ps(to, first_lanes(__builtin_popcount(there)),
                              _mm512_maskz_compress_ps(there, x));
      }
    } else {
      alignas(64) float wide[16];
      T narrow[16];
      _mm512_store_ps(wide, dense ? _mm512_maskz_compress_ps(there, x) : x);
      convert_run<T, float>(narrow, wide, 16);
      if (dense) {
        __m256i bits;
        std::memcpy(&bits, narrow, sizeof bits);
        _mm256_mask_storeu_epi16(to, first_lanes(__builtin_popcount(there)), bits);
        return;
      }
      for (unsigned rest = there; rest; rest &= rest - 1) {
        const int i = __builtin_ctz(rest);
        to[at[i]] = narrow[i];
      }
    }
  }
};

#endif

}  // namespace tenon::cpu::CPU_ISA
#endif
