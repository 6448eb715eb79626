// A plugin of this build with one of its tables replaced by the test's, registered statically.
#pragma once
#include <dlfcn.h>
#include <tenon/plugin/entry.h>

#include <cstring>
#include <utility>
#include <vector>

#include "fixture.hpp"

namespace tenon::test {

// T: Table, its type; kLibrary, kInterface, kId; table(), what takes its place.
template <class T>
struct WrappedPlugin {
  using Table = typename T::Table;
  inline static const tn_plugin_info* base = nullptr;
  inline static const tn_host* host = nullptr;  // lent at the last open
  inline static const Table* inner = nullptr;

  static tn_error* failure(const char* what) {
    return host->error(host, TN_DEVICE_FAILED, tn_string(what));
  }
  static tn_error* TN_CALL open(const tn_host* given, void** state) {
    host = given;
    return base->open(given, state);
  }
  static const tn_plugin_info* TN_CALL query(uint32_t version) {
    static std::vector<tn_interface> interfaces;
    static tn_plugin_info info;
    void* library = dlopen(T::kLibrary, RTLD_NOW | RTLD_LOCAL);
    void* entry = library ? dlsym(library, TN_PLUGIN_SYMBOL) : nullptr;
    if (!entry) return nullptr;
    base = reinterpret_cast<tn_plugin_query_fn>(entry)(version);
    interfaces.assign(base->interfaces, base->interfaces + base->interface_count);
    for (tn_interface& i : interfaces)
      if (std::strcmp(i.id.data, T::kInterface) == 0)
        inner = static_cast<const Table*>(std::exchange(i.table, T::table()));
    info = *base;
    info.id = tn_string(T::kId);
    info.interfaces = interfaces.data();
    info.open = open;
    return &info;
  }

  // A runtime with it and the bundled optimizers; `change` may change what is asked for.
  template <class F>
  static tn_runtime* make_runtime(F&& change) {
    static const tn_plugin_query_fn plugins[] = {query, nullptr};
    const tn_str optimizers = tn_string(OPTIMIZERS);
    tn_runtime_desc d = tn_runtime_desc_init();
    d.flags = TN_RUNTIME_NO_SEARCH;
    d.static_plugins = plugins;
    d.plugin_paths = &optimizers;
    d.plugin_path_count = 1;
    change(d);
    tn_runtime* rt = nullptr;
    REQUIRE_OK(tn_runtime_create(&d, &rt));
    return rt;
  }
};

}  // namespace tenon::test
