// The tables of "org.tenon.safetensors".
#include <tenon/sdk/format.hpp>

#include "reader.hpp"
#include "writer.hpp"

namespace tenon::safetensors {
namespace {

struct Safetensors {
  static constexpr std::string_view name = "safetensors", extensions = ".safetensors";

  static int32_t probe(std::string_view head, uint64_t file_bytes) {
    return safetensors::probe(head.data(), head.size(), file_bytes);
  }
  Safetensors(const std::string& path, const tn_format_limits& limits)
      : file(path, effective(&limits)) {}

  uint32_t count() const { return static_cast<uint32_t>(file.header().tensors.size()); }
  tn_model_entry entry(uint32_t index) const {
    const Tensor& t = file.header().tensors[index];
    tn_model_entry e = tn_model_entry_init();
    e.dtype = t.dtype->dtype;
    e.name = sdk::str(t.name);
    e.dims = file.header().dims.data() + t.first_dim;
    e.bytes = t.end - t.begin;
    e.file_offset = file.data_offset() + t.begin;
    e.rank = t.rank;
    return e;
  }
  const void* data(uint32_t index) const { return file.data(file.header().tensors[index]); }
  std::span<const tn_metadata> metadata() const { return file.header().metadata; }

  static void save(const std::string& path, std::span<const tn_format_item> items,
                   std::span<const tn_metadata> metadata) {
    safetensors::save(path, items, metadata);
  }

  File file;
};

constexpr tn_interface kInterfaces[] = {TENON_INTERFACE(FORMAT, sdk::format_table<Safetensors>)};

}  // namespace
}  // namespace tenon::safetensors

TENON_PLUGIN("org.tenon.safetensors", "0.1.0", tenon::sdk::Plugin, tenon::safetensors::kInterfaces);
