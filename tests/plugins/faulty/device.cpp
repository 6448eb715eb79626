// Faults of devices: memory, copies, queues.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

const tn_device_vtbl& under() {
  return *static_cast<const tn_device_vtbl*>(base_table(TN_IFACE_DEVICE));
}
tn_error* error(tn_code code, const char* message) {
  return host()->error(host(), code, tn_string(message));
}

tn_error* TN_CALL props(void* state, uint32_t index, tn_device_props* out) {
  tn_error* e = under().props(state, index, out);
  if (is("alignment_no_power")) out->alignment = 96;
  return e;
}

tn_error* TN_CALL open(void* state, uint32_t index, void** out) {
  if (is("thread_stays"))
    std::thread([] { std::this_thread::sleep_for(std::chrono::minutes(10)); }).detach();
  if (is("device_memory_leaks")) host()->allocate(host(), 1000, 64);
  return under().open(state, index, out);
}

tn_error* TN_CALL allocate(void* device, uint64_t bytes, uint64_t* out) {
  constexpr uint64_t kLarge = uint64_t{1} << 44;
  if (is("allocate_throws") && bytes >= kLarge) throw std::runtime_error("thrown in allocate");
  if (is("too_large_granted") && bytes >= kLarge) bytes = 4096;
  static std::atomic<uint64_t> last{0};
  if (is("block_twice") && last != 0) return *out = last.exchange(0), nullptr;
  uint64_t mem = 0;
  tn_error* e = under().allocate(device, bytes, &mem);
  if (!e) {
    last = mem;
    *out = is("block_misaligned") ? mem + 8 : mem;
    return nullptr;
  }
  if (is("failure_touches_out")) *out = 1;
  if (is("failure_says_nothing")) {
    const tn_code code = host()->error_code(e);
    host()->error_release(e);
    e = error(code, "");
  }
  if (is("error_leaks")) error(TN_INTERNAL, "nobody releases this");
  return e;
}
void TN_CALL release(void* device, uint64_t mem, uint64_t bytes) {
  if (is("block_twice")) return;
  under().free(device, is("block_misaligned") ? mem - 8 : mem, bytes);
}

// ---- queues

std::mutex mutex;
std::map<void*, tn_timeline*>& timelines() {
  static auto* map = new std::map<void*, tn_timeline*>;
  return *map;
}
tn_timeline* timeline_of(void* queue) {
  const std::lock_guard lock(mutex);
  const auto it = timelines().find(queue);
  return it == timelines().end() ? nullptr : it->second;
}

// What was just enqueued counts as done.
void complete_early(void* queue) {
  tn_timeline* t = timeline_of(queue);
  if (!t) return;
  const uint64_t now = std::atomic_ref(t->submitted).load();
  std::atomic_ref completed(t->completed);
  if (completed.load() < now) completed.store(now);
}

tn_error* TN_CALL upload(void* device, void* queue, uint64_t mem, uint64_t offset, const void* from,
                         uint64_t bytes) {
  if (is("copy_rounds_size")) bytes &= ~uint64_t{3};
  if (is("copy_rounds_offset")) offset &= ~uint64_t{15};
  if (is("empty_copy_fails") && bytes == 0) return error(TN_INVALID_ARGUMENT, "nothing to copy");
  if (is("copy_throws") && bytes == 0) throw std::runtime_error("thrown in upload");
  tn_error* e = under().upload(device, queue, mem, offset, from, bytes);
  if (!e && is("completes_early")) complete_early(queue);
  return e;
}
tn_error* TN_CALL download(void* device, void* queue, void* to, uint64_t mem, uint64_t offset,
                           uint64_t bytes) {
  if (is("copy_loses_last")) bytes -= std::min<uint64_t>(bytes, 1);
  tn_error* e = under().download(device, queue, to, mem, offset, bytes);
  if (!e && is("completes_early")) complete_early(queue);
  return e;
}

tn_error* TN_CALL queue_create(void* device, tn_timeline* timeline, void** out) {
  tn_error* e = under().queue_create(device, timeline, out);
  const std::lock_guard lock(mutex);
  if (!e) timelines()[*out] = timeline;
  return e;
}
tn_error* TN_CALL queue_wait(void* queue, uint64_t value, uint64_t timeout_ns) {
  if (is("wait_returns_at_once")) return nullptr;
  return under().queue_wait(queue, value, is("timeout_ignored") ? UINT64_MAX : timeout_ns);
}
tn_error* TN_CALL queue_wait_for(void* queue, void* other, const tn_timeline* timeline,
                                 uint64_t value) {
  if (is("event_missed")) {  // the command is there, but waits for nothing
    static const tn_timeline done{UINT64_MAX, UINT64_MAX, 0, 0};
    return under().queue_wait_for(queue, other, &done, 0);
  }
  if (is("event_waits_for_less")) return under().queue_wait_for(queue, other, timeline, value / 2);
  return under().queue_wait_for(queue, other, timeline, value);
}

struct LongTable {
  tn_device_vtbl table;
  uint64_t more;
};

}  // namespace

const tn_device_vtbl* device_table() {
  if (!base_table(TN_IFACE_DEVICE)) return nullptr;
  static LongTable out;
  tn_device_vtbl& t = out.table = under();
  t.props = props, t.open = open, t.allocate = allocate, t.free = release;
  t.upload = upload, t.download = download;
  if (t.queue_create) t.queue_create = queue_create;
  if (t.queue_wait) t.queue_wait = queue_wait;
  if (t.queue_wait_for) t.queue_wait_for = queue_wait_for;
  if (is("slot_missing")) t.upload = nullptr;
  if (is("table_short")) t.struct_size = offsetof(tn_device_vtbl, upload);
  if (is("table_longer")) t.struct_size = sizeof out, out.more = 1;
  if (is("table_size_zero")) t.struct_size = 0;
  return &t;
}

}  // namespace tenon::faulty
