#include "minimal.h"

const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t host_version) {
  (void)host_version;
  return NULL;
}
