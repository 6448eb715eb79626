// FlashAttention-2 as in forward.cpp, a panel being of kSquare rows. Queries and exponentials are A of
// the products, keys and values B, packed once for all panels of a unit.
#include "attention/forward.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

template <class T>
TileForward<T>::TileForward(const Forward& f, const tn_view* const* args, char* scratch)
    : plan_(f),
      p_(f.problem),
      args_(args),
      factor_(f.problem),
      s_stride_(padded(kKeyBlock)),
      y_stride_(padded(f.problem.out)) {
  const auto take_bytes = [&](int64_t n) { return (scratch += n) - n; };
  const auto take_floats = [&](int64_t n) {
    return reinterpret_cast<float*>(take_bytes(n * int64_t(sizeof(float))));
  };
  keys_ = take_bytes(lines_bytes<T>(p_.keys, p_.width));
  values_ = take_bytes(lines_bytes<T>(p_.out, p_.keys));
  for (Stream& s : streams_) {
    s.queries = take_bytes(panel_bytes(p_.width, parts));
    s.weights = take_bytes(panel_bytes(kKeyBlock, parts));
    s.scores = take_floats(kSquare * s_stride_);
    s.sums = take_floats(kSquare * y_stride_);
  }
  gathered_ = reinterpret_cast<T*>(take_floats(kSquare * padded(p_.width)));
}

