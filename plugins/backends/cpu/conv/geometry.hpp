// Convolution as a sum over taps: y(n, o, i, j) = sum over c, a, b of w(o, c, a, b) * x(n, c, i * step_h + dy[a], j * step_w + dx[b]),
// where x is 0 outside of its plane. A forward convolution is one of these; the gradient of its input is one per phase of the stride.
#ifndef TENON_CPU_CONV_GEOMETRY_HPP_
#define TENON_CPU_CONV_GEOMETRY_HPP_
#include "matmul/gemm.hpp"

// Convolutions of f64 are rare: the widest level takes those of CPU_SHARED_ISA.
#if defined(__AVX512F__)
#define CPU_CONV_F64 0
#else
#define CPU_CONV_F64 1
#endif

namespace tenon::cpu::CPU_ISA {

inline constexpr int kMaxTaps = 64;  // along one axis

struct Geometry {
  int64_t groups = 1, batch = 0;
  int64_t ci = 0, co = 0;  // channels per group
  int64_t in_h = 0, in_w = 0, out_h = 0, out_w = 0;
  int64_t step_h = 1, step_w = 1;
  int taps_h = 0, taps_w = 0;
  int64_t dy[kMaxTaps], dx[kMaxTaps];
  int64_t x_image = 0, x_channel = 0, x_row = 0;  // strides in elements; columns are dense
  int64_t y_image = 0, y_channel = 0, y_row = 0, y_col = 1;

  int64_t taps() const { return int64_t(taps_h) * taps_w; }
  int64_t positions() const { return out_h * out_w; }
  double flops() const {
    return 2.0 * double(groups * batch) * double(ci * co) * double(positions() * taps());
  }
};

// A block of output positions: whole images, or rows of one, or columns of one row.
struct Block {
  int64_t n0, n1, h0, h1, w0, w1;
  int64_t positions() const { return (n1 - n0) * (h1 - h0) * (w1 - w0); }
};

// How the output positions are cut into blocks of at most about `width`, in number a multiple of `threads` if it can be.
struct Blocks {
  int64_t images = 1, rows = 1, cols = 1;  // of a block
  int64_t per_w = 1, per_h = 1, count = 0;
  void plan(const Geometry& g, int64_t width, int64_t threads);
  Block at(const Geometry& g, int64_t index) const;
  int64_t positions() const { return images * rows * cols; }  // at most, of one block
};

// Positions of a block that follow one another in a row of the output.
struct Segment {
  int64_t x;             // where the first tap's input starts in the patch
  int64_t y;             // where they are in the output, relative to group, channel and image 0
  int64_t first, count;  // among the block's positions
};

// The input of a block for some channels, with its border, columns sorted by phase of step_w: then what each tap reads is dense.
struct Patch {
  int64_t low_y = 0, low_x = 0;      // smallest dy and dx
  int64_t reach_y = 0, reach_x = 0;  // largest less smallest
  int64_t rows = 0, phase = 0, row = 0, plane = 0,
          image = 0;  // rows per plane; strides in elements

  // For blocks of the given size and `channels` of them.
  void plan(const Geometry& g, int64_t block_rows, int64_t block_cols, int64_t channels);
  // Elements for `images` images, with what may be read beyond the end.
  int64_t size(int64_t images) const { return images * image + 128; }
  // Where tap (a, b) of channel c is, from the patch's start.
  int64_t tap(const Geometry& g, int64_t c, int a, int b) const {
    const int64_t u = g.dx[b] - low_x;
    return c * plane + (g.dy[a] - low_y) * row + u % g.step_w * phase + u / g.step_w;
  }
  // Fills it from channels c0 .. c1 of x, which points at the group's first channel.
  template <class T>
  void fill(const Geometry& g, const Block& b, int64_t c0, int64_t c1, const T* x, T* to) const;
  // Writes the segments of a block, at most its rows; returns their number.
  int64_t segments(const Geometry& g, const Block& b, Segment* out) const;
};

// to[k] = from[k * step] for k < n; after them something is written up to a whole vector.
void copy_columns(float* to, const float* from, int64_t step, int64_t n);

}  // namespace tenon::cpu::CPU_ISA
#endif
