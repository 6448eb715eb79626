// Queues: each a thread of its own that executes commands in order, some time after they were enqueued.
#ifndef TENON_TESTS_ADVERSARY_QUEUE_HPP_
#define TENON_TESTS_ADVERSARY_QUEUE_HPP_
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "device.hpp"

namespace tenon::adversary {

class CommandQueue {
 public:
  CommandQueue(AdversaryDevice& device, tn_timeline* timeline);
  ~CommandQueue();  // runs what is left
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  sdk::Host host;

  // Adds a command with the value that timeline->submitted has now. [one]
  void enqueue(std::function<void()> work);
  // [any] Throws DEADLINE_EXCEEDED.
  void wait(uint64_t value, uint64_t timeout_ns);
  void wait_for(CommandQueue& other, const tn_timeline* other_timeline, uint64_t value);

 private:
  struct Command {
    uint64_t value;    // on the timeline
    uint64_t ordinal;  // among the commands of the device
    std::function<void()> work;
  };
  static constexpr uint64_t kNobody = UINT64_MAX;
  // Kept apart from the queue, because another queue's wait may outlive it.
  struct Shared {
    std::mutex mutex;
    std::condition_variable started, reached;
    std::deque<Command> commands;
    uint64_t released = 0;       // commands up to this value may start
    uint64_t awaited = kNobody;  // the least value that somebody waits for: nobody is woken before
    bool closing = false;
    void release(uint64_t value);
    // With the mutex held: until completed has that value; false: not in that time.
    bool wait(std::unique_lock<std::mutex>& lock, const uint64_t& completed, uint64_t value,
              std::chrono::nanoseconds limit);
  };

  void loop();
  void execute(const Command& command);

  AdversaryDevice& device_;
  tn_timeline* const timeline_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  uint64_t last_value_;
  std::mt19937_64 random_;
  std::thread thread_;
};

}  // namespace tenon::adversary
#endif
