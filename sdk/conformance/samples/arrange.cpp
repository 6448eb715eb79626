// Elements repeated, moved around, mirrored, and numbers in a row.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "moved.hpp"

namespace tenon::conformance {
namespace {

const Fill kAny = uniform(-9, 9);

OpSamples& add_move(Catalogue& c, tn_op op, const char* name, const Oracle& oracle) {
  return c.add(op, name).on(kAll).gives(oracle, kSameBits).gradient(Grad::yes);
}
Case refused(Case k, tn_code code = TN_INVALID_ARGUMENT) {
  return std::move(k).refused(code).only({TN_DTYPE_F32});
}

std::vector<Array> tile(const Call& call) {
  Array x = call.in(0);
  Dims repeats = call.attrs.list(TN_TILE_REPEATS);
  const size_t n = std::max(repeats.size(), x.rank());
  repeats.insert(repeats.begin(), n - repeats.size(), 1);
  x.dims.insert(x.dims.begin(), n - x.rank(), 1);
  Dims dims(n);
  for (size_t k = 0; k < n; ++k) dims[k] = x.dims[k] * repeats[k];
  return {moved(x, dims, [&](Dims index) {
    for (size_t k = 0; k < n; ++k) index[k] %= x.dims[k];
    return index;
  })};
}

std::vector<Array> roll(const Call& call) {
  const Array& x = call.in(0);
  const Dims shifts = call.attrs.list(TN_ROLL_SHIFTS), axes = call.attrs.list(TN_ROLL_AXES);
  return {moved(x, x.dims, [&](Dims index) {
    for (size_t k = 0; k < axes.size(); ++k) {
      const size_t axis = axis_of(axes[k], x.rank());
      const int64_t n = x.dims[axis];
      index[axis] = ((index[axis] - shifts[k] % n) % n + n) % n;
    }
    return index;
  })};
}

Oracle padded(bool reflect) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array& x = call.in(0);
    const Dims low = call.attrs.list(TN_PAD_EDGE_LOW), high = call.attrs.list(TN_PAD_EDGE_HIGH);
    Dims dims = x.dims;
    for (size_t k = 0; k < x.rank(); ++k) dims[k] += low[k] + high[k];
    return {moved(x, dims, [&](Dims index) {
      for (size_t k = 0; k < x.rank(); ++k) {
        const int64_t n = x.dims[k];
        int64_t i = index[k] - low[k];
        if (i < 0) i = reflect ? -i : 0;
        if (i >= n) i = reflect ? 2 * (n - 1) - i : n - 1;
        index[k] = i;
      }
      return index;
    })};
  };
}

std::vector<Array> depth_to_space(const Call& call) {
  const Array& x = call.in(0);
  const int64_t s = call.attrs.integer(TN_DEPTH_TO_SPACE_BLOCK, 0), depth = x.dims[1] / (s * s);
  const bool crd = call.attrs.text(TN_DEPTH_TO_SPACE_MODE, "DCR") == "CRD";
  return {moved(x, {x.dims[0], depth, x.dims[2] * s, x.dims[3] * s}, [&](const Dims& index) {
    const int64_t row = index[2] % s, column = index[3] % s, in_block = row * s + column;
    const int64_t channel = crd ? index[1] * s * s + in_block : in_block * depth + index[1];
    return Dims{index[0], channel, index[2] / s, index[3] / s};
  })};
}
std::vector<Array> space_to_depth(const Call& call) {
  const Array& x = call.in(0);
  const int64_t s = call.attrs.integer(TN_SPACE_TO_DEPTH_BLOCK, 0), depth = x.dims[1];
  return {
      moved(x, {x.dims[0], depth * s * s, x.dims[2] / s, x.dims[3] / s}, [&](const Dims& index) {
        const int64_t in_block = index[1] / depth;
        return Dims{index[0], index[1] % depth, index[2] * s + in_block / s,
                    index[3] * s + in_block % s};
      })};
}

std::vector<Array> meshgrid(const Call& call) {
  const size_t n = call.inputs.size();
  std::vector<size_t> axis(n);
  std::iota(axis.begin(), axis.end(), 0);
  if (n > 1 && call.attrs.text(TN_MESHGRID_INDEXING, "xy") == "xy") std::swap(axis[0], axis[1]);
  Dims dims(n);
  for (size_t k = 0; k < n; ++k) dims[axis[k]] = call.in(k).count();
  std::vector<Array> out;
  for (size_t k = 0; k < n; ++k)
    out.push_back(moved(call.in(k), dims, [&](const Dims& index) { return Dims{index[axis[k]]}; }));
  return out;
}

