#include <cmath>

#include "op/guards.hpp"
#include "op/node.hpp"
#include "op/recorder.hpp"
#include "op/transfer.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

using namespace tenon;

namespace {

void check_range(tn_dtype dtype, double value) {
  const Kind k = dtype_kind(dtype);
  if (k != Kind::kSigned && k != Kind::kUnsigned) return;
  const int bits = static_cast<int>(TN_DTYPE_BITS(dtype));
  const double low = k == Kind::kSigned ? -std::ldexp(1.0, bits - 1) : 0.0;
  const double high = std::ldexp(1.0, k == Kind::kSigned ? bits - 1 : bits);
  const double v = std::trunc(value);
  if (!(v >= low && v < high))
    fail(TN_OUT_OF_RANGE, "tn_tensor_full: {} does not fit into {}", value, tn_dtype_name(dtype));
}

tn_tensor* copy_to(tn_ctx* ctx, tn_tensor* t, tn_device* device) {
  std::vector<char> staged(tn_tensor_bytes(t));
  read_tensor(ctx, t, staged.data());
  return upload_tensor(ctx, device, dense_shape(t->view.dtype, t->view.rank, t->view.dims),
                       staged.data());
}

template <class T>
tn_error* make_weak(tn_ctx* ctx, const char* function, tn_dtype dtype, T value, tn_tensor** out) {
  return with_ctx(ctx, function, [&] {
    need(out, function, "out_tensor");
    *out = make_scalar(ctx, dtype, true, &value);
  });
}

template <class T, class Convert>
tn_error* item(tn_ctx* ctx, tn_tensor* t, const char* function, T* out, Convert convert) {
  return with_ctx(ctx, function, [&] {
    need_own(ctx, t, function, "tensor");
    need_elements(t, function);
    need(out, function, "out_value");
    if (t->view.count != 1)
      fail(TN_INVALID_ARGUMENT, "{}: the tensor is {}, not one element", function,
           shape_text(t->view));
    if (dtype_kind(t->view.dtype) == Kind::kStorage)
      fail(TN_INVALID_ARGUMENT, "{}: {} is only stored; cast it first", function,
           tn_dtype_name(t->view.dtype));
    if (dtype_kind(t->view.dtype) == Kind::kComplex)
      fail(TN_INVALID_ARGUMENT,
           "{}: the tensor is {}: one number would lose the imaginary part. Read both with "
           "tn_tensor_read.",
           function, shape_text(t->view));
    unsigned char element[16];
    read_tensor(ctx, t, element);
    *out = convert(element, t->view.dtype);
  });
}

int64_t whole_number(const void* element, tn_dtype dtype) {
  const int64_t whole = element_to_i64(element, dtype);
  const double v = element_to_f64(element, dtype);
  const bool integer = dtype_kind(dtype) == Kind::kSigned || dtype_kind(dtype) == Kind::kUnsigned;
  if (integer ? dtype == TN_DTYPE_U64 && whole < 0 : !(v >= -0x1p63 && v < 0x1p63))
    fail(TN_OUT_OF_RANGE, "tn_tensor_item_i64: {} does not fit i64",
         element_text(element, dtype, 9));
  return whole;
}

}  // namespace

