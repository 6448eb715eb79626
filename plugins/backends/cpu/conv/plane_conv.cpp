#include "conv/plane_conv.hpp"

#include "kernels/whole.hpp"
#include "matmul/transpose.hpp"

#if !defined(CPU_SMALL)

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kLane = kLanes<float>;
constexpr int kWide = 8;                       // vectors that are summed side by side
constexpr int64_t kSlack = 2 * kWide * kLane;  // elements behind a phase that are read, or written
constexpr int64_t kOutputs = 2048;             // positions that are computed at a time, about
constexpr int64_t kTogether = 8;               // planes, where they are small
constexpr int kBeside = 9;                     // taps whose products are summed side by side
constexpr int64_t kRun = 128 * kLane;          // positions that are summed in lanes

// out[p] = start + sum over t of w[tap[t]] * x[at[t] + p], for whole vectors.
template <int vectors>
CPU_INLINE void sum_taps(const float* x, const int64_t* at, const float* w, const int* tap,
                         int64_t taps, float start, float* out) {
  Vec<float> sums[vectors];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) sums[v] = splat<Vec<float>>(start);
  for (int64_t t = 0; t < taps; ++t) {
    const Vec<float> by = splat<Vec<float>>(w[tap[t]]);
    const float* from = x + at[t];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sums[v] = fma(by, load(from + v * kLane), sums[v]);
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) store(out + v * kLane, sums[v]);
}

// Row by row from flat positions into y.
void write_rows(const float* from, int64_t pitch, int64_t rows, int64_t n, float* y,
                int64_t y_row) {
  for (int64_t r = 0; r < rows; ++r, from += pitch, y += y_row) {
    int64_t k = 0;
    for (; k + kLane <= n; k += kLane) store(y + k, load(from + k));
    if (k < n) store_n(y + k, load(from + k), n - k);
  }
}

// The same of two phases of columns: `even` has as many as `odd`, or one more.
void weave_rows(const float* even, const float* odd, int64_t pitch, int64_t rows, int64_t n,
                float* y, int64_t y_row) {
  constexpr std::make_integer_sequence<int, kLane> lanes;
  for (int64_t r = 0; r < rows; ++r, even += pitch, odd += pitch, y += y_row) {
    for (int64_t k = 0; k < n; k += 2 * kLane) {
      const Vec<float> a = load(even + k / 2), b = load(odd + k / 2);
      const Vec<float> low = interleave<false>(a, b, lanes), high = interleave<true>(a, b, lanes);
      store_n(y + k, low, smaller(n - k, kLane));
      if (n - k > kLane) store_n(y + k + kLane, high, smaller(n - k - kLane, kLane));
    }
  }
}

}  // namespace

// ---- planes

void FlatPlane::plan(int64_t out_rows, int64_t below, int64_t row_pitch) {
  pitch = row_pitch;
  rows = out_rows + below;
  size = round_up(rows * pitch + kSlack, kLane);
}

void FlatPlane::plan(const ConvProblem& p) {
  const Geometry& g = p.g[0];
  Flat flat;
  flat.plan(p.g, p.phases);
  low_y = flat.low_y, low_x = flat.low_x;
  in_h = g.in_h, in_w = g.in_w, in_row = g.x_row;
  step_h = g.step_h, step_w = g.step_w;
  phases_h = smaller(step_h, flat.reach_y + 1);
  phases_w = smaller(step_w, flat.reach_x + 1);
  int64_t out_rows = 0;
  for (int i = 0; i < p.phases; ++i) out_rows = larger(out_rows, p.g[i].out_h);
  plan(out_rows, flat.reach_y / step_h + 1, flat.pitch);
}

void FlatPlane::offsets(const Geometry& g, int64_t* to) const {
  for (int64_t t = 0; t < g.taps(); ++t)
    to[t] = at(g.dy[t / g.taps_w] - low_y, g.dx[t % g.taps_w] - low_x);
}

void FlatPlane::fill(const float* x, float* to) const {
  for (int64_t a = 0; a < phases_h; ++a) {
    for (int64_t b = 0; b < phases_w; ++b, to += size) {
      // Columns of the phase that are within the plane, and rows.
      const int64_t left = low_x + b, top = low_y + a;
      const int64_t v0 = left < 0 ? ceil_div(-left, step_w) : 0;
      const int64_t v1 = smaller(pitch, left < in_w ? ceil_div(in_w - left, step_w) : 0);
      const int64_t r0 = top < 0 ? ceil_div(-top, step_h) : 0;
      const int64_t r1 = smaller(rows, top < in_h ? ceil_div(in_h - top, step_h) : 0);
      if (v0 >= v1) continue;
      float* row = to + r0 * pitch + v0;
      const float* from = x + (r0 * step_h + top) * in_row + v0 * step_w + left;
      const int64_t width = pitch, step = step_h * in_row, n = v1 - v0, plane = in_h * in_row;
      if (step_w == 1 && n <= kLane) {
        for (int64_t r = r0; r < r1; ++r, row += width, from += step) {
          __builtin_prefetch(from + plane);  // most likely the next one, too short to be foreseen
          store(row, load_n(from, n));
        }
        continue;
      }
      for (int64_t r = r0; r < r1; ++r, row += width, from += step)
        copy_columns(row, from, step_w, n);
    }
  }
}

