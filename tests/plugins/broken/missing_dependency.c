#include "minimal.h"

int vanished(void);
static tn_error* TN_CALL needing(const tn_host* host, void** out_state) {
  if (vanished()) return minimal_open(host, out_state);
  return NULL;
}
static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_DEVICE_PLUGIN("org.example.missing_dependency", &table, needing, minimal_close)
