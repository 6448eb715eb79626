#include <atomic>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "fixture.hpp"

using namespace tenon::test;

TEST_CASE("tensor: values come back, dense and through views") {
  Session cx;
  const Tensor x = cx.f32({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(tn_tensor_rank(x.get()) == 2);
  CHECK(tn_tensor_bytes(x.get()) == 24);
  const int64_t perm[] = {1, 0};
  const Tensor t = get([&](tn_tensor** out) { return tn_transpose(cx, x.get(), 2, perm, out); });
  check_close(cx.read(t), {1, 4, 2, 5, 3, 6});
  const int64_t starts[] = {1, 0}, stops[] = {3, 2}, steps[] = {1, 1};
  tn_slice_options o = tn_slice_options_init();
  o.n_steps = 2;
  o.steps = steps;
  const Tensor s =
      get([&](tn_tensor** out) { return tn_slice(cx, t.get(), 2, starts, 2, stops, &o, out); });
  check_close(cx.read(s), {2, 5, 3, 6});
  const Tensor sum = get([&](tn_tensor** out) { return tn_add(cx, s.get(), s.get(), out); });
  check_close(cx.read(sum), {4, 10, 6, 12});
  const int64_t flat[] = {-1};
  const Tensor r = get([&](tn_tensor** out) { return tn_reshape(cx, t.get(), 1, flat, out); });
  check_close(cx.read(r), {1, 4, 2, 5, 3, 6});
  const int64_t axes[] = {0};
  const Tensor f = get([&](tn_tensor** out) { return tn_flip(cx, r.get(), 1, axes, out); });
  check_close(cx.read(f), {6, 3, 5, 2, 4, 1});
}

TEST_CASE("tensor: a slice that goes backwards is a view with a negative stride") {
  Session cx;
  const Tensor x = cx.f32({1, 2, 3, 4, 5, 6}, {2, 3});
  const auto slice = [&](const std::vector<int64_t>& starts, const std::vector<int64_t>& stops,
                         const std::vector<int64_t>& steps) {
    tn_slice_options o = tn_slice_options_init();
    o.n_steps = 2;
    o.steps = steps.data();
    return get([&](tn_tensor** out) {
      return tn_slice(cx, x.get(), 2, starts.data(), 2, stops.data(), &o, out);
    });
  };
  const Tensor turned = slice({INT64_MAX, 0}, {INT64_MIN, 3}, {-1, 2});
  check_close(cx.read(turned), {4, 6, 1, 3});
  CHECK(tn_tensor_strides(turned.get())[0] == -3);
  CHECK(tn_tensor_strides(turned.get())[1] == 2);
  check_close(cx.read(slice({1, -1}, {0, -4}, {-1, -2})), {6, 4});
  CHECK(tn_tensor_count(slice({0, 0}, {1, 3}, {-1, 1}).get()) == 0);
  const int64_t ends[] = {2, 3}, steps[] = {1, 0}, starts[] = {0, 0};
  tn_slice_options o = tn_slice_options_init();
  o.n_steps = 2;
  o.steps = steps;
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_slice(cx, x.get(), 2, starts, 2, ends, &o, &out), TN_INVALID_ARGUMENT,
              "slice: steps has 0 for axis 1");
}

TEST_CASE("tensor: rank above four, rank zero, no elements") {
  Session cx;
  const Tensor x = cx.f32(std::vector<float>(64, 2.f), {2, 2, 2, 2, 2, 2});
  const Tensor y = get([&](tn_tensor** out) { return tn_mul(cx, x.get(), x.get(), out); });
  check_close(cx.read(y), std::vector<float>(64, 4.f));
  const Tensor total = get([&](tn_tensor** out) { return tn_sum(cx, y.get(), nullptr, out); });
  CHECK(tn_tensor_rank(total.get()) == 0);
  double v = 0;
  REQUIRE_OK(tn_tensor_item_f64(cx, total.get(), &v));
  CHECK(v == 256);
  const Tensor none = cx.f32({}, {0, 3});
  const Tensor still = get([&](tn_tensor** out) { return tn_exp(cx, none.get(), out); });
  CHECK(tn_tensor_count(still.get()) == 0);
  const Tensor zero = get([&](tn_tensor** out) { return tn_sum(cx, none.get(), nullptr, out); });
  REQUIRE_OK(tn_tensor_item_f64(cx, zero.get(), &v));
  CHECK(v == 0);
}

TEST_CASE("tensor: host scalars are weak") {
  Session cx;
  const Tensor x = cx.f32({1, 2}, {2});
  const Tensor half = get([&](tn_tensor** out) { return tn_tensor_scalar_f64(cx, 0.5, out); });
  const Tensor three = get([&](tn_tensor** out) { return tn_tensor_scalar_i64(cx, 3, out); });
  const Tensor y = get([&](tn_tensor** out) { return tn_mul(cx, x.get(), half.get(), out); });
  CHECK(tn_tensor_dtype(y.get()) == TN_DTYPE_F32);
  check_close(cx.read(y), {0.5f, 1});
  // The same call site with another value.
  const Tensor quarter = get([&](tn_tensor** out) { return tn_tensor_scalar_f64(cx, 0.25, out); });
  check_close(
      cx.read(get([&](tn_tensor** out) { return tn_mul(cx, x.get(), quarter.get(), out); })),
      {0.25f, 0.5f});
  const int32_t ints[] = {1, 2};
  const int64_t dims[] = {2};
  const Tensor i = get([&](tn_tensor** out) { return tn_tensor_from_i32(cx, ints, 1, dims, out); });
  const Tensor j = get([&](tn_tensor** out) { return tn_add(cx, i.get(), three.get(), out); });
  CHECK(tn_tensor_dtype(j.get()) == TN_DTYPE_I32);
  const Tensor k = get([&](tn_tensor** out) { return tn_add(cx, i.get(), half.get(), out); });
  CHECK(tn_tensor_dtype(k.get()) == TN_DTYPE_F32);
  const Tensor both =
      get([&](tn_tensor** out) { return tn_add(cx, half.get(), three.get(), out); });
  double v = 0;
  REQUIRE_OK(tn_tensor_item_f64(cx, both.get(), &v));
  CHECK(v == 3.5);
}

TEST_CASE("tensor: text") {
  Session cx;
  const Tensor x = cx.f32({1, 2.5f, 3}, {3});
  char text[256];
  REQUIRE_OK(tn_tensor_format(x.get(), nullptr, text, sizeof text));
  tn_device_info info = tn_device_info_init();
  REQUIRE_OK(tn_device_get_info(tn_tensor_get_device(x.get()), &info));
  CHECK(std::string(text) ==
        "f32[3] " + std::string(info.name.data, info.name.size) + "  [1, 2.5, 3]");
}

// The text of a tensor from its values on.
static std::string values_text(const Tensor& x, const tn_format_options* options = nullptr) {
  std::vector<char> text(1 << 16);
  REQUIRE_OK(tn_tensor_format(x.get(), options, text.data(), text.size()));
  const std::string whole = text.data();
  return whole.substr(whole.find('[', whole.find(']')));
}

TEST_CASE("tensor: a text that is too long is cut between two numbers") {
  Session cx;
  const Tensor x = cx.f32({1234.5f, 2345.5f, -3456.5f}, {3});
  char all[256];
  REQUIRE_OK(tn_tensor_format(x.get(), nullptr, all, sizeof all));
  const std::string whole = all;
  for (size_t capacity = 1; capacity <= whole.size() + 1; ++capacity) {
    std::string text(whole.size() + 2, '#');
    REQUIRE_OK(tn_tensor_format(x.get(), nullptr, text.data(), capacity));
    const size_t size = text.find('\0');
    CAPTURE(capacity);
    REQUIRE(size < capacity);
    CHECK(text[capacity] == '#');
    text.resize(size);
    if (capacity > whole.size()) {
      CHECK(text == whole);
    } else if (capacity > 3) {
      REQUIRE(text.ends_with("..."));
      text.resize(size - 3);
      CHECK(whole.starts_with(text));
      CHECK((text.empty() || std::string(" ,[\n").find(text.back()) != std::string::npos));
    }
  }
  char some[64];
  REQUIRE_OK(
      tn_tensor_format(x.get(), nullptr, some, static_cast<uint64_t>(whole.find("-34")) + 4));
  CHECK(std::string(some) == whole.substr(0, whole.find("-34")) + "...");
}

TEST_CASE("tensor: text in columns, and of a large one the edges") {
  Session cx;
  CHECK(values_text(cx.f32({1, -20, 300, 4}, {2, 2})) == "[[  1, -20],\n [300,   4]]");
  std::vector<float> many(2000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i);
  CHECK(values_text(cx.f32(many, {2000})) == "[0, 1, 2, ..., 1997, 1998, 1999]");
  tn_format_options one = tn_format_options_init();
  one.edge_items = 1;
  CHECK(values_text(cx.f32(many, {20, 100}), &one) ==
        "[[   0, ...,   99],\n ...,\n [1900, ..., 1999]]");
  const float odd = std::numeric_limits<float>::quiet_NaN();
  CHECK(values_text(cx.f32({odd, -odd, -1.0f / 0.0f}, {3})) == "[nan, nan, -inf]");
}

TEST_CASE("tensor: wrapped memory is given back once, also on failure") {
  Session cx;
  static std::atomic<int> destroyed;
  destroyed = 0;
  float data[4] = {1, 2, 3, 4};
  const int64_t dims[] = {4};
  auto destroy = [](void*) { ++destroyed; };
  tn_tensor* t = nullptr;
  REQUIRE_OK(
      tn_tensor_wrap(cx, TN_DTYPE_F32, 1, dims, nullptr, data, sizeof data, destroy, nullptr, &t));
  {
    const Tensor x(t);
    const Tensor y = get([&](tn_tensor** out) { return tn_add(cx, x.get(), x.get(), out); });
    check_close(cx.read(y), {2, 4, 6, 8});
  }
  const Tensor flush = cx.f32({1}, {1});
  cx.ctx.reset();  // what was released from elsewhere is taken in at the latest now
  CHECK(destroyed == 1);
  cx.ctx = cx.context();
  CHECK_FAILS(tn_tensor_wrap(cx, TN_DTYPE_F32, 1, dims, nullptr, data, 8, destroy, nullptr, &t),
              TN_INVALID_ARGUMENT, "reaches over 16 bytes, 8 were given");
  CHECK(destroyed == 2);
}

TEST_CASE("tensor: DLPack out and in again") {
  Session cx;
  const Tensor x = cx.f32({1, 2, 3, 4}, {2, 2});
  tn_device_info info = tn_device_info_init();
  REQUIRE_OK(tn_device_get_info(tn_ctx_get_device(cx), &info));
  tn_dl_managed* m = nullptr;
  if (!info.host_addressable) {
    CHECK_FAILS(tn_tensor_to_dlpack(cx, x.get(), 0, &m), TN_UNIMPLEMENTED,
                "no memory that others can address");
    return;
  }
  REQUIRE_OK(tn_tensor_to_dlpack(cx, x.get(), 0, &m));
  CHECK(m->tensor.ndim == 2);
  CHECK((m->flags & TN_DL_READ_ONLY) != 0);
  tn_tensor* back = nullptr;
  REQUIRE_OK(tn_tensor_from_dlpack(cx, m, &back));
  const Tensor y(back);
  const void *a = nullptr, *b = nullptr;
  REQUIRE_OK(tn_tensor_get_data(cx, x.get(), &a));
  REQUIRE_OK(tn_tensor_get_data(cx, y.get(), &b));
  CHECK(a == b);
  check_close(cx.read(y), {1, 2, 3, 4});
}

TEST_CASE("tensor: random numbers depend on seed and offset alone") {
  Session cx;
  const int64_t dims[] = {1000};
  auto draw = [&] {
    return cx.read(get([&](tn_tensor** out) { return tn_uniform(cx, 1, dims, nullptr, out); }));
  };
  REQUIRE_OK(tn_ctx_set_seed(cx, 7));
  const auto a = draw(), b = draw();
  CHECK(a != b);
  uint64_t state[3];
  REQUIRE_OK(tn_ctx_get_random_state(cx, state));
  CHECK(state[2] == 500);
  REQUIRE_OK(tn_ctx_set_seed(cx, 7));
  CHECK(draw() == a);
  CHECK(draw() == b);
  for (float v : a) CHECK((v >= 0 && v < 1));
}

TEST_CASE("format: of many elements only those that are shown are read") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const float data[] = {1, 2, 3};
  const int64_t n = 3, wide[] = {int64_t{1} << 40, 3};
  tn_tensor *t = nullptr, *big = nullptr;
  REQUIRE_OK(tn_tensor_from_f32(cx, data, 1, &n, &t));
  REQUIRE_OK(tn_expand(cx, t, 2, wide, &big));
  char text[512];
  REQUIRE_OK(tn_tensor_format(big, nullptr, text, sizeof text));
  const std::string rows = "[[1, 2, 3],\n [1, 2, 3],\n [1, 2, 3],\n ...,\n [1, 2, 3],\n";
  CAPTURE(text);
  CHECK(std::string(text).find(rows) != std::string::npos);
  for (tn_tensor* x : {t, big}) tn_tensor_drop(cx, x);
}

