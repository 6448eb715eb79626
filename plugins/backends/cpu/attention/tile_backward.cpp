// scaled_dot_product_attention_grad on AMX tiles, by blocks of rows as in backward.cpp. With P the
// softmax and S = scale * P * (g v^T - sum(g * y)):
//   dq = S k, dk^T = q^T S, dv^T = g^T P
// so that P and S are B of the sums over rows as they come, and only what is packed once a block or
// written once a unit is turned. While vector units make P and S of one block of keys, tiles multiply
// with those of the one before and for the next.
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
  for (Keys& k : of_keys_) {
    k.p_pairs = take_bytes(lines_bytes<T>(kKeyBlock, kRowBlock));
    k.s_pairs = take_bytes(lines_bytes<T>(kKeyBlock, kRowBlock));
    k.s_rows = take_bytes(lines_bytes<T>(kRowBlock, kKeyBlock));
    k.changes = take_floats(kRowBlock * s_stride_);
  }
  dk_ = take_floats(round_up(p_.width, kSquare) * k_stride_);
  dv_ = take_floats(round_up(p_.out, kSquare) * k_stride_);
  dq_ = take_floats(kRowBlock * q_stride_);
  scores_ = take_floats(ceil_div(p_.keys, kKeyBlock) * kRowBlock * s_stride_);
  gathered_q_ = reinterpret_cast<T*>(take_floats(kRowBlock * padded(p_.width)));
  gathered_g_ = reinterpret_cast<T*>(take_floats(kRowBlock * padded(p_.out)));
}

