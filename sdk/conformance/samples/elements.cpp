// Elements by an index of their own each, and the order of elements.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "moved.hpp"

namespace tenon::conformance {
namespace {

const Fill kAny = uniform(-9, 9);

// An index as it counts from the front. All indices here are in range, but in the cases that say so:
// a device that does not report those may read anything that is there, here the last element.
int64_t from_front(int64_t i, int64_t n) { return i < 0 ? i + n : i; }

Array take(const Array& x, const Array& indices, size_t axis) {
  Dims dims = x.dims;
  dims[axis] = 1;
  Dims other = indices.dims;
  other[axis] = 1;
  dims = broadcast_dims(dims, other);
  Dims places = dims, sources = dims;
  places[axis] = indices.dims[axis];
  sources[axis] = x.dims[axis];
  const Array at = broadcast(indices, places), from = broadcast(x, sources);
  const Dims strides = strides_of(places);
  bool outside = false;
  for (const int64_t i : at.i) outside |= i < -x.dims[axis] || i >= x.dims[axis];
  return moved(from, places, [&](Dims index) {
    const int64_t i = from_front(at.integer(offset_of(index, strides)), x.dims[axis]);
    if (outside && (i < 0 || i >= x.dims[axis]))
      for (size_t k = 0; k < index.size(); ++k) index[k] = sources[k] - 1;
    else
      index[axis] = i;
    return index;
  });
}

// The place in x that row `row` of indices and the other axes of index `rest` name.
int64_t place(const Array& x, const Array& indices, int64_t row, const Dims& rest) {
  const int64_t depth = indices.dims.back();
  Dims index;
  for (int64_t k = 0; k < depth; ++k) {
    const int64_t n = x.dims[static_cast<size_t>(k)];
    index.push_back(from_front(indices.integer(row * depth + k), n));
    if (index.back() < 0 || index.back() >= n) return x.count() - 1;
  }
  index.insert(index.end(), rest.begin(), rest.end());
  return offset_of(index, strides_of(x.dims));
}
// Calls body(place in x, place among the elements that the rows name) for each, in order.
template <class Body>
void for_each_row(const Array& x, const Array& indices, const Body& body) {
  const Dims rows(indices.dims.begin(), indices.dims.end() - 1);
  const Dims rest(x.dims.begin() + static_cast<std::ptrdiff_t>(indices.dims.back()), x.dims.end());
  int64_t at = 0;
  for (int64_t row = 0; row < count_of(rows); ++row)
    for_each(rest, [&](const Dims& index) { body(place(x, indices, row, index), at++); });
}

std::vector<Array> gather_nd(const Call& call) {
  const Array &x = call.in(0), &indices = call.in(1);
  Dims dims(indices.dims.begin(), indices.dims.end() - 1);
  dims.insert(dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(indices.dims.back()),
              x.dims.end());
  Array y(x.dtype, dims);
  for_each_row(x, indices, [&](int64_t from, int64_t to) { y.copy_from(to, x, from); });
  return {y};
}

std::vector<Array> scatter_nd(const Call& call) {
  Array y = call.in(0);
  const Array& updates = call.in(2);
  const bool adds = call.attrs.text(TN_SCATTER_ND_MODE, "set") == "add";
  std::vector<double> size(static_cast<size_t>(y.count()), 0);
  for (int64_t k = 0; k < y.count(); ++k) size[static_cast<size_t>(k)] = std::fabs(y.real(k));
  for_each_row(y, call.in(1), [&](int64_t to, int64_t from) {
    const auto at = static_cast<size_t>(to);
    if (!adds) {
      y.copy_from(to, updates, from);
    } else if (y.floating()) {
      y.f[at] += updates.real(from);
      size[at] += std::fabs(updates.real(from));
    } else {
      y.set(to, static_cast<int64_t>(static_cast<uint64_t>(y.i[at]) +
                                     static_cast<uint64_t>(updates.integer(from))));
    }
  });
  if (adds && y.floating()) {
    y.scale = size;
    y.terms = std::max<int64_t>(8, updates.count());
  }
  return {y};
}

// The indices that sort x along axis.
Array order_of(const Array& x, size_t axis, bool descending) {
  Array y(TN_DTYPE_I64, x.dims);
  const Dims strides = strides_of(x.dims);
  Dims lines = x.dims;
  lines[axis] = x.dims[axis] == 0 ? 0 : 1;
  for_each(lines, [&](const Dims& index) {
    const int64_t start = offset_of(index, strides);
    std::vector<int64_t> order(static_cast<size_t>(x.dims[axis]));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      const double p = x.real(start + a * strides[axis]), q = x.real(start + b * strides[axis]);
      // NaN counts as greatest.
      const bool less = std::isnan(q) ? !std::isnan(p) : p < q;
      const bool greater = std::isnan(p) ? !std::isnan(q) : p > q;
      return descending ? greater : less;
    });
    for (size_t k = 0; k < order.size(); ++k)
      y.set(start + static_cast<int64_t>(k) * strides[axis], order[k]);
  });
  return y;
}

