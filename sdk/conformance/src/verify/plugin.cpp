#include "plugin.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

namespace tenon::conformance {

std::string text_of(tn_str s) { return s.data ? std::string(s.data, s.size) : std::string(); }

bool has_compiler(const Profile& p) {
  return std::ranges::count(p.interfaces, TN_IFACE_COMPILER) > 0;
}

Library::Library(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    const char* why = dlerror();
    throw Wrong(why ? why : "the loader refuses it", "a library that loads");
  }
  query_ = reinterpret_cast<tn_plugin_query_fn>(dlsym(library, TN_PLUGIN_SYMBOL));
  expect(query_ != nullptr, "no function " TN_PLUGIN_SYMBOL, "that it is exported");
  info_ = query();
  expect(info_ != nullptr, "tn_plugin_query gives NULL", "the plugin's description");
  expect(info_->struct_size >= offsetof(tn_plugin_info, close) + sizeof info_->close,
         "tn_plugin_info says it has " + std::to_string(info_->struct_size) + " bytes",
         "at least " + std::to_string(offsetof(tn_plugin_info, close) + sizeof info_->close));
  expect(info_->open && info_->close, "open or close is NULL", "both functions");
  expect(info_->interfaces && info_->interface_count > 0 && info_->interface_count <= 1000,
         std::to_string(info_->interface_count) + " interfaces", "at least one");
  expect(info_->interface_stride >= sizeof(tn_interface) && info_->interface_stride <= 65536 &&
             info_->interface_stride % alignof(tn_interface) == 0,
         "interfaces are " + std::to_string(info_->interface_stride) + " bytes apart",
         "sizeof(tn_interface), " + std::to_string(sizeof(tn_interface)));
}

const tn_plugin_info* Library::query(uint32_t host_version) const {
  return call("tn_plugin_query", [&] { return query_(host_version); });
}

std::vector<tn_interface> Library::interfaces() const {
  std::vector<tn_interface> list(info_->interface_count);
  for (uint32_t k = 0; k < info_->interface_count; ++k)
    std::memcpy(
        &list[k],
        reinterpret_cast<const char*>(info_->interfaces) + size_t{k} * info_->interface_stride,
        sizeof(tn_interface));
  return list;
}

const void* Library::table(const char* id) const {
  for (const tn_interface& i : interfaces())
    if (text_of(i.id) == id) return i.table;
  return nullptr;
}

OpenPlugin::OpenPlugin(const Library& l, SimulatedHost& h) : library(l), host(h) {
  const auto result =
      host.take(call("open", [&] { return library.info().open(host.get(), &state); }));
  expect(result.code == TN_OK,
         std::string("open fails: ") + tn_code_name(result.code) + ": " + result.message,
         "that it opens");
  open_ = true;
}
void OpenPlugin::close() {
  if (!std::exchange(open_, false)) return;
  call("close", [&] { return library.info().close(state); });
}
OpenPlugin::~OpenPlugin() {
  try {
    close();
  } catch (const Wrong&) {  // a check that looks at it calls close()
  }
}

OpenDevice::OpenDevice(OpenPlugin& plugin, uint32_t index)
    : host(plugin.host), v(plugin.library.device()) {
  expect(v != nullptr, "no tenon.device", "a device");
  props.struct_size = sizeof props;
  ok("props", call("props", [&] { return v->props(plugin.state, index, &props); }));
  ok("open of the device",
     call("open of the device", [&] { return v->open(plugin.state, index, &handle); }));
}
OpenDevice::~OpenDevice() {
  try {
    v->close(handle);
  } catch (...) {  // life.* looks at it
  }
}
void OpenDevice::ok(const char* slot, tn_error* error) const {
  const auto result = host.take(error);
  expect(result.code == TN_OK,
         std::string(slot) + " fails: " + tn_code_name(result.code) + ": " + result.message,
         "that it works");
}

BareQueue::BareQueue(const OpenDevice& d) : device(d) {
  if (d.has_queues())
    d.ok("queue_create",
         call("queue_create", [&] { return d.v->queue_create(d.handle, line.get(), &native); }));
}
BareQueue::~BareQueue() {
  if (!native) return;
  try {
    if (failed() == 0) wait();
    device.v->queue_destroy(native);
  } catch (...) {  // a failed check is under way, or this queue has failed
  }
}

uint64_t BareQueue::submitted() { return std::atomic_ref(line->submitted).load(); }
uint64_t BareQueue::completed() { return std::atomic_ref(line->completed).load(); }
uint64_t BareQueue::failed() { return std::atomic_ref(line->failed).load(); }
void BareQueue::set_failed(uint64_t value) { std::atomic_ref(line->failed).store(value); }

