#include "elf.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "check.hpp"

namespace tenon::conformance {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + path);
  return text.str();
}

namespace {

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#else
constexpr unsigned kMachine = EM_NONE;
#endif

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), bytes_(read_file(path)) {}

  ElfFile read() {
    read_segments();
    read_dynamic();
    return std::move(out_);
  }

 private:
  using Header = ElfW(Ehdr);
  using Segment = ElfW(Phdr);
  using Dynamic = ElfW(Dyn);
  using Entry = ElfW(Sym);

  template <class T>
  T at(uint64_t offset) const {
    T value;
    expect(offset <= bytes_.size() && sizeof value <= bytes_.size() - offset,
           "it is cut off: the file ends before byte " + std::to_string(offset + sizeof value),
           "a whole file");
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  std::string text(uint64_t offset) const {
    expect(offset < bytes_.size(), "a name outside the file", "a whole file");
    return bytes_.c_str() + offset;
  }
  // Where an address of memory lies in the file.
  uint64_t offset_of(uint64_t address) const {
    for (const Segment& s : segments_)
      if (s.p_type == PT_LOAD && address >= s.p_vaddr && address - s.p_vaddr < s.p_filesz)
        return address - s.p_vaddr + s.p_offset;
    throw Wrong("its dynamic section points outside the file", "a shared library");
  }

  // Of what has no ELF header.
  std::string what_it_is() const {
    if (bytes_.empty()) return path_ + " is an empty file";
    if (bytes_.starts_with("!<arch>")) return path_ + " is a static archive";
    std::string start;
    for (const char c : bytes_.substr(0, 24))
      start += c >= ' ' && c <= '~' ? std::string(1, c) : "?";
    return path_ + " has no ELF header, it begins with \"" + start + "\"";
  }

  void read_segments() {
    expect(bytes_.size() >= EI_NIDENT && std::memcmp(bytes_.data(), ELFMAG, SELFMAG) == 0,
           what_it_is(), "a shared library");
    const auto header = at<Header>(0);
    constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
    expect(
        header.e_ident[EI_CLASS] == kClass && (kMachine == EM_NONE || header.e_machine == kMachine),
        "ELF machine " + std::to_string(header.e_machine),
        "machine " + std::to_string(kMachine) + ", which this program runs on");
    expect(header.e_type == ET_DYN && header.e_phentsize == sizeof(Segment),
           "an ELF file of type " + std::to_string(header.e_type), "a shared library");
    for (unsigned k = 0; k < header.e_phnum; ++k) {
      segments_.push_back(at<Segment>(header.e_phoff + k * sizeof(Segment)));
      const Segment& s = segments_.back();
      expect(s.p_offset <= bytes_.size() && s.p_filesz <= bytes_.size() - s.p_offset,
             "it is cut off: its headers speak of more than its " + std::to_string(bytes_.size()) +
                 " bytes",
             "a whole file");
      if (s.p_type == PT_GNU_STACK) {
        out_.no_stack_note = false;
        out_.executable_stack = (s.p_flags & PF_X) != 0;
      }
    }
  }

  void read_dynamic() {
    std::vector<Dynamic> entries;
    for (const Segment& s : segments_)
      for (uint64_t k = 0; s.p_type == PT_DYNAMIC && k + sizeof(Dynamic) <= s.p_filesz;
           k += sizeof(Dynamic)) {
        entries.push_back(at<Dynamic>(s.p_offset + k));
        if (entries.back().d_tag == DT_NULL) break;
      }
    expect(!entries.empty(), "no dynamic section", "a shared library");
    uint64_t strings = 0, symbols = 0, hash = 0, gnu_hash = 0;
    for (const Dynamic& d : entries) {
      if (d.d_tag == DT_STRTAB) strings = offset_of(d.d_un.d_ptr);
      if (d.d_tag == DT_SYMTAB) symbols = offset_of(d.d_un.d_ptr);
      if (d.d_tag == DT_HASH) hash = offset_of(d.d_un.d_ptr);
      if (d.d_tag == DT_GNU_HASH) gnu_hash = offset_of(d.d_un.d_ptr);
      if (d.d_tag == DT_TEXTREL || (d.d_tag == DT_FLAGS && (d.d_un.d_val & DF_TEXTREL) != 0))
        out_.text_relocations = true;
    }
    for (const Dynamic& d : entries) {
      if (d.d_tag == DT_NEEDED) out_.needed.push_back(text(strings + d.d_un.d_val));
      if (d.d_tag == DT_SONAME) out_.soname = text(strings + d.d_un.d_val);
      if (d.d_tag == DT_RPATH || d.d_tag == DT_RUNPATH)
        out_.run_paths.push_back(text(strings + d.d_un.d_val));
    }
    const uint64_t count = hash != 0       ? at<uint32_t>(hash + 4)
                           : gnu_hash != 0 ? count_by_gnu_hash(gnu_hash)
                                           : 0;
    for (uint64_t k = 1; k < count; ++k)
      add_symbol(at<Entry>(symbols + k * sizeof(Entry)), strings);
  }

  void add_symbol(const Entry& e, uint64_t strings) {
    const unsigned binding = e.st_info >> 4, visibility = e.st_other & 3;
    if (binding == STB_LOCAL || e.st_shndx == SHN_ABS) return;
    Symbol s;
    s.name = text(strings + e.st_name);
    s.defined = e.st_shndx != SHN_UNDEF && visibility != STV_HIDDEN && visibility != STV_INTERNAL;
    s.weak = binding == STB_WEAK;
    s.unique = binding == STB_GNU_UNIQUE;
    out_.symbols.push_back(std::move(s));
  }

  // The table has no count: one past the end of the chain that begins last.
  uint64_t count_by_gnu_hash(uint64_t table) const {
    const auto buckets = at<uint32_t>(table), first = at<uint32_t>(table + 4),
               bloom = at<uint32_t>(table + 8);
    const uint64_t bucket = table + 16 + uint64_t{bloom} * sizeof(ElfW(Addr));
    const uint64_t chains = bucket + uint64_t{buckets} * 4;
    uint64_t last = 0;
    for (uint32_t k = 0; k < buckets; ++k)
      last = std::max<uint64_t>(last, at<uint32_t>(bucket + k * 4));
    if (last < first) return first;
    while ((at<uint32_t>(chains + (last - first) * 4) & 1) == 0) ++last;
    return last + 1;
  }

  std::string path_, bytes_;
  std::vector<Segment> segments_;
  ElfFile out_;
};

}  // namespace

ElfFile read_elf(const std::string& path) { return Reader(path).read(); }

}  // namespace tenon::conformance
