#include "device.hpp"

namespace tenon {

PlanEntry* PlanCache::find(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto it = plans_.find(key);
  if (it == plans_.end()) return nullptr;
  it->second->refs.fetch_add(1, std::memory_order_relaxed);
  return it->second;
}

PlanEntry* PlanCache::insert(const std::string& key, PlanEntry* plan) {
  std::lock_guard lock(mutex_);
  if (plans_.size() >= limit_) {
    std::erase_if(plans_, [](const auto& entry) {
      const bool unused = entry.second->refs.load() == 1;
      if (unused) plan_release(entry.second);
      return unused;
    });
    limit_ = std::max(limit_, 2 * plans_.size());
  }
  auto [it, fresh] = plans_.emplace(key, plan);
  it->second->refs.fetch_add(fresh ? 2 : 1, std::memory_order_relaxed);
  return it->second;
}

void PlanCache::release_all() noexcept {
  std::lock_guard lock(mutex_);
  for (auto& [key, entry] : plans_) {
    tn_plan& plan = entry->plan;
    if (plan.release) quietly([&] { plan.release(plan.data); });
    plan.release = nullptr;
    plan_release(entry);
  }
  plans_.clear();
}

void Queue::throw_failure() {
  std::lock_guard lock(mutex);
  throw Error(error ? error_retain(error)
                    : error_make(TN_DEVICE_FAILED, device->name + ": execution failed"));
}

void Queue::fail(uint64_t value, tn_error* taken) noexcept {
  std::lock_guard lock(mutex);
  if (error) {
    error_release(taken);
    return;
  }
  if (taken && !taken->is_static && taken->device.empty()) taken->device = device->name;
  error = taken;
  atomic_store(line.failed, value ? value : 1);
}

void queue_wait(Queue* q, uint64_t value, uint64_t timeout_ns, std::atomic<bool>* interrupt) {
  constexpr uint64_t kSlice = 20'000'000;
  uint64_t left = timeout_ns;
  while (!q->done(value)) {
    if (interrupt && interrupt->exchange(false))
      fail(TN_CANCELLED, "the wait for {} was interrupted", q->device->name);
    const uint64_t slice = left < kSlice ? left : kSlice;
    if (tn_error* e = q->device->vtbl->queue_wait(q->native, value, slice)) {
      Error error(e);
      if (error.code() != TN_DEADLINE_EXCEEDED) throw error;
      if (left != TN_FOREVER) {
        left -= slice;
        if (left == 0)
          fail(TN_DEADLINE_EXCEEDED, "{} did not finish within {} ms", q->device->name,
               (timeout_ns + 999999) / 1000000);
      }
    }
  }
  if (q->failed_at(value)) q->throw_failure();
}

static void lose(tn_device& d, Queue& q, tn_error* taken) noexcept {
  const std::lock_guard lock(q.mutex);
  q.device = &d, q.lost = true;
  for (uint64_t* word : {&q.line.submitted, &q.line.completed, &q.line.failed})
    atomic_store(*word, 1);
  error_release(std::exchange(q.error, taken));
}

constexpr size_t kMostFailedQueues = 4096;

Queue* lost_queue(tn_device& d, tn_error* taken) noexcept {
  Queue* q = &d.lost;
  try {
    auto own = std::make_unique<Queue>();
    const std::lock_guard lock(d.queue_mutex);
    if (d.failed_queues.size() < kMostFailedQueues) {
      d.failed_queues.push_back(std::move(own));
      q = d.failed_queues.back().get();
    }
  } catch (...) {  // no memory: it shares the one that is there
  }
  lose(d, *q, taken);
  return q;
}

void tensor_lose(tn_tensor* t, tn_error* taken) noexcept {
  tn_device& d = *t->device;
  if (t->queue && t->queue->lost) return lose(d, *t->queue, taken);
  t->queue = lost_queue(d, taken);
  t->value = 1;
  t->flags &= ~kRecyclable;
}

void name_loss(tn_tensor* t, const char* kind, std::string_view name, const char* work,
               std::string_view by, const Error& cause) noexcept {
  if (!t->queue || !t->queue->lost) return;
  try {
    tensor_lose(
        t, error_make(cause.code(),
                      fmt::format("{} \"{}\" is lost: {} \"{}\" failed while it was writing over "
                                  "its memory: {}. Assign a value or load a checkpoint.",
                                  kind, name, work, by, cause.message())));
  } catch (...) {  // no memory for the text: the error itself stays
  }
}

void buffer_destroy(Buffer* b) noexcept {
  if (b->allocator)
    b->allocator->free(b);
  else if (b->destroy)
    b->destroy(b->user);
  delete b;
}

}  // namespace tenon