uint64_t BareQueue::enqueue(const char* slot, const std::function<tn_error*()>& command) {
  if (!device.has_queues()) return device.ok(slot, call(slot, command)), 0;
  const uint64_t value = std::atomic_ref(line->submitted).fetch_add(1) + 1;
  try {
    device.ok(slot, call(slot, command));
  } catch (...) {
    std::atomic_ref(line->submitted).fetch_sub(1);
    throw;
  }
  return value;
}
uint64_t BareQueue::upload(uint64_t mem, uint64_t offset, const void* from, uint64_t bytes) {
  return enqueue("upload",
                 [&] { return device.v->upload(device.handle, native, mem, offset, from, bytes); });
}
uint64_t BareQueue::download(void* to, uint64_t mem, uint64_t offset, uint64_t bytes) {
  return enqueue("download",
                 [&] { return device.v->download(device.handle, native, to, mem, offset, bytes); });
}
uint64_t BareQueue::wait_for(BareQueue& other, uint64_t value) {
  return enqueue("queue_wait_for", [&] {
    return device.v->queue_wait_for(native, other.native, other.line.get(), value);
  });
}
void BareQueue::wait(uint64_t value) {
  if (!native) return;
  constexpr uint64_t kPatience = 30'000'000'000;
  device.ok("queue_wait",
            call("queue_wait", [&] { return device.v->queue_wait(native, value, kPatience); }));
  expect(completed() >= value, "queue_wait came back at completed " + std::to_string(completed()),
         "at least the value waited for, " + std::to_string(value));
}

BareBlock::BareBlock(const OpenDevice& device, uint64_t n) : bytes(n), device_(device) {
  device.ok("allocate",
            call("allocate", [&] { return device.v->allocate(device.handle, n, &mem); }));
  expect(mem != 0, "allocate gives 0 for " + std::to_string(n) + " bytes",
         "an address or handle, or an error");
}
BareBlock::~BareBlock() {
  try {
    device_.v->free(device_.handle, mem, bytes);
  } catch (...) {  // throwing here is what errors.exceptions looks at
  }
}

Profile profile_of(const std::string& path) {
  Profile p;
  p.path = path;
  const Library library(path);
  p.id = text_of(library.info().id);
  p.version = text_of(library.info().version);
  for (const tn_interface& i : library.interfaces()) p.interfaces.push_back(text_of(i.id));
  check_table_sizes(library);
  if (const tn_ops_vtbl* o = library.ops())
    for (uint32_t k = 0; k < o->op_count; ++k)
      p.ops.push_back(text_of(entry(o->ops, o->op_stride, k)->name));
  if (const tn_optimizer_vtbl* o = library.optimizers())
    for (uint32_t k = 0; k < o->optimizer_count; ++k) {
      const tn_optimizer_def& d = *entry(o->optimizers, o->optimizer_stride, k);
      p.optimizers.push_back(text_of(d.name));
      p.fused_ops.push_back(text_of(d.fused_op));
    }
  if (const tn_format_vtbl* f = library.format()) {
    p.format = text_of(f->name);
    const std::string all = text_of(f->extensions);
    p.extension = all.substr(0, all.find(' '));
  }
  const tn_device_vtbl* v = library.device();
  if (!v) return p;
  SimulatedHost host;
  OpenPlugin plugin(library, host);
  uint32_t count = 0;
  const auto counted = host.take(call("count", [&] { return v->count(plugin.state, &count); }));
  expect(counted.code == TN_OK, "count fails: " + counted.message, "a number of devices");
  expect(count <= 4096, std::to_string(count) + " devices", "at most 4096");
  std::vector<std::string> types;
  for (uint32_t k = 0; k < count; ++k) {
    tn_device_props props{};
    props.struct_size = sizeof props;
    const auto got = host.take(call("props", [&] { return v->props(plugin.state, k, &props); }));
    expect(got.code == TN_OK, "props fails: " + got.message, "what the device is");
    expect(!(props.flags & TN_DEVICE_VALUES), "the device has values and no memory",
           "memory: this kit looks at no other device yet");
    types.push_back(text_of(props.type));
    const auto index = std::count(types.begin(), types.end(), types.back()) - 1;
    p.devices.push_back({types.back() + ":" + std::to_string(index), props.flags});
  }
  return p;
}

}  // namespace tenon::conformance
