# Sources of core/src/plugin, relative to core/. TENON_PLUGIN_DIR, where defined, is the install prefix's plugin folder.
set(TENON_PLUGIN_SOURCES
  src/plugin/file.cpp
  src/plugin/library.cpp
  src/plugin/manifest.cpp
  src/plugin/negotiate.cpp
  src/plugin/open.cpp
  src/plugin/registry.cpp
  src/plugin/report.cpp
  src/plugin/search.cpp
  src/plugin/sha256.cpp
  src/plugin/trust.cpp)
