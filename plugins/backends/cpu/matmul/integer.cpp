#include "matmul/integer.hpp"

#include <algorithm>
#include <cmath>

#include "matmul/tiles.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

using Sums = Vec<int32_t>;

// sum + the products of the numbers in each unit.
template <bool bytes>
CPU_INLINE Sums add_unit(Sums sum, Sums a, Sums b) {
#if defined(__AVX512BW__)
  if constexpr (bytes) {
    // VNNI is beyond what the file is compiled for.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
  }
  return sum + (Sums)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return sum + (Sums)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return sum + (Sums)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
  const Sums low_a = (a << 16) >> 16, low_b = (b << 16) >> 16;
  return sum + low_a * low_b + (a >> 16) * (b >> 16);
#endif
}

// The sums of kIntegerRows rows by one panel.
template <bool bytes>
void multiply_panel(const char* const* a, const char* b, int64_t units, int32_t (*sums)[kPanel]) {
  constexpr int lanes = kLanes<int32_t>;
  Sums acc[kIntegerRows][kIntegerVectors] = {};
  for (int64_t u = 0; u < units; ++u) {
    Sums column[kIntegerVectors];
    for (int v = 0; v < kIntegerVectors; ++v)
      std::memcpy(&column[v], b + (u * kPanel + v * lanes) * 4, sizeof(Sums));
    for (int r = 0; r < kIntegerRows; ++r) {
      int32_t unit;
      std::memcpy(&unit, a[r] + 4 * u, sizeof unit);
      const Sums x = splat<Sums>(unit);
      for (int v = 0; v < kIntegerVectors; ++v)
        acc[r][v] = add_unit<bytes>(acc[r][v], x, column[v]);
    }
  }
  for (int r = 0; r < kIntegerRows; ++r)
    for (int v = 0; v < kIntegerVectors; ++v)
      std::memcpy(&sums[r][v * lanes], &acc[r][v], sizeof(Sums));
}

#if defined(__AVX512BW__)
struct Tiles : TileRegisters {
  // The sums of kTileRows rows, row_bytes apart, by one panel.
  void multiply(const char* a, int64_t row_bytes, const char* b, int64_t units,
                int32_t (*sums)[kPanel]) const {
    constexpr int64_t step = kPanel * 4;
    for (int64_t half = 0; half < 2; ++half) {
      asm volatile("tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3" : :);
      for (int64_t u = 0; u < units; u += 16) {
        const char *upper = a + 4 * u, *lower = upper + 16 * row_bytes;
        const char *left = b + u * step + half * 128, *right = left + 64;
        asm volatile(
            "tileloadd (%0,%2,1), %%tmm4\n tileloadd (%3,%5,1), %%tmm6\n"
            "tdpbusd %%tmm6, %%tmm4, %%tmm0\n tileloadd (%4,%5,1), %%tmm7\n"
            "tdpbusd %%tmm7, %%tmm4, %%tmm1\n tileloadd (%1,%2,1), %%tmm5\n"
            "tdpbusd %%tmm6, %%tmm5, %%tmm2\n tdpbusd %%tmm7, %%tmm5, %%tmm3"
            :
            : "r"(upper), "r"(lower), "r"(row_bytes), "r"(left), "r"(right), "r"(step)
            : "memory");
      }
      int32_t *top = sums[0] + half * 32, *bottom = sums[16] + half * 32;
      asm volatile(
          "tilestored %%tmm0, (%0,%2,1)\n tilestored %%tmm1, 64(%0,%2,1)\n"
          "tilestored %%tmm2, (%1,%2,1)\n tilestored %%tmm3, 64(%1,%2,1)"
          :
          : "r"(top), "r"(bottom), "r"(step)
          : "memory");
    }
  }
};
#else
struct Tiles {
  void multiply(const char*, int64_t, const char*, int64_t, int32_t (*)[kPanel]) const {}
};
#endif

