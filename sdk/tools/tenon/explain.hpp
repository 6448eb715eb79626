// Asking the library why a call runs where it does.
#pragma once
#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace tenon::cli {

using Json = nlohmann::ordered_json;

struct Answer {
  uint32_t level = TN_SUPPORT_UNSUPPORTED;
  std::string call;  // "matmul(f32[64, 128], f32[128, 32])"
  Json detail;       // what tn_op_explain gives
};
Answer ask(const Context& cx, const ExplainArgs& args);

}  // namespace tenon::cli