std::vector<Array> argsort(const Call& call) {
  return {order_of(call.in(0), axis_of(call.attrs.integer(TN_ARGSORT_AXIS, -1), call.in(0).rank()),
                   call.attrs.flag(TN_ARGSORT_DESCENDING))};
}

std::vector<Array> topk(const Call& call) {
  const Array& x = call.in(0);
  const size_t axis = axis_of(call.attrs.integer(TN_TOPK_AXIS, -1), x.rank());
  const Array order = order_of(x, axis, call.attrs.flag(TN_TOPK_LARGEST, true));
  Dims dims = x.dims;
  dims[axis] = call.attrs.integer(TN_TOPK_K, 0);
  const Array indices = moved(order, dims, [](const Dims& index) { return index; });
  return {take(x, indices, axis), indices};
}

void add_along(Catalogue& c) {
  const auto at = [](Dims dims, int64_t n, tn_dtype dtype = TN_DTYPE_I64) {
    return in(std::move(dims), any_indices(n), dtype);
  };
  const auto along = [](int64_t axis) {
    return std::vector<Attr>{integer(TN_TAKE_ALONG_AXIS_AXIS, axis)};
  };
  OpSamples& s = c.add(TN_OP_TAKE_ALONG_AXIS, "take_along_axis");
  s.on(kAll)
      .gives(
          [](const Call& call) -> std::vector<Array> {
            const size_t axis =
                axis_of(call.attrs.integer(TN_TAKE_ALONG_AXIS_AXIS, -1), call.in(0).rank());
            return {take(call.in(0), call.in(1), axis)};
          },
          kSameBits)
      .gradient(Grad::yes);
  s.add({"last", {in({3, 5}, kAny), at({3, 4}, 5)}});
  s.add({"first", {in({5, 3}, kAny), at({2, 3}, 5)}, along(0)});
  s.add({"inside", {in({2, 4, 3}, kAny), at({2, 5, 3}, 4)}, along(1)});
  s.add({"i32", {in({3, 5}, kAny), at({3, 2}, 5, TN_DTYPE_I32)}});
  s.add({"vector", {in({5}, kAny), at({7}, 5)}, along(0)});
  s.add({"same_for_all", {in({3, 5}, kAny), at({1, 2}, 5)}});
  s.add({"one_row", {in({1, 5}, kAny), at({4, 2}, 5)}});
  s.add({"both_ways", {in({1, 5, 2}, kAny), at({3, 2, 1}, 5)}, along(1)});
  s.add({"no_indices", {in({3, 5}, kAny), at({3, 0}, 5)}});
  s.add({"no_rows", {in({0, 5}, kAny), at({0, 2}, 5)}});
  s.add(Case{"outside", {in({2, 3}, kAny), in({2, 2}, values({1, 3, 0, 2}), TN_DTYPE_I64)}}
            .out_of_range());
  s.add(Case{"far_before", {in({2, 3}, kAny), in({2, 1}, values({0, -4}), TN_DTYPE_I64)}}
            .out_of_range());
  s.add(Case{"large", {in({97, 131}, kAny), at({97, 70}, 131)}}.large());
  const auto wrong = [&](Case k, tn_code code = TN_INVALID_ARGUMENT) {
    s.add(std::move(k).refused(code).only({TN_DTYPE_F32}));
  };
  wrong({"other_rank", {in({3, 5}, kAny), at({3}, 5)}});
  wrong({"other_rows", {in({3, 5}, kAny), at({2, 5}, 5)}});
  wrong({"real_indices", {in({3, 5}, kAny), in({3, 5}, uniform(0, 1), TN_DTYPE_F32)}});
  wrong({"no_axis", {in({}, kAny), at({}, 1)}}, TN_OUT_OF_RANGE);
}

