// Ops along axes: reductions, argmax, cumsum, sort.
#include <algorithm>
#include <numeric>

#include "../kernels.hpp"

namespace mydevice_backend {
namespace {

using namespace tenon::sdk;

struct ArgMax {  // the first of equals; NaN is the greatest
  static Plan<int64_t> prepare(const Signature& s) {
    if (!can_combine(Combine::max, s.input(0).dtype)) return s.decline(kNoMeaning);
    return attr_axis(s, TN_ARGMAX_AXIS, s.input(0).rank);
  }
  static void run(int64_t axis, const Queue&, const Args& args) {
    const AxisSplit at = split_at(dims(args[0]), axis);
    if (at.size == 0 && args[1].count > 0) {
      fail(TN_INVALID_ARGUMENT, "an axis of size 0 has no greatest element");
    }
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Real<W>) {
        const auto x = load<W>(args[0]);
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

struct CumSum {
  struct Data {
    int64_t axis = 0;
    bool exclusive = false, reverse = false;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!has_dtype<Computable>(s.input(0).dtype)) return s.decline(kNoMeaning);
    return Data{attr_axis(s, TN_CUMSUM_AXIS, s.input(0).rank), attr_bool(s, TN_CUMSUM_EXCLUSIVE),
                attr_bool(s, TN_CUMSUM_REVERSE)};
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    const AxisSplit at = split_at(dims(args[0]), plan.axis);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      auto x = load<W>(args[0]);
      for_each_line(at, [&](int64_t first) {
        W sum{};
        for (int64_t k = 0; k < at.size; ++k) {
          W& here = x.data()[first + (plan.reverse ? at.size - 1 - k : k) * at.inner];
          const W before = sum;
          sum = sum_of(sum, here);
          here = plan.exclusive ? before : sum;
        }
      });
      store(x, args[1]);
    });
  }
};

struct Sort {  // stable; NaN counts as greatest. Values move with their keys.
  struct Data {
    int64_t axis = 0;
    bool descending = false;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!can_combine(Combine::max, s.input(0).dtype)) return s.decline(kNoMeaning);
    if (!is_movable(s.input(1).dtype)) return s.decline(kPacked);
    return Data{attr_axis(s, TN_SORT_AXIS, s.input(0).rank), attr_bool(s, TN_SORT_DESCENDING)};
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    const AxisSplit at = split_at(dims(args[0]), plan.axis);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Real<W>) {
        const auto keys = load<W>(args[0]);
        Dense<int64_t> from(keys.size()), order(static_cast<size_t>(at.size));
        for_each_line(at, [&](int64_t first) {
          std::iota(order.begin(), order.end(), 0);
          std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
            const W a = keys.data()[first + i * at.inner], b = keys.data()[first + j * at.inner];
            const auto less = [](W p, W q) { return is_nan(q) ? !is_nan(p) : p < q; };
            return plan.descending ? less(b, a) : less(a, b);
          });
          for (int64_t k = 0; int64_t source : order) {
            from.data()[first + k++ * at.inner] = first + source * at.inner;
          }
        });
        store_bytes(select_bytes(load_bytes(args[0]), from, element_bytes(args[0])), args[2]);
        store_bytes(select_bytes(load_bytes(args[1]), from, element_bytes(args[1])), args[3]);
      }
    });
  }
};

constexpr tn_kernel kList[] = {
    reduction<0>("sum", []<class W>(W a, W b) { return sum_of(a, b); }),
    reduction<1>("prod", []<class W>(W a, W b) { return product_of(a, b); }),
    reduction<kNone>("max", []<Real W>(W a, W b) { return greater_of(a, b); }),
    reduction<kNone>("min", []<Real W>(W a, W b) { return lesser_of(a, b); }),
    host_kernel<ArgMax>("argmax"),
    host_kernel<CumSum>("cumsum", TN_KERNEL_INPLACE),
    host_kernel<Sort>("sort"),
};

}  // namespace

std::span<const tn_kernel> reduce_kernels() { return kList; }

}  // namespace mydevice_backend
