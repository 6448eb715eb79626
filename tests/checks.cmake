# Rules about the tree and the built files, as tests. They hold or not whatever the sanitizer, and
# sizes and needed libraries are those of a shipped build: so not in sanitizer builds.

if(TENON_SANITIZE)
  return()
endif()
if(NOT Python3_Interpreter_FOUND)
  message(WARNING "Tenon: python3 not found, the checks.* tests are left out")
  return()
endif()
set(python ${Python3_EXECUTABLE} -B)
set(tools ${PROJECT_SOURCE_DIR}/tools)

tenon_register_test(checks.includes LABELS checks COMMAND ${python} ${tools}/check_includes.py)
tenon_register_test(checks.tree LABELS checks COMMAND ${python} ${tools}/check_tree.py)
tenon_register_test(checks.format LABELS checks COMMAND ${tools}/format --check)
# The checks themselves can fail: each is fed small trees that break one rule.
tenon_register_test(checks.selftest LABELS checks
  COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/checks/selftest.py)
# Planting the faults takes a quarter of an hour; that their places are there is seen at once.
tenon_register_test(checks.corruptions LABELS checks
  COMMAND ${python} ${tools}/corrupt_check --places)
tenon_register_test(checks.bench LABELS checks
  COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/checks/bench_test.py)
tenon_register_test(checks.performance LABELS checks
  COMMAND ${python} ${tools}/bench --render --check)

if(TARGET tenon)
  set(size_limit "")
  if(CMAKE_BUILD_TYPE STREQUAL Release)
    set(size_limit --size-limit 1000000)
    if(TARGET tenon_backend_cpu)
      list(APPEND size_limit --plugin 4000000 $<TARGET_FILE:tenon_backend_cpu>)
    endif()
  endif()
  tenon_register_test(checks.binaries LABELS checks
    COMMAND ${python} ${tools}/check_binaries.py --readelf ${CMAKE_READELF}
      --strip ${CMAKE_STRIP} ${size_limit} $<TARGET_FILE:tenon>)
endif()
