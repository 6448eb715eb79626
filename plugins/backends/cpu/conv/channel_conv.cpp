// Rows of the product are positions, in tiles of up to kTileRows; what each tap reads for them is gathered once for all outputs.
#include "conv/channel_conv.hpp"

#include "kernels/whole.hpp"

#if !defined(CPU_SMALL)

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kRows = kTileRows<float>, kCols = kTileCols<float>;
constexpr int64_t kDepth = 576;  // of weights that are packed at a time, about

}  // namespace

bool ChannelConv::worth(const ConvProblem& p) {
  const Geometry& g = p.g[0];
  int64_t taps = 0;
  for (int i = 0; i < p.phases; ++i) {
    taps += p.g[i].taps();
    if (p.g[i].positions() == 0) return false;
  }
  if (g.groups != 1 || g.batch * g.ci * g.co * taps == 0 || p.w_out > int64_t(1) << 26)
    return false;
  return g.co >= 16 && g.batch * g.positions() <= 128 && g.ci * taps >= 64;
}

void ChannelConv::plan(const ConvProblem& p, const Device& device) {
  p_ = p;
  device_ = &device;
  flat_.plan(p_);
  const Geometry& g = p_.g[0];
  double flops = 0;
  int64_t sums = 0, taps = 0;
  for (int i = 0; i < p_.phases; ++i) {
    Phase& q = phase_[i];
    flat_.offsets(p_.g[i], q.at);
    q.taps = p_.g[i].taps();
    q.out = p_.g[i].positions();
    q.tiles = ceil_div(q.out, kRows);
    q.rows = rows_;
    q.sums = sums;
    q.first_tap = taps;
    rows_ += g.batch * q.out * g.ci * q.taps;
    sums += g.batch * q.out * kCols;
    taps += q.taps;
    flops += p_.g[i].flops();
  }
  rows_ = round_up(rows_, 16);
  channels_ = smaller(larger(kDepth / taps, 1), g.ci);
  slots_ = smaller(parts_worth(device, flops / 2.5e6), ceil_div(g.co, kCols));
  packed_ = round_up(channels_ * taps * kCols, 16);
  slot_ = larger(packed_ + sums, flat_.elements());
}

int64_t ChannelConv::scratch() const { return rows_ + slots_ * slot_ + 16; }

// What the taps of a channel read, for all positions of all images: tile by tile, terms below one another.
void ChannelConv::gather(int64_t channel, const float* x, float* plane, float* rows) const {
  const Geometry& g = p_.g[0];
  for (int64_t i = 0; i < g.batch * p_.phases; ++i) {
    const int64_t n = i / p_.phases;
    const Phase& q = phase_[i % p_.phases];
    const int64_t width = p_.g[i % p_.phases].out_w;
    if (i % p_.phases == 0) flat_.fill(x + n * g.x_image + channel * g.x_channel, plane);
    for (int64_t tile = 0; tile < q.tiles; ++tile) {
      const int64_t begin = q.begin(tile), end = q.begin(tile + 1), height = end - begin;
      float* to = rows + q.rows + ((n * q.out + begin) * g.ci + channel * height) * q.taps;
      for (int64_t t = 0; t < q.taps; ++t, to += height) {
        const float* from = plane + q.at[t];
        for (int64_t at = begin; at < end;) {
          const int64_t h = at / width, v = at % width, count = smaller(width - v, end - at);
          const Vec<float> read = load(from + h * flat_.pitch + v);
          if ((q.taps - t) * height - (at - begin) >= kLanes<float>)
            store(to + (at - begin), read);  // beyond lies what is written next
          else
            store_part(to + (at - begin), read, count);
          at += count;
        }
      }
    }
  }
}

