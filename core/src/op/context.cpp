#include "context.hpp"

#include <new>

#include "node.hpp"
#include "profile/profiler.hpp"
#include "runtime.hpp"
#include "values.hpp"

namespace tenon {

constexpr size_t kSlabTensors = 64;
constexpr uint64_t kDeadBytes = 64ull << 20;  // per context and device

// ---- heap -------------------------------------------------------------------------------------

Heap::Heap(tn_runtime* rt) : runtime(runtime_retain(rt)) {}

Heap::~Heap() {
  while (Node* n = free_nodes) {
    free_nodes = n->next;
    delete n;
  }
  for (void* s : slabs) ::operator delete (s, std::align_val_t{64});
  runtime_release(runtime);
}

tn_tensor* Heap::make() {
  if (!free_tensors) {
    if (remote.load(std::memory_order_relaxed)) drain();
    if (!free_tensors) {
      slabs.reserve(slabs.size() + 1);
      auto* slab = static_cast<tn_tensor*>(
          ::operator new (sizeof(tn_tensor) * kSlabTensors, std::align_val_t{64}));
      slabs.push_back(slab);
      for (size_t i = kSlabTensors; i-- > 0;) {
        auto* t = new (slab + i) tn_tensor{};
        t->heap = this;
        t->next = free_tensors;
        free_tensors = t;
      }
    }
  }
  tn_tensor* t = free_tensors;
  free_tensors = t->next;
  t->next = nullptr;
  t->local = 1;
  t->view.dims = t->dims;
  t->view.strides = t->strides;
  ++live;
  return t;
}

void Heap::recycle(tn_tensor* t) noexcept {
  if (t->flags & kWideDims) delete[] const_cast<int64_t*>(t->view.dims);
  t->flags = 0;
  t->buffer = nullptr;
  t->queue = nullptr;
  t->node = nullptr;
  t->device = nullptr;
  t->shape_id = 0;
  t->view = tn_view{};
  t->shared.store(0, std::memory_order_relaxed);
  t->local = 0;
  t->next = free_tensors;
  free_tensors = t;
  --live;
}

[[gnu::cold]] void Heap::drain() noexcept {
  tn_tensor* t = remote.exchange(nullptr, std::memory_order_acq_rel);
  while (t) {
    tn_tensor* next = t->next;
    t->next = nullptr;
    // What others counted becomes part of the plain count, so that the next drop sees the sum.
    t->local += static_cast<int32_t>(t->shared.exchange(0, std::memory_order_acq_rel)) >> 1;
    if (t->local == 0) tensor_free(this, t);
    t = next;
  }
}

// One user of the heap less: its context, which counts until the last tensor is gone, or a thread that hands a tensor back.
[[gnu::cold]] static void leave_heap(Heap* heap) noexcept {
  uint32_t users = 1;
  // Whoever finds another one at it, perhaps itself by a callback that went with the tape, leaves the rest to that.
  bool more = heap->abandoned.load(std::memory_order_seq_cst);
  while (more && !heap->draining.exchange(true, std::memory_order_seq_cst)) {
    heap->drain();
    if (heap->live == 0) heap->live = -1, ++users;
    heap->draining.store(false, std::memory_order_seq_cst);
    more = heap->remote.load(std::memory_order_seq_cst) != nullptr;
  }
  if (heap->users.fetch_sub(users, std::memory_order_acq_rel) == users) delete heap;
}

void tensor_release_remote(tn_tensor* t) noexcept {
  Heap* heap = t->heap;
  uint32_t word = t->shared.load(std::memory_order_relaxed);
  uint32_t wanted;
  bool push;
  do {
    wanted = word - 2;
    push = static_cast<int32_t>(wanted) >> 1 <= 0 && !(wanted & kQueued);
    if (push) wanted |= kQueued;
  } while (!t->shared.compare_exchange_weak(word, wanted, std::memory_order_acq_rel));
  if (!push) return;
  heap->users.fetch_add(1,
                        std::memory_order_relaxed);  // from the push on, t keeps the heap no longer
  tn_tensor* head = heap->remote.load(std::memory_order_relaxed);
  do {
    t->next = head;
  } while (!heap->remote.compare_exchange_weak(head, t, std::memory_order_seq_cst));
  leave_heap(heap);
}

[[gnu::cold]] void heap_abandon(Heap* heap) noexcept {
  heap->users.fetch_add(1, std::memory_order_relaxed);
  heap->context = nullptr;
  heap->abandoned.store(true, std::memory_order_seq_cst);
  leave_heap(heap);
}

void tensor_free(Heap* heap, tn_tensor* t) noexcept {
  if (t->node) {
    node_release(t->node);
    t->node = nullptr;
  }
  Buffer* b = t->buffer;
  if (heap->context) {
    // The last view that begins where its buffer does is as good as the tensor that was made with it.
    if (b && b->allocator && t->view.offset == b->offset &&
        b->refs.load(std::memory_order_acquire) == 1)
      t->flags |= kRecyclable;
    if (t->flags & kRecyclable) {
      push_dead(heap->context, t);
      return;
    }
  }
  heap->recycle(t);
  buffer_release(b);
}

void drop_owned(tn_tensor* t) noexcept {
  if (--t->local > 0) return;
  // The other count decides. A queued one is looked at when it is drained.
  uint32_t word = t->shared.load(std::memory_order_acquire);
  do {
    if (word & kQueued) return;
  } while (word != 0 && !t->shared.compare_exchange_weak(word, 0, std::memory_order_acq_rel));
  t->local += static_cast<int32_t>(word) >> 1;
  if (t->local == 0) tensor_free(t->heap, t);
}

[[gnu::cold]] void drop_slow(tn_ctx* ctx, tn_tensor* t) noexcept {
  if (t->heap != ctx->heap) {
    tensor_release_remote(t);
    return;
  }
  drop_owned(t);
}

void push_dead(tn_ctx* ctx, tn_tensor* t) noexcept {
  Buffer* b = t->buffer;
  DeviceState& ds = ctx->state(t->device);
  const uint32_t c = b->size_class;
  const uint64_t bytes = b->bytes;
  if (b->refs.load(std::memory_order_acquire) == 1 && b->home == ds.queue &&
      b->readers.load(std::memory_order_relaxed) == 0 &&
      (c < kTrackedClass || ds.dead_bytes + bytes <= kDeadBytes) && ds.dead_count[c] < kMaxDead)
      [[likely]] {
    t->next = ds.dead[c];
    ds.dead[c] = t;
    ++ds.dead_count[c];
    if (c >= kTrackedClass) {
      ds.dead_bytes += bytes;
      if (bytes >= kCountedIdle) b->allocator->add_idle(static_cast<int64_t>(bytes));
    }
    return;
  }
  ctx->heap->recycle(t);
  buffer_release(b);
}

// ---- making -----------------------------------------------------------------------------------

void set_shape(tn_tensor* t, const Shape& s, uint64_t id) {
  if (t->shape_id == id && id) return;
  if (t->flags & kWideDims) {
    delete[] const_cast<int64_t*>(t->view.dims);
    t->flags &= ~static_cast<uint32_t>(kWideDims);
    t->view.dims = t->dims;
    t->view.strides = t->strides;
  }
  int64_t *dims = t->dims, *strides = t->strides;
  if (s.rank > 4) {
    dims = new int64_t[2 * TN_MAX_RANK];
    strides = dims + TN_MAX_RANK;
    t->flags |= kWideDims;
    t->view.dims = dims;
    t->view.strides = strides;
  }
  for (int i = 0; i < s.rank; ++i) dims[i] = s.dims[i], strides[i] = s.strides[i];
  t->view.rank = s.rank;
  t->view.dtype = s.dtype;
  t->view.count = s.count();
  t->view.flags = s.dense() ? TN_VIEW_CONTIGUOUS : 0;
  t->shape_id = id;
}

tn_tensor* make_other_output(tn_ctx* ctx, DeviceState& ds, const Shape& shape, uint64_t shape_id,
                             uint64_t bytes, uint32_t c) {
  tn_tensor* t = ds.dead[c];
  if (t) [[likely]] {
    ds.dead[c] = t->next;
    --ds.dead_count[c];
    if (c >= kTrackedClass) untrack_dead(ds, t);
    t->next = nullptr;
    t->local = 1;
  } else {
    if (ctx->heap->remote.load(std::memory_order_relaxed)) {
      ctx->heap->drain();
      if (ds.dead[c]) return make_other_output(ctx, ds, shape, shape_id, bytes, c);
    }
    Buffer* b;
    try {
      b = ds.device->allocator->allocate(bytes, ds.queue, "");
    } catch (Error& e) {
      if (e.code() != TN_OUT_OF_MEMORY) throw;
      ctx->flush_dead();
      b = ds.device->allocator->allocate(bytes, ds.queue, shape_text(shape));
    }
    try {
      t = ctx->heap->make();
    } catch (...) {
      buffer_release(b);
      throw;
    }
    t->buffer = b;
    t->device = ds.device;
    t->view.mem = b->mem;
    t->view.offset = b->offset;
    t->flags = kRecyclable;
  }
  try {
    set_shape(t, shape, shape_id);
  } catch (...) {
    drop(ctx, t);
    throw;
  }
  return t;
}

tn_tensor* make_view(tn_ctx* ctx, Buffer* buffer, tn_device* device, const Shape& shape,
                     uint64_t shape_id, uint64_t byte_offset) {
  tn_tensor* t = ctx->heap->make();
  try {
    set_shape(t, shape, shape_id);
  } catch (...) {
    ctx->heap->recycle(t);
    throw;
  }
  buffer_retain(buffer);
  t->buffer = buffer;
  t->device = device;
  t->view.mem = buffer->mem;
  t->view.offset = byte_offset;
  if (!buffer->allocator) t->flags |= buffer->abstract ? kAbstract : kExternal;
  return t;
}

tn_tensor* make_alias(tn_ctx* ctx, const tn_tensor* t) {
  if (t->view.rank > 4) {
    tn_tensor* a =
        make_view(ctx, t->buffer, t->device, shape_of(t->view), t->shape_id, t->view.offset);
    a->queue = t->queue;
    a->value = t->value;
    return a;
  }
  tn_tensor* a = ctx->heap->make();
  std::memcpy(a->dims, t->dims, sizeof a->dims + sizeof a->strides);
  a->view = t->view;
  a->view.dims = a->dims;
  a->view.strides = a->strides;
  a->shape_id = t->shape_id;
  buffer_retain(t->buffer);
  a->buffer = t->buffer;
  a->device = t->device;
  a->queue = t->queue;
  a->value = t->value;
  a->flags = t->flags & (kExternal | kAbstract);
  return a;
}

tn_tensor* make_scalar(tn_ctx* ctx, tn_dtype dtype, bool weak, const void* element) {
  const uint64_t size = dtype_size(dtype);
  if (size > 8) fail(TN_INVALID_ARGUMENT, "a host scalar cannot be {}", tn_dtype_name(dtype));
  Shape s;
  s.dtype = dtype;
  const uint64_t id = ctx->runtime->shapes.intern(nullptr, s, kScalar | (weak ? 1u : 0u));
  tn_tensor* t = ctx->heap->make();
  set_shape(t, s, id);
  t->flags |= kScalar;
  t->view.flags =
      static_cast<uint8_t>(TN_VIEW_CONTIGUOUS | TN_VIEW_IMMEDIATE | (weak ? TN_VIEW_WEAK : 0u));
  std::memcpy(&t->view.mem, element, size);
  return t;
}

// ---- order ------------------------------------------------------------------------------------

void order_after(Queue* q, tn_tensor* t) {
  if (q && t->queue->device == q->device && !t->queue->failed_at(t->value))
    t->buffer->readers.fetch_or(1ull << q->index, std::memory_order_relaxed);
  order_after(q, t->queue, t->value);
}

void order_after(Queue* q, Queue* p, uint64_t value) {
  if (p->failed_at(value)) p->throw_failure();
  if (q && p->device == q->device) {
    if (q->waited_for(*p, value) || p->done(value)) return;
    Submission s(q);
    tn_error* e = q->device->vtbl->queue_wait_for(q->native, p->native, &p->line, value);
    if (!e) {
      s.commit();
      q->note_wait(*p, value);
      return;
    }
    Error error(e);
    if (error.code() != TN_UNIMPLEMENTED) throw error;
  }
  queue_wait(p, value, TN_FOREVER, nullptr);
}

[[gnu::cold]] void wait_tensor(tn_ctx* ctx, tn_tensor* t) {
  if (t->device->holds_values()) return wait_value(ctx, t);
  if (!t->queue) return;
  const ProfileScope scope(*t->device->runtime->profiler, t->device->name, "wait");
  queue_wait(t->queue, t->value, TN_FOREVER, ctx ? &ctx->interrupt : nullptr);
}

}  // namespace tenon

