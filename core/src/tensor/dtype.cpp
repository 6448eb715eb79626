#include "dtype.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/error.hpp"
#include "tenon/op.h"

namespace tenon {
namespace {

struct Entry {
  tn_dtype dtype;
  const char* name;
  Kind kind;
};
constexpr Entry kTypes[] = {
    {TN_DTYPE_BOOL, "bool", Kind::kBool},        {TN_DTYPE_I8, "i8", Kind::kSigned},
    {TN_DTYPE_I16, "i16", Kind::kSigned},        {TN_DTYPE_I32, "i32", Kind::kSigned},
    {TN_DTYPE_I64, "i64", Kind::kSigned},        {TN_DTYPE_U8, "u8", Kind::kUnsigned},
    {TN_DTYPE_U16, "u16", Kind::kUnsigned},      {TN_DTYPE_U32, "u32", Kind::kUnsigned},
    {TN_DTYPE_U64, "u64", Kind::kUnsigned},      {TN_DTYPE_F16, "f16", Kind::kFloat},
    {TN_DTYPE_BF16, "bf16", Kind::kFloat},       {TN_DTYPE_F32, "f32", Kind::kFloat},
    {TN_DTYPE_F64, "f64", Kind::kFloat},         {TN_DTYPE_C64, "c64", Kind::kComplex},
    {TN_DTYPE_C128, "c128", Kind::kComplex},     {TN_DTYPE_F8E4M3, "f8e4m3", Kind::kStorage},
    {TN_DTYPE_F8E5M2, "f8e5m2", Kind::kStorage}, {TN_DTYPE_I4, "i4", Kind::kStorage},
    {TN_DTYPE_U4, "u4", Kind::kStorage},
};

const Entry* find_type(tn_dtype t) {
  for (const Entry& e : kTypes)
    if (e.dtype == t) return &e;
  return nullptr;
}

// A sign, `exponent` and `mantissa` bits. With `infinite` as in IEEE 754; without (E4M3 of the OCP 8-bit specification) only all ones
// are no number, and what is too large becomes that.
struct Format {
  int exponent, mantissa;
  bool infinite;
  int bias() const { return (1 << (exponent - 1)) - 1; }
};
constexpr Format kF16{5, 10, true}, kF8E5M2{5, 2, true}, kF8E4M3{4, 3, false};

double decode(uint32_t bits, Format f) {
  const uint32_t ones = (1u << f.exponent) - 1, e = bits >> f.mantissa & ones;
  const uint32_t m = bits & ((1u << f.mantissa) - 1);
  const double sign = bits >> (f.exponent + f.mantissa) & 1 ? -1 : 1;
  if (e == ones && f.infinite) return m ? NAN : sign * INFINITY;
  if (e == ones && m + 1 == 1u << f.mantissa) return NAN;
  if (e == 0) return sign * std::ldexp(m, 1 - f.bias() - f.mantissa);
  return sign * std::ldexp(m | 1u << f.mantissa, static_cast<int>(e) - f.bias() - f.mantissa);
}

// To the nearest, halves to even.
uint32_t encode(double value, Format f) {
  const uint32_t sign = std::signbit(value) ? 1u << (f.exponent + f.mantissa) : 0;
  const uint32_t top = ((1u << f.exponent) - 1) << f.mantissa;  // infinity, where there is one
  const uint32_t nan = f.infinite ? top | 1u << (f.mantissa - 1) : top | ((1u << f.mantissa) - 1);
  const double a = std::fabs(value);
  if (std::isnan(a)) return nan;
  if (std::isinf(a)) return f.infinite ? sign | top : nan;
  const int e = a == 0 ? 1 - f.bias() : std::max(std::ilogb(a), 1 - f.bias());
  const auto m = static_cast<uint64_t>(std::nearbyint(std::ldexp(a, f.mantissa - e)));
  // A mantissa without its leading one is a denormal; one that was rounded up carries into the exponent.
  const uint64_t bits = (static_cast<uint64_t>(e + f.bias() - 1) << f.mantissa) + m;
  if (f.infinite) return sign | static_cast<uint32_t>(std::min<uint64_t>(bits, top));
  return bits >= nan ? nan : sign | static_cast<uint32_t>(bits);
}

uint16_t float_to_bfloat(double value) {
  const auto f = static_cast<float>(value);
  uint32_t u;
  std::memcpy(&u, &f, 4);
  if (std::isnan(f)) return 0x7fc0u;
  return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

template <class T>
T load(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void store(void* p, T v) {
  std::memcpy(p, &v, sizeof v);
}

}  // namespace

Kind dtype_kind(tn_dtype t) {
  constexpr Kind kKinds[] = {Kind::kSigned, Kind::kUnsigned, Kind::kFloat, Kind::kStorage,
                             Kind::kFloat,  Kind::kComplex,  Kind::kBool};  // by DLPack's codes
  const uint32_t code = TN_DTYPE_CODE(t);
  const bool part_of_byte = code < 2 && TN_DTYPE_BITS(t) < 8;
  return code < std::size(kKinds) && !part_of_byte ? kKinds[code] : Kind::kStorage;
}

bool dtype_known(tn_dtype t) { return find_type(t) != nullptr; }

tn_dtype promote(tn_dtype a, tn_dtype b) {
  if (a == b) return a;
  const Kind ka = dtype_kind(a), kb = dtype_kind(b);
  if (ka == Kind::kStorage || kb == Kind::kStorage) return TN_DTYPE_NONE;
  if (ka == Kind::kBool) return b;
  if (kb == Kind::kBool) return a;
  const uint32_t bits_a = TN_DTYPE_BITS(a), bits_b = TN_DTYPE_BITS(b);
  if (ka == kb) {
    if (ka == Kind::kFloat && bits_a == 16 && bits_b == 16) return TN_DTYPE_F32;  // f16 with bf16
    return bits_a > bits_b ? a : b;
  }
  if (ka == Kind::kComplex || kb == Kind::kComplex) {
    const tn_dtype c = ka == Kind::kComplex ? a : b, o = ka == Kind::kComplex ? b : a;
    return o == TN_DTYPE_F64 ? TN_DTYPE_C128 : c;
  }
  if (ka == Kind::kFloat) return a;
  if (kb == Kind::kFloat) return b;
  const tn_dtype s = ka == Kind::kSigned ? a : b, u = ka == Kind::kSigned ? b : a;
  if (TN_DTYPE_BITS(s) > TN_DTYPE_BITS(u)) return s;
  const uint32_t bits = TN_DTYPE_BITS(u);  // u64 with a signed one has none
  return bits == 8    ? TN_DTYPE_I16
         : bits == 16 ? TN_DTYPE_I32
         : bits == 32 ? TN_DTYPE_I64
                      : TN_DTYPE_NONE;
}

tn_dtype weak_default(tn_dtype weak) {
  const Kind kind = dtype_kind(weak);
  if (kind == Kind::kFloat) return TN_DTYPE_F32;
  if (kind == Kind::kComplex) return TN_DTYPE_C64;
  return kind == Kind::kBool ? TN_DTYPE_BOOL : TN_DTYPE_I64;
}

tn_dtype promote(tn_dtype a, bool a_weak, tn_dtype b, bool b_weak) {
  if (a_weak == b_weak) return a_weak ? weak_default(promote(a, b)) : promote(a, b);
  const tn_dtype weak = a_weak ? a : b, strong = a_weak ? b : a;
  auto rank = [](tn_dtype t) {
    const Kind kind = dtype_kind(t);
    if (kind == Kind::kSigned || kind == Kind::kUnsigned) return 1;
    return kind == Kind::kBool ? 0 : kind == Kind::kFloat ? 2 : 3;
  };
  if (dtype_kind(strong) == Kind::kStorage) return TN_DTYPE_NONE;
  if (rank(weak) <= rank(strong)) return strong;
  if (rank(weak) == 3) return strong == TN_DTYPE_F64 ? TN_DTYPE_C128 : TN_DTYPE_C64;
  return weak_default(weak);
}

// Bits of an integer; 0: it is none.
static uint32_t whole_bits(tn_dtype t) {
  const Kind kind = dtype_kind(t);
  const bool whole = kind == Kind::kSigned || kind == Kind::kUnsigned;
  return whole || t == TN_DTYPE_I4 || t == TN_DTYPE_U4 ? TN_DTYPE_BITS(t) : 0;
}

double element_to_f64(const void* p, tn_dtype t) {
  switch (t) {
    case TN_DTYPE_BOOL:
      return load<uint8_t>(p) ? 1 : 0;
    case TN_DTYPE_F16:
      return decode(load<uint16_t>(p), kF16);
    case TN_DTYPE_F8E4M3:
      return decode(load<uint8_t>(p), kF8E4M3);
    case TN_DTYPE_F8E5M2:
      return decode(load<uint8_t>(p), kF8E5M2);
    case TN_DTYPE_BF16: {
      const uint32_t u = static_cast<uint32_t>(load<uint16_t>(p)) << 16;
      return load<float>(&u);
    }
    case TN_DTYPE_F32:
    case TN_DTYPE_C64:
      return load<float>(p);
    case TN_DTYPE_F64:
    case TN_DTYPE_C128:
      return load<double>(p);
    case TN_DTYPE_U64:
      return static_cast<double>(load<uint64_t>(p));
    default:
      return static_cast<double>(element_to_i64(p, t));
  }
}

int64_t element_to_i64(const void* p, tn_dtype t) {
  const Kind kind = dtype_kind(t);
  if (kind == Kind::kBool) return load<uint8_t>(p) ? 1 : 0;
  if (const uint32_t bits = whole_bits(t)) {  // of a byte that holds four: the low half
    uint64_t element = 0;
    std::memcpy(&element, p, (bits + 7) / 8);
    element <<= 64 - bits;
    return kind == Kind::kSigned || t == TN_DTYPE_I4 ? static_cast<int64_t>(element) >> (64 - bits)
                                                     : static_cast<int64_t>(element >> (64 - bits));
  }
  const double d = element_to_f64(p, t);
  if (!(d >= -0x1p63)) return INT64_MIN;
  return d >= 0x1p63 ? INT64_MAX : static_cast<int64_t>(d);
}

void element_from_f64(void* p, tn_dtype t, double v) {
  switch (t) {
    case TN_DTYPE_BOOL:
      return store<uint8_t>(p, v != 0);
    case TN_DTYPE_F16:
      return store(p, static_cast<uint16_t>(encode(v, kF16)));
    case TN_DTYPE_F8E4M3:
      return store(p, static_cast<uint8_t>(encode(v, kF8E4M3)));
    case TN_DTYPE_F8E5M2:
      return store(p, static_cast<uint8_t>(encode(v, kF8E5M2)));
    case TN_DTYPE_BF16:
      return store(p, float_to_bfloat(v));
    case TN_DTYPE_F32:
      return store(p, static_cast<float>(v));
    case TN_DTYPE_F64:
      return store(p, v);
    case TN_DTYPE_C64: {
      const float c[2] = {static_cast<float>(v), 0};
      std::memcpy(p, c, sizeof c);
      return;
    }
    case TN_DTYPE_C128: {
      const double c[2] = {v, 0};
      std::memcpy(p, c, sizeof c);
      return;
    }
    case TN_DTYPE_U64:
      return store(p, v >= 0x1p63 ? static_cast<uint64_t>(v)
                                  : static_cast<uint64_t>(element_to_i64(&v, TN_DTYPE_F64)));
    default:
      element_from_i64(p, t, element_to_i64(&v, TN_DTYPE_F64));
  }
}

void element_from_i64(void* p, tn_dtype t, int64_t v) {
  const uint32_t bits = whole_bits(t);
  if (dtype_kind(t) == Kind::kBool) return store<uint8_t>(p, v != 0);
  if (!bits) return element_from_f64(p, t, static_cast<double>(v));
  if (bits < 8) v &= 15;
  std::memcpy(p, &v, (bits + 7) / 8);
}

// Which sign a NaN has depends on the processor and says nothing.
static std::string float_text(double value, int digits) {
  return std::isnan(value) ? "nan" : number_text(value, digits);
}

std::string element_text(const void* p, tn_dtype t, int digits) {
  switch (dtype_kind(t)) {
    case Kind::kBool:
      return load<uint8_t>(p) ? "true" : "false";
    case Kind::kUnsigned:
      return t == TN_DTYPE_U64 ? fmt::format("{}", load<uint64_t>(p))
                               : fmt::format("{}", element_to_i64(p, t));
    case Kind::kSigned:
      return fmt::format("{}", element_to_i64(p, t));
    case Kind::kComplex: {
      const bool wide = t == TN_DTYPE_C128;
      const double re = element_to_f64(p, t);
      const double im = element_to_f64(static_cast<const char*>(p) + (wide ? 8 : 4),
                                       wide ? TN_DTYPE_F64 : TN_DTYPE_F32);
      return float_text(re, digits) + (std::isnan(im) || !std::signbit(im) ? "+" : "") +
             float_text(im, digits) + "i";
    }
    case Kind::kFloat:
      return float_text(element_to_f64(p, t), digits);
    default:
      return "?";
  }
}

}  // namespace tenon

extern "C" {
const char* tn_dtype_name(tn_dtype t) {
  const auto* e = tenon::find_type(t);
  return e ? e->name : "?";
}
tn_dtype tn_dtype_find(tn_str name) {
  if (!name.data) return TN_DTYPE_NONE;
  for (const auto& e : tenon::kTypes)
    if (std::string_view(name.data, name.size) == e.name) return e.dtype;
  return TN_DTYPE_NONE;
}
tn_dtype tn_dtype_promote(tn_dtype a, tn_dtype b) { return tenon::promote(a, b); }
}
