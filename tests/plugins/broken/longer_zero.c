/* From a future header with one more slot, which it leaves empty: fine. */
#include "minimal.h"

static const struct {
  tn_device_vtbl known;
  void (*future)(void);
} table = {{sizeof table, 0, MINIMAL_SLOTS}, NULL};
MINIMAL_DEVICE_PLUGIN("org.example.longer_zero", &table, minimal_open, minimal_close)
