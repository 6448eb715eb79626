// Bad input is a clear error, and nothing is lost.
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.hpp"

using namespace tenon::test;

TEST_CASE("errors: what does not fit together") {
  Session cx;
  const Tensor a = cx.f32(std::vector<float>(8, 1), {2, 4}),
               b = cx.f32(std::vector<float>(6, 1), {3, 2});
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_matmul(cx, a.get(), b.get(), nullptr, &out), TN_INVALID_ARGUMENT, "f32[2, 4]");
  CHECK_FAILS(tn_matmul(cx, a.get(), b.get(), nullptr, &out), TN_INVALID_ARGUMENT,
              "inner dimensions differ");
  CHECK_FAILS(tn_add(cx, a.get(), b.get(), &out), TN_INVALID_ARGUMENT, "add: ");
  const int64_t dims[] = {3, 3}, perm[] = {0, 0}, negative[] = {-2};
  CHECK_FAILS(tn_reshape(cx, a.get(), 2, dims, &out), TN_INVALID_ARGUMENT, "reshape: ");
  CHECK_FAILS(tn_transpose(cx, a.get(), 2, perm, &out), TN_INVALID_ARGUMENT, "transpose: ");
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, negative, &out), TN_INVALID_ARGUMENT,
              "dim 0 is -2");
  tn_softmax_options s = tn_softmax_options_init();
  s.axis = 5;
  CHECK_FAILS(tn_softmax(cx, a.get(), &s, &out), TN_OUT_OF_RANGE,
              "softmax: axis 5 is out of range for rank 2");
  CHECK(out == nullptr);
}

TEST_CASE("errors: sizes that overflow") {
  Session cx;
  const int64_t huge[] = {INT64_MAX, INT64_MAX}, large[] = {int64_t{1} << 40, int64_t{1} << 20};
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 0, 2, huge, &out), TN_OUT_OF_RANGE, "2^48 bytes");
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 0, 2, large, &out), TN_OUT_OF_RANGE, "2^48 bytes");
  const int64_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 0, 9, many, &out), TN_INVALID_ARGUMENT,
              "rank 9 is above the limit of 8");
  const int64_t two[] = {2};
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_I8, 300, 1, two, &out), TN_OUT_OF_RANGE,
              "300 does not fit into i8");
}

TEST_CASE("errors: pointers and ids that are not there") {
  Session cx;
  const Tensor a = cx.f32({1}, {1});
  tn_tensor* out = nullptr;
  tn_tensor* in = a.get();
  uint32_t n = 0;
  CHECK_FAILS(tn_op_call(nullptr, TN_OP_NEG, &in, 1, nullptr, 0, &out, 1, &n), TN_INVALID_ARGUMENT,
              "ctx is NULL");
  CHECK_FAILS(tn_op_call(cx, TN_OP_NEG, nullptr, 1, nullptr, 0, &out, 1, &n), TN_INVALID_ARGUMENT,
              "NULL");
  CHECK_FAILS(tn_op_call(cx, TN_OP_NEG, &in, 1, nullptr, 0, nullptr, 1, &n), TN_INVALID_ARGUMENT,
              "NULL");
  CHECK_FAILS(tn_op_call(cx, 63, &in, 1, nullptr, 0, &out, 1, &n), TN_NOT_FOUND,
              "63 is not the id of an op");
  CHECK_FAILS(tn_op_call(cx, TN_OP_ADD, &in, 1, nullptr, 0, &out, 1, &n), TN_INVALID_ARGUMENT,
              "1 input given");
  CHECK_FAILS(tn_add(cx, a.get(), nullptr, &out), TN_INVALID_ARGUMENT, "input b is NULL");
  CHECK_FAILS(tn_op_call(cx, TN_OP_NEG, &in, 1, nullptr, 0, &out, 0, &n), TN_INVALID_ARGUMENT,
              "has 1 outputs, room for 0");
  const tn_attr wrong = tn_attr_f64(0, 1.0), unknown = tn_attr_i64(9, 1);
  const tn_attr twice[] = {tn_attr_i64(0, 0), tn_attr_i64(0, 0)};
  CHECK_FAILS(tn_op_call(cx, TN_OP_SOFTMAX, &in, 1, twice, 2, &out, 1, &n), TN_INVALID_ARGUMENT,
              "attribute axis is given twice");
  CHECK_FAILS(tn_op_call(cx, TN_OP_SOFTMAX, &in, 1, &wrong, 1, &out, 1, &n), TN_INVALID_ARGUMENT,
              "attribute axis has type f64, expected i64");
  CHECK_FAILS(tn_op_call(cx, TN_OP_SOFTMAX, &in, 1, &unknown, 1, &out, 1, &n), TN_INVALID_ARGUMENT,
              "not in its schema");
  CHECK_FAILS(tn_op_call(cx, TN_OP_RESHAPE, &in, 1, nullptr, 0, &out, 1, &n), TN_INVALID_ARGUMENT,
              "attribute dims is missing");
  CHECK_FAILS(tn_tensor_from_host(cx, TN_DTYPE_F32, 1, nullptr, "", 4, &out), TN_INVALID_ARGUMENT,
              "dims is NULL");
  CHECK_FAILS(tn_tensor_from_host(cx, 77, 0, nullptr, "", 4, &out), TN_INVALID_ARGUMENT,
              "is not a dtype");
  tn_device* d = nullptr;
  CHECK_FAILS(tn_device_get(cx.runtime.get(), tn_string("warp:0"), &d), TN_NOT_FOUND, "warp:0");
  CHECK_FAILS(tn_device_get(cx.runtime.get(), tn_string("cpu:x"), &d), TN_INVALID_ARGUMENT,
              "not a device name");
  tn_op op = 0;
  CHECK_FAILS(tn_op_find(cx.runtime.get(), tn_string("frobnicate"), 0, &op), TN_NOT_FOUND,
              "frobnicate");
  CHECK(out == nullptr);
}

