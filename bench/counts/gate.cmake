# Instructions of one call, counted by cachegrind: the difference of two runs, so that start and end
# of the process fall out.
#
# cmake -DVALGRIND=<program> -DPROGRAM=<bench_count> -DKIND=add -DLIMIT=300 -P gate.cmake
# With -DLINEAR=ON one of many must not cost more than one of few: 2000 to 4000 beside 4000 to 8000, within a twentieth.
# Prints "skipped: why" where it cannot
# run; CTest looks for that.

set(COUNT 2000)

if(NOT VALGRIND)
  message("skipped: valgrind is not installed")
  return()
endif()

function(instructions count out_total)
  # AVX2 at most: valgrind ends at the first AVX-512 instruction.
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env TENON_MAX_ISA=avx2
      ${VALGRIND} --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null ${PROGRAM} ${KIND} ${count}
    RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0 OR NOT text MATCHES "I +refs: +([0-9,]+)")
    message(FATAL_ERROR "${KIND}: cachegrind gave no count (exit ${code}):\n${text}")
  endif()
  string(REPLACE "," "" total ${CMAKE_MATCH_1})
  set(${out_total} ${total} PARENT_SCOPE)
endfunction()

math(EXPR twice "2 * ${COUNT}")
instructions(${COUNT} short)
instructions(${twice} long)
math(EXPR each "(${long} - ${short}) / ${COUNT}")

if(each GREATER LIMIT)
  message(FATAL_ERROR "${KIND}: ${each} instructions a call, the limit is ${LIMIT}")
endif()
if(LINEAR)
  math(EXPR most "4 * ${COUNT}")
  instructions(${most} longer)
  math(EXPR later "(${longer} - ${long}) / ${twice}")
  math(EXPR allowed "${each} + ${each} / 20")
  if(later GREATER allowed)
    message(FATAL_ERROR "${KIND}: of ${most} one costs ${later} instructions, of ${twice} ${each}")
  endif()
endif()
message("${KIND}: ${each} of ${LIMIT} instructions a call")
