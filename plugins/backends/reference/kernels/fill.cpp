// Ops that make a tensor from nothing. Dims and dtype are those of the output view.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

// fill(value) -> y: every element is the scalar, converted to y's dtype.
struct Fill {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Stored>(s.input(0).dtype) ||
        !sdk::has_dtype<sdk::Stored>(s.output().dtype)) {
      return s.decline(kNoMeaning);
    }
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    const tn_view& y = args[1];
    visit_wide(args[0].dtype, [&]<class W>(W) {
      store(Dense<W>(static_cast<size_t>(y.count), load<W>(args[0])[0]), y);
    });
  }
};

// iota() -> y: y[..., k, ...] = k along `axis`.
struct Iota {
  static sdk::Plan<int64_t> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Stored>(s.output().dtype)) return s.decline(kNoMeaning);
    return sdk::attr_i64(s, TN_IOTA_AXIS);
  }
  static void run(int64_t axis, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), axis);
    Dense<int64_t> result(static_cast<size_t>(args[0].count));
    for (size_t i = 0; i < result.size(); ++i) {
      result[i] = static_cast<int64_t>(i) / at.inner % at.size;
    }
    store(result, args[0]);
  }
};

}  // namespace

REFERENCE_KERNEL(fill, Fill, 0);
REFERENCE_KERNEL(iota, Iota, 0);

}  // namespace tenon::reference
