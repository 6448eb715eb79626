# Every source file of the kernels, for this backend and for tests/plugins/adversary.
set(TENON_REFERENCE_KERNEL_SOURCES
  kernels.cpp
  wide.cpp
  kernels/binary.cpp
  kernels/conv.cpp
  kernels/copy.cpp
  kernels/fill.cpp
  kernels/matmul.cpp
  kernels/reduce.cpp
  kernels/scatter.cpp
  kernels/sort.cpp
  kernels/unary.cpp
  kernels/window.cpp)
list(TRANSFORM TENON_REFERENCE_KERNEL_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
