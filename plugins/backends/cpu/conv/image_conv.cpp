// A tile of sums is some output channels by some positions (of gradients: by taps), each a vector over images.
#include "conv/image_conv.hpp"

#include "kernels/whole.hpp"
#include "matmul/transpose.hpp"

#if defined(__AVX512F__)

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int kImages = kLanes<float>;
constexpr int kMostChannels = 4;  // of a tile
constexpr int kColumns = 5;
constexpr int64_t kMostSums = 1 << 20;
constexpr int64_t kMostElements =
    1 << 17;  // of planes side by side: a quarter of a second-level cache

using V = Vec<float>;

// Up to kImages columns of images, side by side, and back.
[[gnu::noinline]] void gather_images(const float* from, int64_t image, int64_t images, int64_t n,
                                     float* to) {
  V rows[kImages];
#pragma GCC unroll 1
  for (int i = 0; i < kImages; ++i) rows[i] = i < images ? load_n(from + i * image, n) : V{};
  transpose_lanes<float>(rows);
#pragma GCC unroll 1
  for (int64_t j = 0; j < n; ++j) store(to + j * kImages, rows[j]);
}
[[gnu::noinline]] void scatter_images(const float* from, int64_t n, float* to, int64_t image,
                                      int64_t images) {
  V rows[kImages];
#pragma GCC unroll 16
  for (int i = 0; i < kImages; ++i) rows[i] = load(from + i * kImages);
  transpose_lanes<float>(rows);
#pragma GCC unroll 1
  for (int64_t i = 0; i < images; ++i) store_n(to + i * image, rows[i], n);
}

// Each factor first: their product may overflow.
bool small(const Geometry& g, const ImagePlanes& planes) {
  return planes.plane > 0 && g.ci <= kMostElements / planes.plane;
}

bool alike(const Geometry& g) {
  constexpr int64_t far = int64_t{1} << 40;  // beyond it sums of columns may overflow
  for (int b = 0; b < g.taps_w; ++b) {
    if (g.dx[b] > far || g.dx[b] < -far) return false;
  }
  const int64_t lanes = round_up(g.batch, kImages);
  return g.groups == 1 && g.batch > 0 && g.step_h == 1 && g.step_w == 1 &&
         g.batch * 8 >= lanes * 7 && g.taps() > 0 && g.ci > 0 && g.co > 0 &&
         (g.ci < 16 || g.co < 16) && g.positions() > 0 &&
         g.positions() <= kMostElements / (kMostChannels * kImages);
}

struct SumTile {
  const float *x, *w;           // of the first tap that is inside
  const int64_t *row, *column;  // of taps
  int64_t rows, columns, channels;
  int64_t x_plane, w_plane;
  float* out;
  int64_t out_plane;
  float start[kMostChannels];
};

