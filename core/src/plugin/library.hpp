// Opening shared libraries: the only place that knows Boost.DLL.
#pragma once
#include "plugin/file.hpp"
#include "tenon/runtime.h"

namespace tenon {

// Opens the library bind-now and local and gives its tn_plugin_query. Its constructors run. It is never unmapped.
// Throws INVALID_ARGUMENT if the file is no shared library of this machine, is cut off, or has no such function; IO with the
// loader's own words if something that it needs is missing.
tn_plugin_query_fn load_library(const File& file);

}  // namespace tenon
