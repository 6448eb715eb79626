#include "tenon/conformance/array.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace tenon::conformance {

namespace {

// A floating format: stored bits of the fraction, exponent of the smallest and the largest normal.
struct Format {
  int fraction, low, high;
};

Format format_of(tn_dtype dtype) {
  switch (dtype) {
    case TN_DTYPE_F64:
    case TN_DTYPE_C128:
      return {52, -1022, 1023};
    case TN_DTYPE_F32:
    case TN_DTYPE_C64:
      return {23, -126, 127};
    case TN_DTYPE_F16:
      return {10, -14, 15};
    case TN_DTYPE_BF16:
      return {7, -126, 127};
    default:
      throw std::logic_error("not a floating dtype");
  }
}

// The bit pattern of a value that is representable in a 16-bit format.
uint16_t pack16(tn_dtype dtype, double value) {
  const Format format = format_of(dtype);
  const uint32_t sign = std::signbit(value) ? 0x8000u : 0u;
  const uint32_t top = static_cast<uint32_t>(format.high - format.low + 2);  // exponent of inf
  if (std::isnan(value))
    return static_cast<uint16_t>(sign | top << format.fraction | 1u << (format.fraction - 1));
  if (std::isinf(value)) return static_cast<uint16_t>(sign | top << format.fraction);
  const double size = std::fabs(value);
  if (size < std::ldexp(1.0, format.low))
    return static_cast<uint16_t>(
        sign | static_cast<uint32_t>(std::ldexp(size, format.fraction - format.low)));
  const int exponent = std::ilogb(size);
  const auto fraction =
      static_cast<uint32_t>(std::ldexp(size, format.fraction - exponent)) - (1u << format.fraction);
  const auto biased = static_cast<uint32_t>(exponent - format.low + 1);
  return static_cast<uint16_t>(sign | biased << format.fraction | fraction);
}

double unpack16(tn_dtype dtype, uint16_t bits) {
  const Format format = format_of(dtype);
  const int top = format.high - format.low + 2;
  const int biased = (bits & 0x7fff) >> format.fraction;
  const int fraction = bits & ((1 << format.fraction) - 1);
  double size = 0;
  if (biased == top)
    size = fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (biased == 0)
    size = std::ldexp(fraction, format.low - format.fraction);
  else
    size = std::ldexp(fraction + (1 << format.fraction), biased - 1 + format.low - format.fraction);
  return (bits & 0x8000) != 0 ? -size : size;
}

template <class T>
void put(std::vector<unsigned char>& bytes, int64_t k, T value) {
  std::memcpy(bytes.data() + static_cast<size_t>(k) * sizeof(T), &value, sizeof(T));
}

template <class T>
T get(const std::vector<unsigned char>& bytes, int64_t k) {
  T value;
  std::memcpy(&value, bytes.data() + static_cast<size_t>(k) * sizeof(T), sizeof(T));
  return value;
}

int kind_of(tn_dtype dtype) { return dtype == TN_DTYPE_BOOL ? 0 : is_float(dtype) ? 2 : 1; }

}  // namespace

bool is_signed(tn_dtype dtype) {
  return TN_DTYPE_CODE(dtype) == TN_DTYPE_CODE(TN_DTYPE_I32) || is_float(dtype) ||
         is_complex(dtype);
}
bool is_integer(tn_dtype dtype) { return TN_DTYPE_CODE(dtype) <= TN_DTYPE_CODE(TN_DTYPE_U8); }

std::string name_of(tn_dtype dtype) {
  if (dtype == TN_DTYPE_BOOL) return "bool";
  if (dtype == TN_DTYPE_BF16) return "bf16";
  const char* kind = is_complex(dtype) ? "c" : is_float(dtype) ? "f" : is_signed(dtype) ? "i" : "u";
  return kind + std::to_string(TN_DTYPE_BITS(dtype));
}

double epsilon(tn_dtype dtype) { return std::ldexp(1.0, -format_of(dtype).fraction); }
double smallest_normal(tn_dtype dtype) { return std::ldexp(1.0, format_of(dtype).low); }
double largest(tn_dtype dtype) {
  const Format format = format_of(dtype);
  return std::ldexp(2.0 - std::ldexp(1.0, -format.fraction), format.high);
}

double round_to(tn_dtype dtype, double value) {
  if (dtype == TN_DTYPE_F64 || dtype == TN_DTYPE_C128 || !std::isfinite(value) || value == 0)
    return value;
  if (dtype == TN_DTYPE_F32 || dtype == TN_DTYPE_C64) return static_cast<float>(value);
  const Format format = format_of(dtype);
  const int exponent = std::max(std::ilogb(value), format.low);
  const int unit = exponent - format.fraction;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -unit)), unit);
  return std::fabs(rounded) > largest(dtype) ? std::copysign(HUGE_VAL, value) : rounded;
}

