// The one thread pool of a runtime, lent to plugins.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tenon {

// Any thread may call run; one job has the workers at a time, a second caller (or a nested call) works through its parts alone.
// A job never waits for a worker that has not begun.
// Threads start at the first job that needs them, with all signals blocked.
class ThreadPool {
 public:
  ThreadPool(int threads, bool flush_denormals)
      : size_(threads), flush_(flush_denormals), shares_(new Share[static_cast<size_t>(threads)]) {}
  ~ThreadPool() { stop(); }
  ThreadPool(const ThreadPool&) = delete;

  int size() const { return size_; }
  using Body = void (*)(void* user, int64_t begin, int64_t end);
  // body over disjoint parts of 0..n; boundaries depend only on n, grain and size().
  void run(int64_t n, int64_t grain, Body body, void* user);
  void stop();

 private:
  struct Job {
    Body body;
    void* user;
    int64_t n, grain, parts, shares;
    bool backwards;
    int64_t begin(int64_t part) const;
  };
  // Next part of what one thread begins with, so that from job to job it finds the same piece of a tensor in its caches. Who is done
  // helps the others. Every second job goes backwards through the parts: what a job writes last is what the next one reads first.
  struct alignas(64) Share {
    std::atomic<int64_t> next;
  };
  void start();
  void work(int64_t self);
  bool join();
  void take_parts(const Job& job, int64_t self);

  const int size_;
  const bool flush_;  // the workers; the caller sees to itself
  const std::unique_ptr<Share[]> shares_;
  std::vector<std::thread> workers_;
  std::mutex owner_;  // held by the caller whose job the workers do
  Job job_{};
  bool backwards_ = false;               // the next job
  std::atomic<uint32_t> generation_{0};  // rises with every job
  std::atomic<uint32_t> members_{1u
                                 << 31};  // workers at the job; the highest bit: it takes no more
  std::atomic<bool> stopping_{false};
};

}  // namespace tenon
