// The subcommands. Each writes to stdout and gives the exit status: 0 success, 1 the thing asked about failed. Wrong use that
// shows only later is thrown as Usage (exit status 2); what the library refuses is thrown as tenon::Error (1).
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "tenon/tenon.hpp"

namespace tenon::cli {

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int list_plugins(const Runtime& runtime, bool json);
int list_devices(const Runtime& runtime, bool json);
// Those of plugins too, which are opened for it; `op` not empty: only this one, with its parameters.
int list_ops(const Runtime& runtime, const std::string& op, bool json);
int info(const Runtime& runtime, const std::string& file, bool json);

struct ExplainArgs {
  std::string op, device, dtype = "f32", shapes;
  std::vector<std::string> attrs;  // "name=value"
};
int explain(const Runtime& runtime, const ExplainArgs& args, bool json);

}  // namespace tenon::cli
