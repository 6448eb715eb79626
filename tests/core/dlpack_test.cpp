// Tensors handed on by DLPack: who frees what, in either order, and what is refused.
#include "tenon/dlpack.h"
#include "fixture.hpp"

using namespace tenon::test;

namespace {

// A producer of the test's own, which counts how often it is told to go.
struct Producer {
  float data[6] = {1, 2, 3, 4, 5, 6};
  int64_t shape[2] = {2, 3}, strides[2] = {3, 1};
  int deleted = 0;
  tn_dl_managed managed{};
  Producer() {
    managed.version_major = 1;
    managed.manager_ctx = this;
    managed.deleter = [](tn_dl_managed* m) { ++static_cast<Producer*>(m->manager_ctx)->deleted; };
    managed.tensor = {data, TN_DL_CPU, 0, 2, 2, 32, 1, shape, strides, 0};
  }
};

bool on_host(tn_ctx* ctx) {
  tn_device_info info = tn_device_info_init();
  REQUIRE_OK(tn_device_get_info(tn_ctx_get_device(ctx), &info));
  return info.host_addressable != 0;
}

}  // namespace

TEST_CASE("dlpack: import shares the memory where the device can, and copies elsewhere") {
  Session cx;
  Producer p;
  {
    const Tensor t = get([&](tn_tensor** o) { return tn_tensor_from_dlpack(cx, &p.managed, o); });
    check_close(cx.read(t), {1, 2, 3, 4, 5, 6}, 0);
    const Tensor twice = get([&](tn_tensor** o) { return tn_add(cx, t.get(), t.get(), o); });
    check_close(cx.read(twice), {2, 4, 6, 8, 10, 12}, 0);
    const void* data = nullptr;
    if (on_host(cx)) {
      REQUIRE_OK(tn_tensor_get_data(cx, t.get(), &data));
      CHECK(data == p.data);
      CHECK(p.deleted == 0);
    }
  }
  cx.ctx.reset();
  CHECK(p.deleted == 1);
}

TEST_CASE("dlpack: the strides of a producer") {
  Session cx;
  Producer p;
  p.shape[0] = 3, p.shape[1] = 2, p.strides[0] = 1, p.strides[1] = 3;  // transposed
  {
    const Tensor t = get([&](tn_tensor** o) { return tn_tensor_from_dlpack(cx, &p.managed, o); });
    check_close(cx.read(t), {1, 4, 2, 5, 3, 6}, 0);
  }
  cx.ctx.reset();
  CHECK(p.deleted == 1);
}

TEST_CASE("dlpack: what an import refuses is given back once") {
  Session cx;
  const auto refused = [&](auto change, tn_code code, const char* text) {
    Producer p;
    change(p);
    tn_tensor* out = nullptr;
    CHECK_FAILS(tn_tensor_from_dlpack(cx, &p.managed, &out), code, text);
    CHECK(out == nullptr);
    CHECK(p.deleted == 1);
  };
  refused([](Producer& p) { p.managed.version_major = 2; }, TN_INCOMPATIBLE, "version 2.0");
  refused([](Producer& p) { p.managed.version_major = 0; }, TN_INCOMPATIBLE, "version 0.0");
  refused([](Producer& p) { p.managed.tensor.device_type = 2; }, TN_UNIMPLEMENTED, "device type 2");
  refused([](Producer& p) { p.managed.tensor.ndim = -1; }, TN_INVALID_ARGUMENT, "ndim is -1");
  refused([](Producer& p) { p.managed.tensor.ndim = 9; }, TN_INVALID_ARGUMENT,
          "rank 9 is above the limit of 8");
  refused([](Producer& p) { p.managed.tensor.dtype_bits = 7; }, TN_INVALID_ARGUMENT, "dtype");
  refused([](Producer& p) { p.shape[0] = -3; }, TN_INVALID_ARGUMENT, "dim 0 is -3");
  refused([](Producer& p) { p.managed.tensor.data = nullptr; }, TN_INVALID_ARGUMENT,
          "data is NULL");
  refused([](Producer& p) { p.managed.tensor.byte_offset = 1; }, TN_INVALID_ARGUMENT,
          "not aligned");
  refused([](Producer& p) { p.managed.tensor.shape = nullptr; }, TN_INVALID_ARGUMENT, "NULL");
  Producer p;
  CHECK_FAILS(tn_tensor_from_dlpack(cx, &p.managed, nullptr), TN_INVALID_ARGUMENT, "out_tensor");
  CHECK(p.deleted == 1);
  CHECK_FAILS(tn_tensor_from_dlpack(nullptr, &p.managed, nullptr), TN_INVALID_ARGUMENT, "ctx");
  CHECK(p.deleted == 2);
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_tensor_from_dlpack(cx, nullptr, &out), TN_INVALID_ARGUMENT, "managed is NULL");
}

