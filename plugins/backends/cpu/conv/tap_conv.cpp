// Panels of positions by the weights of their taps: straight from the patch, or from columns gathered of it.
#include "conv/tap_conv.hpp"
#include "kernels/whole.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kBlockWidth = 512;  // positions of a block
constexpr int64_t kMostDepth = 640;   // products of a sum before it goes to memory

// Segments cut at the borders of panels of kTileCols positions, each panel's one after the other.
struct Piece {
  int64_t x, y;
  int32_t at, count;  // within the panel
};

template <class T>
int64_t cut_pieces(const Segment* segments, int64_t n, int64_t y_col, Piece* out,
                   int64_t* panel_first) {
  constexpr int64_t cols = kTileCols<T>;
  int64_t count = 0, panels = 0;
  for (int64_t s = 0; s < n; ++s) {
    Segment rest = segments[s];
    while (rest.count > 0) {
      const int64_t at = rest.first % cols;
      const int64_t take = smaller(rest.count, cols - at);
      if (at == 0) panel_first[panels++] = count;
      out[count++] = {rest.x, rest.y, int32_t(at), int32_t(take)};
      rest = {rest.x + take, rest.y + take * y_col, rest.first + take, rest.count - take};
    }
  }
  panel_first[panels] = count;
  return panels;
}

// Segments that follow one another both in the patch and in y are one.
int64_t merged_segments(const Patch& patch, const Geometry& g, const Block& block,
                        Segment* segments) {
  const int64_t count = patch.segments(g, block, segments);
  if (g.y_col != 1) return count;
  int64_t merged = 0;
  for (int64_t s = 1; s < count; ++s) {
    Segment& last = segments[merged];
    const Segment& next = segments[s];
    if (next.x == last.x + last.count && next.y == last.y + last.count)
      last.count += next.count;
    else
      segments[++merged] = next;
  }
  return merged + 1;
}

}  // namespace

template <class T>
struct TapConv<T>::Work {
  const T *x, *w, *bias;  // of the group
  T* y;
  int64_t w_row;
  T *patch, *columns, *panel, *tile;
  Segment* segments;
  Piece* pieces;
  int64_t* panel_first;
  int64_t* panel_start;  // direct only: in the patch
  int64_t* taps;
  int64_t panels;
  const RowsDone* done;
};

template <class T>
void TapConv<T>::plan(const Geometry& geometry, const Device& device) {
  g_ = geometry;
  device_ = &device;
  const double worth = g_.flops() / 2.5e6;
  const int64_t threads = parts_worth(device, worth);
  blocks_.plan(g_, kBlockWidth, threads);
  if (blocks_.count == 0 || g_.taps() == 0 || g_.ci == 0 || g_.co == 0) return;
  const int64_t deepest = device.l1_bytes / 2 / int64_t(sizeof(T)) / smaller(g_.co, kTileRows<T>);
  channel_block_ = smaller(deepest, kMostDepth) / g_.taps();
  if (channel_block_ < 1) channel_block_ = 1;
  channel_block_ = ceil_div(g_.ci, ceil_div(g_.ci, smaller(channel_block_, g_.ci)));
  patch_.plan(g_, blocks_.rows, blocks_.cols, channel_block_);
  choose_direct();
  if (!direct_) {
    // Columns are read once for each tile of rows: the second-level cache holds them.
    const int64_t column = channel_block_ * g_.taps() * int64_t(sizeof(T));
    const int64_t width = device.l2_bytes / column / kTileCols<T> * kTileCols<T>;
    if (width < kBlockWidth) {
      blocks_.plan(g_, larger(width, 4 * kTileCols<T>), threads);
      patch_.plan(g_, blocks_.rows, blocks_.cols, channel_block_);
    }
  }

  const int64_t around = blocks_.count * g_.groups;
  parts_m_ =
      around >= threads ? 1 : smaller(ceil_div(threads, around), ceil_div(g_.co, kTileRows<T>));
  items_ = around * parts_m_;
  slots_ = smaller(threads, items_);

  constexpr int64_t line = 64 / int64_t(sizeof(T));
  const int64_t depth = channel_block_ * g_.taps() + 1;  // one more for the bias
  const int64_t wide = direct_ ? blocks_.images * blocks_.rows * patch_.row : blocks_.positions();
  panels_ = direct_ && by_rows()
                ? blocks_.images * blocks_.rows * ceil_div(blocks_.cols, kTileCols<T>)
                : ceil_div(wide, kTileCols<T>) + blocks_.images;
  pieces_ = blocks_.images * blocks_.rows + panels_;
  patch_size_ = round_up(patch_.size(blocks_.images), line);
  columns_size_ = direct_ ? 0 : round_up((depth * panels_ + 2) * kTileCols<T>, line);
  a_stride_ = round_up(depth, line) + line;
  panel_size_ = kTileRows<T> * a_stride_;
  const int64_t bytes = (patch_size_ + kTileCols<T> + columns_size_ + panel_size_ +
                         kTileRows<T> * kTileCols<T>)*int64_t(sizeof(T)) +
                        blocks_.images * blocks_.rows * int64_t(sizeof(Segment)) +
                        pieces_ * int64_t(sizeof(Piece)) + (2 * panels_ + 2 + depth) * 8;
  slot_ = round_up(bytes, 64) / int64_t(sizeof(T));
}

