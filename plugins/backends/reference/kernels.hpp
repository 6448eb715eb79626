// The list of kernels: names from kernels.def, definitions in kernels/*.cpp.
#ifndef TENON_BACKENDS_REFERENCE_KERNELS_HPP_
#define TENON_BACKENDS_REFERENCE_KERNELS_HPP_
#include <tenon/sdk/backend.hpp>

#include <vector>

namespace tenon::reference {

#define KERNEL(op) extern const tn_kernel kernel_##op;
#include "kernels.def"
#undef KERNEL

// All of them, in the order of kernels.def.
std::vector<tn_kernel> all_kernels();

// Defines kernel_<op> with the struct K (see <tenon/sdk/kernels.hpp>). A plan fixes dtypes, argument count, ranks and attributes;
// dims and strides are read from the views at each run. All kernels take host scalars and are re-entrant.
#define REFERENCE_KERNEL(op, K, flags)                                    \
  constinit const tn_kernel kernel_##op =                                 \
      sdk::kernel<K>(#op, #op "_ref", TN_DEPENDS_RANK | TN_DEPENDS_ATTRS, \
                     TN_KERNEL_IMMEDIATES | TN_KERNEL_REENTRANT | (flags))

}  // namespace tenon::reference
#endif
