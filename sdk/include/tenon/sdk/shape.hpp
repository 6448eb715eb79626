// Walking over dims: index vectors, axes, windows, and parts of tensors as views of their own.
#ifndef TENON_SDK_SHAPE_HPP_
#define TENON_SDK_SHAPE_HPP_
#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "guard.hpp"
#include "view.hpp"

namespace tenon::sdk {

inline int64_t product(std::span<const int64_t> dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

// An axis counted from the end when negative, as 0..rank-1; throws OUT_OF_RANGE.
inline int normal_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    fail(TN_OUT_OF_RANGE, "axis ", axis, " of a tensor of rank ", rank);
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

// A shape cut at one axis: element (o, k, i) of a dense array is at (o * size + k) * inner + i.
struct AxisSplit {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
};
inline AxisSplit split_at(std::span<const int64_t> dims, int64_t axis) {
  const auto at = static_cast<size_t>(normal_axis(axis, static_cast<int64_t>(dims.size())));
  return {product(dims.first(at)), dims[at], product(dims.subspan(at + 1))};
}

// Calls f(first) with the offset of the first element of each line along the axis; its elements are at.inner apart.
template <class F>
void for_each_line(const AxisSplit& at, F&& f) {
  for (int64_t o = 0; o < at.outer; ++o) {
    for (int64_t i = 0; i < at.inner; ++i) f(o * at.size * at.inner + i);
  }
}

// Calls f(index) for every index vector in row-major order.
template <class F>
void for_each_index(std::span<const int64_t> dims, F&& f) {
  if (product(dims) == 0) return;
  std::vector<int64_t> index(dims.size());
  while (true) {
    f(std::span<const int64_t>(index));
    size_t axis = dims.size();
    while (axis > 0 && ++index[axis - 1] == dims[axis - 1]) index[--axis] = 0;
    if (axis == 0) return;
  }
}

// ---- reductions ---------------------------------------------------------------------------------

// For a walk through a tensor of `dims` that stands still in the dense result along the axes that are reduced (none: all of them):
// the strides in the result.
inline std::array<int64_t, TN_MAX_RANK> reduced_strides(std::span<const int64_t> axes,
                                                        std::span<const int64_t> dims) {
  std::vector<int64_t> kept(dims.begin(), dims.end());
  std::vector<bool> reduced(dims.size(), axes.empty());
  for (int64_t axis : axes) {
    reduced[static_cast<size_t>(normal_axis(axis, static_cast<int64_t>(dims.size())))] = true;
  }
  for (size_t i = 0; i < kept.size(); ++i) {
    if (reduced[i]) kept[i] = 1;
  }
  auto strides = dense_strides(kept);
  for (size_t i = 0; i < kept.size(); ++i) {
    if (reduced[i]) strides[i] = 0;
  }
  return strides;
}

// For the leading axes of a batched matmul: how far each axis of `y` moves in the dense array of `v`; 0 where v is broadcast.
inline std::array<int64_t, TN_MAX_RANK> batch_strides(const tn_view& v, const tn_view& y) {
  const auto dense = dense_strides(dims(v));
  std::array<int64_t, TN_MAX_RANK> out{};
  for (int i = 0; i < v.rank - 2; ++i) {
    if (v.dims[i] != 1) {
      out[static_cast<size_t>(y.rank - v.rank + i)] = dense[static_cast<size_t>(i)];
    }
  }
  return out;
}

// ---- windows ------------------------------------------------------------------------------------

// Where windows lie along one axis of a convolution or a pool. Output position p, window position w: the element
// p * stride + w * dilation of the input, once that is dilated (input_dilation - 1 holes between neighbours) and padded by `low`.
// The output's size says how much padding there is at the other end.
struct WindowAxis {
  int64_t stride = 1, low = 0, dilation = 1, input_dilation = 1;

  // The index in an input of `size` elements, or -1: padding or a hole.
  int64_t source(int64_t p, int64_t w, int64_t size) const {
    const int64_t at = p * stride + w * dilation - low;
    if (at < 0 || at % input_dilation != 0 || at / input_dilation >= size) return -1;
    return at / input_dilation;
  }
  // Of the window positions 0 to before `window` at p, the first one that lies in the input, padding apart, and how many follow.
  std::pair<int64_t, int64_t> inside(int64_t p, int64_t window, int64_t size) const {
    const int64_t start = p * stride - low, last = (size - 1) * input_dilation;
    const int64_t first = start < 0 ? (dilation - 1 - start) / dilation : 0;
    const int64_t end =
        size > 0 && start <= last ? std::min(window, (last - start) / dilation + 1) : 0;
    return {first, std::max<int64_t>(end - first, 0)};
  }
};

// Calls f(output, input, w), offsets in dense arrays, for every output position and each position of its window, both in row-major
// order, whose element is no padding and no hole. A window that is mostly padding costs only what lies in the input.
template <class F>
void for_each_in_windows(std::span<const WindowAxis> axes, std::span<const int64_t> input_dims,
                         std::span<const int64_t> window, std::span<const int64_t> output_dims,
                         F&& f) {
  size_t output = 0;
  std::vector<int64_t> first(axes.size()), count(axes.size());
  for_each_index(output_dims, [&](std::span<const int64_t> p) {
    for (size_t i = 0; i < axes.size(); ++i) {
      std::tie(first[i], count[i]) = axes[i].inside(p[i], window[i], input_dims[i]);
    }
    for_each_index(count, [&](std::span<const int64_t> q) {
      int64_t input = 0, w = 0;
      for (size_t i = 0; i < axes.size(); ++i) {
        const int64_t source = axes[i].source(p[i], first[i] + q[i], input_dims[i]);
        if (source < 0) return;
        input = input * input_dims[i] + source;
        w = w * window[i] + first[i] + q[i];
      }
      f(output, static_cast<size_t>(input), static_cast<size_t>(w));
    });
    ++output;
  });
}

// ---- parts of tensors ---------------------------------------------------------------------------

// A view with dims and strides of its own, to be narrowed axis by axis. A host scalar stands still along all of them.
class Region {
 public:
  explicit Region(const tn_view& v) : base_(v) {
    std::copy_n(v.dims, v.rank, dims_.begin());
    base_.flags = v.flags & TN_VIEW_IMMEDIATE;
    if (!is_immediate(v)) std::copy_n(v.strides, v.rank, strides_.begin());
  }
  // Elements start, start + step, ... (`count` of them) along `axis`. The caller has checked that they exist.
  Region part(int axis, int64_t start, int64_t count, int64_t step = 1) const {
    Region r = *this;
    const auto i = static_cast<size_t>(axis);
    r.base_.offset += static_cast<uint64_t>(start * strides_[i] * element_bytes(base_));
    r.dims_[i] = count;
    r.strides_[i] *= step;
    r.base_.count = product({r.dims_.data(), base_.rank});
    return r;
  }
  // Valid as long as the region stands.
  tn_view view() const {
    tn_view v = base_;
    v.dims = dims_.data();
    v.strides = strides_.data();
    return v;
  }

 private:
  tn_view base_;
  std::array<int64_t, TN_MAX_RANK> dims_{}, strides_{};
};

// Calls f(y_offset, x_offset...) for each element of y, in row-major order; a host scalar among the xs stands still.
template <class F, class... Views>
void walk(F&& f, const tn_view& y, const Views&... xs) {
  constexpr std::array<int64_t, TN_MAX_RANK> still{};
  for_each(coalesce<sizeof...(xs) + 1>(
               dims(y), {y.strides, (is_immediate(xs) ? still.data() : xs.strides)...}),
           f);
}

// Moves the bytes of the elements of `from` to those of `to`, which has the same dims and element size; a host scalar goes everywhere.
// Elements smaller than a byte (i4, u4) only between dense tensors. The two do not overlap, unless they are the same.
inline void assign(const tn_view& from, const tn_view& to) {
  const auto* x = data<const unsigned char>(from);
  auto* y = data<unsigned char>(to);
  if (!is_movable(to.dtype)) {
    if (!is_contiguous(from) || !is_contiguous(to)) {
      fail(TN_UNIMPLEMENTED, "strided elements smaller than a byte");
    }
    std::memmove(y, x, tn_dtype_bytes(to.dtype, static_cast<uint64_t>(to.count)));
    return;
  }
  const int64_t size = element_bytes(to);
  walk([&](int64_t i,
           int64_t j) { std::memmove(y + i * size, x + j * size, static_cast<size_t>(size)); },
       to, from);
}
// Each element of y becomes the bytes of `element`; none: zeros.
inline void fill(const tn_view& y, std::span<const std::byte> element) {
  const auto size = static_cast<size_t>(element_bytes(y));
  auto* to = data<std::byte>(y);
  walk(
      [&](size_t i) {
        if (element.empty()) std::memset(to + i * size, 0, size);
        if (!element.empty()) std::memcpy(to + i * size, element.data(), size);
      },
      y);
}
inline void assign(const Region& from, const Region& to) { assign(from.view(), to.view()); }

}  // namespace tenon::sdk
#endif