template <class T>
void store_bytes(const Finish& f, const int32_t* sums, int64_t i, int64_t j, int64_t count, T* y) {
  const int32_t bias = f.bias ? f.bias[i] : 0;
  const float row = f.row_scale[i * f.row_step], y_scale = f.y_scale[i * f.y_scale_step];
  const auto zero = float(static_cast<const T*>(f.y_zero)[i * f.y_zero_step]);
  constexpr auto low = float(std::numeric_limits<T>::min()),
                 high = float(std::numeric_limits<T>::max());
  const float* columns = f.column_scale + j * f.column_step;
  const auto one = [&](int64_t q, float factor) {
    const auto sum = float(int32_t(uint32_t(sums[q]) + uint32_t(bias)));
    const float step = std::nearbyint(sum * factor) + zero;
    return T(int32_t(std::max(std::min(step, high), low)));
  };
  if (f.column_step == 0) {
    const float factor = row * columns[0] / y_scale;
    for (int64_t q = 0; q < count; ++q) y[q] = one(q, factor);
  } else {
    for (int64_t q = 0; q < count; ++q) y[q] = one(q, row * columns[q] / y_scale);
  }
}

// What the zero points of A (less) and B make of sum: sum - b_zero * a_sum - a_zero * b_rest, with
// b_rest = b_sum - k * b_zero.
void take_zeros(int32_t* sums, int32_t a_sum, int32_t a_zero, const int32_t* b_zero,
                const int32_t* b_rest, int64_t count) {
  for (int64_t j = 0; j < count; ++j)
    sums[j] = int32_t(uint32_t(sums[j]) - uint32_t(b_zero[j]) * uint32_t(a_sum) -
                      uint32_t(a_zero) * uint32_t(b_rest[j]));
}

}  // namespace

void Finish::store(const int32_t* sums, int64_t i, int64_t j, int64_t count, void* y) const {
  if (bytes && is_signed) return store_bytes(*this, sums, i, j, count, static_cast<int8_t*>(y));
  if (bytes) return store_bytes(*this, sums, i, j, count, static_cast<uint8_t*>(y));
  std::memcpy(y, sums, size_t(count) * sizeof *sums);
}

void IntegerProduct::pack_rows(const void* a, const Zeros& zeros, char* to) const {
  auto* behind = reinterpret_cast<int32_t*>(to + (m + kTileRows) * row_bytes());
  const int32_t shift = a_signed ? 128 : 0;
  parallel(*device, m, 1, 0.2 * double(k) + 5, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto* from = static_cast<const uint8_t*>(a) + i * k;
      char* row = to + i * row_bytes();
      const int32_t zero = zeros.at(i);
      if (in_bytes()) {
        uint32_t sum = 0;
        for (int64_t p = 0; p < k; ++p) {
          const auto x = uint8_t(from[p] ^ shift);
          row[p] = char(x);
          sum += x;
        }
        std::memset(row + k, 0, size_t(row_bytes() - k));
        behind[2 * i] = int32_t(sum);
        behind[2 * i + 1] = zero + shift;
        continue;
      }
      auto* numbers = reinterpret_cast<int16_t*>(row);
      for (int64_t p = 0; p < k; ++p)
        numbers[p] = int16_t((a_signed ? int8_t(from[p]) : from[p]) - zero);
      if (k % 2) numbers[k] = 0;
    }
  });
}

PanelPacker::PanelPacker(const IntegerProduct& product, const Zeros& zeros, int64_t j,
                         int64_t count, char* to)
    : product_(product), count_(count), to_(reinterpret_cast<uint32_t*>(to)) {
  for (int64_t i = 0; i < kPanel; ++i) zero_[i] = i < count ? zeros.at(j + i) : 0;
  std::memset(none_, product.b_signed ? 0 : 0x80, sizeof none_);
}