TEST_CASE("scalars: a whole number that the other operand's dtype does not hold is refused") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const uint8_t data[] = {44};
  const int64_t n = 1;
  tn_tensor *t = nullptr, *out = nullptr;
  REQUIRE_OK(tn_tensor_from_host(cx, TN_DTYPE_U8, 1, &n, data, 1, &t));
  for (const int64_t value : {int64_t{300}, int64_t{-1}}) {
    tn_tensor* x = nullptr;
    REQUIRE_OK(tn_tensor_scalar_i64(cx, value, &x));
    CHECK_FAILS(tn_eq(cx, t, x, &out), TN_OUT_OF_RANGE, "does not fit u8");
    CHECK_FAILS(tn_add(cx, t, x, &out), TN_OUT_OF_RANGE, std::to_string(value));
    tn_tensor_drop(cx, x);
  }
  tn_tensor_drop(cx, t);
}

TEST_CASE("tensor: bytes that are no bool do not become one") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const uint8_t data[] = {0, 1, 1, 2};
  const int64_t three = 3, four = 4, two = 2, every_third = 3, columns = 0;
  tn_tensor *t = nullptr, *out = nullptr;
  REQUIRE_OK(tn_tensor_from_host(cx, TN_DTYPE_BOOL, 1, &three, data, 3, &t));
  tn_tensor_drop(cx, t);
  CHECK_FAILS(tn_tensor_from_host(cx, TN_DTYPE_BOOL, 1, &four, data, 4, &out), TN_INVALID_ARGUMENT,
              "an element of bool[4] is the byte 2");
  const auto wrap = [&](const int64_t* dim, const int64_t* stride, const uint8_t* from) {
    const auto bytes = static_cast<uint64_t>(data + 4 - from);
    return tn_tensor_wrap(cx, TN_DTYPE_BOOL, 1, dim, stride, from, bytes, nullptr, nullptr, &out);
  };
  CHECK_FAILS(wrap(&four, nullptr, data), TN_INVALID_ARGUMENT, "is the byte 2");
  CHECK_FAILS(wrap(&two, &every_third, data), TN_INVALID_ARGUMENT, "of bool[2] is the byte 2");
  CHECK_FAILS(wrap(&four, &columns, data + 3), TN_INVALID_ARGUMENT, "of bool[4] is the byte 2");
  REQUIRE_OK(wrap(&four, &columns, data + 2));
  tn_tensor_drop(cx, out);
  REQUIRE_OK(tn_tensor_from_host(cx, TN_DTYPE_U8, 1, &four, data, 4, &t));
  CHECK_FAILS(tn_bitcast(cx, t, TN_DTYPE_BOOL, &out), TN_INVALID_ARGUMENT, "Compare with 0");
  tn_tensor_drop(cx, t);
}

