// A plugin that is another one with one fault, chosen by the environment variable TENON_FAULT when it is loaded. Without the
// variable it is that other one: its clean twin.
#ifndef TENON_TESTS_FAULTY_FAULTY_HPP_
#define TENON_TESTS_FAULTY_FAULTY_HPP_
#include <tenon/plugin/plugin.h>

#include <string_view>

namespace tenon::faulty {

// Is this the fault that was asked for?
bool is(std::string_view fault);

// What the library that this one stands for says of itself; null before it is loaded.
const tn_plugin_info* base();
// One of its tables; null: it has no such interface.
const void* base_table(std::string_view interface);
// Lent by the host at the last open.
const tn_host* host();

// Copies of the base's tables with the fault, made once, when the library is loaded. Null: there is none.
const tn_device_vtbl* device_table();
const tn_kernels_vtbl* kernels_table();
const tn_compiler_vtbl* compiler_table();  // of its own
const tn_ops_vtbl* ops_table();
const tn_optimizer_vtbl* optimizer_table();
const tn_format_vtbl* format_table();

// Kernels for devices of the SDK in host memory.
tn_kernel layer_norm();
tn_kernel region();

}  // namespace tenon::faulty
#endif
