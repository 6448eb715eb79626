// What tests of recipes trace with: the core's ops, and inputs by dtype and dims.
#pragma once
#include <initializer_list>
#include <vector>

#include "ops/ops.hpp"
#include "recipe/graph.hpp"

namespace tenon {

inline TraceInput input(tn_dtype dtype, std::initializer_list<int64_t> dims) {
  TraceInput in;
  in.shape.dtype = dtype;
  in.shape.rank = static_cast<uint8_t>(dims.size());
  int k = 0;
  for (const int64_t d : dims) in.shape.dims[k++] = d;
  return in;
}

// The nodes of a graph point into the registry, so it outlives them.
inline const OpRegistry& registry() {
  static const CoreOps core;
  static const std::vector<tn_op> ids = [] {
    std::vector<tn_op> all;
    for (size_t i = 0; i < CoreOps::kCount; ++i) all.push_back(core.id(i));
    return all;
  }();
  static const OpRegistry ops(core.defs(), ids.data());
  return ops;
}

}  // namespace tenon
