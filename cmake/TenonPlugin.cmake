# tenon_add_plugin(<target> KIND <kind> NAME <name> SOURCES <source>... MANIFEST <file.json>
#                  [LIBRARIES <library>...] [OUTPUT_DIRECTORY <folder>] [NO_INSTALL] [STATIC])
#
# Builds tenon_<kind>_<name>.so, which exports tn_plugin_query and nothing else, and puts the
# manifest beside it as tenon_<kind>_<name>.json. KIND is backend, optimizer, format or ops. In the
# manifest @TENON_PLUGIN_LIBRARY@ and @TENON_PLUGIN_VERSION@ (the project's, or 0.0.0) are filled in.
# The output folder is lib/tenon/plugins of the build tree unless given; both files are installed to
# lib/tenon/plugins unless NO_INSTALL. Neither group nor others may write to them or, in the build
# tree, to the folders that they lie in. STATIC makes the archive <target>_static as well
# (TENON_STATIC=OFF: it does not), whose query function is named after the id in the manifest.
#
# tenon_link_plugins_statically(<target> <static plugin>...)
#
# Links them into a program beside Tenon::tenon_static, and generates <tenon_static_plugins.h>: the
# array tenon_static_plugins, for tn_runtime_desc. Include it in one source file.
#
# Works alike in Tenon's own tree and, after find_package(Tenon), in yours.

include_guard(GLOBAL)
include(GNUInstallDirs)

set(TENON_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/tenon_plugin.map)
if(NOT DEFINED TENON_PLUGIN_OUTPUT_DIRECTORY)
  set(TENON_PLUGIN_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/tenon/plugins)
endif()
if(NOT TARGET tenon_plugins)
  add_custom_target(tenon_plugins)  # every plugin that is installed
endif()

# Unresolved symbols are an error at link time, except where a sanitizer of clang leaves its own
# run-time library to the program.
function(tenon_forbid_undefined target)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND
     "${TENON_SANITIZE} ${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "address|thread|sanitize")
    return()
  endif()
  target_link_options(${target} PRIVATE -Wl,--no-undefined)
endfunction()

# C11 and C++20, as far as the project has the languages.
function(tenon_language_levels target)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  foreach(level C:c_std_11 CXX:cxx_std_20)
    string(REPLACE ":" ";" level ${level})
    list(GET level 0 language)
    if(language IN_LIST languages)
      list(GET level 1 feature)
      target_compile_features(${target} PRIVATE ${feature})
    endif()
  endforeach()
endfunction()

# A library or a folder that the group may write to, as under umask 002, is not trusted (docs/plugins.md):
# makes `folder`, and takes that right off it and the folders above it, up to that of the build tree.
function(tenon_deny_writing folder)
  file(MAKE_DIRECTORY ${folder})
  cmake_path(IS_PREFIX CMAKE_BINARY_DIR ${folder} NORMALIZE inside)
  while(inside)
    execute_process(COMMAND chmod go-w ${folder})
    cmake_path(GET folder PARENT_PATH folder)
    cmake_path(IS_PREFIX CMAKE_BINARY_DIR ${folder} NORMALIZE inside)
  endwhile()
endfunction()

