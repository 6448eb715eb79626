#include "profile/profiler.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "base/error.hpp"
#include "base/json_text.hpp"

namespace tenon {
namespace {

std::string render(std::initializer_list<ProfileArg> args) {
  std::string text;
  for (const ProfileArg& arg : args)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", json_string(arg.key),
                        arg.is_number ? std::to_string(arg.number) : json_string(arg.text));
  return text;
}

// The format's unit is the microsecond.
std::string time_text(uint64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

}  // namespace

uint64_t Profiler::now() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

void Profiler::start(uint64_t max_events) {
  const std::lock_guard lock(mutex_);
  if (active()) fail(TN_FAILED_PRECONDITION, "profile: one is being recorded already");
  recording_ = Recording();
  recording_.limit = max_events ? max_events : kDefaultEvents;
  recording_.started = now();
  active_.store(true, std::memory_order_relaxed);
}

void Profiler::add(std::string_view name, const char* category, uint64_t start_ns,
                   uint64_t duration_ns, std::initializer_list<ProfileArg> args) noexcept {
  const std::lock_guard lock(mutex_);
  if (!active()) return;  // stopped since the caller looked
  Recording& r = recording_;
  if (r.events.size() >= r.limit) {
    ++r.dropped;
    return;
  }
  try {
    const uint64_t start = start_ns > r.started ? start_ns - r.started : 0;
    r.events.push_back(
        {start, duration_ns, category, r.name_of(name), r.this_thread(), render(args)});
  } catch (...) {  // no memory
    ++r.dropped;
  }
}

void Profiler::stop(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!active()) fail(TN_FAILED_PRECONDITION, "profile: none is being recorded");
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"),
                                                       &std::fclose);
  bool written = file != nullptr;
  if (written) {
    recording_.write(file.get());
    const bool failed = std::ferror(file.get()) != 0;
    written = std::fclose(file.release()) == 0 && !failed;
  }
  if (!written)
    fail(TN_IO, "profile: {} cannot be written: {}. The recording goes on.", path,
         std::string_view(std::strerror(errno)));
  active_.store(false, std::memory_order_relaxed);
  recording_ = Recording();
}

uint64_t Profiler::event_count() const {
  const std::lock_guard lock(mutex_);
  return recording_.events.size();
}

uint64_t Profiler::dropped() const {
  const std::lock_guard lock(mutex_);
  return recording_.dropped;
}

uint32_t Profiler::Recording::name_of(std::string_view name) {
  const auto [it, added] =
      name_index.try_emplace(std::string(name), static_cast<uint32_t>(names.size()));
  if (added) names.push_back(it->first);
  return it->second;
}

uint32_t Profiler::Recording::this_thread() {
  const auto [it, added] =
      thread_index.try_emplace(pthread_self(), static_cast<uint32_t>(threads.size()));
  if (added) {
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    threads.push_back({gettid(), name});
  }
  return it->second;
}

// The "JSON object format" of Google's Trace Event Format: complete events ("X") and names of threads ("M").
void Profiler::Recording::write(std::FILE* file) const {
  std::string text =
      "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"dropped\":" + std::to_string(dropped) +
      "},\"traceEvents\":[";
  const char* between = "\n";
  for (const Thread& t : threads) {
    text +=
        fmt::format(R"({}{{"ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":{}}}}})",
                    between, getpid(), t.id, json_string(t.name));
    between = ",\n";
  }
  for (const Event& e : events) {
    text += fmt::format(
        R"({}{{"ph":"X","name":{},"cat":{},"ts":{},"dur":{},"pid":{},"tid":{},"args":{{{}}}}})",
        between, json_string(names[e.name]), json_string(e.category), time_text(e.start),
        time_text(e.duration), getpid(), threads[e.thread].id, e.args);
    between = ",\n";
    if (text.size() > 1 << 16) {
      std::fwrite(text.data(), 1, text.size(), file);
      text.clear();
    }
  }
  text += "\n]}\n";
  std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace tenon
