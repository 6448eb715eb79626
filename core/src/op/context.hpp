// The context, the heap of its tensors, and what a runtime owns. Owner thread only unless said otherwise.
#pragma once
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/small.hpp"
#include "device/device.hpp"
#include "device/thread_pool.hpp"
#include "registry.hpp"
#include "tenon/autograd.h"

namespace tenon {

class PluginRegistry;
class Profiler;
struct Program;
struct Site;
struct Node;
class Recorder;

// Words on a page that a forked child finds zeroed.
struct StatePage {
  std::atomic<uint32_t> state;  // one of these; 0 in a forked child
};
// kAlive is the state of the short roads; of a runtime that flushes denormals it is kFlushing.
constexpr uint32_t kAlive = 1, kDown = 2, kProfiling = 3, kFlushing = 4;

// Owner of tensors. Outlives its context while tensors live: then `context` is null and everything happens under `mutex`.
struct Heap {
  explicit Heap(tn_runtime* rt);
  ~Heap();
  tn_runtime* runtime;  // counted
  tn_ctx* context = nullptr;
  std::atomic<tn_tensor*> remote{nullptr};  // released elsewhere, linked by `next`
  std::atomic<bool> abandoned{false};
  std::atomic<uint32_t> users{1};     // the last one deletes it
  std::atomic<bool> draining{false};  // after its context is gone: by one thread at a time
  int64_t live = 0;                   // tensors handed out
  tn_tensor* free_tensors = nullptr;
  std::vector<void*> slabs;
  Node* free_nodes = nullptr;  // blank ones, linked by `next`

  tn_tensor* make();                    // blank, local = 1
  void recycle(tn_tensor* t) noexcept;  // struct only
  void drain() noexcept;                // takes in what was released elsewhere
};

void tensor_free(Heap* heap, tn_tensor* t) noexcept;  // both counts are 0
void tensor_release_remote(tn_tensor* t) noexcept;    // any thread
void drop_owned(tn_tensor* t) noexcept;               // one plain reference less; owner only
void heap_abandon(Heap* heap) noexcept;

inline tn_tensor* tensor_retain(tn_tensor* t) noexcept {
  t->shared.fetch_add(2, std::memory_order_relaxed);
  return t;
}

// Dead tensors below 4 KiB are bounded by their number alone; above 64 KiB they also count as idle memory of the device.
constexpr uint32_t kTrackedClass = 8 * 7;  // size_class(4096) + 1
constexpr uint64_t kCountedIdle = 64 << 10;
constexpr uint16_t kMaxDead = 256;  // of one class

// What a context holds per device.
struct DeviceState {
  tn_device* device = nullptr;
  Queue* queue = nullptr;              // null: inline
  Queue* copies = nullptr;             // for uploads and downloads; may be `queue`
  tn_tensor* dead[kSizeClasses] = {};  // recyclable tensors with their buffers, newest first
  uint16_t dead_count[kSizeClasses] = {};
  uint64_t dead_bytes = 0;
  Buffer* arena = nullptr;  // scratch of programs, in queue order
  Rolling* rolling =
      nullptr;  // what is recorded where tensors are values; owned, null before the first op
};

inline void untrack_dead(DeviceState& ds, const tn_tensor* t) noexcept {
  const uint64_t bytes = t->buffer->bytes;
  ds.dead_bytes -= bytes;
  if (bytes >= kCountedIdle) t->buffer->allocator->add_idle(-static_cast<int64_t>(bytes));
}

// Call sites by op, input shapes and attributes: 4-way, a set's tags in half a line.
class SiteTable {
 public:
  static constexpr size_t kSets = 1024, kWays = 4;
  SiteTable();
  ~SiteTable();
  struct Set {
    uint64_t tags[kWays];
    Site* sites[kWays];
  };
  Set& set(uint64_t hash) {
    return sets_[hash >> 1 & (kSets - 1)];
  }  // the lowest bit is always set
  void insert(uint64_t hash, Site* site);
  void clear() noexcept;

 private:
  std::unique_ptr<Set[]> sets_;
  uint32_t next_ = 0;
};

struct RandomState {
  uint64_t seed = 0, stream = 0, offset = 0;
};

}  // namespace tenon

struct tn_ctx {
  tn_runtime* runtime = nullptr;
  tenon::StatePage* page = nullptr;
  tenon::Heap* heap = nullptr;
  tn_device* device = nullptr;
  bool grad_mode = true;
  uint32_t modes = 0;           // TN_SIGNATURE_... that kernels are chosen for
  uint32_t flush_limit = 1000;  // ops that are recorded where tensors are values
  tn_dtype autocast = 0;        // the narrow dtype; 0: off
  bool fallback = false;
  tenon::Recorder* recorder = nullptr;                     // of the capture under way, owned
  std::set<std::pair<tn_op, const tn_device*>> fell_back;  // logged already
  std::atomic<bool> interrupt{false};
  uint64_t node_seq = 0;
  uint64_t backward_epoch = 0;
  uint32_t backward_depth = 0;  // passes under way, one in a hook or callback of the other
  std::vector<tenon::Node*> backward_order;
  tenon::RandomState random;
  tenon::SiteTable sites;
  std::vector<std::unique_ptr<tenon::DeviceState>> states;  // by device ordinal
  tenon::DeviceState* recent = nullptr;                     // of recent_device
  tn_device* recent_device = nullptr;
  std::unordered_map<std::string, tenon::Program*> programs;  // recipes run by name (bounded)
  struct Leaf {
    uint64_t version;
    tn_tensor* tensor;      // null: forgotten
    tenon::Node* node;      // of the tensors, counted; null: no gradient
    tn_variable* variable;  // counted
  };
  std::unordered_map<const tn_variable*, Leaf> leaves;  // values of variables last taken here
  size_t leaves_swept = 64;

