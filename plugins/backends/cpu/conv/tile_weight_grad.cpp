// Chunks of positions: both sides are split, then multiplied for all taps. A: g, rows of output channels along the positions. B: x, rows
// of pairs of positions across the input channels; of taps with an odd offset pairs begin at odd positions. Sums of a chunk are added
// to those before it; chunks are laid down by the shape.
#include "conv/tile_weight_grad.hpp"

#include "conv/channel_conv.hpp"
#include "kernels/whole.hpp"

#include <atomic>

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

constexpr int64_t kLongestChunk = 1024, kShortestChunk = 128;

}  // namespace

// In nanoseconds of one thread, as measured.
template <class T>
bool TileWeightGrad<T>::worth(const Geometry& g, Products products, const Device& device) {
  if (!device.amx_bf16 || !device.avx512_bf16) return false;
  if (g.ci < kTileSide || g.co < kTileSide || g.taps() > kMostTaps) return false;
  constexpr int64_t most = int64_t(1) << 26;
  if (larger(g.x_image, g.y_image) > most || g.x_row < 0 || g.x_channel < 0 || g.x_image < 0)
    return false;
  if (device.cut_all) return g.flops() > 0;
  if (g.flops() < 4e6) return false;
  Flat flat;
  flat.plan(&g, 1);
  const int parts = parts_of(products);
  const double positions = double(round_up(g.batch * flat.rows * flat.pitch, kTileDepth));
  const double whole = 2.0 * positions * double(g.groups * g.taps()) *
                       double(round_up(g.ci, kTileSide) * round_up(g.co, kTileSide));
  const double images = double(g.batch * g.groups);
  const double in = images * double(g.ci * g.in_h * g.in_w);
  const double out = images * double(g.co * g.positions());
  const double weights = double(g.groups * g.ci * g.co * g.taps());
  const double tiles = whole * parts * (parts + 1) / 2 / 2500 + (0.6 + 0.25 * parts) * in +
                       (0.3 + 0.2 * parts) * out + weights + 2000;
  const double other = ChannelWeightGrad::worth(g)
                           ? g.flops() / 150 + 0.1 * weights
                           : g.flops() / 130 + 0.75 * weights + 0.3 * (in + out);
  return tiles * 1.1 < other;
}

template <class T>
void TileWeightGrad<T>::plan(const Geometry& geometry, Products products, const Device& device) {
  g_ = geometry;
  products_ = products;
  device_ = &device;
  flat_.plan(&g_, 1);
  parts_ = parts_of(products);
  cell_ = parts_ * 64;
  copies_ = 0;
  for (int64_t t = 0; t < g_.taps(); ++t) {
    const int64_t y = g_.dy[t / g_.taps_w] - flat_.low_y, x = g_.dx[t % g_.taps_w] - flat_.low_x;
    const int64_t offset = y / g_.step_h * flat_.pitch + x / g_.step_w;
    const Copy want = {y % g_.step_h, x % g_.step_w, offset % 2 != 0};
    int c = 0;
    while (c < copies_ && (copy_[c].phase_y != want.phase_y || copy_[c].phase_x != want.phase_x ||
                           copy_[c].odd != want.odd)) {
      ++c;
    }
    if (c == copies_) copy_[copies_++] = want;
    copy_of_[t] = c;
    pair_[t] = (offset + want.odd) / 2;
    longest_ = larger(longest_, offset);
  }

  blocks_c_ = ceil_div(g_.ci, kSquare);
  blocks_k_ = ceil_div(g_.co, kSquare);
  const int64_t threads = parts_worth(device, g_.flops() / 6e6);
  parts_c_ = smaller(threads, blocks_c_);
  parts_k_ = smaller(larger(threads / parts_c_, 1), blocks_k_);
  items_ = g_.groups * parts_c_ * parts_k_;
  slots_ = smaller(threads, items_);
  // Both sides of a chunk in the second-level cache. The chunk must not depend on how the work is cut.
  const int64_t across = kSquare * cell_ / 64 * 2;  // bytes of a position in a block of channels
  together_ = smaller(blocks_c_, 4);
  const int64_t position = (together_ * copies_ + blocks_k_) * across;
  chunk_ = device.l2_bytes * 5 / 8 / position / kTileDepth * kTileDepth;
  chunk_ = smaller(larger(chunk_, kShortestChunk), kLongestChunk);
  chunk_ = smaller(chunk_, round_up(positions(), kTileDepth));
  while ((int64_t(1) << log_terms_) < positions()) ++log_terms_;

  sums_ = ceil_div(blocks_c_, parts_c_) * ceil_div(blocks_k_, parts_k_) * g_.taps() * kSquare *
          kSquare * int64_t(sizeof(float));
  pairs_ = round_up(chunk_ + longest_ + 2, kTileSide) / 2;
  x_at_ = ceil_div(blocks_k_, parts_k_) * chunk_ * across;
  spots_at_ = x_at_ + together_ * 2 * copies_ * pairs_ * cell_;
  slot_ = spots_at_ + round_up((2 * pairs_ + chunk_) / kTileSide * int64_t(sizeof(Spots)), 64);
}