TEST_CASE("dlpack: an export outlives what it came from") {
  tn_dl_managed* m = nullptr;
  const void* data = nullptr;
  {
    Session cx;
    const Tensor t = cx.f32({1, 2, 3, 4}, {2, 2});
    if (!on_host(cx)) {
      CHECK_FAILS(tn_tensor_to_dlpack(cx, t.get(), 0, &m), TN_UNIMPLEMENTED,
                  "copy it to cpu with tn_tensor_to");
      CHECK(m == nullptr);
      return;
    }
    REQUIRE_OK(tn_tensor_to_dlpack(cx, t.get(), 0, &m));
    REQUIRE_OK(tn_tensor_get_data(cx, t.get(), &data));
    CHECK(m->version_major == 1);
    CHECK((m->flags & TN_DL_READ_ONLY) != 0);
    CHECK(m->tensor.data != nullptr);
    CHECK(static_cast<const char*>(m->tensor.data) + m->tensor.byte_offset == data);
    CHECK(m->tensor.ndim == 2);
    CHECK(m->tensor.dtype_code == 2);
    CHECK(m->tensor.dtype_bits == 32);
    CHECK(m->tensor.strides[0] == 2);
    Session other;  // taken over by another runtime, while the first still lives
    tn_tensor* back = nullptr;
    tn_dl_managed* second = nullptr;
    REQUIRE_OK(tn_tensor_to_dlpack(cx, t.get(), 0, &second));
    REQUIRE_OK(tn_tensor_from_dlpack(other, second, &back));
    const Tensor taken(back);
    check_close(other.read(taken), {1, 2, 3, 4}, 0);
  }
  m->deleter(m);  // long after the tensor, the context and the runtime
}

TEST_CASE("dlpack: an export that goes first leaves the tensor as it is") {
  Session cx;
  if (!on_host(cx)) return;
  const Tensor t = cx.f32({1, 2, 3}, {3});
  for (int i = 0; i < 3; ++i) {
    tn_dl_managed* m = nullptr;
    REQUIRE_OK(tn_tensor_to_dlpack(cx, t.get(), 0, &m));
    m->deleter(m);
  }
  check_close(cx.read(t), {1, 2, 3}, 0);
}

TEST_CASE("dlpack: what an export refuses") {
  Session cx;
  const Tensor t = cx.f32({1}, {1});
  tn_dl_managed* m = nullptr;
  CHECK_FAILS(tn_tensor_to_dlpack(cx, nullptr, 0, &m), TN_INVALID_ARGUMENT, "tensor is NULL");
  CHECK_FAILS(tn_tensor_to_dlpack(cx, t.get(), 0, nullptr), TN_INVALID_ARGUMENT, "out_managed");
  const Tensor scalar = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 1, o); });
  CHECK_FAILS(tn_tensor_to_dlpack(cx, scalar.get(), 0, &m), TN_UNIMPLEMENTED, "a host scalar");
  CHECK(m == nullptr);
}

TEST_CASE("dlpack: elements of four bits come in as a copy and go out packed") {
  Session cx;
  Producer p;
  const uint8_t packed[] = {0x21, 0x43, 0x05};
  p.shape[0] = 5;
  p.managed.tensor = {const_cast<uint8_t*>(packed), TN_DL_CPU, 0, 1, 1, 4, 1, p.shape, nullptr, 0};
  const Tensor t = get([&](tn_tensor** o) { return tn_tensor_from_dlpack(cx, &p.managed, o); });
  CHECK(p.deleted == 1);
  CHECK(tn_tensor_dtype(t.get()) == TN_DTYPE_U4);
  const Tensor wide = get([&](tn_tensor** o) { return tn_cast(cx, t.get(), TN_DTYPE_F32, o); });
  check_close(cx.read(wide), {1, 2, 3, 4, 5}, 0);
  if (on_host(cx)) {
    tn_dl_managed* out = nullptr;
    REQUIRE_OK(tn_tensor_to_dlpack(cx, t.get(), 0, &out));
    CHECK(out->tensor.dtype_bits == 4);
    CHECK(static_cast<const uint8_t*>(out->tensor.data)[out->tensor.byte_offset + 1] == 0x43);
    out->deleter(out);
  }
  tn_tensor* refused = nullptr;
  p.managed.flags = 4;  // a byte for each
  CHECK_FAILS(tn_tensor_from_dlpack(cx, &p.managed, &refused), TN_UNIMPLEMENTED,
              "elements of u4 must be dense and packed");
  p.managed.flags = 0, p.strides[0] = 2, p.managed.tensor.strides = p.strides;
  CHECK_FAILS(tn_tensor_from_dlpack(cx, &p.managed, &refused), TN_UNIMPLEMENTED,
              "elements of u4 must be dense and packed");
  CHECK(p.deleted == 3);
}
