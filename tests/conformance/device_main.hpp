// main() of programs that take --device NAME --plugin PATH.
#pragma once
#include <cstdio>
#include <exception>
#include <map>
#include <string>

// The exit status: what `run` gives of device and plugin, or 2 where it throws.
inline int device_main(int argc, char** argv,
                       int (*run)(const std::string& device, const std::string& plugin)) {
  std::map<std::string, std::string> options;
  for (int k = 1; k + 1 < argc; k += 2) options[argv[k]] = argv[k + 1];
  try {
    return run(options["--device"], options["--plugin"]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}
