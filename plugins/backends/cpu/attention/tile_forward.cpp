// FlashAttention-2 as in forward.cpp, a panel being of kSquare rows. Q and the exponentials are A of
// the products, keys and values B, packed once for all panels of a unit.
#include <cmath>

#include "attention/forward.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

constexpr int64_t kKeyBlock = 512;  // a panel's scores of a block stay in the first-level cache

}  // namespace

template <class T>
TileForward<T>::TileForward(const Forward& f, const tn_view* const* args, char* scratch)
    : plan_(f),
      p_(f.problem),
      args_(args),
      factor_(f.problem),
      s_stride_(padded(kKeyBlock)),
      y_stride_(padded(f.problem.out)) {
  keys_ = scratch;
  values_ = keys_ + lines_bytes<T>(p_.keys, p_.width);
  queries_ = values_ + lines_bytes<T>(p_.out, p_.keys);
  weights_ = queries_ + panel_bytes(p_.width, parts);
  scores_ = reinterpret_cast<float*>(weights_ + panel_bytes(kKeyBlock, parts));
  sums_ = scores_ + kSquare * s_stride_;
  gathered_ = reinterpret_cast<T*>(sums_ + kSquare * y_stride_);
}

template <class T>
int64_t TileForward<T>::bytes(const Problem& p) {
  return lines_bytes<T>(p.keys, p.width) + lines_bytes<T>(p.out, p.keys) +
         panel_bytes(p.width, parts) + panel_bytes(kKeyBlock, parts) +
         kSquare * (padded(kKeyBlock) + padded(p.out)) * int64_t(sizeof(float)) +
         kSquare * round_up(p.width, kSquare) * int64_t(sizeof(T));
}

template <class T>
bool TileForward<T>::take(int64_t unit) {
  unit_ = unit;
  const T* k = input<T>(args_[1]) + p_.offset(p_.k, unit);
  const T* v = input<T>(args_[2]) + p_.offset(p_.v, unit);
  const ExponentRange of_k = pack_rows(keys_, k, p_.k.row, p_.keys, p_.width, true);
  const ExponentRange of_v = pack_columns(values_, v, p_.v.row, p_.keys, p_.out, true);
  if constexpr (parts > 1) {
    constexpr int greatest = 127 + 64;  // of values, so that no sum becomes infinite
    const ExponentRange of_q = exponents(p_, p_.q, input<T>(args_[0]), unit, p_.width);
    return splits_well(of_q, of_k) && adds_up(of_v) && of_v.most < greatest;
  }
  return true;
}

template <class T>
void TileForward<T>::products(int64_t key, int64_t n, int64_t rows) {
  const int64_t panel = panel_bytes(p_.width, parts);
  for (int64_t j = 0; j < n; j += kSquare)
    multiply_square({queries_, keys_ + (key + j) / kSquare * panel, panel_steps(p_.width),
                     kProductsOf<T>, rows > kTileSide, n - j > kTileSide, scores_ + j, s_stride_,
                     false});
}

// 2^(factor s - shift) of a row of n scores, rounded up to whole steps; the sum.
template <class T>
float TileForward<T>::weights(float factor, int64_t row, int64_t n, float shift) {
  const float* s = scores_ + row * s_stride_;
  char* to = line_of<parts>(weights_, row, 0);
  const F32 times = splat<F32>(factor), center = splat<F32>(shift);
  F32 a{}, b{};
  for (int64_t j = 0; j < n; j += kSquare, to += parts * 2 * kTileBytes) {
    const F32 x = power<parts>(load(s + j) * times - center);
    const F32 y = power<parts>(load(s + j + kTileSide) * times - center);
    a += x;
    b += y;
    store_parts(to, Pieces<parts>(x, y), false);
  }
  return sum_lanes(a + b);
}

template <class T>
void TileForward<T>::add_values(int64_t key, int64_t n, int64_t rows) {
  const char* from = values_ + key / kTileDepth * parts * 2 * kTileBytes;
  for (int64_t e = 0; e < p_.out; e += kSquare, from += panel_bytes(p_.keys, parts))
    multiply_square({weights_, from, panel_steps(n), kProductsOf<T>, rows > kTileSide,
                     p_.out - e > kTileSide, sums_ + e, y_stride_, key > 0});
}

template <class T>
void TileForward<T>::write(int64_t first, int64_t last, const float* total) {
  T* to = output<T>(args_[4]) + p_.offset(plan_.y, unit_);
  for (int64_t r = first; r < last; ++r) {
    const float factor = reciprocal(p_, total[r - first]);
    float* from = sums_ + (r - first) * y_stride_;
    for (int64_t e = 0; e < p_.out; ++e) from[e] *= factor;
    convert_run<T, float>(to + p_.offset_of_row(plan_.y, r), from, p_.out);
  }
}

template <class T>
void TileForward<T>::run(int64_t first, int64_t last) {
  const int64_t rows = last - first, limit = p_.limit(first, last);
  const UnitMask mask(p_, args_[3], unit_);
  const Rows<T> q(p_, p_.q, input<T>(args_[0]) + p_.offset(p_.q, unit_), first, last, p_.width,
                  gathered_);
  pack_rows(queries_, q.data, q.row, rows, p_.width, false);
  float top[kSquare], total[kSquare];
  for (int64_t i = 0; i < rows; ++i) {
    top[i] = -kInf;
    total[i] = 0;
  }
  for (int64_t key = 0; key < limit; key += kKeyBlock) {
    const int64_t n = smaller(kKeyBlock, limit - key);
    products(key, n, rows);
    for (int64_t i = 0; i < rows; ++i) {
      const float most = finish_scores(p_, mask, factor_, first + i, key, round_up(n, kSquare),
                                       scores_ + i * s_stride_);
      const float now = most > top[i] ? most : top[i];
      const float shift = std::isinf(now) && now < 0 ? 0 : now;
      const float sum = weights(factor_.then, i, n, shift);
      if (key > 0 && now != top[i]) {
        const float factor = power_of_two(top[i] - shift);
        float* row = sums_ + i * y_stride_;
        for (int64_t e = 0; e < p_.out; ++e) row[e] *= factor;
        total[i] *= factor;
      }
      total[i] += sum;
      top[i] = now;
    }
    add_values(key, n, rows);
  }
  write(first, last, total);
}

template class TileForward<float>;
template class TileForward<bf16>;

#endif

}  // namespace tenon::cpu::CPU_ISA
