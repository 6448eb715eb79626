// Runtimes, the switches of a context, and profiles.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

std::string read_file(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Memory of this process that was written to and is no file's.
int64_t written_kib() {
  std::ifstream all("/proc/self/smaps_rollup");
  for (std::string line; std::getline(all, line);)
    if (line.starts_with("Anonymous:")) return std::stoll(line.substr(10));
  return -1;
}
#endif

// A runtime with these flags and this TENON_FLUSH_DENORMALS; what it logs goes to `log`.
tn_runtime* flushing(uint32_t flags, const char* variable, std::string* log = nullptr) {
  tn_runtime_desc d = tn_runtime_desc_init();
  d.flags = flags;
  d.thread_count = 2;
  d.log.user = log;
  if (log)
    d.log.function = [](void* user, uint32_t, tn_str text) {
      static_cast<std::string*>(user)->append(text.data, text.size);
    };
  tn_runtime* rt = nullptr;
  if (variable) setenv("TENON_FLUSH_DENORMALS", variable, 1);
  REQUIRE_OK(tn_runtime_create(&d, &rt));
  unsetenv("TENON_FLUSH_DENORMALS");
  return rt;
}

// How many of n products 1e-30 * 1e-10 are 0: called twice, as a gradient, captured.
std::vector<int64_t> zeros(const Session& cx, int64_t n) {
  const auto full = [&](double x) {
    return get([&](tn_tensor** o) { return tn_tensor_full(cx, TN_DTYPE_F32, x, 1, &n, o); });
  };
  const auto zeros_of = [&](const Tensor& t) {
    std::vector<float> read(static_cast<size_t>(n));
    REQUIRE_OK(tn_tensor_read(cx, t.get(), read.data(), read.size() * sizeof(float)));
    return static_cast<int64_t>(std::ranges::count(read, 0.0f));
  };
  const Tensor a = full(1e-30), b = full(1e-10);
  const auto times = [&](tn_tensor* x, tn_tensor* y) {
    return get([&](tn_tensor** o) { return tn_mul(cx, x, y, o); });
  };
  std::vector<int64_t> found{zeros_of(times(a.get(), b.get())), zeros_of(times(a.get(), b.get()))};
  tn_tensor* raw = nullptr;
  REQUIRE_OK(tn_tensor_leaf(cx, a.get(), &raw));
  const Tensor leaf(raw), product = times(leaf.get(), b.get());
  tn_tensor* const from = product.get();
  tn_tensor *seed = a.get(), *gradient = nullptr;
  REQUIRE_OK(tn_vjp(cx, &from, &seed, 1, &raw, 1, 0, &gradient));
  found.push_back(zeros_of(Tensor(gradient)));
  REQUIRE_OK(tn_capture_begin(cx, tn_string("product")));
  tn_tensor* inputs[2];
  for (int k = 0; k < 2; ++k)
    REQUIRE_OK(
        tn_capture_input(cx, tn_string(k ? "y" : "x"), TN_DTYPE_F32, 1, &n, nullptr, &inputs[k]));
  const Tensor x(inputs[0]), y(inputs[1]), made = times(x.get(), y.get());
  tn_tensor* const result = made.get();
  tn_program* program = nullptr;
  REQUIRE_OK(tn_capture_end(cx, &result, 1, &program));
  for (int k = 0; k < 2; ++k) {
    tn_tensor* const given[] = {a.get(), b.get()};
    tn_tensor* out = nullptr;
    uint32_t count = 0;
    REQUIRE_OK(tn_program_run(cx, program, given, 2, &out, 1, &count));
    found.push_back(zeros_of(Tensor(out)));
  }
  tn_program_release(program);
  return found;
}

}  // namespace