template <class T>
int64_t TileForward<T>::bytes(const Problem& p) {
  const int64_t floats = kSquare * (2 * (padded(kKeyBlock) + padded(p.out)) + padded(p.width));
  return lines_bytes<T>(p.keys, p.width) + lines_bytes<T>(p.out, p.keys) +
         2 * (panel_bytes(p.width, parts) + panel_bytes(kKeyBlock, parts)) +
         floats * int64_t(sizeof(float));
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
void TileForward<T>::start(Stream& s, int64_t panel) {
  const int64_t first = panel * kSquare, last = smaller(first + kSquare, p_.rows);
  s.live = true;
  s.now.first = first;
  s.now.last = last;
  s.limit = p_.limit(first, last);
  s.key = 0;
  s.top[0] = s.top[1] = splat<F32>(-kInf);
  const Rows<T> q(p_, p_.q, input<T>(args_[0]) + p_.offset(p_.q, unit_), first, last, p_.width,
                  gathered_);
  pack_rows(s.queries, q.data, q.row, last - first, p_.width, false);
}

// The scores of its next block.
template <class T>
void TileForward<T>::add_products(Stream& s) {
  const int64_t panel = panel_bytes(p_.width, parts);
  s.n = smaller(kKeyBlock, s.limit - s.key);
  for (int64_t j = 0; j < s.n; j += kSquare)
    queue_.add({s.queries, keys_ + (s.key + j) / kSquare * panel, panel_steps(p_.width),
                kProductsOf<T>, s.now.last - s.now.first > kTileSide, s.n - j > kTileSide,
                s.scores + j, s_stride_, false});
}

// To its sums, what its exponentials make of the values.
template <class T>
void TileForward<T>::add_values(const Stream& s) {
  const char* from = values_ + s.key / kTileDepth * parts * 2 * kTileBytes;
  for (int64_t e = 0; e < p_.out; e += kSquare, from += panel_bytes(p_.keys, parts))
    queue_.add({s.weights, from, panel_steps(s.n), kProductsOf<T>,
                s.now.last - s.now.first > kTileSide, p_.out - e > kTileSide, s.sums + e, y_stride_,
                s.key > 0});
}

// 2^(factor (s - shift)) of a row of scores, in whole steps; lane by lane the sum.
template <class T>
F32 TileForward<T>::weights(const Stream& stream, int64_t row, float shift) {
  const float* s = stream.scores + row * s_stride_;
  char* to = line_of<parts>(stream.weights, row, 0);
  const F32 times = splat<F32>(factor_.then), center = splat<F32>(shift);
  F32 a{}, b{};
  for (int64_t j = 0; j < stream.n; j += kSquare, to += parts * 2 * kTileBytes) {
    const F32 x = power<parts>(load(s + j), center, times);
    const F32 y = power<parts>(load(s + j + kTileSide), center, times);
    a += x;
    b += y;
    store_parts(to, Pieces<parts>(x, y), false);
    if (j % kPieceEvery == 0) queue_.piece();
  }
  return a + b;
}

// Of 16 rows.
template <class T>
void TileForward<T>::soften_half(Stream& s, int64_t half, const UnitMask& mask) {
  const int64_t first = half * kTileSide, n = round_up(s.n, kSquare);
  const int64_t rows = smaller(kTileSide, s.now.last - s.now.first - first);
  F32 most[kTileSide];
  for (int64_t i = 0; i < kTileSide; ++i) most[i] = splat<F32>(-kInf);
  for (int64_t i = 0; i < rows; ++i) {
    if constexpr (parts > 1) queue_.piece();
    most[i] = finish_scores(p_, mask, factor_, s.now.first + first + i, s.key, n,
                            s.scores + (first + i) * s_stride_);
  }
  const F32 old = s.top[half], seen = greatest_of_each(most);
  const F32 top = select(seen > old, seen, old);
  const F32 shift = select(top == -kInf, F32{}, top);
  const F32 factor = power<3>(old, shift, splat<F32>(factor_.then));
  const bool moves = s.key > 0 && any_of(top != old);
  s.top[half] = top;
  for (int64_t i = 0; i < rows; ++i) {
    F32& total = s.now.total[first + i];
    const F32 sum = weights(s, first + i, shift[i]);
    total = s.key > 0 ? total * factor[i] + sum : sum;
    if (!moves) continue;
    float* row = s.sums + (first + i) * y_stride_;
    for (int64_t e = 0; e < p_.out; ++e) row[e] *= factor[i];
  }
}

// The exponentials of its block, while the queue does what it can.
template <class T>
void TileForward<T>::soften(Stream& s) {
  const UnitMask mask(p_, args_[3], unit_);
  for (int64_t half = 0; half * kTileSide < s.now.last - s.now.first; ++half)
    soften_half(s, half, mask);
}

template <class T>
void TileForward<T>::write(Stream& s) {
  s.ends = false;
  T* to = output<T>(args_[4]) + p_.offset(plan_.y, unit_);
  for (int64_t r = s.ended.first; r < s.ended.last; ++r) {
    const float factor = reciprocal(p_, sum_lanes(s.ended.total[r - s.ended.first]));
    write_row(to + p_.offset_of_row(plan_.y, r), s.sums + (r - s.ended.first) * y_stride_, p_.out,
              factor);
  }
}

// After its exponentials: what they are for, and the scores of the next block or panel.
template <class T>
void TileForward<T>::advance(Stream& s, int64_t* next, int64_t end) {
  add_values(s);
  s.key += kKeyBlock;
  if (s.key >= s.limit) {
    s.ended = s.now;
    s.ends = true;
    s.live = *next < end;
    if (!s.live) return;
    start(s, plan_.panel_at((*next)++));
  }
  add_products(s);
}

template <class T>
void TileForward<T>::run(int64_t begin, int64_t end) {
  int64_t next = begin;
  for (Stream& s : streams_) {
    if (next == end) break;
    start(s, plan_.panel_at(next++));
    queue_.run();
    add_products(s);
  }
  if (!streams_[1].live) queue_.run();
  for (int turn = 0; streams_[0].live || streams_[1].live || streams_[0].ends || streams_[1].ends;
       turn = 1 - turn) {
    Stream &s = streams_[turn], &other = streams_[1 - turn];
    if (s.live) soften(s);
    queue_.run();
    if (other.ends) write(other);
    if (s.live) advance(s, &next, end);
  }
}

template class TileForward<float>;
template class TileForward<bf16>;

#endif

}  // namespace tenon::cpu::CPU_ISA
