// Runs the conformance kit on one device.
//
//   op_conformance --device NAME [--op NAME] [--level forward|grad|grad2|captured] [--json FILE] [--strict]
//                  [--verbose] [--brief] [--plugin PATH]...
//
// One line for each failing case (--verbose: for every case), then a closing line. --strict counts
// unsupported cases as failures; --brief takes fewer dtypes, layouts and repetitions.
// Exit status: 0 all passed, 1 some failed, 2 wrong arguments or no such device.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tenon/conformance/conformance.hpp"

namespace {

using namespace tenon::conformance;  // NOLINT(google-build-using-namespace): its one user

struct Arguments {
  Options options;
  std::string json;
  std::vector<std::string> plugins;
  bool strict = false, verbose = false;
};

Level level_of(const std::string& name) {
  for (const Level level : {Level::forward, Level::grad, Level::grad2, Level::captured})
    if (name == name_of(level)) return level;
  throw std::runtime_error("unknown level " + name + "; there are forward, grad, grad2, captured");
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int k = 1; k < argc; ++k) {
    const std::string word = argv[k];
    const auto value = [&]() -> std::string {
      if (++k == argc) throw std::runtime_error(word + " needs a value");
      return argv[k];
    };
    if (word == "--device")
      a.options.device = value();
    else if (word == "--op")
      a.options.op = value();
    else if (word == "--level")
      a.options.levels = {level_of(value())};
    else if (word == "--json")
      a.json = value();
    else if (word == "--plugin")
      a.plugins.push_back(value());
    else if (word == "--strict")
      a.strict = true;
    else if (word == "--brief")
      a.options.brief = true;
    else if (word == "--verbose")
      a.verbose = true;
    else
      throw std::runtime_error("unknown argument " + word);
  }
  if (a.options.device.empty()) throw std::runtime_error("--device is missing");
  return a;
}

void print(const Result& r) {
  std::string line = std::string(name_of(r.verdict)) + " " + name_of(r.level) + " " + r.op;
  for (const std::string& part : {r.sample, r.dtype, r.layout})
    if (!part.empty()) line += " " + part;
  if (!r.why.empty()) line += ": " + r.why;
  std::printf("%s\n", line.c_str());
}

tn_runtime* make_runtime(const std::vector<std::string>& plugins) {
  std::vector<tn_str> paths;
  for (const std::string& path : plugins) paths.push_back(tn_str{path.data(), path.size()});
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = paths.data();
  desc.plugin_path_count = static_cast<uint32_t>(paths.size());
  for (const std::string& path : plugins)
    if (!std::filesystem::exists(path)) throw std::runtime_error(path + ": no such plugin");
  tn_runtime* runtime = nullptr;
  if (tn_error* error = tn_runtime_create(&desc, &runtime)) {
    const std::string text = tn_error_message(error);
    tn_error_release(error);
    throw std::runtime_error(text);
  }
  return runtime;
}

int run_all(const Arguments& a, tn_runtime* runtime) {
  Options options = a.options;
  options.on_result = [&](const Result& r) {
    const bool bad = r.verdict == Verdict::fail || (a.strict && r.verdict == Verdict::unsupported);
    if (bad || a.verbose) print(r);
  };
  const Report report = run(runtime, options);
  if (!a.json.empty()) {
    std::ofstream out(a.json);
    write_json(report, options.device, out);
    if (!out.flush()) throw std::runtime_error("cannot write " + a.json);
  }
  std::printf("%s\n", summary(report, options.device).c_str());
  const bool bad =
      report.count(Verdict::fail) > 0 || (a.strict && report.count(Verdict::unsupported) > 0);
  return bad ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  tn_runtime* runtime = nullptr;
  int status = 2;
  try {
    const Arguments arguments = parse(argc, argv);
    runtime = make_runtime(arguments.plugins);
    status = run_all(arguments, runtime);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "op_conformance: %s\n", error.what());
  }
  if (runtime != nullptr) tn_runtime_release(runtime);
  return status;
}