TEST_CASE("runtime: a wrong description is refused") {
  const auto refused = [](auto change, const char* text) {
    tn_runtime_desc d = tn_runtime_desc_init();
    change(d);
    tn_runtime* rt = nullptr;
    CHECK_FAILS(tn_runtime_create(&d, &rt), TN_INVALID_ARGUMENT, text);
    CHECK(rt == nullptr);
  };
  refused([](tn_runtime_desc& d) { d.flags = 1u << 30; }, "unknown flags");
  refused([](tn_runtime_desc& d) { d.thread_count = -5; }, "thread_count is -5");
  refused([](tn_runtime_desc& d) { d.thread_count = 2000000000; }, "thread_count is 2000000000");
  refused([](tn_runtime_desc& d) { d.plugin_path_count = 1; }, "plugin_paths is NULL");
  refused([](tn_runtime_desc& d) { d.trust = 77; }, "trust");
  static tn_host_allocator none{};
  refused([](tn_runtime_desc& d) { d.allocator = &none; }, "allocator lacks");
  CHECK_FAILS(tn_runtime_create(nullptr, nullptr), TN_INVALID_ARGUMENT, "out_runtime");
}

TEST_CASE("runtime: dtypes are promoted as in the array API") {
  CHECK(tn_dtype_promote(TN_DTYPE_I8, TN_DTYPE_U8) == TN_DTYPE_I16);
  CHECK(tn_dtype_promote(TN_DTYPE_BOOL, TN_DTYPE_F16) == TN_DTYPE_F16);
  CHECK(tn_dtype_promote(TN_DTYPE_I64, TN_DTYPE_F32) == TN_DTYPE_F32);
  CHECK(tn_dtype_promote(TN_DTYPE_F16, TN_DTYPE_BF16) == TN_DTYPE_F32);
  CHECK(tn_dtype_promote(TN_DTYPE_C64, TN_DTYPE_F64) == TN_DTYPE_C128);
  CHECK(tn_dtype_promote(TN_DTYPE_U64, TN_DTYPE_I64) == TN_DTYPE_NONE);
  CHECK(tn_dtype_promote(TN_DTYPE_F8E4M3, TN_DTYPE_F32) == TN_DTYPE_NONE);
}

TEST_CASE("runtime: 8-bit floats round to the nearest, halves to even") {
  Session cx;
  struct Case {
    tn_dtype dtype;
    double value;
    uint8_t bits;
  };
  // Bits by the tables of the OCP 8-bit floating point specification.
  const Case cases[] = {{TN_DTYPE_F8E4M3, 1, 0x38},        {TN_DTYPE_F8E4M3, -448, 0xfe},
                        {TN_DTYPE_F8E4M3, 1.0625, 0x38},   {TN_DTYPE_F8E4M3, 1.1875, 0x3a},
                        {TN_DTYPE_F8E4M3, 0x1p-9, 0x01},   {TN_DTYPE_F8E4M3, 0x1p-6, 0x08},
                        {TN_DTYPE_F8E4M3, 0x1.ep-7, 0x08}, {TN_DTYPE_F8E5M2, 1, 0x3c},
                        {TN_DTYPE_F8E5M2, 57344, 0x7b},    {TN_DTYPE_F8E5M2, -0x1p-16, 0x81},
                        {TN_DTYPE_F8E5M2, 1.125, 0x3c},    {TN_DTYPE_F8E5M2, 1.375, 0x3e}};
  for (const Case& c : cases) {
    CAPTURE(c.value);
    const int64_t dims[] = {3};
    const Tensor t =
        get([&](tn_tensor** o) { return tn_tensor_full(cx, c.dtype, c.value, 1, dims, o); });
    uint8_t bits[3] = {0, 0, 0};
    REQUIRE_OK(tn_tensor_read(cx, t.get(), bits, sizeof bits));
    for (const uint8_t b : bits) CHECK(b == c.bits);
  }
}

TEST_CASE("runtime: pointers that are missing are named") {
  Session cx;
  const float data[] = {1};
  tn_tensor* out = nullptr;
  CHECK_FAILS(tn_tensor_from_f32(cx, data, 1, nullptr, &out), TN_INVALID_ARGUMENT, "dims is NULL");
  const Tensor keys = cx.f32({3, 1, 2}, {3});
  CHECK_FAILS(tn_sort(cx, keys.get(), keys.get(), nullptr, nullptr, &out), TN_INVALID_ARGUMENT,
              "NULL");
  CHECK(out == nullptr);
}

