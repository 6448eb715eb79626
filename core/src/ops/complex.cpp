// real, imag, conj, complex: complex numbers and their parts, which lie side by side in memory.
//
// The cotangent g of a complex value z stands for the real pairing Re(g z), as everywhere in this
// folder: linear maps are transposed without conjugation.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// The parts of a complex number take an axis of their own meanwhile.
tn_error* number(const Infer& c, tn_dtype* t) {
  TN_TRY(c.single(0, "x", kNumber, t));
  return c.check_rank(c.rank(0) + (kind_of(*t) == kComplex ? 1 : 0));
}
tn_error* part_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(number(c, &t));
  return c.elementwise(part_of(t), c.dims(0), {});
}
tn_error* conj_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(number(c, &t));
  return c.elementwise(t, c.dims(0), {0});
}
tn_error* complex_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common({0, 1}, kFloat, &t));
  t = t == TN_DTYPE_F64 ? t : TN_DTYPE_F32;
  c.cast(0, t);
  c.cast(1, t);
  Dims dims;
  TN_TRY(c.broadcast({0, 1}, &dims));
  TN_TRY(c.check_rank(dims.n + 1));
  return c.elementwise(t == TN_DTYPE_F64 ? TN_DTYPE_C128 : TN_DTYPE_C64, dims, {});
}

// ---- decompositions

// Part 0 or 1 of complex numbers: a view.
Value part(Value x, int64_t which) {
  const uint32_t n = x.rank();
  Dims starts(n + 1, 0), stops(n + 1, kToEnd);
  starts[n] = which;
  stops[n] = which + 1;
  const Value parts = {x.b(), tn_b_bitcast(x.b(), x.v(), part_of(x.dtype()))};
  return squeeze(slice(parts, starts, stops, Dims()), 1u << n);
}
Value joined(Value re, Value im) {
  const tn_value parts[] = {re.v(), im.v()};
  const tn_dtype t = re.dtype() == TN_DTYPE_F64 ? TN_DTYPE_C128 : TN_DTYPE_C64;
  return {re.b(), tn_b_bitcast(re.b(), tn_b_stack(re.b(), parts, 2, -1), t)};
}

void real_of_base(Recipe& b) { b.set(0, is_complex(b.in(0)) ? part(b.in(0), 0) : copy(b.in(0))); }
void imag_of_base(Recipe& b) {
  b.set(0, is_complex(b.in(0)) ? part(b.in(0), 1) : full_like(b.in(0), 0));
}
void conj_of_base(Recipe& b) {
  const Value x = b.in(0);
  b.set(0, is_complex(x) ? joined(part(x, 0), -part(x, 1)) : copy(x));
}
void complex_of_base(Recipe& b) {
  const Value both = b.in(0) + b.in(1);  // for its dims
  b.set(0, joined(broadcast_like(b.in(0), both), broadcast_like(b.in(1), both)));
}

// ---- gradients

void d_real(Recipe& b) {
  const Value g = b.g();
  b.set(0, is_complex(b.in(0)) ? complex(g, full_like(g, 0)) : g);
}
void d_imag(Recipe& b) {
  const Value g = b.g();
  if (!is_complex(b.in(0))) return b.set_zero(0);
  b.set(0, complex(full_like(g, 0), -g));
}
void d_conj(Recipe& b) { b.set(0, conj(b.g())); }
void d_complex(Recipe& b) {
  if (b.wants(0)) b.set_summed(0, real(b.g()));
  if (b.wants(1)) b.set_summed(1, -imag(b.g()));
}

}  // namespace

const OpRules rules_real = {TN_OP_REAL, rule<part_rule>, recipe<real_of_base>, recipe<d_real>,
                            nullptr};
const OpRules rules_imag = {TN_OP_IMAG, rule<part_rule>, recipe<imag_of_base>, recipe<d_imag>,
                            nullptr};
const OpRules rules_conj = {TN_OP_CONJ, rule<conj_rule>, recipe<conj_of_base>, recipe<d_conj>,
                            nullptr};
const OpRules rules_complex = {TN_OP_COMPLEX, rule<complex_rule>, recipe<complex_of_base>,
                               recipe<d_complex>, nullptr};

}  // namespace tenon::ops