function(tenon_add_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_INSTALL;STATIC" "KIND;NAME;MANIFEST;OUTPUT_DIRECTORY"
                        "SOURCES;LIBRARIES")
  foreach(word KIND NAME MANIFEST SOURCES)
    if(NOT arg_${word})
      message(FATAL_ERROR "tenon_add_plugin(${target}): ${word} is missing")
    endif()
  endforeach()
  if(NOT arg_KIND MATCHES "^(backend|optimizer|format|ops)$")
    message(FATAL_ERROR "tenon_add_plugin(${target}): there is no KIND ${arg_KIND}; "
                        "there are backend, optimizer, format and ops")
  endif()
  foreach(library ${arg_LIBRARIES})
    if(library MATCHES "^(tenon|tenon_objects|Tenon::tenon)$")
      message(FATAL_ERROR "tenon_add_plugin(${target}): a plugin never links ${library}; "
                          "the host hands its services over in open()")
    endif()
  endforeach()
  if(NOT arg_OUTPUT_DIRECTORY)
    set(arg_OUTPUT_DIRECTORY ${TENON_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  set(file tenon_${arg_KIND}_${arg_NAME})

  set(TENON_PLUGIN_LIBRARY ${file}.so)
  set(TENON_PLUGIN_VERSION ${PROJECT_VERSION})
  if(NOT TENON_PLUGIN_VERSION)
    set(TENON_PLUGIN_VERSION 0.0.0)
  endif()
  set(manifest ${CMAKE_CURRENT_BINARY_DIR}/${file}.json)
  cmake_path(ABSOLUTE_PATH arg_MANIFEST BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT EXISTS ${arg_MANIFEST})
    message(FATAL_ERROR "tenon_add_plugin(${target}): there is no MANIFEST ${arg_MANIFEST}")
  endif()
  configure_file(${arg_MANIFEST} ${manifest} @ONLY)

  add_library(${target} MODULE ${arg_SOURCES})
  if(COMMAND tenon_target_flags)
    tenon_target_flags(${target})
  else()
    tenon_language_levels(${target})
  endif()
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${file} SUFFIX .so
    LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${TENON_PLUGIN_MAP};${manifest}")
  target_link_libraries(${target} PRIVATE Tenon::sdk ${arg_LIBRARIES})
  target_link_options(${target} PRIVATE -Wl,--version-script=${TENON_PLUGIN_MAP})
  tenon_forbid_undefined(${target})
  # Beside the library only once that exists: a manifest alone would be reported as broken.
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${manifest} ${arg_OUTPUT_DIRECTORY}
    COMMAND chmod go-w $<TARGET_FILE:${target}> ${arg_OUTPUT_DIRECTORY}/${file}.json)
  tenon_deny_writing(${arg_OUTPUT_DIRECTORY})

  if(NOT arg_NO_INSTALL)
    add_dependencies(tenon_plugins ${target})
    set(destination ${CMAKE_INSTALL_LIBDIR}/tenon/plugins)
    install(TARGETS ${target} LIBRARY DESTINATION ${destination} COMPONENT plugins)
    install(FILES ${manifest} DESTINATION ${destination} COMPONENT plugins)
  endif()
  if(arg_STATIC AND (TENON_STATIC OR NOT DEFINED TENON_STATIC))
    tenon_add_static_plugin(${target} ${file} ${manifest} "${arg_SOURCES}" "${arg_LIBRARIES}")
    if(NOT arg_NO_INSTALL AND COMMAND tenon_install_static)
      tenon_install_static(${target}_static ${arg_KIND}_${arg_NAME}_static)
    endif()
  endif()
endfunction()

# The sources of the archive of tenon_add_plugin: in Tenon's own tree those that name the query function, which is another one there, and
# the objects that the plugin has of the others. All sources elsewhere, where a macro of one's own may name it; where none names it
# itself; where they are not plain files of different names, or are compiled several at a time.
function(tenon_static_plugin_sources plugin sources out)
  set(${out} ${sources} PARENT_SCOPE)
  get_target_property(unity ${plugin} UNITY_BUILD)
  if(NOT COMMAND tenon_target_flags OR unity OR CMAKE_C_OUTPUT_EXTENSION_REPLACE OR CMAKE_CXX_OUTPUT_EXTENSION_REPLACE)
    return()
  endif()
  set(naming "")
  set(names "")
  set(compiled_again "")
  foreach(source ${sources})
    cmake_path(GET source FILENAME name)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    if(NOT EXISTS ${source} OR name IN_LIST names)
      return()
    endif()
    list(APPEND names ${name})
    file(STRINGS ${source} lines LIMIT_COUNT 1
         REGEX "TENON_PLUGIN\\(|TN_PLUGIN_(QUERY|STATIC)|tn_plugin_query")
    if(lines)
      list(APPEND naming ${source})
      string(REGEX REPLACE "[^A-Za-z0-9_]" "." name ${name})
      list(APPEND compiled_again ${name})
    endif()
  endforeach()
  if(naming)
    list(JOIN compiled_again "|" names)
    set(${out} ${naming} "$<FILTER:$<TARGET_OBJECTS:${plugin}>,EXCLUDE,/(${names})[.]o(bj)?$>" PARENT_SCOPE)
  endif()
endfunction()

# The archive of tenon_add_plugin. Nothing is hidden in it: what the plugin defines besides its query
# function belongs in a namespace of its own.
function(tenon_add_static_plugin plugin file manifest sources libraries)
  set(target ${plugin}_static)
  file(READ ${manifest} text)
  string(JSON id GET "${text}" id)
  string(MAKE_C_IDENTIFIER ${id} id)
  tenon_static_plugin_sources(${plugin} "${sources}" sources)
  add_library(${target} STATIC ${sources})
  if(COMMAND tenon_target_flags)
    tenon_target_flags(${target})
  else()
    tenon_language_levels(${target})
  endif()
  target_compile_definitions(${target} PRIVATE TN_PLUGIN_STATIC=${id})
  target_link_libraries(${target} PRIVATE Tenon::sdk ${libraries})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${file} POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    TENON_PLUGIN_QUERY tn_plugin_query__${id} EXPORT_PROPERTIES TENON_PLUGIN_QUERY)
endfunction()

function(tenon_link_plugins_statically target)
  set(declarations "")
  set(entries "")
  foreach(plugin ${ARGN})
    get_target_property(query ${plugin} TENON_PLUGIN_QUERY)
    if(NOT query)
      message(FATAL_ERROR "tenon_link_plugins_statically(${target}): ${plugin} is no static plugin; "
                          "tenon_add_plugin(... STATIC) makes one")
    endif()
    string(APPEND declarations
           "extern const struct tn_plugin_info* TN_CALL ${query}(uint32_t host_version);\n")
    string(APPEND entries "    ${query},\n")
  endforeach()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}_static_plugins)
  file(CONFIGURE OUTPUT ${folder}/tenon_static_plugins.h @ONLY CONTENT
"/* The plugins linked into @target@. Made by tenon_link_plugins_statically. */
#ifndef TENON_STATIC_PLUGINS_H_
#define TENON_STATIC_PLUGINS_H_
#include <tenon/runtime.h>
TN_EXTERN_C_BEGIN
@declarations@TN_EXTERN_C_END
static const tn_plugin_query_fn tenon_static_plugins[] = {
@entries@    NULL,
};
#endif
")
  target_include_directories(${target} PRIVATE ${folder})
  target_link_libraries(${target} PRIVATE ${ARGN})
endfunction()
