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

// `asked`: the files and folders that the user named. Their plugins are opened, and are what was asked about.
int list_plugins(const Runtime& runtime, const std::vector<std::string>& asked, bool json);
int list_devices(const Runtime& runtime, bool json);
// Those of plugins too, which are opened for it; `op` not empty: only this one, with its parameters.
int list_ops(const Runtime& runtime, const std::string& op, bool json);
// A copy of the template of a kind, with its names filled in, in the new folder into/name. Refuses a name that is taken.
int create(const std::string& kind, const std::string& name, const std::string& into);
int info(const Runtime& runtime, const std::string& file, bool json);

struct ExplainArgs {
  std::string op, device, dtype = "f32", shapes;
  std::vector<std::string> attrs;  // "name=value"
};
int explain(const Runtime& runtime, const ExplainArgs& args, bool json);

struct ProfileArgs {
  std::vector<std::string> command;  // the program and its arguments
  std::string trace;                 // a file for the trace, or ""
};
// Needs no runtime: it runs a program that has one.
int profile(const ProfileArgs& args, bool json);

struct BenchArgs {
  std::vector<std::string> ids;  // rows of ./tools/bench; none: what takes a minute
  std::string device, json;
  int threads = 0;
  bool quick = false;
};
// Needs no runtime, and there may be none: it forks.
int bench(const BenchArgs& args, bool json);

struct VerifyArgs {
  std::string plugin, level, json, device, op, check, expected_fail;
  bool list = false, perf = false, brief = false, matrix = false;
  int jobs = 0;
};
// Needs no runtime, and there may be none: it forks.
int verify(const VerifyArgs& args);

}  // namespace tenon::cli
