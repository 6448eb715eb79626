/* Says that it has four billion devices. */
#include "minimal.h"

static tn_error* TN_CALL count(void* state, uint32_t* out_count) {
  (void)state;
  *out_count = 4000000000u;
  return NULL;
}
static const tn_device_vtbl table = {sizeof(tn_device_vtbl),
                                     0,
                                     count,
                                     minimal_props,
                                     minimal_device_open,
                                     minimal_device_close,
                                     minimal_allocate,
                                     minimal_free,
                                     NULL,
                                     minimal_upload,
                                     minimal_download,
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL};
MINIMAL_DEVICE_PLUGIN("org.example.many_devices", &table, minimal_open, minimal_close)
