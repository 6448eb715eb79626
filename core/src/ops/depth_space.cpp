// depth_to_space, space_to_depth: blocks of an image [N, C, H, W] against channels.
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

constexpr int64_t kLargestBlock = 1 << 20;
constexpr const char* kForm = "[N, C, H, W]";

tn_error* divide(const Infer& c, uint32_t axis, int64_t by, int64_t* out) {
  const int64_t d = c.dim(0, axis);
  *out = c.floordiv(d, by);
  if (!c.differ(c.mul(*out, by), d)) return nullptr;
  return c.error("x is {}; axis {} does not divide by {}", c.text(0), axis, by);
}

tn_error* depth_to_space_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const int64_t block = c.i64(TN_DEPTH_TO_SPACE_BLOCK);
  TN_TRY(c.within(TN_DEPTH_TO_SPACE_BLOCK, "block", 1, kLargestBlock));
  TN_TRY(c.choice("mode", c.string(TN_DEPTH_TO_SPACE_MODE), {"DCR", "CRD"}));
  TN_TRY(c.require_rank(0, "x", 4, kForm));
  Dims to = c.dims(0);
  TN_TRY(divide(c, 1, block * block, &to[1]));
  to[2] = c.mul(to[2], block);
  to[3] = c.mul(to[3], block);
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}
tn_error* space_to_depth_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.single(0, "x", kAnyKind, &t));
  const int64_t block = c.i64(TN_SPACE_TO_DEPTH_BLOCK);
  TN_TRY(c.within(TN_SPACE_TO_DEPTH_BLOCK, "block", 1, kLargestBlock));
  TN_TRY(c.require_rank(0, "x", 4, kForm));
  Dims to = c.dims(0);
  to[1] = c.mul(to[1], block * block);
  TN_TRY(divide(c, 2, block, &to[2]));
  TN_TRY(divide(c, 3, block, &to[3]));
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// Channels are counted as (row in the block, column in the block, depth), or, with depth first, as
// (depth, row, column).
Dims list(std::initializer_list<int64_t> entries) {
  Dims out;
  for (const int64_t e : entries) out.push(e);
  return out;
}
Value to_space(const Recipe& b, Value x, int64_t s, bool depth_first) {
  const Dims d = x.dims();
  const int64_t depth = b.floordiv(d[1], s * s);
  const Value blocks = depth_first ? reshape(x, list({d[0], depth, s, s, d[2], d[3]}))
                                   : reshape(x, list({d[0], s, s, depth, d[2], d[3]}));
  const Value image =
      transpose(blocks, depth_first ? list({0, 1, 4, 2, 5, 3}) : list({0, 3, 4, 1, 5, 2}));
  return reshape(image, list({d[0], depth, b.mul(d[2], s), b.mul(d[3], s)}));
}
Value to_depth(const Recipe& b, Value x, int64_t s, bool depth_first) {
  const Dims d = x.dims();
  const int64_t height = b.floordiv(d[2], s), width = b.floordiv(d[3], s);
  const Value blocks = transpose(reshape(x, list({d[0], d[1], height, s, width, s})),
                                 depth_first ? list({0, 1, 3, 5, 2, 4}) : list({0, 3, 5, 1, 2, 4}));
  return reshape(blocks, list({d[0], b.mul(d[1], s * s), height, width}));
}

bool depth_first(const Recipe& b) { return b.string(TN_DEPTH_TO_SPACE_MODE) == "CRD"; }
void depth_to_space_of_base(Recipe& b) {
  b.set(0, to_space(b, b.in(0), b.i64(TN_DEPTH_TO_SPACE_BLOCK), depth_first(b)));
}
void d_depth_to_space(Recipe& b) {
  b.set(0, to_depth(b, b.g(), b.i64(TN_DEPTH_TO_SPACE_BLOCK), depth_first(b)));
}
void space_to_depth_of_base(Recipe& b) {
  b.set(0, to_depth(b, b.in(0), b.i64(TN_SPACE_TO_DEPTH_BLOCK), false));
}
void d_space_to_depth(Recipe& b) {
  b.set(0, to_space(b, b.g(), b.i64(TN_SPACE_TO_DEPTH_BLOCK), false));
}

}  // namespace

const OpRules rules_depth_to_space = {TN_OP_DEPTH_TO_SPACE, rule<depth_to_space_rule>,
                                      recipe<depth_to_space_of_base>, recipe<d_depth_to_space>,
                                      nullptr};
const OpRules rules_space_to_depth = {TN_OP_SPACE_TO_DEPTH, rule<space_to_depth_rule>,
                                      recipe<space_to_depth_of_base>, recipe<d_space_to_depth>,
                                      nullptr};

}  // namespace tenon::ops
