// Events of one runtime, written as Chrome / Perfetto trace JSON.
#pragma once
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tenon {

// A named detail of an event: a number or a text.
struct ProfileArg {
  ProfileArg(const char* k, int64_t value) : key(k), number(value), is_number(true) {}
  ProfileArg(const char* k, std::string_view value) : key(k), text(value) {}
  const char* key;
  std::string_view text;
  int64_t number = 0;
  bool is_number = false;
};

// Threads: any, at once. Nothing is kept while it is not active, which costs one relaxed load to find out:
//   if (profiler.active()) [[unlikely]] ...
class Profiler {
 public:
  static constexpr uint64_t kDefaultEvents = 1000000;

  bool active() const noexcept { return active_.load(std::memory_order_relaxed); }
  // Nanoseconds of the monotonic clock.
  static uint64_t now() noexcept;

  // Keeps at most max_events (0: kDefaultEvents) from here on. Throws FAILED_PRECONDITION if one is being recorded already.
  void start(uint64_t max_events);
  // One thing that the calling thread did. `category` is "op", "kernel", "copy", "wait" and the like, static; name and args are
  // copied. Never fails: what finds no room is counted as dropped.
  void add(std::string_view name, const char* category, uint64_t start_ns, uint64_t duration_ns,
           std::initializer_list<ProfileArg> args = {}) noexcept;
  // Ends the recording and writes it to `path`. Throws FAILED_PRECONDITION if none was started; IO if the file cannot be written:
  // the recording goes on then.
  void stop(const std::string& path);

  uint64_t event_count() const;
  uint64_t dropped() const;

 private:
  struct Event {
    uint64_t start, duration;
    const char* category;
    uint32_t name;  // in names_
    uint32_t thread;
    std::string args;  // members of a JSON object
  };
  struct Thread {
    int64_t id;
    std::string name;
  };
  // What one recording holds, so that it can be moved out of the lock and written.
  struct Recording {
    uint64_t started = 0, limit = 0, dropped = 0;
    std::deque<Event> events;
    std::vector<std::string> names;
    std::unordered_map<std::string, uint32_t> name_index;
    std::vector<Thread> threads;
    std::unordered_map<pthread_t, uint32_t> thread_index;

    uint32_t name_of(std::string_view name);
    uint32_t this_thread();
    void write(std::FILE* file) const;
  };

  std::atomic<bool> active_{false};
  mutable std::mutex mutex_;
  Recording recording_;
};

// Adds one event for its own lifetime, if the profiler is active when it begins. `name` must outlive it.
class ProfileScope {
 public:
  ProfileScope(Profiler& profiler, std::string_view name, const char* category) noexcept {
    if (profiler.active()) [[unlikely]]
      profiler_ = &profiler, name_ = name, category_ = category, start_ = Profiler::now();
  }
  ~ProfileScope() {
    if (profiler_) profiler_->add(name_, category_, start_, Profiler::now() - start_);
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  Profiler* profiler_ = nullptr;
  std::string_view name_;
  const char* category_ = nullptr;
  uint64_t start_ = 0;
};

}  // namespace tenon
