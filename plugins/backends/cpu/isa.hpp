// What the processor can do, cut by TENON_MAX_ISA.
#ifndef TENON_CPU_ISA_HPP_
#define TENON_CPU_ISA_HPP_
#include <string>
#include <string_view>

#include "cpu.hpp"

namespace tenon::cpu {

// Sets isa, the feature flags and the cache sizes. `limit`: "" or amx, avx512, avx2, portable; amx
// is no limit. False: `limit` is none of these (nothing is cut then).
bool detect_isa(std::string_view limit, Device* device);

// The model name of the processor, "CPU" where the system does not tell.
std::string processor_name();

// Bytes of physical memory, 0 if unknown.
uint64_t physical_memory();
// Bytes that could be allocated now without swapping, 0 if unknown.
uint64_t available_memory();

}  // namespace tenon::cpu
#endif
