// Opening a file and taking tensors from it.
#include "model.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/heap_sort.hpp"
#include "base/nearest.hpp"
#include "op/runtime.hpp"
#include "plugin/file.hpp"

namespace tenon {
namespace {

constexpr uint64_t kMaxTensors = 1'000'000;
constexpr uint64_t kMaxNameBytes = 64 << 10;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kProbeBytes = 4096;

std::string known_formats(tn_runtime* rt) {
  std::string out;
  for (const Plugin* p : rt->plugins->open_all(Provision::format))
    out += (out.empty() ? "" : ", ") + std::string(view_of(p->format->name));
  return out.empty() ? "none; " + rt->plugins->why_not(Provision::format, "safetensors") : out;
}

// The first bytes of a file, and its size.
std::vector<char> read_head(const std::string& path, uint64_t* out_size) {
  try {
    const File file(path);
    std::vector<char> head(kProbeBytes);
    head.resize(file.read(head.data(), head.size(), 0));
    *out_size = file.size();
    return head;
  } catch (const Error& e) {
    fail(e.code(), "{}: {}", path, e.message());
  }
}

// The plugin whose format the first bytes show most clearly; null if they say nothing to any.
Plugin* probe_formats(tn_runtime* rt, const std::string& path) {
  uint64_t size = 0;
  const std::vector<char> head = read_head(path, &size);
  Plugin* best = nullptr;
  int32_t sure = 0;
  for (Plugin* p : rt->plugins->open_all(Provision::format)) {
    const int32_t now = p->format->probe(p->state, head.data(), head.size(), size);
    if (now > sure) {
      sure = now;
      best = p;
    }
  }
  return best;
}

Plugin& choose_format(tn_runtime* rt, const std::string& path, std::string_view wanted) {
  if (!wanted.empty()) {
    if (Plugin* p = rt->plugins->open_first(Provision::format, wanted)) return *p;
    fail(TN_NOT_FOUND, "{}: there is no format \"{}\": {}", path, wanted,
         rt->plugins->why_not(Provision::format, wanted));
  }
  if (Plugin* p = probe_formats(rt, path)) return *p;
  // Nobody knows it by its content: the one that its name promises says what is wrong with it.
  const std::string_view extension = extension_of(path);
  if (!extension.empty()) {
    if (Plugin* p = rt->plugins->open_first(Provision::format, extension)) return *p;
  }
  fail(TN_INVALID_ARGUMENT,
       "{}: neither its content nor its name shows a known format. Formats: {}.", path,
       known_formats(rt));
}

tn_format_limits limits_of(const tn_model_options& options) {
  tn_format_limits l{};
  l.struct_size = sizeof l;
  l.copy = (options.flags & TN_MODEL_COPY) != 0;
  l.max_bytes = options.max_bytes ? options.max_bytes : UINT64_MAX;
  l.max_tensors = options.max_tensors ? options.max_tensors : kMaxTensors;
  l.max_name_bytes = kMaxNameBytes;
  l.max_header_bytes = kMaxHeaderBytes;
  return l;
}

// What the plugin says of a tensor: read from an untrusted file by somebody else's code, so looked at once more.
tn_model_entry read_entry(const ModelFile& f, const std::string& path, uint32_t index) {
  tn_model_entry e = tn_model_entry_init();
  check(f.format->tensor(f.file, index, &e));
  if (e.name.size && !e.name.data)
    fail(TN_INTERNAL, "{}: format {} gave tensor {} no name", path, view_of(f.format->name), index);
  if (e.rank && !e.dims)
    fail(TN_INTERNAL, "{}: format {} gave \"{}\" no dims", path, view_of(f.format->name),
         view_of(e.name));
  check_dims(fmt::format("{}: tensor \"{}\"", path, view_of(e.name)).c_str(), e.dtype, e.rank,
             e.dims);
  uint64_t count = 1;
  for (uint32_t i = 0; i < e.rank; ++i) count *= static_cast<uint64_t>(e.dims[i]);
  if (tn_dtype_bytes(e.dtype, count) != e.bytes)
    fail(TN_DATA_LOSS, "{}: tensor \"{}\" is {}, but has {} bytes", path, view_of(e.name),
         shape_text(e.dtype, static_cast<int>(e.rank), e.dims), e.bytes);
  e.struct_size = sizeof e;
  return e;
}

std::string_view name_at(const tn_model& m, uint32_t index) {
  return view_of(m.entries[index].name);
}

// The index of a name, or -1.
int64_t find_entry(const tn_model& m, std::string_view name) {
  const auto it =
      std::lower_bound(m.by_name.begin(), m.by_name.end(), name,
                       [&](uint32_t i, std::string_view n) { return name_at(m, i) < n; });
  return it != m.by_name.end() && name_at(m, *it) == name ? static_cast<int64_t>(*it) : -1;
}

void TN_CALL release_file(void* user) { delete static_cast<std::shared_ptr<ModelFile>*>(user); }

}  // namespace

ModelFile::ModelFile(tn_runtime* rt, const tn_format_vtbl* f, void* plugin_file)
    : runtime(runtime_retain(rt)), format(f), file(plugin_file) {}
ModelFile::~ModelFile() {
  quietly([&] { format->close(file); });
  runtime_release(runtime);
}

std::string_view extension_of(std::string_view path) {
  const std::string_view name = file_name(path);
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot);
}

