#include "plugin/library.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "tenon/plugin/entry.h"

namespace tenon {
namespace {

#if defined(__x86_64__)
constexpr ElfW(Half) kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr ElfW(Half) kMachine = EM_AARCH64;
#else
constexpr ElfW(Half) kMachine = EM_NONE;  // not checked: the loader does
#endif

const char* machine_name(ElfW(Half) machine) {
  constexpr std::pair<ElfW(Half), const char*> kNames[] = {{EM_X86_64, "x86-64"},
                                                           {EM_AARCH64, "aarch64"},
                                                           {EM_386, "x86"},
                                                           {EM_ARM, "arm"},
                                                           {EM_RISCV, "riscv"}};
  for (const auto& [known, name] : kNames)
    if (known == machine) return name;
  return "unknown";
}

// The loader maps what the headers promise; a file cut short would raise SIGBUS there.
void check_elf(const File& file) {
  ElfW(Ehdr) header{};
  if (file.read(&header, sizeof header, 0) < EI_NIDENT ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    fail(TN_INVALID_ARGUMENT, "is not a shared library: no ELF header");
  }
  if (file.size() < sizeof header) fail(TN_INVALID_ARGUMENT, "is cut off: {} bytes", file.size());
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (header.e_ident[EI_CLASS] != kClass || (kMachine != EM_NONE && header.e_machine != kMachine)) {
    fail(TN_INVALID_ARGUMENT, "is built for another machine: {}, {}-bit",
         machine_name(header.e_machine), header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32);
  }
  if (header.e_type != ET_DYN || header.e_phentsize != sizeof(ElfW(Phdr))) {
    fail(TN_INVALID_ARGUMENT, "is not a shared library: an ELF file of type {}", header.e_type);
  }
  std::vector<ElfW(Phdr)> segments(header.e_phnum);
  const size_t bytes = segments.size() * sizeof segments[0];
  bool whole = file.read(segments.data(), bytes, header.e_phoff) == bytes;
  for (const ElfW(Phdr) & s : segments) {
    whole = whole && (s.p_type != PT_LOAD ||
                      (s.p_offset <= file.size() && s.p_filesz <= file.size() - s.p_offset));
  }
  if (!whole)
    fail(TN_INVALID_ARGUMENT, "is cut off: its headers speak of more than its {} bytes",
         file.size());
}

// "boost::dll::shared_library::load() failed (dlerror system message: libx.so: cannot ...): Bad file descriptor": what the
// loader said, without the file's own name.
std::string loader_text(std::string_view what, std::string_view path) {
  constexpr std::string_view kBegin = "dlerror system message: ";
  if (const size_t at = what.find(kBegin); at != what.npos) what.remove_prefix(at + kBegin.size());
  if (const size_t end = what.rfind("): "); end != what.npos) what = what.substr(0, end);
  if (what.starts_with(path) && what.substr(path.size()).starts_with(": "))
    what.remove_prefix(path.size() + 2);
  return std::string(what);
}

}  // namespace

tn_plugin_query_fn load_library(const File& file) {
  check_elf(file);
  namespace dll = boost::dll;
  // Boost hands the bits on to dlopen. RTLD_NODELETE: code of the plugin may be on a stack, in a callback or at thread exit
  // long after we let go of it.
  constexpr auto kMode = static_cast<dll::load_mode::type>(
      dll::load_mode::rtld_now | dll::load_mode::rtld_local | RTLD_NODELETE);
  dll::shared_library library;
  try {
    library.load(file.path(), kMode);  // the form with an error code would lose the loader's text
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::system_error& e) {
    const std::string text = loader_text(e.what(), file.path());
    if (text.find("llocate memory") != text.npos) throw std::bad_alloc();
    fail(TN_IO, "cannot be loaded: {}", text);
  } catch (const std::exception& e) {
    fail(TN_INTERNAL, "threw while it was loaded: {}", e.what());
  }
  if (!library.has(TN_PLUGIN_SYMBOL)) {
    fail(TN_INVALID_ARGUMENT, "is not a Tenon plugin: it exports no function {}", TN_PLUGIN_SYMBOL);
  }
  return &library.get<const tn_plugin_info * TN_CALL(uint32_t)>(TN_PLUGIN_SYMBOL);
}

}  // namespace tenon
