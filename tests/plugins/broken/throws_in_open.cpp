#include <stdexcept>

extern "C" {
#include "minimal.h"

static tn_error* TN_CALL throwing(const tn_host*, void**) {
  throw std::runtime_error("open went wrong");
}
static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_DEVICE_PLUGIN("org.example.throws_in_open", &table, throwing, minimal_close)
}
