#include "thread_pool.hpp"

#include <signal.h>

#include <algorithm>

namespace tenon {
namespace {

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How often an idle thread looks before it sleeps: about 30 us.
constexpr int kSpins = 2000;

}  // namespace

void ThreadPool::start() {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  try {
    for (int i = 1; i < size_; ++i) workers_.emplace_back([this] { work(); });
  } catch (...) {  // fewer threads than asked for: the job is still done
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void ThreadPool::stop() {
  std::lock_guard lock(owner_);
  stopping_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& t : workers_) t.join();
  workers_.clear();
}

void ThreadPool::take_parts(const Job& job) {
  for (;;) {
    const int64_t begin = next_.fetch_add(job.part, std::memory_order_relaxed);
    if (begin >= job.n) return;
    job.body(job.user, begin, std::min(job.n, begin + job.part));
  }
}

void ThreadPool::work() {
  uint32_t seen = 0;
  for (;;) {
    int spins = 0;
    while (generation_.load(std::memory_order_acquire) == seen) {
      if (++spins < kSpins)
        relax();
      else
        generation_.wait(seen, std::memory_order_acquire);
    }
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_.load()) return;
    take_parts(job_);
    working_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::run(int64_t n, int64_t grain, Body body, void* user) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  const int64_t grains = (n + grain - 1) / grain;
  const int64_t parts = std::min<int64_t>(grains, 4 * size_);
  const Job job{body, user, n, (grains + parts - 1) / parts * grain};
  std::unique_lock lock(owner_, std::defer_lock);
  if (parts <= 1 || size_ <= 1 || !lock.try_lock() || stopping_.load()) {
    for (int64_t begin = 0; begin < n; begin += job.part)
      body(user, begin, std::min(n, begin + job.part));
    return;
  }
  if (workers_.empty()) start();
  job_ = job;
  next_.store(0, std::memory_order_relaxed);
  working_.store(static_cast<int32_t>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  take_parts(job);
  // The others are about to finish, unless the machine is busy: then their turn comes sooner if we give ours up.
  for (int spins = 0; working_.load(std::memory_order_acquire) != 0;) {
    if (++spins < kSpins)
      relax();
    else
      std::this_thread::yield();
  }
}

}  // namespace tenon
