// Reductions along axes.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct Sum {
  template <class W>
  W operator()(W a, W b) const {
    return sum_of(a, b);
  }
};
struct Prod {
  template <class W>
  W operator()(W a, W b) const {
    return product_of(a, b);
  }
};
struct Max {
  auto operator()(Real auto a, Real auto b) const { return greater_of(a, b); }
};
struct Min {
  auto operator()(Real auto a, Real auto b) const { return lesser_of(a, b); }
};

// argmax(x) -> y (i64): where the greatest element lies along `axis`; the first of equals, NaN is the greatest.
struct ArgMax {
  static sdk::Plan<int64_t> prepare(const sdk::Signature& s) {
    if (!sdk::takes<Max, 2>(s.input(0).dtype, true)) return s.decline(kNoMeaning);
    return sdk::attr_i64(s, TN_ARGMAX_AXIS);
  }
  static void run(int64_t axis, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), axis);
    if (at.size == 0 && args[1].count > 0) {
      sdk::fail(TN_INVALID_ARGUMENT, "an axis of size 0 has no greatest element");
    }
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Real<W>) {
        const Dense<W> x = load<W>(args[0]);
        Dense<int64_t> result;
        for_each_line(at, [&](int64_t first) {
          const W* line = x.data() + first;
          int64_t best = 0;
          for (int64_t k = 1; k < at.size; ++k) {
            if (exceeds(line[k * at.inner], line[best * at.inner])) best = k;
          }
          result.push_back(best);
        });
        store(result, args[1]);
      }
    });
  }
};

// cumsum(x) -> y: y[k] is the sum of x[0..k] along `axis`, without x[k] if exclusive, from the end if reverse.
struct CumSum {
  struct Data {
    int64_t axis = 0;
    bool exclusive = false, reverse = false;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!sdk::takes<Sum, 2>(s.input(0).dtype, true)) return s.decline(kNoMeaning);
    return Data{sdk::attr_i64(s, TN_CUMSUM_AXIS), sdk::attr_bool(s, TN_CUMSUM_EXCLUSIVE),
                sdk::attr_bool(s, TN_CUMSUM_REVERSE)};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), plan.axis);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      Dense<W> x = load<W>(args[0]);
      for_each_line(at, [&](int64_t first) {
        W* line = x.data() + first;
        W sum{};
        for (int64_t k = 0; k < at.size; ++k) {
          W& here = line[(plan.reverse ? at.size - 1 - k : k) * at.inner];
          const W before = sum;
          sum = sum_of(sum, here);
          here = plan.exclusive ? before : sum;
        }
      });
      store(x, args[1]);
    });
  }
};

using ReduceSum = sdk::Reduction<Sum, 0>;
using ReduceProd = sdk::Reduction<Prod, 1>;
using ReduceMax = sdk::Reduction<Max, sdk::kNone>;
using ReduceMin = sdk::Reduction<Min, sdk::kNone>;

}  // namespace

REFERENCE_KERNEL(sum, ReduceSum, 0);
REFERENCE_KERNEL(prod, ReduceProd, 0);
REFERENCE_KERNEL(max, ReduceMax, 0);
REFERENCE_KERNEL(min, ReduceMin, 0);
REFERENCE_KERNEL(argmax, ArgMax, 0);
REFERENCE_KERNEL(cumsum, CumSum, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