using namespace tenon;

// An idle queue whose work is done, or null. What failed after it was given back is put away.
Queue* tn_device::reuse_queue() {
  for (size_t i = idle_queues.size(); i-- > 0;) {
    Queue* q = idle_queues[i];
    if (!q->done(q->submitted())) continue;
    idle_queues.erase(idle_queues.begin() + static_cast<std::ptrdiff_t>(i));
    if (atomic_load(q->line.failed) == 0) return q;
    retire_queue(q);
  }
  return nullptr;
}

void tn_device::retire_queue(Queue* q) {
  failed_queues.reserve(failed_queues.size() + 1);
  quietly([&] { vtbl->queue_destroy(q->native); });
  q->native = nullptr;
  q->forget_waits();
  atomic_store(q->line.completed, UINT64_MAX);
  queue_slots[q->index].store(nullptr, std::memory_order_release);
  failed_queues.push_back(std::move(queues[q->index]));
}

Queue* tn_device::take_queue() {
  if (is_inline()) return nullptr;
  std::lock_guard lock(queue_mutex);
  if (Queue* q = reuse_queue()) return q;
  uint32_t slot = 0;
  while (slot < queues.size() && queues[slot]) ++slot;
  if (slot >= kMaxQueues && !idle_queues.empty()) {
    for (Queue* q : idle_queues) {
      try {
        queue_wait(q, q->submitted(), TN_FOREVER, nullptr);
      } catch (const Error&) {  // seen again when it is looked at
      }
    }
    if (Queue* q = reuse_queue()) return q;
    for (slot = 0; slot < queues.size() && queues[slot];) ++slot;
  }
  if (slot >= kMaxQueues)
    fail(TN_OUT_OF_RANGE, "{}: more than {} queues at once; release contexts that are not in use",
         name, kMaxQueues);
  auto q = std::make_unique<Queue>();
  q->device = this;
  q->index = slot;
  q->serial = ++queue_serial;
  check(vtbl->queue_create(handle, &q->line, &q->native));
  if (slot == queues.size()) queues.emplace_back();
  queues[slot] = std::move(q);
  queue_slots[slot].store(queues[slot].get(), std::memory_order_release);
  return queues[slot].get();
}

void tn_device::give_queue(Queue* q) noexcept {
  if (!q) return;
  std::lock_guard lock(queue_mutex);
  try {
    if (atomic_load(q->line.failed) == 0) {
      idle_queues.push_back(q);
      return;
    }
    retire_queue(q);
  } catch (...) {  // no memory to note it: the queue stays where it is, unused
  }
}

void tn_device::shut_down() noexcept {
  if (!vtbl) return;
  for (auto& q : queues) {
    if (!q) continue;
    try {
      queue_wait(q.get(), q->submitted(), 10'000'000'000ull, nullptr);
    } catch (...) {
    }
    quietly([&] { vtbl->queue_destroy(q->native); });
    q->native = nullptr;
  }
  plans.release_all();
  allocator->close();
  quietly([&] { vtbl->close(handle); });
  handle = nullptr;
  vtbl = nullptr;
}
