# Sources of the plugin, relative to its folder; tests/fuzz compiles them too.
set(TENON_SAFETENSORS_SOURCES
  dtypes.cpp
  header.cpp
  json.cpp
  plugin.cpp
  reader.cpp
  writer.cpp)