template <class T>
struct TileWeightGrad<T>::Run {
  const TileWeightGrad& w;
  const T *x, *g;          // of the group
  int64_t c0, c1, k0, k1;  // channels
  float* sums;             // [block of c][tap][block of k]
  char* slot;
  ExponentRange range_x{}, range_g{};

  int64_t taps() const { return w.g_.taps(); }
  Spots* spots() const { return reinterpret_cast<Spots*>(slot + w.spots_at_); }
  // Of 16 channels: all copies of x.
  char* x_of(int64_t block) const {
    return slot + w.x_at_ + block * w.copies_ * w.pairs_ * w.cell_;
  }
  char* g_of(int64_t block) const {
    return slot + block * w.chunk_ / kTileDepth * kTileSide * w.cell_;
  }

  template <int parts>
  bool all();
  template <int parts>
  void split_g(Splitter<parts>& splitter, int64_t q);
  template <int parts>
  void split_x(Splitter<parts>& splitter, int64_t q, int64_t from, int64_t to);
  void multiply(int64_t q, int64_t from, int64_t to) const;
  void write(T* dw) const;
};

template <class T>
template <int parts>
void TileWeightGrad<T>::Run::split_g(Splitter<parts>& splitter, int64_t q) {
  const Geometry& s = w.g_;
  Spots* at = spots();
  for (int64_t i = 0; i < w.chunk_ / kTileSide; ++i) {
    at[i] = Spots::of(
        q + i * kTileSide, s.batch, w.flat_.rows, w.flat_.pitch,
        [&](int64_t n, int64_t h, int64_t column) {
          return h >= s.out_h || column >= s.out_w ? -1 : n * s.y_image + h * s.y_row + column;
        });
  }
  for (int64_t k = k0; k < round_up(k1, kTileSide); ++k) {
    const T* from = g + k * s.y_channel;
    char* to = g_of((k - k0) / kTileSide) + (k - k0) % kTileSide * w.cell_;
    for (int64_t i = 0; i < w.chunk_ / kTileSide; i += 2, to += kTileSide * w.cell_) {
      __m512i u[parts] = {}, v[parts] = {};
      if (k < k1) {
        splitter(at[i].load(from), u);
        splitter(at[i + 1].load(from), v);
      }
#pragma GCC unroll 4
      for (int part = 0; part < parts; ++part)
        _mm512_store_si512(to + part * 64, join_halves(u[part], v[part]));
    }
  }
}

