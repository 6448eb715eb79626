// Elements between the host and devices.
#pragma once
#include "context.hpp"

namespace tenon {

// A dense tensor on `device` from dense host memory.
tn_tensor* upload_tensor(tn_ctx* ctx, tn_device* device, const Shape& shape, const void* data);
// Waits, then writes the elements, dense row-major. ctx may be null (then an interrupt does not reach it).
void read_tensor(tn_ctx* ctx, tn_tensor* t, void* to);
// Bytes from element (0, 0, ...) + `from` on, of a tensor that is there, on a device whose memory the host does not address.
void read_bytes(tn_tensor* t, int64_t from, uint64_t bytes, void* to);
// Element (0, 0, ...) of a view of host memory.
inline char* address_of(const tn_view& v) {
  return reinterpret_cast<char*>(static_cast<uintptr_t>(v.mem + v.offset));
}
// The elements of a view of host memory, dense row-major.
void copy_dense(void* to, const tn_view& v);
// Elements of bool, in host memory, must be 0 or 1.
void check_bools(const char* function, Shape s, const void* data);
// A tensor over host memory that destroy(user) gives back; dense or strided. The device must address host memory.
tn_tensor* wrap_memory(tn_ctx* ctx, tn_device* device, const Shape& shape, const void* data,
                       void (*destroy)(void*), void* user);

}  // namespace tenon
