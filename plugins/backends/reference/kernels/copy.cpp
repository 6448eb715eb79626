// Ops that compute nothing, which are the SDK's, and conversion.
#include <tenon/sdk/move_kernels.hpp>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

// y = x as another dtype: see convert() in wide.hpp.
struct Cast {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    const tn_dtype from = s.input(0).dtype, to = s.output().dtype;
    if (!is_stored(from) || !is_stored(to)) return s.decline(kNoMeaning);
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) { store(load_like<W>(args[0], args[1]), args[1]); });
  }
};

}  // namespace

REFERENCE_KERNEL(copy, sdk::Copy, 0);
REFERENCE_KERNEL(cast, Cast, 0);
REFERENCE_KERNEL(bitcast, sdk::Bitcast, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(where, sdk::Where, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(pad, sdk::Pad, 0);
REFERENCE_KERNEL(concat, sdk::Concat, 0);
REFERENCE_KERNEL(gather, sdk::Gather, 0);
REFERENCE_KERNEL(checked_index, sdk::CheckedIndex, 0);
REFERENCE_KERNEL(philox, sdk::Philox, 0);

}  // namespace tenon::reference
