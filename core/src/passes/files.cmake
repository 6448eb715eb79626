set(TENON_PASS_SOURCES
  src/passes/dead_code.cpp
  src/passes/dump.cpp
  src/passes/expand.cpp
  src/passes/passes.cpp
  src/passes/regions.cpp
  src/passes/simplify.cpp
  src/passes/subexpressions.cpp)
