# The safetensors plugin alone, against a host of the test's own.
tenon_add_test(safetensors LABEL plugin
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/safetensors_test.cpp
  LIBRARIES Tenon::sdk ${CMAKE_DL_LIBS})
# Its own system calls stand before libc's, also for the plugin that it opens.
set_target_properties(plugin_safetensors PROPERTIES ENABLE_EXPORTS ON)
target_compile_definitions(plugin_safetensors PRIVATE
  TENON_SAFETENSORS_PLUGIN="$<TARGET_FILE:tenon_format_safetensors>")
add_dependencies(plugin_safetensors tenon_format_safetensors)
