set(TENON_OPTIM_SOURCES
  src/optim/clip.cpp
  src/optim/loss_scale.cpp
  src/optim/optimizer.cpp
  src/optim/schedule.cpp
  src/optim/state.cpp
  src/optim/step.cpp
  src/capi/optimizer.cpp)
