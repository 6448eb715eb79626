// What a graph becomes before it is recorded for a device whose tensors are values.
#pragma once
#include "pass.hpp"

namespace tenon {

// scalars: whether each input is a host scalar. Those come in the dtype that the rules ask for, where all ask for one: the number is
// converted, not the value.
void fit_scalars(Graph& graph, const std::vector<bool>& scalars);
// Results that are scalars or constants become values.
void own_results(tn_runtime* rt, Graph& graph, const std::vector<bool>& scalars);

}  // namespace tenon
