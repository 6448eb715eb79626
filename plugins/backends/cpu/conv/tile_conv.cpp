// The input is split once into cells, of a position's channels; A's rows are the cells that a tap reads for 16 positions. B: weights,
// packed at each run. Sums lie by positions and are turned when they are stored.
#include "conv/tile_conv.hpp"

#include <atomic>

#include "kernels/whole.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

void turn_lines(Vec<float>* lines) {
  Vec<float> local[kTileSide];
#pragma GCC unroll 16
  for (int64_t k = 0; k < kTileSide; ++k) local[k] = lines[k];
  transpose_lanes<float>(local);
#pragma GCC unroll 16
  for (int64_t k = 0; k < kTileSide; ++k) lines[k] = local[k];
}

namespace {

// Positions that are computed in vain cost more than to read and write 16 images at a time.
bool images_beside(const Geometry& g, const Flat& flat, int64_t taps) {
  const int64_t vain = flat.rows * flat.pitch - g.positions();
  return g.batch % kTileSide == 0 && double(vain * g.ci * taps) > 750.0 * double(g.positions());
}

}  // namespace

// In nanoseconds of one thread, as measured.
template <class T>
bool TileConv<T>::worth(const ConvProblem& p, const Device& device) {
  if (!device.amx_bf16 || !device.avx512_bf16) return false;
  const Geometry& g = p.g[0];
  if (g.ci < kTileSide || g.co < kTileSide) return false;
  double flops = 0, whole = 0, outputs = 0;
  int64_t taps = 0, most_taps = 0;
  Flat flat;
  flat.plan(p.g, p.phases);
  for (int i = 0; i < p.phases; ++i) {
    if (p.g[i].taps() > kMostTaps) return false;
    taps += p.g[i].taps();
    most_taps = larger(most_taps, p.g[i].taps());
    flops += p.g[i].flops();
    outputs += double(p.g[i].positions());
  }
  // Offsets within 16 positions, and 16 rows of weights, are 32 bits wide.
  constexpr int64_t most = int64_t(1) << 26;
  if (larger(p.w_out, larger(g.x_image, g.y_image)) > most || g.x_row < 0 || g.x_channel < 0 ||
      g.x_image < 0) {
    return false;
  }
  if (device.cut_all) return flops > 0;
  if (flops < 4e6) return false;
  const bool beside = images_beside(g, flat, most_taps);
  for (int i = 0; i < p.phases; ++i) {
    const int64_t positions = beside ? p.g[i].positions() : flat.rows * flat.pitch;
    whole += 2.0 * double(positions * p.g[i].taps());
  }
  const double images = double(g.batch * g.groups);
  whole *= images * double(round_up(g.ci, kTileDepth) * round_up(g.co, kTileSide));
  const int parts = parts_of(p.products);
  const int64_t column = round_up(g.ci, kTileDepth) * most_taps * parts * 2;  // bytes of an output
  const double rate = column * kSquare > device.l2_bytes / 3 ? 1300 : 2500;
  const double in = images * double(g.ci * g.in_h * g.in_w);
  const double weights = double(g.groups * g.ci * g.co * taps);
  outputs *= images * double(g.co);
  const double tiles = whole * parts * (parts + 1) / 2 / rate + (0.4 + 0.2 * parts) * in +
                       0.9 * weights + (beside ? 3.5 : 0.8) * outputs + 2000;
  const double other = flops / (p.backward ? 178 : 150) + 0.75 * weights + 0.3 * (in + outputs);
  return tiles * 1.15 < other;
}

template <class T>
int64_t TileConv<T>::blocks(int64_t images) const {
  return ceil_div((beside_ ? images_ : images) * flat_.rows * flat_.pitch, kSquare);
}

template <class T>
int64_t TileConv<T>::place(int64_t position) const {
  const int64_t step = p_.g[0].step_w;
  if (!beside_) return position * step;
  return position / images_ * images_ * step + position % images_;
}

template <class T>
template <class Offset>
auto TileConv<T>::spots(int64_t position, int64_t images, int64_t pitch, Offset offset) const {
  return beside_ ? Spots::beside(position, images_, images, flat_.rows, pitch, offset)
                 : Spots::of(position, images, flat_.rows, pitch, offset);
}

