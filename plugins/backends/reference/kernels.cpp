#include "kernels.hpp"

namespace tenon::reference {

std::vector<tn_kernel> all_kernels() {
  return {
#define KERNEL(op) kernel_##op,
#include "kernels.def"
#undef KERNEL
  };
}

}  // namespace tenon::reference
