#include "matmul/batch.hpp"

#include <tenon/op_ids.h>

namespace tenon::cpu::CPU_ISA {

namespace {

tn_precision precision_of(const tn_signature& sig) {
  return sig.flags & TN_SIGNATURE_PRECISION_MEDIUM ? TN_PRECISION_MEDIUM
         : sig.flags & TN_SIGNATURE_PRECISION_HIGH ? TN_PRECISION_HIGH
                                                   : TN_PRECISION_HIGHEST;
}

// Stride of batch axis i (of c's axes) in a view whose axes are aligned at the right.
int64_t batch_stride(const tn_view& v, int axis, int c_rank) {
  const int i = axis - (c_rank - v.rank);
  return i < 0 || v.dims[i] == 1 ? 0 : v.strides[i];
}

void gather_batch(const tn_view& a, const tn_view& b, const tn_view& c, Batch* batch) {
  for (int i = 0; i + 2 < c.rank; ++i) {
    const int64_t dim = c.dims[i];
    batch->count *= dim;
    if (dim == 1) continue;
    const int64_t sa = batch_stride(a, i, c.rank), sb = batch_stride(b, i, c.rank);
    const int64_t sc = c.strides[i];
    const int last = batch->rank - 1;
    if (last >= 0 && batch->a[last] == sa * dim && batch->b[last] == sb * dim &&
        batch->c[last] == sc * dim) {
      batch->dims[last] *= dim;
    } else {
      batch->dims[++batch->rank - 1] = dim;
    }
    const int now = batch->rank - 1;
    batch->a[now] = sa;
    batch->b[now] = sb;
    batch->c[now] = sc;
  }
}

}  // namespace

bool matmul_shape(const tn_signature& sig, MatmulShape* out) {
  const tn_view& a = *sig.inputs[0];
  const tn_view& b = *sig.inputs[1];
  const tn_view& c = *sig.outputs[0];
  const bool ta = attr_bool(sig, TN_MATMUL_TRANSPOSE_A), tb = attr_bool(sig, TN_MATMUL_TRANSPOSE_B);
  const int a_row = a.rank - 2 + ta, a_col = a.rank - 1 - ta;
  const int b_row = b.rank - 2 + tb, b_col = b.rank - 1 - tb;
  GemmShape& g = out->gemm;
  g.m = c.dims[c.rank - 2];
  g.n = c.dims[c.rank - 1];
  g.k = a.dims[a_col];
  g.a_row = a.strides[a_row];
  g.a_col = a.strides[a_col];
  g.b_row = b.strides[b_row];
  g.b_col = b.strides[b_col];
  g.c_row = c.strides[c.rank - 2];
  g.precision = precision_of(sig);
  out->lasting_b = b.flags & TN_VIEW_LASTING;
  if (c.strides[c.rank - 1] != 1 && g.n > 1 && c.count > 0) return false;
  Batch& batch = out->batch;
  gather_batch(a, b, c, &batch);
  if (g.m == 1 && batch.rank > 0 && batch.b[batch.rank - 1] == 0) {
    g.a_row = batch.a[batch.rank - 1];
    g.c_row = batch.c[batch.rank - 1];
  }
  while (batch.rank > 0) {
    const int last = batch.rank - 1;
    if (batch.b[last] != 0 || batch.a[last] != g.a_row * g.m || batch.c[last] != g.c_row * g.m)
      break;
    g.m *= batch.dims[last];
    batch.count /= batch.dims[last] ? batch.dims[last] : 1;
    --batch.rank;
  }
  return true;
}

bool linear_shape(const tn_signature& sig, MatmulShape* out) {
  const tn_view& x = *sig.inputs[0];
  const tn_view& w = *sig.inputs[1];
  const tn_view& y = *sig.outputs[0];
  const int last = x.rank - 1;
  GemmShape& g = out->gemm;
  g.m = 1;
  g.n = w.dims[0];
  g.k = w.dims[1];
  g.a_col = x.strides[last];
  g.b_row = w.strides[1];
  g.b_col = w.strides[0];
  g.c_row = g.n;
  g.precision = precision_of(sig);
  out->lasting_b = w.flags & TN_VIEW_LASTING;
  if (y.count == 0) {
    g.m = 0;
    return true;
  }
  if (g.n > 1 && y.strides[last] != 1) return false;
  for (int i = last - 1; i >= 0; --i) {
    if (x.dims[i] == 1) continue;
    if (g.m == 1) {
      g.a_row = x.strides[i];
      g.c_row = y.strides[i];
    } else if (x.strides[i] != g.a_row * g.m || y.strides[i] != g.c_row * g.m) {
      return false;
    }
    g.m *= x.dims[i];
  }
  return true;
}

}  // namespace tenon::cpu::CPU_ISA
