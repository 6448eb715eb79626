#include "transfer.hpp"

#include <optional>
#include <vector>

#include "base/error.hpp"
#include "profile/profiler.hpp"
#include "runtime.hpp"
#include "values.hpp"

namespace tenon {
namespace {

// Copies strided elements to dense ones; `from` is the address of element (0, 0, ...).
void gather_dense(char* to, const char* from, const tn_view& v, uint64_t size) {
  int64_t index[TN_MAX_RANK] = {};
  const int last = v.rank - 1;
  for (int64_t done = 0; done < v.count;) {
    int64_t at = 0;
    for (int i = 0; i < last; ++i) at += index[i] * v.strides[i];
    const int64_t run = v.rank ? v.dims[last] : 1;
    const int64_t step = v.rank ? v.strides[last] : 1;
    for (int64_t k = 0; k < run; ++k, to += size)
      std::memcpy(to, from + (at + k * step) * static_cast<int64_t>(size), size);
    done += run;
    for (int i = last - 1; i >= 0; --i) {
      if (++index[i] < v.dims[i]) break;
      index[i] = 0;
    }
  }
}

// Bytes from the lowest to past the highest element, relative to element (0, 0, ...).
std::pair<int64_t, int64_t> span_of(const tn_view& v, uint64_t size) {
  int64_t low = 0, high = 0;
  for (int i = 0; i < v.rank; ++i) {
    const int64_t reach = (v.dims[i] - 1) * v.strides[i];
    (reach < 0 ? low : high) += reach;
  }
  return {low * static_cast<int64_t>(size), (high + 1) * static_cast<int64_t>(size)};
}

// A queue for one download without a context.
class BorrowedQueue {
 public:
  explicit BorrowedQueue(tn_device* d) : device_(d), queue_(d->take_queue()) {}
  ~BorrowedQueue() { device_->give_queue(queue_); }
  Queue* get() const { return queue_; }

 private:
  tn_device* device_;
  Queue* queue_;
};

void download(Queue* q, tn_device* d, void* to, uint64_t mem, uint64_t offset, uint64_t bytes,
              std::atomic<bool>* interrupt) {
  uint64_t value = 0;
  {
    const ValueLock lock(d);
    Submission s(q);
    check(d->vtbl->download(d->handle, s.native(), to, mem, offset, bytes));
    s.commit();
    if (q) value = q->submitted();
  }
  if (q) {
    try {
      queue_wait(q, value, TN_FOREVER, interrupt);
    } catch (Error& e) {
      // The target must not be written after we return.
      if (e.code() == TN_CANCELLED) queue_wait(q, value, TN_FOREVER, nullptr);
      throw;
    }
  }
}

}  // namespace

tn_tensor* upload_tensor(tn_ctx* ctx, tn_device* device, const Shape& shape, const void* data) {
  const uint64_t bytes = tn_dtype_bytes(shape.dtype, static_cast<uint64_t>(shape.count()));
  const ProfileScope scope(*ctx->runtime->profiler, "upload", "copy");
  if (device->holds_values()) return upload_value(ctx, device, shape, data);
  DeviceState& ds = ctx->state(device);
  Owned t(ctx, make_output(ctx, ds, shape, ctx->runtime->shapes.intern(device, shape, 0), bytes,
                           size_class(bytes)));
  t.get()->queue = nullptr;
  if (bytes == 0) return t.release();
  if (device->is_inline() && device->host_memory()) {
    std::memcpy(address_of(t.get()->view), data, bytes);
    return t.release();
  }
  Queue* q = ds.copies;
  if (q) queue_throttle(q);
  if (q != ds.queue) {
    // The memory may be one that the compute queue still reads: copies come after what it has now.
    const uint64_t value = ds.queue->submitted();
    if (!ds.queue->done(value) && !q->waited_for(*ds.queue, value)) {
      Submission s(q);
      if (tn_error* e =
              device->vtbl->queue_wait_for(q->native, ds.queue->native, &ds.queue->line, value)) {
        Error error(e);
        if (error.code() != TN_UNIMPLEMENTED) throw error;
        queue_wait(ds.queue, value, TN_FOREVER, &ctx->interrupt);
      } else {
        s.commit();
        q->note_wait(*ds.queue, value);
      }
    }
    t.get()->buffer->readers.fetch_or(1ull << q->index, std::memory_order_relaxed);
  }
  Submission s(q);
  check(device->vtbl->upload(device->handle, s.native(), t.get()->view.mem, t.get()->view.offset,
                             data, bytes));
  s.commit();
  if (q) {
    t.get()->queue = q;
    t.get()->value = q->line.submitted;
  }
  return t.release();
}

void read_bytes(tn_tensor* t, int64_t from, uint64_t bytes, void* to) {
  const BorrowedQueue queue(t->device);
  const uint64_t offset = t->view.offset + static_cast<uint64_t>(from);
  download(queue.get(), t->device, to, t->view.mem, offset, bytes, nullptr);
}

void copy_dense(void* to, const tn_view& v) {
  if (v.count == 0) return;
  if (v.flags & TN_VIEW_CONTIGUOUS)
    std::memcpy(to, address_of(v), tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count)));
  else
    gather_dense(static_cast<char*>(to), address_of(v), v, dtype_size(v.dtype));
}