using namespace tenon;

[[gnu::cold]] DeviceState& tn_ctx::make_state(tn_device* d) {
  auto ds = std::make_unique<DeviceState>();
  ds->device = d;
  if (states.size() <= d->ordinal) states.resize(d->ordinal + 1);
  ds->queue = d->take_queue();
  try {
    ds->copies = d->flags & TN_DEVICE_COPY_QUEUE ? d->take_queue() : ds->queue;
  } catch (...) {
    d->give_queue(ds->queue);
    throw;
  }
  states[d->ordinal] = std::move(ds);
  recent = states[d->ordinal].get();
  recent_device = d;
  return *recent;
}

void tn_ctx::flush_dead() noexcept {
  for (auto& ds : states) {
    if (!ds) continue;
    for (uint32_t c = 0; c < kSizeClasses; ++c) {
      while (tn_tensor* t = ds->dead[c]) {
        ds->dead[c] = t->next;
        if (c >= kTrackedClass) untrack_dead(*ds, t);
        Buffer* b = t->buffer;
        heap->recycle(t);
        buffer_release(b);
      }
      ds->dead_count[c] = 0;
    }
    ds->dead_bytes = 0;
  }
}

// Here, because it is half of the way of a call.
extern "C" void tn_tensor_drop(tn_ctx* ctx, tn_tensor* t) {
  if (!t) return;
  if (ctx) [[likely]]
    drop(ctx, t);
  else
    tensor_release_remote(t);
}
