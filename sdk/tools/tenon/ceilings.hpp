// What this machine can do at most, as bench/ceilings.c measures it: about a second.
#pragma once
#include <string>

#include "explain.hpp"

namespace tenon::cli {

struct Ceilings {
  unsigned threads = 0;
  std::string isa;
  double fma_gflops = 0, stream_gbs = 0;
  Json all;  // as the program prints it
};
// In a process of its own.
Ceilings measure_ceilings(unsigned threads);

}  // namespace tenon::cli
