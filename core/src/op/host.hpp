// One table of host services per plugin, so that errors and logs carry its id.
#pragma once
#include <mutex>
#include <string>
#include <unordered_map>

#include "tenon/plugin/entry.h"

namespace tenon {

struct HostSlot {
  HostSlot(tn_runtime* rt, std::string plugin);
  tn_host host{};
  tn_runtime* runtime;
  std::string id;
  std::mutex mutex;
  std::unordered_map<std::string, std::string> environment;  // lent to the plugin
};

}  // namespace tenon
