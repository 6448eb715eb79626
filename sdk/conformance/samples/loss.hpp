// What the samples of losses share.
#pragma once
#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {

// By the attribute reduction, the first of each loss.
Array reduced(const Call& call, Array each);

// Cases with two inputs of equal dims, in the three reductions.
void pair_cases(OpSamples& s, const Fill& x, const Fill& target,
                tn_dtype target_dtype = TN_DTYPE_NONE);

std::vector<Attr> by(const char* reduction);

}  // namespace tenon::conformance
