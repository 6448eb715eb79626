// tenon profile PROGRAM [ARGUMENT...]
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>
#include <utility>

#include "ceilings.hpp"
#include "commands.hpp"
#include "explain.hpp"
#include "table.hpp"

namespace tenon::cli {
namespace {

namespace fs = std::filesystem;

// A folder for what the hook writes, gone afterwards.
struct Scratch {
  Scratch() {
    std::string name = (fs::temp_directory_path() / "tenon_profile_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no folder in " + name);
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  fs::path path;
};

// Beside the folder of this program: in lib of a build tree, where libraries go once installed.
fs::path hook_library() {
  const fs::path prefix = fs::canonical("/proc/self/exe").parent_path().parent_path();
  for (const char* folder : {"lib", TENON_LIBRARY_FOLDER})
    if (fs::path file = prefix / folder / "tenon/libtenon_profile.so"; fs::exists(file))
      return file;
  throw std::runtime_error("libtenon_profile.so is not there below " + prefix.string() +
                           "; it is installed with this command");
}

// A name without a slash is looked for in PATH alone.
std::string here(const std::string& program) {
  const bool is_path = program.find('/') != std::string::npos;
  std::error_code ignored;
  if (is_path || !fs::is_regular_file(program, ignored)) return "";
  return "; write ./" + program + " for the one in this folder";
}

// Runs the program to its end with the hook before libtenon. Its exit status; 128 and more: the signal that ended it.
int run_program(const std::vector<std::string>& command, const fs::path& folder, bool quiet) {
  const std::string hook = hook_library().string();
  const char* others = std::getenv("LD_PRELOAD");
  const std::string preload = others ? hook + ":" + others : hook;
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int failed[2];
  if (pipe2(failed, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    setenv("LD_PRELOAD", preload.c_str(), 1);
    setenv("TENON_PROFILE_FOLDER", folder.c_str(), 1);
    if (quiet) dup2(2, 1);  // stdout is for the report alone
    execvp(argv[0], argv.data());
    const int why = errno;
    if (write(failed[1], &why, sizeof why) < 0) _exit(126);
    _exit(127);
  }
  close(failed[1]);
  int why = 0, status = 0;
  const bool started = read(failed[0], &why, sizeof why) <= 0;
  close(failed[0]);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!started)
    throw Usage(command[0] + " cannot be run: " + std::strerror(why) + here(command[0]));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Row {
  uint64_t calls = 0;
  double ns = 0, bytes = 0, flop = 0;
  bool counted = false;
};

using Names = std::pair<std::string, std::string>;

struct Profile {
  std::map<std::string, Row> ops;  // that the program called
  std::map<Names, Row> steps;      // of captured programs: program and kernel
  std::map<Names, Row> events;     // kind and name, of the trace
  Json memory = Json::array(), traces = Json::array();
  double ns = 0;
  uint64_t dropped = 0, runtimes = 0;
};

Json read_json(const fs::path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

// What the steps of captured programs move and compute, by counting, and the time that the trace has for them: of kernels that ran
// on the thread of the program and within its time.
void add_steps(Profile& p, const Json& trace, const Json& programs) {
  std::map<Names, Row> counted;
  for (const Json& program : programs) {
    const auto runs = program["runs"].get<uint64_t>();
    for (const Json& step : program["cost"]["steps"]) {
      Row& row = counted[{program["cost"]["program"], step["kernel"]}];
      row.calls += runs;
      row.bytes += static_cast<double>(runs) * step["bytes"].get<double>();
      if (step["flop"].is_null()) continue;
      row.counted = true;
      row.flop += static_cast<double>(runs) * step["flop"].get<double>();
    }
  }
  struct Span {
    double begin, end;
    std::string name;
  };
  std::map<int64_t, std::vector<Span>> spans;  // by thread
  const auto span_of = [](const Json& e) {
    const auto at = e["ts"].get<double>();
    return Span{at, at + e["dur"].get<double>(), e["name"]};
  };
  for (const Json& e : trace)
    if (e["ph"] == "X" && e["cat"] == "program") spans[e["tid"]].push_back(span_of(e));
  for (auto& [thread, list] : spans)
    std::sort(list.begin(), list.end(),
              [](const Span& a, const Span& b) { return a.begin < b.begin; });
  for (const Json& e : trace) {
    if (e["ph"] != "X" || e["cat"] != "kernel") continue;
    const std::vector<Span>& list = spans[e["tid"]];
    const Span kernel = span_of(e);
    auto of = std::upper_bound(list.begin(), list.end(), kernel.begin,
                               [](double at, const Span& s) { return at < s.begin; });
    if (of == list.begin() || (--of)->end < kernel.end) continue;
    if (const auto step = counted.find({of->name, kernel.name}); step != counted.end())
      step->second.ns += 1e3 * (kernel.end - kernel.begin);
  }
  for (const auto& [names, row] : counted) {
    Row& sum = p.steps[names];
    sum.calls += row.calls;
    sum.ns += row.ns;
    sum.bytes += row.bytes;
    sum.flop += row.flop;
    sum.counted = sum.counted || row.counted;
  }
}

Profile read_all(const fs::path& folder) {
  Profile p;
  for (const fs::directory_entry& e : fs::directory_iterator(folder)) {
    if (e.path().extension() != ".trace") continue;
    Json trace = read_json(e.path());
    const Json calls = read_json(fs::path(e.path()).replace_extension(".calls"));
    ++p.runtimes;
    p.dropped += trace["otherData"]["dropped"].get<uint64_t>();
    add_steps(p, trace["traceEvents"], calls["programs"]);
    for (Json& event : trace["traceEvents"]) {
      if (event["ph"] == "X" && event["cat"] != "op") {
        Row& row = p.events[{event["cat"], event["name"]}];
        ++row.calls;
        row.ns += 1e3 * event["dur"].get<double>();
      }
      p.traces.push_back(std::move(event));
    }
    for (const Json& op : calls["ops"]) {
      Row& row = p.ops[op["op"]];
      row.calls += op["calls"].get<uint64_t>();
      row.ns += op["ns"].get<double>();
      row.bytes += op["bytes"].get<double>();
      row.counted = row.counted || !op["flop"].is_null();
      if (!op["flop"].is_null()) row.flop += op["flop"].get<double>();
    }
    p.ns = std::max(p.ns, calls["ns"].get<double>());
    if (calls["memory"].size() > p.memory.size()) p.memory = calls["memory"];
  }
  return p;
}

// What share of the machine's most an op reaches: of its multiply-adds where these are known, else of the rate of memory.
double of_ceiling(const Row& r, const Ceilings& top) {
  if (r.ns <= 0) return 0;
  return r.counted ? r.flop / r.ns / top.fma_gflops : r.bytes / r.ns / top.stream_gbs;
}

std::string text_of(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text,
                value < 10    ? "%.2f%s"
                : value < 100 ? "%.1f%s"
                              : "%.0f%s",
                value, unit);
  return text;
}
std::string time_text(double ns) {
  return ns < 1e4   ? text_of(ns, " ns")
         : ns < 1e7 ? text_of(ns / 1e3, " us")
                    : text_of(ns / 1e6, " ms");
}

template <class Key>
std::vector<std::pair<Key, Row>> by_time(const std::map<Key, Row>& rows) {
  std::vector<std::pair<Key, Row>> list(rows.begin(), rows.end());
  std::stable_sort(list.begin(), list.end(),
                   [](const auto& a, const auto& b) { return a.second.ns > b.second.ns; });
  return list;
}

// Bytes in use over time, as the greatest of each piece of the run.
std::vector<uint64_t> timeline(const Profile& p, size_t pieces) {
  std::vector<uint64_t> most(pieces);
  for (const Json& s : p.memory) {
    const double at = s[0].get<double>() / std::max(p.ns, 1.0) * static_cast<double>(pieces);
    uint64_t& piece = most[std::min(static_cast<size_t>(at), pieces - 1)];
    piece = std::max(piece, s[1].get<uint64_t>());
  }
  for (size_t i = 1; i < pieces; ++i)  // where nothing was called, nothing changed
    if (most[i] == 0) most[i] = most[i - 1];
  return most;
}

void print_memory(const Profile& p) {
  if (p.memory.empty()) return;
  constexpr size_t kLines = 6;
  const size_t width = std::min<size_t>(terminal_width(), 100) - 14;
  const std::vector<uint64_t> most = timeline(p, width);
  const uint64_t peak = std::max<uint64_t>(*std::max_element(most.begin(), most.end()), 1);
  std::printf("\nmemory in use\n");
  for (size_t line = kLines; line > 0; --line) {
    std::string marks;
    for (const uint64_t bytes : most) marks += bytes * kLines > peak * (line - 1) ? '#' : ' ';
    std::printf("%11s |%s\n", line == kLines ? bytes_text(peak).c_str() : "", marks.c_str());
  }
  std::printf("%11s +%s\n%11s  0%*s\n", "0", std::string(width, '-').c_str(), "",
              static_cast<int>(width) - 1, time_text(p.ns).c_str());
}

void print(const Profile& p, const Ceilings& top) {
  const auto share = [&](const Row& r) { return text_of(100 * r.ns / std::max(p.ns, 1.0), "%"); };
  const auto with = [&](Cell name, const Row& r) {
    return std::vector<Cell>{std::move(name),
                             {std::to_string(r.calls)},
                             {time_text(r.ns)},
                             {share(r)},
                             {bytes_text(static_cast<uint64_t>(r.bytes))},
                             {r.ns > 0 ? text_of(r.bytes / r.ns, "") : ""},
                             {r.ns > 0 && r.counted ? text_of(r.flop / r.ns, "") : ""},
                             {r.ns > 0 ? text_of(100 * of_ceiling(r, top), "%") : ""}};
  };
  auto blank = [first = true]() mutable { return std::exchange(first, false) ? "" : "\n"; };
  Table ops({"op", "calls", "time", "share", "bytes", "GB/s", "GFLOP/s", "ceiling"});
  for (const auto& [name, r] : by_time(p.ops)) ops.add(with({printable(name), Style::bold}, r));
  if (!p.ops.empty()) std::printf("%sops that the program called\n%s", blank(), ops.text().c_str());
  std::map<std::string, std::map<std::string, Row>> programs;
  for (const auto& [names, r] : p.steps) programs[names.first][names.second] = r;
  for (const auto& [program, rows] : programs) {
    Table steps({"kernel", "calls", "time", "share", "bytes", "GB/s", "GFLOP/s", "ceiling"});
    for (const auto& [kernel, r] : by_time(rows))
      steps.add(with({printable(kernel), Style::bold}, r));
    std::printf("%ssteps of the captured program \"%s\"\n%s", blank(), printable(program).c_str(),
                steps.text().c_str());
  }
  Table events({"what", "name", "calls", "time", "share", "each"});
  for (const auto& [key, r] : by_time(p.events))
    events.add({{printable(key.first)},
                {printable(key.second), Style::bold},
                {std::to_string(r.calls)},
                {time_text(r.ns)},
                {share(r)},
                {time_text(r.ns / static_cast<double>(r.calls))}});
  if (!p.events.empty())
    std::printf("%skernels and more, of gradients and programs too\n%s", blank(),
                events.text().c_str());
  print_memory(p);
  std::printf(
      "\nshare: of the run; ceiling: of multiply-adds in f32 where GFLOP/s is given,\n"
      "else of the rate of memory; above 100%% by tiles, or from a cache\n");
  std::printf("run: %s; the machine: %s GFLOP/s (f32, %s), %s GB/s\n", time_text(p.ns).c_str(),
              text_of(top.fma_gflops, "").c_str(), top.isa.c_str(),
              text_of(top.stream_gbs, "").c_str());
  if (p.dropped)
    std::printf("%llu events found no room\n", static_cast<unsigned long long>(p.dropped));
}

Json to_json(const Profile& p, const Ceilings& top, int status) {
  Json ops = Json::array(), steps = Json::array(), events = Json::array();
  for (const auto& [name, r] : by_time(p.ops))
    ops.push_back({{"op", name},
                   {"calls", r.calls},
                   {"ns", r.ns},
                   {"bytes", r.bytes},
                   {"flop", r.counted ? Json(r.flop) : Json()},
                   {"ceiling", of_ceiling(r, top)}});
  for (const auto& [names, r] : by_time(p.steps))
    steps.push_back({{"program", names.first},
                     {"kernel", names.second},
                     {"calls", r.calls},
                     {"ns", r.ns},
                     {"bytes", r.bytes},
                     {"flop", r.counted ? Json(r.flop) : Json()},
                     {"ceiling", of_ceiling(r, top)}});
  for (const auto& [key, r] : by_time(p.events))
    events.push_back({{"what", key.first}, {"name", key.second}, {"calls", r.calls}, {"ns", r.ns}});
  return {{"ns", p.ns},         {"status", status},     {"runtimes", p.runtimes},
          {"ops", ops},         {"steps", steps},       {"events", events},
          {"memory", p.memory}, {"dropped", p.dropped}, {"ceilings", top.all}};
}

}  // namespace

int profile(const ProfileArgs& args, bool json) {
  if (args.command.empty()) throw Usage("PROGRAM is missing; try tenon profile --help");
  std::ofstream trace(args.trace);  // before the program runs for nothing
  if (!args.trace.empty() && !trace) throw Usage("cannot write " + args.trace);
  const Scratch scratch;
  const int status = run_program(args.command, scratch.path, json);
  const Profile p = read_all(scratch.path);
  if (p.runtimes == 0)
    throw std::runtime_error(args.command[0] + " ended with " + std::to_string(status) +
                             " and made no runtime that could be watched: it has to be linked to "
                             "libtenon.so, and to end by exit or by returning from main");
  if (!args.trace.empty()) {
    trace << Json{{"displayTimeUnit", "ns"}, {"traceEvents", p.traces}}.dump() << "\n";
    if (!trace.flush()) throw Usage("cannot write " + args.trace);
  }
  const Ceilings top = measure_ceilings(std::max(1u, std::thread::hardware_concurrency()));
  if (json)
    std::puts(to_json(p, top, status).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  else
    print(p, top);
  if (!args.trace.empty())
    std::fprintf(json ? stderr : stdout, "trace: %zu events, written to %s\n", p.traces.size(),
                 printable(args.trace).c_str());
  if (status)
    std::fprintf(stderr, "tenon profile: %s ended with %d\n", args.command[0].c_str(), status);
  return status ? 1 : 0;
}

}  // namespace tenon::cli
