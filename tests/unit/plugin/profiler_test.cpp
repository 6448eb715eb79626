#include "profile/profiler.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "../../plugin/plugin_fixture.hpp"
#include "base/error.hpp"

using tenon::Profiler;
using tenon::ProfileScope;

namespace {
nlohmann::json read(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}
tn_code code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const tenon::Error& e) {
    return e.code();
  }
  return TN_OK;
}
}  // namespace

TEST_CASE("profiler: writes what it was given") {
  const tenon_test::PluginFolder folder;
  Profiler p;
  CHECK(!p.active());
  p.add("early", "op", 0, 0);  // not active: nothing happens
  p.start(0);
  CHECK(p.active());
  const uint64_t t = Profiler::now();
  p.add("mat\"mul", "op", t, 1234567, {{"dims", "[2, 3]"}, {"bytes", -24}});
  { const ProfileScope scope(p, "copy", "copy"); }
  CHECK(p.event_count() == 2);
  p.stop(folder.path("trace.json"));
  CHECK(!p.active());
  const auto json = read(folder.path("trace.json"));
  CHECK(json["otherData"]["dropped"] == 0);
  const auto& events = json["traceEvents"];
  REQUIRE(events.size() == 3);
  CHECK(events[0]["ph"] == "M");
  CHECK(events[0]["tid"] == events[1]["tid"]);
  CHECK(events[1]["ph"] == "X");
  CHECK(events[1]["name"] == "mat\"mul");
  CHECK(events[1]["cat"] == "op");
  CHECK(events[1]["dur"].get<double>() == doctest::Approx(1234.567));
  CHECK(events[1]["ts"].get<double>() >= 0);
  CHECK(events[1]["args"]["dims"] == "[2, 3]");
  CHECK(events[1]["args"]["bytes"] == -24);
  CHECK(events[2]["name"] == "copy");
  CHECK(events[2]["args"].empty());
}

TEST_CASE("profiler: keeps so many and counts the rest") {
  const tenon_test::PluginFolder folder;
  Profiler p;
  p.start(10);
  for (int i = 0; i < 25; ++i) p.add("e", "op", Profiler::now(), 1);
  CHECK(p.event_count() == 10);
  CHECK(p.dropped() == 15);
  p.stop(folder.path("t.json"));
  CHECK(read(folder.path("t.json"))["otherData"]["dropped"] == 15);
  p.start(0);  // the next recording begins empty
  CHECK(p.event_count() == 0);
  CHECK(p.dropped() == 0);
}

TEST_CASE("profiler: start and stop at the wrong time") {
  const tenon_test::PluginFolder folder;
  Profiler p;
  CHECK(code_of([&] { p.stop(folder.path("t.json")); }) == TN_FAILED_PRECONDITION);
  p.start(0);
  CHECK(code_of([&] { p.start(0); }) == TN_FAILED_PRECONDITION);
  CHECK(code_of([&] { p.stop(folder.path("no/such/folder.json")); }) == TN_IO);
  CHECK(p.active());  // nothing is lost: another place will do
  p.stop(folder.path("t.json"));
  CHECK(!p.active());
}

TEST_CASE("profiler: threads") {
  const tenon_test::PluginFolder folder;
  Profiler p;
  p.start(0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5000; ++k) const ProfileScope scope(p, k % 2 ? "odd" : "even", "op");
    });
  }
  for (std::thread& t : threads) t.join();
  p.stop(folder.path("t.json"));
  std::set<int64_t> ids;
  size_t count = 0;
  const auto json = read(folder.path("t.json"));
  for (const auto& e : json["traceEvents"]) {
    if (e["ph"] != "X") continue;
    ids.insert(e["tid"].get<int64_t>());
    ++count;
  }
  CHECK(count == 20000);
  CHECK(!ids.empty());
}
