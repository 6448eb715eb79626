// softmax and log_softmax along a last axis of contiguous tensors, and cross_entropy with labels on [N, C]; f32 and f64.
#include <tenon/op_ids.h>

#include <cmath>

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

// The first label that is neither ignored nor in 0 .. n - 1, or `rows`.
template <class Label>
int64_t bad_label(const Label* labels, const LossPlan& p) {
  const auto good = [&](int64_t r) {
    return uint64_t(int64_t(labels[r])) < uint64_t(p.n) || int64_t(labels[r]) == p.ignore;
  };
  bool all = true;
  for (int64_t r = 0; r < p.rows; ++r) all &= good(r);
  int64_t r = all ? p.rows : 0;
  while (r < p.rows && good(r)) ++r;
  return r;
}

template <class T, class Label>
tn_error* TN_CALL run_cross_entropy(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const LossPlan*>(data);
  const T* x = input<T>(args[0]);
  const Label* labels = input<Label>(args[1]);
  if (const int64_t r = bad_label(labels, p); r < p.rows) {
    return outside(*p.device, "cross_entropy: labels", args[1]->dtype, int64_t(labels[r]), r, p.n,
                   false);
  }
  const bool none = p.reduction == Reduction::none;
  T* losses = output<T>(args[none ? 3 : 4]);
  for_rows(*p.device, p.rows, p.n, 0.5, [&](int64_t r) {
    const auto label = int64_t(labels[r]);
    losses[r] = label == p.ignore ? T(0) : row_loss(x + r * p.n, p.n, label);
  });
  if (none) return nullptr;
  double sum = 0;
  int64_t kept = 0;
  for (int64_t r = 0; r < p.rows; ++r) {
    sum += double(losses[r]);
    kept += int64_t(labels[r]) != p.ignore;
  }
  *output<T>(args[3]) = T(p.reduction == Reduction::mean ? sum / double(kept) : sum);
  return nullptr;
}

template <class T>
tn_kernel_run cross_entropy_run(tn_dtype labels) {
  switch (labels) {
    case TN_DTYPE_I64:
      return run_cross_entropy<T, int64_t>;
    case TN_DTYPE_I32:
      return run_cross_entropy<T, int32_t>;
    case TN_DTYPE_U8:
      return run_cross_entropy<T, uint8_t>;
    default:
      return nullptr;
  }
}

}  // namespace

CPU_PREPARE(softmax) { return prepare_any_softmax<false>(device, sig, plan); }
CPU_PREPARE(log_softmax) { return prepare_any_softmax<true>(device, sig, plan); }

CPU_PREPARE(cross_entropy) {
  const tn_view& x = *sig.inputs[0];
  const tn_view& labels = *sig.inputs[1];
  if (!absent(sig.inputs[2])) return decline(plan, "no weights");
  if (attr_f64(sig, TN_CROSS_ENTROPY_LABEL_SMOOTHING) != 0) {
    return decline(plan, "no label smoothing");
  }
  if (!contiguous(&x) || !contiguous(&labels) || !contiguous(sig.outputs[0])) {
    return decline(plan, "contiguous tensors only");
  }
  const int64_t n = x.dims[1];
  const int64_t rows = labels.count;
  if (n == 0 || x.count != rows * n) return decline(plan, "classes along the last axis only");
  for (int i = 2; i < x.rank; ++i) {
    if (x.dims[i] != 1) return decline(plan, "classes along the last axis only");
  }
  Reduction reduction = Reduction::mean;
  if (attr_is(sig, TN_CROSS_ENTROPY_REDUCTION, "sum")) reduction = Reduction::sum;
  if (attr_is(sig, TN_CROSS_ENTROPY_REDUCTION, "none")) reduction = Reduction::none;
  tn_kernel_run run = nullptr;
  if (x.dtype == TN_DTYPE_F32) run = cross_entropy_run<float>(labels.dtype);
  if (x.dtype == TN_DTYPE_F64) run = cross_entropy_run<double>(labels.dtype);
  if (!run) return decline(plan, "only f32 and f64 with labels of i64, i32 or u8");
  if (!make_plan<LossPlan>(plan, run, &device, rows, n,
                           attr_i64(sig, TN_CROSS_ENTROPY_IGNORE_INDEX), reduction))
    return out_of_memory(device);
  if (reduction != Reduction::none) plan->workspace_bytes = uint64_t(rows + 1) * sizeof(double);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
