// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011)
// and Tenon's numbering of its outputs.
#pragma once
#include <array>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);
// Word i of the draw that begins at the state.
uint32_t random_word(const RandomState& state, uint64_t i);
// Uniform number i of [0, 1): 24 bits of one word, or 53 of two.
double random_unit(const RandomState& state, uint64_t i, bool two_words);

}  // namespace tenon::conformance
