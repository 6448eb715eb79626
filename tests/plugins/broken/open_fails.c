#include "minimal.h"

static tn_error* TN_CALL refuse(const tn_host* host, void** out_state) {
  (void)out_state;
  return host->error(host, TN_DEVICE_FAILED, tn_string("the driver is asleep"));
}
static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_DEVICE_PLUGIN("org.example.open_fails", &table, refuse, minimal_close)
