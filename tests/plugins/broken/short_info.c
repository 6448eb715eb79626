/* The answer to the query itself is too short to say anything. */
#include "minimal.h"

static const uint32_t info[2] = {8, TENON_VERSION};
const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t host_version) {
  (void)host_version;
  return (const tn_plugin_info*)(const void*)info;
}
