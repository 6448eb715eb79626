#include "conv/weight_grad.hpp"
#include "kernels/whole.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kDepth = 256;         // positions of a block: the depth of the product
constexpr int64_t kDirectDepth = 2048;  // without a product, which sums lanes once a block
// Output channels and taps of a direct block: their sums stay in registers.
constexpr int kDirectOutputs = kVectorBytes == 64 ? 6 : 3, kDirectTaps = 4;
// Of few channels the blocks are cut, into so many parts at most. How sums are made up must not depend
// on the number of threads.
constexpr int64_t kFewChannels = 8, kBlockParts = 8;

}  // namespace

template <class T>
struct WeightGrad<T>::Work {
  const T *x, *g;  // of the group
  T* sums;         // [ci * taps][co_round_] of the group and the part of the blocks
  T *patch, *columns, *panel;
  Segment* segments;
};

template <class T>
void WeightGrad<T>::plan(const Geometry& geometry, const Device& device) {
  g_ = geometry;
  device_ = &device;
  // Lanes over output channels leave most of them empty where these are few; lanes over the positions
  // of a row do not where it is long.
  constexpr int64_t lanes = kLanes<T>;
  direct_ = 5 * ceil_div(g_.out_w, lanes) * round_up(g_.co, kDirectOutputs) <
            4 * g_.out_w * ceil_div(g_.co, lanes);
  blocks_.plan(g_, direct_ ? kDirectDepth : kDepth, 1);
  if (blocks_.count == 0 || g_.taps() == 0 || g_.ci == 0 || g_.co == 0) return;
  const double worth = g_.flops() / 2.5e6;
  const int64_t threads = parts_worth(device, worth);
  // Parts of channels need no sum at the end, but each gathers g for itself.
  const int64_t pieces = device.cut_all ? kBlockParts : worth < 2 ? 1 : int64_t(worth);
  if (g_.groups * g_.ci < kFewChannels)
    parts_b_ = smaller(smaller(pieces, kBlockParts), blocks_.count);
  else
    parts_c_ = smaller(ceil_div(threads, g_.groups), g_.ci);
  items_ = g_.groups * parts_c_ * parts_b_;
  slots_ = smaller(threads, items_);
  const int64_t most = ceil_div(g_.ci, parts_c_);
  channel_block_ = smaller(most, 1 + 8 * kTileRows<T> / g_.taps());
  patch_.plan(g_, blocks_.rows, blocks_.cols, channel_block_);

  constexpr int64_t line = 64 / int64_t(sizeof(T));
  co_round_ = round_up(g_.co, line);
  sums_ = g_.groups * g_.ci * g_.taps() * co_round_;
  sum_copies_ = parts_b_;
  const int64_t depth = direct_ ? 0 : blocks_.positions();
  patch_size_ = round_up(patch_.size(blocks_.images), line);
  g_size_ = round_up(g_.co, kTileCols<T>) * depth + 2 * kTileCols<T>;
  a_stride_ = round_up(depth, line) + 2 * line;
  const int64_t rows = blocks_.images * blocks_.rows;
  const int64_t bytes = (patch_size_ + round_up(g_size_, line) + kTileRows<T> * a_stride_ + line) *
                            int64_t(sizeof(T)) +
                        rows * int64_t(sizeof(Segment)) + 64;
  slot_ = round_up(bytes, 64) / int64_t(sizeof(T));
}

// g of the block, transposed: panels of kTileCols output channels, positions below one another.
template <class T>
void WeightGrad<T>::gather_g(const Work& work, const Block& block) const {
  constexpr int64_t cols = kTileCols<T>;
  const int64_t depth = block.positions();
  const int64_t run = (block.h1 - block.h0) * (block.w1 - block.w0);  // dense in g
  const int64_t start = block.h0 * g_.out_w + block.w0;
  for (int64_t o = 0; o < g_.co; o += cols) {
    T* to = work.columns + o * depth;
    for (int64_t n = block.n0; n < block.n1; ++n, to += run * cols) {
      pack_b_panel(to, work.g + n * g_.y_image + o * g_.y_channel + start, 1, g_.y_channel, run,
                   smaller(cols, g_.co - o));
    }
  }
}

