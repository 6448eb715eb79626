set(TENON_MODEL_SOURCES
  src/model/model.cpp
  src/model/save.cpp
  src/capi/model.cpp)
