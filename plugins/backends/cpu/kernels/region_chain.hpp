// Which steps of a region are done in one pass over a block, without memory between them.
#ifndef TENON_CPU_REGION_CHAIN_HPP_
#define TENON_CPU_REGION_CHAIN_HPP_
#include "region.hpp"

namespace tenon::cpu::CPU_ISA {

// Elements that go through the links at a time.
inline constexpr int64_t kRegionSlice = 4 * kLanes<float>;

// After the places of values are known: stretches of p.steps, and the links of those that are chains.
void form_chains(RegionPlan& p);

// n elements, a multiple of kRegionSlice, of values at at[value].
void run_chain(const RegionLink* first, char* const* at, int64_t n);

}  // namespace tenon::cpu::CPU_ISA

#endif
