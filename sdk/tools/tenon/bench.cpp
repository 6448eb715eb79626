// tenon bench [ID...]: our side of ./tools/bench alone, on this machine; results in its format.
#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <set>
#include <thread>

#include "ceilings.hpp"
#include "commands.hpp"
#include "explain.hpp"
#include "table.hpp"
#include "tenon/conformance/nearest.hpp"

// main of bench/tenon/worker.c.
extern "C" int tenon_bench_main();

namespace tenon::cli {
namespace {

struct BenchCase {
  const char *row, *row_what, *unit, *id, *what;
  bool judged, averaged;
  double work;
  const char* bound;
};
constexpr BenchCase kCases[] = {
#include "bench_cases.inc"
};

// What is measured where nothing is named: what takes no longer than a minute.
constexpr const char* kUsual[] = {"D1", "D2", "D4", "D5", "D6", "E1", "E3", "T1"};

// The worker, a child that answers one line for one line (bench/common/serve.h).
class Worker {
 public:
  Worker(const std::string& device, unsigned threads) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
      throw std::runtime_error(std::strerror(errno));
    std::fflush(nullptr);
    child_ = fork();
    if (child_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (child_ == 0) {
      dup2(to[0], 0);
      dup2(from[1], 1);
      for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
      if (!device.empty()) setenv("TENON_DEVICE", device.c_str(), 1);
      setenv("BENCH_THREADS", std::to_string(threads).c_str(), 1);
      const int status = tenon_bench_main();
      std::fflush(stdout);
      _exit(status);
    }
    close(to[0]);
    close(from[1]);
    to_ = fdopen(to[1], "w");
    from_ = fdopen(from[0], "r");
  }
  ~Worker() {
    std::fclose(to_);
    std::fclose(from_);
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Worker(const Worker&) = delete;

  // What follows the first word of the answer. Throws what the worker says is wrong.
  std::string ask(const std::string& line) {
    std::fprintf(to_, "%s\n", line.c_str());
    std::fflush(to_);
    char text[4096];
    while (std::fgets(text, sizeof text, from_)) {
      std::string answer = text;
      if (!answer.starts_with("> ")) continue;
      answer = answer.substr(2, answer.find('\n') - 2);
      const size_t blank = answer.find(' ');
      const std::string rest = blank == answer.npos ? "" : answer.substr(blank + 1);
      if (answer.starts_with("error ")) throw std::runtime_error(rest);
      return rest;
    }
    throw std::runtime_error("what measures ended at \"" + line + "\"");
  }
  double run(const std::string& id, int64_t count) {
    return std::stod(ask("run " + id + " " + std::to_string(count)));
  }

 private:
  pid_t child_ = -1;
  std::FILE *to_ = nullptr, *from_ = nullptr;
};

// Throws what the library says where there is no such device. It is asked in a child: here there may be no runtime.
void check_device(std::string device) {
  const char* usual = std::getenv("TENON_DEVICE");
  if (device.empty()) device = usual && *usual ? usual : "cpu";
  int from[2];
  if (pipe2(from, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    std::string why;
    try {
      const Runtime runtime;
      static_cast<void>(runtime.device(device));
    } catch (const std::exception& e) {
      why = e.what();
    }
    _exit(write(from[1], why.data(), why.size()) < 0);
  }
  close(from[1]);
  std::string said;
  char text[512];
  for (ssize_t n; (n = read(from[0], text, sizeof text)) > 0;)
    said.append(text, static_cast<size_t>(n));
  close(from[0]);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!said.empty()) throw std::runtime_error(said);
}

struct Rounds {
  int rounds, warmups;
  double sample_ns;
};

double unit_ns(const std::string& unit) { return unit == "ns" ? 1 : unit == "us" ? 1e3 : 1e6; }

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

// A case as ./tools/bench writes it, without a peer.
Json measure(Worker& worker, const BenchCase& c, const Rounds& how, const Json& top) {
  Json result = {{"id", c.id},
                 {"what", c.what},
                 {"ours", nullptr},
                 {"unit", c.unit},
                 {"peer", nullptr},
                 {"theirs", nullptr},
                 {"ratio", nullptr},
                 {"spread", nullptr},
                 {"ceiling", nullptr},
                 {"goal", ""},
                 {"own", ""},
                 {"met", nullptr},  // there is no goal without a peer
                 {"judged", c.judged},
                 {"averaged", c.averaged},
                 {"undecided", false},
                 {"floor", ""},
                 {"peers", Json::array()},
                 {"notes", Json::array()}};
  const std::string id = c.id;
  std::vector<double> samples;
  try {
    worker.ask("prepare " + id);
    int64_t count = 1;
    double took = 0;
    while ((took = worker.run(id, count) * static_cast<double>(count)) < how.sample_ns / 3) {
      const double wanted = static_cast<double>(count) * how.sample_ns / took;
      count = std::max(count * 2, std::min(count * 100, static_cast<int64_t>(wanted)));
    }
    count = std::max<int64_t>(1, std::llround(static_cast<double>(count) * how.sample_ns / took));
    for (int i = 0; i < how.warmups + how.rounds; ++i)
      if (const double ns = worker.run(id, count); i >= how.warmups) samples.push_back(ns);
  } catch (const std::runtime_error& e) {
    result["notes"].push_back(e.what());
    return result;
  }
  std::sort(samples.begin(), samples.end());
  const double ns = quantile(samples, 0.5);
  result["ours"] = ns / unit_ns(c.unit);
  result["spread_ours"] = (quantile(samples, 0.75) - quantile(samples, 0.25)) / ns;
  if (c.work > 0 && top.contains(c.bound))
    result["ceiling"] = c.work / ns / top[c.bound].get<double>();
  return result;
}

double mean_of(const std::vector<Json>& cases, const char* key) {
  double sum = 0;
  for (const Json& c : cases) sum += c[key].is_null() ? NAN : std::log(c[key].get<double>());
  return std::exp(sum / static_cast<double>(cases.size()));
}

// The row of its cases: the one that is averaged, or the geometric mean of those that are.
Json row_of(const BenchCase& first, const std::vector<Json>& cases) {
  std::vector<Json> averaged;
  for (const Json& c : cases)
    if (c["averaged"]) averaged.push_back(c);
  Json row = averaged[0];
  for (const char* key : {"ours", "ceiling"})
    if (averaged.size() > 1) {
      const double mean = mean_of(averaged, key);
      row[key] = std::isnan(mean) ? Json() : Json(mean);
    }
  row["id"] = first.row;
  row["what"] = cases.size() > 1 ? std::string(first.row_what)
                                 : std::string(first.row_what) + ": " + first.what;
  row.erase("judged");
  row.erase("averaged");
  row["every"] = row["met"];
  if (cases.size() > 1) row["cases"] = cases;
  return row;
}

std::string line_of(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) {
      const size_t at = line.find_first_of(":=");
      std::string value = at == line.npos ? "" : line.substr(at + 1);
      value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
      return value.substr(std::min(value.find_first_not_of(' '), value.size()));
    }
  return "";
}

Json machine(const BenchArgs& args, unsigned threads, const Rounds& how, const Json& top) {
  utsname name{};
  uname(&name);
  double load[1] = {0};
  if (getloadavg(load, 1) != 1) load[0] = 0;
  char date[40];
  const std::time_t t = std::time(nullptr);
  std::tm utc{};
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S+00:00", gmtime_r(&t, &utc));
  const uint32_t v = tn_version();
  const double kb = std::atof(line_of("/proc/meminfo", "MemTotal").c_str());
  return {{"date", date},
          {"cpu", line_of("/proc/cpuinfo", "model name")},
          {"cores", std::thread::hardware_concurrency()},
          {"threads", threads},
          {"memory_gb", std::round(kb * 1024 / 1e8) / 10},
          {"os", line_of("/etc/os-release", "PRETTY_NAME")},
          {"kernel", name.release},
          {"compiler", __VERSION__},
          {"revision", "tenon " + std::to_string(v >> 22) + "." +
                           std::to_string((v >> 12) & 0x3ff) + "." + std::to_string(v & 0xfff)},
          {"load_before", load[0]},
          {"quick", args.quick},
          {"rounds", how.rounds},
          {"warmups", how.warmups},
          {"ceilings", top}};
}

std::vector<std::string> chosen(const BenchArgs& args) {
  std::vector<std::string> known;
  for (const BenchCase& c : kCases)
    if (known.empty() || known.back() != c.row) known.push_back(c.row);
  if (args.ids.empty()) return {std::begin(kUsual), std::end(kUsual)};
  for (const std::string& id : args.ids)
    if (std::find(known.begin(), known.end(), id) == known.end() && id != "all") {
      std::string all;
      for (const std::string& k : known) all += " " + k;
      throw Usage("no row '" + id + "'" + conformance::nearest(id, known) + "; there are" + all +
                  ", and all");
    }
  return args.ids[0] == "all" ? known : args.ids;
}

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  return text;
}
std::string percent(const Json& value) {
  return value.is_null() ? "" : figure(100 * value.get<double>()) + "%";
}

void add_line(Table& table, const std::string& id, const Json& r, const BenchCase* c) {
  const bool known = !r["ours"].is_null();
  std::string rate;
  if (known && c && c->work > 0) {
    const double per_ns = c->work / (r["ours"].get<double>() * unit_ns(c->unit));
    rate = figure(per_ns) + (std::string_view(c->bound).ends_with("gflops") ? " GFLOP/s" : " GB/s");
  }
  table.add({{id, Style::bold},
             {r["what"].get<std::string>()},
             {known ? figure(r["ours"].get<double>()) + " " + r["unit"].get<std::string>() : ""},
             {c && known ? percent(r["spread_ours"]) : ""},
             {rate},
             {percent(r["ceiling"])}});
}

}  // namespace

