// How every kernel of this backend sees a tensor: as a dense row-major array of the widest type of its kind. Strides, immediates,
// broadcasting and the narrow types are dealt with here, once; a kernel reads, computes in plain loops, and writes.
//
//   double   f16 bf16 f32 f64 (and the f8 types, which are only cast)
//   c128     c64 c128
//   int64_t  i8 i16 i32 i64
//   uint64_t u8 u16 u32 u64, and bool as 0 / 1
#ifndef TENON_BACKENDS_REFERENCE_WIDE_HPP_
#define TENON_BACKENDS_REFERENCE_WIDE_HPP_
#include <tenon/sdk/backend.hpp>

#include <cstddef>
#include <limits>
#include <vector>

namespace tenon::reference {

using sdk::c128;

template <class W>
using Dense = std::vector<W>;

// ---- kinds of numbers ---------------------------------------------------------------------------

template <class W>
concept Complex = std::same_as<W, c128>;
template <class W>
concept Integer = std::same_as<W, int64_t> || std::same_as<W, uint64_t>;
template <class W>
concept Real = std::same_as<W, double> || Integer<W>;
template <class W>
concept Fractional = std::same_as<W, double> || Complex<W>;

template <class T>
using Wide = std::conditional_t<
    sdk::is_complex<T>, c128,
    std::conditional_t<sdk::is_float<T>, double,
                       std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>>;

// Calls f(W{}) for the wide type of a computable dtype. False: it is none.
template <class F>
bool visit_wide(tn_dtype dtype, F&& f) {
  return sdk::visit_dtype<sdk::Types<uint64_t, int64_t, double, c128>>(
      [&]() -> tn_dtype {
        if (sdk::has_dtype<sdk::Join<sdk::Unsigned, sdk::Bools>>(dtype)) return TN_DTYPE_U64;
        if (sdk::has_dtype<sdk::Signed>(dtype)) return TN_DTYPE_I64;
        if (sdk::has_dtype<sdk::Complexes>(dtype)) return TN_DTYPE_C128;
        if (sdk::has_dtype<sdk::Stored>(dtype)) return TN_DTYPE_F64;
        return TN_DTYPE_NONE;
      }(),
      [&](auto type) { f(typename decltype(type)::type{}); });
}

// One number as T. Integers wrap; floats become integers by truncation, clamped to T's range, NaN as 0; complex numbers lose
// their imaginary part.
template <class T, class W>
T convert(W value) {
  if constexpr (sdk::is_complex<T>) {
    if constexpr (sdk::is_complex<W>) {
      return T(value);
    } else {
      return T(static_cast<typename T::value_type>(value), 0);
    }
  } else if constexpr (std::same_as<T, bool>) {
    return value != W{};
  } else if constexpr (sdk::is_complex<W>) {
    return convert<T>(value.real());
  } else if constexpr (sdk::is_integer<T> && std::same_as<W, double>) {
    using Limits = std::numeric_limits<T>;
    const double above = std::ldexp(1.0, Limits::digits);  // the first one that T cannot hold
    if (std::isnan(value)) return 0;
    if (value >= above) return Limits::max();
    if (value < static_cast<double>(Limits::min())) return Limits::min();
    return static_cast<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

// ---- reading and writing ------------------------------------------------------------------------

// The elements of v in row-major order. W is the wide type of v's dtype.
template <class W>
Dense<W> load(const tn_view& v);

// The same, repeated to the dims of `out` where v is a host scalar: what an elementwise op computes on.
template <class W>
Dense<W> load_like(const tn_view& v, const tn_view& out) {
  if (!sdk::is_immediate(v)) return load<W>(v);
  return Dense<W>(static_cast<size_t>(out.count), load<W>(v)[0]);
}

// Writes to v, of any dtype, converting each element.
template <class W>
void store(const Dense<W>& values, const tn_view& v);

// Integers of any width as int64_t.
Dense<int64_t> load_indices(const tn_view& v);

// Elements that are moved and not computed on, as bytes: element i starts at i * sdk::element_bytes(v).
Dense<std::byte> load_bytes(const tn_view& v);
Dense<std::byte> load_bytes_like(const tn_view& v, const tn_view& out);
void store_bytes(const Dense<std::byte>& bytes, const tn_view& v);
// Can elements of this dtype be moved one by one? Not the ones smaller than a byte.
inline bool is_movable(tn_dtype dtype) {
  return dtype != TN_DTYPE_NONE && TN_DTYPE_BITS(dtype) * TN_DTYPE_LANES(dtype) % 8 == 0;
}

// ---- shapes -------------------------------------------------------------------------------------

// A shape cut at one axis: element (o, k, i) of a dense array is at (o * size + k) * inner + i.
struct AxisSplit {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
};
AxisSplit split_at(std::span<const int64_t> dims, int64_t axis);

// axis counted from the end when negative; throws OUT_OF_RANGE.
int normal_axis(int64_t axis, int64_t rank);

int64_t product(std::span<const int64_t> dims);

// Calls f(index) for every index vector in row-major order.
template <class F>
void for_each_index(std::span<const int64_t> dims, F&& f) {
  if (product(dims) == 0) return;
  std::vector<int64_t> index(dims.size());
  while (true) {
    f(std::span<const int64_t>(index));
    size_t axis = dims.size();
    while (axis > 0 && ++index[axis - 1] == dims[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

// ---- arithmetic ---------------------------------------------------------------------------------

// Integers wrap, so they are added and multiplied as unsigned.
template <class W, class F>
W wrapping(W a, W b, F f) {
  if constexpr (Integer<W>) {
    return static_cast<W>(f(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
  } else {
    return f(a, b);
  }
}
template <class W>
W sum_of(W a, W b) {
  return wrapping(a, b, [](auto x, auto y) { return x + y; });
}
template <class W>
W product_of(W a, W b) {
  return wrapping(a, b, [](auto x, auto y) { return x * y; });
}
template <Real W>
bool is_nan(W x) {
  return x != x;
}
// The greater of two; NaN wins, and of equals the first.
template <Real W>
W greater_of(W a, W b) {
  return is_nan(a) || !(b > a || is_nan(b)) ? a : b;
}
template <Real W>
W lesser_of(W a, W b) {
  return is_nan(a) || !(b < a || is_nan(b)) ? a : b;
}

}  // namespace tenon::reference
#endif
