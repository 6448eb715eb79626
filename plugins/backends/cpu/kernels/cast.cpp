// cast between all dtypes, and bitcast.
//
// The usual pairs have a loop of their own, the others are in cast_wide.cpp.
#include "cast.hpp"
#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

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

struct CastPlan {
  const Device& device;
  Elementwise kernel;
};

tn_error* TN_CALL run_cast(void* data, void*, const tn_view* const* args) {
  const CastPlan& plan = *static_cast<const CastPlan*>(data);
  run_elementwise(plan.device, plan.kernel, args, nullptr);
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
  if (half_bytes(dtype) && contiguous(sig.inputs[0]) && contiguous(sig.outputs[0])) {
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
  return CPU_SHARED_ISA::cast_through_wide(from, to, out);
}

CPU_PREPARE(cast) {
  const tn_dtype from = sig.inputs[0]->dtype;
  const tn_dtype to = sig.outputs[0]->dtype;
  const bool sign_only = from != to && (TN_DTYPE_CODE(from) < 2) && (TN_DTYPE_CODE(to) < 2) &&
                         TN_DTYPE_BITS(from) == TN_DTYPE_BITS(to);
  if (from == to || sign_only) return prepare_body_copy(device, sig, plan);
  if (half_bytes(from) || half_bytes(to))
    return CPU_SHARED_ISA::prepare_half_bytes(device, sig, plan);
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  Elementwise kernel{};
  if (!cast_of(from, to, &kernel)) return decline(plan, "no kernel for these dtypes");
  if (!make_plan<CastPlan>(plan, run_cast, device, kernel)) return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
