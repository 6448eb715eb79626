// Opening and closing: again and again, twice at once, in several threads.
#include <dirent.h>
#include <malloc.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "plugin.hpp"

namespace tenon::conformance {
namespace {

int entries_of(const char* folder) {
  int n = 0;
  DIR* d = opendir(folder);
  if (!d) return 0;
  for (const dirent* e = readdir(d); e; e = readdir(d)) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

// Open, something small on the first device, and closed again.
void live(const Profile& p, const Library& library, SimulatedHost& host) {
  OpenPlugin plugin(library, host);
  if (p.has_device()) {
    const OpenDevice device(plugin, 0);
    BareQueue queue(device);
    const BareBlock block(device, 1000);
    char bytes[100] = {};
    queue.upload(block.mem, 0, bytes, sizeof bytes);
    queue.download(bytes, block.mem, 0, sizeof bytes);
    queue.wait();
  }
  plugin.close();
}

struct Usage {
  size_t heap;
  int files, threads;
};
Usage usage() {
  const auto m = mallinfo2();
  return {m.uordblks + m.hblkhd, entries_of("/proc/self/fd"), count_threads()};
}

void check_open_close(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost host;
  constexpr int kRounds = 100, kWarm = 25;
  Usage before{};
  for (int k = 0; k < kWarm + kRounds; ++k) {
    if (k == kWarm) before = usage();
    live(p, library, host);
  }
  const Usage after = usage();
  const auto grown = static_cast<int64_t>(after.heap) - static_cast<int64_t>(before.heap);
  expect(grown < 16 * kRounds,
         std::to_string(grown) + " bytes more after " + std::to_string(kRounds) + " rounds",
         "that close frees what open made");
  expect(after.files <= before.files,
         std::to_string(after.files - before.files) + " more open files", "that close closes them");
  expect(after.threads <= before.threads,
         std::to_string(after.threads - before.threads) + " more threads",
         "that close waits for its threads");
}

void check_two(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost first_host, second_host;
  OpenPlugin first(library, first_host), second(library, second_host);
  const auto use = [&](OpenPlugin& plugin, char value) {
    if (!p.has_device()) return;
    const OpenDevice device(plugin, 0);
    BareQueue queue(device);
    const BareBlock block(device, 64);
    char in[64], out[64] = {};
    std::memset(in, value, sizeof in);
    queue.upload(block.mem, 0, in, sizeof in);
    queue.download(out, block.mem, 0, sizeof out);
    queue.wait();
    expect(std::memcmp(in, out, sizeof in) == 0, "one of two that are open reads other bytes",
           "its own");
  };
  use(first, 1);
  use(second, 2);
  first.close();
  use(second, 3);
  expect(first_host.live_blocks() == 0,
         std::to_string(first_host.live_blocks()) + " blocks of the closed one are left",
         "that open keeps all it makes in its state, not in globals");
  second.close();
}

void check_leaks(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost host;
  live(p, library, host);
  expect(host.live_blocks() == 0,
         std::to_string(host.live_blocks()) + " blocks of the host are left after close",
         "that all are given back");
  expect(host.live_errors() == 0, std::to_string(host.live_errors()) + " errors are left",
         "that each is returned or released");
  expect(host.misuse().empty(), host.misuse(), "services used as they should be");
}

void check_threads_end(const Profile& p, Reporter&) {
  const Library library(p.path);
  const int before = count_threads();
  SimulatedHost host;
  live(p, library, host);
  int after = count_threads();
  for (int ms = 0; ms < 500 && after > before; ms += 10) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    after = count_threads();
  }
  expect(after <= before, std::to_string(after - before) + " threads run on after close",
         "that close joins them");
}

void check_device_threads(const Profile& p, Reporter&) {
  const Library library(p.path);
  SimulatedHost host;
  OpenPlugin plugin(library, host);
  const OpenDevice device(plugin, 0);
  const tn_device_vtbl* v = library.device();
  std::vector<std::thread> threads;
  std::vector<std::string> wrong(4);
  for (size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      try {
        BareQueue queue(device);
        for (int k = 0; k < 150; ++k) {
          uint32_t count = 0;
          tn_device_props props{};
          props.struct_size = sizeof props;
          device.ok("count", call("count", [&] { return v->count(plugin.state, &count); }));
          device.ok("props", call("props", [&] { return v->props(plugin.state, 0, &props); }));
          const BareBlock block(device, 3000 + 100 * t);
          std::vector<char> in(block.bytes, static_cast<char>(t * 10 + 1)), out(block.bytes);
          queue.upload(block.mem, 0, in.data(), in.size());
          queue.download(out.data(), block.mem, 0, out.size());
          queue.wait();
          expect(in == out, "a block of one thread has another one's bytes", "its own");
        }
      } catch (const std::exception& e) {
        wrong[t] = e.what();
      }
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& w : wrong)
    expect(w.empty(), "four threads at once: " + w, "that slots tagged [any] may be called so");
  expect(host.misuse().empty(), host.misuse(), "services used as they should be");
}

}  // namespace

int count_threads() { return entries_of("/proc/self/task"); }

const std::vector<Check> kLifeChecks = {
    {"life.open_close", 0, Kind::all, "opened and closed 100 times without growth",
     "free in close what open made", check_open_close},
    {"life.two_at_once", 0, Kind::all, "two runtimes have it open and do not notice each other",
     "keep no globals: open runs once per runtime", check_two},
    {"life.leaks", 0, Kind::all, "no block and no error of the host is left",
     "free what tn_host.allocate gave, before close returns", check_leaks},
    {"life.threads_end", 0, Kind::all, "no thread runs on", "join threads in close",
     check_threads_end},
    {"threads.device", 0, Kind::backend, "slots tagged [any], in four threads at once",
     "guard what they share", check_device_threads},
};

}  // namespace tenon::conformance
