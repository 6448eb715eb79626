// The command `tenon`: what there is on this machine, and why things run where they do.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "commands.hpp"
#include "table.hpp"
#include "usage.hpp"

namespace {

using namespace tenon::cli;  // NOLINT(google-build-using-namespace): its one user

// What the command line asks for.
struct Request {
  bool json = false;
  std::vector<std::string> plugins;
  std::string file, op;
  std::string kind, name, into = ".";
  ExplainArgs explain;
  VerifyArgs verify;
  ProfileArgs profile;
  BenchArgs bench;
};

// Before the command or behind it; of several all count.
void add_plugin_option(CLI::App& app, Request& r) {
  app.add_option_function<std::vector<std::string>>(
         "--plugin",
         [&r](const std::vector<std::string>& paths) {
           r.plugins.insert(r.plugins.end(), paths.begin(), paths.end());
         },
         "A plugin, or a folder of them, to look at first")
      ->allow_extra_args(false)
      ->check([](const std::string& path) {
        return std::filesystem::exists(path) ? "" : path + " does not exist";
      });
}

CLI::App* add(CLI::App& app, Request& r, const char* name, const char* what, const char* example) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->add_flag("--json", r.json, "A list of objects instead of a table");
  add_plugin_option(*sub, r);
  sub->footer(std::string("Example:\n  ") + example);
  return sub;
}

CLI::App* describe_verify(CLI::App& app, VerifyArgs& v) {
  CLI::App* sub = app.add_subcommand("verify", "What can be wrong with a plugin, tried on one");
  sub->footer(
      "Exit status: 0 the level was reached, 1 it was not, 2 wrong use.\n"
      "Example:\n  tenon verify ./tenon_backend_mydev.so --level L1");
  sub->add_option("PLUGIN", v.plugin, "The library, with its manifest beside it");
  sub->add_flag("--list", v.list, "Only list the checks there are");
  sub->add_option("--level", v.level, "L0 to L4; default: what the manifest declares");
  sub->add_option("--json", v.json, "A file for the report");
  sub->add_option("--device", v.device, "Default: the first that the plugin brings");
  sub->add_option("--op", v.op, "Only the samples of this op");
  sub->add_option("--check", v.check, "Only this check, or with a dot at its end this group");
  sub->add_flag("--matrix", v.matrix,
                "A line for every op, not only for those with something to tell");
  sub->add_flag("--perf", v.perf, "Time the samples as well");
  sub->add_flag("--brief", v.brief, "Fewer dtypes, layouts and repetitions");
  sub->add_option("--expected-fail", v.expected_fail,
                  "A file of lines \"check [place]: reason\"; one that does not fail is a failure");
  sub->add_option("--jobs", v.jobs, "Processes; default: one per core, at most 4")
      ->check(CLI::Range(1, 256));
  return sub;
}

void describe_measuring(CLI::App& app, Request& r) {
  CLI::App* profile = add(app, r, "profile", "Where a program's time and memory go",
                          "tenon profile ./train --epochs 1");
  profile->add_option("--trace", r.profile.trace,
                      "A file for all events, which Perfetto and chrome://tracing show");
  profile->add_option("PROGRAM", r.profile.command,
                      "Linked to libtenon.so; its own arguments follow");
  profile->positionals_at_end()->prefix_command();
  CLI::App* bench = app.add_subcommand("bench", "How fast Tenon is on this machine");
  bench->footer("Example:\n  tenon bench D1 T1 --json result.json");
  bench->add_option("ID", r.bench.ids, "Rows, or all; default: what takes a minute");
  bench->add_option("--json", r.bench.json, "A file for the results; - writes them to stdout");
  add_plugin_option(*bench, r);
  bench->add_option("--device", r.bench.device, "Default: TENON_DEVICE, else cpu");
  bench->add_option("--threads", r.bench.threads, "Default: one per core")
      ->check(CLI::Range(1, 64));
  bench->add_flag("--quick", r.bench.quick, "Few short rounds: does everything run?");
}