template <class T>
int64_t TileBackward<T>::bytes(const Problem& p) {
  const int64_t floats = (round_up(p.width, kSquare) + round_up(p.out, kSquare)) * padded(p.keys) +
                         kRowBlock * (2 * padded(p.width) + padded(p.out) +
                                      padded(kKeyBlock) * (ceil_div(p.keys, kKeyBlock) + 2));
  return lines_bytes<T>(p.keys, p.width) + lines_bytes<T>(p.width, p.keys) +
         lines_bytes<T>(p.keys, p.out) + lines_bytes<T>(kRowBlock, p.width) +
         lines_bytes<T>(p.width, kRowBlock) + lines_bytes<T>(kRowBlock, p.out) +
         lines_bytes<T>(p.out, kRowBlock) + 4 * lines_bytes<T>(kKeyBlock, kRowBlock) +
         2 * lines_bytes<T>(kRowBlock, kKeyBlock) + floats * int64_t(sizeof(float));
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
  begin_ = begin;
  end_ = end;
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
float TileBackward<T>::exponentials_of_row(int64_t row, int64_t limit, const UnitMask& mask) {
  const int64_t at = row * s_stride_, r = begin_ + row;
  F32 most = splat<F32>(-kInf);
  for (int64_t key = 0; key < limit; key += kKeyBlock) {
    const int64_t n = round_up(smaller(kKeyBlock, limit - key), kSquare);
    const F32 x = finish_scores(p_, mask, factor_, r, key, n, block(key) + at);
    most = select(x > most, x, most);
  }
  const float top = max_lanes(most);
  const F32 times = splat<F32>(factor_.then), center = splat<F32>(top == -kInf ? 0 : top);
  F32 a{}, b{};
  for (int64_t key = 0; key < limit; key += kSquare) {
    float* s = block(key) + at + key % kKeyBlock;
    const F32 x = power<parts>(load(s), center, times);
    const F32 y = power<parts>(load(s + kTileSide), center, times);
    store(s, x);
    store(s + kTileSide, y);
    a += x;
    b += y;
    if (key % kPieceEvery == 0) queue_.piece();
  }
  return sum_lanes(a + b);
}

// Scores of the panel from row `first` of the block on, for as many keys as the queue takes.
template <class T>
void TileBackward<T>::add_scores(int64_t first, int64_t* key, int64_t limit) {
  const int64_t panel = panel_bytes(p_.width, parts);
  for (int i = 0; i < queue_.kMost && *key < limit; ++i, *key += kSquare)
    queue_.add({queries_ + first / kSquare * panel, keys_ + *key / kSquare * panel,
                panel_steps(p_.width), kProductsOf<T>, rows() - first > kTileSide,
                limit - *key > kTileSide, block(*key) + first * s_stride_ + *key % kKeyBlock,
                s_stride_, false});
}

// Of one panel, whose scores are there, while those of the next one are multiplied.
template <class T>
void TileBackward<T>::exponentials_of(int64_t first, int64_t* key_of_next) {
  const UnitMask mask(p_, args_[5], unit_);
  const int64_t next = first + kSquare, limit = limit_of(first / kSquare);
  const int64_t limit_of_next = next < rows() ? limit_of(next / kSquare) : 0;
  for (int64_t r = first; r < smaller(next, rows()); ++r) {
    if (*key_of_next < limit_of_next && queue_.idle()) add_scores(next, key_of_next, limit_of_next);
    inverse_[r] = reciprocal(p_, exponentials_of_row(r, limit, mask));
  }
  while (*key_of_next < limit_of_next) {
    queue_.run();
    add_scores(next, key_of_next, limit_of_next);
  }
  queue_.run();
}

// g v^T of the next block of keys.
template <class T>
void TileBackward<T>::add_changes(Keys& k, int64_t key) {
  const int64_t panel = panel_bytes(p_.out, parts);
  k.key = key;
  k.n = smaller(kKeyBlock, p_.limit(begin_, end_) - key);
  for (int64_t i = 0; i < panels(); ++i)
    k.seen[i] = round_up(larger(0, smaller(k.n, limit_of(i) - key)), kSquare);
  for (int64_t j = 0; j < k.n; j += kSquare)
    for (int64_t i = 0; i < panels(); ++i)
      if (j < k.seen[i])
        queue_.add({g_ + i * panel, values_ + (key + j) / kSquare * panel, panel_steps(p_.out),
                    kProductsOf<T>, rows() - i * kSquare > kTileSide, true,
                    k.changes + i * kSquare * s_stride_ + j, s_stride_, false});
}

// P and S of rows r and r + 1 and 32 keys from j on, to where products take them.
template <class T>
void TileBackward<T>::change_pair(const Keys& k, int64_t r, int64_t j) {
  const int64_t panel = panel_bytes(kRowBlock, parts), c = j / kSquare, i = r / kSquare;
  char* to_p = line_of<parts>(k.p_pairs + c * panel, r % kSquare / 2, i);
  char* to_s = line_of<parts>(k.s_pairs + c * panel, r % kSquare / 2, i);
  char* to_row = line_of<parts>(k.s_rows + i * panel_bytes(kKeyBlock, parts), r % kSquare, c);
  F32 p[2][2] = {}, s[2][2] = {};
  if (j < k.seen[i]) {
    const F32 scale = splat<F32>(p_.scale);
#pragma GCC unroll 2
    for (int x = 0; x < 2; ++x) {
      if (r + x >= rows()) continue;
      const int64_t at = (r + x) * s_stride_ + j;
      const float *e = block(k.key) + at, *from = k.changes + at;
      const F32 inverse = splat<F32>(inverse_[r + x]), delta = splat<F32>(delta_[r + x]);
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        p[x][half] = load(e + half * kTileSide) * inverse;
        s[x][half] = p[x][half] * (load(from + half * kTileSide) * scale - delta);
      }
    }
  }
  queue_.piece();
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half)
    store_parts(to_p + half * kTileBytes, Pieces<parts>(p[0][half], p[1][half]), true);
  if constexpr (parts > 1) queue_.piece();
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half)
    store_parts(to_s + half * kTileBytes, Pieces<parts>(s[0][half], s[1][half]), true);
  if constexpr (parts > 1) queue_.piece();
  store_parts(to_row, Pieces<parts>(s[0][0], s[0][1]), false);
  if constexpr (parts > 1) queue_.piece();
  store_parts(to_row + 64, Pieces<parts>(s[1][0], s[1][1]), false);
}

