// Stable sort of keys, with values that follow.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

std::vector<Array> sort(const Call& call) {
  const Array &keys = call.in(0), &moved = call.in(1);
  const size_t axis = axis_of(call.attrs.integer(TN_SORT_AXIS, -1), keys.rank());
  const bool descending = call.attrs.flag(TN_SORT_DESCENDING);
  Array sorted_keys(keys.dtype, keys.dims), sorted_values(moved.dtype, moved.dims);
  const Dims strides = strides_of(keys.dims);
  Dims lines = keys.dims;
  const int64_t n = lines[axis];
  lines[axis] = n == 0 ? 0 : 1;
  for_each(lines, [&](const Dims& index) {
    const int64_t start = offset_of(index, strides);
    const auto at = [&](int64_t k) { return start + k * strides[axis]; };
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      const double x = keys.real(at(a)), y = keys.real(at(b));
      // NaN counts as greatest.
      const bool less = std::isnan(y) ? !std::isnan(x) : x < y;
      const bool greater = std::isnan(x) ? !std::isnan(y) : x > y;
      return descending ? greater : less;
    });
    for (int64_t k = 0; k < n; ++k) {
      sorted_keys.copy_from(at(k), keys, at(order[static_cast<size_t>(k)]));
      sorted_values.copy_from(at(k), moved, at(order[static_cast<size_t>(k)]));
    }
  });
  return {sorted_keys, sorted_values};
}

}  // namespace

void add_sort(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_SORT, "sort");
  s.on(kNumbers).gives(sort, kExact).gradient(Grad::yes);
  const Fill keys = distinct(-60, 60), order = uniform(0, 100);
  const auto how = [](int64_t axis, bool descending) {
    return std::vector<Attr>{integer(TN_SORT_AXIS, axis), flag(TN_SORT_DESCENDING, descending)};
  };
  const auto add = [&](const std::string& name, const Dims& dims, std::vector<Attr> attrs) {
    s.add(Case{name, {in(dims, keys), in(dims, order)}, std::move(attrs)}.ties());
  };
  add("rows", {3, 6}, {});
  add("descending", {3, 6}, how(-1, true));
  add("columns", {6, 3}, how(0, false));
  add("inside", {2, 5, 2}, how(1, true));
  add("one", {4, 1}, {});
  add("empty", {2, 0}, {});
  for (const bool descending : {false, true}) {
    s.add(Case{descending ? "stable_descending" : "stable",
               {in({12}, values({2, 1, 2, 0, 1, 1, 2, 0, 3, 3, 0, 1})),
                in({12}, values({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), TN_DTYPE_I64)},
               how(0, descending)}
              .no_grad());
    s.add(Case{descending ? "special_descending" : "special",
               {in({6}, values({1, HUGE_VAL, std::nan(""), -HUGE_VAL, 2, std::nan("")})),
                in({6}, values({0, 1, 2, 3, 4, 5}), TN_DTYPE_I32)},
               how(0, descending)}
              .no_grad()
              .only(kFloats));
  }
  s.add(Case{"large", {in({3, 5003}, keys), in({3, 5003}, order)}}.large());
  s.add(Case{"other_dims", {in({3, 2}, keys), in({2, 3}, keys)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

}  // namespace tenon::conformance
