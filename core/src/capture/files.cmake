set(TENON_CAPTURE_SOURCES
  src/capture/capture.cpp
  src/capture/run.cpp
  src/capture/specialise.cpp
  src/capture/text.cpp
  src/capi/program.cpp)
