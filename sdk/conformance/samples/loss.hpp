// What the samples of losses share.
#pragma once
#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

// By the attribute reduction, the first of each loss. 'mean' divides by `count`; none: by how many
// there are.
Array reduced(const Call& call, Array each);
Array reduced(const Call& call, Array each, double count);

// Input k broadcast to the dims of input 0, 1 where it is absent.
Array weights_of(const Call& call, size_t k);

// Cases with two inputs of equal dims, in the three reductions.
void pair_cases(OpSamples& s, const Fill& x, const Fill& target,
                tn_dtype target_dtype = TN_DTYPE_NONE);

std::vector<Attr> by(const char* reduction);

// Cases of a loss of pairs with weights as input 2.
void weight_cases(OpSamples& s, const Fill& x, const Fill& target);

}  // namespace tenon::conformance