template <class T>
void TileBackward<T>::change_scores(const Keys& k) {
  for (int64_t r = 0; r < panels() * kSquare; r += 2)
    for (int64_t j = 0; j < k.n; j += kSquare) change_pair(k, r, j);
}

// To kSquare columns of dk^T or dv^T, for keys from j on of the block: the rows that see some.
template <class T>
void TileBackward<T>::add_to(const Keys& k, float* sums, int64_t lines, const char* a,
                             const char* b, int64_t j) {
  int64_t first = 0;
  while (first < panels() && k.seen[first] <= j) ++first;
  if (first == panels()) return;
  b += j / kSquare * panel_bytes(kRowBlock, parts) + first * kStep;
  for (int64_t e = 0; e < lines; e += kSquare, a += panel_bytes(rows(), parts))
    queue_.add({a + first * kStep, b, panels() - first, kProductsOf<T>, lines - e > kTileSide,
                k.n - j > kTileSide, sums + e * k_stride_ + k.key + j, k_stride_, true});
}

// What P and S of a block of keys are for.
template <class T>
void TileBackward<T>::add_sums(const Keys& k) {
  for (int64_t j = 0; j < k.n; j += kSquare) add_to(k, dv_, p_.out, g_columns_, k.p_pairs, j);
  for (int64_t j = 0; j < k.n; j += kSquare) add_to(k, dk_, p_.width, query_columns_, k.s_pairs, j);
  for (int64_t i = 0; i < panels(); ++i) {
    const char* b = key_columns_ + k.key / kTileDepth * kStep;
    if (k.seen[i] == 0) continue;
    for (int64_t e = 0; e < p_.width; e += kSquare, b += panel_bytes(p_.keys, parts))
      queue_.add({k.s_rows + i * panel_bytes(kKeyBlock, parts), b, panel_steps(k.seen[i]),
                  kProductsOf<T>, rows() - i * kSquare > kTileSide, p_.width - e > kTileSide,
                  dq_ + i * kSquare * q_stride_ + e, q_stride_, k.key > 0});
  }
}

// A block of rows.
template <class T>
void TileBackward<T>::run_rows() {
  const int64_t limit = p_.limit(begin_, end_);
  for (int64_t key = 0; key < limit_of(0); queue_.run()) add_scores(0, &key, limit_of(0));
  for (int64_t first = 0; first < rows(); first += kSquare) {
    int64_t key = 0;
    if (first + kSquare >= rows()) add_changes(of_keys_[0], 0);
    exponentials_of(first, &key);
  }
  // `other` is the block of keys before, whose P and S the tiles take, then the one after, whose changes
  // they make; its numbers went into the queue by then.
  for (int64_t key = 0, turn = 0; key < limit; key += kKeyBlock, turn = 1 - turn) {
    Keys& other = of_keys_[1 - turn];
    if (key > 0) add_sums(other);
    if (key + kKeyBlock < limit) add_changes(other, key + kKeyBlock);
    change_scores(of_keys_[turn]);
    queue_.run();
    if (key + kKeyBlock >= limit) add_sums(of_keys_[turn]);
  }
  queue_.run();
}

template <class T>
void TileBackward<T>::write_queries() {
  T* to = output<T>(args_[6]) + p_.offset(plan_.dq, unit_);
  for (int64_t r = begin_; r < end_; ++r)
    write_row(to + p_.offset_of_row(plan_.dq, r), dq_ + (r - begin_) * q_stride_, p_.width, 1);
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
        if (kept)
          store_n(kept + (key + i) * lines + e, x[i], n);
        else
          store_as(to + (key + i) * o.row + e, x[i], n);
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
    load_rows(i * kRowBlock, smaller((i + 1) * kRowBlock, p_.rows));
    run_rows();
    write_queries();
  }
  write_sums(part);
  return true;
}

template class TileBackward<float>;
template class TileBackward<bf16>;

#endif

}  // namespace tenon::cpu::CPU_ISA