tn_model* model_open(tn_runtime* rt, const std::string& path, const tn_model_options& options) {
  if (options.flags & ~TN_MODEL_COPY)
    fail(TN_INVALID_ARGUMENT, "tn_model_open: unknown flags {:#x}", options.flags);
  Plugin& plugin = choose_format(rt, path, view_of(options.format));
  const tn_format_limits limits = limits_of(options);
  void* opened = nullptr;
  check(plugin.format->open(plugin.state, {path.data(), path.size()}, &limits, &opened));
  auto m = std::make_unique<tn_model>();
  try {
    m->file = std::make_shared<ModelFile>(rt, plugin.format, opened);
  } catch (...) {
    quietly([&] { plugin.format->close(opened); });
    throw;
  }
  const ModelFile& f = *m->file;
  m->path = path;
  const uint32_t n = f.format->tensor_count(f.file);
  if (n > limits.max_tensors)
    fail(TN_OUT_OF_RANGE, "{}: has {} tensors, the limit of this call is {}", path, n,
         limits.max_tensors);
  m->entries.reserve(n);
  for (uint32_t i = 0; i < n; ++i) {
    m->entries.push_back(read_entry(f, path, i));
    m->by_name.push_back(i);
  }
  heap_sort(m->by_name, [&](uint32_t a, uint32_t b) { return name_at(*m, a) < name_at(*m, b); });
  m->metadata.resize(f.format->metadata_count(f.file));
  for (uint32_t i = 0; i < m->metadata.size(); ++i)
    check(f.format->metadata(f.file, i, &m->metadata[i]));
  return m.release();
}

// Names around the place where this one would stand: those that begin alike, first of all.
static std::vector<std::string_view> names_around(const tn_model& model, std::string_view name) {
  constexpr size_t kEachSide = 2500;
  const auto name_of = [&](uint32_t i) { return view_of(model.entries[i].name); };
  const auto at = std::lower_bound(model.by_name.begin(), model.by_name.end(), name,
                                   [&](uint32_t i, std::string_view n) { return name_of(i) < n; });
  const auto place = static_cast<size_t>(at - model.by_name.begin());
  std::vector<std::string_view> names;
  for (size_t i = place > kEachSide ? place - kEachSide : 0;
       i < std::min(model.by_name.size(), place + kEachSide); ++i)
    names.push_back(name_of(model.by_name[i]));
  return names;
}

Owned model_take_tensor(tn_ctx* ctx, tn_model& model, std::string_view name) {
  const int64_t index = find_entry(model, name);
  if (index < 0) {
    const std::string near = nearest_names(name, names_around(model, name));
    fail(TN_NOT_FOUND, "{}: there is no tensor \"{}\". {}", model.path, name,
         near.empty() ? "The file has none at all." : "Nearest: " + near + ".");
  }
  const tn_model_entry& e = model.entries[static_cast<size_t>(index)];
  const void* data = nullptr;
  check(model.file->format->data(model.file->file, static_cast<uint32_t>(index), &data));
  tn_tensor* out = nullptr;
  if (TN_DTYPE_BITS(e.dtype) < 8) {  // packed below a byte: such a tensor cannot be wrapped
    check(tn_tensor_from_host(ctx, e.dtype, e.rank, e.dims, data, e.bytes, &out));
  } else {
    // Copies by itself where the device does not address host memory, or the data are not aligned to their elements.
    auto* user = new std::shared_ptr<ModelFile>(model.file);
    check(tn_tensor_wrap(ctx, e.dtype, e.rank, e.dims, nullptr, data, e.bytes, release_file, user,
                         &out));
  }
  return {ctx, out};
}

}  // namespace tenon