template <class T>
void TileConv<T>::plan(const ConvProblem& p, const Device& device) {
  p_ = p;
  device_ = &device;
  flat_.plan(p_.g, p_.phases);
  const Geometry& g = p_.g[0];
  parts_ = parts_of(p_.products);
  cell_ = parts_ * 64;
  width_ = flat_.pitch * g.step_w;
  row_phases_ = smaller(g.step_h, flat_.reach_y + 1);
  in_blocks_ = ceil_div(g.ci, kTileDepth);
  out_blocks_ = ceil_div(g.co, kTileSide);
  int64_t taps = 0;
  weights_at_[0] = 0;
  const int64_t tile = kTileSide * cell_;
  for (int i = 0; i < p_.phases; ++i) {
    taps = larger(taps, p_.g[i].taps());
    weights_at_[i + 1] = weights_at_[i] + out_blocks_ * in_blocks_ * p_.g[i].taps() * tile;
  }
  while ((int64_t(1) << log_terms_) < g.ci * taps) ++log_terms_;
  outs_ = larger(device.l2_bytes / 4 / (in_blocks_ * taps * tile) / 2, 1) * kSquare;

  // Teams whose planes stay in the second-level cache.
  const int64_t image = in_blocks_ * row_phases_ * flat_.rows * width_ * cell_;
  double flops = 0;
  for (int i = 0; i < p_.phases; ++i) flops += p_.g[i].flops();
  const int64_t threads = parts_worth(device, flops / 6e6);
  images_ = smaller(larger(device.l2_bytes / 2 / image, 1), g.batch);
  // Of small images what lies between them would be computed in vain. 16 side by side: all of their positions are, or none.
  beside_ = images_beside(g, flat_, taps);
  if (beside_) images_ = round_up(images_, kTileSide);
  teams_ = ceil_div(g.batch, images_);
  if (threads > 1) {
    teams_ = round_up(teams_, threads);
    shared_ = teams_ * g.groups > g.batch * g.groups && teams_ < 4 * threads;
    teams_ = shared_ ? 1 : smaller(teams_, g.batch);
  }
  images_ = ceil_div(g.batch, teams_);
  if (beside_) images_ = round_up(images_, kTileSide);
  teams_ = ceil_div(g.batch, images_);
  slots_ = shared_ ? 1 : smaller(threads, teams_ * g.groups);

  const int64_t side = beside_ ? images_ : 1;
  const int64_t tail =
      (flat_.reach_y / g.step_h * width_ + flat_.reach_x) * side + kSquare * g.step_w;
  plane_ = round_up(images_ * flat_.rows * width_ + tail + 1, kTileSide) * cell_;
  for (int i = 0; i < p_.phases; ++i) {
    const Geometry& q = p_.g[i];
    for (int a = 0; a < q.taps_h; ++a) {
      for (int b = 0; b < q.taps_w; ++b) {
        const int64_t y = q.dy[a] - flat_.low_y, x = q.dx[b] - flat_.low_x;
        at_[i][a * q.taps_w + b] =
            y % g.step_h * plane_ + (y / g.step_h * width_ + x) * side * cell_;
      }
    }
  }
  slot_ = in_blocks_ * row_phases_ * plane_;
  slots_at_ = g.groups * weights_at_[p_.phases];
}

template <class T>
struct TileConv<T>::Run {
  const TileConv& c;
  const T *x, *w, *bias;
  T* y;
  char* weights;
  const RowsDone* done;
  std::atomic<int> least{254}, most{0};  // exponents of the weights
  std::atomic<bool> fell{false};

  template <int parts>
  void pack(int64_t begin, int64_t end);
  template <int parts>
  void split(int64_t n0, int64_t images, int64_t group, int64_t begin, int64_t end, char* planes);
  int64_t split_items() const { return c.row_phases_ * c.plane_ / c.cell_ / kTileSide; }
  struct Square {
    const float* sums;
    const Spots* spots;
    int64_t o;
    bool wide;
    const T* bias;  // of the group
    T* y;
  };
  void finish(const Square& s) const;
  void compute(int64_t n0, int64_t images, int64_t group, int phase, int64_t o0, int64_t o1,
               int64_t begin, int64_t end, const char* planes) const;
  void complete(int64_t image, int64_t group, int64_t o0, int64_t o1) const;
  void team(int64_t index, char* planes);
  void together(int64_t group, char* planes);
  bool splits_well(ExponentRange range) const {
    return CPU_ISA::splits_well(range, {least.load(), most.load()}, c.log_terms_);
  }
};