template <int n>
void sum_tile(const SumTile& t) {
  V sums[n][kColumns];
#pragma GCC unroll 4
  for (int o = 0; o < n; ++o) {
#pragma GCC unroll 5
    for (int j = 0; j < kColumns; ++j) sums[o][j] = splat<V>(t.start[o]);
  }
  for (int64_t c = 0; c < t.channels; ++c) {
    const float* w = t.w + c * t.w_plane;
    for (int64_t a = 0; a < t.rows; ++a) {
      const float* x = t.x + c * t.x_plane + t.row[a];
      for (int64_t b = 0; b < t.columns; ++b, w += n) {
        const float* at = x + t.column[b];
        V in[kColumns];
#pragma GCC unroll 5
        for (int j = 0; j < kColumns; ++j) in[j] = load(at + j * kImages);
#pragma GCC unroll 4
        for (int o = 0; o < n; ++o) {
          const V weight = splat<V>(w[o]);
#pragma GCC unroll 5
          for (int j = 0; j < kColumns; ++j) sums[o][j] = fma(in[j], weight, sums[o][j]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int o = 0; o < n; ++o) {
#pragma GCC unroll 5
    for (int j = 0; j < kColumns; ++j) store(t.out + o * t.out_plane + j * kImages, sums[o][j]);
  }
}

struct TapTile {
  const float *x, *g;  // of the first row that is inside
  int64_t rows, columns, x_row, g_plane;
  const int64_t* at;  // of taps
};

// Sums over positions and images of n output channels and some taps of a row.
template <int n, int taps>
void tap_tile(const TapTile& t, float (*sums)[kColumns]) {
  V all[n][taps] = {};
  int64_t at[taps];
  for (int b = 0; b < taps; ++b) at[b] = t.at[b];
  const float* g = t.g;
  for (int64_t i = 0; i < t.rows; ++i) {
    const float* x = t.x + i * t.x_row;
    for (int64_t j = 0; j < t.columns; ++j, x += kImages, g += kImages) {
      V of[n];
#pragma GCC unroll 4
      for (int o = 0; o < n; ++o) of[o] = load(g + o * t.g_plane);
#pragma GCC unroll 5
      for (int b = 0; b < taps; ++b) {
        const V in = load(x + at[b]);
#pragma GCC unroll 4
        for (int o = 0; o < n; ++o) all[o][b] = fma(in, of[o], all[o][b]);
      }
    }
  }
#pragma GCC unroll 1
  for (int o = 0; o < n; ++o) {
#pragma GCC unroll 1
    for (int b = 0; b < taps; ++b) sums[o][b] = _mm512_reduce_add_ps(bits_as<__m512>(all[o][b]));
  }
}

}  // namespace

void ImagePlanes::plan(const Geometry& g, int64_t columns) {
  int64_t high = low_x = g.dx[0];
  for (int b = 1; b < g.taps_w; ++b) {
    low_x = smaller(low_x, g.dx[b]);
    high = larger(high, g.dx[b]);
  }
  pitch = columns + high - low_x;
  const bool fits = pitch <= kMostElements && g.in_h <= kMostElements;
  plane = fits ? g.in_h * pitch * kImages : 0;  // 0: nobody wants it, or there are no rows
  for (int a = 0; a < g.taps_h; ++a) row[a] = g.dy[a] * pitch * kImages;
  for (int b = 0; b < g.taps_w; ++b) column[b] = (g.dx[b] - low_x) * kImages;
}

void ImagePlanes::fill(const Geometry& g, const float* x, int64_t images, float* to) const {
  const int64_t begin = larger(low_x, 0), end = smaller(low_x + pitch, g.in_w);
  for (int64_t i = 0; i < g.ci * g.in_h; ++i) {
    const float* from = x + i / g.in_h * g.x_channel + i % g.in_h * g.x_row;
    for (int64_t j = begin; j < end; j += kImages)
      gather_images(from + j, g.x_image, images, smaller(end - j, kImages),
                    to + (i * pitch + j - low_x) * kImages);
  }
}

// Rows of taps rise or fall.
void ImagePlanes::inside(const Geometry& g, int64_t h, int* begin, int* end) const {
  const auto in = [&](int a) { return h + g.dy[a] >= 0 && h + g.dy[a] < g.in_h; };
  *begin = 0;
  while (*begin < g.taps_h && !in(*begin)) ++*begin;
  *end = *begin;
  while (*end < g.taps_h && in(*end)) ++*end;
}

void ImageItems::plan(const Geometry& g, const Device& device) {
  groups = ceil_div(g.batch, kImages);
  channels =
      ceil_div(g.co, 3) * 3 < ceil_div(g.co, kMostChannels) * kMostChannels ? 3 : kMostChannels;
  blocks = ceil_div(g.co, channels);
  parts = groups % device.threads == 0 ? 1 : smaller(blocks, device.threads);
  slots = smaller(parts_worth(device, g.flops() / 2.5e6), count());
}

// ---- results, and gradients of inputs

bool ImageConv::worth(const ConvProblem& p) {
  const Geometry& g = p.g[0];
  if (p.phases != 1 || !alike(g) || g.y_col != 1 || g.y_row != g.out_w) return false;
  // In long rows other lanes are busy too: then turning the images gains only where much is done with each.
  if (g.out_w > 16 && (g.taps() < 25 || g.co >= 16)) return false;
  ImagePlanes planes;
  planes.plan(g, round_up(g.out_w, kColumns));
  return small(g, planes);
}

void ImageConv::plan(const ConvProblem& p, const Device& device) {
  p_ = p;
  device_ = &device;
  const Geometry& g = p_.g[0];
  planes_.plan(g, round_up(g.out_w, kColumns));
  items_.plan(g, device);
  weights_ = round_up(items_.blocks * items_.channels * g.ci * g.taps(), 16);
  out_ = (g.positions() + kColumns + kImages) * kImages;
  slot_ = g.ci * planes_.plane + items_.channels * out_;
}

// By blocks of outputs: the weights of a tap for all of a block beside one another.
void ImageConv::pack(const float* w, float* to) const {
  const Geometry& g = p_.g[0];
  for (int64_t o = 0; o < items_.blocks * items_.channels; o += items_.channels) {
    for (int64_t i = 0; i < g.ci * g.taps(); ++i, to += items_.channels) {
      const float* from = w + i / g.taps() * p_.w_in + p_.tap[0][i % g.taps()];
      for (int64_t k = 0; k < items_.channels; ++k)
        to[k] = o + k < g.co ? from[(o + k) * p_.w_out] : 0.0f;
    }
  }
}

void ImageConv::block(int64_t block, const float* planes, const float* weights, const float* bias,
                      float* outs) const {
  const Geometry& g = p_.g[0];
  const int64_t first = block * items_.channels, n = smaller(items_.channels, g.co - first);
  SumTile t{};
  t.column = planes_.column;
  t.columns = g.taps_w;
  t.channels = g.ci;
  t.x_plane = planes_.plane;
  t.w_plane = g.taps() * items_.channels;
  t.out_plane = out_;
  for (int64_t o = 0; bias && o < n; ++o) t.start[o] = bias[first + o];
  for (int64_t h = 0; h < g.out_h; ++h) {
    int begin, end;
    planes_.inside(g, h, &begin, &end);
    t.row = planes_.row + begin;
    t.rows = end - begin;
    t.w = weights + first * g.ci * g.taps() + begin * g.taps_w * items_.channels;
    for (int64_t j = 0; j < g.out_w; j += kColumns) {
      t.x = planes + (h * planes_.pitch + j) * kImages;
      t.out =
          outs + (h * g.out_w + j) * kImages;  // beyond the row lies what the next one overwrites
      (items_.channels == 3 ? sum_tile<3> : sum_tile<kMostChannels>)(t);
    }
  }
}

void ImageConv::run(const float* x, const float* w, const float* bias, float* y, float* scratch,
                    const RowsDone* done) const {
  float* weights = scratch + (-reinterpret_cast<uintptr_t>(scratch) & 63) / sizeof(float);
  pack(w, weights);
  share(*device_, items_.slots, items_.count(), [&](int64_t begin, int64_t end, int64_t slot) {
    const Geometry& g = p_.g[0];
    float *planes = weights + weights_ + slot * slot_, *outs = planes + g.ci * planes_.plane;
    std::memset(planes, 0, size_t(g.ci * planes_.plane) * sizeof(float));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / items_.parts * kImages, part = i % items_.parts;
      const int64_t images = smaller(kImages, g.batch - image);
      if (part == 0 || i == begin) planes_.fill(g, x + image * g.x_image, images, planes);
      for (int64_t b = part * items_.blocks / items_.parts;
           b < (part + 1) * items_.blocks / items_.parts; ++b) {
        block(b, planes, weights, bias, outs);
        const int64_t first = b * items_.channels, n = smaller(items_.channels, g.co - first);
        float* to = y + image * g.y_image + first * g.y_channel;
        for (int64_t o = 0; o < n; ++o) {
          for (int64_t k = 0; k < g.positions(); k += kImages)
            scatter_images(outs + o * out_ + k * kImages, smaller(kImages, g.positions() - k),
                           to + o * g.y_channel + k, g.y_image, images);
        }
        for (int64_t k = 0; done && k < images; ++k)
          done->run(*done, to + k * g.y_image, g.y_channel, n, g.positions());
      }
    }
  });
}

// ---- gradients of weights

bool ImageWeightGrad::worth(const Geometry& g) {
  if (!alike(g) || g.co > 16 || g.ci * g.taps() < 24) return false;
  ImagePlanes planes;
  planes.plan(g, g.out_w);
  // The sums of each group of images are kept apart.
  return small(g, planes) && ceil_div(g.batch, kImages) <= kMostSums / (g.co * g.ci * g.taps());
}

void ImageWeightGrad::plan(const Geometry& geometry, const Device& device) {
  g_ = geometry;
  device_ = &device;
  planes_.plan(g_, g_.out_w);
  items_.plan(g_, device);
  sums_ = round_up(items_.groups * g_.co * g_.ci * g_.taps(), 16);
  out_ = g_.positions() * kImages;
  slot_ = g_.ci * planes_.plane + items_.channels * out_;
}

// Of some output channels, whose gradients are in `outs`.
void ImageWeightGrad::block(int64_t channels, const float* planes, const float* outs,
                            float* dw) const {
  float sums[kMostChannels][kColumns];
  TapTile t{};
  t.columns = g_.out_w;
  t.x_row = planes_.pitch * kImages;
  t.g_plane = out_;
  for (int64_t i = 0; i < g_.ci * g_.taps_h; ++i) {
    const int64_t c = i / g_.taps_h, a = i % g_.taps_h;
    const int64_t begin = larger(0, -g_.dy[a]), end = smaller(g_.out_h, g_.in_h - g_.dy[a]);
    t.rows = larger(0, end - begin);
    t.g = outs + begin * g_.out_w * kImages;
    t.x = planes + c * planes_.plane + begin * t.x_row + planes_.row[a];
    for (int64_t b = 0, n; b < g_.taps_w; b += n) {
      n = smaller(g_.taps_w - b, kColumns);
      int64_t at[kColumns];
      for (int64_t k = 0; k < kColumns; ++k) at[k] = planes_.column[b + smaller(k, n - 1)];
      t.at = at;
      if (items_.channels == 3)
        (n <= 3 ? tap_tile<3, 3> : tap_tile<3, kColumns>)(t, sums);
      else
        (n <= 3 ? tap_tile<kMostChannels, 3> : tap_tile<kMostChannels, kColumns>)(t, sums);
      for (int64_t o = 0; o < channels; ++o)
        std::memcpy(dw + ((o * g_.ci + c) * g_.taps_h + a) * g_.taps_w + b, sums[o],
                    size_t(n) * sizeof(float));
    }
  }
}

void ImageWeightGrad::run(const float* x, const float* g, float* dw, float* scratch) const {
  float* sums = scratch + (-reinterpret_cast<uintptr_t>(scratch) & 63) / sizeof(float);
  const int64_t row = g_.ci * g_.taps(), size = g_.co * row;
  share(*device_, items_.slots, items_.count(), [&](int64_t begin, int64_t end, int64_t slot) {
    float *planes = sums + sums_ + slot * slot_, *outs = planes + g_.ci * planes_.plane;
    std::memset(planes, 0, size_t(slot_) * sizeof(float));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t group = i / items_.parts, part = i % items_.parts, image = group * kImages;
      const int64_t images = smaller(kImages, g_.batch - image);
      if (part == 0 || i == begin) planes_.fill(g_, x + image * g_.x_image, images, planes);
      for (int64_t b = part * items_.blocks / items_.parts;
           b < (part + 1) * items_.blocks / items_.parts; ++b) {
        const int64_t first = b * items_.channels, n = smaller(items_.channels, g_.co - first);
        for (int64_t o = 0; o < n; ++o) {
          for (int64_t k = 0; k < g_.positions(); k += kImages)
            gather_images(g + image * g_.y_image + (first + o) * g_.y_channel + k, g_.y_image,
                          images, smaller(kImages, g_.positions() - k),
                          outs + o * out_ + k * kImages);
        }
        block(n, planes, outs, sums + group * size + first * row);
      }
    }
  });
  for (int64_t k = 0; k < size; ++k) {
    float sum = sums[k];
    for (int64_t group = 1; group < items_.groups; ++group) sum += sums[group * size + k];
    dw[k] = sum;
  }
}

}  // namespace tenon::cpu::CPU_ISA

#endif
