// argmax and argmin along an axis of a dense tensor: the first of equals; NaN counts as the extreme
// value.
#include "fold.hpp"
#include "index.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct ArgPlan {
  const Device& device;
  int axis;
};

constexpr int64_t kStrip = 256;

template <bool greatest, class T>
CPU_INLINE bool beats(T x, T best) {  // false for equals, and when best is NaN
  if constexpr (std::is_floating_point_v<T>) {
    return (greatest ? x > best : x < best) || (x != x && best == best);
  } else {
    return greatest ? x > best : x < best;
  }
}

// One run: the extreme value with vectors, then where it first stands.
template <bool greatest, class T>
int64_t first_extreme(const T* x, int64_t n) {
  using F = std::conditional_t<greatest, MaxFold, MinFold>;
  constexpr int64_t lanes = kLanes<T>;
  if (n < 4 * lanes) {
    int64_t at = 0;
    for (int64_t i = 1; i < n; ++i) at = beats<greatest>(x[i], x[at]) ? i : at;
    return at;
  }
  T best = F::template identity<T>;
  Fold<F, T, T>::run(&best, x, n);
  const Vec<T> wanted = splat<Vec<T>>(best);
  const bool nan = best != best;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const Vec<T> v = load(x + i);
    if (any_of(nan ? v != v : v == wanted)) break;
  }
  for (; i < n; ++i) {
    if (nan ? x[i] != x[i] : x[i] == best) return i;
  }
  return 0;
}

// Columns side by side.
template <bool greatest, class T>
void columns(int64_t* y, const T* x, int64_t n, int64_t step, int64_t width) {
  T best[kStrip];
  for (int64_t c = 0; c < width; ++c) best[c] = x[c], y[c] = 0;
  for (int64_t i = 1; i < n; ++i) {
    const T* row = x + i * step;
    for (int64_t c = 0; c < width; ++c) {
      const bool better = beats<greatest>(row[c], best[c]);
      best[c] = better ? row[c] : best[c];
      y[c] = better ? i : y[c];
    }
  }
}

// S in memory, T compared.
template <bool greatest, class T, class S>
tn_error* TN_CALL run_arg(void* data, void*, const tn_view* const* args) {
  const ArgPlan& plan = *static_cast<const ArgPlan*>(data);
  const tn_view* x = args[0];
  int64_t* y = output<int64_t>(args[1]);
  if (args[1]->count == 0) return nullptr;
  const Split s = x->rank ? split_at(x, plan.axis) : Split{};
  const S* from = input<S>(x);
  Scratch<T> wide;
  const T* values = nullptr;
  if constexpr (std::is_same_v<S, T>) {
    values = from;
  } else {
    wide.reset(plan.device, x->count);
    if (!wide) return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory for a wider copy");
    convert_run<T, S>(wide.get(), from, x->count);
    values = wide.get();
  }
  const int64_t strip = s.inner < kStrip ? s.inner : kStrip;
  const int64_t strips = (s.inner + strip - 1) / strip;
  parallel(plan.device, s.outer * strips, 1, double(s.size * strip) * 0.3,
           [&](int64_t begin, int64_t end) {
             for (int64_t u = begin; u < end; ++u) {
               const int64_t o = u / strips, c = u % strips * strip;
               const T* first = values + o * s.size * s.inner + c;
               if (s.inner == 1) {
                 y[o] = first_extreme<greatest>(first, s.size);
               } else {
                 columns<greatest>(y + o * s.inner + c, first, s.size, s.inner,
                                   s.inner - c < strip ? s.inner - c : strip);
               }
             }
           });
  return nullptr;
}

template <bool greatest>
tn_kernel_run find_arg(tn_dtype dtype) {
  switch (dtype) {
    case TN_DTYPE_F32:
      return run_arg<greatest, float, float>;
    case TN_DTYPE_F64:
      return run_arg<greatest, double, double>;
    case TN_DTYPE_F16:
      return run_arg<greatest, float, f16>;
    case TN_DTYPE_BF16:
      return run_arg<greatest, float, bf16>;
    case TN_DTYPE_I8:
      return run_arg<greatest, int32_t, int8_t>;
    case TN_DTYPE_I16:
      return run_arg<greatest, int32_t, int16_t>;
    case TN_DTYPE_I32:
      return run_arg<greatest, int32_t, int32_t>;
    case TN_DTYPE_I64:
      return run_arg<greatest, int64_t, int64_t>;
    case TN_DTYPE_U8:
      return run_arg<greatest, int32_t, uint8_t>;
    case TN_DTYPE_U16:
      return run_arg<greatest, int32_t, uint16_t>;
    case TN_DTYPE_U32:
      return run_arg<greatest, uint32_t, uint32_t>;
    case TN_DTYPE_U64:
      return run_arg<greatest, uint64_t, uint64_t>;
    default:
      return nullptr;
  }
}

tn_error* prepare_arg(const Device& device, const tn_signature& sig, tn_plan* plan, int64_t axis,
                      tn_kernel_run run) {
  const tn_view* x = sig.inputs[0];
  if (!contiguous(x) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  if (!run) return decline(plan, "no kernel for this dtype");
  if (!make_plan<ArgPlan>(plan, run, device, int(axis < 0 ? axis + x->rank : axis))) {
    return out_of_memory(device);
  }
  return nullptr;
}

}  // namespace

CPU_PREPARE(argmax) {
  return prepare_arg(device, sig, plan, attr_i64(sig, TN_ARGMAX_AXIS),
                     find_arg<true>(sig.inputs[0]->dtype));
}
CPU_PREPARE(argmin) {
  return prepare_arg(device, sig, plan, attr_i64(sig, TN_ARGMIN_AXIS),
                     find_arg<false>(sig.inputs[0]->dtype));
}

}  // namespace tenon::cpu::CPU_ISA