// Tiles of 16 outputs and kTileDepth inputs, of all taps of all phases.
template <class T>
template <int parts>
void TileConv<T>::Run::pack(int64_t begin, int64_t end) {
  Splitter<parts> splitter;
  const ConvProblem& p = c.p_;
  const Geometry& g = p.g[0];
  const __m512i lanes =
      _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                         _mm512_set1_epi32(int(p.w_out)));
  for (int64_t i = begin; i < end; ++i) {
    const int64_t block = i % c.in_blocks_, out = i / c.in_blocks_ % c.out_blocks_;
    const int64_t group = i / c.in_blocks_ / c.out_blocks_;
    const __mmask16 there = first_lanes(g.co - out * kTileSide);
    const T* from = w + group * p.w_group + out * kTileSide * p.w_out;
    const auto load = [&](int64_t channel, int tap) {
      if (channel >= g.ci) return _mm512_setzero_ps();
      const T* at = from + channel * p.w_in + tap;
      if constexpr (std::is_same_v<T, float>) {
        return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), there, lanes, at, 4);
      } else {
        alignas(64) float wide[kTileSide] = {};
        for (int64_t o = 0; o < smaller(g.co - out * kTileSide, kTileSide); ++o)
          wide[o] = float(at[o * p.w_out]);
        return _mm512_load_ps(wide);
      }
    };
    for (int phase = 0; phase < p.phases; ++phase) {
      const int64_t taps = p.g[phase].taps();
      char* to = weights + group * c.weights_at_[p.phases] + c.weights_at_[phase] +
                 (out * c.in_blocks_ + block) * taps * kTileSide * c.cell_;
      // Taps of a channel lie side by side.
      for (int64_t r = 0; r < kTileSide; ++r, to += c.cell_) {
        const int64_t channel = block * kTileDepth + 2 * r;
        for (int64_t t = 0; t < taps; ++t) {
          __m512i u[parts], v[parts];
          splitter(load(channel, p.tap[phase][t]), u);
          splitter(load(channel + 1, p.tap[phase][t]), v);
#pragma GCC unroll 4
          for (int q = 0; q < parts; ++q) {
            _mm512_store_si512(to + t * kTileSide * c.cell_ + q * 64, pair_halves(u[q], v[q]));
          }
        }
      }
    }
  }
  const ExponentRange range = splitter.range();
  for (int seen = least; range.least < seen && !least.compare_exchange_weak(seen, range.least);) {
  }
  for (int seen = most; range.most > seen && !most.compare_exchange_weak(seen, range.most);) {
  }
}

// 16 positions of a plane an item.
template <class T>
template <int parts>
void TileConv<T>::Run::split(int64_t n0, int64_t images, int64_t group, int64_t begin, int64_t end,
                             char* planes) {
  Splitter<parts> splitter;
  const Geometry& g = c.p_.g[0];
  const Flat& f = c.flat_;
  const T* from = x + n0 * g.x_image + group * g.ci * g.x_channel;
  const int64_t items = c.plane_ / c.cell_ / kTileSide;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t phase = i / items, p = i % items * kTileSide;
    const Spots spots = c.spots(p, images, c.width_, [&](int64_t n, int64_t h, int64_t v) {
      const int64_t row = h * g.step_h + phase + f.low_y, column = v + f.low_x;
      if (row < 0 || row >= g.in_h || column < 0 || column >= g.in_w) return int64_t(-1);
      return n * g.x_image + row * g.x_row + column;
    });
    char* to = planes + phase * c.plane_ + p * c.cell_;
    for (int64_t b = 0; b < c.in_blocks_; ++b, to += c.row_phases_ * c.plane_) {
      Vec<float> lines[2][kTileSide] = {};
      for (int64_t half = 0; half < 2; ++half) {
        const int64_t c0 = b * kTileDepth + half * kTileSide;
        if (!spots.there || c0 >= g.ci) continue;
        const int64_t count = smaller(g.ci - c0, kTileSide);
        for (int64_t k = 0; k < count; ++k) {
          const T* plane = from + (c0 + k) * g.x_channel;
          // More streams than are foreseen. There may be nothing.
          _mm_prefetch(reinterpret_cast<const char*>(plane + spots.first) + 256, _MM_HINT_T0);
          lines[half][k] = bits_as<Vec<float>>(spots.load(plane));
        }
        turn_lines(lines[half]);
      }
      for (int64_t k = 0; k < kTileSide; ++k) {
        __m512i u[parts], v[parts];
        splitter(bits_as<__m512>(lines[0][k]), u);
        splitter(bits_as<__m512>(lines[1][k]), v);
#pragma GCC unroll 4
        for (int q = 0; q < parts; ++q)
          _mm512_store_si512(to + (k * parts + q) * 64, join_halves(u[q], v[q]));
      }
    }
  }
  if (!splits_well(splitter.range())) fell = true;
}

