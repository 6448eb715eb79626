// prepare of the reductions; var and logsumexp, which read their runs twice.
#include <algorithm>
#include <memory>

#include "float_ops.hpp"
#include "narrow.hpp"
#include "reduce.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct ReducePlan {
  const Device& device;
  const Reduction& kernel;
  uint32_t axes;
};

tn_error* TN_CALL run_reduce(void* data, void*, const tn_view* const* args) {
  const ReducePlan& plan = *static_cast<const ReducePlan*>(data);
  return run_reduction(plan.device, plan.kernel, args[0], plan.axes, args[1]);
}

}  // namespace

const Reduction* find_reduction(tn_op op, tn_dtype dtype) {
  for (const auto find : {find_sum, find_extremum, CPU_SHARED_ISA::find_other_extremum,
                          CPU_SHARED_ISA::find_other_sum}) {
    if (const Reduction* found = find(op, dtype)) return found;
  }
  return nullptr;
}

// The attribute lists of all of them have the axes first.
CPU_PREPARE(reduce) {
  static_assert(TN_SUM_AXES == 0 && TN_PROD_AXES == 0 && TN_MAX_AXES == 0 && TN_MIN_AXES == 0 &&
                TN_MEAN_AXES == 0 && TN_ANY_AXES == 0 && TN_ALL_AXES == 0);
  const Reduction* kernel = find_reduction(sig.op, sig.inputs[0]->dtype);
  if (!kernel) return decline(plan, "no kernel for this dtype");
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  const uint32_t axes = reduced_axes(sig, TN_SUM_AXES, sig.inputs[0]->rank);
  if (!make_plan<ReducePlan>(plan, run_reduce, device, *kernel, axes)) return out_of_memory(device);
  return nullptr;
}

// ---- var and logsumexp over the last axes of dense floats

namespace {

constexpr int64_t kBlock = 1024;

// f(values, n) over the blocks of a run, as float.
template <class S, class F>
CPU_INLINE void blocks(const S* x, int64_t n, F&& f) {
  if constexpr (std::is_same_v<S, float>) {
    for (int64_t i = 0; i < n; i += kBlock) f(x + i, n - i < kBlock ? n - i : kBlock);
  } else {
    alignas(64) float wide[kBlock];
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t m = n - i < kBlock ? n - i : kBlock;
      convert_run<float, S>(wide, x + i, m);
      f(wide, m);
    }
  }
}

// The sum of f over a block, in vectors, in double.
template <class F>
CPU_INLINE double block_sum(const float* x, int64_t n, F&& f) {
  constexpr int64_t lanes = kLanes<float>;
  F32 a{}, b{};
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a += f(load(x + i));
    b += f(load(x + i + lanes));
  }
  for (; i + lanes <= n; i += lanes) a += f(load(x + i));
  double tail = 0;
  if (i < n) {
    const F32 y = f(load_n(x + i, n - i));
    for (int64_t k = 0; k < n - i; ++k) tail += double(y[k]);
  }
  return double(sum_lanes(F32(a + b))) + tail;
}

template <class S>
double variance(const S* x, int64_t n, double correction) {
  double total = 0;
  blocks(x, n,
         [&](const float* v, int64_t m) { total += block_sum(v, m, [](F32 u) { return u; }); });
  const double mean = total / double(n);
  const float near = float(mean);
  // Around the rounded mean, and then shifted by what rounding it lost.
  double squares = 0;
  blocks(x, n, [&](const float* v, int64_t m) {
    squares += block_sum(v, m, [near](F32 u) { return (u - near) * (u - near); });
  });
  const double lost = mean - double(near);
  return (squares - double(n) * lost * lost) / std::max(double(n) - correction, 0.0);
}

template <class S>
double log_sum_exp(const S* x, int64_t n) {
  float top = -kInf;
  bool nan = false;
  blocks(x, n, [&](const float* v, int64_t m) {
    for (int64_t i = 0; i < m; ++i) {
      nan |= v[i] != v[i];
      top = v[i] > top ? v[i] : top;
    }
  });
  if (nan) return double(kNan);
  if (top == kInf || top == -kInf) return double(top);
  double total = 0;
  blocks(x, n, [&](const float* v, int64_t m) {
    total += block_sum(v, m, [top](F32 u) { return vexp(u - top); });
  });
  return std::log(total) + double(top);
}

struct MomentPlan {
  const Device& device;
  uint32_t axes;
  double correction;
};

template <tn_op op, class S>
tn_error* TN_CALL run_moment(void* data, void*, const tn_view* const* args) {
  const MomentPlan& plan = *static_cast<const MomentPlan*>(data);
  const tn_view* x = args[0];
  const int64_t rows = args[1]->count;
  if (rows == 0) return nullptr;
  const int64_t n = x->count / rows;
  const S* from = input<S>(x);
  S* y = output<S>(args[1]);
  parallel(plan.device, rows, 1, double(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const double v = op == TN_OP_VAR ? variance(from + r * n, n, plan.correction)
                                       : log_sum_exp(from + r * n, n);
      y[r] = S(float(v));
    }
  });
  return nullptr;
}

template <tn_op op>
tn_error* prepare_moment(const Device& device, const tn_signature& sig, tn_plan* plan,
                         double correction) {
  const tn_view* x = sig.inputs[0];
  if (!contiguous(x) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  const uint32_t axes = reduced_axes(sig, TN_VAR_AXES, x->rank);
  // A run of ones at the top of the mask: the last axes.
  const uint32_t kept = ((1u << x->rank) - 1) & ~axes;
  if (axes == 0 || (kept & (kept + 1)) != 0) return decline(plan, "only over the last axes");
  tn_kernel_run run = nullptr;
  switch (x->dtype) {
    case TN_DTYPE_F32:
      run = run_moment<op, float>;
      break;
    case TN_DTYPE_F16:
      run = run_moment<op, f16>;
      break;
    case TN_DTYPE_BF16:
      run = run_moment<op, bf16>;
      break;
    default:
      return decline(plan, "no kernel for this dtype");
  }
  if (!make_plan<MomentPlan>(plan, run, device, axes, correction)) return out_of_memory(device);
  return nullptr;
}

}  // namespace

CPU_PREPARE(var) {
  return prepare_moment<TN_OP_VAR>(device, sig, plan, attr_f64(sig, TN_VAR_CORRECTION));
}
CPU_PREPARE(logsumexp) { return prepare_moment<TN_OP_LOGSUMEXP>(device, sig, plan, 0); }

}  // namespace tenon::cpu::CPU_ISA
