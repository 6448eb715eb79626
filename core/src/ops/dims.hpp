// Dims and kinds of dtype, as rules and recipes use them. Private to core/src/ops.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "tenon/base.h"

namespace tenon::ops {

// A dim is an int64: >= 0 concrete, <= -2^62 symbolic.
inline bool concrete(int64_t dim) { return dim >= 0; }

// Up to TN_MAX_RANK dims, or other numbers per axis.
struct Dims {
  int64_t d[TN_MAX_RANK] = {};
  uint32_t n = 0;

  Dims() = default;
  Dims(uint32_t count, int64_t value) {
    for (uint32_t i = 0; i < count; ++i) push(value);
  }
  void push(int64_t dim) {
    if (n < TN_MAX_RANK) d[n++] = dim;
  }
  int64_t& operator[](uint32_t i) { return d[i]; }
  int64_t operator[](uint32_t i) const { return d[i]; }
  const int64_t* begin() const { return d; }
  const int64_t* end() const { return d + n; }
  std::span<const int64_t> span() const { return {d, n}; }
};

inline bool concrete(const Dims& dims) {
  for (const int64_t d : dims)
    if (!concrete(d)) return false;
  return true;
}

// For certain without elements: symbolic dims count as some.
inline bool known_empty(const Dims& dims) {
  for (const int64_t d : dims)
    if (d == 0) return true;
  return false;
}

// A text that nobody has to destroy, for errors; what is longer is cut off.
struct Text {
  char chars[200];
};
Text dim_text(int64_t dim);                           // "3", or "?" of a symbolic dim
Text dims_text(std::span<const int64_t> dims);        // "[2, ?, 3]"
Text numbers_text(std::span<const int64_t> numbers);  // "[0, -2]"

// Kinds of dtype as bits of a mask, ordered as promotion orders them.
inline constexpr uint32_t kBool = 1, kInt = 2, kFloat = 4, kComplex = 8, kStorage = 16;
inline constexpr uint32_t kReal = kInt | kFloat, kNumber = kReal | kComplex,
                          kComputable = kNumber | kBool, kAnyKind = kComputable | kStorage;

inline uint32_t kind_of(tn_dtype dtype) {
  switch (TN_DTYPE_CODE(dtype)) {
    case 0:
    case 1:
      return TN_DTYPE_BITS(dtype) < 8 ? kStorage : kInt;
    case 2:
    case 4:
      return kFloat;
    case 5:
      return kComplex;
    case 6:
      return kBool;
    default:
      return kStorage;
  }
}
inline bool is_unsigned(tn_dtype dtype) { return TN_DTYPE_CODE(dtype) == 1; }
// Of the parts of a complex dtype; any other: itself.
inline tn_dtype part_of(tn_dtype dtype) {
  return dtype == TN_DTYPE_C64 ? TN_DTYPE_F32 : dtype == TN_DTYPE_C128 ? TN_DTYPE_F64 : dtype;
}
inline bool is_half(tn_dtype dtype) { return dtype == TN_DTYPE_F16 || dtype == TN_DTYPE_BF16; }

}  // namespace tenon::ops
