#include "tenon/dlpack.h"
#include "op/guards.hpp"
#include "op/recorder.hpp"
#include "op/transfer.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

using namespace tenon;

namespace {

void run_deleter(void* p) {
  auto* m = static_cast<tn_dl_managed*>(p);
  if (m->deleter) m->deleter(m);
}

struct Exported {
  tn_dl_managed managed{};
  tn_tensor* tensor = nullptr;
  int64_t dims[TN_MAX_RANK] = {}, strides[TN_MAX_RANK] = {};
};

void TN_CALL delete_exported(tn_dl_managed* m) {
  auto* e = static_cast<Exported*>(m->manager_ctx);
  tensor_release_remote(e->tensor);
  delete e;
}

// DLPACK_FLAG_BITMASK_IS_SUBBYTE_TYPE_PADDED of DLPack 1.1: each element has a byte of its own.
constexpr uint64_t kPadded = 4;

// *taken: from here on a tensor owns it.
tn_tensor* import(tn_ctx* ctx, tn_dl_managed* m, bool* taken) {
  if (m->version_major != 1)
    fail(TN_INCOMPATIBLE, "tn_tensor_from_dlpack: version {}.{}, this library reads 1.x",
         m->version_major, m->version_minor);
  const tn_dl_tensor& t = m->tensor;
  if (t.device_type != TN_DL_CPU)
    fail(TN_UNIMPLEMENTED,
         "tn_tensor_from_dlpack: device type {}; only memory of the host (1) can be taken",
         t.device_type);
  if (t.ndim < 0) fail(TN_INVALID_ARGUMENT, "tn_tensor_from_dlpack: ndim is {}", t.ndim);
  const tn_dtype dtype = TN_DTYPE_MAKE(t.dtype_code, t.dtype_bits, t.dtype_lanes);
  check_dims("tn_tensor_from_dlpack", dtype, static_cast<uint32_t>(t.ndim), t.shape);
  Shape s = dense_shape(dtype, static_cast<uint32_t>(t.ndim), t.shape);
  for (int i = 0; t.strides && i < s.rank; ++i) {
    s.strides[i] = t.strides[i];
    int64_t reach = 0;
    if (__builtin_mul_overflow(t.strides[i], std::max<int64_t>(s.dims[i] - 1, 0), &reach) ||
        std::abs(reach) >> 46)
      fail(TN_OUT_OF_RANGE,
           "tn_tensor_from_dlpack: stride {} of axis {} reaches beyond 2^46 elements", t.strides[i],
           i);
  }
  if (t.byte_offset >> 48)
    fail(TN_OUT_OF_RANGE, "tn_tensor_from_dlpack: byte_offset is {}", t.byte_offset);
  const char* data = static_cast<const char*>(t.data) + t.byte_offset;
  if (s.count() && !t.data) fail(TN_INVALID_ARGUMENT, "tn_tensor_from_dlpack: data is NULL");
  const uint64_t size = dtype_size(dtype), align = size > 8 ? size / 2 : size;
  if (reinterpret_cast<uintptr_t>(data) % align)
    fail(TN_INVALID_ARGUMENT, "tn_tensor_from_dlpack: elements are not aligned to their size");
  check_bools("tn_tensor_from_dlpack", s, data);
  if (TN_DTYPE_BITS(dtype) < 8) {  // copied, as tn_tensor_wrap refuses them
    if (!s.dense() || m->flags & kPadded)
      fail(TN_UNIMPLEMENTED, "tn_tensor_from_dlpack: elements of {} must be dense and packed",
           tn_dtype_name(dtype));
    tn_tensor* copy = upload_tensor(ctx, ctx->device, s, data);
    *taken = true;
    run_deleter(m);
    return copy;
  }
  // Over host memory on any host device; other devices get a copy, made from a tensor that wraps it.
  tn_device* host = ctx->device->host_memory() ? ctx->device : find_device(ctx->runtime, "cpu");
  tn_tensor* wrapped = wrap_memory(ctx, host, s, data, run_deleter, m);
  *taken = true;
  wrapped->buffer->imported = true;
  if (host == ctx->device) return wrapped;
  Owned owned(ctx, wrapped);
  tn_tensor* out = nullptr;
  check(tn_tensor_to(ctx, wrapped, str_of(ctx->device->name), &out));
  return out;
}

}  // namespace

extern "C" {

tn_error* tn_tensor_from_dlpack(tn_ctx* ctx, tn_dl_managed* m, tn_tensor** out) {
  bool taken = false;
  tn_error* e = with_ctx(ctx, "tn_tensor_from_dlpack", [&] {
    need(m, "tn_tensor_from_dlpack", "managed");
    need(out, "tn_tensor_from_dlpack", "out_tensor");
    *out = import(ctx, m, &taken);
  });
  if (e && !taken && m && m->deleter) m->deleter(m);
  return e;
}

tn_error* tn_tensor_to_dlpack(tn_ctx* ctx, tn_tensor* t, uint64_t stream, tn_dl_managed** out) {
  (void)stream;  // host memory has no queue: the wait below is what the protocol asks for
  return with_ctx(ctx, "tn_tensor_to_dlpack", [&] {
    need_own(ctx, t, "tn_tensor_to_dlpack", "tensor");
    need_elements(t, "tn_tensor_to_dlpack");
    need(out, "tn_tensor_to_dlpack", "out_managed");
    if (!t->device || !t->device->host_memory())
      fail(TN_UNIMPLEMENTED,
           "tn_tensor_to_dlpack: {} has no memory that others can address; copy it to cpu with "
           "tn_tensor_to",
           t->device ? t->device->name : "a host scalar");
    wait_tensor(ctx, t);
    auto e = std::make_unique<Exported>();
    for (int i = 0; i < t->view.rank; ++i)
      e->dims[i] = t->view.dims[i], e->strides[i] = t->view.strides[i];
    tn_dl_managed& m = e->managed;
    m.version_major = 1;
    m.manager_ctx = e.get();
    m.deleter = delete_exported;
    m.flags = TN_DL_READ_ONLY;
    m.tensor = {reinterpret_cast<void*>(static_cast<uintptr_t>(t->view.mem)),
                TN_DL_CPU,
                0,
                t->view.rank,
                static_cast<uint8_t>(TN_DTYPE_CODE(t->view.dtype)),
                static_cast<uint8_t>(TN_DTYPE_BITS(t->view.dtype)),
                static_cast<uint16_t>(TN_DTYPE_LANES(t->view.dtype)),
                e->dims,
                e->strides,
                t->view.offset};
    e->tensor = tensor_retain(t);
    *out = &e.release()->managed;
  });
}

}  // extern "C"
