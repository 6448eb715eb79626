// A queue: an in-order timeline of one device, used by one context at a time.
#pragma once
#include <array>
#include <memory>
#include <mutex>

#include "base/error.hpp"
#include "tenon/plugin/device.h"
#include "tensor/tensor.hpp"

namespace tenon {

inline uint64_t atomic_load(const uint64_t& x) { return __atomic_load_n(&x, __ATOMIC_ACQUIRE); }
inline void atomic_store(uint64_t& x, uint64_t v) { __atomic_store_n(&x, v, __ATOMIC_RELEASE); }

constexpr uint32_t kMaxQueues = 64;  // per device: one bit each in Buffer::readers

struct Queue {
  tn_timeline line{};  // first: the plugin knows the queue by its address
  tn_device* device = nullptr;
  void* native = nullptr;
  uint32_t index = 0;
  std::mutex mutex;           // guards error
  tn_error* error = nullptr;  // the first failure, owned
  uint64_t serial = 0;        // of the device; an index is used again, this is not
  bool lost = false;          // no timeline of the plugin: see tensor_lose

  // What this queue is already ordered after, per queue of the device. Owner thread only.
  bool waited_for(const Queue& other, uint64_t value) const {
    if (!waited_) return false;
    const Waited& w = (*waited_)[other.index];
    return w.serial == other.serial && w.value >= value;
  }
  void note_wait(const Queue& other, uint64_t value) {
    if (!waited_) waited_ = std::make_unique<std::array<Waited, kMaxQueues>>();
    (*waited_)[other.index] = {other.serial, value};
  }
  void forget_waits() noexcept { waited_.reset(); }

  uint64_t submitted() const { return atomic_load(line.submitted); }
  bool done(uint64_t value) const { return atomic_load(line.completed) >= value; }
  bool failed_at(uint64_t value) const {
    const uint64_t f = atomic_load(line.failed);
    return f != 0 && f <= value;
  }
  [[noreturn]] void throw_failure();
  void fail(uint64_t value, tn_error* taken) noexcept;  // only the first counts
  ~Queue() { error_release(error); }

 private:
  struct Waited {
    uint64_t serial = 0, value = 0;
  };
  std::unique_ptr<std::array<Waited, kMaxQueues>> waited_;
};

// One command on a queue: counts it before the call, takes it back when the call fails. q may be null (inline device).
class Submission {
 public:
  explicit Submission(Queue* q) : queue_(q) {
    if (q) atomic_store(q->line.submitted, q->line.submitted + 1);
  }
  ~Submission() {
    if (queue_) atomic_store(queue_->line.submitted, queue_->line.submitted - 1);
  }
  void commit() { queue_ = nullptr; }
  void* native() const { return queue_ ? queue_->native : nullptr; }

 private:
  Queue* queue_;
};

// Blocks until `value` is reached; throws the queue's failure, DEADLINE_EXCEEDED, or CANCELLED once *interrupt is set (it is then
// cleared). A value that failed counts as reached.
void queue_wait(Queue* q, uint64_t value, uint64_t timeout_ns, std::atomic<bool>* interrupt);

// Keeps the host from running ahead of the device without bound: with more than this many commands under way it waits for half of them.
constexpr uint64_t kMaxCommandsAhead = 1024;
// The same where a command is a whole program: whoever reads waits for all of them, and their results are held until then.
constexpr uint64_t kMaxProgramsAhead = 32;
inline void queue_throttle(Queue* q, uint64_t most = kMaxCommandsAhead) {
  const uint64_t submitted = q->submitted();
  if (submitted - atomic_load(q->line.completed) > most) [[unlikely]]
    queue_wait(q, submitted - most / 2, TN_FOREVER, nullptr);
}

}  // namespace tenon
