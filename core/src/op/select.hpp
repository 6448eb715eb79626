// Chooses the kernel for a signature.
#pragma once
#include "device/device.hpp"
#include "registry.hpp"

namespace tenon {

// Why each candidate was or was not taken: for errors and `explain`.
struct Candidate {
  const tn_kernel* kernel;
  std::string verdict;  // "chosen", "declined", "not asked"
  std::string why;
};

struct Signature {
  const OpEntry* op;
  std::vector<const tn_view*> inputs, outputs;
  const Attrs* attrs;
  uint32_t modes = 0;      // TN_SIGNATURE_...
  Queue* queue = nullptr;  // for kernels whose plans are not re-entrant
};

// Whether it may ask for an input packed. What it is shown as LASTING other kernels see without the flag.
inline bool packs(const tn_kernel& k) {
  constexpr uint32_t both = TN_KERNEL_PACKS | TN_KERNEL_REENTRANT;
  return (k.flags & both) == both;
}

// A new reference to a plan, or null: nobody takes it. Inputs flagged IMMEDIATE are shown as tensors to kernels that take no
// immediates. `trail` may be null.
PlanEntry* select_kernel(tn_device& device, const Signature& s, std::vector<Candidate>* trail);

}  // namespace tenon