std::vector<Array> arange(const Call& call) {
  const double start = call.attrs.number(TN_ARANGE_START, 0),
               stop = call.attrs.number(TN_ARANGE_STOP, 0),
               step = call.attrs.number(TN_ARANGE_STEP, 1);
  int64_t n = 0;
  while (step > 0 ? start + static_cast<double>(n) * step < stop
                  : start + static_cast<double>(n) * step > stop)
    ++n;
  Array y(call.attrs.type(TN_ARANGE_DTYPE, TN_DTYPE_F32), {n});
  for (int64_t k = 0; k < n; ++k) {
    const double way = static_cast<double>(k) * step;
    if (y.floating()) {
      y.f[static_cast<size_t>(k)] = start + way;
      y.scale.push_back(std::fabs(start) + std::fabs(way));
    } else {
      y.set(k, static_cast<int64_t>(start + way));
    }
  }
  return {y};
}

void add_repeating(Catalogue& c) {
  const auto times = [](Dims repeats) {
    return std::vector<Attr>{list(TN_TILE_REPEATS, std::move(repeats))};
  };
  add_move(c, TN_OP_TILE, "tile", tile)
      .add({"rows", {in({2, 3}, kAny)}, times({2, 1})})
      .add({"columns", {in({2, 3}, kAny)}, times({1, 3})})
      .add({"both", {in({2, 3}, kAny)}, times({3, 2})})
      .add({"inside", {in({2, 3, 2}, kAny)}, times({1, 2, 1})})
      .add({"fewer", {in({2, 3, 2}, kAny)}, times({2})})
      .add({"more", {in({3}, kAny)}, times({2, 1, 2})})
      .add({"new_axes", {in({3}, kAny)}, times({1, 1, 1})})
      .add({"once", {in({2, 3}, kAny)}, times({1, 1})})
      .add({"no_repeats", {in({2, 3}, kAny)}, times({})})
      .add({"rank0", {in({}, kAny)}, times({3})})
      .add({"rank0_once", {in({}, kAny)}, times({})})
      .add({"rank8", {in({2, 1, 2, 1, 2, 1, 1, 2}, kAny)}, times({1, 2, 1, 2, 1, 1, 2, 2})})
      .add({"never", {in({2, 3}, kAny)}, times({0, 2})})
      .add({"empty", {in({0, 3}, kAny)}, times({2, 2})})
      .add(Case{"large", {in({70, 31}, kAny)}, times({7, 9})}.large())
      .add(refused({"negative", {in({2, 3}, kAny)}, times({2, -1})}))
      .add(refused({"too_many", {in({3}, kAny)}, times(Dims(9, 1))}, TN_OUT_OF_RANGE));

  const auto by = [](Dims shifts, Dims axes) {
    return std::vector<Attr>{list(TN_ROLL_SHIFTS, std::move(shifts)),
                             list(TN_ROLL_AXES, std::move(axes))};
  };
  add_move(c, TN_OP_ROLL, "roll", roll)
      .add({"forward", {in({5}, kAny)}, by({2}, {0})})
      .add({"back", {in({2, 5}, kAny)}, by({-1}, {1})})
      .add({"around", {in({2, 5}, kAny)}, by({13}, {-1})})
      .add({"far_back", {in({2, 5}, kAny)}, by({INT64_MIN}, {-1})})
      .add({"both", {in({3, 4}, kAny)}, by({1, 2}, {1, 0})})
      .add({"inside", {in({2, 4, 3}, kAny)}, by({1}, {1})})
      .add({"whole", {in({2, 5}, kAny)}, by({5}, {1})})
      .add({"none", {in({2, 3}, kAny)}, by({}, {})})
      .add({"empty", {in({0, 3}, kAny)}, by({1, 1}, {0, 1})})
      .add({"one", {in({1, 1}, kAny)}, by({1}, {0})})
      .add(Case{"large", {in({200, 151}, kAny)}, by({7, -3}, {0, 1})}.large())
      .add(refused({"other_length", {in({2, 3}, kAny)}, by({1}, {0, 1})}))
      .add(refused({"twice", {in({2, 3}, kAny)}, by({1, 1}, {0, -2})}));
}