// By the time per tap and panel, in products of vectors: gathering a piece takes about five.
template <class T>
void TapConv<T>::choose_direct() {
  constexpr double cols = kTileCols<T>;
  const double width = double(blocks_.cols), rows = double(blocks_.rows);
  const double valid = width * rows;
  const double run = double(patch_.row) * (rows - 1) + width;
  const double wide = by_rows() ? rows * double(round_up(blocks_.cols, kLanes<T>))
                                : double(round_up(int64_t(run), kLanes<T>));
  const double pieces = 1 + (width < cols ? cols / width : 1);
  const double gathered = 1 + (4 + 5 * pieces) / (kTileVectors * double(g_.co));
  direct_ = wide / valid < gathered;
}

// The rows, or the wide runs, of the block's images as panels: where each is in the patch, and the pieces of it that are positions of y.
template <class T>
int64_t TapConv<T>::direct_panels(const Block& block, const Work& work) const {
  constexpr int64_t cols = kTileCols<T>;
  if (by_rows()) {
    const int64_t count = patch_.segments(g_, block, work.segments);
    int64_t panels = 0;
    for (int64_t s = 0; s < count; ++s) {
      const Segment& e = work.segments[s];
      for (int64_t q = 0; q < e.count; q += cols) {
        work.panel_start[panels] = e.x + q;
        work.panel_first[panels] = panels;
        work.pieces[panels++] = {0, e.y + q * g_.y_col, 0, int32_t(smaller(cols, e.count - q))};
      }
    }
    work.panel_first[panels] = panels;
    return panels;
  }
  const int64_t rows = block.h1 - block.h0, width = block.w1 - block.w0;
  const int64_t run = (rows - 1) * patch_.row + width;
  int64_t panels = 0, count = 0;
  for (int64_t n = block.n0; n < block.n1; ++n) {
    const int64_t y_image = n * g_.y_image + block.h0 * g_.y_row + block.w0 * g_.y_col;
    for (int64_t q = 0; q < run; q += cols) {
      work.panel_start[panels] = (n - block.n0) * patch_.image + q;
      work.panel_first[panels++] = count;
      for (int64_t h = q / patch_.row; h < rows && h * patch_.row < q + cols; ++h) {
        const int64_t start = h * patch_.row;
        const int64_t begin = start > q ? start : q;
        const int64_t end = smaller(start + width, q + cols);
        if (begin >= end) continue;
        work.pieces[count++] = {0, y_image + h * g_.y_row + (begin - start) * g_.y_col,
                                int32_t(begin - q), int32_t(end - begin)};
      }
    }
  }
  work.panel_first[panels] = count;
  return panels;
}

