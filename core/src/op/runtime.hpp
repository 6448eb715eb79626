// The runtime: what several contexts share. Any thread.
#pragma once
#include <functional>

#include "context.hpp"
#include "host.hpp"
#include "tenon/runtime.h"

struct tn_runtime {
  std::atomic<uint32_t> refs{1};
  tenon::StatePage* page = nullptr;
  uint32_t log_level = TN_LOG_WARNING;
  tn_log_callback log{};
  std::mutex log_mutex;
  bool environment = true, flush_denormals = false;
  uint64_t memory_limit = 0;
  std::string cache_dir;  // for compiled graphs; empty: none, unless the environment names one
  uint64_t cache_bytes = 0;
  bool has_allocator = false;
  tn_host_allocator allocator{};

  std::unique_ptr<tenon::ThreadPool> pool;
  tenon::OpRegistry ops;
  tenon::ShapeTable shapes;
  std::unique_ptr<tenon::Profiler> profiler;
  std::unique_ptr<tenon::PluginRegistry> plugins;

  std::recursive_mutex device_mutex;  // guards the making of devices and their kernel lists
  std::vector<std::unique_ptr<tn_device>> devices;
  std::vector<std::unique_ptr<tenon::HostSlot>> hosts;  // one service table per plugin

  tn_runtime(std::span<const tn_op_def> core, const tn_op* ids);
  ~tn_runtime();
};

namespace tenon {

tn_runtime* runtime_retain(tn_runtime* rt) noexcept;
void runtime_release(tn_runtime* rt) noexcept;
void runtime_shut_down(tn_runtime* rt) noexcept;
// Throws SHUTDOWN or FORKED. `function`: what was called, for the message.
void runtime_check(const tn_runtime* rt, const char* function);
inline bool runtime_alive(const tn_runtime* rt) {
  const uint32_t s = rt->page->state.load(std::memory_order_acquire);
  return s == kAlive || s == kProfiling || s == kFlushing;
}

void log(tn_runtime* rt, uint32_t level, const std::string& message) noexcept;
// TENON_<name>, or "".
std::string environment(const tn_runtime* rt, std::string_view name);

// "cpu", "cpu:0", "": see tn_device_get. Opens the plugin that serves it.
// Takes in what an opened plugin offers.
void runtime_register(tn_runtime* rt, struct Plugin& plugin);

tn_device* find_device(tn_runtime* rt, std::string_view name);
void open_all_devices(tn_runtime* rt);
inline bool device_has_kernel(const tn_device* d, uint32_t slot) {
  return !d->kernels_of(slot).empty();
}

}  // namespace tenon