// Input channels from .. to.
template <class T>
template <int parts>
void TileWeightGrad<T>::Run::split_x(Splitter<parts>& splitter, int64_t q, int64_t from,
                                     int64_t to) {
  const Geometry& s = w.g_;
  const int64_t groups = 2 * w.pairs_ / kTileSide;
  Spots* at = spots();
  for (int c = 0; c < w.copies_; ++c) {
    const Copy& copy = w.copy_[c];
    // Even and odd copies of a phase are made together.
    int other = 0;
    while (other < w.copies_ && (other == c || w.copy_[other].phase_y != copy.phase_y ||
                                 w.copy_[other].phase_x != copy.phase_x)) {
      ++other;
    }
    if (other < c) continue;
    const int even = !copy.odd ? c : other < w.copies_ ? other : -1;
    const int odd = copy.odd ? c : other < w.copies_ ? other : -1;
    for (int64_t i = 0; i < groups; ++i) {
      at[i] = Spots::of(q + i * kTileSide, s.batch, w.flat_.rows, w.flat_.pitch,
                        [&](int64_t n, int64_t h, int64_t v) {
                          const int64_t row = h * s.step_h + copy.phase_y + w.flat_.low_y;
                          const int64_t column = v * s.step_w + copy.phase_x + w.flat_.low_x;
                          if (row < 0 || row >= s.in_h || column < 0 || column >= s.in_w)
                            return int64_t(-1);
                          return n * s.x_image + row * s.x_row + column;
                        });
    }
    for (int64_t c16 = from; c16 < to; c16 += kTileSide) {
      const int64_t count = smaller(to - c16, kTileSide);
      char* base = x_of((c16 - from) / kTileSide);
      char* to_even = base + even * w.pairs_ * w.cell_;
      char* to_odd = base + odd * w.pairs_ * w.cell_;
      __m512i last[parts] = {};
      for (int64_t i = 0; i < groups; ++i) {
        Vec<float> lines[kTileSide] = {};
        if (at[i].there) {
          for (int64_t k = 0; k < count; ++k)
            lines[k] = bits_as<Vec<float>>(at[i].load(x + (c16 + k) * s.x_channel));
          turn_lines(lines);
        }
        for (int64_t k = 0; k < kTileSide; k += 2) {
          __m512i u[parts], v[parts];
          splitter(bits_as<__m512>(lines[k]), u);
          splitter(bits_as<__m512>(lines[k + 1]), v);
          const int64_t place = (i * kTileSide + k) / 2 * w.cell_;
#pragma GCC unroll 4
          for (int part = 0; part < parts; ++part) {
            if (even >= 0)
              _mm512_store_si512(to_even + place + part * 64, pair_halves(u[part], v[part]));
            if (odd >= 0)
              _mm512_store_si512(to_odd + place + part * 64, pair_halves(last[part], u[part]));
            last[part] = v[part];
          }
        }
      }
    }
  }
}

template <class T>
void TileWeightGrad<T>::Run::multiply(int64_t q, int64_t from, int64_t to) const {
  alignas(64) float local[2][kSquare * kSquare];
  constexpr int64_t kNowhere = 0;
  // A square is added behind the products of the next one, which the tiles are still busy with.
  float* last = nullptr;
  int turn = 0;
  const auto add = [&](const float* more) {
    for (int64_t i = 0; i < kSquare * kSquare; i += kLanes<float>)
      store(last + i, load(last + i) + load(more + i));
  };
  StepsProduct s{};
  s.a_row = s.b_row = w.cell_;
  s.a_outer = s.b_step = kTileSide * w.cell_;
  s.a_lower = w.chunk_ / kTileDepth * kTileSide * w.cell_;
  s.b_right = w.copies_ * w.pairs_ * w.cell_;
  s.outer = ceil_div(smaller(w.chunk_, w.positions() - q), kTileDepth);
  s.inner = 1;
  s.at = &kNowhere;
  s.products = w.products_;
  const int64_t blocks_k = ceil_div(k1 - k0, kSquare);
  for (int64_t c = from; c < to; c += kSquare) {
    s.wide = c + kTileSide < to;
    for (int64_t k = k0; k < k1; k += kSquare) {
      s.tall = k + kTileSide < k1;
      s.a = g_of((k - k0) / kTileSide);
      for (int64_t t = 0; t < taps(); ++t) {
        s.b = x_of((c - from) / kTileSide) + (w.copy_of_[t] * w.pairs_ + w.pair_[t]) * w.cell_;
        float* all = sums + (((c - c0) / kSquare * taps() + t) * blocks_k + (k - k0) / kSquare) *
                                kSquare * kSquare;
        s.c = q == 0 ? all : local[turn];
        multiply_steps(s);
        if (q == 0) continue;
        turn ^= 1;
        if (last) add(local[turn]);
        last = all;
      }
    }
  }
  if (last) add(local[turn ^ 1]);
}