void add_padding(Catalogue& c) {
  static_assert(TN_PAD_EDGE_LOW == TN_PAD_REFLECT_LOW && TN_PAD_EDGE_HIGH == TN_PAD_REFLECT_HIGH);
  const auto amounts = [](Dims low, Dims high) {
    return std::vector<Attr>{list(TN_PAD_EDGE_LOW, std::move(low)),
                             list(TN_PAD_EDGE_HIGH, std::move(high))};
  };
  for (const bool reflect : {false, true}) {
    OpSamples& s = reflect ? add_move(c, TN_OP_PAD_REFLECT, "pad_reflect", padded(true))
                           : add_move(c, TN_OP_PAD_EDGE, "pad_edge", padded(false));
    s.add({"before", {in({4}, kAny)}, amounts({2}, {0})});
    s.add({"behind", {in({4}, kAny)}, amounts({0}, {3})});
    s.add({"matrix", {in({3, 4}, kAny)}, amounts({2, 1}, {1, 3})});
    s.add({"inside", {in({2, 4, 3}, kAny)}, amounts({0, 3, 0}, {0, 2, 0})});
    s.add({"nothing", {in({2, 3}, kAny)}, amounts({0, 0}, {0, 0})});
    s.add({"rank0", {in({}, kAny)}, amounts({}, {})});
    s.add({"empty", {in({0, 3}, kAny)}, amounts({0, 2}, {0, 1})});
    s.add(Case{"large", {in({3, 90, 110}, kAny)}, amounts({0, 5, 2}, {0, 3, 7})}.large());
    s.add(refused({"negative", {in({2, 3}, kAny)}, amounts({-1, 0}, {0, 0})}));
    s.add(refused({"of_nothing", {in({0, 3}, kAny)}, amounts({1, 0}, {0, 0})}));
    s.add(refused({"other_length", {in({2, 3}, kAny)}, amounts({1}, {0})}));
    if (reflect)
      s.add(refused({"too_far", {in({2, 3}, kAny)}, amounts({0, 3}, {0, 0})}));
    else
      s.add({"one", {in({1, 2}, kAny)}, amounts({2, 5}, {3, 0})});
  }
}

void add_blocks(Catalogue& c) {
  OpSamples& space = add_move(c, TN_OP_DEPTH_TO_SPACE, "depth_to_space", depth_to_space);
  for (const char* mode : {"DCR", "CRD"}) {
    const auto blocks = [&](int64_t block) {
      return std::vector<Attr>{integer(TN_DEPTH_TO_SPACE_BLOCK, block),
                               text(TN_DEPTH_TO_SPACE_MODE, mode)};
    };
    const std::string name = mode;
    space.add({name, {in({2, 8, 2, 3}, kAny)}, blocks(2)});
    space.add({name + "_3", {in({1, 18, 2, 1}, kAny)}, blocks(3)});
    space.add({name + "_whole", {in({2, 3, 2, 2}, kAny)}, blocks(1)});
    space.add({name + "_empty", {in({0, 4, 2, 3}, kAny)}, blocks(2)});
    space.add(Case{name + "_large", {in({2, 12, 40, 37}, kAny)}, blocks(2)}.large());
  }
  space.add({"default", {in({1, 8, 2, 2}, kAny)}, {integer(TN_DEPTH_TO_SPACE_BLOCK, 2)}});
  space.add(
      refused({"no_channels", {in({1, 6, 2, 2}, kAny)}, {integer(TN_DEPTH_TO_SPACE_BLOCK, 2)}}));
  space.add(refused({"rank3", {in({4, 2, 2}, kAny)}, {integer(TN_DEPTH_TO_SPACE_BLOCK, 2)}}));
  space.add(refused({"no_block", {in({1, 4, 2, 2}, kAny)}, {integer(TN_DEPTH_TO_SPACE_BLOCK, 0)}}));
  space.add(refused({"unknown_mode",
                     {in({1, 4, 2, 2}, kAny)},
                     {integer(TN_DEPTH_TO_SPACE_BLOCK, 2), text(TN_DEPTH_TO_SPACE_MODE, "DRC")}}));

  const auto blocks = [](int64_t block) {
    return std::vector<Attr>{integer(TN_SPACE_TO_DEPTH_BLOCK, block)};
  };
  add_move(c, TN_OP_SPACE_TO_DEPTH, "space_to_depth", space_to_depth)
      .add({"two", {in({2, 3, 4, 6}, kAny)}, blocks(2)})
      .add({"three", {in({1, 2, 3, 6}, kAny)}, blocks(3)})
      .add({"whole", {in({2, 3, 2, 2}, kAny)}, blocks(1)})
      .add({"empty", {in({0, 2, 4, 2}, kAny)}, blocks(2)})
      .add(Case{"large", {in({2, 3, 80, 74}, kAny)}, blocks(2)}.large())
      .add(refused({"odd", {in({1, 2, 3, 4}, kAny)}, blocks(2)}))
      .add(refused({"negative", {in({1, 2, 2, 2}, kAny)}, blocks(-2)}));
}