int bench(const BenchArgs& given, bool json) {
  BenchArgs args = given;
  if (args.json == "-") args.json.clear(), json = true;
  const std::vector<std::string> ids = chosen(args);
  check_device(args.device);
  std::ofstream file(args.json);
  if (!args.json.empty() && !file) throw Usage("cannot write " + args.json);
  const unsigned threads = args.threads > 0 ? static_cast<unsigned>(args.threads)
                                            : std::max(1u, std::thread::hardware_concurrency());
  const Rounds how = args.quick ? Rounds{3, 1, 10e6} : Rounds{15, 5, 60e6};
  const Json top = measure_ceilings(threads).all;
  const Json about = machine(args, threads, how, top);
  Worker worker(args.device, threads);
  Json rows = Json::array();
  Table table({"id", "workload", "time", "+-", "rate", "ceiling"});
  bool all = true;
  for (const std::string& id : ids) {
    std::vector<Json> cases;
    std::vector<const BenchCase*> which;
    for (const BenchCase& c : kCases)
      if (c.row == id) {
        cases.push_back(measure(worker, c, how, top));
        which.push_back(&c);
        all = all && !cases.back()["ours"].is_null();
        for (const Json& note : cases.back()["notes"])
          std::fprintf(stderr, "tenon bench: %s: %s\n", c.id,
                       printable(note.get<std::string>()).c_str());
      }
    rows.push_back(row_of(*which[0], cases));
    add_line(table, id, rows.back(), cases.size() == 1 ? which[0] : nullptr);
    for (size_t k = 0; cases.size() > 1 && k < cases.size(); ++k)
      add_line(table, "", cases[k], which[k]);
  }
  const Json out = {{"machine", about}, {"rows", rows}};
  if (!args.json.empty() && !(file << out.dump(1) << "\n").flush())
    throw std::runtime_error(args.json + " could not be written");
  if (json) {
    std::puts(out.dump(1).c_str());
  } else {
    std::printf("%s, %s; %u threads: %s GFLOP/s (f32, %s), %s GB/s\n%s",
                worker.ask("about").c_str(), about["cpu"].get<std::string>().c_str(), threads,
                figure(top["fma_gflops"]).c_str(), top["isa"].get<std::string>().c_str(),
                figure(top["stream_gbs"]).c_str(), table.text().c_str());
    if (args.quick) std::puts("quick: the figures mean little");
  }
  return all ? 0 : 1;
}

}  // namespace tenon::cli