// False: there is a number that does not split well.
template <class T>
template <int parts>
bool TileWeightGrad<T>::Run::all() {
  const int64_t step = w.together_ * kSquare;
  Splitter<parts> of_x, of_g;
  for (int64_t c = c0; c < c1; c += step) {
    const int64_t end = smaller(c + step, c1);
    for (int64_t q = 0; q < w.positions(); q += w.chunk_) {
      split_g(of_g, q);
      split_x(of_x, q, c, end);
      multiply(q, c, end);
    }
  }
  return splits_well(of_x.range(), of_g.range(), w.log_terms_);
}

template <class T>
void TileWeightGrad<T>::Run::write(T* dw) const {
  const int64_t blocks_k = ceil_div(k1 - k0, kSquare), square = kSquare * kSquare;
  // A column of squares at a time: those of a row lie so far apart that they would share few lines of a cache.
  for (int64_t first = c0; first < c1; first += kSquare) {
    const float* column = sums + (first - c0) / kSquare * taps() * blocks_k * square;
    const int64_t end = smaller(first + kSquare, c1);
    for (int64_t k = k0; k < k1; ++k) {
      const float* row =
          column + (k - k0) / kSquare * square + (k - k0) % kSquare * kSquare - first;
      T* to = dw + (k * w.g_.ci + first) * taps();
      for (int64_t c = first; c < end; ++c) {
        for (int64_t t = 0; t < taps(); ++t) *to++ = T(row[t * blocks_k * square + c]);
      }
    }
  }
}

template <class T>
bool TileWeightGrad<T>::run(const T* x, const T* g, T* dw, char* scratch) const {
  char* base = scratch + (-reinterpret_cast<uintptr_t>(scratch) & 63);
  std::atomic<bool> fell{false};
  const auto body = [&](int64_t begin, int64_t end) {
    const TileRegisters registers;
    for (int64_t slot = begin; slot < end; ++slot) {
      for (int64_t i = slot * items_ / slots_; i < (slot + 1) * items_ / slots_; ++i) {
        const int64_t c = i % parts_c_, k = i / parts_c_ % parts_k_;
        const int64_t group = i / parts_c_ / parts_k_;
        Run run{*this,
                x + group * g_.ci * g_.x_channel,
                g + group * g_.co * g_.y_channel,
                c * blocks_c_ / parts_c_ * kSquare,
                smaller((c + 1) * blocks_c_ / parts_c_ * kSquare, g_.ci),
                k * blocks_k_ / parts_k_ * kSquare,
                smaller((k + 1) * blocks_k_ / parts_k_ * kSquare, g_.co),
                reinterpret_cast<float*>(base + i * sums_),
                base + items_ * sums_ + slot * slot_};
        const bool well = with_parts<T>(
            parts_, [&](auto parts) { return run.template all<decltype(parts)::value>(); });
        if (!well) fell = true;
        if (fell) return;
        run.write(dw + group * g_.co * g_.ci * g_.taps());
      }
    }
  };
  if (slots_ == 1)
    body(0, 1);
  else
    parallel(*device_, slots_, 1, kParallelNs, body);
  return !fell;
}

template class TileWeightGrad<float>;
template class TileWeightGrad<bf16>;

#endif

}  // namespace tenon::cpu::CPU_ISA
