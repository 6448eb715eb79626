// scaled_dot_product_attention_grad on AMX tiles, by blocks of rows as in backward.cpp. With P the
// softmax and S = scale * P * (g v^T - sum(g * y)):
//   dq = S k, dk^T = q^T S, dv^T = g^T P
// so that P and S are B of the sums over rows as they come, and only what is packed once a block or
// written once a unit is turned.
#include "attention/backward.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

template <class T>
TileBackward<T>::TileBackward(const Backward& b, const tn_view* const* args, char* scratch,
                              float* sums)
    : plan_(b),
      p_(b.problem),
      args_(args),
      part_sums_(sums),
      factor_(b.problem),
      k_stride_(padded(b.problem.keys)),
      q_stride_(padded(b.problem.width)),
      s_stride_(padded(kKeyBlock)) {
  const auto take_bytes = [&](int64_t n) { return (scratch += n) - n; };
  const auto take_floats = [&](int64_t n) {
    return reinterpret_cast<float*>(take_bytes(n * int64_t(sizeof(float))));
  };
  keys_ = take_bytes(lines_bytes<T>(p_.keys, p_.width));
  key_columns_ = take_bytes(lines_bytes<T>(p_.width, p_.keys));
  values_ = take_bytes(lines_bytes<T>(p_.keys, p_.out));
  queries_ = take_bytes(lines_bytes<T>(kRowBlock, p_.width));
  query_columns_ = take_bytes(lines_bytes<T>(p_.width, kRowBlock));
  g_ = take_bytes(lines_bytes<T>(kRowBlock, p_.out));
  g_columns_ = take_bytes(lines_bytes<T>(p_.out, kRowBlock));
  p_pairs_ = take_bytes(lines_bytes<T>(kKeyBlock, kRowBlock));
  s_pairs_ = take_bytes(lines_bytes<T>(kKeyBlock, kRowBlock));
  s_rows_ = take_bytes(lines_bytes<T>(kRowBlock, kKeyBlock));
  dk_ = take_floats(round_up(p_.width, kSquare) * k_stride_);
  dv_ = take_floats(round_up(p_.out, kSquare) * k_stride_);
  dq_ = take_floats(kRowBlock * q_stride_);
  scores_ = take_floats(ceil_div(p_.keys, kKeyBlock) * kRowBlock * s_stride_);
  changes_ = take_floats(kRowBlock * s_stride_);
  gathered_q_ = reinterpret_cast<T*>(take_floats(kRowBlock * padded(p_.width)));
  gathered_g_ = reinterpret_cast<T*>(take_floats(kRowBlock * padded(p_.out)));
}

template <class T>
int64_t TileBackward<T>::bytes(const Problem& p) {
  const int64_t floats = (round_up(p.width, kSquare) + round_up(p.out, kSquare)) * padded(p.keys) +
                         kRowBlock * (2 * padded(p.width) + padded(p.out) +
                                      padded(kKeyBlock) * (ceil_div(p.keys, kKeyBlock) + 1));
  return lines_bytes<T>(p.keys, p.width) + lines_bytes<T>(p.width, p.keys) +
         lines_bytes<T>(p.keys, p.out) + lines_bytes<T>(kRowBlock, p.width) +
         lines_bytes<T>(p.width, kRowBlock) + lines_bytes<T>(kRowBlock, p.out) +
         lines_bytes<T>(p.out, kRowBlock) + 2 * lines_bytes<T>(kKeyBlock, kRowBlock) +
         lines_bytes<T>(kRowBlock, kKeyBlock) + floats * int64_t(sizeof(float));
}

