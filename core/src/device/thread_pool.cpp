#include "thread_pool.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "base/denormals.hpp"

namespace tenon {
namespace {

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How often a thread looks before it sleeps: about 200 us, since waking takes 50 to 100 and the next job of a model is rarely further
// away than that.
constexpr int kSpins = 10000;
// How often the caller looks before it offers its core to a machine that seems busy.
constexpr int kLooks = 2000;
constexpr uint32_t kClosed = 1u << 31;

}  // namespace

void ThreadPool::start() {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  try {
    for (int i = 1; i < size_; ++i) workers_.emplace_back([this, i] { work(i); });
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

int64_t ThreadPool::Job::begin(int64_t part) const {
  const int64_t grains = (n - 1) / grain + 1;
  return std::min(n, (grains / parts * part + grains % parts * part / parts) * grain);
}

void ThreadPool::take_parts(const Job& job, int64_t self) {
  for (int64_t i = 0; i < job.shares; ++i) {
    const int64_t share = (self + i) % job.shares, first = job.parts * share / job.shares,
                  end = job.parts * (share + 1) / job.shares;
    std::atomic<int64_t>& next = shares_[static_cast<size_t>(share)].next;
    for (int64_t k; (k = next.fetch_add(1, std::memory_order_relaxed)) < end;) {
      if (job.backwards) k = first + end - 1 - k;
      job.body(job.user, job.begin(k), job.begin(k + 1));
    }
  }
}

// A worker that comes late, to a job that is done, does not hold up its caller; one that joins is waited for.
bool ThreadPool::join() {
  uint32_t members = members_.load(std::memory_order_relaxed);
  while (!(members & kClosed))
    if (members_.compare_exchange_weak(members, members + 1, std::memory_order_acquire))
      return true;
  return false;
}

void ThreadPool::work(int64_t self) {
  const FlushDenormals flush(flush_);
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
    if (!join()) continue;
    take_parts(job_, self);
    members_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::run(int64_t n, int64_t grain, Body body, void* user) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  const int64_t parts = std::min<int64_t>((n - 1) / grain + 1, 4 * size_);
  Job job{body, user, n, grain, parts, std::min<int64_t>(parts, size_), false};
  std::unique_lock lock(owner_, std::defer_lock);
  if (parts <= 1 || size_ <= 1 || !lock.try_lock() || stopping_.load()) {
    for (int64_t k = 0; k < parts; ++k) body(user, job.begin(k), job.begin(k + 1));
    return;
  }
  if (workers_.empty()) start();
  job.backwards = std::exchange(backwards_, !backwards_);
  job_ = job;
  for (int64_t k = 0; k < job.shares; ++k)
    shares_[static_cast<size_t>(k)].next.store(parts * k / job.shares, std::memory_order_relaxed);
  members_.store(0, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  take_parts(job, 0);
  members_.fetch_or(kClosed, std::memory_order_relaxed);
  for (int spins = 0; members_.load(std::memory_order_acquire) != kClosed;) {
    if (++spins < kLooks)
      relax();
    else
      std::this_thread::yield();
  }
}

}  // namespace tenon
