# Files of matmul/, conv/, norm/, optim/; see CMakeLists.txt.
set(TENON_CPU_NN_FRAME nn_state.cpp)  # compiled once
set(TENON_CPU_NN_KERNELS              # compiled per instruction set
  conv/conv2d.cpp
  conv/geometry.cpp
  conv/tap_conv.cpp
  conv/weight_grad.cpp
  matmul/any.cpp
  matmul/batch.cpp
  matmul/gemm.cpp
  matmul/matmul.cpp
  matmul/micro.cpp
  matmul/pack.cpp
  matmul/product.cpp
  matmul/widened.cpp
  norm/batch_norm.cpp
  norm/layer_norm.cpp
  norm/softmax.cpp
  optim/steps.cpp)
set(TENON_CPU_NN_LIBRARIES)
