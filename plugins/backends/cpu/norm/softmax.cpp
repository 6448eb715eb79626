// softmax and log_softmax along a last axis of contiguous tensors, and cross_entropy and its gradient
// with labels on [N, C]; f32 and f64, the gradient also bf16.
#include <tenon/op_ids.h>

#include <cmath>

#include "kernels/narrow.hpp"
#include "norm/rows.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

struct RowsPlan {
  const Device* device;
  int64_t rows, n;
};

// y = exp(x - top); the sum of that.
template <class T>
CPU_INLINE T exp_row(T* y, const T* x, int64_t n, T top) {
  const Vec<T> shift = splat<Vec<T>>(top);
  Vec<T> sum{};
  for_vectors<T>(
      n,
      [&](int64_t i) {
        const Vec<T> e = vexp(load(x + i) - shift);
        store(y + i, e);
        sum += e;
      },
      [&](int64_t i, int64_t count) {
        const Vec<T> e = vexp(load_n(x + i, count) - shift);
        store_n(y + i, e, count);
        sum += first_lanes(e, count, T(0));
      });
  return sum_lanes(sum);
}

// Log of the sum of exp(x - top).
template <class T>
CPU_INLINE T log_sum(const T* x, int64_t n, T top) {
  const Vec<T> shift = splat<Vec<T>>(top);
  return std::log(row_sum(x, n, [&](Vec<T> v) { return vexp(v - shift); }));
}

template <class T, bool log>
tn_error* TN_CALL run_softmax(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const RowsPlan*>(data);
  const T* x = input<T>(args[0]);
  T* y = output<T>(args[1]);
  const int64_t n = p.n;
  for_rows(*p.device, p.rows, n, 0.6, [&](int64_t r) {
    const T* from = x + r * n;
    T* to = y + r * n;
    const T top = row_max(from, n);
    if (log) {
      const Vec<T> shift = splat<Vec<T>>(top), rest = splat<Vec<T>>(log_sum(from, n, top));
      map_row(to, from, n, [&](Vec<T> v) { return (v - shift) - rest; });
    } else {
      const Vec<T> factor = splat<Vec<T>>(T(1) / exp_row(to, from, n, top));
      map_row(to, to, n, [&](Vec<T> v) { return v * factor; });
    }
  });
  return nullptr;
}

template <bool log>
tn_error* prepare_any_softmax(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_view& x = *sig.inputs[0];
  if (!contiguous(&x) || !contiguous(sig.outputs[0]))
    return decline(plan, "contiguous tensors only");
  int64_t axis = attr_i64(sig, log ? TN_LOG_SOFTMAX_AXIS : TN_SOFTMAX_AXIS);
  if (axis < 0) axis += x.rank;
  if (axis < 0 || axis >= x.rank) return decline(plan, "no such axis");
  for (int i = int(axis) + 1; i < x.rank; ++i) {
    if (x.dims[i] != 1) return decline(plan, "along the last axis only");
  }
  const int64_t n = x.dims[axis];
  tn_kernel_run run = nullptr;
  if (x.dtype == TN_DTYPE_F32) run = run_softmax<float, log>;
  if (x.dtype == TN_DTYPE_F64) run = run_softmax<double, log>;
  if (!run) return decline(plan, "only f32 and f64");
  const int64_t rows = n ? x.count / n : 0;
  if (!make_plan<RowsPlan>(plan, run, &device, rows, n)) return out_of_memory(device);
  return nullptr;
}

// ---- cross_entropy

enum class Reduction : uint8_t { mean, sum, none };

struct LossPlan {
  const Device* device;
  int64_t rows, n, ignore;
  Reduction reduction;
};

template <class T>
CPU_INLINE T row_loss(const T* x, int64_t n, int64_t label) {
  const T top = row_max(x, n);
  return log_sum(x, n, top) - (x[label] - top);
}

// Label r of i64, i32 or u8.
CPU_INLINE int64_t label_at(const tn_view* labels, int64_t r) {
  switch (labels->dtype) {
    case TN_DTYPE_I64:
      return input<int64_t>(labels)[r];
    case TN_DTYPE_I32:
      return input<int32_t>(labels)[r];
    default:
      return input<uint8_t>(labels)[r];
  }
}

