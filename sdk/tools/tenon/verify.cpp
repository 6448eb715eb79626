// tenon verify: the conformance kit on one plugin.
#include "tenon/conformance/verify.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "commands.hpp"
#include "table.hpp"

namespace tenon::cli {
namespace {

namespace kit = tenon::conformance;

int list() {
  Table table({"check", "level", "of", "what"});
  for (const kit::CheckInfo& c : kit::list_checks())
    table.add({{c.name, Style::bold}, {kit::level_name(c.level)}, {c.applies_to}, {c.what}});
  std::fputs(table.text().c_str(), stdout);
  return 0;
}

int level_of(const std::string& text) {
  if (text.empty()) return -1;
  if (const int level = kit::level_of(text); level >= 0) return level;
  throw Usage("there is no level " + text + "; there are L0, L1, L2, L3 and L4");
}

// Throws where no report could be written, before it is made. Leaves nothing there, since there may never be one, and nothing open,
// which a plugin might write to.
void check_writable(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd >= 0) {
    close(fd);
    unlink(path.c_str());
  } else if (errno != EEXIST || access(path.c_str(), W_OK) != 0 ||
             std::filesystem::is_directory(path)) {
    throw Usage("cannot write " + path);
  }
}

// On a terminal, how far it is, and a line for each check that begins to fail.
class Progress {
 public:
  void operator()(const kit::CheckResult& r) {
    ++cases_;
    if (!terminal_) return;
    if (r.verdict == kit::Verdict::fail && failing_.insert(r.check).second)
      std::fprintf(stderr, "\r\033[K%s fails\n", printable(r.check).c_str());
    if (cases_ % 64 != 0) return;
    std::fprintf(stderr, "\r\033[K%zu cases, %s", cases_, printable(r.check).c_str());
    std::fflush(stderr);
  }
  void close() const {
    if (terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  std::set<std::string> failing_;
  size_t cases_ = 0;
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
};

}  // namespace

int verify(const VerifyArgs& args) {
  if (args.list) return list();
  if (args.plugin.empty()) throw Usage("which plugin? Give the path of its library");
  kit::VerifyOptions options;
  options.plugin = args.plugin, options.level = level_of(args.level);
  options.device = args.device, options.op = args.op, options.check = args.check;
  options.expected_fail = args.expected_fail;
  options.perf = args.perf, options.brief = args.brief, options.jobs = args.jobs;
  if (!args.json.empty()) check_writable(args.json);
  Progress progress;
  options.on_result = [&](const kit::CheckResult& r) { progress(r); };
  kit::VerifyReport report;
  try {
    report = kit::verify(options);
  } catch (const std::runtime_error& e) {
    throw Usage(e.what());
  }
  progress.close();
  if (!args.json.empty()) {
    std::ofstream json(args.json);
    kit::write_json(report, json);
    if (!json.flush()) throw std::runtime_error("cannot write " + args.json);
  }
  std::fputs(printable(kit::failures(report), true).c_str(), stdout);
  std::fputs(kit::matrix(report, args.matrix || !args.op.empty()).c_str(), stdout);
  if (args.perf) std::fputs(kit::timing(report).c_str(), stdout);
  using kit::Verdict;
  std::string of = printable(report.id.empty() ? args.plugin : report.id);
  if (!report.device.empty()) of += " on " + printable(report.device);
  if (report.partial)
    std::printf("%s: only %s%s, in %.1f s; that is no level\n", of.c_str(),
                printable(args.op.empty() ? args.check : args.op).c_str(),
                args.op.empty() && args.check.ends_with('.') ? "*" : "", report.seconds);
  else if (report.reached < 0)
    std::printf("%s: no level reached, %s was asked for, in %.1f s\n", of.c_str(),
                kit::level_name(report.asked).c_str(), report.seconds);
  else
    std::printf("%s: reached %s of %s in %.1f s\n", of.c_str(),
                kit::level_name(report.reached).c_str(), kit::level_name(report.asked).c_str(),
                report.seconds);
  std::printf("%zu passed, %zu unsupported, %zu expected to fail, %zu failed\n",
              report.count(Verdict::pass), report.count(Verdict::unsupported),
              report.count(Verdict::expected_fail), report.count(Verdict::fail));
  return report.reached >= report.asked ? 0 : 1;
}

}  // namespace tenon::cli
