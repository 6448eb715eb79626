/* A device whose type is no name. */
#include "minimal.h"

static tn_error* TN_CALL props(void* state, uint32_t index, tn_device_props* out) {
  minimal_props(state, index, out);
  out->type = tn_string("a:b");
  return NULL;
}
static const tn_device_vtbl table = MINIMAL_DEVICE_LISTED_BY(minimal_count, props);
MINIMAL_DEVICE_PLUGIN("org.example.no_type", &table, minimal_open, minimal_close)
