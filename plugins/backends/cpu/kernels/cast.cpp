// cast between all dtypes, and bitcast.
//
// The usual pairs have a loop of their own. All others go through double, or 64-bit integers where
// both ends are whole. A float becomes an integer toward zero; what does not fit saturates, NaN
// gives 0.
#include <complex>
#include <limits>

#include "elementwise.hpp"
#include "narrow.hpp"
#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

using sdk::c128;
using sdk::c64;
using sdk::f8e4m3;
using sdk::f8e5m2;

template <class T>
inline constexpr bool kWhole = std::is_integral_v<T>;

// The float nearest to the greatest T from below, so that the conversion of the clamped value is
// defined.
template <class T, class F>
constexpr F greatest_below() {
  constexpr int digits = std::numeric_limits<F>::digits;
  constexpr int bits = std::numeric_limits<T>::digits;
  if constexpr (bits <= digits) {
    return F(std::numeric_limits<T>::max());
  } else {
    return F(T(T(std::numeric_limits<T>::max() >> (bits - digits)) << (bits - digits)));
  }
}

template <class To, class From>
CPU_INLINE To convert_one(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (kWhole<To> && std::is_floating_point_v<From>) {
    constexpr From low = From(std::numeric_limits<To>::min());
    constexpr From high = greatest_below<To, From>();
    // What lies between `high` and the true maximum does not exist in From.
    const From y = x > low ? x : low;
    const To z = static_cast<To>(y < high ? y : high);
    return x != x ? To(0) : x > high ? std::numeric_limits<To>::max() : z;
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From>
void cast_loop(void* to, const void* from, int64_t n) {
  To* y = static_cast<To*>(to);
  const From* x = static_cast<const From*>(from);
  if constexpr (std::is_same_v<From, bool>) {
    const uint8_t* b = static_cast<const uint8_t*>(from);
    for (int64_t i = 0; i < n; ++i) y[i] = To(b[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = convert_one<To>(x[i]);
  }
}

// A row function from a loop.
template <ConvertFunction loop, int out_bytes>
void cast_row(void* y, const void* const* in, uint32_t scalars, int64_t n, const void*) {
  if (!scalars) {
    loop(y, in[0], n);
    return;
  }
  char* to = static_cast<char*>(y);
  loop(to, in[0], 1);
  for (int64_t i = 1; i < n; ++i) std::memcpy(to + i * out_bytes, to, out_bytes);
}

struct CastKernel {
  tn_dtype from, to;
  Elementwise kernel;
};

template <class From, class To, ConvertFunction loop>
constexpr CastKernel direct() {
  Elementwise e{};
  e.row = cast_row<loop, int(sizeof(To))>;
  e.n_inputs = 1;
  e.ns = 0.2f;
  e.in_bytes[0] = e.row_in_bytes[0] = int32_t(sizeof(From));
  e.out_bytes = e.row_out_bytes = int32_t(sizeof(To));
  return {sdk::dtype_of<From>, sdk::dtype_of<To>, e};
}
template <class From, class To>
constexpr CastKernel direct() {
  return direct<From, To, cast_loop<To, From>>();
}
template <class From, class To>
constexpr CastKernel narrowing() {
  return direct<From, To, convert_run<To, From>>();
}

constexpr CastKernel kDirect[] = {
    narrowing<float, f16>(),    narrowing<f16, float>(),    narrowing<float, bf16>(),
    narrowing<bf16, float>(),   direct<float, double>(),    direct<double, float>(),
    direct<float, int32_t>(),   direct<int32_t, float>(),   direct<float, int64_t>(),
    direct<int64_t, float>(),   direct<uint64_t, float>(),  direct<uint8_t, float>(),
    direct<int8_t, float>(),    direct<float, uint8_t>(),   direct<float, bool>(),
    direct<bool, float>(),      direct<int32_t, int64_t>(), direct<int64_t, int32_t>(),
    direct<bool, int64_t>(),    direct<bool, int32_t>(),    direct<bool, uint8_t>(),
    direct<int32_t, double>(),  direct<int64_t, double>(),  direct<double, int64_t>(),
    direct<uint8_t, int64_t>(), direct<uint8_t, int32_t>(), direct<int64_t, bool>(),
    direct<double, uint64_t>(), direct<float, uint64_t>(),  direct<uint64_t, double>(),
};

// ---- through a wide type

struct Side {
  tn_dtype dtype;
  int32_t bytes;
  bool whole;
  ConvertFunction to_int, from_int;        // int64_t
  ConvertFunction to_double, from_double;  // double
};

template <class T>
void small_to_double(void* to, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    static_cast<double*>(to)[i] = double(float(static_cast<const T*>(from)[i]));
  }
}
template <class T>
void small_from_double(void* to, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<T*>(to)[i] = T(static_cast<const double*>(from)[i]);
}
template <class C>
void complex_from_double(void* to, const void* from, int64_t n) {
  using R = typename C::value_type;
  for (int64_t i = 0; i < n; ++i)
    static_cast<C*>(to)[i] = C(R(static_cast<const double*>(from)[i]));
}

template <class T>
constexpr Side whole() {
  return {sdk::dtype_of<T>,      int32_t(sizeof(T)),    true,
          cast_loop<int64_t, T>, cast_loop<T, int64_t>, cast_loop<double, T>,
          cast_loop<T, double>};
}
template <class T>
constexpr Side broken() {
  if constexpr (std::is_floating_point_v<T>) {
    return {sdk::dtype_of<T>,     int32_t(sizeof(T)),  false, nullptr, nullptr,
            cast_loop<double, T>, cast_loop<T, double>};
  } else {
    return {sdk::dtype_of<T>,   int32_t(sizeof(T)),  false, nullptr, nullptr,
            small_to_double<T>, small_from_double<T>};
  }
}
template <class C>
constexpr Side complex_side() {
  return {sdk::dtype_of<C>, int32_t(sizeof(C)),    false, nullptr, nullptr,
          nullptr,          complex_from_double<C>};
}

constexpr Side kSides[] = {
    whole<bool>(),        whole<int8_t>(),  whole<int16_t>(),  whole<int32_t>(),
    whole<int64_t>(),     whole<uint8_t>(), whole<uint16_t>(), whole<uint32_t>(),
    whole<uint64_t>(),    broken<float>(),  broken<double>(),  broken<f16>(),
    broken<bf16>(),       broken<f8e4m3>(), broken<f8e5m2>(),  complex_side<c64>(),
    complex_side<c128>(),
};

void same_row(void* y, const void* const* in, uint32_t scalars, int64_t n, const void*) {
  uint64_t* to = static_cast<uint64_t*>(y);
  const uint64_t* from = static_cast<const uint64_t*>(in[0]);
  const int64_t step = scalars ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
}

struct CastPlan {
  const Device& device;
  Elementwise kernel;
};

tn_error* TN_CALL run_cast(void* data, void*, const tn_view* const* args) {
  const CastPlan& plan = *static_cast<const CastPlan*>(data);
  run_elementwise(plan.device, plan.kernel, args, nullptr);
  return nullptr;
}

const Side* side_of(tn_dtype dtype) {
  for (const Side& s : kSides) {
    if (s.dtype == dtype) return &s;
  }
  return nullptr;
}

bool through_wide(tn_dtype from, tn_dtype to, Elementwise* out) {
  const Side* a = side_of(from);
  const Side* b = side_of(to);
  if (!a || !b) return false;
  const bool whole = a->whole && b->whole;
  Elementwise e{};
  e.row = same_row;
  e.n_inputs = 1;
  e.ns = 1.0f;
  e.in_bytes[0] = a->bytes;
  e.out_bytes = b->bytes;
  e.row_in_bytes[0] = 8;
  e.row_out_bytes = b->bytes > 8 ? b->bytes : 8;
  e.load[0] = whole ? a->to_int : a->to_double;
  e.save = whole ? b->from_int : b->from_double;
  *out = e;
  return e.load[0] && e.save;
}

// ---- two elements to the byte: i4, u4

// The side that has whole bytes, and whether the other one has signs. Both are dense.
struct PackedPlan {
  const Device& device;
  const Side& side;
  bool has_sign;
};
constexpr int64_t kPackedBlock = 512;  // elements, an even number

// body(first, n) over blocks of at most kPackedBlock elements that begin at a byte.
template <class Body>
void packed_blocks(const Device& device, int64_t count, Body&& body) {
  parallel(device, (count + 1) / 2, kPackedBlock / 2, 2.0, [&](int64_t begin, int64_t end) {
    const int64_t stop = std::min(2 * end, count);
    for (int64_t i = 2 * begin; i < stop; i += kPackedBlock)
      body(i, std::min(kPackedBlock, stop - i));
  });
}

tn_error* TN_CALL run_unpack(void* data, void*, const tn_view* const* args) {
  const PackedPlan& plan = *static_cast<const PackedPlan*>(data);
  const uint8_t* x = input<uint8_t>(args[0]);
  char* y = output<char>(args[1]);
  packed_blocks(plan.device, args[1]->count, [&](int64_t first, int64_t n) {
    int64_t whole[kPackedBlock];
    double real[kPackedBlock];
    for (int64_t i = 0; i < n; ++i) {
      const int half = x[(first + i) / 2] >> (i % 2 * 4) & 15;
      whole[i] = plan.has_sign && half > 7 ? half - 16 : half;
      real[i] = double(whole[i]);
    }
    char* to = y + first * plan.side.bytes;
    if (plan.side.whole)
      plan.side.from_int(to, whole, n);
    else
      plan.side.from_double(to, real, n);
  });
  return nullptr;
}

// Floats are cut and clamped, NaN gives 0; whole numbers wrap. The half byte behind an odd count
// is 0.
tn_error* TN_CALL run_pack(void* data, void*, const tn_view* const* args) {
  const PackedPlan& plan = *static_cast<const PackedPlan*>(data);
  const char* x = input<char>(args[0]);
  uint8_t* y = output<uint8_t>(args[1]);
  const double low = plan.has_sign ? -8 : 0;
  packed_blocks(plan.device, args[1]->count, [&](int64_t first, int64_t n) {
    int64_t whole[kPackedBlock + 1];
    const char* from = x + first * plan.side.bytes;
    if (plan.side.whole) {
      plan.side.to_int(whole, from, n);
    } else {
      double real[kPackedBlock];
      plan.side.to_double(real, from, n);
      for (int64_t i = 0; i < n; ++i) {
        const double v = real[i] > low ? real[i] : low;
        whole[i] = real[i] != real[i] ? 0 : int64_t(v < low + 15 ? v : low + 15);
      }
    }
    whole[n] = 0;
    for (int64_t i = 0; i < n; i += 2)
      y[(first + i) / 2] = uint8_t((whole[i] & 15) | (whole[i + 1] & 15) << 4);
  });
  return nullptr;
}

bool packed(tn_dtype dtype) { return dtype == TN_DTYPE_I4 || dtype == TN_DTYPE_U4; }

tn_error* prepare_packed(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_dtype from = sig.inputs[0]->dtype, to = sig.outputs[0]->dtype;
  if (!contiguous(sig.inputs[0]) || !contiguous(sig.outputs[0]))
    return decline(plan, "elements smaller than a byte, not dense");
  const Side* side = side_of(packed(from) ? to : from);
  if (!side || (!side->whole && !(packed(from) ? side->from_double : side->to_double)))
    return decline(plan, "no kernel for these dtypes");
  const bool has_sign = (packed(from) ? from : to) == TN_DTYPE_I4;
  if (!make_plan<PackedPlan>(plan, packed(from) ? run_unpack : run_pack, device, *side, has_sign))
    return out_of_memory(device);
  return nullptr;
}

tn_error* TN_CALL run_copy_packed(void*, void*, const tn_view* const* args) {
  const char* x = input<char>(args[0]);
  char* y = output<char>(args[1]);
  if (y != x) std::memcpy(y, x, tn_dtype_bytes(args[0]->dtype, uint64_t(args[0]->count)));
  return nullptr;
}

// ---- the same bits

template <class C, class D>
void complex_loop(void* to, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<D*>(to)[i] = D(static_cast<const C*>(from)[i]);
}
constexpr CastKernel kComplex[] = {direct<c64, c128, complex_loop<c64, c128>>(),
                                   direct<c128, c64, complex_loop<c128, c64>>()};

tn_error* TN_CALL run_copy(void* data, void*, const tn_view* const* args) {
  const Device& device = *static_cast<const Device*>(data);
  const tn_view* x = args[0];
  const int64_t none[TN_MAX_RANK] = {};
  const int bytes = int(tn_dtype_bytes(x->dtype, 1));
  if (output<char>(args[1]) == input<char>(x) && contiguous(x)) return nullptr;
  copy_strided(device, output<char>(args[1]), input<char>(x), bytes, x->rank, args[1]->dims,
               (x->flags & TN_VIEW_IMMEDIATE) ? none : x->strides);
  return nullptr;
}

bool whole_bytes(tn_dtype dtype) {
  const uint32_t bits = TN_DTYPE_BITS(dtype) * TN_DTYPE_LANES(dtype);
  return bits == 8 || bits == 16 || bits == 32 || bits == 64 || bits == 128;
}

}  // namespace

// copy and bitcast: the same bytes, dense.
CPU_PREPARE(copy) {
  const tn_dtype dtype = sig.inputs[0]->dtype;
  if (packed(dtype) && contiguous(sig.inputs[0]) && contiguous(sig.outputs[0])) {
    plan->run = run_copy_packed;
    return nullptr;
  }
  if (!whole_bytes(dtype)) return decline(plan, "elements that are not 1, 2, 4, 8 or 16 bytes");
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  plan->run = run_copy;
  plan->data = const_cast<Device*>(&device);
  return nullptr;
}

bool cast_of(tn_dtype from, tn_dtype to, Elementwise* out) {
  for (const CastKernel& k : kDirect) {
    if (k.from == from && k.to == to) return *out = k.kernel, true;
  }
  for (const CastKernel& k : kComplex) {
    if (k.from == from && k.to == to) return *out = k.kernel, true;
  }
  return through_wide(from, to, out);
}

CPU_PREPARE(cast) {
  const tn_dtype from = sig.inputs[0]->dtype;
  const tn_dtype to = sig.outputs[0]->dtype;
  const bool sign_only = from != to && (TN_DTYPE_CODE(from) < 2) && (TN_DTYPE_CODE(to) < 2) &&
                         TN_DTYPE_BITS(from) == TN_DTYPE_BITS(to);
  if (from == to || sign_only) return prepare_body_copy(device, sig, plan);
  if (packed(from) || packed(to)) return prepare_packed(device, sig, plan);
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  Elementwise kernel{};
  if (!cast_of(from, to, &kernel)) return decline(plan, "no kernel for these dtypes");
  if (!make_plan<CastPlan>(plan, run_cast, device, kernel)) return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