template <class T>
bool TileBackward<T>::take(int64_t unit) {
  unit_ = -1;
  const T* k = input<T>(args_[3]) + p_.offset(p_.k, unit);
  const T* v = input<T>(args_[4]) + p_.offset(p_.v, unit);
  const ExponentRange of_k = pack_rows(keys_, k, p_.k.row, p_.keys, p_.width, true);
  const ExponentRange of_v = pack_rows(values_, v, p_.v.row, p_.keys, p_.out, true);
  if constexpr (parts > 1) {
    const ExponentRange of_q = exponents(p_, p_.q, input<T>(args_[2]), unit, p_.width);
    const ExponentRange of_g = exponents(p_, plan_.g, input<T>(args_[0]), unit, p_.out);
    // Products of three of them, so that no sum becomes infinite.
    const int most = of_g.most + of_v.most + (of_k.most > of_q.most ? of_k.most : of_q.most);
    if (!splits_well(of_q, of_k) || !splits_well(of_g, of_v) || most > 3 * 127 + 80) return false;
  }
  pack_columns(key_columns_, k, p_.k.row, p_.keys, p_.width, true);
  unit_ = unit;
  return true;
}

// Queries and gradients both ways, and delta.
template <class T>
void TileBackward<T>::load_rows(int64_t begin, int64_t end) {
  const int64_t n = end - begin;
  const T* of_g = input<T>(args_[0]) + p_.offset(plan_.g, unit_);
  const T* of_y = input<T>(args_[1]) + p_.offset(plan_.y, unit_);
  const T* of_q = input<T>(args_[2]) + p_.offset(p_.q, unit_);
  const Rows<T> q(p_, p_.q, of_q, begin, end, p_.width, gathered_q_);
  const Rows<T> g(p_, plan_.g, of_g, begin, end, p_.out, gathered_g_);
  pack_rows(queries_, q.data, q.row, n, p_.width, false);
  pack_columns(query_columns_, q.data, q.row, n, p_.width, false);
  pack_rows(g_, g.data, g.row, n, p_.out, false);
  pack_columns(g_columns_, g.data, g.row, n, p_.out, false);
  for (int64_t r = 0; r < n; ++r) {
    const T* y = of_y + p_.offset_of_row(plan_.y, begin + r);
    __m512 sum = _mm512_setzero_ps();
    for (int64_t e = 0; e < p_.out; e += kTileSide) {
      const __mmask16 there = first_lanes(p_.out - e);
      sum = _mm512_fmadd_ps(load_wide(g.data + r * g.row + e, there), load_wide(y + e, there), sum);
    }
    delta_[r] = sum_lanes(bits_as<F32>(sum)) * p_.scale;
  }
}

// The sum of the exponentials that a row's products become.
template <class T>
float TileBackward<T>::exponentials_of_row(int64_t begin, int64_t row, int64_t limit,
                                           const UnitMask& mask) {
  const int64_t at = row * s_stride_;
  F32 most = splat<F32>(-kInf);
  for (int64_t key = 0; key < limit; key += kKeyBlock) {
    const int64_t n = smaller(kKeyBlock, limit - key);
    float* s = block(key) + at;
    const F32 x = factor_.before == 1 && all_seen(p_, begin + row, begin + row + 1, key, n)
                      ? greatest(s, n)
                      : finish_scores(p_, mask, factor_, begin + row, key, round_up(n, kSquare), s);
    most = select(x > most, x, most);
  }
  const float top = max_lanes(most) * factor_.then;
  const F32 times = splat<F32>(factor_.then), center = splat<F32>(top == -kInf ? 0 : top);
  F32 a{}, b{};
  for (int64_t key = 0; key < limit; key += kKeyBlock) {
    float* s = block(key) + at;
    for (int64_t j = 0; j < smaller(kKeyBlock, limit - key); j += kSquare) {
      const F32 x = power<parts>(load(s + j) * times - center);
      const F32 y = power<parts>(load(s + j + kTileSide) * times - center);
      store(s + j, x);
      store(s + j + kTileSide, y);
      a += x;
      b += y;
    }
  }
  return sum_lanes(a + b);
}

template <class T>
void TileBackward<T>::exponentials_of(int64_t begin, int64_t end) {
  const UnitMask mask(p_, args_[5], unit_);
  const int64_t panel = panel_bytes(p_.width, parts);
  for (int64_t first = begin; first < end; first += kSquare) {
    const int64_t last = smaller(first + kSquare, end), limit = p_.limit(first, last);
    const char* q = queries_ + (first - begin) / kSquare * panel;
    for (int64_t key = 0; key < limit; key += kSquare)
      multiply_square({q, keys_ + key / kSquare * panel, panel_steps(p_.width), kProductsOf<T>,
                       last - first > kTileSide, limit - key > kTileSide,
                       block(key) + (first - begin) * s_stride_ + key % kKeyBlock, s_stride_,
                       false});
    for (int64_t r = first - begin; r < last - begin; ++r)
      inverse_[r] = reciprocal(p_, exponentials_of_row(begin, r, limit, mask));
  }
}

