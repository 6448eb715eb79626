/* A device whose alignment is no power of two. */
#include "minimal.h"

static tn_error* TN_CALL props(void* state, uint32_t index, tn_device_props* out) {
  minimal_props(state, index, out);
  out->alignment = 96;
  return NULL;
}
static const tn_device_vtbl table = MINIMAL_DEVICE_LISTED_BY(minimal_count, props);
MINIMAL_DEVICE_PLUGIN("org.example.odd_alignment", &table, minimal_open, minimal_close)
