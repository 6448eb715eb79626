# Sources of core/src/profile, relative to core/.
set(TENON_PROFILE_SOURCES
  src/profile/profiler.cpp)