// P and S of rows r and r + 1 and 32 keys from j on, to where products take them.
template <class T>
void TileBackward<T>::change_pair(int64_t r, int64_t rows, const float* e, int64_t j) {
  const int64_t panel = panel_bytes(kRowBlock, parts), c = j / kSquare;
  char* to_p = line_of<parts>(p_pairs_ + c * panel, r % kSquare / 2, r / kSquare);
  char* to_s = line_of<parts>(s_pairs_ + c * panel, r % kSquare / 2, r / kSquare);
  char* to_row =
      line_of<parts>(s_rows_ + r / kSquare * panel_bytes(kKeyBlock, parts), r % kSquare, c);
  F32 p[2][2] = {}, s[2][2] = {};
  if (j < seen_[r / kSquare]) {
    const F32 scale = splat<F32>(p_.scale);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      if (r + i >= rows) continue;
      const float* from = changes_ + (r + i) * s_stride_ + j;
      const F32 inverse = splat<F32>(inverse_[r + i]), delta = splat<F32>(delta_[r + i]);
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        const int64_t at = half * kTileSide;
        p[i][half] = load(e + i * s_stride_ + j + at) * inverse;
        s[i][half] = p[i][half] * (load(from + at) * scale - delta);
      }
    }
  }
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    store_parts(to_p + half * kTileBytes, Pieces<parts>(p[0][half], p[1][half]), true);
    store_parts(to_s + half * kTileBytes, Pieces<parts>(s[0][half], s[1][half]), true);
  }
  store_parts(to_row, Pieces<parts>(s[0][0], s[0][1]), false);
  store_parts(to_row + 64, Pieces<parts>(s[1][0], s[1][1]), false);
}

// Of panel i of the rows.
template <class T>
void TileBackward<T>::change_scores(int64_t i, int64_t rows, int64_t key, int64_t n) {
  const int64_t panel = panel_bytes(p_.out, parts), at = i * kSquare * s_stride_;
  for (int64_t j = 0; j < seen_[i]; j += kSquare)
    multiply_square({g_ + i * panel, values_ + (key + j) / kSquare * panel, panel_steps(p_.out),
                     kProductsOf<T>, rows - i * kSquare > kTileSide, true, changes_ + at + j,
                     s_stride_, false});
  for (int64_t r = i * kSquare; r < (i + 1) * kSquare; r += 2)
    for (int64_t j = 0; j < n; j += kSquare) change_pair(r, rows, block(key) + r * s_stride_, j);
}

// To kSquare columns of dk^T or dv^T, for keys from key + j on: the rows that see some of them.
template <class T>
void TileBackward<T>::add_to(float* sums, int64_t lines, const char* a, char* b, int64_t rows,
                             int64_t key, int64_t j, int64_t n) {
  const int64_t panels = ceil_div(rows, kSquare);
  int64_t first = 0;
  while (first < panels && seen_[first] <= j) ++first;
  if (first == panels) return;
  b += j / kSquare * panel_bytes(kRowBlock, parts) + first * kStep;
  for (int64_t e = 0; e < lines; e += kSquare, a += panel_bytes(rows, parts))
    multiply_square({a + first * kStep, b, panels - first, kProductsOf<T>, lines - e > kTileSide,
                     n - j > kTileSide, sums + e * k_stride_ + key + j, k_stride_, true});
}

template <class T>
void TileBackward<T>::add_queries(int64_t i, int64_t rows, int64_t key) {
  const char* b = key_columns_ + key / kTileDepth * kStep;
  for (int64_t e = 0; e < p_.width; e += kSquare, b += panel_bytes(p_.keys, parts))
    multiply_square({s_rows_ + i * panel_bytes(kKeyBlock, parts), b, panel_steps(seen_[i]),
                     kProductsOf<T>, rows - i * kSquare > kTileSide, p_.width - e > kTileSide,
                     dq_ + i * kSquare * q_stride_ + e, q_stride_, key > 0});
}

