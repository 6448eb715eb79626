# Files of attention/, matmul/, linalg/, conv/, norm/, optim/, recurrent/; see CMakeLists.txt.
set(TENON_CPU_NN_FRAME                # compiled once
  conv/conv_loops.cpp
  conv/onednn.cpp
  conv/window_loops.cpp
  nn_state.cpp)
set(TENON_CPU_NN_KERNELS              # compiled per instruction set
  attention/problem.cpp
  attention/tile_backward.cpp
  attention/tile_forward.cpp
  attention/tiles.cpp
  conv/base.cpp
  conv/channel_conv.cpp
  conv/conv2d.cpp
  conv/image_conv.cpp
  conv/onednn_kernels.cpp
  conv/plane_conv.cpp
  conv/quantized.cpp
  conv/region.cpp
  conv/tile_conv.cpp
  conv/tile_kernels.cpp
  conv/tile_weight_grad.cpp
  conv/weight_grad.cpp
  conv/window.cpp
  linalg/factor.cpp
  matmul/any.cpp
  matmul/batch.cpp
  matmul/matmul.cpp
  matmul/product.cpp
  matmul/quantized.cpp
  matmul/region.cpp
  matmul/widened.cpp
  recurrent/gru.cpp)
set(TENON_CPU_NN_FAST_KERNELS         # with -O3: inner loops that are worth it
  attention/backward.cpp
  attention/forward.cpp
  attention/scores.cpp
  conv/geometry.cpp
  conv/tap_conv.cpp
  conv/window_planes.cpp
  matmul/gemm.cpp
  matmul/integer.cpp
  matmul/micro.cpp
  matmul/narrow_gemm.cpp
  matmul/pack.cpp
  matmul/panels.cpp
  matmul/split.cpp
  matmul/split_gemm.cpp
  matmul/tiles.cpp
  norm/batch_norm.cpp
  norm/layer_norm.cpp
  norm/softmax.cpp
  optim/steps.cpp
  recurrent/lstm.cpp)
set(TENON_CPU_NN_LIBRARIES ${CMAKE_DL_LIBS})
# Their inner loops are those of matmul/micro.cpp, or written out.
tenon_optimize(-Os conv/channel_conv.cpp conv/conv2d.cpp conv/image_conv.cpp)

# Only oneDNN's header is needed: its library is opened at run time, where there is one.
find_package(OneDNN QUIET)
if(OneDNN_FOUND)
  set_source_files_properties(conv/onednn.cpp PROPERTIES
    COMPILE_DEFINITIONS TENON_HAVE_DNNL INCLUDE_DIRECTORIES ${OneDNN_INCLUDE_DIR})
endif()
