// sort(keys, values) -> sorted_keys, sorted_values: along `axis`, stable, ascending or descending; NaN counts as greatest. Values
// (of any dtype, with the dims of keys) move with their keys.
#include <algorithm>
#include <numeric>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Sort {
  struct Data {
    int64_t axis = 0;
    bool descending = false;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Join<sdk::Reals, sdk::Bools>>(s.input(0).dtype)) {
      return s.decline(kNoMeaning);
    }
    if (!is_movable(s.input(1).dtype)) return s.decline("elements smaller than a byte");
    return Data{sdk::attr_i64(s, TN_SORT_AXIS), sdk::attr_bool(s, TN_SORT_DESCENDING)};
  }

  // Where each element of the sorted tensor comes from.
  template <Real W>
  static std::vector<int64_t> sources(const Dense<W>& keys, const AxisSplit& at, bool descending) {
    std::vector<int64_t> from(keys.size()), order(static_cast<size_t>(at.size));
    for_each_line(at, [&](int64_t first) {
      const auto key = [&](int64_t k) { return keys[static_cast<size_t>(first + k * at.inner)]; };
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        const auto less = [](W x, W y) { return is_nan(y) ? !is_nan(x) : x < y; };
        return descending ? less(key(b), key(a)) : less(key(a), key(b));
      });
      for (int64_t k = 0; k < at.size; ++k) {
        from[static_cast<size_t>(first + k * at.inner)] =
            first + order[static_cast<size_t>(k)] * at.inner;
      }
    });
    return from;
  }

  static void permute(const tn_view& x, const std::vector<int64_t>& from, const tn_view& y) {
    store_bytes(select_bytes(load_bytes(x), from, sdk::element_bytes(x)), y);
  }

  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), plan.axis);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Real<W>) {
        const auto from = sources(load<W>(args[0]), at, plan.descending);
        permute(args[0], from, args[2]);
        permute(args[1], from, args[3]);
      }
    });
  }
};

}  // namespace

REFERENCE_KERNEL(sort, Sort, 0);

}  // namespace tenon::reference
