// The tables of "org.tenon.safetensors".
#include <tenon/plugin/format.h>

#include <algorithm>
#include <cstring>
#include <tenon/sdk/plugin.hpp>

#include "reader.hpp"
#include "writer.hpp"

namespace tenon::safetensors {
namespace {

using State = sdk::Plugin;

// What a format's slots get: the file, and the host for its errors.
struct Open {
  sdk::Host host;
  File file;
};

std::string path_of(tn_str path) { return std::string(sdk::view_of(path)); }

tn_error* TN_CALL open_slot(void* state, tn_str path, const tn_format_limits* limits, void** out) {
  const sdk::Host host = static_cast<State*>(state)->host;
  return sdk::guard(host, [&] { *out = new Open{host, File(path_of(path), effective(limits))}; });
}

void TN_CALL close_slot(void* file) { delete static_cast<Open*>(file); }

int32_t TN_CALL probe_slot(void*, const void* head, uint64_t bytes, uint64_t file_bytes) {
  return probe(head, bytes, file_bytes);
}

const Header& header_of(void* file) { return static_cast<Open*>(file)->file.header(); }

// Tensor `index` of the file. The host checks nothing for us.
const Tensor& tensor_at(void* file, uint32_t index) {
  const auto& tensors = header_of(file).tensors;
  if (index >= tensors.size()) {
    sdk::fail(TN_OUT_OF_RANGE, "tensor ", index, " of a file that has ", tensors.size());
  }
  return tensors[index];
}

uint32_t TN_CALL tensor_count_slot(void* file) {
  return static_cast<uint32_t>(header_of(file).tensors.size());
}

tn_error* TN_CALL tensor_slot(void* file, uint32_t index, tn_model_entry* out) {
  auto& f = *static_cast<Open*>(file);
  return sdk::guard(f.host, [&] {
    const Tensor& t = tensor_at(file, index);
    tn_model_entry e = tn_model_entry_init();
    e.struct_size = static_cast<uint32_t>(std::min<size_t>(out->struct_size, sizeof e));
    e.dtype = t.dtype->dtype;
    e.name = sdk::str(t.name);
    e.dims = f.file.header().dims.data() + t.first_dim;
    e.bytes = t.end - t.begin;
    e.file_offset = f.file.data_offset() + t.begin;
    e.rank = t.rank;
    std::memcpy(out, &e, e.struct_size);
  });
}

uint32_t TN_CALL metadata_count_slot(void* file) {
  return static_cast<uint32_t>(header_of(file).metadata.size());
}

tn_error* TN_CALL metadata_slot(void* file, uint32_t index, tn_metadata* out) {
  return sdk::guard(static_cast<Open*>(file)->host, [&] {
    const auto& metadata = header_of(file).metadata;
    if (index >= metadata.size()) {
      sdk::fail(TN_OUT_OF_RANGE, "metadata ", index, " of a file that has ", metadata.size());
    }
    *out = metadata[index];
  });
}

tn_error* TN_CALL data_slot(void* file, uint32_t index, const void** out) {
  auto& f = *static_cast<Open*>(file);
  return sdk::guard(f.host, [&] { *out = f.file.data(tensor_at(file, index)); });
}

tn_error* TN_CALL save_slot(void* state, tn_str path, const tn_format_item* items, uint32_t n,
                            const tn_metadata* metadata, uint32_t n_metadata) {
  return sdk::guard(static_cast<State*>(state)->host, [&] {
    save(path_of(path), {items, n}, {metadata, n_metadata});
  });
}

constexpr tn_format_vtbl kFormat = {sizeof(tn_format_vtbl),
                                    0,
                                    sdk::str("safetensors"),
                                    sdk::str(".safetensors"),
                                    probe_slot,
                                    open_slot,
                                    close_slot,
                                    tensor_count_slot,
                                    tensor_slot,
                                    metadata_count_slot,
                                    metadata_slot,
                                    data_slot,
                                    save_slot};

constexpr tn_interface kInterfaces[] = {TENON_INTERFACE(FORMAT, kFormat)};

}  // namespace
}  // namespace tenon::safetensors

TENON_PLUGIN("org.tenon.safetensors", "0.1.0", tenon::sdk::Plugin, tenon::safetensors::kInterfaces);
