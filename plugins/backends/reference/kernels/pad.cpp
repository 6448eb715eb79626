// pad(x, value?) -> y: along each axis `low` elements before, `interior` between neighbours, `high` after; negative low and high
// crop. The new elements are `value`, or 0.
#include <algorithm>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Pad {
  struct Data {
    std::vector<int64_t> low, interior;
    int inputs = 0;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!is_movable(s.output().dtype)) return s.decline("elements smaller than a byte");
    const size_t rank = s.output().rank;
    return Data{sdk::attr_i64s_or(s, TN_PAD_LOW, rank, 0),
                sdk::attr_i64s_or(s, TN_PAD_INTERIOR, rank, 0), s.input_count()};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &x = args[0], &y = args[plan.inputs];
    const auto size = static_cast<size_t>(sdk::element_bytes(y));
    Dense<std::byte> value(size);  // zeros
    if (plan.inputs > 1 && !sdk::is_absent(args[1])) value = load_bytes(args[1]);
    Dense<std::byte> result(static_cast<size_t>(y.count) * size);
    for (int64_t i = 0; i < y.count; ++i) {
      std::copy_n(value.begin(), size, &result[static_cast<size_t>(i) * size]);
    }
    const Dense<std::byte> from = load_bytes(x);
    const auto y_strides = sdk::dense_strides(sdk::dims(y));
    size_t next = 0;  // in x
    for_each_index(sdk::dims(x), [&](std::span<const int64_t> index) {
      int64_t at = 0;
      bool inside = true;
      for (size_t i = 0; i < index.size(); ++i) {
        const int64_t position = plan.low[i] + index[i] * (1 + plan.interior[i]);
        inside = inside && position >= 0 && position < y.dims[i];
        at += position * y_strides[i];
      }
      if (inside) std::copy_n(&from[next * size], size, &result[static_cast<size_t>(at) * size]);
      ++next;
    });
    store_bytes(result, y);
  }
};

}  // namespace

REFERENCE_KERNEL(pad, Pad, 0);

}  // namespace tenon::reference
