// Facts about dtypes, and promotion by the rules of the array API.
#pragma once
#include <cstdint>
#include <string>

#include "tenon/base.h"

namespace tenon {

enum class Kind : uint8_t { kNone, kBool, kSigned, kUnsigned, kFloat, kComplex, kStorage };

Kind dtype_kind(tn_dtype t);
inline bool is_floating(tn_dtype t) {
  const Kind k = dtype_kind(t);
  return k == Kind::kFloat || k == Kind::kComplex;
}
bool dtype_known(tn_dtype t);
inline uint64_t dtype_size(tn_dtype t) { return (TN_DTYPE_BITS(t) * TN_DTYPE_LANES(t) + 7) / 8; }

// Common dtype of two typed operands; TN_DTYPE_NONE if there is none (f8, i4 ...).
tn_dtype promote(tn_dtype a, tn_dtype b);
// The same where either may be a weak scalar, which counts only by its kind.
tn_dtype promote(tn_dtype a, bool a_weak, tn_dtype b, bool b_weak);
// What a weak scalar becomes on its own: f32, i64 or bool.
tn_dtype weak_default(tn_dtype weak);

// Element <-> host scalar. `bytes` holds one element of dtype t (not storage-only dtypes).
double element_to_f64(const void* bytes, tn_dtype t);
int64_t element_to_i64(const void* bytes, tn_dtype t);
void element_from_f64(void* bytes, tn_dtype t, double value);
void element_from_i64(void* bytes, tn_dtype t, int64_t value);
// "12", "0.5", "nan": one element as text with `digits` significant digits.
std::string element_text(const void* bytes, tn_dtype t, int digits);

}  // namespace tenon
