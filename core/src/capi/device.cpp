#include "tenon/device.h"
#include "op/guards.hpp"

using namespace tenon;

extern "C" {

tn_error* tn_device_count(tn_runtime* rt, uint32_t* out_count) {
  return with_runtime(rt, "tn_device_count", [&] {
    need(out_count, "tn_device_count", "out_count");
    open_all_devices(rt);
    std::lock_guard lock(rt->device_mutex);
    *out_count = static_cast<uint32_t>(rt->devices.size());
  });
}

tn_error* tn_device_at(tn_runtime* rt, uint32_t index, tn_device** out) {
  return with_runtime(rt, "tn_device_at", [&] {
    need(out, "tn_device_at", "out_device");
    std::lock_guard lock(rt->device_mutex);
    if (index >= rt->devices.size())
      fail(TN_OUT_OF_RANGE, "tn_device_at: index {} of {} devices", index, rt->devices.size());
    *out = rt->devices[index].get();
  });
}

tn_error* tn_device_get(tn_runtime* rt, tn_str name, tn_device** out) {
  return with_runtime(rt, "tn_device_get", [&] {
    need(out, "tn_device_get", "out_device");
    *out = find_device(rt, view_of(name));
  });
}

tn_error* tn_device_get_info(const tn_device* d, tn_device_info* out) {
  return guard([&] {
    need(d, "tn_device_get_info", "device");
    tn_device_info info = tn_device_info_init();
    info.index = d->index;
    info.type = str_of(d->type);
    info.name = str_of(d->name);
    info.label = str_of(d->label);
    info.plugin = str_of(d->plugin);
    info.memory_bytes = d->memory_bytes;
    info.kernel_count = static_cast<uint32_t>(d->kernel_table.size());
    info.host_addressable = d->host_memory();
    give_struct(info, out, "tn_device_get_info");
  });
}

tn_error* tn_device_get_memory(const tn_device* d, tn_memory_stats* out) {
  return guard([&] {
    need(d, "tn_device_get_memory", "device");
    runtime_check(d->runtime, "tn_device_get_memory");
    give_struct(d->allocator->stats(), out, "tn_device_get_memory");
  });
}

tn_error* tn_device_reset_peak(tn_device* d) {
  return guard([&] {
    need(d, "tn_device_reset_peak", "device");
    runtime_check(d->runtime, "tn_device_reset_peak");
    d->allocator->reset_peak();
  });
}

tn_error* tn_device_trim(tn_device* d) {
  return guard([&] {
    need(d, "tn_device_trim", "device");
    runtime_check(d->runtime, "tn_device_trim");
    d->allocator->trim();
  });
}

tn_error* tn_device_set_memory_limit(tn_device* d, uint64_t bytes) {
  return guard([&] {
    need(d, "tn_device_set_memory_limit", "device");
    runtime_check(d->runtime, "tn_device_set_memory_limit");
    if (d->holds_values())
      fail(TN_UNIMPLEMENTED,
           "tn_device_set_memory_limit: {} places its values itself, its plugin has the limit",
           d->name);
    d->allocator->set_limit(bytes);
  });
}

}  // extern "C"