// Weights of kCols outputs, terms below one another, phase by phase.
void ChannelConv::pack(const float* w, int64_t o, int64_t channel, int64_t channels,
                       float* to) const {
  const int64_t n = smaller(kCols, p_.g[0].co - o), taps = phase_[0].taps;
  const float* from = w + o * p_.w_out + channel * p_.w_in;
  if (!p_.backward) return pack_b_panel(to, from, 1, p_.w_out, channels * taps, n);
  alignas(64) float turned[kMostTaps * kCols];
  for (int64_t c = 0; c < channels; ++c, from += p_.w_in) {
    // Runs too short for the processor to foresee.
    for (int64_t i = 0; i < n * p_.w_out; i += 16) __builtin_prefetch(from + 3 * p_.w_in + i);
    if (p_.phases == 1) {
      pack_b_panel(to + c * taps * kCols, from, 1, p_.w_out, taps, n);
      continue;
    }
    pack_b_panel(turned, from, 1, p_.w_out, p_.w_out, n);
    for (int i = 0; i < p_.phases; ++i) {
      const Phase& q = phase_[i];
      float* row = to + (q.first_tap * channels_ + c * q.taps) * kCols;
      for (int64_t t = 0; t < q.taps; ++t, row += kCols)
        std::memcpy(row, turned + p_.tap[i][t] * kCols, sizeof(float) * kCols);
    }
  }
}

// kCols outputs from o on.
void ChannelConv::panel(const float* w, const float* bias, int64_t o, const float* rows, float* y,
                        float* slot) const {
  const Geometry& g = p_.g[0];
  const int64_t n = smaller(kCols, g.co - o);
  Tile<float> t{};
  t.b_stride = t.c_stride = kCols;
  t.n = int32_t(n);
  for (int64_t c = 0; c < g.ci; c += channels_) {
    const int64_t channels = smaller(channels_, g.ci - c);
    pack(w, o, c, channels, slot);
    t.accumulate = c > 0;
    for (int phase = 0; phase < p_.phases; ++phase) {
      const Phase& q = phase_[phase];
      t.b = slot + q.first_tap * channels_ * kCols;
      t.k = channels * q.taps;
      for (int64_t i = 0; i < g.batch * q.tiles; ++i) {
        const int64_t begin = i / q.tiles * q.out + q.begin(i % q.tiles);
        const int64_t height = q.begin(i % q.tiles + 1) - q.begin(i % q.tiles);
        t.a = rows + q.rows + (begin * g.ci + c * height) * q.taps;
        t.a_stride = height;
        t.c = slot + packed_ + q.sums + begin * kCols;
        tile_function<float>(ALayout::columns, int(height), t.n)(t);
      }
    }
  }
  for (int phase = 0; phase < p_.phases; ++phase) {
    const float* sums = slot + packed_ + phase_[phase].sums;
    for (int64_t i = 0; i < g.batch * n; ++i)
      write(phase, sums + i / n * phase_[phase].out * kCols + i % n, bias ? bias[o + i % n] : 0.0f,
            y + i / n * g.y_image + (o + i % n) * g.y_channel);
  }
}

// One output channel of an image, whose sums are kCols apart.
void ChannelConv::write(int phase, const float* sums, float bias, float* y) const {
  const Geometry& g = p_.g[phase];
  float* row = y + p_.y_start[phase];
  for (int64_t h = 0; h < g.out_h; ++h, row += g.y_row) {
    for (int64_t v = 0; v < g.out_w; ++v, sums += kCols) row[v * g.y_col] = *sums + bias;
  }
}

void ChannelConv::run(const float* x, const float* w, const float* bias, float* y, float* scratch,
                      const RowsDone* done) const {
  float* rows = scratch + (-reinterpret_cast<uintptr_t>(scratch) & 63) / sizeof(float);
  float* slots = rows + rows_;
  const int64_t channels = p_.g[0].ci, panels = ceil_div(p_.g[0].co, kCols);
  share(*device_, slots_, channels, [&](int64_t begin, int64_t end, int64_t slot) {
    float* plane = slots + slot * slot_;
    std::memset(plane, 0, size_t(flat_.elements()) * sizeof(float));
    for (int64_t c = begin; c < end; ++c) gather(c, x, plane, rows);
  });
  share(*device_, slots_, panels, [&](int64_t begin, int64_t end, int64_t slot) {
    const Geometry& g = p_.g[0];
    for (int64_t o = begin * kCols; o < smaller(end * kCols, g.co); o += kCols) {
      panel(w, bias, o, rows, y, slots + slot * slot_);
      for (int64_t n = 0; done && n < g.batch; ++n)
        done->run(*done, y + n * g.y_image + o * g.y_channel, g.y_channel, smaller(kCols, g.co - o),
                  g.positions());
    }
  });
}