void describe(CLI::App& app, Request& r) {
  app.require_subcommand(1);
  app.get_formatter()->column_width(22);
  app.set_version_flag("--version", [] {
    const uint32_t v = tn_version();
    return "tenon " + std::to_string(v >> 22) + "." + std::to_string((v >> 12) & 0x3ff) + "." +
           std::to_string(v & 0xfff);
  });
  app.add_flag("--json", r.json, "A list of objects instead of a table");
  add_plugin_option(app, r);
  app.footer(
      "Exit status: 0 success, 1 the thing asked about failed, 2 wrong use.\n"
      "Example:\n  tenon explain conv2d --device cpu --dtype f16");
  add(app, r, "plugins", "Every plugin that was found, and what became of it", "tenon plugins");
  add(app, r, "devices", "The devices that the plugins bring", "tenon devices --json");
  CLI::App* ops = add(app, r, "ops", "Every op, or all about one: its gradient, who has it",
                      "tenon ops conv2d");
  ops->add_option("OP", r.op, "Name of one op: its signature, inputs and attributes");
  CLI::App* info = add(app, r, "info", "Format, tensors and metadata of a model file",
                       "tenon info model.safetensors");
  info->add_option("FILE", r.file, "The file")->required();
  CLI::App* create = app.add_subcommand("new", "A plugin of one's own from a template");
  create->footer("Example:\n  tenon new backend mydev");
  create->add_option("KIND", r.kind, "backend, op, optimizer or format")->required();
  create->add_option("NAME", r.name, "Of the plugin and of its folder: [a-z][a-z0-9_]*")
      ->required();
  create->add_option("--into", r.into, "The folder to make it in")->capture_default_str();
  CLI::App* explain =
      add(app, r, "explain", "Which kernel runs a call, why, and why the others do not",
          "tenon explain matmul --shape 64x128,256x128 --attr transpose_b=true");
  explain->add_option("OP", r.explain.op, "Name of the op")->required();
  explain->add_option("--device", r.explain.device, "Default: TENON_DEVICE, else the best one");
  explain->add_option("--dtype", r.explain.dtype, "Of the inputs, where the op leaves a choice")
      ->capture_default_str();
  explain->add_option("--shape", r.explain.shapes,
                      "Of the inputs: 2x3,3x4; [] a scalar, - an absent one");
  explain->add_option("--attr", r.explain.attrs, "An attribute: stride=2,2; may be repeated")
      ->allow_extra_args(false);
  describe_measuring(app, r);
  add_plugin_option(*create, r);
  add_plugin_option(*describe_verify(app, r.verify), r);
}

void TN_CALL warn(void*, uint32_t, tn_str message) {
  std::fprintf(stderr, "tenon: warning: %.*s\n", static_cast<int>(message.size), message.data);
}

// For commands whose runtime is made in another process.
void hand_on(const std::vector<std::string>& plugins) {
  std::string folders;
  for (const std::string& p : plugins) folders += std::filesystem::absolute(p).string() + ":";
  const char* others = std::getenv("TENON_PLUGIN_PATH");
  if (!folders.empty()) setenv("TENON_PLUGIN_PATH", (folders + (others ? others : "")).c_str(), 1);
}

int run(const CLI::App& app, const Request& r) {
  const std::string command = app.get_subcommands().front()->get_name();
  if (command == "verify" || command == "profile" || command == "bench") hand_on(r.plugins);
  if (command == "new") return create(r.kind, r.name, r.into);
  if (command == "verify") return verify(r.verify);
  if (command == "profile") return profile(r.profile, r.json);
  if (command == "bench") return bench(r.bench, r.json);
  std::vector<tn_str> paths;
  for (const std::string& p : r.plugins) paths.push_back(tenon::to_str(p));
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = paths.data();
  desc.plugin_path_count = static_cast<uint32_t>(paths.size());
  if (command != "plugins") desc.log.function = warn;  // which says the same in its table
  const tenon::Runtime runtime(desc);
  if (command == "plugins") return list_plugins(runtime, r.plugins, r.json);
  if (command == "devices") return list_devices(runtime, r.json);
  if (command == "ops") return list_ops(runtime, r.op, r.json);
  if (command == "info") return info(runtime, r.file, r.json);
  return explain(runtime, r.explain, r.json);
}

// Tells what is wrong behind the name of the command.
void tell(const CLI::App& app, const std::exception& e) {
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
  std::fprintf(stderr, "tenon%s: %s\n", command.c_str(), printable(e.what(), true).c_str());
}
int wrong_use(const CLI::App& app, const Usage& e) {
  tell(app, e);
  return 2;
}

int run(int argc, char** argv) {
  CLI::App app("What Tenon finds on this machine, and why things run where they do.", "tenon");
  Request request;
  describe(app, request);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    return wrong_use(app, usage_of(app, e));
  }
  try {
    return run(app, request);
  } catch (const Usage& e) {
    return wrong_use(app, e);
  } catch (const std::exception& e) {
    tell(app, e);
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      throw std::runtime_error(std::string("the output could not be written: ") +
                               std::strerror(errno));
    return status;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tenon: %s\n", printable(e.what(), true).c_str());
    return 1;
  }
}
