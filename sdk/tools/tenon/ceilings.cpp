#include "ceilings.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

// main of bench/ceilings.c.
extern "C" int tenon_ceilings_main(int argc, char** argv);

namespace tenon::cli {

Ceilings measure_ceilings(unsigned threads) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error(std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    std::string name = "ceilings", number = std::to_string(threads);
    char* argv[] = {name.data(), number.data(), nullptr};
    const int status = tenon_ceilings_main(2, argv);
    std::fflush(stdout);
    _exit(status);
  }
  close(ends[1]);
  std::string text;
  char piece[512];
  for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<size_t>(n));
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error("the ceilings of this machine could not be measured");
  const Json j = Json::parse(text);
  return {j["threads"], j["isa"], j["fma_gflops"], j["stream_gbs"], j};
}

}  // namespace tenon::cli