// For taps c * taps .. (c + channels) * taps of the patch, without gathering them or g.
template <class T>
void WeightGrad<T>::run_direct(const Work& work, int64_t segments, int64_t c, int64_t channels,
                               bool accumulate) const {
  constexpr int outputs = kDirectOutputs, width = kDirectTaps;
  constexpr int64_t lanes = kLanes<T>;
  const int64_t taps = g_.taps(), all = channels * taps;
  for (int64_t k = 0; k < all; k += width) {
    const T* x[width];
    for (int j = 0; j < width; ++j) {
      const int64_t at = smaller(k + j, all - 1), tap = at % taps;
      x[j] = work.patch + patch_.tap(g_, at / taps, int(tap / g_.taps_w), int(tap % g_.taps_w));
    }
    for (int64_t o = 0; o < g_.co; o += outputs) {
      const T* g[outputs];
      for (int i = 0; i < outputs; ++i) g[i] = work.g + smaller(o + i, g_.co - 1) * g_.y_channel;
      Vec<T> sums[outputs][width] = {};
      const auto add = [&](int64_t from, int64_t to, auto get) {
        Vec<T> tap[width];
#pragma GCC unroll 4
        for (int j = 0; j < width; ++j) tap[j] = get(x[j] + from);
#pragma GCC unroll 6
        for (int i = 0; i < outputs; ++i) {
          const Vec<T> v = get(g[i] + to);
#pragma GCC unroll 4
          for (int j = 0; j < width; ++j) sums[i][j] = fma(v, tap[j], sums[i][j]);
        }
      };
      for (int64_t s = 0; s < segments; ++s) {
        const Segment& e = work.segments[s];
        int64_t v = 0;
        for (; v + lanes <= e.count; v += lanes)
          add(e.x + v, e.y + v, [](const T* p) { return load(p); });
        const int64_t rest = e.count - v;
        if (rest) add(e.x + v, e.y + v, [rest](const T* p) { return load_n(p, rest); });
      }
#pragma GCC unroll 6
      for (int i = 0; i < outputs; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < width; ++j) {
          if (o + i >= g_.co || k + j >= all) continue;
          T& to = work.sums[(c * taps + k + j) * co_round_ + o + i];
          const T sum = sum_lanes(sums[i][j]);
          to = accumulate ? to + sum : sum;
        }
      }
    }
  }
}

template <class T>
void WeightGrad<T>::run_item(int64_t item, const Work& base, bool* started) const {
  constexpr int64_t cols = kTileCols<T>;
  const int64_t part_b = item % parts_b_, part_c = item / parts_b_ % parts_c_;
  const int64_t group = item / parts_b_ / parts_c_;
  Work work = base;
  work.x += group * g_.ci * g_.x_channel;
  work.g += group * g_.co * g_.y_channel;
  work.sums += part_b * sums_ + group * g_.ci * g_.taps() * co_round_;
  const int64_t c_begin = part_c * g_.ci / parts_c_, c_end = (part_c + 1) * g_.ci / parts_c_;
  const int64_t taps = g_.taps();
  *started = false;
  for (int64_t b = part_b * blocks_.count / parts_b_; b < (part_b + 1) * blocks_.count / parts_b_;
       ++b) {
    const Block block = blocks_.at(g_, b);
    const int64_t depth = block.positions();
    const int64_t segments = patch_.segments(g_, block, work.segments);
    if (!direct_) gather_g(work, block);
    for (int64_t c = c_begin; c < c_end; c += channel_block_) {
      const int64_t channels = smaller(channel_block_, c_end - c);
      patch_.fill(g_, block, c, c + channels, work.x, work.patch);
      const int64_t all = channels * taps;
      if (direct_) run_direct(work, segments, c, channels, *started);
      for (int64_t k = direct_ ? all : 0; k < all;) {
        const int64_t rows = ceil_div(all - k, ceil_div(all - k, kTileRows<T>));
        for (int64_t r = 0; r < rows; ++r) {
          const int64_t tap = (k + r) % taps;
          const T* from = work.patch + patch_.tap(g_, (k + r) / taps, int(tap / g_.taps_w),
                                                  int(tap % g_.taps_w));
          T* to = work.panel + r * a_stride_;
          for (int64_t s = 0; s < segments; ++s) {
            const Segment& e = work.segments[s];
            for (int64_t v = 0; v < e.count; v += kLanes<T>)
              store(to + e.first + v, load(from + e.x + v));
          }
        }
        Tile<T> t{};
        t.a = work.panel;
        t.a_stride = a_stride_;
        t.b_stride = cols;
        t.k = depth;
        t.c_stride = co_round_;
        t.accumulate = *started;
        for (int64_t o = 0; o < g_.co; o += cols) {
          t.b = work.columns + o * depth;
          t.c = work.sums + (c * taps + k) * co_round_ + o;
          t.n = int32_t(smaller(cols, g_.co - o));
          tile_function<T>(ALayout::rows, int(rows), t.n)(t);
        }
        k += rows;
      }
    }
    *started = true;
  }
}

