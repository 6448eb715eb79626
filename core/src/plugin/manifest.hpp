// What a plugin says of itself before any of its code runs. docs/plugins.md describes the file.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

enum class Provision { device, op, optimizer, format };

// What a plugin provides: from its manifest, or once it is open from its tables.
struct Provisions {
  struct Format {
    std::string name;
    std::vector<std::string> extensions;  // ".safetensors"
  };
  std::vector<std::string> devices, ops, optimizers;
  std::vector<Format> formats;
  uint32_t kernels = 0;

  // A format is found by its name and by an extension of it.
  bool has(Provision kind, std::string_view name) const;
  // Of a format only the names.
  std::vector<std::string_view> names(Provision kind) const;
  const std::vector<std::string>& list(Provision kind) const;  // of all but formats
  // "device cpu, 148 kernels"
  std::string text() const;
};

struct InterfaceVersion {
  std::string id;
  uint32_t major, revision;
};

struct Manifest {
  std::string id, version;
  std::string library;  // a file name in the manifest's folder
  std::vector<InterfaceVersion> interfaces;
  Provisions provides;
  int32_t priority = 0;
  std::vector<std::string> cpu_features;
};

constexpr uint64_t kManifestLimit = 64 << 10;

// Throws INVALID_ARGUMENT saying which key is wrong and how. Unknown keys are ignored: a newer manifest must be readable.
Manifest parse_manifest(std::string_view text);

// A reverse-DNS name: "org.tenon.cpu". Manifest and library are held to the same rule.
bool valid_plugin_id(std::string_view id);

}  // namespace tenon
