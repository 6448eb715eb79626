#include "minimal.h"

static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_PLUGIN("org.example.newer_revision", TN_IFACE_DEVICE, TN_IFACE_DEVICE_MAJOR, 7, &table,
               minimal_open, minimal_close)
