#include "minimal.h"

static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_PLUGIN("org.example.newer_major", TN_IFACE_DEVICE, 3, 2, &table, minimal_open,
               minimal_close)
