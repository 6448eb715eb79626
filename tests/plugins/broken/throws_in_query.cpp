#include <stdexcept>

#include "tenon/plugin/plugin.h"

extern "C" const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t) {
  throw std::runtime_error("query went wrong");
}
