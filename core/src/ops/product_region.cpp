// conv2d_region, linear_region, matmul_region: a convolution or a product of matrices and a region over its result, for captures. The
// first inputs are those of the product; the region's value 0 is what it gives, rounded to its dtype, and the other inputs follow.
#include <array>

#include "conv.hpp"
#include "matmul.hpp"
#include "recipe.hpp"
#include "region.hpp"

namespace tenon::ops {
namespace {

static_assert(TN_CONV2D_REGION_CODE == TN_REGION_CODE && TN_LINEAR_REGION_CODE == TN_REGION_CODE &&
              TN_MATMUL_REGION_CODE == TN_REGION_CODE);
static_assert(TN_CONV2D_REGION_OPERANDS == TN_LINEAR_REGION_OPERANDS);

constexpr ConvKeys kKeys = {TN_CONV2D_REGION_STRIDE, TN_CONV2D_REGION_PADDING,
                            TN_CONV2D_REGION_DILATION, TN_CONV2D_REGION_GROUPS};

// How many inputs are the product's own, of an op that may have a bias.
tn_error* operands_of(const Infer& c, uint32_t* out) {
  TN_TRY(c.within(TN_CONV2D_REGION_OPERANDS, "operands", 2, 3));
  *out = static_cast<uint32_t>(c.i64(TN_CONV2D_REGION_OPERANDS));
  return nullptr;
}
tn_error* need(const Infer& c, uint32_t operands) {
  if (c.count() >= operands) return nullptr;
  return c.error("{} inputs given; the product alone has {}", c.count(), operands);
}

// The region over a product of this dtype and these dims.
tn_error* region_over(const Infer& c, uint32_t operands, tn_dtype product, const Dims& dims) {
  std::vector<tn_dtype> types = {product};
  for (uint32_t i = operands; i < c.count(); ++i) {
    TN_TRY(c.single(i, "xs", kAnyKind, &types.emplace_back()));
    bool fits = c.rank(i) <= dims.n;
    for (uint32_t a = 0; fits && a < c.rank(i); ++a) {
      const int64_t to = dims[dims.n - c.rank(i) + a], joint = c.broadcast_dim(c.dim(i, a), to);
      fits = joint != -1 && !c.differ(joint, to);
    }
    if (!fits)
      return c.error("input {} is {}; it must broadcast to what the product gives", i, c.text(i));
  }
  tn_region_code r;
  TN_TRY(region_types(c, &types, &r));
  if (r.n_outputs != 1 || c.list(TN_REGION_CODE)[0] != TN_REGION_VERSION)
    return c.error("code has {} outputs; it must have one, and version {}", r.n_outputs,
                   TN_REGION_VERSION);
  return c.out(0, types[static_cast<size_t>(r.outputs[0])], dims);
}

tn_error* conv2d_region_rule(Infer& c) {
  uint32_t n = 0;
  tn_dtype t = TN_DTYPE_NONE;
  Dims to;
  TN_TRY(operands_of(c, &n));
  TN_TRY(need(c, n));
  TN_TRY(conv_bias_dims(c, kKeys, 2, n == 3, &t, &to));
  return region_over(c, n, t, to);
}
tn_error* linear_region_rule(Infer& c) {
  uint32_t n = 0;
  tn_dtype t = TN_DTYPE_NONE;
  Dims to;
  TN_TRY(operands_of(c, &n));
  TN_TRY(need(c, n));
  TN_TRY(linear_dims(c, n == 3, &t, &to));
  return region_over(c, n, t, to);
}
tn_error* matmul_region_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  Dims to;
  TN_TRY(need(c, 2));
  TN_TRY(c.common({0, 1}, kNumber, &t));
  TN_TRY(matmul_dims(c, 0, 1, c.flag(TN_MATMUL_REGION_TRANSPOSE_A),
                     c.flag(TN_MATMUL_REGION_TRANSPOSE_B), &to));
  return region_over(c, 2, t, to);
}

// The op `product` of the first inputs, with the attributes from key `first` on, then the region.
void one_by_one(Recipe& b, tn_op product, uint32_t operands, uint32_t first, uint32_t n_attrs) {
  tn_builder* raw = b.raw();
  std::array<tn_value, 3> of;
  for (uint32_t i = 0; i < 3; ++i) of[i] = i < operands ? b.in(i).v() : TN_NO_VALUE;
  std::array<tn_attr, 4> attrs;
  for (uint32_t k = 0; k < n_attrs; ++k) {
    attrs[k] = *raw->v->attr(raw, first + k);
    attrs[k].key = k;
  }
  std::vector<tn_value> xs(1);
  raw->v->call(raw, product, of.data(), product == TN_OP_MATMUL ? 2 : 3, attrs.data(), n_attrs,
               xs.data(), 1);
  for (uint32_t i = operands; i < b.count(); ++i) xs.push_back(b.in(i).v());
  const tn_attr code = *raw->v->attr(raw, TN_REGION_CODE);
  tn_value out = TN_NO_VALUE;
  raw->v->call(raw, TN_OP_REGION, xs.data(), static_cast<uint32_t>(xs.size()), &code, 1, &out, 1);
  raw->v->set(raw, 0, out);
}
uint32_t operands_of(const Recipe& b) {
  return static_cast<uint32_t>(b.i64(TN_CONV2D_REGION_OPERANDS));
}
void conv2d_region_by_ops(Recipe& b) {
  one_by_one(b, TN_OP_CONV2D, operands_of(b), TN_CONV2D_REGION_STRIDE, 4);
}
void linear_region_by_ops(Recipe& b) { one_by_one(b, TN_OP_LINEAR, operands_of(b), 0, 0); }
void matmul_region_by_ops(Recipe& b) {
  one_by_one(b, TN_OP_MATMUL, 2, TN_MATMUL_REGION_TRANSPOSE_A, 2);
}

}  // namespace

const OpRules rules_conv2d_region = {TN_OP_CONV2D_REGION, rule<conv2d_region_rule>,
                                     recipe<conv2d_region_by_ops>, nullptr, nullptr};
const OpRules rules_linear_region = {TN_OP_LINEAR_REGION, rule<linear_region_rule>,
                                     recipe<linear_region_by_ops>, nullptr, nullptr};
const OpRules rules_matmul_region = {TN_OP_MATMUL_REGION, rule<matmul_region_rule>,
                                     recipe<matmul_region_by_ops>, nullptr, nullptr};

}  // namespace tenon::ops