TEST_CASE("runtime: a profile has ops, kernels and copies, and a failed stop loses nothing") {
  Session cx;
  const std::string path = std::string(std::tmpnam(nullptr)) + ".json";
  CHECK_FAILS(tn_profile_stop(cx.runtime.get(), tn_string(path.c_str())), TN_FAILED_PRECONDITION,
              "none is being recorded");
  REQUIRE_OK(tn_profile_start(cx.runtime.get(), 0));
  CHECK_FAILS(tn_profile_start(cx.runtime.get(), 0), TN_FAILED_PRECONDITION, "");
  const Tensor x = cx.f32({1, 2, 3, 4}, {2, 2});
  const Tensor y = get([&](tn_tensor** o) { return tn_add(cx, x.get(), x.get(), o); });
  float read[4];
  REQUIRE_OK(tn_tensor_read(cx, y.get(), read, sizeof read));
  CHECK_FAILS(tn_profile_stop(cx.runtime.get(), tn_string("/nowhere/p.json")), TN_IO,
              "/nowhere/p.json");
  REQUIRE_OK(tn_profile_stop(cx.runtime.get(), tn_string(path.c_str())));
  const std::string text = read_file(path);
  std::remove(path.c_str());
  for (const char* part : {"\"name\":\"add\"", "\"cat\":\"op\"", "\"cat\":\"kernel\"",
                           "\"cat\":\"copy\"", "\"name\":\"upload\"", "\"name\":\"download\""}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  // And the calls after it are not recorded.
  const Tensor z = get([&](tn_tensor** o) { return tn_add(cx, x.get(), x.get(), o); });
  CHECK_FAILS(tn_profile_stop(cx.runtime.get(), tn_string(path.c_str())), TN_FAILED_PRECONDITION,
              "none is being recorded");
}

TEST_CASE("runtime: denormal numbers are flushed where asked for, in kernels only") {
  const char* device = std::getenv("TENON_DEVICE");
  const bool own_threads = device && std::string_view(device).starts_with("adversary");
  volatile float tiny = 1e-30f;
  for (const int64_t n : {8, 300'000}) {  // one thread, and those of the pool
    CAPTURE(n);
    for (const auto& [flags, variable] : std::vector<std::pair<uint32_t, const char*>>{
             {0, nullptr}, {0, "0"}, {TN_RUNTIME_FLUSH_DENORMALS, nullptr}, {0, "1"}}) {
      const Session cx(flushing(flags, variable));
      const bool flush = flags || (variable && *variable == '1');
      const std::vector<int64_t> want(5, flush ? n : 0);
      if (!own_threads || !flush) CHECK(zeros(cx, n) == want);
      const std::string path = std::string(std::tmpnam(nullptr)) + ".json";
      REQUIRE_OK(tn_profile_start(cx.runtime.get(), 0));
      if (!own_threads || !flush) CHECK(zeros(cx, n) == want);
      REQUIRE_OK(tn_profile_stop(cx.runtime.get(), tn_string(path.c_str())));
      std::remove(path.c_str());
      if (!own_threads || !flush) CHECK(zeros(cx, n) == want);
      CHECK(tiny * 1e-10f != 0);  // on the thread that called
    }
  }
  std::string log;
  const Session cx(flushing(0, "yes", &log));
  CHECK(log.find("TENON_FLUSH_DENORMALS is \"yes\"") != std::string::npos);
  CHECK(zeros(cx, 8) == std::vector<int64_t>(5, 0));
}

TEST_CASE("runtime: switches give back what was set before") {
  Session cx;
  CHECK(tn_ctx_set_deterministic(cx, 1) == 0);
  CHECK(tn_ctx_set_deterministic(cx, 0) == 1);
  CHECK(tn_ctx_set_fallback(cx, 1) == 0);
  CHECK(tn_ctx_set_fallback(cx, 0) == 1);
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Writing to memory is most of what a short process does: no table, and no huge page, is filled before it is used.
TEST_CASE("runtime: little memory is written until the first op has its result") {
  const int64_t before = written_kib();
  if (before < 0) return;  // a kernel without the file
  Session cx;
  tn_tensor *a = nullptr, *y = nullptr;
  const int64_t dims[] = {3};
  REQUIRE_OK(tn_tensor_full_f32(cx, 1, 1, dims, &a));
  REQUIRE_OK(tn_add(cx, a, a, &y));
  const int64_t after = written_kib();
  tn_tensor_drop(cx, y);
  tn_tensor_drop(cx, a);
  CHECK(after - before < 1024);
}
#endif
