#include "minimal.h"

static const tn_op_def op_list[] = {
    {sizeof(tn_op_def), 0, TEXT("ruleless"), 1, 0, NULL, 0, 1, NULL, NULL, NULL, NULL, TEXT("")}};
static const tn_ops_vtbl ops = {sizeof(tn_ops_vtbl), sizeof(tn_op_def), 1, 0, op_list};
MINIMAL_PLUGIN("org.example.op_without_rule", TN_IFACE_OPS, TN_IFACE_OPS_MAJOR,
               TN_IFACE_OPS_REVISION, &ops, minimal_open, minimal_close)
