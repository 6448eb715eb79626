// The base is loaded, and what tn_plugin_query gives is made, when this library is loaded: the query itself does nothing.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

constexpr size_t kMost = 4;

struct Everything {
  char fault[64];
  const tn_plugin_info* base;
  const tn_host* host;
  tn_plugin_info info;
  tn_plugin_info again;  // for a query that changes its mind
  tn_interface interfaces[kMost];
};
Everything all;

std::string_view view(tn_str s) { return {s.data, s.size}; }

const void* table_of(std::string_view id) {
  if (id == TN_IFACE_DEVICE) return device_table();
  if (id == TN_IFACE_KERNELS) return kernels_table();
  if (id == TN_IFACE_COMPILER) return base_table(id);
  if (id == TN_IFACE_OPS) return ops_table();
  if (id == TN_IFACE_OPTIMIZER) return optimizer_table();
  return id == TN_IFACE_FORMAT ? format_table() : nullptr;
}

tn_error* TN_CALL open(const tn_host* host, void** out_state) {
  all.host = host;
  if (is("open_throws")) throw std::runtime_error("thrown in open");
  if (is("host_size_ignored")) {  // uses services that an older host does not have
    static tn_host copy;
    std::memcpy(&copy, host, sizeof copy);
    copy.struct_size = sizeof copy;
    return all.base->open(&copy, out_state);
  }
  return all.base->open(host, out_state);
}
void TN_CALL close(void* state) { all.base->close(state); }

[[gnu::constructor]] void load() {
  if (const char* fault = std::getenv("TENON_FAULT"))
    std::strncpy(all.fault, fault, sizeof all.fault - 1);
  void* library = dlopen(FAULTY_BASE, RTLD_NOW | RTLD_LOCAL);
  void* query = library ? dlsym(library, TN_PLUGIN_SYMBOL) : nullptr;
  if (!query) return;
  all.base = reinterpret_cast<decltype(&tn_plugin_query)>(query)(TENON_VERSION);
  all.info = *all.base;
  all.info.id = is("no_id") ? tn_str{} : tn_string(FAULTY_ID);
  all.info.open = open;
  all.info.close = close;
  all.info.interfaces = all.interfaces;
  if (is("stride_of_interfaces")) all.info.interface_stride = 8;
  for (uint32_t i = 0; i < all.info.interface_count && i < kMost; ++i) {
    all.interfaces[i] = all.base->interfaces[i];
    all.interfaces[i].table = table_of(view(all.interfaces[i].id));
  }
#ifdef FAULTY_COMPILER
  all.interfaces[all.info.interface_count++] = {tn_string(TN_IFACE_COMPILER),
                                                TN_IFACE_COMPILER_MAJOR, TN_IFACE_COMPILER_REVISION,
                                                compiler_table()};
#endif
  if (is("newer_revision")) ++all.interfaces[0].revision;
  if (is("other_major")) all.interfaces[0].major += 7;
  if (is("interface_twice")) all.interfaces[1] = all.interfaces[0];
  if (is("short_info")) all.info.struct_size = offsetof(tn_plugin_info, open);
  all.again = all.info;
  all.again.version = tn_string("0.1.1");
}

}  // namespace

bool is(std::string_view fault) { return fault == all.fault; }
const tn_plugin_info* base() { return all.base; }
const tn_host* host() { return all.host; }

const void* base_table(std::string_view interface) {
  for (uint32_t i = 0; all.base && i < all.base->interface_count; ++i)
    if (view(all.base->interfaces[i].id) == interface) return all.base->interfaces[i].table;
  return nullptr;
}

}  // namespace tenon::faulty

extern "C" const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t) {
  using namespace tenon::faulty;  // NOLINT(google-build-using-namespace): its one user
  static int calls = 0;
  if (is("query_throws")) throw std::runtime_error("thrown in the query");
  if (is("query_allocates")) static_cast<void>(new std::string(1000, 'x'));
  if (is("query_starts_thread"))
    std::thread([] { std::this_thread::sleep_for(std::chrono::seconds(60)); }).detach();
  if (is("query_changes") && ++calls % 2 == 0) return &all.again;
  return &all.info;
}

#ifdef FAULTY_EXPORT
extern "C" TN_PLUGIN_EXPORT int another_function() { return 1; }
#endif
