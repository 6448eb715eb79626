// Runtime, Device, Context, and the scope NoGrad.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tenon/context.h"
#include "tenon/error.hpp"
#include "tenon/plugin.h"

namespace tenon {

// Lent by the runtime: valid as long as that lives.
class Device {
 public:
  explicit Device(tn_device* device) : device_(device) {}
  tn_device* get() const { return device_; }

  tn_device_info info() const {
    tn_device_info info = tn_device_info_init();
    check(tn_device_get_info(device_, &info));
    return info;
  }
  std::string name() const { return std::string(to_view(info().name)); }
  tn_memory_stats memory() const {
    tn_memory_stats stats = tn_memory_stats_init();
    check(tn_device_get_memory(device_, &stats));
    return stats;
  }
  void trim() { check(tn_device_trim(device_)); }
  void set_memory_limit(uint64_t bytes) { check(tn_device_set_memory_limit(device_, bytes)); }

 private:
  tn_device* device_;
};

// Copies share one runtime; the last one shuts it down.
class Runtime {
 public:
  Runtime() : Runtime(tn_runtime_desc_init()) {}
  explicit Runtime(const tn_runtime_desc& desc) { check(tn_runtime_create(&desc, &runtime_)); }
  Runtime(const Runtime& other) : runtime_(tn_runtime_retain(other.runtime_)) {}
  Runtime(Runtime&& other) noexcept : runtime_(std::exchange(other.runtime_, nullptr)) {}
  Runtime& operator=(Runtime other) noexcept {
    std::swap(runtime_, other.runtime_);
    return *this;
  }
  ~Runtime() { tn_runtime_release(runtime_); }
  tn_runtime* get() const { return runtime_; }

  void shutdown() { tn_runtime_shutdown(runtime_); }
  void load_plugin(std::string_view path) { check(tn_plugin_load(runtime_, to_str(path))); }
  // Strings of the records are lent by the runtime.
  std::vector<tn_plugin_record> plugins() const {
    uint32_t n = 0;
    check(tn_plugin_count(runtime_, &n));
    std::vector<tn_plugin_record> records(n, tn_plugin_record_init());
    for (uint32_t i = 0; i < n; ++i) check(tn_plugin_get_record(runtime_, i, &records[i]));
    return records;
  }
  std::vector<Device> devices() const {
    uint32_t n = 0;
    std::vector<Device> list;
    check(tn_device_count(runtime_, &n));
    for (uint32_t i = 0; i < n; ++i) {
      tn_device* device = nullptr;
      check(tn_device_at(runtime_, i, &device));
      list.emplace_back(device);
    }
    return list;
  }
  Device device(std::string_view name = {}) const {
    tn_device* device = nullptr;
    check(tn_device_get(runtime_, to_str(name), &device));
    return Device(device);
  }

 private:
  tn_runtime* runtime_ = nullptr;
};

// One thread at a time may use it, and everything that computes with it. It must outlive the last computation on tensors
// made with it; releasing those later is fine.
class Context {
 public:
  // Empty: TENON_DEVICE if set, else the best device.
  explicit Context(const Runtime& runtime, std::string_view device = {}) : runtime_(runtime) {
    tn_ctx* ctx = nullptr;
    check(tn_ctx_create(runtime.get(), to_str(device), &ctx));
    ctx_.reset(ctx);
  }
  tn_ctx* get() const { return ctx_.get(); }
  const Runtime& runtime() const { return runtime_; }
  Device device() const { return Device(tn_ctx_get_device(get())); }

  void seed(uint64_t value) { check(tn_ctx_set_seed(get(), value)); }
  std::array<uint64_t, 3> random_state() const {
    std::array<uint64_t, 3> state{};
    check(tn_ctx_get_random_state(get(), state.data()));
    return state;
  }
  void set_random_state(const std::array<uint64_t, 3>& state) {
    check(tn_ctx_set_random_state(get(), state.data()));
  }
  // Each gives the mode before.
  bool set_grad_mode(bool on) { return tn_ctx_set_grad_mode(get(), on) != 0; }
  bool set_deterministic(bool on) { return tn_ctx_set_deterministic(get(), on) != 0; }
  tn_precision set_precision(tn_precision precision) {
    return tn_ctx_set_precision(get(), precision);
  }
  bool set_fallback(bool on) { return tn_ctx_set_fallback(get(), on) != 0; }
  bool grad_mode() const { return tn_ctx_get_grad_mode(get()) != 0; }
  void synchronize(uint64_t timeout_ns = TN_FOREVER) {
    check(tn_ctx_synchronize(get(), timeout_ns));
  }
  void interrupt() { tn_ctx_interrupt(get()); }
  void recover() { check(tn_ctx_recover(get())); }

 private:
  Runtime runtime_;
  detail::Owner<tn_ctx, tn_ctx_release> ctx_;
};

// While it lives, ops cast their operands as tn_ctx_set_autocast says: to TN_DTYPE_BF16, TN_DTYPE_F16, or not at all (TN_DTYPE_F32).
class Autocast {
 public:
  explicit Autocast(Context& cx, tn_dtype dtype)
      : ctx_(cx.get()), before_(tn_ctx_get_autocast(ctx_)) {
    check(tn_ctx_set_autocast(ctx_, dtype));
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast() { tn_error_release(tn_ctx_set_autocast(ctx_, before_)); }

 private:
  tn_ctx* ctx_;
  tn_dtype before_;
};

// While it lives, ops of the context are not recorded for gradients.
class NoGrad {
 public:
  explicit NoGrad(Context& cx) : NoGrad(cx.get()) {}
  explicit NoGrad(tn_ctx* ctx) : ctx_(ctx), before_(tn_ctx_set_grad_mode(ctx, 0)) {}
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;
  ~NoGrad() { tn_ctx_set_grad_mode(ctx_, before_); }

 private:
  tn_ctx* ctx_;
  int32_t before_;
};

}  // namespace tenon
