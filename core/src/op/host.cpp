// The services lent to a plugin.
#include "host.hpp"

#include <new>

#include "base/error.hpp"
#include "device/host_memory.hpp"
#include "plugin/registry.hpp"
#include "runtime.hpp"

namespace tenon {
namespace {

HostSlot& slot(const tn_host* host) { return *static_cast<HostSlot*>(host->impl); }
tn_runtime* runtime_of(const tn_host* host) { return slot(host).runtime; }

tn_error* TN_CALL h_error(const tn_host* host, tn_code code, tn_str message) {
  tn_error* e = tn_error_create(code, message);
  if (!e->is_static) {
    try {
      e->plugin = slot(host).id;
    } catch (...) {
    }
  }
  return e;
}

void* TN_CALL h_allocate(const tn_host* host, uint64_t bytes, uint64_t alignment) {
  const tn_runtime* rt = runtime_of(host);
  if (rt->has_allocator) return rt->allocator.allocate(rt->allocator.user, bytes, alignment);
  return host_allocate(bytes, alignment);
}

void TN_CALL h_free(const tn_host* host, void* memory, uint64_t bytes) {
  if (!memory) return;
  const tn_runtime* rt = runtime_of(host);
  if (rt->has_allocator)
    rt->allocator.free(rt->allocator.user, memory, bytes);
  else
    host_free(memory, bytes);
}

void TN_CALL h_log(const tn_host* host, uint32_t level, tn_str message) {
  tn_runtime* rt = runtime_of(host);
  if (level > rt->log_level) return;
  try {
    log(rt, level, slot(host).id + ": " + std::string(view_of(message)));
  } catch (...) {
  }
}

void TN_CALL h_parallel_for(const tn_host* host, int64_t n, int64_t grain,
                            void(TN_CALL* body)(void*, int64_t, int64_t), void* user) {
  runtime_of(host)->pool->run(n, grain, body, user);
}

int32_t TN_CALL h_thread_count(const tn_host* host) { return runtime_of(host)->pool->size(); }

tn_str TN_CALL h_environment(const tn_host* host, tn_str name) {
  HostSlot& s = slot(host);
  try {
    std::lock_guard lock(s.mutex);
    const std::string key(view_of(name));
    auto it = s.environment.find(key);
    if (it == s.environment.end())
      it = s.environment.emplace(key, environment(s.runtime, key)).first;
    return {it->second.data(), it->second.size()};
  } catch (...) {
    return {"", 0};
  }
}

tn_error* TN_CALL h_find_op(const tn_host* host, tn_str name, uint32_t since, tn_op* out_op) {
  return guard([&] {
    const OpEntry* e = runtime_of(host)->ops.find(view_of(name), since);
    if (!e) fail(TN_NOT_FOUND, "there is no op \"{}\"", view_of(name));
    *out_op = e->id;
  });
}

void TN_CALL h_fail(const tn_host* host, tn_timeline* line, uint64_t value, tn_error* error) {
  auto* q = reinterpret_cast<Queue*>(line);
  if (error && !error->is_static && error->plugin.empty() && error->refs.load() == 1) {
    try {
      error->plugin = slot(host).id;
    } catch (...) {
    }
  }
  q->fail(value, error ? error : error_make(TN_DEVICE_FAILED, "execution failed"));
}

void TN_CALL h_fail_like(const tn_host*, tn_timeline* line, uint64_t value,
                         const tn_timeline* cause) {
  auto* q = reinterpret_cast<Queue*>(line);
  auto* from = reinterpret_cast<Queue*>(const_cast<tn_timeline*>(cause));
  tn_error* e;
  {
    std::lock_guard lock(from->mutex);
    e = error_retain(from->error);
  }
  q->fail(value, e ? e : error_make(TN_DEVICE_FAILED, "a queue that this one waited for failed"));
}

}  // namespace

HostSlot::HostSlot(tn_runtime* rt, std::string plugin) : runtime(rt), id(std::move(plugin)) {
  host = {sizeof(tn_host),  TENON_VERSION, this,   h_error,    tn_error_release, tn_error_code,
          tn_error_message, h_allocate,    h_free, h_log,      h_parallel_for,   h_thread_count,
          h_environment,    h_find_op,     h_fail, h_fail_like};
}

}  // namespace tenon