template <class T>
void TileConv<T>::Run::finish(const Square& s) const {
  const Geometry& g = c.p_.g[0];
  for (int64_t j = 0; j < (s.wide ? 2 : 1); ++j) {
    const int64_t first = s.o + j * kTileSide, count = smaller(g.co - first, kTileSide);
    for (int64_t i = 0; i < 2; ++i) {
      const Spots& spots = s.spots[i];
      if (!spots.there) continue;
      Vec<float> lines[kTileSide];
#pragma GCC unroll 16
      for (int64_t k = 0; k < kTileSide; ++k)
        lines[k] = load(s.sums + (i * kTileSide + k) * kSquare + j * kTileSide);
      turn_lines(lines);
      for (int64_t k = 0; k < count; ++k) {
        const float more = s.bias ? float(s.bias[first + k]) : 0;
        spots.store(s.y + (first + k) * g.y_channel, bits_as<__m512>(lines[k] + more));
      }
    }
  }
}

// Outputs o0 .. o1 of blocks of kSquare positions.
template <class T>
void TileConv<T>::Run::compute(int64_t n0, int64_t images, int64_t group, int phase, int64_t o0,
                               int64_t o1, int64_t begin, int64_t end, const char* planes) const {
  const Geometry& g = c.p_.g[phase];
  const int64_t tile = kTileSide * c.cell_, taps = g.taps();
  alignas(64) float sums[2][kSquare * kSquare];
  Spots spots[2][2];
  Square square{};
  square.y = y + n0 * g.y_image + group * g.co * g.y_channel + c.p_.y_start[phase];
  square.bias = bias ? bias + group * g.co : nullptr;
  StepsProduct s{};
  s.a_row = c.beside_ ? c.cell_ : g.step_w * c.cell_;
  s.b_row = c.cell_;
  s.b_right = c.in_blocks_ * taps * tile;
  s.outer = c.in_blocks_;
  s.inner = taps;
  s.a_outer = c.row_phases_ * c.plane_;
  s.b_step = tile;
  s.at = c.at_[phase];
  s.products = c.p_.products;
  // A square is stored behind the products of the next one, which the tiles are still busy with.
  Square last{};
  int turn = 0, side = 0;
  const auto find = [&](int64_t* half,
                        Spots* out) {  // the next 16 positions that are not all in vain
    for (; *half < 2 * end; ++*half) {
      *out =
          c.spots(*half * kTileSide, images, c.flat_.pitch, [&](int64_t n, int64_t h, int64_t v) {
            return h >= g.out_h || v >= g.out_w ? -1 : n * g.y_image + h * g.y_row + v * g.y_col;
          });
      if (out->there) return c.place((*half)++ * kTileSide);
    }
    *out = Spots();
    return int64_t(-1);
  };
  for (int64_t half = 2 * begin; half < 2 * end;) {
    side ^= 1;  // the spots of `last` are still needed
    square.spots = spots[side];
    const int64_t upper = find(&half, &spots[side][0]);
    if (upper < 0) break;
    const int64_t lower = find(&half, &spots[side][1]);
    s.tall = lower >= 0;
    s.a = planes + upper * c.cell_;
    s.a_lower = s.tall ? (lower - upper) * c.cell_ : 0;
    for (int64_t o = o0; o < o1; o += kSquare) {
      s.b = weights + group * c.weights_at_[c.p_.phases] + c.weights_at_[phase] +
            o / kTileSide * s.b_right;
      s.wide = o + kTileSide < o1;
      s.c = sums[turn ^= 1];
      multiply_steps(s);
      if (last.sums) finish(last);
      square.o = o;
      square.wide = s.wide;
      square.sums = s.c;
      last = square;
    }
  }
  if (last.sums) finish(last);
}