void PanelPacker::add(int64_t unit, const uint8_t* const* rows) {
  uint32_t* to = to_ + unit * kPanel;
  const uint8_t *first = rows[0], *second = rows[1], *third = rows[2], *fourth = rows[3];
  if (product_.in_bytes()) {
    const uint32_t flip = product_.b_signed ? 0 : 0x80808080u;
    for (int64_t j = 0; j < count_; ++j) {
      const uint32_t numbers = (uint32_t(first[j]) | uint32_t(second[j]) << 8 |
                                uint32_t(third[j]) << 16 | uint32_t(fourth[j]) << 24) ^
                               flip;
      to[j] = numbers;
      sum_[j] +=
          int8_t(numbers) + int8_t(numbers >> 8) + int8_t(numbers >> 16) + int8_t(numbers >> 24);
    }
  } else if (product_.b_signed) {
    for (int64_t j = 0; j < count_; ++j)
      to[j] = uint32_t(uint16_t(int8_t(first[j]) - zero_[j])) |
              uint32_t(int8_t(second[j]) - zero_[j]) << 16;
  } else {
    for (int64_t j = 0; j < count_; ++j)
      to[j] = uint32_t(uint16_t(first[j] - zero_[j])) | uint32_t(second[j] - zero_[j]) << 16;
  }
  if (count_ < kPanel) std::memset(to + count_, 0, size_t(kPanel - count_) * 4);
}

void PanelPacker::finish() {
  const int64_t filled = (product_.k + product_.unit() - 1) / product_.unit(),
                all = product_.units();
  uint32_t* end = to_ + filled * kPanel;
  std::memset(end, 0, size_t(all - filled) * kPanel * 4);
  auto* behind = reinterpret_cast<int32_t*>(to_ + all * kPanel);
  for (int64_t j = 0; j < kPanel; ++j) {
    const int32_t zero = zero_[j] - (product_.b_signed ? 0 : 128);
    behind[j] = zero;
    behind[kPanel + j] = int32_t(uint32_t(sum_[j]) - uint32_t(product_.k) * uint32_t(zero));
  }
}

void IntegerProduct::run(const char* a, const char* b, int64_t first, int64_t count, void* y,
                         const Finish& finish) const {
  const bool bytes = in_bytes(), tiled = bytes && device->amx_int8 && m > kIntegerRows;
  const int64_t step = tiled ? kTileRows : kIntegerRows, blocks = (m + step - 1) / step;
  const auto* behind_a = reinterpret_cast<const int32_t*>(a + (m + kTileRows) * row_bytes());
  const double ns = (tiled ? 0.002 : 0.01) * double(step) * double(kPanel) * double(k) + 50;

  const auto block = [&](int64_t t, const Tiles* tiles) {
    alignas(kVectorBytes) int32_t sums[kTileRows][kPanel];
    // Row blocks vary fastest: a panel stays in the cache for all of them.
    const int64_t i = t % blocks * step, j = (first + t / blocks) * kPanel;
    const int64_t rows = std::min(step, m - i), columns = std::min(kPanel, n - j);
    const char* panel = b + t / blocks * panel_bytes();
    if (tiles) {
      tiles->multiply(a + i * row_bytes(), row_bytes(), panel, units(), sums);
    } else {
      const char* from[kIntegerRows];  // those that there are not are others again
      for (int r = 0; r < kIntegerRows; ++r)
        from[r] = a + (i + std::min<int64_t>(r, rows - 1)) * row_bytes();
      if (bytes)
        multiply_panel<true>(from, panel, units(), sums);
      else
        multiply_panel<false>(from, panel, units(), sums);
    }
    const auto* behind_b = reinterpret_cast<const int32_t*>(panel + kPanel * row_bytes());
    for (int64_t r = 0; r < rows; ++r) {
      if (bytes)
        take_zeros(sums[r], behind_a[2 * (i + r)], behind_a[2 * (i + r) + 1], behind_b,
                   behind_b + kPanel, columns);
      const int64_t at = ((i + r) * n + j) * finish.element_bytes();
      finish.store(sums[r], i + r, j, columns, static_cast<char*>(y) + at);
    }
  };
  parallel(*device, blocks * count, 1, ns, [&](int64_t begin, int64_t end) {
    if (!tiled) {
      for (int64_t t = begin; t < end; ++t) block(t, nullptr);
      return;
    }
    const Tiles tiles;
    for (int64_t t = begin; t < end; ++t) block(t, &tiles);
  });
}

}  // namespace tenon::cpu::CPU_ISA