// One panel of the output: straight into y when its positions lie side by side there, else through a tile.
template <class T>
void TapConv<T>::write_panel(const Work& work, int64_t panel, int64_t rows, T* y,
                             bool accumulate) const {
  constexpr int64_t cols = kTileCols<T>;
  const Piece* p = work.pieces + work.panel_first[panel];
  const Piece* end = work.pieces + work.panel_first[panel + 1];
  for (; p < end; ++p) {
    const T* from = work.tile + p->at;
    T* to = y + p->y;
    for (int64_t r = 0; r < rows; ++r, from += cols, to += g_.y_channel) {
      if (g_.y_col == 1) {
        int64_t v = 0;
        for (; v + kLanes<T> <= p->count; v += kLanes<T>) {
          Vec<T> sum = load(from + v);
          if (accumulate) sum += load(to + v);
          store(to + v, sum);
        }
        if (v == p->count) continue;
        Vec<T> sum = load(from + v);
        if (accumulate) sum += load_n(to + v, p->count - v);
        store_part(to + v, sum, p->count - v);
      } else {
        for (int32_t v = 0; v < p->count; ++v) {
          to[v * g_.y_col] = accumulate ? to[v * g_.y_col] + from[v] : from[v];
        }
      }
    }
  }
}

// Columns of the block: each panel is depth x kTileCols; what is copied beyond a piece is overwritten by the next one.
template <class T>
void TapConv<T>::gather(const Work& work, int64_t depth, bool biased) const {
  constexpr int64_t cols = kTileCols<T>;
  for (int64_t panel = 0; panel < work.panels; ++panel) {
    T* to = work.columns + panel * (depth + biased) * cols;
    const Piece* begin = work.pieces + work.panel_first[panel];
    const Piece* end = work.pieces + work.panel_first[panel + 1];
    for (int64_t k = 0; k < depth; ++k, to += cols) {
      const T* from = work.patch + work.taps[k];
      for (const Piece* p = begin; p < end; ++p) {
        for (int32_t v = 0; v < p->count; v += kLanes<T>)
          store(to + p->at + v, load(from + p->x + v));
      }
    }
    for (int64_t j = 0; biased && j < cols; ++j) to[j] = T(1);
  }
}

template <class T>
void TapConv<T>::multiply(const Work& work, const Block& block, int64_t channels, int64_t m0,
                          int64_t m1, bool first) const {
  constexpr int64_t cols = kTileCols<T>;
  const int64_t depth = channels * g_.taps();
  const bool biased = first && work.bias;  // as one more tap, of ones
  if (!direct_) gather(work, depth, biased);
  const int64_t positions = block.positions();
  Tile<T> t{};
  t.a = work.panel;
  t.a_stride = a_stride_;
  t.b_stride = cols;
  t.b_rows = work.taps;
  t.k = depth + biased;
  for (int64_t m = m0; m < m1;) {
    const int64_t rows = ceil_div(m1 - m, ceil_div(m1 - m, kTileRows<T>));
    for (int64_t r = 0; r < rows; ++r) {
      T* a = work.panel + r * a_stride_;
      std::memcpy(a, work.w + (m + r) * work.w_row, size_t(depth) * sizeof(T));
      if (biased) a[depth] = work.bias[m + r];
    }
    T* y = work.y + m * g_.y_channel;
    for (int64_t panel = 0; panel < work.panels; ++panel) {
      const Piece* p = work.pieces + work.panel_first[panel];
      t.c = work.tile;
      t.c_stride = cols;
      t.n = int32_t(cols);
      t.accumulate = 0;
      if (direct_) {
        const Piece& last = work.pieces[work.panel_first[panel + 1] - 1];
        t.b = work.patch + work.panel_start[panel];
        if (biased) work.taps[depth] = patch_size_ - work.panel_start[panel];
        // By itself in a row of y: straight there.
        const bool whole =
            first && p == &last && p->at == 0 && p->count % kLanes<T> == 0 && g_.y_col == 1;
        if (whole) {
          t.c = y + p->y;
          t.c_stride = g_.y_channel;
        }
        tile_function_by_offsets<T>(int(rows), last.at + last.count)(t);
        if (!whole) write_panel(work, panel, rows, y, !first);
        continue;
      }
      t.b = work.columns + panel * t.k * cols;
      const int64_t n = smaller(cols, positions - panel * cols);
      const bool whole = p->count == n && g_.y_col == 1;  // side by side in y
      if (whole) {
        t.c = y + p->y;
        t.c_stride = g_.y_channel;
        t.n = int32_t(n);
        t.accumulate = !first;
      }
      tile_function<T>(ALayout::rows, int(rows), t.n)(t);
      if (!whole) write_panel(work, panel, rows, y, !first);
    }
    m += rows;
  }
}

