// The tensor object, its buffer, and the heap that owns tensors for a context.
#pragma once
#include <atomic>
#include <cstring>
#include <mutex>

#include "dtype.hpp"
#include "tenon/tensor.h"

struct tn_ctx;
struct tn_device;

namespace tenon {

struct Queue;
struct Heap;
struct Node;
class Allocator;
class Rolling;
struct OpEntry;

// One block of device memory, shared by the tensors that view it. Thread rules: counts are atomic; the rest is constant but for
// `readers`, which is atomic.
struct Buffer {
  std::atomic<uint32_t> refs{1};
  uint32_t size_class = 0;
  tn_device* device = nullptr;
  Allocator* allocator = nullptr;  // null: memory of somebody else, see destroy
  uint64_t mem = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  Queue* home = nullptr;  // the queue whose order makes reuse safe; null on inline devices
  std::atomic<uint64_t> readers{0};  // other queues that used it, one bit per queue index
  void (*destroy)(void* user) = nullptr;
  void* user = nullptr;
  bool abstract = false;  // no memory: see kAbstract
  bool imported = false;  // memory of somebody who may write to it
  // Of a value (TN_DEVICE_VALUES), under the device's value_mutex: mem is its handle, made on `home` by `ready`.
  Rolling* pending = nullptr;  // it is recorded there, and mem is 0
  const OpEntry* maker = nullptr;
  uint64_t ready = 0;
  uint32_t number = 0;  // in what uses it, if that agrees
};

void buffer_destroy(Buffer* b) noexcept;  // last reference gone (device/buffer.cpp)
inline void buffer_retain(Buffer* b) noexcept { b->refs.fetch_add(1, std::memory_order_relaxed); }
inline void buffer_release(Buffer* b) noexcept {
  if (b && b->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) buffer_destroy(b);
}

enum TensorFlags : uint32_t {
  kRecyclable =
      1,  // dense over the start of a buffer of its own: may go to the context's list of dead tensors
  kWideDims = 2,  // rank > 4: dims and strides lie in memory of their own
  kScalar = 4,    // host scalar: no device, no buffer
  kExternal = 8,  // memory of somebody else: alignment is only that of an element
  kAbstract =
      16,  // a value of a capture: the buffer stands for the capture, view.offset says which value
};

// Bits of the word of shared references: count * 2 + queued.
constexpr uint32_t kQueued = 1;

}  // namespace tenon

// 192 bytes: two hot lines, one for dims and strides. Counted twice: `local` plainly by the thread of the owning context, `shared`
// atomically by everybody else; the object dies when the sum is 0, seen by the owner.
struct alignas(64) tn_tensor {
  tn_view view;
  uint64_t shape_id;
  tenon::Buffer* buffer;

  int32_t local;
  std::atomic<uint32_t>
      shared;  // two's complement count in the upper 31 bits, kQueued in the lowest
  tenon::Heap* heap;
  tn_device* device;    // null for a host scalar
  tenon::Queue* queue;  // the queue that produces it; null: done
  uint64_t value;       // on that queue's timeline
  tenon::Node* node;    // tape node that made it; null: needs no gradient
  uint32_t out_index;   // which output of the node
  uint32_t flags;
  tn_tensor* next;  // free list, or the list of remote releases

  int64_t dims[4];
  int64_t strides[4];
};
static_assert(sizeof(tn_view) == 48 || sizeof(void*) != 8);
static_assert(sizeof(tn_tensor) == 192 || sizeof(void*) != 8);

namespace tenon {

inline bool is_scalar(const tn_tensor* t) { return (t->flags & kScalar) != 0; }
inline bool is_abstract(const tn_tensor* t) { return (t->flags & kAbstract) != 0; }

// Dims of a tensor, of a view or of a result yet to be made.
struct Shape {
  tn_dtype dtype = TN_DTYPE_NONE;
  uint8_t rank = 0;
  int64_t dims[TN_MAX_RANK] = {};
  int64_t strides[TN_MAX_RANK] = {};

  int64_t count() const {  // -1: a size is symbolic
    uint64_t n = 1;
    int64_t signs = 0;
    for (int i = 0; i < rank; ++i) {
      n *= static_cast<uint64_t>(dims[i]);
      signs |= dims[i];
    }
    return signs < 0 ? -1 : static_cast<int64_t>(n);
  }
  void set_dense();  // strides from dims; zeros where a size is symbolic
  bool dense() const;
};
Shape shape_of(const tn_view& v);
Shape dense_shape(tn_dtype dtype, uint32_t rank, const int64_t* dims);
tn_view view_of(const Shape& s, const void* data = nullptr);  // of host memory; lends the dims
// Of shapes and views.
template <class A, class B>
bool same_dims(const A& a, const B& b) {
  return a.rank == b.rank && std::memcmp(a.dims, b.dims, sizeof(int64_t) * a.rank) == 0;
}
template <class A, class B>
bool same_type(const A& a, const B& b) {
  return a.dtype == b.dtype && same_dims(a, b);
}
inline bool same_layout(const Shape& a, const Shape& b) {
  return same_type(a, b) && std::memcmp(a.strides, b.strides, sizeof(int64_t) * a.rank) == 0;
}
bool dense_strides(int rank, const int64_t* dims, const int64_t* strides);
// "f32[64, 784]"
std::string shape_text(tn_dtype dtype, int rank, const int64_t* dims);
template <class T>
std::string shape_text(const T& of) {  // a shape or a view
  return shape_text(of.dtype, of.rank, of.dims);
}
// Throws on rank > TN_MAX_RANK, a negative dim, or more bytes than 2^48.
void check_dims(const char* what, tn_dtype dtype, uint32_t rank, const int64_t* dims);

// Interned {device, dtype, dims, strides}: equal ids mean equal metadata; ids are never reused, so that a forgotten entry costs a
// miss and nothing else. Bounded. One per runtime, with ids that no other runtime of the process has; any thread.
class ShapeTable {
 public:
  uint64_t intern(const tn_device* device, const Shape& s, uint32_t flags);

 private:
  struct Slot {
    uint64_t hash = 0, id = 0;
    const tn_device* device = nullptr;
    Shape shape;
    uint32_t flags = 0;
  };
  std::mutex mutex_;
  uint64_t next_;
  Slot* slots_ = nullptr;

 public:
  ShapeTable();
  ShapeTable(const ShapeTable&) = delete;
  ~ShapeTable();
};

}  // namespace tenon
