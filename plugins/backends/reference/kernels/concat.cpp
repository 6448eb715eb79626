// concat(xs...) -> y: the xs one after the other along `axis`. All have one dtype and, but for that axis, the same dims.
#include <algorithm>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Concat {
  struct Data {
    int64_t axis = 0;
    int inputs = 0;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!is_movable(s.output().dtype)) return s.decline("elements smaller than a byte");
    return Data{sdk::attr_i64(s, TN_CONCAT_AXIS), s.input_count()};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const tn_view& y = args[plan.inputs];
    const auto element = sdk::element_bytes(y);
    const AxisSplit to = split_at(sdk::dims(y), plan.axis);
    const int64_t y_row = to.size * to.inner * element;  // bytes of one outer index
    Dense<std::byte> result(static_cast<size_t>(to.outer * y_row));
    int64_t start = 0;  // bytes into the row
    for (int k = 0; k < plan.inputs; ++k) {
      const AxisSplit from = split_at(sdk::dims(args[k]), plan.axis);
      const int64_t row = from.size * from.inner * element;
      const Dense<std::byte> x = load_bytes(args[k]);
      for (int64_t o = 0; o < to.outer; ++o) {
        std::copy_n(x.data() + o * row, row, result.data() + o * y_row + start);
      }
      start += row;
    }
    store_bytes(result, y);
  }
};

}  // namespace

REFERENCE_KERNEL(concat, Concat, 0);

}  // namespace tenon::reference
