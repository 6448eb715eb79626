// A tensor in host memory as a dense row-major array of the widest type of its kind. Strides, immediates, broadcasting and the
// narrow types are dealt with here, once; a kernel loads, computes in plain loops, and stores. That costs a copy of each argument,
// and makes a kernel a few lines for all dtypes.
//
//   double   f16 bf16 f32 f64 (and the f8 types, which are only cast)
//   c128     c64 c128
//   int64_t  i8 i16 i32 i64 (and i4, which is only cast)
//   uint64_t u8 u16 u32 u64 (and u4), and bool as 0 / 1
#ifndef TENON_SDK_WIDE_HPP_
#define TENON_SDK_WIDE_HPP_
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "dtype.hpp"
#include "guard.hpp"
#include "view.hpp"

namespace tenon::sdk {

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
    is_complex<T>, c128,
    std::conditional_t<is_float<T>, double,
                       std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>>;

// Can elements of this dtype be loaded and stored?
inline bool is_stored(tn_dtype dtype) { return has_dtype<Stored>(dtype) || is_packed(dtype); }

// Calls f(W{}) for the wide type of a dtype that is stored. False: it is not.
template <class F>
bool visit_wide(tn_dtype dtype, F&& f) {
  return visit_dtype<Types<uint64_t, int64_t, double, c128>>(
      [&]() -> tn_dtype {
        if (has_dtype<Join<Unsigned, Bools>>(dtype) || dtype == TN_DTYPE_U4) return TN_DTYPE_U64;
        if (has_dtype<Signed>(dtype) || dtype == TN_DTYPE_I4) return TN_DTYPE_I64;
        if (has_dtype<Complexes>(dtype)) return TN_DTYPE_C128;
        if (has_dtype<Stored>(dtype)) return TN_DTYPE_F64;
        return TN_DTYPE_NONE;
      }(),
      [&](auto type) { f(typename decltype(type)::type{}); });
}

// One number as T. Integers wrap; floats become integers by truncation, clamped to T's range, NaN as 0; complex numbers lose
// their imaginary part.
template <class T, class W>
T convert(W value) {
  if constexpr (is_complex<T>) {
    if constexpr (is_complex<W>) {
      return T(value);
    } else {
      return T(static_cast<typename T::value_type>(value), 0);
    }
  } else if constexpr (std::same_as<T, bool>) {
    return value != W{};
  } else if constexpr (is_complex<W>) {
    return convert<T>(value.real());
  } else if constexpr (is_integer<T> && std::same_as<W, double>) {
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

namespace detail {

// Element i of a dense run, two to the byte: the first in the low half, I4 with its sign.
inline int64_t load_packed(const tn_view& v, int64_t i) {
  const int half = std::to_integer<int>(data<const std::byte>(v)[i / 2]) >> (i % 2 * 4) & 15;
  return v.dtype == TN_DTYPE_I4 && half > 7 ? half - 16 : half;
}
// What comes from a float is clamped, as for wider integers; whole numbers wrap.
template <class W>
std::byte to_packed(W value, tn_dtype dtype) {
  if constexpr (Integer<W>) {
    return static_cast<std::byte>(value & 15);
  } else {
    const int low = dtype == TN_DTYPE_I4 ? -8 : 0;
    return static_cast<std::byte>(std::clamp<int>(convert<int8_t>(value), low, low + 15) & 15);
  }
}

}  // namespace detail

// The elements of v in row-major order, of a host scalar one at least. W is the wide type of v's dtype.
template <class W>
Dense<W> load(const tn_view& v) {
  Dense<W> out;
  if (is_packed(v.dtype)) {
    out.resize(is_immediate(v) ? 1 : static_cast<size_t>(v.count));
    for (int64_t i = 0; W & x : out) x = convert<W>(detail::load_packed(v, i++));
    return out;
  }
  visit_dtype<Stored>(v.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::same_as<Wide<T>, W>) {
      const T* x = data<const T>(v);
      if (is_immediate(v)) {
        out.assign(static_cast<size_t>(std::max<int64_t>(v.count, 1)), convert<W>(*x));
        return;
      }
      out.resize(static_cast<size_t>(v.count));
      W* next = out.data();
      for_each(coalesce_views(v), [&](int64_t i) { *next++ = convert<W>(x[i]); });
    }
  });
  return out;
}

// The same, repeated to the dims of `out` where v is a host scalar: what an elementwise op computes on.
template <class W>
Dense<W> load_like(const tn_view& v, const tn_view& out) {
  if (!is_immediate(v)) return load<W>(v);
  return Dense<W>(static_cast<size_t>(out.count), load<W>(v)[0]);
}

// Writes to v, of any dtype, converting each element.
template <class W>
void store(const Dense<W>& values, const tn_view& v) {
  if (is_packed(v.dtype)) {
    auto* y = data<std::byte>(v);
    std::fill_n(y, tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count)), std::byte{0});
    for (size_t i = 0; i < values.size(); ++i) {
      y[i / 2] |= detail::to_packed(values[i], v.dtype) << (i % 2 * 4);
    }
    return;
  }
  visit_dtype<Stored>(v.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* y = data<T>(v);
    const W* next = values.data();
    for_each(coalesce_views(v), [&](int64_t i) { y[i] = convert<T>(*next++); });
  });
}