void add_grids(Catalogue& c) {
  OpSamples& grid = add_move(c, TN_OP_MESHGRID, "meshgrid", meshgrid);
  const auto indexed = [](const char* how) {
    return std::vector<Attr>{text(TN_MESHGRID_INDEXING, how)};
  };
  for (const std::string how : {"xy", "ij"}) {
    grid.add({how, {in({3}, kAny), in({2}, kAny)}, indexed(how.c_str())});
    grid.add({how + "_one", {in({3}, kAny)}, indexed(how.c_str())});
    grid.add({how + "_three", {in({3}, kAny), in({2}, kAny), in({4}, kAny)}, indexed(how.c_str())});
    grid.add({how + "_empty", {in({3}, kAny), in({0}, kAny)}, indexed(how.c_str())});
  }
  grid.add({"default", {in({3}, kAny), in({2}, kAny)}});
  grid.add(refused({"unknown", {in({3}, kAny), in({2}, kAny)}, indexed("yx")}));
  grid.add(refused({"matrix", {in({3}, kAny), in({2, 2}, kAny)}}));

  OpSamples& range = c.add(TN_OP_ARANGE, "arange");
  range.gives(arange, Tolerance{4, false, false});
  const auto from = [](double start, double stop, double step, tn_dtype dtype) {
    return std::vector<Attr>{number(TN_ARANGE_START, start), number(TN_ARANGE_STOP, stop),
                             number(TN_ARANGE_STEP, step), type(TN_ARANGE_DTYPE, dtype)};
  };
  for (const tn_dtype dtype : kNumbers) range.add({name_of(dtype), {}, from(3, 17, 4, dtype)});
  for (const tn_dtype dtype : kFloats)
    range.add({"fractions_" + name_of(dtype), {}, from(-0.75, 2.1, 0.25, dtype)});
  range.add({"default", {}, {number(TN_ARANGE_START, 1), number(TN_ARANGE_STOP, 5)}});
  range.add({"down", {}, from(5, -4, -2, TN_DTYPE_I32)});
  range.add({"up_to_stop", {}, from(0, 1, 0.25, TN_DTYPE_F32)});
  range.add({"wrong_way", {}, from(5, 7, -1, TN_DTYPE_F32)});
  range.add({"empty", {}, from(5, 5, 1, TN_DTYPE_I64)});
  range.add({"wraps", {}, from(250, 260, 1, TN_DTYPE_U8)});
  range.add({"far", {}, from(0x1p52, 0x1p52 + 5, 1, TN_DTYPE_I64)});
  range.add({"long", {}, from(-1, 1, 0x1p-15, TN_DTYPE_F32)});
  const auto wrong = [&](const char* name, std::vector<Attr> attrs,
                         tn_code code = TN_INVALID_ARGUMENT) {
    range.add(Case{name, {}, std::move(attrs)}.refused(code));
  };
  wrong("no_step", from(0, 1, 0, TN_DTYPE_F32));
  wrong("infinite", from(0, HUGE_VAL, 1, TN_DTYPE_F32));
  wrong("fractions_of_integers", from(0.5, 3, 1, TN_DTYPE_I32));
  wrong("too_long", from(0, 1e300, 1, TN_DTYPE_F32), TN_OUT_OF_RANGE);
  wrong("truths", from(0, 3, 1, TN_DTYPE_BOOL));
}

}  // namespace

void add_arrange(Catalogue& c) {
  add_repeating(c);
  add_padding(c);
  add_blocks(c);
  add_grids(c);
}

}  // namespace tenon::conformance
