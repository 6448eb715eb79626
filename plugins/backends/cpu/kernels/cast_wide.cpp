// cast between the dtypes that have no loop of their own, and from and to elements of half a byte.
#include "cast.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

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

const Side* side_of(tn_dtype dtype) {
  for (const Side& s : kSides) {
    if (s.dtype == dtype) return &s;
  }
  return nullptr;
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

}  // namespace

bool cast_through_wide(tn_dtype from, tn_dtype to, Elementwise* out) {
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

tn_error* prepare_half_bytes(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_dtype from = sig.inputs[0]->dtype, to = sig.outputs[0]->dtype;
  if (!contiguous(sig.inputs[0]) || !contiguous(sig.outputs[0]))
    return decline(plan, "elements smaller than a byte, not dense");
  const Side* side = side_of(half_bytes(from) ? to : from);
  if (!side || (!side->whole && !(half_bytes(from) ? side->from_double : side->to_double)))
    return decline(plan, "no kernel for these dtypes");
  const bool has_sign = (half_bytes(from) ? from : to) == TN_DTYPE_I4;
  if (!make_plan<PackedPlan>(plan, half_bytes(from) ? run_unpack : run_pack, device, *side,
                             has_sign))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
