// Reductions along axes.
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

// Each F: whether it takes bool, what an empty reduction gives (none: an error), and how two values become one.
struct Sum {
  static constexpr bool bools = true, has_empty = true;
  template <class W>
  static W empty() {
    return W(0);
  }
  template <class W>
  W operator()(W a, W b) const {
    return sum_of(a, b);
  }
};
struct Prod {
  static constexpr bool bools = true, has_empty = true;
  template <class W>
  static W empty() {
    return W(1);
  }
  template <class W>
  W operator()(W a, W b) const {
    return product_of(a, b);
  }
};
struct Max {
  static constexpr bool bools = true, has_empty = false;
  auto operator()(Real auto a, Real auto b) const { return greater_of(a, b); }
};
struct Min {
  static constexpr bool bools = true, has_empty = false;
  auto operator()(Real auto a, Real auto b) const { return lesser_of(a, b); }
};

static_assert(TN_SUM_AXES == TN_PROD_AXES && TN_SUM_AXES == TN_MAX_AXES &&
              TN_SUM_AXES == TN_MIN_AXES);

// reduce(x) -> y over `axes`; no axes: over all. y's dtype is the op's rule's: the accumulator is converted to it.
template <class F>
struct Reduce {
  struct Data {
    std::vector<int64_t> axes;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!takes<F, 2>(s.input(0).dtype)) return s.decline(kNoMeaning);
    const auto axes = sdk::attr_i64s(s, TN_SUM_AXES);
    return Data{{axes.begin(), axes.end()}};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (std::invocable<F, W, W>) reduce<W>(plan.axes, args[0], args[1]);
    });
  }

 private:
  template <class W>
  static void reduce(const std::vector<int64_t>& axes, const tn_view& x, const tn_view& y) {
    const Dense<W> values = load<W>(x);
    Dense<W> result(static_cast<size_t>(y.count));
    if constexpr (F::has_empty) {
      result.assign(result.size(), F::template empty<W>());
    } else if (values.empty() && !result.empty()) {
      sdk::fail(TN_INVALID_ARGUMENT, "a reduction over no elements has no greatest or least one");
    }
    Dense<uint8_t> begun(result.size(), F::has_empty);
    // A walk through x that stands still in y along the axes that are summed up.
    const auto y_strides = output_strides(axes, sdk::dims(x));
    size_t next = 0;
    sdk::for_each(sdk::coalesce<1>(sdk::dims(x), {y_strides.data()}), [&](int64_t at) {
      const auto i = static_cast<size_t>(at);
      result[i] = begun[i] ? F{}(result[i], values[next]) : values[next];
      begun[i] = 1;
      ++next;
    });
    store(result, y);
  }

  static std::array<int64_t, TN_MAX_RANK> output_strides(const std::vector<int64_t>& axes,
                                                         std::span<const int64_t> dims) {
    std::vector<int64_t> kept(dims.begin(), dims.end());
    std::vector<bool> reduced(dims.size(), axes.empty());
    for (int64_t axis : axes) {
      reduced[static_cast<size_t>(normal_axis(axis, static_cast<int64_t>(dims.size())))] = true;
    }
    for (size_t i = 0; i < kept.size(); ++i) {
      if (reduced[i]) kept[i] = 1;
    }
    auto strides = sdk::dense_strides(kept);
    for (size_t i = 0; i < kept.size(); ++i) {
      if (reduced[i]) strides[i] = 0;
    }
    return strides;
  }
};

// argmax(x) -> y (i64): where the greatest element lies along `axis`; the first of equals, NaN is the greatest.
struct ArgMax {
  static sdk::Plan<int64_t> prepare(const sdk::Signature& s) {
    if (!takes<Max, 2>(s.input(0).dtype)) return s.decline(kNoMeaning);
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
        for (int64_t o = 0; o < at.outer; ++o) {
          for (int64_t i = 0; i < at.inner; ++i) {
            const W* line = x.data() + o * at.size * at.inner + i;
            int64_t best = 0;
            for (int64_t k = 1; k < at.size; ++k) {
              const W a = line[best * at.inner], b = line[k * at.inner];
              if (!is_nan(a) && (b > a || is_nan(b))) best = k;
            }
            result.push_back(best);
          }
        }
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
    if (!takes<Sum, 2>(s.input(0).dtype)) return s.decline(kNoMeaning);
    return Data{sdk::attr_i64(s, TN_CUMSUM_AXIS), sdk::attr_bool(s, TN_CUMSUM_EXCLUSIVE),
                sdk::attr_bool(s, TN_CUMSUM_REVERSE)};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), plan.axis);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      Dense<W> x = load<W>(args[0]);
      for (int64_t o = 0; o < at.outer; ++o) {
        for (int64_t i = 0; i < at.inner; ++i) {
          W* line = x.data() + o * at.size * at.inner + i;
          W sum{};
          for (int64_t k = 0; k < at.size; ++k) {
            W& here = line[(plan.reverse ? at.size - 1 - k : k) * at.inner];
            const W before = sum;
            sum = sum_of(sum, here);
            here = plan.exclusive ? before : sum;
          }
        }
      }
      store(x, args[1]);
    });
  }
};

}  // namespace

REFERENCE_KERNEL(sum, Reduce<Sum>, 0);
REFERENCE_KERNEL(prod, Reduce<Prod>, 0);
REFERENCE_KERNEL(max, Reduce<Max>, 0);
REFERENCE_KERNEL(min, Reduce<Min>, 0);
REFERENCE_KERNEL(argmax, ArgMax, 0);
REFERENCE_KERNEL(cumsum, CumSum, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