// dw = the transpose of the sums, over all their copies. A run of taps at a time, whose sums stay in a cache.
template <class T>
void WeightGrad<T>::collect(const T* sums, T* dw) const {
  constexpr int64_t lanes = kLanes<T>, run = 256;
  const int64_t taps = g_.ci * g_.taps(), runs = ceil_div(taps, run);
  const auto square = [&](int64_t group, int64_t o, int64_t k, int64_t n) {
    alignas(64) T turned[lanes * lanes];
    const T* from = sums + (group * taps + k) * co_round_ + o;
    for (int64_t r = 0; r < n; ++r, from += co_round_) {
      Vec<T> sum = load(from);
      for (int64_t copy = 1; copy < sum_copies_; ++copy) sum += load(from + copy * sums_);
      store(turned + r * lanes, sum);
    }
    turn_square(turned);
    T* to = dw + (group * g_.co + o) * taps + k;
    for (int64_t i = 0; i < smaller(lanes, g_.co - o); ++i)
      std::memcpy(to + i * taps, turned + i * lanes, size_t(n) * sizeof(T));
  };
  parallel(*device_, g_.groups * runs, 1, 0.3 * double(run * g_.co * sum_copies_),
           [&](int64_t begin, int64_t end) {
             for (int64_t item = begin; item < end; ++item) {
               const int64_t k0 = item % runs * run, k1 = smaller(k0 + run, taps);
               for (int64_t o = 0; o < g_.co; o += lanes) {
                 for (int64_t k = k0; k < k1; k += lanes)
                   square(item / runs, o, k, smaller(lanes, k1 - k));
               }
             }
           });
}

template <class T>
void WeightGrad<T>::run(const T* x, const T* g, T* dw, T* scratch) const {
  if (items_ == 0) {
    std::memset(dw, 0, size_t(g_.groups * g_.co * g_.ci * g_.taps()) * sizeof(T));
    return;
  }
  constexpr int64_t line = 64 / int64_t(sizeof(T));
  T* slots = scratch + sums_ * sum_copies_;
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      Work work{};
      work.x = x;
      work.g = g;
      work.sums = scratch;
      work.patch = slots + slot * slot_;
      work.columns = work.patch + patch_size_;
      work.panel = work.columns + round_up(g_size_, line);
      work.segments = reinterpret_cast<Segment*>(work.panel + kTileRows<T> * a_stride_ + line);
      for (int64_t i = slot * items_ / slots_; i < (slot + 1) * items_ / slots_; ++i) {
        bool started = false;
        run_item(i, work, &started);
      }
    }
  };
  if (slots_ == 1)
    body(0, 1);
  else
    parallel(*device_, slots_, 1, kParallelNs, body);
  collect(scratch, dw);
}

template class WeightGrad<float>;
#if CPU_CONV_F64
template class WeightGrad<double>;
#endif

}  // namespace tenon::cpu::CPU_ISA
