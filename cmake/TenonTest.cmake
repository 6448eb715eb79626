# Tests of this tree. One program is one ctest test named <label>.<name>.

# tenon_test_flags(<target>): tenon_target_flags for what waits for the library and computes little itself: half the time to build.
function(tenon_test_flags target)
  tenon_target_flags(${target})
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Og>)
endfunction()

# tenon_add_test(<name> LABEL unit|abi|plugin|conformance|e2e|samples|gpu [LABELS tsan ...]
#                SOURCES <source>... [LIBRARIES <library>...] [ARGS <argument>...]
#                [ENVIRONMENT <NAME=value>...] [TIMEOUT <seconds>] [NO_DOCTEST])
# The program, in tests/bin, gets doctest and its main() unless NO_DOCTEST or all sources are C.
# Label tsan has it run under the thread sanitizer as well. Exit status 77 says "skipped".
function(tenon_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_DOCTEST" "LABEL;TIMEOUT"
                        "LABELS;SOURCES;LIBRARIES;ARGS;ENVIRONMENT")
  set(target ${arg_LABEL}_${name})
  add_executable(${target} ${arg_SOURCES})
  tenon_test_flags(${target})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/bin)
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  if(NOT arg_NO_DOCTEST AND "${arg_SOURCES}" MATCHES "\\.cpp")
    target_link_libraries(${target} PRIVATE tenon_doctest)
  endif()
  tenon_register_test(${arg_LABEL}.${name} LABELS ${arg_LABEL} ${arg_LABELS}
    COMMAND ${target} ${arg_ARGS} ENVIRONMENT ${arg_ENVIRONMENT} TIMEOUT ${arg_TIMEOUT})
endfunction()

# tenon_register_test(<name> COMMAND ... LABELS ... [ENVIRONMENT ...] [TIMEOUT <seconds>])
# What every test has in common, for those whose program is not a doctest one.
function(tenon_register_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
  # Those with a limit of their own are long: they start first, lest one of them runs on alone at the end.
  set(cost "")
  if(arg_TIMEOUT)
    set(cost COST ${arg_TIMEOUT})
  else()
    set(arg_TIMEOUT 300)
  endif()
  if(TENON_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 6")
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ${cost} SKIP_RETURN_CODE 77
    ENVIRONMENT "${arg_ENVIRONMENT}")
  if("tsan" IN_LIST arg_LABELS)  # all that the tsan preset builds
    if(NOT TARGET tenon_tsan_tests)
      add_custom_target(tenon_tsan_tests)
    endif()
    list(GET arg_COMMAND 0 program)
    add_dependencies(tenon_tsan_tests ${program})
  endif()
endfunction()

# tenon_add_sample(<name> SOURCES <source>... [LIBRARIES <library>...] [ARGS <argument>...]
#                  [LABELS <label>...] [EXPECT <regex>...] [TIMEOUT <seconds>] [AFTER <sample>])
# bin/<name>, linked to Tenon::tenon, and its run as test samples.<name>, in the folder samples/run
# of the build tree. EXPECT: lines that it must print. AFTER: it needs what another sample leaves there.
function(tenon_add_sample name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;AFTER"
    "SOURCES;LIBRARIES;ARGS;LABELS;EXPECT")
  add_executable(${name} ${arg_SOURCES})
  tenon_target_flags(${name})
  target_link_libraries(${name} PRIVATE Tenon::tenon ${arg_LIBRARIES})
  tenon_register_test(samples.${name} LABELS samples ${arg_LABELS}
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/expect ${arg_EXPECT} --
      ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${name}> ${arg_ARGS}
    TIMEOUT ${arg_TIMEOUT})
  set(folder ${PROJECT_BINARY_DIR}/samples/run)
  file(MAKE_DIRECTORY ${folder})
  set_tests_properties(samples.${name} PROPERTIES WORKING_DIRECTORY ${folder})
  if(arg_AFTER)
    set_tests_properties(samples.${arg_AFTER} PROPERTIES FIXTURES_SETUP sample_${arg_AFTER})
    set_tests_properties(samples.${name} PROPERTIES FIXTURES_REQUIRED sample_${arg_AFTER})
  endif()
endfunction()

# tenon_register_staged_test(<name> COMMAND ...): a test of the installed tree ${TENON_STAGE}, which is made
# before it. Absent from sanitizer and cross builds.
set(TENON_STAGE ${PROJECT_BINARY_DIR}/stage)
function(tenon_register_staged_test name)
  if(TENON_SANITIZE OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  get_property(staged GLOBAL PROPERTY TENON_STAGED)
  if(NOT staged)
    set_property(GLOBAL PROPERTY TENON_STAGED ON)
    tenon_register_test(installed.stage LABELS e2e
      COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${TENON_STAGE})
    set_tests_properties(installed.stage PROPERTIES FIXTURES_SETUP tenon_stage)
  endif()
  tenon_register_test(installed.${name} LABELS e2e ${ARGN})
  set_tests_properties(installed.${name} PROPERTIES FIXTURES_REQUIRED tenon_stage)
endfunction()

# tenon_add_installed_test(<name> SOURCE_DIR <folder> [COMMAND <program> <argument>...])
# Configures and builds a project of its own against the installed tree, then runs its program.
# CMAKE_PREFIX_PATH and PKG_CONFIG_PATH lead to that tree.
function(tenon_add_installed_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE_DIR" "COMMAND")
  cmake_path(ABSOLUTE_PATH arg_SOURCE_DIR BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set(run "")
  if(arg_COMMAND)
    set(run --test-command ${arg_COMMAND})
  endif()
  tenon_register_staged_test(${name}
    COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${arg_SOURCE_DIR}
      ${PROJECT_BINARY_DIR}/tests/installed/${name} --build-generator ${CMAKE_GENERATOR}
      --build-options -DCMAKE_PREFIX_PATH=${TENON_STAGE} -DCMAKE_BUILD_TYPE=Release
      -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} ${run}
    ENVIRONMENT PKG_CONFIG_PATH=${TENON_STAGE}/${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
