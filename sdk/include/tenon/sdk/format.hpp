// The table of "tenon.format" made from a C++ class. A format writes
//
//   struct MyFormat {                                               // an open file; immutable, so that any thread may ask it
//     static constexpr std::string_view name = "myformat", extensions = ".my";
//     static int32_t probe(std::string_view head, uint64_t file_bytes);               // how sure, 0..100
//     MyFormat(const std::string& path, const tn_format_limits& limits);              // reads and checks the whole header
//     uint32_t count() const;
//     tn_model_entry entry(uint32_t index) const;                                     // strings and dims live as long as the file
//     const void* data(uint32_t index) const;                                         // may be aligned to 1 byte only
//     std::span<const tn_metadata> metadata() const;                                  // optional
//     static void save(const std::string& path, std::span<const tn_format_item> items,
//                      std::span<const tn_metadata> metadata);                        // optional
//   };
//
// limits are all set. All but probe may throw; the path is put in front of the message, and DATA_LOSS is told to be one. An index is within bounds.
#ifndef TENON_SDK_FORMAT_HPP_
#define TENON_SDK_FORMAT_HPP_
#include <tenon/plugin/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "plugin.hpp"

namespace tenon::sdk {

// What the host asks for, whole: where a limit is 0, or a field that an older host does not have, a sensible one.
inline tn_format_limits complete_limits(const tn_format_limits* given) {
  tn_format_limits l{};
  if (given) std::memcpy(&l, given, std::min<size_t>(given->struct_size, sizeof l));
  l.struct_size = sizeof l;
  if (l.max_bytes == 0) l.max_bytes = UINT64_MAX;
  if (l.max_tensors == 0) l.max_tensors = 1'000'000;
  if (l.max_name_bytes == 0) l.max_name_bytes = 64 << 10;
  if (l.max_header_bytes == 0) l.max_header_bytes = 100'000'000;
  return l;
}

namespace detail {

// Runs f, with the path in front of what it throws.
template <class F>
void naming(const std::string& path, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    std::string message = path + ": " + e.what();
    if (e.code() == TN_DATA_LOSS) {
      message += " The file is cut off or damaged; nothing was loaded.";
    }
    throw Error(e.code(), std::move(message));
  }
}

template <class F>
struct FormatSlots {
  struct Open {
    Host host;
    std::string path;
    F file;
    Open(Host h, const std::string& p, const tn_format_limits& limits)
        : host(h), path(p), file(p, limits) {}
  };
  static Open& opened(void* file) { return *static_cast<Open*>(file); }

  template <class Call>
  static tn_error* at(void* raw, uint32_t index, uint32_t count, const char* what, Call&& call) {
    Open& o = opened(raw);
    return guard(o.host, [&] {
      if (index >= count) {
        fail(TN_OUT_OF_RANGE, o.path, ": ", what, " ", index, " of a file that has ", count);
      }
      naming(o.path, [&] { call(o.file); });
    });
  }
  static std::span<const tn_metadata> metadata_of(const F& file) {
    if constexpr (requires { file.metadata(); }) {
      return file.metadata();
    } else {
      return {};
    }
  }

  static int32_t TN_CALL probe(void*, const void* head, uint64_t bytes, uint64_t file_bytes) {
    return F::probe({static_cast<const char*>(head), static_cast<size_t>(bytes)}, file_bytes);
  }
  static tn_error* TN_CALL open(void* state, tn_str path, const tn_format_limits* limits,
                                void** out) {
    const Host host = static_cast<Plugin*>(state)->host;
    return guard(host, [&] {
      const std::string name(view_of(path));
      naming(name, [&] { *out = new Open(host, name, complete_limits(limits)); });
    });
  }
  static void TN_CALL close(void* file) { delete static_cast<Open*>(file); }
  static uint32_t TN_CALL tensor_count(void* file) { return opened(file).file.count(); }
  static tn_error* TN_CALL tensor(void* raw, uint32_t index, tn_model_entry* out) {
    return at(raw, index, tensor_count(raw), "tensor", [&](const F& file) {
      tn_model_entry e = file.entry(index);
      e.struct_size = static_cast<uint32_t>(std::min<size_t>(out->struct_size, sizeof e));
      std::memcpy(out, &e, e.struct_size);
    });
  }
  static uint32_t TN_CALL metadata_count(void* file) {
    return static_cast<uint32_t>(metadata_of(opened(file).file).size());
  }
  static tn_error* TN_CALL metadata(void* raw, uint32_t index, tn_metadata* out) {
    return at(raw, index, metadata_count(raw), "metadata",
              [&](const F& file) { *out = metadata_of(file)[index]; });
  }
  static tn_error* TN_CALL data(void* raw, uint32_t index, const void** out) {
    return at(raw, index, tensor_count(raw), "tensor",
              [&](const F& file) { *out = file.data(index); });
  }
  static tn_error* TN_CALL save(void* state, tn_str path, const tn_format_item* items, uint32_t n,
                                const tn_metadata* metadata, uint32_t n_metadata) {
    return guard(static_cast<Plugin*>(state)->host, [&] {
      const std::string name(view_of(path));
      naming(name, [&] { F::save(name, {items, n}, {metadata, n_metadata}); });
    });
  }

  static constexpr tn_format_vtbl table() {
    tn_format_vtbl t{};
    t.struct_size = sizeof t;
    t.name = str(F::name);
    t.extensions = str(F::extensions);
    t.probe = probe;
    t.open = open;
    t.close = close;
    t.tensor_count = tensor_count;
    t.tensor = tensor;
    t.metadata_count = metadata_count;
    t.metadata = metadata;
    t.data = data;
    if constexpr (requires { &F::save; }) t.save = save;
    return t;
  }
};

}  // namespace detail

// The plugin's state class is sdk::Plugin or derives from it, first base.
template <class F>
inline constexpr tn_format_vtbl format_table = detail::FormatSlots<F>::table();

}  // namespace tenon::sdk
#endif