// Null, or OUT_OF_RANGE for the first label that is neither ignored nor in 0 .. n - 1. kept: how many
// are not ignored. what: of the labels, in errors.
tn_error* check_labels(const LossPlan& p, const char* what, const tn_view* labels, int64_t* kept) {
  *kept = p.rows;
  for (int64_t r = 0; r < p.rows; ++r) {
    const int64_t label = label_at(labels, r);
    if (label == p.ignore) {
      --*kept;
    } else if (uint64_t(label) >= uint64_t(p.n)) {
      return outside(*p.device, what, labels->dtype, label, r, p.n, false);
    }
  }
  return nullptr;
}

template <class T>
tn_error* TN_CALL run_cross_entropy(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const LossPlan*>(data);
  const T* x = input<T>(args[0]);
  int64_t kept = 0;
  if (tn_error* e = check_labels(p, "cross_entropy: labels", args[1], &kept)) return e;
  const bool none = p.reduction == Reduction::none;
  T* losses = output<T>(args[none ? 3 : 4]);
  for_rows(*p.device, p.rows, p.n, 0.5, [&](int64_t r) {
    const int64_t label = label_at(args[1], r);
    losses[r] = label == p.ignore ? T(0) : row_loss(x + r * p.n, p.n, label);
  });
  if (none) return nullptr;
  double sum = 0;
  for (int64_t r = 0; r < p.rows; ++r) sum += double(losses[r]);
  *output<T>(args[3]) = T(p.reduction == Reduction::mean ? sum / double(kept) : sum);
  return nullptr;
}

// ---- cross_entropy_grad

// f(values, first, n) over the blocks of a row, as f32.
template <class F>
CPU_INLINE void for_blocks(const bf16* x, int64_t n, F&& f) {
  constexpr int64_t kBlock = 1024;
  alignas(kVectorBytes) float wide[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t m = n - i < kBlock ? n - i : kBlock;
    convert_run<float, bf16>(wide, x + i, m);
    f(wide, i, m);
  }
}

// y = g softmax(x), less g at the label.
template <class T>
void grad_row(T* y, const T* x, int64_t n, int64_t label, T g) {
  const Vec<T> factor = splat<Vec<T>>(g / exp_row(y, x, n, row_max(x, n)));
  map_row(y, y, n, [&](Vec<T> v) { return v * factor; });
  y[label] -= g;
}
void grad_row(bf16* y, const bf16* x, int64_t n, int64_t label, float g) {
  float top = -kInf, sum = 0;
  for_blocks(x, n, [&](const float* v, int64_t, int64_t m) {
    const float most = row_max(v, m);
    top = most > top || most != most ? most : top;
  });
  const F32 shift = splat<F32>(top);
  for_blocks(x, n, [&](const float* v, int64_t, int64_t m) {
    sum += row_sum(v, m, [&](F32 u) { return vexp(u - shift); });
  });
  const F32 factor = splat<F32>(g / sum);
  for_blocks(x, n, [&](float* v, int64_t first, int64_t m) {
    map_row(v, v, m, [&](F32 u) { return vexp(u - shift) * factor; });
    if (label >= first && label < first + m) v[label - first] -= g;
    convert_run<bf16, float>(y + first, v, m);
  });
}

// S: of the tensors; T: computed in.
template <class S, class T>
tn_error* TN_CALL run_cross_entropy_grad(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const LossPlan*>(data);
  const S *g = input<S>(args[0]), *x = input<S>(args[1]);
  S* y = output<S>(args[4]);
  int64_t kept = 0;
  if (tn_error* e = check_labels(p, "cross_entropy_grad: labels", args[2], &kept)) return e;
  const T divisor = p.reduction == Reduction::mean ? T(kept) : T(1);
  for_rows(*p.device, p.rows, p.n, 0.5, [&](int64_t r) {
    const int64_t label = label_at(args[2], r);
    if (label == p.ignore) {
      std::memset(static_cast<void*>(y + r * p.n), 0, size_t(p.n) * sizeof(S));
    } else {
      const T own = T(g[p.reduction == Reduction::none ? r : 0]) / divisor;
      grad_row(y + r * p.n, x + r * p.n, p.n, label, own);
    }
  });
  return nullptr;
}

