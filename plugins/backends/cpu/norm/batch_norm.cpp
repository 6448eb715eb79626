// batch_norm and batch_norm_train of contiguous [N, C, ...] in f32 and f64.
#include <tenon/op_ids.h>

#include <cmath>

#include "norm/rows.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

struct BatchNormPlan {
  const Device* device;
  int64_t n, channels, inner;
  double epsilon;
};

// What one channel is mapped by: y = (x - mean) * factor + bias.
template <class T>
struct Affine {
  T mean, factor, bias;
};

template <class T>
CPU_INLINE void map_plane(T* y, const T* x, int64_t inner, Affine<T> a) {
  const Vec<T> mean = splat<Vec<T>>(a.mean), factor = splat<Vec<T>>(a.factor);
  const Vec<T> bias = splat<Vec<T>>(a.bias);
  map_row(y, x, inner, [&](Vec<T> v) { return fma(v - mean, factor, bias); });
}

// The same along n channels that are lined up.
template <class T>
CPU_INLINE void map_channels(T* y, const T* x, const T* mean, const T* factor, const T* bias,
                             int64_t n) {
  for_vectors<T>(
      n,
      [&](int64_t i) {
        store(y + i, fma(load(x + i) - load(mean + i), load(factor + i), load(bias + i)));
      },
      [&](int64_t i, int64_t k) {
        store_n(
            y + i,
            fma(load_n(x + i, k) - load_n(mean + i, k), load_n(factor + i, k), load_n(bias + i, k)),
            k);
      });
}

// ---- with statistics given. Workspace: factor of each channel.

template <class T>
tn_error* TN_CALL run_batch_norm(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const BatchNormPlan*>(data);
  const T *x = input<T>(args[0]), *scale = input<T>(args[1]), *bias = input<T>(args[2]);
  const T *mean = input<T>(args[3]), *variance = input<T>(args[4]);
  T* y = output<T>(args[5]);
  T* factor = output<T>(args[6]);
  for (int64_t c = 0; c < p.channels; ++c) {
    factor[c] = T(double(scale[c]) / std::sqrt(double(variance[c]) + p.epsilon));
  }
  if (p.inner == 1) {
    for_rows(*p.device, p.n, p.channels, 0.2, [&](int64_t r) {
      map_channels(y + r * p.channels, x + r * p.channels, mean, factor, bias, p.channels);
    });
    return nullptr;
  }
  for_rows(*p.device, p.n * p.channels, p.inner, 0.15, [&](int64_t r) {
    const int64_t c = r % p.channels;
    map_plane(y + r * p.inner, x + r * p.inner, p.inner, Affine<T>{mean[c], factor[c], bias[c]});
  });
  return nullptr;
}

// ---- with the statistics of x

template <class T>
struct TrainArgs {
  const T *x, *scale, *bias;
  T *y, *mean, *variance;
};

template <class T>
void train_channel(const BatchNormPlan& p, const TrainArgs<T>& a, int64_t c) {
  using V = Vec<T>;
  const int64_t step = p.channels * p.inner;
  const T* x = a.x + c * p.inner;
  const double count = double(p.n * p.inner);
  double sum = 0;
  for (int64_t s = 0; s < p.n; ++s) {
    sum += double(row_sum(x + s * step, p.inner, [](V v) { return v; }));
  }
  const double mean = sum / count;
  const V center = splat<V>(T(mean));
  double square = 0;
  for (int64_t s = 0; s < p.n; ++s) {
    square += double(row_sum(x + s * step, p.inner, [&](V v) {
      const V d = v - center;
      return d * d;
    }));
  }
  const double variance = square / count;
  a.mean[c] = T(mean);
  a.variance[c] = T(variance);
  const double factor = double(a.scale[c]) / std::sqrt(variance + p.epsilon);
  const Affine<T> affine{T(mean), T(factor), a.bias[c]};
  T* y = a.y + c * p.inner;
  for (int64_t s = 0; s < p.n; ++s) map_plane(y + s * step, x + s * step, p.inner, affine);
}