TEST_CASE("errors: memory limit names what was wanted") {
  Session cx;
  tn_device* d = tn_ctx_get_device(cx);
  REQUIRE_OK(tn_device_set_memory_limit(d, 8 << 20));
  const int64_t dims[] = {4 << 20};
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, dims, &out), TN_OUT_OF_MEMORY,
              "wanted 16.0 MiB (f32[4194304]) over a limit of 8.0 MiB; ");
  const int64_t small[] = {1 << 10}, half[] = {1 << 18};
  REQUIRE_OK(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, small, &out));
  const Tensor kept(out);
  REQUIRE_OK(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, half, &out));
  const Tensor one(out);
  REQUIRE_OK(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, half, &out));
  const Tensor two(out);
  CHECK_FAILS(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, dims, &out), TN_OUT_OF_MEMORY,
              " blocks, 2.1 MiB are reserved. Largest: 2 of 1.0 MiB, 1 of 4.0 KiB");
  REQUIRE_OK(tn_device_set_memory_limit(d, 0));
  REQUIRE_OK(tn_tensor_full(cx, TN_DTYPE_F32, 1, 1, dims, &out));
  tn_tensor_release(out);
}

TEST_CASE("errors: a path with a NUL byte is refused by every function that takes one") {
  Session cx;
  tn_runtime* rt = cx.runtime.get();
  const tn_str path{"a.safetensors\0b", 15};
  const char* why = "path has a NUL byte after \"a.safetensors\"";
  tn_model* model = nullptr;
  CHECK_FAILS(tn_model_open(rt, path, nullptr, &model), TN_INVALID_ARGUMENT, why);
  CHECK_FAILS(tn_model_save(cx, path, nullptr, nullptr, 0, nullptr, 0, nullptr),
              TN_INVALID_ARGUMENT, why);
  CHECK_FAILS(tn_plugin_load(rt, path), TN_INVALID_ARGUMENT, why);
  REQUIRE_OK(tn_profile_start(rt, 0));
  CHECK_FAILS(tn_profile_stop(rt, path), TN_INVALID_ARGUMENT, why);
  CHECK_FAILS(tn_profile_stop(rt, {}), TN_INVALID_ARGUMENT, "the path is empty");
  REQUIRE_OK(tn_profile_stop(rt, tn_string("/dev/null")));
  tn_runtime_desc d = tn_runtime_desc_init();
  d.plugin_paths = &path, d.plugin_path_count = 1;
  tn_runtime* other = nullptr;
  CHECK_FAILS(tn_runtime_create(&d, &other), TN_INVALID_ARGUMENT,
              "tn_runtime_create: the plugin path has a NUL byte");
  d.plugin_path_count = 0, d.lock_file = path;
  CHECK_FAILS(tn_runtime_create(&d, &other), TN_INVALID_ARGUMENT,
              "tn_runtime_create: the lock file has a NUL byte");
  CHECK(other == nullptr);
}