TEST_CASE("tensor: an element that is no i64 is not given as one") {
  Session s;
  tn_ctx* cx = s.ctx.get();
  const auto item = [&](tn_dtype dtype, const void* element, uint64_t bytes, int64_t* value) {
    tn_tensor* t = nullptr;
    REQUIRE_OK(tn_tensor_from_host(cx, dtype, 0, nullptr, element, bytes, &t));
    tn_error* e = tn_tensor_item_i64(cx, t, value);
    tn_tensor_drop(cx, t);
    return e;
  };
  int64_t got = 0;
  for (const double bad : {std::nan(""), 1e30, -1e30, 0x1p63})
    CHECK_FAILS(item(TN_DTYPE_F64, &bad, 8, &got), TN_OUT_OF_RANGE, "does not fit i64");
  const uint64_t large = 1ull << 63;
  CHECK_FAILS(item(TN_DTYPE_U64, &large, 8, &got), TN_OUT_OF_RANGE, "9223372036854775808");
  const double fine = -0x1p63;
  REQUIRE_OK(item(TN_DTYPE_F64, &fine, 8, &got));
  CHECK(got == INT64_MIN);
  const int64_t most = INT64_MAX;
  REQUIRE_OK(item(TN_DTYPE_I64, &most, 8, &got));
  CHECK(got == INT64_MAX);
}

