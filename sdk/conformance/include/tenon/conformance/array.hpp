// Values on the host as the kit holds them: floating elements as doubles, complex ones as two of
// them, all others as 64-bit integers. Inputs are representable in the dtype they stand for; what an oracle gives is not rounded.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "tenon/base.h"

namespace tenon::conformance {

using Dims = std::vector<int64_t>;

// ---- dtypes

constexpr bool is_float(tn_dtype dtype) {
  return TN_DTYPE_CODE(dtype) == TN_DTYPE_CODE(TN_DTYPE_F32) || dtype == TN_DTYPE_BF16;
}
// Rounding and limits below are those of its parts.
constexpr bool is_complex(tn_dtype dtype) {
  return TN_DTYPE_CODE(dtype) == TN_DTYPE_CODE(TN_DTYPE_C64);
}
bool is_signed(tn_dtype dtype);
bool is_integer(tn_dtype dtype);  // bool is none
std::string name_of(tn_dtype dtype);
// Distance from 1 to the next number.
double epsilon(tn_dtype dtype);
double largest(tn_dtype dtype);
double smallest_normal(tn_dtype dtype);
// The nearest value of a floating dtype, ties to even; infinity beyond the largest.
double round_to(tn_dtype dtype, double value);
// The low bits of an integer, as its dtype reads them.
int64_t wrap_to(tn_dtype dtype, int64_t value);
// Common dtype by the rules of the Python array API, mixed kinds giving the floating one and two
// half formats giving f32; bool gives way to the other one.
tn_dtype promote(tn_dtype a, tn_dtype b);

// ---- arrays

// Dense, row-major. Exactly one of `f` and `i` is in use: f for floating and complex dtypes. Element k
// is number k, of complex dtypes numbers 2 k and 2 k + 1.
struct Array {
  tn_dtype dtype = TN_DTYPE_F64;
  Dims dims;
  std::vector<double> f;
  std::vector<int64_t> i;  // bool: 0 or 1; u64: the bit pattern
  // What an error of an element is measured by, where its own size is no measure (sums that
  // cancel). Empty: the element itself.
  std::vector<double> scale;
  int64_t terms = 1;    // how many terms were added up for one element
  bool weak = false;    // a weakly typed host scalar
  bool absent = false;  // an optional input that is not given

  Array() = default;
  Array(tn_dtype type, Dims shape);  // zeros

  int64_t count() const;
  int64_t parts() const { return is_complex(dtype) ? 2 : 1; }
  int64_t numbers() const { return count() * parts(); }
  size_t rank() const { return dims.size(); }
  bool floating() const { return is_float(dtype) || is_complex(dtype); }
  double real(int64_t k) const {  // number k, any dtype
    const auto at = static_cast<size_t>(k);
    if (floating()) return f[at];
    return dtype == TN_DTYPE_U64 ? static_cast<double>(static_cast<uint64_t>(i[at]))
                                 : static_cast<double>(i[at]);
  }
  int64_t integer(int64_t k) const { return i[static_cast<size_t>(k)]; }
  // Stores number k, rounded or wrapped to the dtype.
  void set(int64_t k, double value);
  void set(int64_t k, int64_t value);
  void copy_from(int64_t k, const Array& other, int64_t from);  // an element of the same dtype
};

int64_t count_of(const Dims& dims);
Dims strides_of(const Dims& dims);
std::string text_of(const Dims& dims);
// "3" or "[1,2]": where element k of an array of these dims lies.
std::string place_of(const Dims& dims, int64_t k);
int64_t offset_of(const Dims& index, const Dims& strides);
// Every index of `dims` in row-major order; one call for rank 0.
void for_each(const Dims& dims, const std::function<void(const Dims& index)>& body);
// -1 counts from the end.
size_t axis_of(int64_t axis, size_t rank);

// By numpy's rules; throws std::logic_error where they do not fit.
Dims broadcast_dims(const Dims& a, const Dims& b);
Array broadcast(const Array& x, const Dims& dims);
// Axis k of the result is axis perm[k] of x.
Array transposed(const Array& x, const std::vector<size_t>& perm);

// The elements as a device keeps them, and back. `bytes` has the size that the dims ask for.
std::vector<unsigned char> encode(const Array& x);
Array decode(tn_dtype dtype, const Dims& dims, const std::vector<unsigned char>& bytes);

}  // namespace tenon::conformance