TEST_CASE("errors: a negative size names the op and the attribute") {
  Session cx;
  const Tensor a = cx.f32({1, 2, 3, 4}, {2, 2});
  const int64_t dims[] = {3, -7}, repeats[] = {2, -3};
  tn_tensor* out = nullptr;
  const Tensor one = get([&](tn_tensor** o) { return tn_tensor_scalar_f64(cx, 1, o); });
  CHECK_FAILS(tn_fill(cx, one.get(), 2, dims, nullptr, &out), TN_INVALID_ARGUMENT,
              "fill: attribute dims has -7; a size cannot be negative");
  CHECK_FAILS(tn_uniform(cx, 2, dims, nullptr, &out), TN_INVALID_ARGUMENT,
              "attribute dims has -7; a size cannot be negative");
  CHECK_FAILS(tn_expand(cx, a.get(), 2, dims, &out), TN_INVALID_ARGUMENT, "expand: ");
  CHECK_FAILS(tn_tile(cx, a.get(), 2, repeats, &out), TN_INVALID_ARGUMENT, "tile: ");
  CHECK(out == nullptr);
}

TEST_CASE("errors: an attribute out of its range is named, with what it may be") {
  Session cx;
  const Tensor x = cx.f32(std::vector<float>(32, 1.f), {1, 2, 4, 4}),
               w = cx.f32(std::vector<float>(54, 1.f), {3, 2, 3, 3});
  const auto fails = [&](tn_op op, std::vector<tn_tensor*> in, std::vector<tn_attr> attrs,
                         tn_code code, const std::string& message) {
    tn_tensor* out = nullptr;
    uint32_t n = 0;
    const Outcome o(tn_op_call(cx, op, in.data(), static_cast<uint32_t>(in.size()), attrs.data(),
                               static_cast<uint32_t>(attrs.size()), &out, 1, &n));
    CHECK(o.code == code);
    CHECK(o.message == message);
  };
  const auto invalid = [&](tn_op op, std::vector<tn_tensor*> in, std::vector<tn_attr> attrs,
                           const char* message) {
    fails(op, std::move(in), std::move(attrs), TN_INVALID_ARGUMENT, message);
  };
  const int64_t none[] = {2, 0}, minus[] = {0, -1}, two[] = {2, 2}, far[] = {1, 1LL << 40},
                most[] = {1, INT64_MAX}, flat[] = {0, 0, 0, INT64_MAX}, zeros[] = {0, 0, 0, 0};
  const auto list = [](uint32_t key, const int64_t* v) { return tn_attr_i64s(key, v, 2); };
  tn_tensor *const t = x.get(), *const k = w.get();
  invalid(TN_OP_MAX_POOL2D, {t}, {list(TN_MAX_POOL2D_WINDOW, none)},
          "max_pool2d: window has 0; it must be 1 to 2147483647");
  invalid(TN_OP_AVG_POOL2D, {t},
          {list(TN_AVG_POOL2D_WINDOW, two), list(TN_AVG_POOL2D_STRIDE, none)},
          "avg_pool2d: stride has 0; it must be 1 to 2147483647");
  invalid(TN_OP_AVG_POOL2D, {t},
          {list(TN_AVG_POOL2D_WINDOW, two), list(TN_AVG_POOL2D_PADDING, minus)},
          "avg_pool2d: padding has -1; it must be 0 to 2147483647");
  invalid(TN_OP_CONV2D, {t, k}, {list(TN_CONV2D_DILATION, none)},
          "conv2d: dilation has 0; it must be 1 to 2147483647");
  invalid(TN_OP_CONV2D, {t, k}, {list(TN_CONV2D_STRIDE, far)},
          "conv2d: stride has 1099511627776; it must be 1 to 2147483647");
  invalid(TN_OP_CONV2D, {t, k}, {tn_attr_i64(TN_CONV2D_GROUPS, 2)},
          "conv2d: groups is 2; it must divide the 3 output channels of w, f32[3, 2, 3, 3]");
  invalid(TN_OP_LRN, {t}, {tn_attr_i64(TN_LRN_SIZE, 0)},
          "lrn: size is 0; it must be 1 to 2147483647");
  invalid(TN_OP_LRN, {t}, {tn_attr_i64(TN_LRN_SIZE, 3), tn_attr_f64(TN_LRN_BETA, INFINITY)},
          "lrn: beta is inf; it must be a finite number");
  invalid(TN_OP_LEAKY_RELU, {t}, {tn_attr_f64(TN_LEAKY_RELU_SLOPE, NAN)},
          "leaky_relu: slope is nan; it must be a finite number");
  invalid(TN_OP_CELU, {t}, {tn_attr_f64(TN_CELU_ALPHA, 0)},
          "celu: alpha is 0; it must be another number");
  invalid(TN_OP_IOTA, {}, {list(TN_IOTA_DIMS, two), tn_attr_dtype(TN_IOTA_DTYPE, TN_DTYPE_C64)},
          "iota: dtype is c64; it must be integer or floating point");
  invalid(TN_OP_PAD_REFLECT, {t},
          {tn_attr_i64s(TN_PAD_REFLECT_LOW, zeros, 4), tn_attr_i64s(TN_PAD_REFLECT_HIGH, flat, 4)},
          "pad_reflect: low 0 and high 9223372036854775807 of axis 3: x is f32[1, 2, 4, 4], and "
          "that axis must have more than 9223372036854775807 elements");
  fails(TN_OP_TILE, {t}, {list(TN_TILE_REPEATS, most)}, TN_OUT_OF_RANGE,
        "tile: attribute repeats has 9223372036854775807: sizes overflow 64 bits: 4 with "
        "9223372036854775807");
}