// What both have in common. Null, or why it is declined.
const char* plan_loss(const tn_signature& sig, uint32_t first, LossPlan* p) {
  static_assert(TN_CROSS_ENTROPY_REDUCTION == TN_CROSS_ENTROPY_GRAD_REDUCTION &&
                TN_CROSS_ENTROPY_IGNORE_INDEX == TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX &&
                TN_CROSS_ENTROPY_LABEL_SMOOTHING == TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING);
  const tn_view &x = *sig.inputs[first], &labels = *sig.inputs[first + 1];
  if (!absent(sig.inputs[first + 2])) return "no weights";
  if (attr_f64(sig, TN_CROSS_ENTROPY_LABEL_SMOOTHING) != 0) return "no label smoothing";
  if (!contiguous(sig.inputs[0]) || !contiguous(&x) || !contiguous(&labels) ||
      !contiguous(sig.outputs[0]))
    return "contiguous tensors only";
  p->n = x.dims[1];
  p->rows = labels.count;
  if (p->n == 0 || x.count != p->rows * p->n) return "classes along the last axis only";
  for (int i = 2; i < x.rank; ++i) {
    if (x.dims[i] != 1) return "classes along the last axis only";
  }
  if (labels.dtype != TN_DTYPE_I64 && labels.dtype != TN_DTYPE_I32 && labels.dtype != TN_DTYPE_U8)
    return "only labels of i64, i32 or u8";
  p->ignore = attr_i64(sig, TN_CROSS_ENTROPY_IGNORE_INDEX);
  if (attr_is(sig, TN_CROSS_ENTROPY_REDUCTION, "sum")) p->reduction = Reduction::sum;
  if (attr_is(sig, TN_CROSS_ENTROPY_REDUCTION, "none")) p->reduction = Reduction::none;
  return nullptr;
}

tn_error* prepare_loss(const Device& device, const tn_signature& sig, tn_plan* plan, uint32_t first,
                       tn_kernel_run run) {
  LossPlan made{&device, 0, 0, 0, Reduction::mean};
  if (const char* why = plan_loss(sig, first, &made)) return decline(plan, why);
  if (!run) return decline(plan, "no kernel for this dtype");
  return make_plan<LossPlan>(plan, run, made) ? nullptr : out_of_memory(device);
}

}  // namespace

CPU_PREPARE(softmax) { return prepare_any_softmax<false>(device, sig, plan); }
CPU_PREPARE(log_softmax) { return prepare_any_softmax<true>(device, sig, plan); }

CPU_PREPARE(cross_entropy) {
  const tn_dtype dtype = sig.inputs[0]->dtype;
  tn_kernel_run run = nullptr;
  if (dtype == TN_DTYPE_F32) run = run_cross_entropy<float>;
  if (dtype == TN_DTYPE_F64) run = run_cross_entropy<double>;
  if (tn_error* e = prepare_loss(device, sig, plan, 0, run)) return e;
  if (plan->data && !attr_is(sig, TN_CROSS_ENTROPY_REDUCTION, "none"))
    plan->workspace_bytes = uint64_t(sig.inputs[1]->count + 1) * sizeof(double);
  return nullptr;
}

CPU_PREPARE(cross_entropy_grad) {
  tn_kernel_run run = nullptr;
  switch (sig.inputs[1]->dtype) {
    case TN_DTYPE_F32:
      run = run_cross_entropy_grad<float, float>;
      break;
    case TN_DTYPE_F64:
      run = run_cross_entropy_grad<double, double>;
      break;
    case TN_DTYPE_BF16:
      run = run_cross_entropy_grad<bf16, float>;
      break;
    default:
      break;
  }
  return prepare_loss(device, sig, plan, 1, run);
}

}  // namespace tenon::cpu::CPU_ISA
