// The code of a region, for ops that have one. Private to core/src/ops.
#pragma once
#include <vector>

#include "infer.hpp"
#include "tenon/plugin/region.h"

namespace tenon::ops {

// Reads the attribute `code`, which is that of key TN_REGION_CODE in all of them, over values of these dtypes; those of its instructions
// are put behind them.
tn_error* region_types(const Infer& c, std::vector<tn_dtype>* types, tn_region_code* out);

}  // namespace tenon::ops
