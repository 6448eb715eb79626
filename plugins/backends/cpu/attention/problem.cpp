#include "attention/problem.hpp"

#include <tenon/op_ids.h>

#include <cmath>

namespace tenon::cpu::CPU_ISA {

bool attention_operand(const tn_view& v, int64_t shared_heads, bool shared, Operand* out) {
  const int n = v.rank;
  for (int i = 0; i + 2 < n; ++i) out->unit[i] = v.dims[i] == 1 ? 0 : v.strides[i];
  out->head = 0;
  if (!shared) {
    const int64_t group = shared_heads ? v.dims[n - 3] / shared_heads : 0;
    out->head = out->unit[n - 3];
    out->unit[n - 3] *= group;
  }
  out->row = v.strides[n - 2];
  out->col = 1;
  return v.strides[n - 1] == 1 || v.dims[n - 1] == 1 || v.count == 0;
}

bool Problem::worth_threads(double products) const {
  constexpr double per_ns = 50;
  const double pairs = double(units) * double(rows) * double(keys) * (causal ? 0.5 : 1.0);
  return cpu::worth_threads(*device, pairs * products / per_ns);
}

int64_t Problem::slots(double products, int64_t items) const {
  return worth_threads(products) ? smaller(device->threads, items) : 1;
}

namespace {

// mask broadcasts to [..., heads, S, T], the dims of q but for the last.
void mask_operand(const tn_view& mask, const tn_view& q, int64_t shared_heads, Operand* out) {
  const int n = q.rank, missing = n - mask.rank;
  const auto stride = [&](int axis) {
    const int i = axis - missing;
    return i < 0 || mask.dims[i] == 1 ? 0 : mask.strides[i];
  };
  for (int i = 0; i + 2 < n; ++i) out->unit[i] = stride(i);
  out->head = stride(n - 3);
  out->unit[n - 3] *= shared_heads ? q.dims[n - 3] / shared_heads : 0;
  out->row = stride(n - 2);
  out->col = stride(n - 1);
}

}  // namespace

bool attention_problem(const Device& device, const tn_signature& sig, uint32_t first, bool narrow,
                       Problem* out, const char** why) {
  const tn_view &q = *sig.inputs[first], &k = *sig.inputs[first + 1], &v = *sig.inputs[first + 2];
  const tn_view* mask = sig.inputs[first + 3];
  Problem& p = *out;
  const int n = q.rank;
  const int64_t shared = k.dims[n - 3];
  p.device = &device;
  p.narrow = narrow;
  p.rank = n - 2;
  for (int i = 0; i < p.rank; ++i) p.units *= p.dims[i] = k.dims[i];
  p.queries = q.dims[n - 2];
  p.rows = shared ? q.dims[n - 3] / shared * p.queries : 0;
  p.keys = k.dims[n - 2];
  p.width = q.dims[n - 1];
  p.out = v.dims[n - 1];
  p.causal = attr_bool(sig, TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL);
  const double scale = attr_f64(sig, TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE);
  p.scale = float(scale != 0 ? scale : 1 / std::sqrt(double(p.width)));
  if (q.dtype != (narrow ? TN_DTYPE_BF16 : TN_DTYPE_F32)) {
    *why = "only f32, f16 and bf16";
  } else if (p.width > 256 || p.out > 256) {
    *why = "vectors of at most 256 elements";
  } else if (double(p.keys) * double(p.width + p.out) * double(p.units) > 1e17) {
    *why = "too many keys";
  } else if (!attention_operand(q, shared, false, &p.q) ||
             !attention_operand(k, shared, true, &p.k) ||
             !attention_operand(v, shared, true, &p.v)) {
    *why = "rows must be dense";
  } else {
    if (!absent(mask)) {
      p.mask_kind = mask->dtype == TN_DTYPE_BOOL ? MaskKind::keep : MaskKind::bias;
      mask_operand(*mask, q, shared, &p.mask);
    }
    return true;
  }
  return false;
}

}  // namespace tenon::cpu::CPU_ISA
