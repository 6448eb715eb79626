#include "runtime.hpp"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "base/error.hpp"
#include "guards.hpp"
#include "plugin/registry.hpp"
#include "profile/profiler.hpp"

namespace tenon {

tn_runtime* runtime_retain(tn_runtime* rt) noexcept {
  rt->refs.fetch_add(1, std::memory_order_relaxed);
  return rt;
}

void runtime_release(tn_runtime* rt) noexcept {
  if (rt && rt->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete rt;
}

void runtime_check(const tn_runtime* rt, const char* function) {
  switch (rt->page->state.load(std::memory_order_acquire)) {
    case kAlive:
    case kProfiling:
    case kFlushing:
      return;
    case kDown:
      fail(TN_SHUTDOWN, "{}: the runtime was shut down", function);
    default:
      fail(TN_FORKED,
           "{}: this process was forked from the one that made the runtime: here it can only be "
           "released. Make a runtime of its own in the child.",
           function);
  }
}

std::string path_of(tn_str path, const char* function, const char* what) {
  if (path.size == 0) fail(TN_INVALID_ARGUMENT, "{}: the {} is empty", function, what);
  need(path.data, function, what);
  const std::string text(view_of(path));
  if (const size_t at = text.find('\0'); at != text.npos)
    fail(TN_INVALID_ARGUMENT, "{}: the {} has a NUL byte after \"{}\"", function, what,
         text.substr(0, at));
  return text;
}

void runtime_shut_down(tn_runtime* rt) noexcept {
  uint32_t state = rt->page->state.load();
  do {
    if (state == kDown || state == 0) return;
  } while (!rt->page->state.compare_exchange_weak(state, kDown));
  {
    std::lock_guard lock(rt->device_mutex);
    for (auto& d : rt->devices) d->shut_down();
  }
  if (rt->plugins) rt->plugins->close_all();  // null: creation failed before
  if (rt->pool) rt->pool->stop();
}

void log(tn_runtime* rt, uint32_t level, const std::string& message) noexcept {
  if (!rt->log.function || level > rt->log_level) return;
  std::lock_guard lock(rt->log_mutex);
  rt->log.function(rt->log.user, level, {message.data(), message.size()});
}

std::string environment(const tn_runtime* rt, std::string_view name) {
  if (!rt->environment || getauxval(AT_SECURE)) return "";
  const char* v = std::getenv(("TENON_" + std::string(name)).c_str());
  return v ? v : "";
}

namespace {

// Binds a device's kernels to the ops known now. Kernels of ops that come later are bound when those are registered.
void bind_kernels(tn_runtime* rt, tn_device& d) {
  std::vector<std::vector<const tn_kernel*>> by_slot(rt->ops.count());
  for (const tn_kernel& k : d.kernel_table) {
    const OpEntry* e = rt->ops.find(view_of(k.op), k.since);
    if (!e || e->slot >= by_slot.size()) continue;
    auto& list = by_slot[e->slot];
    auto above = [&](const tn_kernel* other) { return other->priority >= k.priority; };
    list.insert(std::partition_point(list.begin(), list.end(), above), &k);
  }
  std::unique_lock lock(d.kernel_mutex);
  d.kernels = std::move(by_slot);
}

std::string split_index(std::string_view name, int32_t& index) {
  const size_t colon = name.rfind(':');
  index = 0;
  if (colon == std::string_view::npos) return std::string(name);
  const std::string digits(name.substr(colon + 1));
  if (digits.empty() || digits.size() > 4 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    fail(TN_INVALID_ARGUMENT,
         "\"{}\" is not a device name. Use \"type\" or \"type:index\", as in \"cpu:0\".", name);
  index = std::atoi(digits.c_str());
  return std::string(name.substr(0, colon));
}

void add_devices(tn_runtime* rt, Plugin& plugin) {
  uint32_t count = 0;
  check(plugin.device->count(plugin.state, &count));
  for (uint32_t i = 0; i < count; ++i) {
    tn_device_props props{};
    props.struct_size = sizeof props;
    check(plugin.device->props(plugin.state, i, &props));
    auto d = std::make_unique<tn_device>();
    d->runtime = rt;
    d->ordinal = static_cast<uint32_t>(rt->devices.size());
    d->type = view_of(props.type);
    d->index = 0;
    for (auto& o : rt->devices)
      if (o->type == d->type) d->index = std::max(d->index, o->index + 1);
    d->name = fmt::format("{}:{}", d->type, d->index);
    d->label = view_of(props.label);
    d->plugin = plugin.id;
    d->flags = props.flags;
    d->alignment = std::max<uint64_t>(64, props.alignment);
    d->memory_bytes = props.memory_bytes;
    d->max_block = props.max_block_bytes;
    d->max_binding = props.max_binding_bytes;
    d->priority = props.priority;
    d->allocator = std::make_unique<Allocator>(*d);
    d->allocator->set_limit(rt->memory_limit);
    check(call_plugin("open", [&] { return plugin.device->open(plugin.state, i, &d->handle); }));
    d->vtbl = plugin.device;
    d->compiler = plugin.compiler;
    try {
      if (d->holds_values() && (!d->vtbl->make_value || !d->compiler ||
                                d->flags & (TN_DEVICE_INLINE | TN_DEVICE_HOST_MEMORY)))
        fail(TN_INCOMPATIBLE,
             "{}: a device of TN_DEVICE_VALUES needs make_value, {} and queues, and its memory "
             "cannot be the host's",
             d->name, TN_IFACE_COMPILER);
      if (!d->holds_values() && (!d->vtbl->allocate || !d->vtbl->upload))
        fail(TN_INCOMPATIBLE,
             "{}: only a device of TN_DEVICE_VALUES needs no allocate and no upload", d->name);
      if (plugin.kernels && !d->holds_values())
        d->kernel_table = rt->plugins->kernels(plugin, d->handle);
      bind_kernels(rt, *d);
      rt->devices.reserve(256);  // contexts read it without the lock
      if (rt->devices.size() >= 256) fail(TN_OUT_OF_RANGE, "more than 256 devices");
    } catch (...) {
      d->shut_down();
      throw;
    }
    rt->devices.push_back(std::move(d));
  }
}

}  // namespace

void runtime_register(tn_runtime* rt, Plugin& plugin) {
  std::lock_guard lock(rt->device_mutex);
  if (plugin.ops) {
    for (uint32_t i = 0; i < plugin.ops->op_count; ++i) rt->ops.add(plugin.ops->ops[i], plugin.id);
    for (auto& d : rt->devices) bind_kernels(rt, *d);
  }
  const size_t before = rt->devices.size();
  try {
    if (plugin.device) add_devices(rt, plugin);
  } catch (...) {
    for (; rt->devices.size() > before; rt->devices.pop_back()) rt->devices.back()->shut_down();
    throw;
  }
}

tn_device* find_device(tn_runtime* rt, std::string_view name) {
  std::string wanted(name);
  if (wanted.empty()) wanted = environment(rt, "DEVICE");
  if (wanted.empty()) {
    open_all_devices(rt);
    std::lock_guard lock(rt->device_mutex);
    tn_device* best = nullptr;
    for (auto& d : rt->devices)
      if (!best || d->priority > best->priority) best = d.get();
    if (!best)
      fail(TN_NOT_FOUND, "there is no device: {}", rt->plugins->why_not(Provision::device, "cpu"));
    return best;
  }
  int32_t index = 0;
  const std::string type = split_index(wanted, index);
  auto look = [&]() -> tn_device* {
    std::lock_guard lock(rt->device_mutex);
    for (auto& d : rt->devices)
      if (d->type == type && d->index == index) return d.get();
    return nullptr;
  };
  if (tn_device* d = look()) return d;
  rt->plugins->open_first(Provision::device, type);
  if (tn_device* d = look()) return d;
  std::string have;
  {
    std::lock_guard lock(rt->device_mutex);
    for (auto& d : rt->devices)
      if (d->type == type) have += (have.empty() ? "" : ", ") + d->name;
  }
  if (!have.empty())
    fail(TN_NOT_FOUND, "there is no device \"{}\": of this type there are {}", wanted, have);
  fail(TN_NOT_FOUND, "there is no device \"{}\": {}", wanted,
       rt->plugins->why_not(Provision::device, type));
}

void open_all_devices(tn_runtime* rt) { rt->plugins->open_all(Provision::device); }

}  // namespace tenon

using namespace tenon;

tn_runtime::tn_runtime(std::span<const tn_op_def> core, const tn_op* ids) : ops(core, ids) {
  const long size = sysconf(_SC_PAGESIZE);
  void* p = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_WIPEONFORK
  madvise(p, static_cast<size_t>(size), MADV_WIPEONFORK);
#endif
  page = new (p) StatePage;
  page->state.store(kAlive, std::memory_order_release);
  profiler = std::make_unique<Profiler>();
}

tn_runtime::~tn_runtime() {
  if (page->state.load() != 0) {
    runtime_shut_down(this);
  } else {  // a forked child: threads and device handles are the parent's
    (void)pool.release();
    (void)plugins.release();
    for (auto& d : devices) (void)d.release();
  }
  devices.clear();
  plugins.reset();
  if (log.destroy) log.destroy(log.user);
  munmap(page, static_cast<size_t>(sysconf(_SC_PAGESIZE)));
}
