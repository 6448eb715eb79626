/* Opens, but the machine has nothing for it. */
#include "minimal.h"

static tn_error* TN_CALL none(void* state, uint32_t* out_count) {
  (void)state;
  *out_count = 0;
  return NULL;
}
static const tn_device_vtbl table = {sizeof(tn_device_vtbl),
                                     0,
                                     none,
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
MINIMAL_DEVICE_PLUGIN("org.example.no_device", &table, minimal_open, minimal_close)
