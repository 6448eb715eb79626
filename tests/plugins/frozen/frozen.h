/* What the frozen plugins share: a state that is the host, and the info. */
#ifndef TENON_TESTS_FROZEN_H_
#define TENON_TESTS_FROZEN_H_
#include <stdlib.h>
#include <string.h>
#include <tenon/op_ids.h>
#include <tenon/plugin/format.h>
#include <tenon/plugin/optimizer.h>

#define TEXT(literal) \
  { (literal), sizeof(literal) - 1 }

static tn_error* TN_CALL frozen_open(const tn_host* host, void** out_state) {
  memcpy(out_state, &host, sizeof host);
  return NULL;
}
static void TN_CALL frozen_close(void* state) { (void)state; }

/* name: OPS, OPTIMIZER, FORMAT. */
#define FROZEN_PLUGIN(plugin_id, name, table)                                                 \
  static const tn_interface interfaces[] = {                                                  \
      {TEXT(TN_IFACE_##name), TN_IFACE_##name##_MAJOR, TN_IFACE_##name##_REVISION, table}};   \
  static const tn_plugin_info info = {sizeof(tn_plugin_info), TENON_VERSION, TEXT(plugin_id), \
                                      TEXT("1.0.0"),          interfaces,    1,               \
                                      sizeof(tn_interface),   frozen_open,   frozen_close};   \
  const tn_plugin_info* TN_CALL tn_plugin_query(uint32_t host_version) {                      \
    (void)host_version;                                                                       \
    return &info;                                                                             \
  }
#endif
