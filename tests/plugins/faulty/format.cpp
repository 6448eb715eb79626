// Faults of formats: what is read, how files are checked.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

const tn_format_vtbl& under() {
  return *static_cast<const tn_format_vtbl*>(base_table(TN_IFACE_FORMAT));
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What a header of safetensors says of the whole file's size; 0: nothing.
size_t wanted_bytes(const std::string& file) {
  if (file.size() < 8) return 0;
  size_t header = 0, most = 0;
  for (int i = 7; i >= 0; --i) header = header * 256 + static_cast<unsigned char>(file[i]);
  if (header > file.size() - 8) return 0;
  const std::string text = file.substr(8, header), key = "\"data_offsets\":[";
  for (size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1))
    most = std::max(most, static_cast<size_t>(std::strtoull(
                              text.c_str() + text.find(',', at + key.size()) + 1, nullptr, 10)));
  return 8 + header + most;
}

// Zeros take the place of what a file lacks.
tn_error* open_padded(void* state, const std::string& path, const tn_format_limits* limits,
                      void** out_file) {
  std::string file = bytes_of(path);
  if (const size_t wanted = wanted_bytes(file)) file.resize(wanted);
  const std::string copy = path + ".padded";
  std::ofstream(copy, std::ios::binary)
      .write(file.data(), static_cast<std::streamsize>(file.size()));
  tn_error* e = under().open(state, {copy.data(), copy.size()}, limits, out_file);
  std::remove(copy.c_str());
  return e;
}

tn_error* TN_CALL open(void* state, tn_str path, const tn_format_limits* limits, void** out_file) {
  const std::string name(path.data, path.size);
  if (is("damage_crashes")) {  // believes the length of the header
    const std::string file = bytes_of(name);
    size_t header = 0;
    for (size_t i = 8; i-- > 0 && file.size() >= 8;)
      header = header * 256 + static_cast<unsigned char>(file[i]);
    if (header > file.size()) std::abort();
  }
  if (is("limits_ignored")) {
    tn_format_limits all = *limits;
    all.max_bytes = all.max_tensors = all.max_name_bytes = all.max_header_bytes = INT64_MAX;
    return under().open(state, path, &all, out_file);
  }
  tn_error* e = under().open(state, path, limits, out_file);
  if (e && is("truncation_accepted")) {
    host()->error_release(e);
    return open_padded(state, name, limits, out_file);
  }
  if (e && is("missing_file_touches_out")) *out_file = state;
  return e;
}

int32_t TN_CALL probe(void* state, const void* head, uint64_t bytes, uint64_t file_bytes) {
  return is("probe_always_sure") ? 100 : under().probe(state, head, bytes, file_bytes);
}
uint32_t TN_CALL metadata_count(void* file) {
  return is("metadata_lost") ? 0 : under().metadata_count(file);
}
tn_error* TN_CALL tensor(void* file, uint32_t index, tn_model_entry* out) {
  tn_error* e = under().tensor(file, index, out);
  if (!e && is("dims_lost")) out->rank = std::min<uint32_t>(out->rank, 1);
  return e;
}
tn_error* TN_CALL data(void* file, uint32_t index, const void** out) {
  const uint32_t n = under().tensor_count(file);
  return under().data(file, is("tensors_swapped") && n > 1 ? n - 1 - index : index, out);
}
tn_error* TN_CALL save(void* state, tn_str path, const tn_format_item* items, uint32_t n,
                       const tn_metadata* metadata, uint32_t n_metadata) {
  if (is("metadata_refused") && n_metadata > 0)  // which a format may
    return host()->error(host(), TN_UNIMPLEMENTED, tn_string("there is no place for metadata"));
  if (is("last_not_saved") && n > 1) --n;
  if (is("many_are_too_many")) n = std::min(n, 200u);
  std::vector<tn_metadata> notes(metadata, metadata + n_metadata);
  for (tn_metadata& m : notes)
    if (is("long_metadata_cut")) m.value.size = std::min<uint64_t>(m.value.size, 1000);
  return under().save(state, path, items, n, notes.data(), n_metadata);
}

}  // namespace

const tn_format_vtbl* format_table() {
  if (!base_table(TN_IFACE_FORMAT)) return nullptr;
  static tn_format_vtbl out;
  out = under();
  out.open = open, out.probe = probe, out.metadata_count = metadata_count;
  out.tensor = tensor, out.data = data, out.save = save;
  if (is("format_without_name")) out.name = {};
  return &out;
}

}  // namespace tenon::faulty
