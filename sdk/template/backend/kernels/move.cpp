// Ops that make, convert or move elements. Those that compute nothing are the SDK's.
#include <tenon/sdk/move_kernels.hpp>

#include "../kernels.hpp"

namespace mydevice_backend {
namespace {

using namespace tenon::sdk;

struct Cast {  // and fill, whose one value goes everywhere
  static Plan<> prepare(const Signature& s) {
    return when(is_stored(s.input(0).dtype) && is_stored(s.output().dtype), kNoMeaning);
  }
  static void run(const NoData&, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      auto values = load<W>(args[0]);
      if (values.size() == 1) values.assign(static_cast<size_t>(args[1].count), values[0]);
      store(values, args[1]);
    });
  }
};

struct Iota {
  static Plan<int64_t> prepare(const Signature& s) {
    if (!has_dtype<Stored>(s.output().dtype)) return s.decline(kNoMeaning);
    return attr_axis(s, TN_IOTA_AXIS, s.output().rank);
  }
  static void run(int64_t axis, const Queue&, const Args& args) {
    const AxisSplit at = split_at(dims(args[0]), axis);
    Dense<int64_t> result(static_cast<size_t>(args[0].count));
    for (int64_t i = 0; int64_t & v : result) v = i++ / at.inner % at.size;
    store(result, args[0]);
  }
};

struct Scatter {  // x with the updates, whose dims are those of the gather, combined in order
  struct Data {
    int64_t axis = 0;
    Combine mode = Combine::set;
  };
  static Plan<Data> prepare(const Signature& s) {
    const tn_dtype dtype = s.output().dtype;
    const Data plan{attr_axis(s, TN_SCATTER_AXIS, s.input(0).rank),
                    combine_named(attr_string(s, TN_SCATTER_MODE))};
    if (!has_dtype<Integers>(s.input(1).dtype)) return s.decline("indices not integer");
    if (s.input(0).dtype != dtype || s.input(2).dtype != dtype) return s.decline(kDtypesDiffer);
    return can_combine(plan.mode, dtype) ? Plan<Data>(plan) : s.decline(kNoMeaning);
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    const AxisSplit at = split_at(dims(args[0]), plan.axis);
    const auto positions = load_positions("scatter: indices", args[1], at.size);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      auto result = load<W>(args[0]);
      const auto updates = load_like<W>(args[2], args[3]);
      const W* next = updates.data();
      for (int64_t o = 0; o < at.outer; ++o) {
        for (int64_t p : positions) {
          W* row = result.data() + (o * at.size + p) * at.inner;
          for (int64_t i = 0; i < at.inner; ++i) row[i] = combined(plan.mode, row[i], *next++);
        }
      }
      store(result, args[3]);
    });
  }
};

constexpr tn_kernel kList[] = {
    host_kernel<Copy>("copy"),
    host_kernel<Cast>("cast"),
    host_kernel<Cast>("fill"),
    host_kernel<Bitcast>("bitcast", TN_KERNEL_INPLACE),
    host_kernel<Where>("where", TN_KERNEL_INPLACE),
    host_kernel<Iota>("iota"),
    host_kernel<Pad>("pad"),
    host_kernel<Concat>("concat"),
    host_kernel<Gather>("gather"),
    host_kernel<Scatter>("scatter", TN_KERNEL_INPLACE),
    host_kernel<Philox>("philox"),
};

}  // namespace

std::span<const tn_kernel> move_kernels() { return kList; }

}  // namespace mydevice_backend