// Integers of any width as int64_t.
inline Dense<int64_t> load_indices(const tn_view& v) {
  Dense<int64_t> out;
  visit_wide(v.dtype, [&](auto zero) {
    using W = decltype(zero);
    if constexpr (Integer<W>) {
      for (W value : load<W>(v)) out.push_back(static_cast<int64_t>(value));
    }
  });
  return out;
}

// What to say of an index, of this dtype and at this position, that is outside an axis of `size` elements: "gather: indices has 9 at
// position 2, outside an axis of 3 elements: use -3 to 2". what: "gather: indices". from_end: those below 0 count from the end of the
// axis; without it the numbers need not be places along one.
inline std::string outside_text(std::string_view what, tn_dtype dtype, int64_t index,
                                int64_t position, int64_t size, bool from_end) {
  const bool is_unsigned = has_dtype<Unsigned>(dtype);
  const std::string value = is_unsigned ? text(static_cast<uint64_t>(index)) : text(index);
  std::string s = text(what, " has ", value, " at position ", position);
  if (from_end) s += text(", outside an axis of ", size, " elements");
  if (size > 0) s += text(": use ", from_end && !is_unsigned ? -size : 0, " to ", size - 1);
  return s;
}

// Indices along an axis of `size`, as gather and scatter take them: negative ones count from the end where `from_end`, one outside
// the axis is an error that names it.
inline Dense<int64_t> load_positions(std::string_view what, const tn_view& indices, int64_t size,
                                     bool from_end = true) {
  Dense<int64_t> positions = load_indices(indices);
  const int64_t least = has_dtype<Unsigned>(indices.dtype) || !from_end ? 0 : -size;
  for (size_t i = 0; i < positions.size(); ++i) {
    const int64_t index = positions[i];
    if (index < least || index >= size) {
      fail(TN_OUT_OF_RANGE,
           outside_text(what, indices.dtype, index, static_cast<int64_t>(i), size, from_end));
    }
    if (index < 0) positions[i] += size;
  }
  return positions;
}

// Elements that are moved and not computed on, as bytes: element i starts at i * element_bytes(v).
inline Dense<std::byte> load_bytes(const tn_view& v) {
  const auto size = static_cast<size_t>(element_bytes(v));
  const auto* from = data<const std::byte>(v);
  Dense<std::byte> out(static_cast<size_t>(v.count) * size);
  std::byte* next = out.data();
  if (is_immediate(v)) {
    for (int64_t i = 0; i < v.count; ++i, next += size) std::memcpy(next, from, size);
    return out;
  }
  for_each(coalesce_views(v), [&](int64_t i) {
    std::memcpy(next, from + i * static_cast<int64_t>(size), size);
    next += size;
  });
  return out;
}

inline Dense<std::byte> load_bytes_like(const tn_view& v, const tn_view& out) {
  if (!is_immediate(v)) return load_bytes(v);
  tn_view repeated = v;
  repeated.count = out.count;
  return load_bytes(repeated);
}

inline void store_bytes(const Dense<std::byte>& bytes, const tn_view& v) {
  const auto size = static_cast<size_t>(element_bytes(v));
  auto* to = data<std::byte>(v);
  const std::byte* next = bytes.data();
  for_each(coalesce_views(v), [&](int64_t i) {
    std::memcpy(to + i * static_cast<int64_t>(size), next, size);
    next += size;
  });
}
// Pieces of `size` bytes: piece i of the result is piece from[i] of `bytes`.
inline Dense<std::byte> select_bytes(const Dense<std::byte>& bytes, const Dense<int64_t>& from,
                                     int64_t size) {
  Dense<std::byte> out(from.size() * static_cast<size_t>(size));
  std::byte* next = out.data();
  for (int64_t source : from) next = std::copy_n(bytes.data() + source * size, size, next);
  return out;
}

}  // namespace tenon::sdk
#endif
