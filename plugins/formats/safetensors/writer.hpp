// Writing a file so that at every moment either the old one or the new one is there, whole.
#pragma once
#include <tenon/plugin/format.h>

#include <span>
#include <string>

namespace tenon::safetensors {

// A temporary file in the same folder, fsync, rename over `path`, fsync of the folder. A symbolic link stays one: what it leads
// to is replaced. An existing file passes its permissions on. Throws sdk::Error without the path; the temporary file is
// then gone.
void save(const std::string& path, std::span<const tn_format_item> items,
          std::span<const tn_metadata> metadata);

}  // namespace tenon::safetensors