// ---- results, and gradients of inputs

bool PlaneConv::fits(const ConvProblem& p) {
  const Geometry& g = p.g[0];
  bool taps = false;
  for (int i = 0; i < p.phases; ++i) taps = taps || p.g[i].taps() > 0;
  return g.ci == 1 && g.co == 1 && g.y_col <= 2 && taps && g.batch * g.groups * g.positions() > 0;
}

void PlaneConv::plan(const ConvProblem& p, const Device& device) {
  p_ = p;
  device_ = &device;
  const Geometry& g = p_.g[0];
  flat_.plan(p_);
  double flops = 0;
  for (int i = 0; i < p_.phases; ++i) {
    flops += p_.g[i].flops();
    flat_.offsets(p_.g[i], at_[i]);
  }
  columns_ = g.y_col;
  rows_ = smaller(flat_.rows, larger(1, kOutputs / flat_.pitch));
  out_ = round_up(rows_ * flat_.pitch + kSlack, kLane);
  planes_ = larger(1, smaller(kTogether, kOutputs / flat_.elements()));
  slot_ = planes_ * (flat_.elements() + columns_ * out_);
  const double ns = 1e-2 * flops + 0.2 * double(g.batch * g.groups * g.in_h * g.in_w);
  slots_ = smaller(parts_worth(device, ns / kParallelNs), g.batch * g.groups);
}

// Planes begin .. end: each step for all of them, so that nothing is read that has just been written.
void PlaneConv::planes(int64_t begin, int64_t end, const float* x, const float* w,
                       const float* bias, float* y, float* slot) const {
  const Geometry& first = p_.g[0];
  const int64_t groups = first.groups;
  float* outs = slot + planes_ * flat_.elements();
  for (int64_t i = begin; i < end; ++i) {
    flat_.fill(x + i / groups * first.x_image + i % groups * first.x_channel,
               slot + (i - begin) * flat_.elements());
  }
  for (int64_t q = 0; q < p_.phases; q += columns_) {
    const Geometry& g = p_.g[q];
    for (int64_t h = 0; h < g.out_h; h += rows_) {
      const int64_t rows = smaller(rows_, g.out_h - h);
      for (int64_t i = begin; i < end; ++i) {
        const float* from = slot + (i - begin) * flat_.elements() + h * flat_.pitch;
        float* to = outs + (i - begin) * columns_ * out_;
        const int64_t c = i % groups;
        for (int64_t k = 0; k < columns_; ++k)
          sum(q + k, from, w + c * p_.w_group, bias ? bias[c] : 0.0f, rows, to + k * out_);
      }
      for (int64_t i = begin; i < end; ++i) {
        const float* from = outs + (i - begin) * columns_ * out_;
        float* to =
            y + i / groups * g.y_image + i % groups * g.y_channel + p_.y_start[q] + h * g.y_row;
        if (columns_ == 2)
          weave_rows(from, from + out_, flat_.pitch, rows, g.out_w + p_.g[q + 1].out_w, to,
                     g.y_row);
        else
          write_rows(from, flat_.pitch, rows, g.out_w, to, g.y_row);
      }
    }
  }
}

void PlaneConv::sum(int64_t phase, const float* x, const float* w, float start, int64_t rows,
                    float* out) const {
  const int64_t n = (rows - 1) * flat_.pitch + p_.g[phase].out_w, taps = p_.g[phase].taps();
  const int64_t* at = at_[phase];
  const int* tap = p_.tap[phase];
  int64_t k = 0;
  for (; n - k > (kWide / 2) * kLane; k += kWide * kLane)
    sum_taps<kWide>(x + k, at, w, tap, taps, start, out + k);
  for (; k < n; k += 2 * kLane) sum_taps<2>(x + k, at, w, tap, taps, start, out + k);
}

void PlaneConv::run(const float* x, const float* w, const float* bias, float* y, float* scratch,
                    const RowsDone* done) const {
  std::memset(scratch, 0, size_t(slots_ * slot_) * sizeof(float));
  share(*device_, slots_, p_.g[0].batch * p_.g[0].groups,
        [&](int64_t begin, int64_t end, int64_t slot) {
          const int64_t plane = p_.g[0].positions();
          for (int64_t i = begin; i < end; i += planes_) {
            const int64_t to = smaller(i + planes_, end);
            planes(i, to, x, w, bias, y, scratch + slot * slot_);
            if (done) done->run(*done, y + i * plane, plane, to - i, plane);
          }
        });
}

// ---- gradients of weights