// ---- gradients of weights

bool ChannelWeightGrad::worth(const Geometry& g) {
  return g.groups == 1 && g.batch == 1 && g.taps() <= kMostTaps && g.positions() > 0 &&
         g.positions() <= 256 && g.co >= 16 && g.ci * g.taps() >= 64;
}

void ChannelWeightGrad::plan(const Geometry& geometry, const Device& device) {
  g_ = geometry;
  device_ = &device;
  ConvProblem p;
  p.g[0] = g_;
  flat_.plan(p);
  flat_.offsets(g_, at_);
  channels_ = smaller(kCols, g_.ci);
  const int64_t columns = channels_ * g_.taps();
  row_ = round_up(g_.positions() + kLanes<float>, 16);
  rows_ = columns * row_;
  panels_ = round_up(columns, kCols) * g_.positions();
  slot_ = round_up(flat_.elements() + rows_ + panels_, 16);
  slots_ = smaller(parts_worth(device, g_.flops() / 2.5e6), ceil_div(g_.ci, channels_));
}

// Of n input channels from `channel` on, for all outputs.
void ChannelWeightGrad::channels(const float* x, const float* g, int64_t channel, int64_t n,
                                 float* dw, float* slot) const {
  const int64_t taps = g_.taps(), columns = n * taps, depth = g_.positions();
  float *rows = slot + flat_.elements(), *panels = rows + rows_;
  for (int64_t c = 0; c < n; ++c) {
    flat_.fill(x + (channel + c) * g_.x_channel, slot);
    for (int64_t t = 0; t < taps; ++t) {
      float* to = rows + (c * taps + t) * row_;
      for (int64_t h = 0; h < g_.out_h; ++h, to += g_.out_w) {
        const float* from = slot + at_[t] + h * flat_.pitch;
        for (int64_t v = 0; v < g_.out_w; v += kLanes<float>) store(to + v, load(from + v));
      }
    }
  }
  for (int64_t j = 0; j < columns; j += kCols)
    pack_b_panel(panels + j * depth, rows + j * row_, 1, row_, depth, smaller(kCols, columns - j));
  Tile<float> t{};
  t.k = depth;
  t.a_stride = g_.y_channel;
  t.b_stride = kCols;
  t.c_stride = g_.ci * taps;
  const int64_t tiles = ceil_div(g_.co, kRows);
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t o = i * g_.co / tiles, height = (i + 1) * g_.co / tiles - o;
    t.a = g + o * g_.y_channel;
    for (int64_t j = 0; j < columns; j += kCols) {
      t.b = panels + j * depth;
      t.c = dw + o * t.c_stride + channel * taps + j;
      t.n = int32_t(smaller(kCols, columns - j));
      tile_function<float>(ALayout::rows, int(height), t.n)(t);
    }
  }
}

void ChannelWeightGrad::run(const float* x, const float* g, float* dw, float* scratch) const {
  float* slots = scratch + (-reinterpret_cast<uintptr_t>(scratch) & 63) / sizeof(float);
  share(*device_, slots_, ceil_div(g_.ci, channels_),
        [&](int64_t begin, int64_t end, int64_t slot) {
          float* mine = slots + slot * slot_;
          std::memset(mine, 0, size_t(flat_.elements()) * sizeof(float));
          for (int64_t i = begin; i < end; ++i) {
            const int64_t c = i * channels_;
            channels(x, g, c, smaller(channels_, g_.ci - c), dw, mine);
          }
        });
}

}  // namespace tenon::cpu::CPU_ISA

#endif