  tenon::DeviceState& state(tn_device* d) {
    if (d->ordinal < states.size() && states[d->ordinal]) [[likely]]
      return *states[d->ordinal];
    return make_state(d);
  }
  tenon::DeviceState& make_state(tn_device* d);
  void flush_dead() noexcept;  // gives the dead tensors' buffers back to the allocators
};

namespace tenon {

// A tensor with a buffer of its own for a dense result. cls: size_class(bytes).
tn_tensor* make_other_output(tn_ctx* ctx, DeviceState& ds, const Shape& shape, uint64_t shape_id,
                             uint64_t bytes, uint32_t cls);
inline tn_tensor* make_output(tn_ctx* ctx, DeviceState& ds, const Shape& shape, uint64_t shape_id,
                              uint64_t bytes, uint32_t cls) {
  tn_tensor* t = ds.dead[cls];
  if (!t || t->shape_id != shape_id) [[unlikely]]
    return make_other_output(ctx, ds, shape, shape_id, bytes, cls);
  ds.dead[cls] = t->next;
  --ds.dead_count[cls];
  if (cls >= kTrackedClass) [[unlikely]]
    untrack_dead(ds, t);
  t->local = 1;
  return t;
}
// A tensor over part of a buffer (a new reference to it).
tn_tensor* make_view(tn_ctx* ctx, Buffer* buffer, tn_device* device, const Shape& shape,
                     uint64_t shape_id, uint64_t byte_offset);
// Another tensor of the same place and value, off the tape.
tn_tensor* make_alias(tn_ctx* ctx, const tn_tensor* t);
// A host scalar.
tn_tensor* make_scalar(tn_ctx* ctx, tn_dtype dtype, bool weak, const void* element);
void set_shape(tn_tensor* t, const Shape& shape, uint64_t shape_id);

// Gives up the reference of the thread that uses ctx.
void drop_slow(tn_ctx* ctx, tn_tensor* t) noexcept;
void push_dead(tn_ctx* ctx, tn_tensor* t) noexcept;

inline void drop(tn_ctx* ctx, tn_tensor* t) noexcept {
  if (t->heap != ctx->heap || t->local != 1 || t->shared.load(std::memory_order_acquire) != 0) {
    drop_slow(ctx, t);
    return;
  }
  // Small results of the device used last, without history: straight to the list.
  Buffer* b = t->buffer;
  if (t->flags == kRecyclable && !t->node && t->device == ctx->recent_device) [[likely]] {
    DeviceState& ds = *ctx->recent;
    const uint32_t c = b->size_class;
    if (c < kTrackedClass && ds.dead_count[c] < kMaxDead && b->home == ds.queue &&
        b->refs.load(std::memory_order_acquire) == 1 &&
        b->readers.load(std::memory_order_relaxed) == 0) [[likely]] {
      t->local = 0;
      t->next = ds.dead[c];
      ds.dead[c] = t;
      ++ds.dead_count[c];
      return;
    }
  }
  t->local = 0;
  tensor_free(ctx->heap, t);
}
// One more reference for the thread that uses ctx.
inline tn_tensor* keep(tn_ctx* ctx, tn_tensor* t) noexcept {
  if (t->heap == ctx->heap)
    ++t->local;
  else
    tensor_retain(t);
  return t;
}

// Owned references that are dropped on the way out unless released.
class Owned {
 public:
  Owned(tn_ctx* ctx, tn_tensor* t) : ctx_(ctx), t_(t) {}
  Owned(Owned&& o) noexcept : ctx_(o.ctx_), t_(std::exchange(o.t_, nullptr)) {}
  Owned& operator=(Owned&& o) noexcept {
    std::swap(t_, o.t_);
    std::swap(ctx_, o.ctx_);
    return *this;
  }
  ~Owned() {
    if (t_) drop(ctx_, t_);
  }
  tn_tensor* get() const { return t_; }
  tn_tensor* release() { return std::exchange(t_, nullptr); }
  explicit operator bool() const { return t_ != nullptr; }

 private:
  tn_ctx* ctx_;
  tn_tensor* t_;
};

class OwnedList {
 public:
  OwnedList(tn_ctx* ctx, size_t n) : ctx_(ctx), items_(n) {}
  ~OwnedList() {
    for (tn_tensor* t : items_)
      if (t) drop(ctx_, t);
  }
  tn_tensor*& operator[](size_t i) { return items_[i]; }
  tn_tensor** data() { return items_.data(); }
  tn_tensor* take(size_t i) { return std::exchange(items_[i], nullptr); }

 private:
  tn_ctx* ctx_;
  Small<tn_tensor*, 4> items_;
};

// Takes in what other owners gave up, so that it no longer counts as held.
inline void settle(tn_ctx* ctx) noexcept {
  if (ctx->heap->remote.load(std::memory_order_relaxed)) ctx->heap->drain();
}

// Is this context's only reference to t the only one?
inline bool sole_reference(const tn_ctx* ctx, const tn_tensor* t) noexcept {
  if (t->heap != ctx->heap) return false;
  const uint32_t word = t->shared.load(std::memory_order_acquire);
  return !(word & kQueued) && t->local + (static_cast<int32_t>(word) >> 1) == 1;
}

// Makes queue `q` see what produces t; throws the producer's failure. t's queue differs from q.
void order_after(Queue* q, tn_tensor* t);
void order_after(Queue* q, Queue* producer, uint64_t value);
// Blocks until t is there; throws its producer's failure.
void wait_tensor(tn_ctx* ctx, tn_tensor* t);

}  // namespace tenon