extern "C" {

tn_tensor* tn_tensor_retain(tn_tensor* t) { return t ? tensor_retain(t) : nullptr; }
void tn_tensor_release(tn_tensor* t) {
  if (t) tensor_release_remote(t);
}

tn_error* tn_tensor_from_host(tn_ctx* ctx, tn_dtype dtype, uint32_t rank, const int64_t* dims,
                              const void* data, uint64_t bytes, tn_tensor** out) {
  return with_ctx(ctx, "tn_tensor_from_host", [&] {
    need(out, "tn_tensor_from_host", "out_tensor");
    check_dims("tn_tensor_from_host", dtype, rank, dims);
    const Shape s = dense_shape(dtype, rank, dims);
    const uint64_t wanted = tn_dtype_bytes(dtype, static_cast<uint64_t>(s.count()));
    if (bytes != wanted)
      fail(TN_INVALID_ARGUMENT, "tn_tensor_from_host: {} has {} bytes, {} were given",
           shape_text(s), wanted, bytes);
    if (wanted) need(data, "tn_tensor_from_host", "data");
    check_bools("tn_tensor_from_host", s, data);
    *out = upload_tensor(ctx, ctx->device, s, data);
  });
}

tn_error* tn_tensor_wrap(tn_ctx* ctx, tn_dtype dtype, uint32_t rank, const int64_t* dims,
                         const int64_t* strides, const void* data, uint64_t bytes,
                         void(TN_CALL* destroy)(void*), void* user, tn_tensor** out) {
  bool taken = false;  // by a tensor
  tn_error* e = with_ctx(ctx, "tn_tensor_wrap", [&] {
    need(out, "tn_tensor_wrap", "out_tensor");
    check_dims("tn_tensor_wrap", dtype, rank, dims);
    if (TN_DTYPE_BITS(dtype) < 8)
      fail(TN_INVALID_ARGUMENT,
           "tn_tensor_wrap: {} is packed below a byte; use tn_tensor_from_host",
           tn_dtype_name(dtype));
    Shape s = dense_shape(dtype, rank, dims);
    const uint64_t size = dtype_size(dtype);
    uint64_t reach = s.count() ? 1 : 0;
    for (uint32_t i = 0; strides && i < rank && reach; ++i) {
      if (strides[i] < 0)
        fail(TN_INVALID_ARGUMENT,
             "tn_tensor_wrap: stride {} is {}; wrap from the lowest address and flip", i,
             strides[i]);
      uint64_t step;
      if (__builtin_mul_overflow(static_cast<uint64_t>(strides[i]),
                                 static_cast<uint64_t>(dims[i] - 1), &step) ||
          __builtin_add_overflow(reach, step, &reach) || reach >> 46)
        fail(TN_OUT_OF_RANGE, "tn_tensor_wrap: strides reach beyond 2^48 bytes");
      s.strides[i] = strides[i];
    }
    const uint64_t needed =
        strides ? reach * size : tn_dtype_bytes(dtype, static_cast<uint64_t>(s.count()));
    if (bytes < needed)
      fail(TN_INVALID_ARGUMENT, "tn_tensor_wrap: {} reaches over {} bytes, {} were given",
           shape_text(s), needed, bytes);
    if (needed) need(data, "tn_tensor_wrap", "data");
    check_bools("tn_tensor_wrap", s, data);
    const uint64_t align = size > 8 ? size / 2 : size;  // complex: of a part
    if (ctx->device->host_memory() && reinterpret_cast<uintptr_t>(data) % align == 0) {
      *out = wrap_memory(ctx, ctx->device, s, data, destroy, user);
      taken = true;
      return;
    }
    // A copy: of the dense elements.
    std::vector<char> staged(tn_dtype_bytes(dtype, static_cast<uint64_t>(s.count())));
    copy_dense(staged.data(), view_of(s, data));
    *out = upload_tensor(ctx, ctx->device, dense_shape(dtype, rank, dims), staged.data());
  });
  if (!taken && destroy) destroy(user);
  return e;
}

tn_error* tn_tensor_full(tn_ctx* ctx, tn_dtype dtype, double value, uint32_t rank,
                         const int64_t* dims, tn_tensor** out) {
  return with_ctx(ctx, "tn_tensor_full", [&] {
    need(out, "tn_tensor_full", "out_tensor");
    if (!ctx->recorder) check_dims("tn_tensor_full", dtype, rank, dims);
    check_range(dtype, value);
    Owned scalar(ctx, make_scalar(ctx, TN_DTYPE_F64, true, &value));
    static const int64_t none = 0;
    *out = call_one(ctx, TN_OP_FILL, {scalar.get()},
                    {tn_attr_i64s(TN_FILL_DIMS, rank ? dims : &none, rank),
                     tn_attr_dtype(TN_FILL_DTYPE, dtype)})
               .release();
  });
}

tn_error* tn_tensor_scalar_f64(tn_ctx* ctx, double v, tn_tensor** out) {
  return make_weak(ctx, "tn_tensor_scalar_f64", TN_DTYPE_F64, v, out);
}
tn_error* tn_tensor_scalar_i64(tn_ctx* ctx, int64_t v, tn_tensor** out) {
  return make_weak(ctx, "tn_tensor_scalar_i64", TN_DTYPE_I64, v, out);
}
tn_error* tn_tensor_scalar_bool(tn_ctx* ctx, int32_t v, tn_tensor** out) {
  return make_weak(ctx, "tn_tensor_scalar_bool", TN_DTYPE_BOOL, static_cast<uint8_t>(v != 0), out);
}

tn_error* tn_tensor_to(tn_ctx* ctx, tn_tensor* t, tn_str device, tn_tensor** out) {
  return with_ctx(ctx, "tn_tensor_to", [&] {
    need_own(ctx, t, "tn_tensor_to", "tensor");
    need_elements(t, "tn_tensor_to");
    need(out, "tn_tensor_to", "out_tensor");
    tn_device* d = find_device(ctx->runtime, view_of(device));
    if (t->device == d) {
      *out = keep(ctx, t);
      return;
    }
    Owned copy(ctx, copy_to(ctx, t, d));
    if (ctx->grad_mode && t->node) {
      if (t->node->heap != ctx->heap)
        fail(TN_FAILED_PRECONDITION,
             "tn_tensor_to: the tensor was recorded by another context. Use tn_tensor_detach.");
      Node* n = node_make(ctx->heap, NodeKind::kTransfer, 1, 1);
      n->edges[0] = {node_retain(t->node), t->out_index};
      n->from = t->device;
      copy.get()->node = n;
      copy.get()->out_index = 0;
    }
    *out = copy.release();
  });
}

tn_error* tn_tensor_detach(tn_ctx* ctx, tn_tensor* t, tn_tensor** out) {
  return with_ctx(ctx, "tn_tensor_detach", [&] {
    need_own(ctx, t, "tn_tensor_detach", "tensor");
    need(out, "tn_tensor_detach", "out_tensor");
    if (ctx->recorder && is_abstract(t)) {
      *out = ctx->recorder->detach(t).release();
      return;
    }
    if (!t->node) {
      *out = keep(ctx, t);
      return;
    }
    tn_tensor* v =
        make_view(ctx, t->buffer, t->device, shape_of(t->view), t->shape_id, t->view.offset);
    v->queue = t->queue;
    v->value = t->value;
    *out = v;
  });
}

tn_dtype tn_tensor_dtype(const tn_tensor* t) { return t ? t->view.dtype : TN_DTYPE_NONE; }
uint32_t tn_tensor_rank(const tn_tensor* t) { return t ? t->view.rank : 0; }
const int64_t* tn_tensor_dims(const tn_tensor* t) { return t ? t->view.dims : nullptr; }
const int64_t* tn_tensor_strides(const tn_tensor* t) { return t ? t->view.strides : nullptr; }
int64_t tn_tensor_count(const tn_tensor* t) { return t ? t->view.count : 0; }
uint64_t tn_tensor_bytes(const tn_tensor* t) {
  return t ? tn_dtype_bytes(t->view.dtype, static_cast<uint64_t>(t->view.count)) : 0;
}
tn_device* tn_tensor_get_device(const tn_tensor* t) { return t ? t->device : nullptr; }
int32_t tn_tensor_requires_grad(const tn_tensor* t) { return t && t->node; }

tn_error* tn_tensor_read(tn_ctx* ctx, tn_tensor* t, void* data, uint64_t bytes) {
  return with_ctx(ctx, "tn_tensor_read", [&] {
    need_own(ctx, t, "tn_tensor_read", "tensor");
    need_elements(t, "tn_tensor_read");
    const uint64_t wanted = tn_tensor_bytes(t);
    if (bytes != wanted)
      fail(TN_INVALID_ARGUMENT, "tn_tensor_read: {} has {} bytes, room for {} was given",
           shape_text(t->view), wanted, bytes);
    if (wanted) need(data, "tn_tensor_read", "data");
    read_tensor(ctx, t, data);
  });
}

tn_error* tn_tensor_item_f64(tn_ctx* ctx, tn_tensor* t, double* out) {
  return item(ctx, t, "tn_tensor_item_f64", out, element_to_f64);
}
tn_error* tn_tensor_item_i64(tn_ctx* ctx, tn_tensor* t, int64_t* out) {
  return item(ctx, t, "tn_tensor_item_i64", out, whole_number);
}

tn_error* tn_tensor_get_data(tn_ctx* ctx, tn_tensor* t, const void** out) {
  return with_ctx(ctx, "tn_tensor_get_data", [&] {
    need_own(ctx, t, "tn_tensor_get_data", "tensor");
    need_elements(t, "tn_tensor_get_data");
    need(out, "tn_tensor_get_data", "out_data");
    if (is_scalar(t)) {
      *out = &t->view.mem;
      return;
    }
    if (!t->device->host_memory())
      fail(TN_UNIMPLEMENTED,
           "tn_tensor_get_data: the host cannot address memory of {}; use tn_tensor_read",
           t->device->name);
    wait_tensor(ctx, t);
    *out = reinterpret_cast<const char*>(static_cast<uintptr_t>(t->view.mem)) + t->view.offset;
  });
}

}  // extern "C"