TEST_CASE("tensor: a complex element is not given as one number") {
  Session cx;
  const float both[] = {3, 4};
  const Tensor t = get([&](tn_tensor** o) {
    return tn_tensor_from_host(cx, TN_DTYPE_C64, 0, nullptr, both, sizeof both, o);
  });
  double real = -1;
  int64_t whole = -1;
  CHECK_FAILS(tn_tensor_item_f64(cx, t.get(), &real), TN_INVALID_ARGUMENT,
              "tn_tensor_item_f64: the tensor is c64[]: one number would lose the imaginary part");
  CHECK_FAILS(tn_tensor_item_i64(cx, t.get(), &whole), TN_INVALID_ARGUMENT,
              "tn_tensor_item_i64: the tensor is c64[]");
  CHECK(real == -1);
  CHECK(whole == -1);
}

TEST_CASE("tensor: elements of four bits are packed, and stay whole") {
  Session cx;
  const uint8_t bytes[] = {0x21, 0xf3, 0x08};  // 1 2 3 15 8, and a half that is no element
  const int64_t dims[] = {5}, rows[] = {5, 1}, starts[] = {1}, stops[] = {3};
  const auto make = [&](tn_dtype dtype) {
    return get([&](tn_tensor** o) {
      return tn_tensor_from_host(cx, dtype, 1, dims, bytes, sizeof bytes, o);
    });
  };
  const auto floats = [&](const Tensor& t) {
    return cx.read(get([&](tn_tensor** o) { return tn_cast(cx, t.get(), TN_DTYPE_F32, o); }));
  };
  const Tensor i4 = make(TN_DTYPE_I4), u4 = make(TN_DTYPE_U4);
  CHECK(tn_tensor_bytes(i4.get()) == 3);
  check_close(floats(i4), {1, 2, 3, -1, -8}, 0);
  check_close(floats(u4), {1, 2, 3, 15, 8}, 0);
  const Tensor copy = get([&](tn_tensor** o) { return tn_copy(cx, i4.get(), o); });
  check_close(floats(copy), {1, 2, 3, -1, -8}, 0);
  const Tensor shaped = get([&](tn_tensor** o) { return tn_reshape(cx, i4.get(), 2, rows, o); });
  check_close(floats(shaped), {1, 2, 3, -1, -8}, 0);

  const Tensor wide = cx.f32({-100, -8.9f, 1.9f, 100, std::nanf("")}, {5});
  for (const tn_dtype dtype : {TN_DTYPE_I4, TN_DTYPE_U4}) {
    const Tensor narrow = get([&](tn_tensor** o) { return tn_cast(cx, wide.get(), dtype, o); });
    uint8_t packed[3] = {};
    REQUIRE_OK(tn_tensor_read(cx, narrow.get(), packed, sizeof packed));
    CHECK(packed[0] == (dtype == TN_DTYPE_I4 ? 0x88 : 0x00));
    CHECK(packed[1] == (dtype == TN_DTYPE_I4 ? 0x71 : 0xf1));
    CHECK(packed[2] == 0);  // the half behind the last element, too
  }
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_slice(cx, i4.get(), 1, starts, 1, stops, nullptr, &out), TN_INVALID_ARGUMENT,
              "slice: elements of i4 are packed two to a byte and stay dense; only copy, cast, "
              "bitcast and reshape take them. Cast to i8 first.");
  const int64_t more[] = {2, 5};
  CHECK_FAILS(tn_expand(cx, u4.get(), 2, more, &out), TN_INVALID_ARGUMENT,
              "expand: elements of u4 are packed");
  CHECK_FAILS(tn_add(cx, i4.get(), i4.get(), &out), TN_INVALID_ARGUMENT, "add");
  CHECK(out == nullptr);
}
