#include "attention/scores.hpp"

#include <cmath>
#include <limits>

#include "kernels/narrow.hpp"
#include "kernels/vmath.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

// 2^x for x <= 0, 0 below 2^-126; NaN stays.
CPU_INLINE F32 exp2_of_negative(F32 x) {
  const I32 none = ~(x >= -126.0f);
  const F32 y = vexp2_moderate(select(none, splat<F32>(-126.0f), x));
  return select(none, select(x < 0.0f, F32{}, x), y);
}

// Of n bytes or floats `stride` apart; stride is 0 or 1 but for odd layouts.
void keep_marked(float* s, const uint8_t* mask, int64_t stride, int64_t n) {
  if (stride == 1) {
    for (int64_t j = 0; j < n; ++j) s[j] = mask[j] ? s[j] : -kInf;
  } else {
    for (int64_t j = 0; j < n; ++j) s[j] = mask[j * stride] ? s[j] : -kInf;
  }
}

// A finite bias stays finite times log2(e).
CPU_INLINE float scaled_bias(float x) {
  const float least = std::numeric_limits<float>::lowest(), y = x * kLog2e;
  return y < least && x >= least ? least : y;
}
template <class T>
void add_bias(float* s, const T* bias, int64_t stride, int64_t n) {
  if (stride == 1) {
    for (int64_t j = 0; j < n; ++j) s[j] += scaled_bias(float(bias[j]));
  } else {
    for (int64_t j = 0; j < n; ++j) s[j] += scaled_bias(float(bias[j * stride]));
  }
}

}  // namespace

void pack_transposed_rows(float* to, const float* x, int64_t row, int64_t n, int64_t width) {
  constexpr int64_t cols = kTileCols<float>;
  for (int64_t j = 0; j < n; j += cols)
    pack_b_panel(to + j * width, x + j * row, 1, row, width, smaller(cols, n - j));
}

void multiply(const PanelProduct& p) {
  constexpr int64_t cols = kTileCols<float>;
  if (p.rows == 1 && p.layout == ALayout::rows) {
    row_times_matrix(p.c, p.a, 1, p.b, p.b_stride, p.k, p.n, p.accumulate);
    return;
  }
  Tile<float> t{p.a, p.b, p.c, nullptr, p.k, p.a_stride, p.b_stride, p.c_stride, 0, p.accumulate};
  for (int64_t j = 0; j < p.n; j += cols, t.b += cols, t.c += cols) {
    t.n = int32_t(smaller(cols, p.n - j));
    tile_function<float>(p.layout, int(p.rows), t.n)(t);
  }
}

void multiply_packed(const PanelProduct& p, int64_t from, int64_t to) {
  constexpr int64_t cols = kTileCols<float>;
  Tile<float> t{p.a, p.b, p.c, nullptr, p.k, p.a_stride, cols, p.c_stride, 0, 0};
  t.b += from * p.k;
  for (int64_t j = from; j < to; j += cols, t.b += cols * p.k, t.c += cols) {
    t.n = int32_t(smaller(cols, p.n - j));
    tile_function<float>(ALayout::rows, int(p.rows), t.n)(t);
  }
}

void load_queries(const Problem& p, const float* q, int64_t begin, int64_t end, float* to,
                  int64_t stride) {
  const float factor = p.scale * kLog2e;
  for (int64_t r = begin; r < end; ++r, to += stride) {
    const float* from = q + p.offset_of_row(p.q, r);
    for (int64_t e = 0; e < p.width; ++e) to[e] = from[e] * factor;
  }
}

UnitMask::UnitMask(const Problem& p, const tn_view* view, int64_t unit) {
  if (p.mask_kind == MaskKind::keep) data = input<uint8_t>(view) + p.offset(p.mask, unit);
  if (p.mask_kind != MaskKind::bias) return;
  if (p.narrow)
    data = input<bf16>(view) + p.offset(p.mask, unit);
  else
    data = input<float>(view) + p.offset(p.mask, unit);
}

float mask_scores(const Problem& p, const UnitMask& mask, int64_t row, int64_t key, int64_t n,
                  float* s) {
  constexpr int64_t lanes = kLanes<float>;
  const int64_t seen = larger(0, smaller(n, p.limit(row) - key));
  if (p.mask_kind != MaskKind::none) {
    const int64_t at = p.offset_of_row(p.mask, row) + key * p.mask.col;
    if (p.mask_kind == MaskKind::keep)
      keep_marked(s, static_cast<const uint8_t*>(mask.data) + at, p.mask.col, seen);
    else if (p.narrow)
      add_bias(s, static_cast<const bf16*>(mask.data) + at, p.mask.col, seen);
    else
      add_bias(s, static_cast<const float*>(mask.data) + at, p.mask.col, seen);
  }
  const int64_t whole = round_up(n, lanes);
  for (int64_t j = seen; j < whole; ++j) s[j] = -kInf;
  // NaN may get lost here; the exponentials bring it back.
  Vec<float> top[2] = {splat<F32>(-kInf), splat<F32>(-kInf)};
  int64_t j = 0;
  for (; j + 2 * lanes <= whole; j += 2 * lanes) {
    const F32 a = load(s + j), b = load(s + j + lanes);
    top[0] = select(a > top[0], a, top[0]);
    top[1] = select(b > top[1], b, top[1]);
  }
  for (; j < whole; j += lanes) {
    const F32 a = load(s + j);
    top[0] = select(a > top[0], a, top[0]);
  }
  return max_lanes(vmax(top[0], top[1]));
}

float exponentials(float* s, int64_t n, float shift) {
  constexpr int64_t lanes = kLanes<float>;
  const F32 center = splat<F32>(shift);
  const int64_t whole = round_up(n, lanes);
  F32 a{}, b{};
  int64_t j = 0;
  for (; j + 2 * lanes <= whole; j += 2 * lanes) {
    const F32 x = exp2_of_negative(load(s + j) - center);
    const F32 y = exp2_of_negative(load(s + j + lanes) - center);
    store(s + j, x);
    store(s + j + lanes, y);
    a += x;
    b += y;
  }
  for (; j < whole; j += lanes) {
    const F32 x = exp2_of_negative(load(s + j) - center);
    store(s + j, x);
    a += x;
  }
  return sum_lanes(a + b);
}

float power_of_two(float x) { return std::exp2(x); }

float reciprocal(const Problem& p, float sum) {
  const bool none = sum == 0 && (p.keys == 0 || p.causal || p.mask_kind == MaskKind::keep);
  return none ? 0 : 1 / sum;
}

}  // namespace tenon::cpu::CPU_ISA
