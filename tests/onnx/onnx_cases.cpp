// Runs the node cases of libonnx-testdata on one device.
//
//   onnx_cases --device NAME --data FOLDER --exceptions FILE [--plugin PATH]... [--case NAME] [--verbose]
//
// One line for each case that is not as it should be (--verbose: for every case), then a summary. FILE says what is expected not
// to pass, see exceptions.hpp. Exit status: 0 as it should be, 1 not, 2 wrong arguments, 77 there is no such folder: skipped.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "case.hpp"
#include "exceptions.hpp"
#include "mapping.hpp"

namespace {

using namespace tenon::onnx;  // NOLINT(google-build-using-namespace): its one user
namespace fs = std::filesystem;

// What the project promises of these cases.
constexpr size_t kLeastOps = 120;
constexpr double kLeastShare = 0.98;

struct Arguments {
  std::string device, data, exceptions, only;
  std::vector<std::string> plugins;
  bool verbose = false;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    const auto value = [&]() -> std::string {
      if (++k == argc) throw std::runtime_error(word + " needs a value");
      return argv[k];
    };
    if (word == "--device")
      a.device = value();
    else if (word == "--data")
      a.data = value();
    else if (word == "--exceptions")
      a.exceptions = value();
    else if (word == "--plugin")
      a.plugins.push_back(value());
    else if (word == "--case")
      a.only = value();
    else if (word == "--verbose")
      a.verbose = true;
    else
      throw std::runtime_error("unknown argument " + word);
  }
  if (a.device.empty() || a.data.empty() || a.exceptions.empty())
    throw std::runtime_error("--device, --data and --exceptions are needed");
  return a;
}

tenon::Runtime make_runtime(const std::vector<std::string>& plugins) {
  std::vector<tn_str> paths;
  for (const std::string& path : plugins) paths.push_back(tenon::to_str(path));
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.flags = TN_RUNTIME_NO_SEARCH;
  desc.trust = TN_TRUST_ANY;
  desc.plugin_paths = paths.data();
  desc.plugin_path_count = static_cast<uint32_t>(paths.size());
  return tenon::Runtime(desc);
}

int run_all(const Arguments& a) {
  const fs::path data = a.data;
  if (!fs::is_directory(data)) {
    std::printf("skipped: no folder %s; Debian's package libonnx-testdata brings it\n",
                a.data.c_str());
    return 77;
  }
  Tally tally(read_exceptions(a.exceptions));
  const tenon::Runtime runtime = make_runtime(a.plugins);
  const tenon::Context cx(runtime, a.device);
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(data))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  for (const std::string& name : names) {
    if (!a.only.empty() && name != a.only) continue;
    const std::string line = tally.add(name, run_case(cx, data / name));
    if (!line.empty() && (a.verbose || line.starts_with("wrong")))
      std::printf("%s\n", line.c_str());
  }
  if (!a.only.empty()) return tally.wrong() ? 1 : 0;
  const std::string summary = tally.summary(a.device, kLeastOps, kLeastShare);
  std::printf("%s", summary.c_str());
  return tally.wrong() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_all(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "onnx_cases: %s\n", error.what());
    return 2;
  }
}
