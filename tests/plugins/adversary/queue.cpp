#include "queue.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace tenon::adversary {
namespace {

// Of longer times the clock's arithmetic would overflow.
constexpr std::chrono::nanoseconds kForEver = std::chrono::hours(24 * 365);

uint64_t load(const uint64_t& word) {
  return std::atomic_ref(const_cast<uint64_t&>(word)).load(std::memory_order_acquire);
}

// To sleep costs the system more than a short time is, on a virtual machine a third of all that a run takes; a yield lasts as long as
// others have work.
void pass(std::chrono::microseconds time) {
  if (time >= std::chrono::microseconds(50)) return std::this_thread::sleep_for(time);
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

// A thread that takes no signals from the program that hosts it.
template <class F>
std::thread quiet_thread(F&& body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::forward<F>(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

CommandQueue::CommandQueue(AdversaryDevice& device, tn_timeline* timeline)
    : host(device.host),
      device_(device),
      timeline_(timeline),
      last_value_(load(timeline->submitted)) {
  device.check_present();
  const int number = device_.queues.fetch_add(1);
  random_.seed(device.settings.seed * 1000003 + static_cast<uint64_t>(number));
  thread_ = quiet_thread([this] {
    prctl(PR_SET_TIMERSLACK, 1);  // else the shortest delay is 50 us
    loop();
  });
}

CommandQueue::~CommandQueue() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    shared_->started.notify_all();
  }
  thread_.join();
  device_.queues.fetch_sub(1);
}

void CommandQueue::Shared::release(uint64_t value) {
  if (value > released) released = value;
  started.notify_all();
}

bool CommandQueue::Shared::wait(std::unique_lock<std::mutex>& lock, const uint64_t& completed,
                                uint64_t value, std::chrono::nanoseconds limit) {
  return reached.wait_for(lock, limit, [&] {
    if (load(completed) >= value) return true;
    awaited = std::min(awaited, value);
    return false;
  });
}

void CommandQueue::enqueue(std::function<void()> work) {
  const uint64_t value = load(timeline_->submitted);
  if (value != last_value_ + 1) {
    device_.misuse(sdk::text("a command has value ", value, " after value ", last_value_));
  }
  const std::lock_guard lock(shared_->mutex);
  shared_->commands.push_back({value, 0, std::move(work)});
  // Without memory for it there was no command, and the host will use the value again.
  last_value_ = value;
  shared_->commands.back().ordinal = ++device_.commands;
  const uint64_t waiting = value - shared_->released;
  if (waiting > device_.settings.hold) shared_->release(value);
}

void CommandQueue::wait(uint64_t value, uint64_t timeout_ns) {
  std::unique_lock lock(shared_->mutex);
  shared_->release(value);
  const auto limit =
      std::min(std::chrono::nanoseconds(std::min<uint64_t>(timeout_ns, INT64_MAX)), kForEver);
  if (!shared_->wait(lock, timeline_->completed, value, limit)) {
    sdk::fail(TN_DEADLINE_EXCEEDED, "adversary: value ", value, " not reached in ",
              timeout_ns / 1000, " us; completed: ", load(timeline_->completed));
  }
}

void CommandQueue::wait_for(CommandQueue& other, const tn_timeline* other_timeline,
                            uint64_t value) {
  {
    const std::lock_guard lock(other.shared_->mutex);
    other.shared_->release(value);
  }
  const uint64_t own_value = load(timeline_->submitted);
  enqueue([this, own_value, theirs = other.shared_, other_timeline, value] {
    std::unique_lock lock(theirs->mutex);
    while (!theirs->wait(lock, other_timeline->completed, value, kForEver)) {
    }
    const uint64_t failed = load(other_timeline->failed);
    if (failed != 0 && failed <= value) host.fail_like(timeline_, own_value, other_timeline);
  });
}

void CommandQueue::loop() {
  std::unique_lock lock(shared_->mutex);
  while (true) {
    const auto ready = [&] {
      return !shared_->commands.empty() &&
             (shared_->closing || shared_->commands.front().value <= shared_->released);
    };
    shared_->started.wait(lock, [&] { return ready() || shared_->closing; });
    if (!ready()) return;
    Command command = std::move(shared_->commands.front());
    shared_->commands.pop_front();
    lock.unlock();
    execute(command);
    command.work =
        nullptr;  // lets go of plans and staged memory before the value is seen as reached
    lock.lock();
    std::atomic_ref(timeline_->completed).store(command.value, std::memory_order_release);
    if (command.value >= shared_->awaited) {  // who waits for more says so again
      shared_->awaited = kNobody;
      shared_->reached.notify_all();
    }
  }
}

void CommandQueue::execute(const Command& command) {
  if (device_.settings.delay_us != 0) {
    pass(std::chrono::microseconds(random_() % (device_.settings.delay_us + 1)));
  }
  if (load(timeline_->failed) != 0) return;  // skipped, but completed
  tn_error* error = sdk::guard(host, [&] {
    if (device_.settings.lose_device.first != 0 &&
        command.ordinal >= device_.settings.lose_device.first) {
      device_.lost.store(true);
    }
    device_.check_present();
    device_.rethrow_misuse();
    if (device_.settings.fail_exec.hits(command.ordinal)) {
      sdk::fail(TN_DEVICE_FAILED, "adversary: scheduled failure of command ", command.ordinal);
    }
    command.work();
  });
  if (error) host.fail(timeline_, command.value, error);
}

}  // namespace tenon::adversary
