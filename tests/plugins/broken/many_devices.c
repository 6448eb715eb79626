/* Says that it has four billion devices. */
#include "minimal.h"

static tn_error* TN_CALL count(void* state, uint32_t* out_count) {
  (void)state;
  *out_count = 4000000000u;
  return NULL;
}
static const tn_device_vtbl table = MINIMAL_DEVICE_LISTED_BY(count, minimal_props);
MINIMAL_DEVICE_PLUGIN("org.example.many_devices", &table, minimal_open, minimal_close)
