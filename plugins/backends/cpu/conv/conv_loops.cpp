// conv in plain loops: any number of axes, every dtype, dilation of x. Compiled once.
#include <tenon/op_ids.h>
#include <tenon/sdk/dtype.hpp>

#include "conv/loops.hpp"

namespace tenon::cpu {

namespace {

constexpr int kMaxSpatial = TN_MAX_RANK - 2;

int64_t entry(const I64s& list, int64_t i, int64_t otherwise) {
  return list.size ? list[i] : otherwise;
}

struct PlainAxis {
  int64_t in, out, kernel, stride, low, lhs, rhs;
  // Where kernel element k of output element i reads, or -1: outside or between elements of x.
  int64_t source(int64_t i, int64_t k) const {
    const int64_t at = i * stride + k * rhs - low;
    if (at < 0 || at % lhs != 0) return -1;
    return at / lhs < in ? at / lhs : -1;
  }
};

struct PlainPlan {
  const Device* device;
  int spatial;
  int64_t batch, channels, outputs, groups;
  int64_t kernel_size, out_size;
  PlainAxis axis[kMaxSpatial];
};

template <class T>
using SumOf = std::conditional_t<sdk::is_small_float<T>, float,
                                 std::conditional_t<std::is_integral_v<T>, uint64_t, T>>;

template <class T, class S>
inline void multiply_add(S& sum, T a, T b) {
  if constexpr (sdk::is_complex<T>) {
    sum = T(sum.real() + a.real() * b.real() - a.imag() * b.imag(),
            sum.imag() + a.real() * b.imag() + a.imag() * b.real());
  } else {
    sum += S(a) * S(b);
  }
}

// Output elements begin .. end, counted through [N, O, spatial...].
template <class T>
void plain_range(const PlainPlan& p, const tn_view& xv, const T* x, const T* w, T* y, int64_t begin,
                 int64_t end) {
  const int64_t per_group = p.outputs / p.groups;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t o = i / p.out_size % p.outputs, n = i / p.out_size / p.outputs;
    int64_t at[kMaxSpatial] = {}, rest = i % p.out_size;
    for (int s = p.spatial - 1; s >= 0; --s) {
      at[s] = rest % p.axis[s].out;
      rest /= p.axis[s].out;
    }
    const T* from = x + n * xv.strides[0] + o / per_group * p.channels * xv.strides[1];
    const T* weights = w + o * p.channels * p.kernel_size;
    SumOf<T> sum{};
    for (int64_t k = 0; k < p.kernel_size; ++k) {
      int64_t place = 0, q = k;
      bool inside = true;
      for (int s = p.spatial - 1; s >= 0 && inside; --s) {
        const int64_t source = p.axis[s].source(at[s], q % p.axis[s].kernel);
        q /= p.axis[s].kernel;
        inside = source >= 0;
        place += source * xv.strides[2 + s];
      }
      if (!inside) continue;
      for (int64_t c = 0; c < p.channels; ++c) {
        multiply_add<T>(sum, from[place + c * xv.strides[1]], weights[c * p.kernel_size + k]);
      }
    }
    y[i] = T(sum);
  }
}

template <class T>
tn_error* TN_CALL run_plain(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const PlainPlan*>(data);
  const T *x = input<T>(args[0]), *w = input<T>(args[1]);
  T* y = output<T>(args[2]);
  const double ns = 2.0 * double(p.channels * p.kernel_size);
  parallel(*p.device, args[2]->count, 64, ns,
           [&](int64_t begin, int64_t end) { plain_range(p, *args[0], x, w, y, begin, end); });
  return nullptr;
}

}  // namespace

tn_error* plan_conv_loops(const Device& device, const tn_signature& sig, tn_plan* plan) {
  const tn_view &x = *sig.inputs[0], &w = *sig.inputs[1], &y = *sig.outputs[0];
  if (!contiguous(&w) || !contiguous(&y)) return decline(plan, "w must be contiguous");
  tn_kernel_run run = nullptr;
  sdk::visit_dtype<sdk::Numbers>(
      y.dtype, [&](auto type) { run = run_plain<typename decltype(type)::type>; });
  if (!run) return decline(plan, "a dtype that is not computed on");
  auto* p = make_plan<PlainPlan>(plan, run);
  if (!p) return out_of_memory(device);
  p->device = &device;
  p->spatial = x.rank - 2;
  p->batch = x.dims[0];
  p->channels = w.dims[1];
  p->outputs = w.dims[0];
  p->groups = attr_i64(sig, TN_CONV_GROUPS);
  p->kernel_size = p->out_size = 1;
  for (int s = 0; s < p->spatial; ++s) {
    p->axis[s] = {x.dims[2 + s],
                  y.dims[2 + s],
                  w.dims[2 + s],
                  entry(attr_i64s(sig, TN_CONV_STRIDE), s, 1),
                  entry(attr_i64s(sig, TN_CONV_LOW), s, 0),
                  entry(attr_i64s(sig, TN_CONV_LHS_DILATION), s, 1),
                  entry(attr_i64s(sig, TN_CONV_RHS_DILATION), s, 1)};
    p->kernel_size *= w.dims[2 + s];
    p->out_size *= y.dims[2 + s];
  }
  if (p->channels == 0) p->kernel_size = 0;
  return nullptr;
}

}  // namespace tenon::cpu
