#include "isa.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#if defined(CPU_X86_LEVELS)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

namespace tenon::cpu {
namespace {

#if defined(CPU_X86_LEVELS)

// Linux hands out the AMX tile registers on request only.
bool request_tiles() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

void detect(Device* device, bool allow_amx, Isa limit) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool f16c = __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 29));
  Isa isa = Isa::portable;
  if (avx2 && f16c) isa = avx512 ? Isa::avx512 : Isa::avx2;
  device->isa = isa < limit ? isa : limit;
  if (device->isa != Isa::avx512) return;

  unsigned d7 = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    device->avx512_vnni = (c & (1u << 11)) != 0;
    device->avx512_fp16 = (d & (1u << 23)) != 0;
    d7 = d;
  }
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) device->avx512_bf16 = (a & (1u << 5)) != 0;
  const bool tiles = (d7 & (1u << 24)) != 0;
  if (allow_amx && tiles && request_tiles()) {
    device->amx_bf16 = (d7 & (1u << 22)) != 0;
    device->amx_int8 = (d7 & (1u << 25)) != 0;
  }
}

std::string brand() {
  unsigned text[12] = {};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned* part = text + 4 * i;
    if (!__get_cpuid(0x80000002u + i, part, part + 1, part + 2, part + 3)) return {};
  }
  std::string_view name(reinterpret_cast<const char*>(text), sizeof text);
  name = name.substr(0, name.find('\0'));
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  return std::string(name.substr(0, name.find_last_not_of(' ') + 1));
}

#else
void detect(Device* device, bool, Isa) { device->isa = Isa::portable; }
std::string brand() { return {}; }
#endif

int64_t cache_bytes(int name, int64_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? int64_t(bytes) : otherwise;
}

// The value of the first line "key ... : value" of a file of /proc.
std::string proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

}  // namespace

bool detect_isa(std::string_view limit, Device* device) {
  Isa most = Isa::avx512;
  bool allow_amx = true;
  bool known = true;
  if (limit == "avx512") {
    allow_amx = false;
  } else if (limit == "avx2") {
    most = Isa::avx2;
  } else if (limit == "portable") {
    most = Isa::portable;
  } else {
    known = limit.empty() || limit == "amx";
  }
  detect(device, allow_amx, most);
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  device->l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, device->l1_bytes);
  device->l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, device->l2_bytes);
  device->l3_bytes = cache_bytes(_SC_LEVEL3_CACHE_SIZE, device->l3_bytes);
#endif
  return known;
}

// /proc/cpuinfo says the same, but the kernel makes up all of it first, for each processor.
std::string processor_name() {
  std::string name = brand();
  if (name.empty()) name = proc_value("/proc/cpuinfo", "CPU part");
  return name.empty() ? "CPU" : name;
}

uint64_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? uint64_t(pages) * uint64_t(size) : 0;
}

uint64_t available_memory() {
  const std::string text = proc_value("/proc/meminfo", "MemAvailable");
  unsigned long long kib = 0;
  return std::sscanf(text.c_str(), "%llu", &kib) == 1 ? uint64_t(kib) * 1024 : 0;
}

}  // namespace tenon::cpu
