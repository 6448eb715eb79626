/* From a future header with one more slot, which it fills: the host would never call it. */
#include "minimal.h"

static void future(void) {}
static const struct {
  tn_device_vtbl known;
  void (*future)(void);
} table = {{sizeof table, 0, MINIMAL_SLOTS}, future};
MINIMAL_DEVICE_PLUGIN("org.example.longer_used", &table, minimal_open, minimal_close)
