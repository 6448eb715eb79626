// What this machine can do at most, as bench/ceilings.c measures it: about a second.
#pragma once
#include <string>

#include "explain.hpp"

namespace tenon::cli {

struct Ceilings {
  unsigned threads = 0;
  std::string isa;
  double fma_gflops = 0, stream_gbs = 0;
};
// In a process of its own.
Ceilings measure_ceilings(unsigned threads);
Json to_json(const Ceilings& top);

}  // namespace tenon::cli