int64_t wrap_to(tn_dtype dtype, int64_t value) {
  switch (dtype) {
    case TN_DTYPE_BOOL:
      return value != 0;
    case TN_DTYPE_I4:
      return ((value + 8) & 15) - 8;
    case TN_DTYPE_U4:
      return value & 15;
    case TN_DTYPE_I8:
      return static_cast<int8_t>(value);
    case TN_DTYPE_I16:
      return static_cast<int16_t>(value);
    case TN_DTYPE_I32:
      return static_cast<int32_t>(value);
    case TN_DTYPE_U8:
      return static_cast<uint8_t>(value);
    case TN_DTYPE_U16:
      return static_cast<uint16_t>(value);
    case TN_DTYPE_U32:
      return static_cast<uint32_t>(value);
    default:
      return value;
  }
}

tn_dtype promote(tn_dtype a, tn_dtype b) {
  if (a == b) return a;
  const int ka = kind_of(a), kb = kind_of(b);
  if (ka != kb) return ka > kb ? a : b;
  const uint32_t bits = std::max(TN_DTYPE_BITS(a), TN_DTYPE_BITS(b));
  if (ka == 2) {
    if (TN_DTYPE_BITS(a) == TN_DTYPE_BITS(b)) return TN_DTYPE_F32;  // f16 with bf16
    return TN_DTYPE_BITS(a) > TN_DTYPE_BITS(b) ? a : b;
  }
  if (is_signed(a) == is_signed(b)) return TN_DTYPE_BITS(a) == bits ? a : b;
  const tn_dtype with_sign = is_signed(a) ? a : b, without = is_signed(a) ? b : a;
  if (TN_DTYPE_BITS(with_sign) > TN_DTYPE_BITS(without)) return with_sign;
  if (TN_DTYPE_BITS(without) == 64) return TN_DTYPE_NONE;
  return TN_DTYPE_MAKE(0, 2 * TN_DTYPE_BITS(without), 1);
}

Array::Array(tn_dtype type, Dims shape) : dtype(type), dims(std::move(shape)) {
  const auto n = static_cast<size_t>(numbers());
  if (floating())
    f.assign(n, 0.0);
  else
    i.assign(n, 0);
}

int64_t Array::count() const { return count_of(dims); }

void Array::set(int64_t k, double value) {
  const auto at = static_cast<size_t>(k);
  if (floating())
    f[at] = round_to(dtype, value);
  else if (dtype == TN_DTYPE_BOOL)
    i[at] = value != 0;
  else
    i[at] = wrap_to(dtype, dtype == TN_DTYPE_U64 && value > 0
                               ? static_cast<int64_t>(static_cast<uint64_t>(value))
                               : static_cast<int64_t>(value));
}

void Array::set(int64_t k, int64_t value) {
  if (floating())
    set(k, static_cast<double>(value));
  else
    i[static_cast<size_t>(k)] = wrap_to(dtype, value);
}

void Array::copy_from(int64_t k, const Array& other, int64_t from) {
  if (floating())
    std::copy_n(other.f.begin() + from * parts(), parts(), f.begin() + k * parts());
  else
    i[static_cast<size_t>(k)] = other.i[static_cast<size_t>(from)];
}

int64_t count_of(const Dims& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  return n;
}

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t k = dims.size(); k-- > 1;)
    strides[k - 1] = strides[k] * std::max<int64_t>(dims[k], 1);
  return strides;
}

std::string text_of(const Dims& dims) {
  std::string text = "[";
  for (size_t k = 0; k < dims.size(); ++k) text += (k != 0 ? "," : "") + std::to_string(dims[k]);
  return text + "]";
}

std::string place_of(const Dims& dims, int64_t k) {
  Dims index(dims.size());
  for (size_t axis = dims.size(); axis-- > 0;) {
    index[axis] = k % dims[axis];
    k /= dims[axis];
  }
  return text_of(index);
}

int64_t offset_of(const Dims& index, const Dims& strides) {
  int64_t offset = 0;
  for (size_t k = 0; k < index.size(); ++k) offset += index[k] * strides[k];
  return offset;
}

void for_each(const Dims& dims, const std::function<void(const Dims&)>& body) {
  Dims index(dims.size(), 0);
  for (int64_t left = count_of(dims); left > 0; --left) {
    body(index);
    for (size_t k = dims.size(); k-- > 0;) {
      if (++index[k] < dims[k]) break;
      index[k] = 0;
    }
  }
}