bool PlaneWeightGrad::fits(const Geometry& g) {
  return g.ci == 1 && g.co == 1 && g.taps() > 0 && g.taps() <= kMostTaps &&
         g.batch * g.groups * g.positions() > 0;
}

void PlaneWeightGrad::plan(const Geometry& geometry, const Device& device) {
  g_ = geometry;
  device_ = &device;
  ConvProblem p;
  p.g[0] = g_;
  x_.plan(p);
  x_.offsets(g_, at_);
  out_.in_h = g_.out_h, out_.in_w = out_.in_row = g_.out_w;
  out_.plan(g_.out_h, 0, x_.pitch);
  images_ = larger(1, smaller(g_.batch, kRun / (g_.out_h * x_.pitch)));
  slot_ = images_ * (x_.elements() + out_.elements());
  const double ns = 1e-2 * g_.flops() + 0.3 * double(g_.batch * g_.groups * g_.in_h * g_.in_w);
  slots_ = smaller(parts_worth(device, ns / kParallelNs), g_.groups);
}

namespace {

// Positions p < n of images that are so far apart.
struct Run {
  int64_t images, n, x_step, g_step;
};

// sums[t] += sum over the run of g[p] * x[at[t] + p].
void add_products(const Run& run, const float* x, const int64_t* at, int64_t taps, const float* g,
                  double* sums) {
  for (int64_t t0 = 0; t0 < taps; t0 += kBeside) {
    const float* from[kBeside];
#pragma GCC unroll 16
    for (int t = 0; t < kBeside; ++t) from[t] = x + at[smaller(t0 + t, taps - 1)];
    Vec<float> lanes[kBeside] = {};
    for (int64_t i = 0; i < run.images; ++i) {
      const float* row = g + i * run.g_step;
      const int64_t first = i * run.x_step;
      for (int64_t k = 0; k < run.n; k += kLane) {
        const Vec<float> v = load(row + k);
#pragma GCC unroll 16
        for (int t = 0; t < kBeside; ++t) lanes[t] = fma(v, load(from[t] + first + k), lanes[t]);
      }
    }
#pragma GCC unroll 16
    for (int t = 0; t < kBeside; ++t)
      if (t0 + t < taps) sums[t0 + t] += double(sum_lanes(lanes[t]));
  }
}

}  // namespace

void PlaneWeightGrad::channel(const float* x, const float* g, float* dw, float* slot) const {
  double sums[kMostTaps] = {};
  float* out = slot + images_ * x_.elements();
  const int64_t n = (g_.out_h - 1) * x_.pitch + g_.out_w;
  for (int64_t image = 0; image < g_.batch; image += images_) {
    const int64_t images = smaller(images_, g_.batch - image);
    for (int64_t i = 0; i < images; ++i) {
      x_.fill(x + (image + i) * g_.x_image, slot + i * x_.elements());
      out_.fill(g + (image + i) * g_.y_image, out + i * out_.elements());
    }
    for (int64_t k = 0; k < n; k += kRun) {
      add_products({images, smaller(kRun, n - k), x_.elements(), out_.elements()}, slot + k, at_,
                   g_.taps(), out + k, sums);
    }
  }
  bool finite = true;
  for (int64_t t = 0; t < g_.taps(); ++t) finite = finite && std::isfinite(sums[t]);
  // Zeros between the rows of g may have met Inf or NaN.
  if (!finite) return channel_exactly(x, g, dw);
  for (int64_t t = 0; t < g_.taps(); ++t) dw[t] = float(sums[t]);
}

void PlaneWeightGrad::channel_exactly(const float* x, const float* g, float* dw) const {
  for (int64_t t = 0; t < g_.taps(); ++t) {
    const int64_t dy = g_.dy[t / g_.taps_w], dx = g_.dx[t % g_.taps_w];
    double sum = 0;
    for (int64_t i = 0; i < g_.batch * g_.positions(); ++i) {
      const int64_t n = i / g_.positions(), at = i % g_.positions();
      const int64_t row = at / g_.out_w * g_.step_h + dy, col = at % g_.out_w * g_.step_w + dx;
      if (row < 0 || row >= g_.in_h || col < 0 || col >= g_.in_w) continue;
      sum += double(g[n * g_.y_image + at]) * double(x[n * g_.x_image + row * g_.x_row + col]);
    }
    dw[t] = float(sum);
  }
}

void PlaneWeightGrad::run(const float* x, const float* g, float* dw, float* scratch) const {
  std::memset(scratch, 0, size_t(slots_ * slot_) * sizeof(float));
  share(*device_, slots_, g_.groups, [&](int64_t begin, int64_t end, int64_t slot) {
    for (int64_t c = begin; c < end; ++c) {
      channel(x + c * g_.x_channel, g + c * g_.y_channel, dw + c * g_.taps(),
              scratch + slot * slot_);
    }
  });
}

}  // namespace tenon::cpu::CPU_ISA

#endif
