// Ops that carry each element over, as it is or in another dtype.
#include <algorithm>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

// y = x, of whatever strides: bytes are moved, so any dtype of whole bytes is fine. Elements smaller than a byte (i4, u4) only
// between dense tensors.
struct Copy {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (s.input(0).dtype != s.output().dtype) return s.decline("copy does not convert");
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &x = args[0], &y = args[1];
    if (is_movable(y.dtype)) return store_bytes(load_bytes_like(x, y), y);
    if (!sdk::is_contiguous(x) || !sdk::is_contiguous(y)) {
      sdk::fail(TN_UNIMPLEMENTED, "strided elements smaller than a byte");
    }
    const auto* from = sdk::data<const std::byte>(x);
    const auto bytes = tn_dtype_bytes(y.dtype, static_cast<uint64_t>(y.count));
    std::copy_n(from, bytes, sdk::data<std::byte>(y));
  }
};

// y = x as another dtype: see convert() in wide.hpp.
struct Cast {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    const tn_dtype from = s.input(0).dtype, to = s.output().dtype;
    if (!sdk::has_dtype<sdk::Stored>(from) || !sdk::has_dtype<sdk::Stored>(to)) {
      return s.decline(kNoMeaning);
    }
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) { store(load_like<W>(args[0], args[1]), args[1]); });
  }
};

// y has the bits of x. Both dtypes have elements of the same size.
struct Bitcast {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (!is_movable(s.input(0).dtype)) return s.decline("elements smaller than a byte");
    if (sdk::element_bytes(s.input(0)) != sdk::element_bytes(s.output())) {
      return s.decline("the dtypes differ in size");
    }
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    store_bytes(load_bytes_like(args[0], args[1]), args[1]);
  }
};

// y = condition ? a : b, element by element.
struct Where {
  static sdk::Plan<> prepare(const sdk::Signature& s) {
    if (s.input(0).dtype != TN_DTYPE_BOOL) return s.decline("the condition is not bool");
    if (s.input(1).dtype != s.output().dtype || s.input(2).dtype != s.output().dtype) {
      return s.decline("the inputs differ in dtype");
    }
    if (!is_movable(s.output().dtype)) return s.decline("elements smaller than a byte");
    return {};
  }
  static void run(const sdk::NoData&, const sdk::Queue&, const sdk::Args& args) {
    const tn_view& y = args[3];
    const auto condition = load_like<uint64_t>(args[0], y);
    const auto a = load_bytes_like(args[1], y);
    auto result = load_bytes_like(args[2], y);
    const auto size = static_cast<size_t>(sdk::element_bytes(y));
    for (size_t i = 0; i < condition.size(); ++i) {
      if (condition[i]) std::copy_n(&a[i * size], size, &result[i * size]);
    }
    store_bytes(result, y);
  }
};

}  // namespace

REFERENCE_KERNEL(copy, Copy, 0);
REFERENCE_KERNEL(cast, Cast, 0);
REFERENCE_KERNEL(bitcast, Bitcast, TN_KERNEL_INPLACE);
REFERENCE_KERNEL(where, Where, TN_KERNEL_INPLACE);

}  // namespace tenon::reference
