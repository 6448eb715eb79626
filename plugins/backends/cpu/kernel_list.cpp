// The kernel table of one instruction set, from kernels.def.
#include "cpu.hpp"

#define CPU_STRING2(x) #x
#define CPU_STRING(x) CPU_STRING2(x)

#define CPU_DECLARE(level, prepare)                                                          \
  namespace tenon::cpu::level {                                                              \
  tn_error* TN_CALL prepare_##prepare(void* device, const tn_signature* sig, tn_plan* plan); \
  }
#define CPU_KERNEL(op, prepare, depends, flags, priority) CPU_DECLARE(CPU_ISA, prepare)
#define CPU_SHARED_KERNEL(op, prepare, depends, flags, priority) \
  CPU_DECLARE(CPU_SHARED_ISA, prepare)
#define CPU_LIBRARY_KERNEL CPU_KERNEL
#include "kernels.def"
#undef CPU_LIBRARY_KERNEL
#undef CPU_SHARED_KERNEL
#undef CPU_KERNEL
#undef CPU_DECLARE

namespace tenon::cpu::CPU_ISA {

namespace {

enum : uint32_t {
  NOTHING = 0,
  RANK = TN_DEPENDS_RANK,
  LAYOUT = TN_DEPENDS_LAYOUT,
  DIMS = TN_DEPENDS_DIMS,
  ATTRS = TN_DEPENDS_ATTRS,
};
enum : uint32_t {
  NONE = 0,
  IMMEDIATES = TN_KERNEL_IMMEDIATES,
  INPLACE = TN_KERNEL_INPLACE,
  NONDETERMINISTIC = TN_KERNEL_NONDETERMINISTIC,
  REENTRANT = TN_KERNEL_REENTRANT,
  PACKS = TN_KERNEL_PACKS,
};

template <uint32_t n>
constexpr tn_str literal(const char (&text)[n]) {
  return {text, n - 1};
}

#define CPU_NAMED_KERNEL(op, name, level, prepare, depends, flags, priority)                   \
  {sizeof(tn_kernel),       (flags), literal(#op), 0, (depends), literal(name), (priority), 0, \
   level::prepare_##prepare},
#define CPU_LEVEL_KERNEL(op, level, prepare, depends, flags, priority) \
  CPU_NAMED_KERNEL(op, #op "_" CPU_STRING(level), level, prepare, depends, flags, priority)
#define CPU_KERNEL(op, prepare, depends, flags, priority) \
  CPU_LEVEL_KERNEL(op, CPU_ISA, prepare, depends, flags, priority)
#define CPU_SHARED_KERNEL(op, prepare, depends, flags, priority) \
  CPU_LEVEL_KERNEL(op, CPU_SHARED_ISA, prepare, depends, flags, priority)
#define CPU_LIBRARY_KERNEL(op, prepare, depends, flags, priority) \
  CPU_NAMED_KERNEL(op, #prepare, CPU_ISA, prepare, depends, flags, priority)
constexpr tn_kernel kKernels[] = {
#include "kernels.def"
};
#undef CPU_LIBRARY_KERNEL
#undef CPU_SHARED_KERNEL
#undef CPU_KERNEL
#undef CPU_LEVEL_KERNEL
#undef CPU_NAMED_KERNEL

}  // namespace

const tn_kernel* kernel_list(uint32_t* out_count) {
  *out_count = uint32_t(sizeof kKernels / sizeof kKernels[0]);
  return kKernels;
}

}  // namespace tenon::cpu::CPU_ISA
