/* Opens, but the machine has nothing for it. */
#include "minimal.h"

static tn_error* TN_CALL none(void* state, uint32_t* out_count) {
  (void)state;
  *out_count = 0;
  return NULL;
}
static const tn_device_vtbl table = MINIMAL_DEVICE_LISTED_BY(none, minimal_props);
MINIMAL_DEVICE_PLUGIN("org.example.no_device", &table, minimal_open, minimal_close)
