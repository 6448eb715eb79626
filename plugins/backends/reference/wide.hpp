// Wide numbers (tenon/sdk/wide.hpp), loaded and stored by code that is compiled once, in wide.cpp.
#ifndef TENON_BACKENDS_REFERENCE_WIDE_HPP_
#define TENON_BACKENDS_REFERENCE_WIDE_HPP_
#include <tenon/sdk/backend.hpp>
#include <tenon/sdk/host_kernels.hpp>

#define WIDE(prefix, W)                                                  \
  prefix template tenon::sdk::Dense<W> tenon::sdk::load(const tn_view&); \
  prefix template void tenon::sdk::store(const tenon::sdk::Dense<W>&, const tn_view&)
WIDE(extern, uint64_t);
WIDE(extern, int64_t);
WIDE(extern, double);
WIDE(extern, tenon::sdk::c128);

namespace tenon::reference {
using namespace sdk;  // NOLINT(google-build-using-namespace): its numbers and shapes are this backend's language
}  // namespace tenon::reference
#endif