// Rows of indices, each in the range of its axis. No axis is shorter than the first: layouts that
// repeat an index put the first one everywhere.
Input rows(Dims dims, const Dims& of, tn_dtype dtype = TN_DTYPE_I64) {
  dims.push_back(static_cast<int64_t>(of.size()));
  Input x = in(
      std::move(dims),
      [of](Array& a, Rng& rng) {
        for (int64_t k = 0; k < a.count(); ++k) {
          const int64_t n = of[static_cast<size_t>(k) % of.size()];
          a.set(k, rng.below(2 * n) - n);
        }
      },
      dtype);
  x.known_last = true;
  return x;
}

void add_nd(Catalogue& c) {
  OpSamples& g = c.add(TN_OP_GATHER_ND, "gather_nd");
  g.on(kAll).gives(gather_nd, kSameBits).gradient(Grad::yes);
  g.add({"elements", {in({3, 4}, kAny), rows({5}, {3, 4})}});
  g.add({"rows", {in({3, 4}, kAny), rows({5}, {3})}});
  g.add({"slices", {in({3, 4, 2}, kAny), rows({2, 3}, {3, 4}, TN_DTYPE_I32)}});
  g.add({"vector", {in({4}, kAny), rows({2, 2}, {4})}});
  g.add({"one", {in({3, 4}, kAny), rows({}, {3, 4})}});
  g.add({"many_repeats", {in({2, 2}, kAny), rows({11}, {2, 2})}});
  g.add({"no_rows", {in({3, 4}, kAny), rows({0}, {3, 4})}});
  g.add({"empty_slices", {in({3, 0}, kAny), rows({2}, {3})}});
  const auto pairs = [](std::vector<double> list) {
    Input x = in({static_cast<int64_t>(list.size()) / 2, 2}, values(std::move(list)), TN_DTYPE_I64);
    x.known_last = true;
    return x;
  };
  g.add(Case{"outside", {in({3, 4}, kAny), pairs({0, 1, 2, 4})}}.out_of_range());
  g.add(Case{"before", {in({3, 4}, kAny), pairs({0, 1, -4, 1})}}.out_of_range());
  g.add(Case{"large", {in({30, 40, 7}, kAny), rows({900}, {30, 40})}}.large());
  const auto wrong = [](OpSamples& s, Case k) {
    s.add(std::move(k).refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  };
  wrong(g, {"too_deep", {in({3, 4}, kAny), rows({5}, {3, 4, 1})}});
  wrong(g, {"scalar", {in({3, 4}, kAny), in({}, indices(3), TN_DTYPE_I64)}});
  wrong(g, {"no_depth", {in({3, 4}, kAny), in({2, 0}, indices(3), TN_DTYPE_I64)}});

  OpSamples& s = c.add(TN_OP_SCATTER_ND, "scatter_nd");
  s.on(kNumbers).gives(scatter_nd, kSum).gradient(Grad::yes);
  for (const std::string mode : {"set", "add"}) {
    const auto add = [&](const char* title, const Input& x, const Input& i, const Input& u) {
      s.add({mode + title, {x, i, u}, {text(TN_SCATTER_ND_MODE, mode)}});
    };
    add("_elements", in({3, 4}, kAny), rows({5}, {3, 4}), in({5}, kAny));
    add("_rows", in({3, 4}, kAny), rows({2}, {3}), in({2, 4}, kAny));
    add("_slices", in({2, 3, 2}, kAny), rows({2, 2}, {2, 3}, TN_DTYPE_I32), in({2, 2, 2}, kAny));
    add("_repeats", in({2, 2}, kAny), rows({9}, {2, 2}), in({9}, kAny));
    add("_one", in({3, 4}, kAny), rows({}, {3}), in({4}, kAny));
    add("_nothing", in({3, 4}, kAny), rows({0}, {3, 4}), in({0}, kAny));
  }
  s.add({"default", {in({4}, kAny), rows({2}, {4}), in({2}, kAny)}});
  s.add(Case{"large",
             {in({30, 40, 7}, kAny), rows({300}, {30, 40}), in({300, 7}, kAny)},
             {text(TN_SCATTER_ND_MODE, "add")}}
            .large());
  wrong(s, {"unknown_mode",
            {in({4}, kAny), rows({2}, {4}), in({2}, kAny)},
            {text(TN_SCATTER_ND_MODE, "mul")}});
  wrong(s, {"other_updates", {in({4, 2}, kAny), rows({2}, {4}), in({2}, kAny)}});
}

void add_order(Catalogue& c) {
  const Fill apart = distinct(-60, 60);
  const Fill ties = values({2, 1, 2, 0, 1, 1, 2, 0, 3, 3, 0, 1});
  const Fill special = values({1, HUGE_VAL, std::nan(""), -HUGE_VAL, 2, std::nan("")});

  OpSamples& order = c.add(TN_OP_ARGSORT, "argsort");
  order.on(kNumbers).gives(argsort, kExact);
  const auto how = [](int64_t axis, bool descending) {
    return std::vector<Attr>{integer(TN_ARGSORT_AXIS, axis),
                             flag(TN_ARGSORT_DESCENDING, descending)};
  };
  order.add({"rows", {in({3, 6}, apart)}});
  order.add({"columns", {in({6, 3}, apart)}, how(0, true)});
  order.add({"inside", {in({2, 5, 2}, apart)}, how(1, false)});
  order.add({"one", {in({4, 1}, apart)}});
  order.add({"empty", {in({2, 0}, apart)}});
  for (const bool descending : {false, true}) {
    const std::string name = descending ? "_descending" : "";
    order.add({"stable" + name, {in({12}, ties)}, how(0, descending)});
    order.add(Case{"special" + name, {in({6}, special)}, how(0, descending)}.only(kFloats));
  }
  order.add(Case{"truths", {in({7}, kAny)}}.only({TN_DTYPE_BOOL}));
  order.add(Case{"large", {in({3, 5003}, apart)}}.large());
  order.add(Case{"scalar", {in({}, apart)}}.refused(TN_OUT_OF_RANGE).only({TN_DTYPE_F32}));

  OpSamples& top = c.add(TN_OP_TOPK, "topk");
  top.on(kNumbers).gives(topk, kExact).gradient(Grad::yes);
  const auto best = [](int64_t k, int64_t axis = -1, bool largest = true) {
    return std::vector<Attr>{integer(TN_TOPK_K, k), integer(TN_TOPK_AXIS, axis),
                             flag(TN_TOPK_LARGEST, largest)};
  };
  const auto add = [&](const char* name, Dims dims, std::vector<Attr> attrs) {
    top.add(Case{name, {in(std::move(dims), apart)}, std::move(attrs)}.ties());
  };
  add("default", {3, 6}, {integer(TN_TOPK_K, 2)});
  add("least", {3, 6}, best(2, -1, false));
  add("columns", {6, 3}, best(4, 0));
  add("inside", {2, 5, 2}, best(3, 1, false));
  add("all", {2, 4}, best(4));
  add("none", {2, 4}, best(0));
  add("of_nothing", {2, 0}, best(0));
  add("no_rows", {0, 4}, best(2));
  for (const bool largest : {false, true}) {
    const std::string name = largest ? "_largest" : "";
    top.add(Case{"first" + name, {in({12}, ties)}, best(5, 0, largest)}.no_grad());
    top.add(
        Case{"special" + name, {in({6}, special)}, best(5, 0, largest)}.no_grad().only(kFloats));
  }
  top.add(Case{"large", {in({3, 5003}, apart)}, best(100)}.large());
  top.add(Case{"too_many", {in({2, 4}, apart)}, best(5)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  top.add(Case{"negative", {in({2, 4}, apart)}, best(-1)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
}

}  // namespace

void add_elements(Catalogue& c) {
  add_along(c);
  add_nd(c);
  add_order(c);
}

}  // namespace tenon::conformance