size_t axis_of(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()));
  for (size_t k = 0; k < out.size(); ++k) {
    const size_t from_end = out.size() - k;
    const int64_t x = from_end <= a.size() ? a[a.size() - from_end] : 1;
    const int64_t y = from_end <= b.size() ? b[b.size() - from_end] : 1;
    if (x != y && x != 1 && y != 1) throw std::logic_error("dims do not broadcast");
    out[k] = x == 1 ? y : x;
  }
  return out;
}

Array broadcast(const Array& x, const Dims& dims) {
  Array y(x.dtype, dims);
  const Dims own = strides_of(x.dims);
  Dims strides(dims.size(), 0);
  for (size_t k = 0; k < x.rank(); ++k)
    if (x.dims[k] != 1) strides[dims.size() - x.rank() + k] = own[k];
  int64_t at = 0;
  for_each(dims, [&](const Dims& index) { y.copy_from(at++, x, offset_of(index, strides)); });
  return y;
}

Array transposed(const Array& x, const std::vector<size_t>& perm) {
  const Dims own = strides_of(x.dims);
  Dims dims(x.rank()), strides(x.rank());
  for (size_t k = 0; k < perm.size(); ++k) {
    dims[k] = x.dims[perm[k]];
    strides[k] = own[perm[k]];
  }
  Array y(x.dtype, dims);
  int64_t at = 0;
  for_each(dims, [&](const Dims& index) { y.copy_from(at++, x, offset_of(index, strides)); });
  return y;
}

std::vector<unsigned char> encode(const Array& x) {
  std::vector<unsigned char> bytes(tn_dtype_bytes(x.dtype, static_cast<uint64_t>(x.count())));
  for (int64_t k = 0, n = x.numbers(); k < n; ++k) {
    if (x.dtype == TN_DTYPE_F64 || x.dtype == TN_DTYPE_C128)
      put(bytes, k, x.real(k));
    else if (x.dtype == TN_DTYPE_F32 || x.dtype == TN_DTYPE_C64)
      put(bytes, k, static_cast<float>(x.real(k)));
    else if (x.floating())
      put(bytes, k, pack16(x.dtype, x.real(k)));
    else if (TN_DTYPE_BITS(x.dtype) == 4)  // two to a byte, the first in the low half
      bytes[static_cast<size_t>(k / 2)] |=
          static_cast<unsigned char>((x.integer(k) & 15) << (k % 2 * 4));
    else if (TN_DTYPE_BITS(x.dtype) == 8)
      put(bytes, k, static_cast<uint8_t>(x.integer(k)));
    else if (TN_DTYPE_BITS(x.dtype) == 16)
      put(bytes, k, static_cast<uint16_t>(x.integer(k)));
    else if (TN_DTYPE_BITS(x.dtype) == 32)
      put(bytes, k, static_cast<uint32_t>(x.integer(k)));
    else
      put(bytes, k, x.integer(k));
  }
  return bytes;
}

Array decode(tn_dtype dtype, const Dims& dims, const std::vector<unsigned char>& bytes) {
  Array x(dtype, dims);
  for (int64_t k = 0, n = x.numbers(); k < n; ++k) {
    const auto at = static_cast<size_t>(k);
    if (dtype == TN_DTYPE_F64 || dtype == TN_DTYPE_C128)
      x.f[at] = get<double>(bytes, k);
    else if (dtype == TN_DTYPE_F32 || dtype == TN_DTYPE_C64)
      x.f[at] = static_cast<double>(get<float>(bytes, k));
    else if (x.floating())
      x.f[at] = unpack16(dtype, get<uint16_t>(bytes, k));
    else if (dtype == TN_DTYPE_BOOL)
      x.i[at] = get<uint8_t>(bytes, k);  // any byte but 0 and 1 is seen as what it is
    else if (TN_DTYPE_BITS(dtype) == 4)
      x.i[at] = wrap_to(dtype, bytes[at / 2] >> (at % 2 * 4));
    else if (TN_DTYPE_BITS(dtype) == 8)
      x.i[at] = wrap_to(dtype, get<uint8_t>(bytes, k));
    else if (TN_DTYPE_BITS(dtype) == 16)
      x.i[at] = wrap_to(dtype, get<uint16_t>(bytes, k));
    else if (TN_DTYPE_BITS(dtype) == 32)
      x.i[at] = wrap_to(dtype, get<uint32_t>(bytes, k));
    else
      x.i[at] = get<int64_t>(bytes, k);
  }
  return x;
}

}  // namespace tenon::conformance
