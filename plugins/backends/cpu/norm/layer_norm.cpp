// layer_norm of contiguous tensors in f32 and f64.
#include <tenon/op_ids.h>

#include <cmath>

#include "norm/rows.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

struct LayerNormPlan {
  const Device* device;
  int64_t rows, n;
  double epsilon;
};

// scale and bias: null for none.
template <class T, bool scaled, bool shifted>
void normalize_row(T* y, const T* x, int64_t n, double epsilon, const T* scale, const T* bias) {
  using V = Vec<T>;
  const T mean = T(double(row_sum(x, n, [](V v) { return v; })) / double(n));
  const V center = splat<V>(mean);
  const T square = row_sum(x, n, [&](V v) {
    const V d = v - center;
    return d * d;
  });
  const V factor = splat<V>(T(1 / std::sqrt(double(square) / double(n) + epsilon)));
  for_vectors<T>(
      n,
      [&](int64_t i) {
        V v = (load(x + i) - center) * factor;
        if (scaled) v *= load(scale + i);
        if (shifted) v += load(bias + i);
        store(y + i, v);
      },
      [&](int64_t i, int64_t count) {
        V v = (load_n(x + i, count) - center) * factor;
        if (scaled) v *= load_n(scale + i, count);
        if (shifted) v += load_n(bias + i, count);
        store_n(y + i, v, count);
      });
}

template <class T>
tn_error* TN_CALL run_layer_norm(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const LayerNormPlan*>(data);
  const T* x = input<T>(args[0]);
  const T* scale = absent(args[1]) ? nullptr : input<T>(args[1]);
  const T* bias = absent(args[2]) ? nullptr : input<T>(args[2]);
  T* y = output<T>(args[3]);
  auto* row = scale  ? bias ? normalize_row<T, true, true> : normalize_row<T, true, false>
               : bias ? normalize_row<T, false, true>
                     : normalize_row<T, false, false>;
  for_rows(*p.device, p.rows, p.n, 0.25,
           [&](int64_t r) { row(y + r * p.n, x + r * p.n, p.n, p.epsilon, scale, bias); });
  return nullptr;
}

}  // namespace

CPU_PREPARE(layer_norm) {
  const tn_view& x = *sig.inputs[0];
  if (!contiguous(&x) || !contiguous(sig.outputs[0]))
    return decline(plan, "contiguous tensors only");
  for (const int i : {1, 2}) {
    if (!absent(sig.inputs[i]) && !contiguous(sig.inputs[i])) {
      return decline(plan, "contiguous tensors only");
    }
  }
  int64_t n = 1;
  for (int64_t i = x.rank - attr_i64(sig, TN_LAYER_NORM_AXES); i < x.rank; ++i) n *= x.dims[i];
  tn_kernel_run run = nullptr;
  if (x.dtype == TN_DTYPE_F32) run = run_layer_norm<float>;
  if (x.dtype == TN_DTYPE_F64) run = run_layer_norm<double>;
  if (!run) return decline(plan, "only f32 and f64");
  const double epsilon = attr_f64(sig, TN_LAYER_NORM_EPSILON);
  if (!make_plan<LayerNormPlan>(plan, run, &device, n ? x.count / n : 0, n, epsilon)) {
    return out_of_memory(device);
  }
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
