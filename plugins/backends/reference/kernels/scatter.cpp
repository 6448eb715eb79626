// Writing at indices along one axis. Negative indices count from the end; one outside its bounds is an error that names it.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

// scatter(x, indices, updates) -> y: x with the updates, whose dims are those of the gather, combined in order at their positions.
struct Scatter {
  struct Data {
    int64_t axis = 0;
    Combine mode = Combine::set;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Integers>(s.input(1).dtype)) return s.decline("indices not integer");
    const tn_dtype dtype = s.output().dtype;
    if (s.input(0).dtype != dtype || s.input(2).dtype != dtype) {
      return s.decline("x and updates differ in dtype");
    }
    const Combine mode = combine_named(sdk::attr_string(s, TN_SCATTER_MODE));
    if (!can_combine(mode, dtype)) return s.decline(kNoMeaning);
    return Data{sdk::attr_i64(s, TN_SCATTER_AXIS), mode};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), plan.axis);
    const Dense<int64_t> positions = load_positions("scatter: indices", args[1], at.size);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      Dense<W> result = load<W>(args[0]);
      const Dense<W> updates = load_like<W>(args[2], args[3]);
      size_t next = 0;
      for (int64_t o = 0; o < at.outer; ++o) {
        for (int64_t p : positions) {
          W* row = result.data() + (o * at.size + p) * at.inner;
          for (int64_t i = 0; i < at.inner; ++i) {
            row[i] = combined(plan.mode, row[i], updates[next++]);
          }
        }
      }
      store(result, args[3]);
    });
  }
};

}  // namespace

REFERENCE_KERNEL(scatter, Scatter, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