// Outputs o0 .. o1 of an image are in y.
template <class T>
void TileConv<T>::Run::complete(int64_t image, int64_t group, int64_t o0, int64_t o1) const {
  const Geometry& g = c.p_.g[0];
  done->run(*done, y + image * g.y_image + (group * g.co + o0) * g.y_channel, g.y_channel, o1 - o0,
            g.positions());
}

template <class T>
void TileConv<T>::Run::team(int64_t index, char* planes) {
  const Geometry& g = c.p_.g[0];
  const int64_t group = index / c.teams_, n0 = index % c.teams_ * c.images_;
  const int64_t images = smaller(c.images_, g.batch - n0);
  if (fell) return;
  with_parts<T>(c.parts_, [&](auto parts) {
    split<decltype(parts)::value>(n0, images, group, 0, split_items(), planes);
  });
  for (int phase = 0; phase < c.p_.phases; ++phase) {
    for (int64_t o = 0; o < g.co; o += c.outs_) {
      const int64_t end = smaller(o + c.outs_, g.co);
      compute(n0, images, group, phase, o, end, 0, c.blocks(images), planes);
      for (int64_t n = n0; done && n < n0 + images; ++n) complete(n, group, o, end);
    }
  }
}

// All threads, all images.
template <class T>
void TileConv<T>::Run::together(int64_t group, char* planes) {
  const Geometry& g = c.p_.g[0];
  parallel(*c.device_, split_items(), 4, kParallelNs, [&](int64_t begin, int64_t end) {
    with_parts<T>(c.parts_, [&](auto parts) {
      split<decltype(parts)::value>(0, g.batch, group, begin, end, planes);
    });
  });
  if (fell) return;
  constexpr int64_t kRun = 8;  // blocks of an item
  const int64_t runs = ceil_div(c.blocks(g.batch), kRun), outs = ceil_div(g.co, c.outs_);
  parallel(*c.device_, c.p_.phases * outs * runs, 1, kParallelNs, [&](int64_t begin, int64_t end) {
    const TileRegisters registers;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t block = i % runs * kRun, o = i / runs % outs * c.outs_;
      compute(0, g.batch, group, int(i / runs / outs), o, smaller(o + c.outs_, g.co), block,
              smaller(block + kRun, c.blocks(g.batch)), planes);
    }
  });
  if (!done) return;
  const int64_t channels = larger(int64_t(kParallelNs / (0.2 * double(g.positions()))), 1);
  const int64_t pieces = ceil_div(g.co, channels);
  parallel(*c.device_, g.batch * pieces, 1, kParallelNs, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t o = i % pieces * channels;
      complete(i / pieces, group, o, smaller(o + channels, g.co));
    }
  });
}

template <class T>
bool TileConv<T>::run(const T* x, const T* w, const T* bias, T* y, char* scratch,
                      const RowsDone* done) const {
  const Geometry& g = p_.g[0];
  char* base = scratch + (-reinterpret_cast<uintptr_t>(scratch) & 63);
  Run run{*this, x, w, bias, y, base, done};
  const int64_t packs = g.groups * out_blocks_ * in_blocks_;
  parallel(*device_, packs, 1, double(p_.g[0].taps() * kTileSide * kTileDepth) * 0.5,
           [&](int64_t begin, int64_t end) {
             with_parts<T>(parts_, [&](auto parts) {
               run.template pack<decltype(parts)::value>(begin, end);
             });
           });
  if (shared_) {
    for (int64_t group = 0; group < g.groups && !run.fell; ++group)
      run.together(group, base + slots_at_);
    return !run.fell;
  }
  const int64_t items = teams_ * g.groups;
  const auto body = [&](int64_t begin, int64_t end) {
    const TileRegisters registers;
    for (int64_t slot = begin; slot < end; ++slot) {
      for (int64_t i = slot * items / slots_; i < (slot + 1) * items / slots_; ++i)
        run.team(i, base + slots_at_ + slot * slot_);
    }
  };
  if (slots_ == 1)
    body(0, 1);
  else
    parallel(*device_, slots_, 1, kParallelNs, body);
  return !run.fell;
}

template class TileConv<float>;
template class TileConv<bf16>;

#endif

}  // namespace tenon::cpu::CPU_ISA
