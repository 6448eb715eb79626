// A device as the core holds it: the plugin's table and handle, the allocator, the kernels by op, the plan cache, the queues.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "allocator.hpp"
#include "queue.hpp"
#include "tenon/plugin/compiler.h"

namespace tenon {

// A kernel's plan for one signature, shared by call sites and contexts.
struct PlanEntry {
  std::atomic<uint32_t> refs{1};
  tn_plan plan{};
  tn_compiled_execute execute = nullptr;  // instead of plan.run, where tensors are values
  const tn_kernel* kernel = nullptr;
  ~PlanEntry() {
    if (plan.release) plan.release(plan.data);
  }
};
inline void plan_release(PlanEntry* p) noexcept {
  if (p && p->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete p;
}
struct PlanRelease {
  void operator()(PlanEntry* p) const noexcept { plan_release(p); }
};
using PlanOwner = std::unique_ptr<PlanEntry, PlanRelease>;

// All plans that call sites use and, bounded, those that they used. Any thread.
class PlanCache {
 public:
  ~PlanCache() { release_all(); }
  PlanEntry* find(const std::string& key);  // a new reference, or null
  // A new reference to what the key stands for from now on: `plan`, or what another thread made of it in the meantime.
  PlanEntry* insert(const std::string& key, PlanEntry* plan);
  // The device goes: every plan is released, also where call sites still hold the entry.
  void release_all() noexcept;

 private:
  std::mutex mutex_;
  size_t limit_ = 8192;  // at this size, what is not used is forgotten
  std::unordered_map<std::string, PlanEntry*> plans_;
};

}  // namespace tenon

struct tn_device {
  tn_runtime* runtime = nullptr;
  uint32_t ordinal = 0;  // in runtime->devices
  const tn_device_vtbl* vtbl = nullptr;
  const tn_compiler_vtbl* compiler = nullptr;  // null: it has none
  void* handle = nullptr;
  std::string type, name, label, plugin;
  int32_t index = 0;
  uint32_t flags = 0;
  uint64_t alignment = 64, memory_bytes = 0, max_block = 0, max_binding = 0;
  int32_t priority = 0;
  std::vector<tn_kernel> kernel_table;  // full-size copies
  std::vector<std::vector<const tn_kernel*>>
      kernels;  // by op slot, from high to low priority; under kernel_mutex
  mutable std::shared_mutex kernel_mutex;
  tenon::PlanCache plans;
  std::unique_ptr<tenon::Allocator> allocator;
  std::recursive_mutex
      value_mutex;  // of a device with values: what contexts record for it, and the order of their commands

  std::mutex queue_mutex;
  std::vector<std::unique_ptr<tenon::Queue>> queues;  // by index
  std::array<std::atomic<tenon::Queue*>, tenon::kMaxQueues>
      queue_slots{};  // the same, to be read without the lock
  std::vector<tenon::Queue*> idle_queues;
  uint64_t queue_serial = 0;
  std::vector<std::unique_ptr<tenon::Queue>> failed_queues;  // tensors may still point at them
  tenon::Queue lost;  // of what was lost when there was no memory to tell it from the rest

  std::vector<const tn_kernel*> kernels_of(uint32_t slot) const {
    std::shared_lock lock(kernel_mutex);
    return slot < kernels.size() ? kernels[slot] : std::vector<const tn_kernel*>();
  }
  bool is_inline() const { return (flags & TN_DEVICE_INLINE) != 0; }
  bool host_memory() const { return (flags & TN_DEVICE_HOST_MEMORY) != 0; }
  bool holds_values() const { return (flags & TN_DEVICE_VALUES) != 0; }
  tenon::Queue* queue_at(uint32_t i) { return queue_slots[i].load(std::memory_order_acquire); }

  // A queue for one context: an idle one with nothing under way, which could still fail, or a new one; null on an inline device.
  tenon::Queue* take_queue();
  void give_queue(tenon::Queue* q) noexcept;
  void shut_down() noexcept;  // waits for queues, frees memory, closes the handle

 private:
  tenon::Queue* reuse_queue();  // both under queue_mutex
  void retire_queue(tenon::Queue* q);
};

namespace tenon {

// Where what comes from there throws this error: as from a queue that failed at 1. No two errors share one, while there is memory.
Queue* lost_queue(tn_device& d, tn_error* taken) noexcept;
// The memory of t went to a step that then failed, so neither the old value is in it nor a new one: from now on whatever reads t throws
// this error, as if a queue had failed that t was to come from. By the thread that alone holds t. A second call replaces the error.
void tensor_lose(tn_tensor* t, tn_error* taken) noexcept;
inline void check_not_lost(const tn_tensor* t) {
  if (t->queue && t->queue->lost) [[unlikely]]
    t->queue->throw_failure();
}
// Says of what was lost, if it was, what it is and what was at work: `variable "w" is lost: ...`.
void name_loss(tn_tensor* t, const char* kind, std::string_view name, const char* work,
               std::string_view by, const Error& cause) noexcept;

}  // namespace tenon
