// Faults of formats: what is read, how files are checked, how they are written.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
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

// A copy in which each name is there once, where it was there twice; `path` where there is none.
std::string with_names_apart(const std::string& path) {
  std::string file = bytes_of(path);
  const std::string key = "\":{\"dtype\"";
  std::set<std::string> names;
  bool changed = false;
  for (size_t at = file.find(key); at != file.npos; at = file.find(key, at + 1)) {
    const size_t begin = file.rfind('"', at - 1) + 1;
    if (names.insert(file.substr(begin, at - begin)).second) continue;
    ++file[at - 1];
    changed = true;
  }
  if (!changed) return path;
  std::ofstream(path + ".apart", std::ios::binary) << file;
  return path + ".apart";
}

bool file_is_cut(const std::string& path) {
  const std::string file = bytes_of(path);
  return file.size() < 8 || wanted_bytes(file) > file.size();
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
  if (is("name_twice_accepted")) {
    const std::string copy = with_names_apart(name);
    tn_error* e = under().open(state, {copy.data(), copy.size()}, limits, out_file);
    if (copy != name) std::remove(copy.c_str());
    return e;
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
  if (e && (is("damage_is_bad_argument") || (is("cut_is_io") && file_is_cut(name)))) {
    const std::string message = host()->error_message(e);
    host()->error_release(e);
    return host()->error(host(), is("cut_is_io") ? TN_IO : TN_INVALID_ARGUMENT,
                         {message.data(), message.size()});
  }
  if (e && is("missing_file_touches_out")) *out_file = state;
  return e;
}

int32_t TN_CALL probe(void* state, const void* head, uint64_t bytes, uint64_t file_bytes) {
  if (is("probe_claims_any_bytes") && bytes > 0) return 50;
  if (is("probe_claims_less_of_any") && bytes > 0)
    return std::max(20, under().probe(state, head, bytes, file_bytes));
  if (is("probe_looks_for_a_brace"))  // which other formats have as well
    return bytes > 10 && std::memchr(head, '{', 11) ? 90 : 0;
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
// The bytes of the file that the call makes, whatever room there is.
tn_error* bytes_saved(void* state, const std::string& path, const tn_format_item* items, uint32_t n,
                      const std::vector<tn_metadata>& notes, std::string* out) {
  const std::string aside = path + ".aside";
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit all{old.rlim_max, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &all);
  tn_error* e = under().save(state, {aside.data(), aside.size()}, items, n, notes.data(),
                             static_cast<uint32_t>(notes.size()));
  setrlimit(RLIMIT_FSIZE, &old);
  *out = bytes_of(aside);
  std::remove(aside.c_str());
  return e;
}

// Over the old file, or beside it and without a look at what was written.
tn_error* save_elsewhere(void* state, tn_str path, const tn_format_item* items, uint32_t n,
                         const std::vector<tn_metadata>& notes, bool silently) {
  const std::string name(path.data, path.size), beside = name + ".new";
  std::string bytes;
  if (tn_error* e = bytes_saved(state, name, items, n, notes, &bytes)) return e;
  std::ofstream out(silently ? beside : name, std::ios::binary);
  out << bytes;
  out.close();
  if (silently) std::rename(beside.c_str(), name.c_str());
  return out || silently ? nullptr
                         : host()->error(host(), TN_IO, tn_string("the file cannot be written"));
}

tn_error* TN_CALL save(void* state, tn_str path, const tn_format_item* items, uint32_t n,
                       const tn_metadata* metadata, uint32_t n_metadata) {
  if (is("metadata_refused") && n_metadata > 0)  // which a format may
    return host()->error(host(), TN_UNIMPLEMENTED, tn_string("there is no place for metadata"));
  for (uint32_t k = 0; k < n && is("few_dtypes"); ++k)  // which a format may have
    if (items[k].dtype != TN_DTYPE_F32 || items[k].bytes == 0)
      return host()->error(
          host(), TN_UNIMPLEMENTED,
          tn_string((std::string(path.data, path.size) + ": it has f32 only").c_str()));
  if (is("last_not_saved") && n > 1) --n;
  if (is("many_are_too_many")) n = std::min(n, 200u);
  std::vector<tn_metadata> notes(metadata, metadata + n_metadata);
  for (tn_metadata& m : notes)
    if (is("long_metadata_cut")) m.value.size = std::min<uint64_t>(m.value.size, 1000);
  if (is("save_in_place")) return save_elsewhere(state, path, items, n, notes, false);
  if (is("save_full_says_nothing")) return save_elsewhere(state, path, items, n, notes, true);
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
