// Kernels that run on a queue's thread, over translated copies of their views.
#ifndef TENON_TESTS_ADVERSARY_KERNELS_HPP_
#define TENON_TESTS_ADVERSARY_KERNELS_HPP_
#include <tenon/plugin/kernels.h>

#include <vector>

namespace tenon::adversary {

// One for each line of kernels.def. The reference backend's kernel does the arithmetic of each; around it:
//  - prepare checks what the ABI promises a kernel, and refuses what the traits say;
//  - run copies the views, which are valid only during the call, and enqueues; the plan stays alive until the command is done;
//  - the command resolves handles, checks bounds, and gives the inner kernel addresses.
std::vector<tn_kernel> all_kernels();

}  // namespace tenon::adversary
#endif
