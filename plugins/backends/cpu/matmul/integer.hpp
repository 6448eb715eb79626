// Products of u8 and i8 numbers, exact in i32: rows of A by panels of columns of B. Along the inner
// axis the numbers lie in units of 4 bytes: four u8 by four i8 where the processor multiplies those,
// whose zero points are taken away from the sums; else two i16, already less their zero points.
#ifndef TENON_CPU_MATMUL_INTEGER_HPP_
#define TENON_CPU_MATMUL_INTEGER_HPP_
#include "kernels/simd.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)
inline constexpr int kIntegerRows = 6, kIntegerVectors = 4;
#else
inline constexpr int kIntegerRows = 4, kIntegerVectors = 2;
#endif
inline constexpr int64_t kPanel = kIntegerVectors * kLanes<int32_t>;  // columns
inline constexpr int64_t kTileRows = 32;                              // of AMX tiles, two of them

// What becomes of the sums of row i, columns j ...: y = sum + bias[i], as i32, or as u8 or i8
// rounded(y * row_scale[i] * column_scale[j] / y_scale[i]) + y_zero[i], limited. A step is 0 where one
// number serves all.
struct Finish {
  bool bytes = false, is_signed = false;
  const int32_t* bias = nullptr;
  const float *row_scale = nullptr, *column_scale = nullptr, *y_scale = nullptr;
  const void* y_zero = nullptr;
  int64_t row_step = 0, column_step = 0, y_scale_step = 0, y_zero_step = 0;

  int64_t element_bytes() const { return bytes ? 1 : 4; }
  void store(const int32_t* sums, int64_t i, int64_t j, int64_t count, void* y) const;
};

// A zero point, u8 or i8 as what it is of: one for all (step 0) or one for each place.
struct Zeros {
  const void* data = nullptr;  // null: 0
  int64_t step = 0;
  bool is_signed = false;
  int32_t at(int64_t i) const {
    if (!data) return 0;
    return is_signed ? static_cast<const int8_t*>(data)[i * step]
                     : static_cast<const uint8_t*>(data)[i * step];
  }
};

// A [m][k] by B [k][n] gives Y [m][n], dense. Packed operands lie in memory of the caller.
struct IntegerProduct {
  const Device* device;
  int64_t m = 0, n = 0, k = 0;
  bool a_signed = false, b_signed = false;

  bool in_bytes() const { return kPanel == 64 && device->avx512_vnni; }
  int64_t unit() const { return in_bytes() ? 4 : 2; }  // numbers
  int64_t units() const { return in_bytes() ? (k + 63) / 64 * 16 : (k + 1) / 2; }
  int64_t row_bytes() const { return units() * 4; }
  int64_t panels() const { return (n + kPanel - 1) / kPanel; }
  // Behind the rows are their sums and zero points; behind a panel what its columns take away.
  int64_t a_bytes() const { return (m + kTileRows) * row_bytes() + 8 * m; }
  int64_t panel_bytes() const { return kPanel * row_bytes() + 8 * kPanel; }

  void pack_rows(const void* a, const Zeros& zeros, char* to) const;
  // `count` panels of B from `first` on, which lie at b.
  void run(const char* a, const char* b, int64_t first, int64_t count, void* y,
           const Finish& finish) const;
};

// Packs one panel, unit by unit.
class PanelPacker {
 public:
  // Columns j .. j + count, at most kPanel.
  PanelPacker(const IntegerProduct& product, const Zeros& zeros, int64_t j, int64_t count,
              char* to);
  // row(k) gives the `count` bytes of row k of B; they are used before the next unit.
  template <class Row>
  void pack(Row&& row) {
    const int64_t n = product_.unit();
    for (int64_t u = 0; u * n < product_.k; ++u) {
      const uint8_t* rows[4] = {none_, none_, none_, none_};
      for (int64_t r = 0; r < n && u * n + r < product_.k; ++r) rows[r] = row(u * n + r);
      add(u, rows);
    }
    finish();
  }

 private:
  void add(int64_t unit, const uint8_t* const* rows);
  void finish();

  const IntegerProduct& product_;
  int64_t count_;
  uint32_t* to_;
  int32_t zero_[kPanel], sum_[kPanel] = {};
  uint8_t none_[kPanel];  // a row behind the last one
};

}  // namespace tenon::cpu::CPU_ISA
#endif