template <class T>
void TapConv<T>::run_item(int64_t item, const Work& base) const {
  Work work = base;
  const int64_t part = item % parts_m_;
  const int64_t group = item / parts_m_ % g_.groups;
  const Block block = blocks_.at(g_, item / parts_m_ / g_.groups);
  work.x += group * g_.ci * g_.x_channel;
  work.w += group * g_.co * work.w_row;
  work.y += group * g_.co * g_.y_channel;
  if (work.bias) work.bias += group * g_.co;

  if (direct_) {
    work.panels = direct_panels(block, work);
  } else {
    const int64_t segments = merged_segments(patch_, g_, block, work.segments);
    work.panels = cut_pieces<T>(work.segments, segments, g_.y_col, work.pieces, work.panel_first);
  }
  int64_t k = 0;
  for (int64_t c = 0; c < channel_block_; ++c) {
    for (int a = 0; a < g_.taps_h; ++a) {
      for (int b = 0; b < g_.taps_w; ++b) work.taps[k++] = patch_.tap(g_, c, a, b);
    }
  }
  const int64_t m0 = part * g_.co / parts_m_, m1 = (part + 1) * g_.co / parts_m_;
  const T* w = work.w;
  for (int64_t c = 0; c < g_.ci; c += channel_block_) {
    const int64_t channels = smaller(channel_block_, g_.ci - c);
    patch_.fill(g_, block, c, c + channels, work.x, work.patch);
    work.w = w + c * g_.taps();
    multiply(work, block, channels, m0, m1, c == 0);
  }
  if (!work.done || m0 == m1) return;
  const int64_t at = m0 * g_.y_channel + block.h0 * g_.y_row + block.w0;
  const int64_t positions =
      (block.h1 - block.h0) * (block.w1 - block.w0);  // which are side by side
  for (int64_t n = block.n0; n < block.n1; ++n)
    work.done->run(*work.done, work.y + n * g_.y_image + at, g_.y_channel, m1 - m0, positions);
}

// What a sum over no products is.
template <class T>
void TapConv<T>::fill(const T* bias, T* y, const RowsDone* done) const {
  const int64_t outputs = g_.groups * g_.co;
  for (int64_t i = 0; i < g_.batch * outputs; ++i) {
    const T value = bias ? bias[i % outputs] : T(0);
    T* plane = y + i / outputs * g_.y_image + i % outputs * g_.y_channel;
    for (int64_t h = 0; h < g_.out_h; ++h) {
      for (int64_t w = 0; w < g_.out_w; ++w) plane[h * g_.y_row + w * g_.y_col] = value;
    }
    if (done) done->run(*done, plane, g_.y_channel, 1, g_.positions());
  }
}

template <class T>
void TapConv<T>::run(const T* x, const T* w, int64_t w_row, const T* bias, T* y, T* scratch,
                     const RowsDone* done) const {
  if (items_ == 0) return fill(bias, y, done);
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot) {
      Work work{};
      work.x = x;
      work.w = w;
      work.bias = bias;
      work.y = y;
      work.w_row = w_row;
      work.done = done;
      work.patch = scratch + slot * slot_;
      T* ones = work.patch + patch_size_;
      for (int64_t j = 0; j < kTileCols<T>; ++j) ones[j] = T(1);
      work.columns = ones + kTileCols<T>;
      work.panel = work.columns + columns_size_;
      work.tile = work.panel + panel_size_;
      work.segments = reinterpret_cast<Segment*>(work.tile + kTileRows<T> * kTileCols<T>);
      work.pieces = reinterpret_cast<Piece*>(work.segments + blocks_.images * blocks_.rows);
      work.panel_first = reinterpret_cast<int64_t*>(work.pieces + pieces_);
      work.panel_start = work.panel_first + panels_ + 1;
      work.taps = work.panel_start + panels_;
      for (int64_t i = slot * items_ / slots_; i < (slot + 1) * items_ / slots_; ++i)
        run_item(i, work);
    }
  };
  if (slots_ == 1)
    body(0, 1);
  else
    parallel(*device_, slots_, 1, kParallelNs, body);
}

template class TapConv<float>;
#if CPU_CONV_F64
template class TapConv<double>;
#endif

}  // namespace tenon::cpu::CPU_ISA