template <class T>
void TileBackward<T>::key_block(int64_t begin, int64_t end, int64_t key, int64_t n) {
  const int64_t rows = end - begin, panels = ceil_div(rows, kSquare);
  for (int64_t i = 0; i < panels; ++i) {
    const int64_t first = begin + i * kSquare;
    const int64_t limit = p_.limit(first, smaller(first + kSquare, end));
    seen_[i] = round_up(larger(0, smaller(n, limit - key)), kSquare);
    change_scores(i, rows, key, n);
  }
  for (int64_t j = 0; j < n; j += kSquare) {
    add_to(dv_, p_.out, g_columns_, p_pairs_, rows, key, j, n);
    add_to(dk_, p_.width, query_columns_, s_pairs_, rows, key, j, n);
  }
  for (int64_t i = 0; i < panels; ++i)
    if (seen_[i] > 0) add_queries(i, rows, key);
}

template <class T>
void TileBackward<T>::write_queries(int64_t begin, int64_t end) {
  T* to = output<T>(args_[6]) + p_.offset(plan_.dq, unit_);
  for (int64_t r = begin; r < end; ++r)
    convert_run<T, float>(to + p_.offset_of_row(plan_.dq, r), dq_ + (r - begin) * q_stride_,
                          p_.width);
}

// `lines` numbers of each key: to the result, or to f32 numbers that are kept.
template <class T>
void TileBackward<T>::write_turned(int arg, const Operand& o, const float* from, int64_t lines,
                                   float* kept) {
  T* to = output<T>(args_[arg]) + p_.offset(o, unit_);
  for (int64_t key = 0; key < p_.keys; key += kTileSide) {
    for (int64_t e = 0; e < lines; e += kTileSide) {
      F32 x[kTileSide];
#pragma GCC unroll 16
      for (int i = 0; i < kTileSide; ++i) x[i] = load(from + (e + i) * k_stride_ + key);
      transpose_lanes<float>(x);
      const int64_t n = smaller(kTileSide, lines - e);
      for (int64_t i = 0; i < smaller(kTileSide, p_.keys - key); ++i) {
        if (kept) {
          store_n(kept + (key + i) * lines + e, x[i], n);
        } else {
          float row[kTileSide];
          store(row, x[i]);
          convert_run<T, float>(to + (key + i) * o.row + e, row, n);
        }
      }
    }
  }
}

template <class T>
void TileBackward<T>::write_sums(int64_t part) {
  const bool keeps = plan_.parts > 1 && part >= plan_.first_kept();
  float* kept = keeps ? plan_.sums_of(part_sums_, unit_, part) : nullptr;
  write_turned(7, plan_.dk, dk_, p_.width, kept);
  write_turned(8, plan_.dv, dv_, p_.out, kept ? kept + p_.keys * p_.width : nullptr);
}

template <class T>
bool TileBackward<T>::run(int64_t unit, int64_t part) {
  if (unit != unit_ && !take(unit)) return false;
  std::memset(dk_, 0, size_t(round_up(p_.width, kSquare) * k_stride_) * sizeof(float));
  std::memset(dv_, 0, size_t(round_up(p_.out, kSquare) * k_stride_) * sizeof(float));
  const int64_t blocks = row_blocks(p_);
  for (int64_t i = part * blocks / plan_.parts; i < (part + 1) * blocks / plan_.parts; ++i) {
    const int64_t begin = i * kRowBlock, end = smaller(begin + kRowBlock, p_.rows);
    const int64_t limit = p_.limit(begin, end);
    load_rows(begin, end);
    exponentials_of(begin, end);
    for (int64_t key = 0; key < limit; key += kKeyBlock)
      key_block(begin, end, key, smaller(kKeyBlock, limit - key));
    write_queries(begin, end);
  }
  write_sums(part);
  return true;
}

template class TileBackward<float>;
template class TileBackward<bf16>;

#endif

}  // namespace tenon::cpu::CPU_ISA
