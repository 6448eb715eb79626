# How every target of this tree is compiled. Flags belong to targets; none are set directory-wide.

include(CheckCXXSourceRuns)

find_program(TENON_CCACHE ccache)
mark_as_advanced(TENON_CCACHE)
foreach(lang C CXX)
  if(TENON_CCACHE AND NOT DEFINED CMAKE_${lang}_COMPILER_LAUNCHER)
    # Without this it keeps nothing that was compiled with a precompiled header.
    set(CMAKE_${lang}_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${TENON_CCACHE})
  endif()
endforeach()

# Programs and libraries find each other wherever the tree is moved to.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)

# tenon_target_flags(<target>): language level, warnings, visibility, sections, sanitizers.
# tenon_add_core, tenon_add_plugin, tenon_add_test and their like call it; other targets do so here.
function(tenon_target_flags target)
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wundef -Wvla
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi>
    $<$<BOOL:${TENON_WERROR}>:-Werror>
    -ffunction-sections -fdata-sections
    -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=  # wherever a tree lies, it makes the same files
    $<$<CONFIG:Release>:-O2>)
  target_link_options(${target} PRIVATE -Wl,--gc-sections -Wl,--as-needed)
  if(TENON_SANITIZE)
    set(flags -fsanitize=${TENON_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      list(APPEND flags -fno-sanitize=vptr,function)  # their run-time part is not in C programs
    endif()
    target_compile_options(${target} PRIVATE ${flags} -Og -g1)  # half the time of -O1 -g to build
    target_link_options(${target} PRIVATE ${flags})
  endif()
endfunction()

# tenon_optimize(<-O2|-O3|-Os> <source>...): another level for these files of an optimised build.
function(tenon_optimize level)
  if(NOT TENON_SANITIZE)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS
                 $<$<NOT:$<CONFIG:Debug>>:${level}>)
    set_property(SOURCE ${ARGN} PROPERTY SKIP_PRECOMPILE_HEADERS ON)  # of GCC, which are for one level
  endif()
endfunction()

# tenon_precompile(<target> <header>...): what most C++ files of the target include is read once: half of the time that they take where
# they are small. Each file includes what it needs all the same: CMAKE_DISABLE_PRECOMPILE_HEADERS builds without.
function(tenon_precompile target)
  foreach(header ${ARGN})
    if(NOT header MATCHES "^<")
      cmake_path(ABSOLUTE_PATH header BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    endif()
    target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${header}>")
  endforeach()
endfunction()

# tenon_pack_relocations(<target>): its relative relocations as a bitmap, an eighth of the size, where the system that builds can load
# that (binutils 2.38, glibc 2.36).
function(tenon_pack_relocations target)
  if(NOT CMAKE_CROSSCOMPILING)
    set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,-z,pack-relative-relocs)
    check_cxx_source_runs("
      int a = 1, b = 2;
      int* const volatile both[] = {&a, &b};
      int main() { return *both[0] + *both[1] - 3; }" TENON_PACKED_RELOCATIONS)
    if(TENON_PACKED_RELOCATIONS)
      target_link_options(${target} PRIVATE ${CMAKE_REQUIRED_LINK_OPTIONS})
    endif()
  endif()
endfunction()

# tenon_add_headers(<name> [DIRECTORY include] [LINK <target>...] [COMPONENT sdk])
# The header-only target Tenon::<name> and its installation.
function(tenon_add_headers name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DIRECTORY;COMPONENT" "LINK")
  if(NOT arg_DIRECTORY)
    set(arg_DIRECTORY include)
  endif()
  cmake_path(ABSOLUTE_PATH arg_DIRECTORY BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  add_library(tenon_${name} INTERFACE)
  add_library(Tenon::${name} ALIAS tenon_${name})
  set_target_properties(tenon_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(tenon_${name} INTERFACE
    $<BUILD_INTERFACE:${arg_DIRECTORY}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(tenon_${name} INTERFACE ${arg_LINK})
  set(export TenonSdkTargets)
  if("Tenon::tenon" IN_LIST arg_LINK)
    set(export TenonRuntimeTargets)
  endif()
  install(TARGETS tenon_${name} EXPORT ${export})
  install(DIRECTORY ${arg_DIRECTORY}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk
          FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
endfunction()

# tenon_add_core(SOURCES <source>...)
# The library: tenon_objects (its objects, for unit tests of the inside), Tenon::tenon and, unless
# TENON_STATIC is OFF, the archive Tenon::tenon_static.
function(tenon_add_core)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "SOURCES")
  add_library(tenon_objects OBJECT ${arg_SOURCES})
  tenon_target_flags(tenon_objects)
  set_target_properties(tenon_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(tenon_objects
    PRIVATE TENON_BUILDING
    PUBLIC BOOST_DLL_USE_STD_FS)
  target_include_directories(tenon_objects PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(tenon_objects PUBLIC
    Tenon::abi Boost::headers nlohmann_json::nlohmann_json)
  # Of fmt the headers only, with the core's own vformat in src/base/fmt.cpp.
  target_include_directories(tenon_objects SYSTEM PUBLIC
    $<TARGET_PROPERTY:fmt::fmt-header-only,INTERFACE_INCLUDE_DIRECTORIES>)

  set(map ${CMAKE_CURRENT_SOURCE_DIR}/tenon.map)
  add_library(tenon SHARED $<TARGET_OBJECTS:tenon_objects>)
  add_library(Tenon::tenon ALIAS tenon)
  tenon_target_flags(tenon)
  set_target_properties(tenon PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINKER_LANGUAGE CXX LINK_DEPENDS ${map})
  target_link_libraries(tenon PUBLIC Tenon::abi)
  # Code and constants in one segment: no padding between them, and less to map.
  target_link_options(tenon PRIVATE -Wl,--version-script=${map} -Wl,-z,noseparate-code)
  tenon_forbid_undefined(tenon)
  tenon_pack_relocations(tenon)
  # Nothing here asks for a type at run time. (The check of vptr would.)
  if(NOT TENON_SANITIZE)
    target_compile_options(tenon_objects PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  endif()
  # A tenth smaller. The objects also hold plain code, for the archive and for tests of the inside.
  if(TENON_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release
     AND NOT TENON_SANITIZE)
    set(lto TRUE)
    target_compile_options(tenon_objects PRIVATE -flto=auto -ffat-lto-objects)
    target_link_options(tenon_objects INTERFACE -fno-lto)
    target_link_options(tenon PRIVATE -flto -flto-partition=one)  # a hundredth smaller than in parts
  endif()
  if(TENON_STATIC)
    add_library(tenon_static STATIC $<TARGET_OBJECTS:tenon_objects>)
    set_target_properties(tenon_static PROPERTIES OUTPUT_NAME tenon LINKER_LANGUAGE CXX)
    target_link_libraries(tenon_static PUBLIC Tenon::abi PRIVATE ${CMAKE_DL_LIBS} m pthread)
    if(lto)  # another compiler's linker could not read them
      add_custom_command(TARGET tenon_static POST_BUILD COMMAND ${CMAKE_OBJCOPY}
        --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_* $<TARGET_FILE:tenon_static>)
    endif()
    tenon_install_static(tenon_static tenon_static)
  endif()
  tenon_install_core()
endfunction()

# tenon_add_program(<name> [TARGET <target>] SOURCES ... [LIBRARIES ...]): bin/<name>, installed.
function(tenon_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET" "SOURCES;LIBRARIES")
  if(NOT arg_TARGET)
    set(arg_TARGET ${name})
  endif()
  add_executable(${arg_TARGET} ${arg_SOURCES})
  tenon_target_flags(${arg_TARGET})
  target_link_libraries(${arg_TARGET} PRIVATE ${arg_LIBRARIES})
  set_target_properties(${arg_TARGET} PROPERTIES
    OUTPUT_NAME ${name} INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS ${arg_TARGET} RUNTIME COMPONENT runtime)
endfunction()
