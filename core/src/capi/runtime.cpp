#include <thread>

#include "base/denormals.hpp"
#include "op/guards.hpp"
#include "ops/ops.hpp"
#include "plugin/registry.hpp"
#include "profile/profiler.hpp"
#include "tenon/plugin.h"

using namespace tenon;

namespace {

// The core's definitions: constant data, made on first use, never destroyed.
struct CoreTable {
  CoreOps ops;
  std::array<tn_op, CoreOps::kCount> ids;
  CoreTable() {
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = ops.id(i);
  }
};
const CoreTable& core_table() {
  static const CoreTable* table = new CoreTable;
  return *table;
}

std::vector<std::string> paths_of(const tn_runtime_desc& d) {
  std::vector<std::string> out;
  if (d.plugin_path_count && !d.plugin_paths)
    fail(TN_INVALID_ARGUMENT, "tn_runtime_create: plugin_paths is NULL but plugin_path_count is {}",
         d.plugin_path_count);
  for (uint32_t i = 0; i < d.plugin_path_count; ++i)
    out.push_back(path_of(d.plugin_paths[i], "tn_runtime_create", "plugin path"));
  return out;
}

constexpr int32_t kMostThreads = 1024;

void set_denormals(tn_runtime* rt, bool flush) {
  const std::string said = environment(rt, "FLUSH_DENORMALS");
  if (!said.empty() && said != "0" && said != "1")
    log(rt, TN_LOG_WARNING,
        fmt::format("TENON_FLUSH_DENORMALS is \"{}\", which is ignored; 0 or 1", said));
  rt->flush_denormals = flush || said == "1";
  if (!rt->flush_denormals) return;
  if (!kCanFlush)
    fail(TN_UNIMPLEMENTED,
         "tn_runtime_create: denormal numbers cannot be flushed on this processor");
  rt->page->state.store(kFlushing, std::memory_order_release);
}

tn_runtime* make(const tn_runtime_desc& d) {
  auto rt = std::make_unique<tn_runtime>(core_table().ops.defs(), core_table().ids.data());
  tn_runtime* raw = rt.get();
  if (d.flags & ~(TN_RUNTIME_NO_ENVIRONMENT | TN_RUNTIME_NO_SEARCH | TN_RUNTIME_FLUSH_DENORMALS))
    fail(TN_INVALID_ARGUMENT, "tn_runtime_create: unknown flags {:#x}", d.flags);
  if (d.thread_count < 0 || d.thread_count > kMostThreads)
    fail(TN_INVALID_ARGUMENT, "tn_runtime_create: thread_count is {}; 0 (one per core) to {}",
         d.thread_count, kMostThreads);
  rt->environment = !(d.flags & TN_RUNTIME_NO_ENVIRONMENT);
  rt->log_level = d.log_level;
  rt->memory_limit = d.memory_limit;
  if (d.cache_dir.size) rt->cache_dir = path_of(d.cache_dir, "tn_runtime_create", "cache folder");
  rt->cache_bytes = d.cache_bytes;
  if (d.allocator) {
    if (!d.allocator->allocate || !d.allocator->free)
      fail(TN_INVALID_ARGUMENT, "tn_runtime_create: allocator lacks allocate or free");
    rt->has_allocator = true;
    rt->allocator = *d.allocator;
  }
  PluginConfig config;
  config.search = !(d.flags & TN_RUNTIME_NO_SEARCH);
  config.environment = rt->environment;
  config.trust = d.trust;
  config.paths = paths_of(d);
  if (d.lock_file.size) config.lock_file = path_of(d.lock_file, "tn_runtime_create", "lock file");
  for (const tn_plugin_query_fn* q = d.static_plugins; q && *q; ++q) config.statics.push_back(*q);
  config.log = [raw](uint32_t level, std::string_view m) { log(raw, level, std::string(m)); };
  rt->plugins = std::make_unique<PluginRegistry>(
      std::move(config),
      [raw](const std::string& id) -> const tn_host* {
        std::lock_guard lock(raw->device_mutex);
        raw->hosts.push_back(std::make_unique<HostSlot>(raw, id));
        return &raw->hosts.back()->host;
      },
      [raw](Plugin& p) { runtime_register(raw, p); });
  rt->log = d.log;  // from here on its destroy is ours
  try {
    set_denormals(raw, d.flags & TN_RUNTIME_FLUSH_DENORMALS);
    const int threads = d.thread_count
                            ? d.thread_count
                            : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    rt->pool = std::make_unique<ThreadPool>(threads, rt->flush_denormals);
    rt->plugins->search();
  } catch (...) {
    rt->log = {};
    throw;
  }
  return rt.release();
}

uint32_t at_rest(const tn_runtime& rt) { return rt.flush_denormals ? kFlushing : kAlive; }

}  // namespace

extern "C" {

tn_error* tn_runtime_create(const tn_runtime_desc* desc, tn_runtime** out) {
  tn_error* e = guard([&] {
    need(out, "tn_runtime_create", "out_runtime");
    *out = make(take_struct(desc, tn_runtime_desc_init(), "tn_runtime_create"));
  });
  if (e && desc && desc->log.destroy) desc->log.destroy(desc->log.user);
  return e;
}

void tn_runtime_shutdown(tn_runtime* rt) {
  if (rt) runtime_shut_down(rt);
}

tn_runtime* tn_runtime_retain(tn_runtime* rt) { return rt ? runtime_retain(rt) : nullptr; }

void tn_runtime_release(tn_runtime* rt) { runtime_release(rt); }

tn_error* tn_profile_start(tn_runtime* rt, uint64_t max_events) {
  return with_runtime(rt, "tn_profile_start", [&] {
    rt->profiler->start(max_events);
    uint32_t alive = at_rest(*rt);
    rt->page->state.compare_exchange_strong(alive, kProfiling);
  });
}

tn_error* tn_profile_stop(tn_runtime* rt, tn_str path) {
  return with_runtime(rt, "tn_profile_stop", [&] {
    rt->profiler->stop(path_of(path, "tn_profile_stop"));
    uint32_t profiling = kProfiling;
    rt->page->state.compare_exchange_strong(profiling, at_rest(*rt));
  });
}

tn_error* tn_plugin_load(tn_runtime* rt, tn_str path) {
  return with_runtime(rt, "tn_plugin_load",
                      [&] { rt->plugins->load(path_of(path, "tn_plugin_load")); });
}
tn_error* tn_plugin_count(tn_runtime* rt, uint32_t* out_count) {
  return with_runtime(rt, "tn_plugin_count", [&] {
    need(out_count, "tn_plugin_count", "out_count");
    *out_count = rt->plugins->count();
  });
}
tn_error* tn_plugin_get_record(tn_runtime* rt, uint32_t index, tn_plugin_record* out) {
  return with_runtime(rt, "tn_plugin_get_record", [&] {
    give_struct(rt->plugins->record(index), out, "tn_plugin_get_record");
  });
}
tn_error* tn_plugin_report(tn_runtime* rt, char* buffer, uint64_t capacity, uint64_t* out_size) {
  return with_runtime(rt, "tn_plugin_report",
                      [&] { give_text(rt->plugins->report_json(), buffer, capacity, out_size); });
}

}  // extern "C"