TEST_CASE("errors: after shutdown") {
  Session cx;
  const Tensor a = cx.f32({1}, {1});
  tn_runtime_shutdown(cx.runtime.get());
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_neg(cx, a.get(), &out), TN_SHUTDOWN, "neg: the runtime was shut down");
  CHECK_FAILS(tn_tensor_item_f64(cx, a.get(), nullptr), TN_SHUTDOWN,
              "tn_tensor_item_f64: the runtime was shut down");
  tn_ctx* c = nullptr;
  CHECK_FAILS(tn_ctx_create(cx.runtime.get(), tn_string(""), &c), TN_SHUTDOWN,
              "tn_ctx_create: the runtime was shut down");
  char text[8];
  CHECK_FAILS(tn_tensor_format(a.get(), nullptr, text, sizeof text), TN_SHUTDOWN,
              "tn_tensor_format: the runtime was shut down");
  CHECK_FAILS(tn_device_trim(tn_ctx_get_device(cx)), TN_SHUTDOWN,
              "tn_device_trim: the runtime was shut down");
  CHECK(tn_tensor_count(a.get()) == 1);
  tn_runtime_shutdown(cx.runtime.get());
}

TEST_CASE("errors: a forked child may only release") {
  Session cx;
  const Tensor a = cx.f32({1}, {1});
  const pid_t child = fork();
  if (child == 0) {
    tn_tensor* out = nullptr;
    tn_error* e = tn_neg(cx, a.get(), &out);
    const bool good = tn_error_code(e) == TN_FORKED;
    tn_error_release(e);
    _exit(good ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("errors: argument structs of other sizes") {
  tn_runtime_desc d = tn_runtime_desc_init();
  d.struct_size = 2;
  tn_runtime* rt = nullptr;
  CHECK_FAILS(tn_runtime_create(&d, &rt), TN_INVALID_ARGUMENT, "struct_size is 2");
  struct Newer {
    tn_runtime_desc d;
    uint64_t more;
  } newer{tn_runtime_desc_init(), 0};
  newer.d.struct_size = sizeof newer;
  REQUIRE_OK(tn_runtime_create(&newer.d, &rt));
  tn_runtime_release(rt);
  newer.more = 1;
  CHECK_FAILS(tn_runtime_create(&newer.d, &rt), TN_INCOMPATIBLE, "needs a newer libtenon");
}
