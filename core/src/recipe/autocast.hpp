// The operands of a call under autocast (tenon/context.h).
#pragma once
#include "base/small.hpp"
#include "op/context.hpp"

namespace tenon {

class Autocast {
 public:
  // Casts what the policy wants cast; the casts are recorded as any op is.
  Autocast(tn_ctx* ctx, const OpEntry& op, tn_tensor* const* inputs, uint32_t n);
  tn_tensor* const* inputs() { return inputs_.data(); }

 private:
  Small<tn_tensor*, 8> inputs_;
  std::vector<Owned> made_;
};

}  // namespace tenon