// `count` channels side by side, one per lane, of samples that are rows.
template <class T>
void train_lanes(const BatchNormPlan& p, const TrainArgs<T>& a, int64_t c, int64_t count) {
  using V = Vec<T>;
  const V per = splat<V>(T(1) / T(p.n));
  V sum{}, square{};
  for (int64_t s = 0; s < p.n; ++s) sum += load_n(a.x + s * p.channels + c, count);
  const V mean = sum * per;
  for (int64_t s = 0; s < p.n; ++s) {
    const V d = load_n(a.x + s * p.channels + c, count) - mean;
    square += d * d;
  }
  const V variance = square * per;
  store_n(a.mean + c, mean, count);
  store_n(a.variance + c, variance, count);
  const V factor = load_n(a.scale + c, count) / vsqrt(variance + splat<V>(T(p.epsilon)));
  const V bias = load_n(a.bias + c, count);
  for (int64_t s = 0; s < p.n; ++s) {
    const V d = load_n(a.x + s * p.channels + c, count) - mean;
    store_n(a.y + s * p.channels + c, fma(d, factor, bias), count);
  }
}

template <class T>
tn_error* TN_CALL run_batch_norm_train(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const BatchNormPlan*>(data);
  const TrainArgs<T> a = {input<T>(args[0]),  input<T>(args[1]),  input<T>(args[2]),
                          output<T>(args[3]), output<T>(args[4]), output<T>(args[5])};
  if (p.inner == 1) {
    constexpr int64_t lanes = kLanes<T>;
    for_rows(*p.device, (p.channels + lanes - 1) / lanes, p.n * lanes, 0.3, [&](int64_t block) {
      const int64_t c = block * lanes;
      train_lanes(p, a, c, p.channels - c < lanes ? p.channels - c : lanes);
    });
  } else {
    for_rows(*p.device, p.channels, p.n * p.inner, 0.3, [&](int64_t c) { train_channel(p, a, c); });
  }
  return nullptr;
}

tn_error* prepare_any(const Device& device, const tn_signature& sig, tn_plan* plan, double epsilon,
                      tn_kernel_run f32, tn_kernel_run f64) {
  for (uint32_t i = 0; i < sig.n_inputs; ++i) {
    if (!contiguous(sig.inputs[i])) return decline(plan, "contiguous tensors only");
  }
  const tn_view& x = *sig.inputs[0];
  if (!contiguous(sig.outputs[0])) return decline(plan, "contiguous tensors only");
  if (x.count == 0) return decline(plan, "empty");
  const tn_kernel_run run = x.dtype == TN_DTYPE_F32 ? f32 : x.dtype == TN_DTYPE_F64 ? f64 : nullptr;
  if (!run) return decline(plan, "only f32 and f64");
  const int64_t n = x.dims[0], channels = x.dims[1];
  if (!make_plan<BatchNormPlan>(plan, run, &device, n, channels, x.count / (n * channels),
                                epsilon)) {
    return out_of_memory(device);
  }
  return nullptr;
}

}  // namespace

CPU_PREPARE(batch_norm) {
  TN_TRY(prepare_any(device, sig, plan, attr_f64(sig, TN_BATCH_NORM_EPSILON), run_batch_norm<float>,
                     run_batch_norm<double>));
  if (plan->run) plan->workspace_bytes = sizeof(double) * uint64_t(sig.inputs[0]->dims[1]);
  return nullptr;
}

CPU_PREPARE(batch_norm_train) {
  return prepare_any(device, sig, plan, attr_f64(sig, TN_BATCH_NORM_TRAIN_EPSILON),
                     run_batch_norm_train<float>, run_batch_norm_train<double>);
}

}  // namespace tenon::cpu::CPU_ISA
