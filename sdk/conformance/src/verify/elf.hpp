// A shared library as a file: what its ELF headers say, read without loading it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::conformance {

struct Symbol {
  std::string name;
  bool defined = false, weak = false, unique = false;
};

struct ElfFile {
  std::string soname;
  std::vector<std::string> needed, run_paths;
  std::vector<Symbol> symbols;  // dynamic ones that are not local
  bool executable_stack = false, no_stack_note = true, text_relocations = false;
};

// Throws Wrong for what is no shared library for this machine, or is cut off.
ElfFile read_elf(const std::string& path);

// The whole file; throws std::runtime_error.
std::string read_file(const std::string& path);

}  // namespace tenon::conformance
