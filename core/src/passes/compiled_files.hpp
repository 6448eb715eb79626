// The folder in which compiled graphs are kept from one process to the next: one file each, named by a hash of the graph, the modes and
// what the backend calls compatible. A file has a hash of its bytes in front, appears under its name when it is whole, and is read only if the
// user of the process, or root, alone could have written it (the rule safe-owner of plugin/trust.hpp).
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "pass.hpp"

namespace tenon {

class CompiledFiles {
 public:
  // Null: the runtime has no folder, or the backend keeps nothing.
  static std::unique_ptr<CompiledFiles> of(tn_runtime* rt, const tn_device& device);

  std::string name(const std::string& blob, uint32_t modes) const;
  // Nothing where there is no such file. Throws for one that is damaged or not to be trusted.
  std::optional<std::string> read(const std::string& name) const;
  // Afterwards the folder is within its limit: the files that were longest not read or written go.
  void write(const std::string& name, const std::string& bytes) const;

 private:
  CompiledFiles(std::string folder, uint64_t limit, std::string compatibility)
      : folder_(std::move(folder)), limit_(limit), compatibility_(std::move(compatibility)) {}
  void trim() const;

  std::string folder_;
  uint64_t limit_;
  std::string compatibility_;
};

}  // namespace tenon