void check_bools(const char* function, Shape s, const void* data) {
  if (s.dtype != TN_DTYPE_BOOL) return;
  const Shape whole = s;
  for (int i = 0; i < s.rank; ++i)
    if (s.strides[i] == 0 && s.dims[i]) s.dims[i] = 1;  // what is repeated is looked at once
  std::vector<unsigned char> copy(s.dense() ? 0 : static_cast<size_t>(s.count()));
  if (!copy.empty()) copy_dense(copy.data(), view_of(s, data));
  const auto* bytes = copy.empty() ? static_cast<const unsigned char*>(data) : copy.data();
  for (int64_t i = 0; i < s.count(); ++i)
    if (bytes[i] > 1)
      fail(TN_INVALID_ARGUMENT, "{}: an element of {} is the byte {}; true is 1 and false is 0",
           function, shape_text(whole), bytes[i]);
}

void read_tensor(tn_ctx* ctx, tn_tensor* t, void* to) {
  const tn_view& v = t->view;
  const uint64_t size = dtype_size(v.dtype);
  if (is_scalar(t)) {
    std::memcpy(to, &v.mem, size);
    return;
  }
  wait_tensor(ctx, t);
  if (v.count == 0) return;
  const ProfileScope scope(*t->device->runtime->profiler, "download", "copy");
  if (t->device->host_memory()) return copy_dense(to, v);
  std::optional<BorrowedQueue> borrowed;
  Queue* q = nullptr;
  if (ctx && runtime_alive(ctx->runtime) && t->heap == ctx->heap)
    q = ctx->state(t->device).copies;
  else
    q = borrowed.emplace(t->device).get();
  std::atomic<bool>* interrupt = ctx ? &ctx->interrupt : nullptr;
  if (v.flags & TN_VIEW_CONTIGUOUS) {
    const uint64_t bytes = tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count));
    const bool value = t->device->holds_values();
    download(q, t->device, to, value ? t->buffer->mem : v.mem, value ? 0 : v.offset, bytes,
             interrupt);
    return;
  }
  const auto [low, high] = span_of(v, size);
  std::vector<char> staged(static_cast<size_t>(high - low));
  download(q, t->device, staged.data(), v.mem, v.offset + static_cast<uint64_t>(low), staged.size(),
           interrupt);
  gather_dense(static_cast<char*>(to), staged.data() - low, v, size);
}

tn_tensor* wrap_memory(tn_ctx* ctx, tn_device* device, const Shape& shape, const void* data,
                       void (*destroy)(void*), void* user) {
  auto b = std::make_unique<Buffer>();
  b->device = device;
  b->mem = reinterpret_cast<uintptr_t>(data);
  b->bytes = tn_dtype_bytes(shape.dtype, static_cast<uint64_t>(shape.count()));
  const uint64_t id = ctx->runtime->shapes.intern(device, shape, 0);
  tn_tensor* t = make_view(ctx, b.get(), device, shape, id, 0);
  b->destroy = destroy;
  b->user = user;
  Buffer* raw = b.release();
  buffer_release(raw);  // the tensor's is the only reference left
  return t;
}

}  // namespace tenon
