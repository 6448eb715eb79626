// Devices whose tensors are values (TN_DEVICE_VALUES), for the layers below captures, which have what is said here: ops are recorded in a
// context's rolling graph, which is compiled and executed when it is flushed. Tensors of a value share its buffer, whose mem is the
// handle; those of views are values of their own. A tensor's own mem and queue say nothing.
#pragma once
#include "context.hpp"

namespace tenon {

tn_tensor* upload_value(tn_ctx* ctx, tn_device* device, const Shape& shape, const void* data);
// Executes what makes it if that is only recorded; waits. Throws what went wrong, naming the op. ctx may be null.
void wait_value(tn_ctx* ctx, tn_tensor* t);
// Starts what the context recorded, on all devices; the first error, when all were tried.
void flush_values(tn_ctx* ctx);
// The same when the context goes, and what it has for it.
void end_values(tn_ctx* ctx) noexcept;

// One thread at a time works on a device's values; on another device it does nothing.
class ValueLock {
 public:
  explicit ValueLock(tn_device* d) {
    if (d->holds_values()) lock_ = std::unique_lock(d->value_mutex);
  }

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

}  // namespace tenon
