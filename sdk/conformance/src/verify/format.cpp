// A format by its table, without libtenon: what is written reads back, and no file, however spoilt, does harm.
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "elf.hpp"
#include "plugin.hpp"
#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

namespace fs = std::filesystem;

// A folder that goes at the end.
class Folder {
 public:
  Folder() {
    std::string name = Scratch::path() + "/XXXXXX";
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder can be made");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path_), {}));
  }

 private:
  fs::path path_;
};

struct Item {
  std::string name;
  tn_dtype dtype;
  Dims dims;
  std::string bytes;
  bool operator==(const Item&) const = default;
};
struct Contents {
  std::map<std::string, Item> tensors;
  std::map<std::string, std::string> metadata;
  bool operator==(const Contents&) const = default;
};

struct Subject {
  const Library library;
  SimulatedHost host;
  OpenPlugin plugin;
  const tn_format_vtbl* v;
  explicit Subject(const Profile& p)
      : library(p.path), plugin(library, host), v(library.format()) {}

  SimulatedHost::Taken save(const std::string& path, const Contents& c) {
    std::vector<tn_format_item> items;
    std::vector<tn_metadata> pairs;
    for (const auto& [name, i] : c.tensors)
      items.push_back({{name.data(), name.size()},
                       i.dtype,
                       static_cast<uint32_t>(i.dims.size()),
                       i.dims.data(),
                       i.bytes.data(),
                       i.bytes.size()});
    for (const auto& [key, value] : c.metadata)
      pairs.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
    return host.take(call("save", [&] {
      return v->save(plugin.state, {path.data(), path.size()}, items.data(),
                     static_cast<uint32_t>(items.size()), pairs.data(),
                     static_cast<uint32_t>(pairs.size()));
    }));
  }
};

// A message without the paths of files that are gone when it is read.
std::string without_paths(std::string text) {
  for (size_t at; (at = text.find(Scratch::path())) != std::string::npos;) {
    text.erase(at, text.find_first_of(" :;,\"'", at) - at);
    if (text.substr(at, 2) == ": ") text.erase(at, 2);
  }
  return text;
}

// "DATA_LOSS"
std::string code_name(tn_code code) {
  const std::string name = tn_code_name(code);
  return name.starts_with("TN_") ? name.substr(3) : name;
}

tn_format_limits no_limits(bool copy) {
  tn_format_limits l{};
  l.struct_size = sizeof l;
  l.copy = copy ? 1 : 0;
  return l;
}

// A file that was opened; closed at the end.
class Opened {
 public:
  Opened(Subject& s, const std::string& path, const tn_format_limits& limits) : s_(s) {
    result = s.host.take(call("open of a file", [&] {
      return s.v->open(s.plugin.state, {path.data(), path.size()}, &limits, &file_);
    }));
    expect(result.code == TN_OK || !result.message.empty(), "an error without a message",
           "what is wrong with the file");
  }
  ~Opened() {
    if (file_ && result.code == TN_OK) s_.v->close(file_);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  bool ok() const { return result.code == TN_OK; }

  // Every byte of it is read.
  Contents contents() {
    Contents c;
    const uint32_t n = s_.v->tensor_count(file_);
    for (uint32_t k = 0; k < n; ++k) {
      tn_model_entry e = tn_model_entry_init();
      ok_or_wrong("tensor", [&] { return s_.v->tensor(file_, k, &e); });
      const void* data = nullptr;
      ok_or_wrong("data", [&] { return s_.v->data(file_, k, &data); });
      expect(e.rank <= TN_MAX_RANK, "a tensor of rank " + std::to_string(e.rank), "at most 8");
      Item i{text_of(e.name), e.dtype, Dims(e.dims, e.dims + e.rank), ""};
      uint64_t count = 1;
      for (const int64_t d : i.dims) {
        expect(d >= 0, "a dim of " + std::to_string(d), "0 or more");
        expect(!__builtin_mul_overflow(count, static_cast<uint64_t>(d), &count),
               "dims whose product overflows", "an error at open");
      }
      expect(e.bytes == tn_dtype_bytes(e.dtype, count),
             std::to_string(e.bytes) + " bytes for " + std::to_string(count) + " elements",
             "bytes that fit dtype and dims");
      if (e.bytes) i.bytes.assign(static_cast<const char*>(data), e.bytes);
      c.tensors[i.name] = i;
    }
    const uint32_t pairs = s_.v->metadata_count(file_);
    for (uint32_t k = 0; k < pairs; ++k) {
      tn_metadata m{};
      ok_or_wrong("metadata", [&] { return s_.v->metadata(file_, k, &m); });
      c.metadata[text_of(m.key)] = text_of(m.value);
    }
    return c;
  }

  void beyond_the_end() {
    const uint32_t n = s_.v->tensor_count(file_), pairs = s_.v->metadata_count(file_);
    tn_model_entry e = tn_model_entry_init();
    tn_metadata m{};
    const void* data = &m;
    refused("tensor", [&] { return s_.v->tensor(file_, n, &e); });
    refused("data", [&] { return s_.v->data(file_, n, &data); });
    refused("metadata", [&] { return s_.v->metadata(file_, pairs, &m); });
    expect(data == &m && e.dims == nullptr, "an index beyond the end fails and writes its result",
           "out-parameters untouched");
  }

  SimulatedHost::Taken result;

 private:
  template <class F>
  void ok_or_wrong(const char* slot, F&& f) {
    const auto r = s_.host.take(call(slot, f));
    expect(r.code == TN_OK, std::string(slot) + " of an open file fails: " + r.message,
           "that open has checked the file");
  }
  template <class F>
  void refused(const char* slot, F&& f) {
    expect(s_.host.take(call(slot, f)).code != TN_OK,
           std::string(slot) + " beyond the last one gives no error", "OUT_OF_RANGE");
  }

  Subject& s_;
  void* file_ = nullptr;
};

Item item(const std::string& name, tn_dtype dtype, const Dims& dims, uint64_t seed) {
  Item i{name, dtype, dims, ""};
  Rng rng(seed);
  i.bytes.resize(tn_dtype_bytes(dtype, static_cast<uint64_t>(count_of(dims))));
  for (char& c : i.bytes)
    c = static_cast<char>(dtype == TN_DTYPE_BOOL ? rng.next() & 1 : rng.next() & 0x7f);
  return i;
}

// Why the format has no metadata: that save says UNIMPLEMENTED of it. "": it has.
std::string refuses_metadata(Subject& s, const Folder& folder, const std::string& extension) {
  Contents one;
  one.tensors["x"] = item("x", TN_DTYPE_F32, {2}, 5);
  one.metadata["note"] = "short";
  const auto result = s.save(folder.file("metadata" + extension), one);
  return result.code == TN_UNIMPLEMENTED ? result.message : "";
}

// What a format does not store, in one line.
class Refusals {
 public:
  void add(const Item& i, const std::string& why) {
    if (why_.empty()) why_ = why;
    const std::string dtype = name_of(i.dtype), kind = i.name.substr(0, i.name.find('.'));
    items_.emplace_back(dtype, kind == dtype ? dtype + text_of(i.dims) : "\"" + kind + "\"");
  }
  void taken(tn_dtype dtype) { taken_.insert(name_of(dtype)); }
  void metadata(const std::string& why) {
    if (why_.empty()) why_ = why;
    metadata_ = true;
  }
  void report(Reporter& r) const {
    std::set<std::string> dtypes, others;
    for (const auto& [dtype, what] : items_)
      (taken_.count(dtype) ? others : dtypes).insert(taken_.count(dtype) ? what : dtype);
    std::string text;
    const auto part = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
    if (!dtypes.empty())
      part(std::to_string(dtypes.size()) + (dtypes.size() > 1 ? " dtypes" : " dtype") + " (" +
           joined(dtypes, dtypes.size(), " ") + ")");
    constexpr size_t kMost = 6;
    if (!others.empty()) part(joined(others, kMost, ", "));
    if (metadata_) part("metadata");
    if (text.empty()) return;
    r.unsupported(without_paths(why_), text);
  }

 private:
  static std::string joined(const std::set<std::string>& words, size_t most, const char* between) {
    std::string out;
    size_t k = 0;
    for (const std::string& w : words)
      if (k++ < most) out += (out.empty() ? "" : between) + w;
    if (words.size() > most) out += " and " + std::to_string(words.size() - most) + " more";
    return out;
  }

  std::string why_;
  std::vector<std::pair<std::string, std::string>> items_;  // dtype, and all of it in words
  std::set<std::string> taken_;
  bool metadata_ = false;
};

// What the format takes of every dtype and shape; the others are reported as unsupported.
Contents storable(Subject& s, const Folder& folder, const std::string& extension, Reporter& r) {
  Contents all;
  all.metadata = {{"note", "two words"}, {"unicode", "\xc3\xa4\xe2\x82\xac"}, {"empty", ""}};
  const tn_dtype dtypes[] = {TN_DTYPE_F32, TN_DTYPE_F64, TN_DTYPE_F16, TN_DTYPE_BF16, TN_DTYPE_I8,
                             TN_DTYPE_I16, TN_DTYPE_I32, TN_DTYPE_I64, TN_DTYPE_U8,   TN_DTYPE_U16,
                             TN_DTYPE_U32, TN_DTYPE_U64, TN_DTYPE_BOOL};
  uint64_t seed = 1;
  for (const tn_dtype t : dtypes)
    for (const Dims& dims : {Dims{2, 3}, Dims{}, Dims{0, 4}, Dims{1, 1, 1, 1, 2}}) {
      const Item i = item(name_of(t) + "." + std::to_string(seed), t, dims, seed);
      ++seed;
      all.tensors[i.name] = i;
    }
  const auto more = [&](const std::string& name, const Dims& dims) {
    all.tensors[name] = item(name, TN_DTYPE_F32, dims, all.tensors.size());
  };
  more("layer/0.weight \xc3\xa9", {5});
  more("long." + std::string(240, 'n'), {2});
  more("large", {300, 131});
  for (int k = 0; k < 300; ++k) more("many." + std::to_string(k), {1});
  const float corners[] = {-0.0F, 1e-45F, HUGE_VALF, -HUGE_VALF, 3.4e38F};
  more("corners", {5});
  std::memcpy(all.tensors["corners"].bytes.data(), corners, sizeof corners);
  all.metadata["long"] = std::string(3000, 'm');
  Refusals refused;
  const std::string path = folder.file("probe" + extension);
  if (const std::string why = refuses_metadata(s, folder, extension); !why.empty()) {
    refused.metadata(why);
    all.metadata.clear();
  }
  if (s.save(path, all).code != TN_OK) {
    std::erase_if(all.tensors, [&](const auto& each) {
      Contents one;
      one.tensors.insert(each);
      const auto result = s.save(path, one);
      if (result.code != TN_OK)
        refused.add(each.second, result.message);
      else
        refused.taken(each.second.dtype);
      return result.code != TN_OK;
    });
  }
  refused.report(r);
  expect(all.tensors.size() > 1, "no dtype at all can be saved", "f32 at least");
  return all;
}

void need_save(const Subject& s) {
  if (!s.v->save) throw Unsupported("save is left out: nothing can be written to be read");
}

void check_round_trip(const Profile& p, Reporter& r) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  const Contents all = storable(s, folder, p.extension, r);
  r.attempt("", [&] {
    const std::string path = folder.file("all" + p.extension);
    const auto saved = s.save(path, all);
    expect(saved.code == TN_OK, "save fails: " + saved.message, "that it writes the file");
    for (const bool copy : {false, true}) {
      Opened file(s, path, no_limits(copy));
      expect(file.ok(), "its own file is refused: " + file.result.message, "that it opens");
      const Contents got = file.contents();
      for (const auto& [name, i] : all.tensors) {
        expect(got.tensors.count(name) == 1, "the tensor \"" + name + "\" is gone", "it");
        expect(got.tensors.at(name) == i, "the tensor \"" + name + "\" reads back otherwise",
               "its dtype, dims and bytes");
      }
      expect(got.tensors.size() == all.tensors.size(), "tensors that nobody wrote", "none");
      for (const auto& [key, value] : all.metadata)
        expect(got.metadata.count(key) == 1 && got.metadata.at(key) == value,
               "the metadata \"" + key + "\" is gone or other",
               value.size() > 60 ? std::to_string(value.size()) + " bytes" : "\"" + value + "\"");
      file.beyond_the_end();
    }
    const size_t before = folder.entries();
    Contents other;
    other.tensors["only"] = item("only", TN_DTYPE_F32, {3}, 7);
    expect(s.save(path, other).code == TN_OK, "a second save over the file fails", "that it works");
    Opened again(s, path, no_limits(false));
    expect(again.ok() && again.contents().tensors == other.tensors,
           "after a second save the file has other contents", "the new ones, whole");
    expect(folder.entries() == before, "temporary files are left", "none");
  });
}

std::string small_file(Subject& s, const Profile& p, const Folder& folder, Contents& c) {
  c.tensors["a"] = item("a", TN_DTYPE_F32, {2, 3}, 1);
  c.tensors["b.weight"] = item("b.weight", TN_DTYPE_F32, {4}, 2);
  c.tensors["c"] = item("c", TN_DTYPE_F32, {}, 3);
  if (refuses_metadata(s, folder, p.extension).empty()) c.metadata = {{"note", "small"}};
  const std::string path = folder.file("small" + p.extension);
  const auto saved = s.save(path, c);
  expect(saved.code == TN_OK, "save fails: " + saved.message, "that it writes the file");
  return read_file(path);
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The code is the caller's only way to tell a damaged file from one that is not there or too large.
void expect_code(const SimulatedHost::Taken& result, const std::string& file,
                 std::initializer_list<tn_code> allowed) {
  std::string wanted;
  for (const tn_code code : allowed) wanted += (wanted.empty() ? "" : " or ") + code_name(code);
  if (std::ranges::count(allowed, result.code) == 0)
    throw Wrong(file + " it is refused with " + code_name(result.code) + ": " +
                    without_paths(result.message),
                wanted, "give each error its code: docs/writing-a-format.md, rule 4");
}

void check_truncation(const Profile& p, Reporter&) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  Contents c;
  const std::string bytes = small_file(s, p, folder, c);
  const std::string path = folder.file("cut" + p.extension);
  for (size_t n = 0; n < bytes.size(); ++n) {
    write_file(path, bytes.substr(0, n));
    for (const bool copy : {false, true}) {
      Opened file(s, path, no_limits(copy));
      if (file.ok())
        expect(file.contents() == c,
               "cut off at byte " + std::to_string(n) + " of " + std::to_string(bytes.size()) +
                   " it opens, with other contents",
               "DATA_LOSS: the header is checked against the size of the file");
      else
        expect_code(file.result,
                    "cut off at byte " + std::to_string(n) + " of " + std::to_string(bytes.size()),
                    {TN_DATA_LOSS});
    }
  }
  expect(s.host.misuse().empty(), s.host.misuse(), "services used as they should be");
}

std::string mutated(std::string bytes, Rng& rng) {
  const int64_t n = 1 + rng.below(4);
  for (int64_t k = 0; k < n && !bytes.empty(); ++k) {
    const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(bytes.size())));
    switch (rng.below(6)) {
      case 0:
        bytes[at] = static_cast<char>(rng.next());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8)));
        break;
      case 2: {  // a number that is absurd
        const uint64_t numbers[] = {UINT64_MAX, uint64_t{1} << 63, uint64_t{1} << 40, 0,
                                    0x7fffffff};
        const uint64_t value = numbers[rng.below(5)];
        std::memcpy(bytes.data() + at, &value, std::min(sizeof value, bytes.size() - at));
        break;
      }
      case 3:
        bytes.erase(at, static_cast<size_t>(1 + rng.below(9)));
        break;
      case 4:
        bytes.insert(
            at, bytes.substr(static_cast<size_t>(rng.below(static_cast<int64_t>(bytes.size()))),
                             static_cast<size_t>(1 + rng.below(40))));
        break;
      default: {  // another digit, so that text stays text
        const size_t digit = bytes.find_first_of("0123456789", at);
        if (digit != std::string::npos) bytes[digit] = static_cast<char>('0' + rng.below(10));
      }
    }
  }
  return bytes;
}

void check_mutation(const Profile& p, Reporter&) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  Contents c;
  const std::string bytes = small_file(s, p, folder, c);
  const std::string path = folder.file("spoilt" + p.extension);
  Rng rng(2024);
  for (int k = 0; k < 6000; ++k) {
    const std::string spoilt = mutated(bytes, rng);
    write_file(path, spoilt);
    call("probe", [&] {
      return s.v->probe(s.plugin.state, spoilt.data(), std::min<size_t>(spoilt.size(), 4096),
                        spoilt.size());
    });
    Opened file(s, path, no_limits(k % 2 == 1));
    if (file.ok())
      file.contents();
    else
      expect_code(file.result, "spoilt (file " + std::to_string(k) + ")",
                  {TN_DATA_LOSS, TN_OUT_OF_RANGE, TN_UNIMPLEMENTED});
  }
  expect(s.host.misuse().empty(), s.host.misuse(), "services used as they should be");
  expect(s.host.live_errors() == 0, "errors are left", "that each is returned or released");
}

void check_limits(const Profile& p, Reporter&) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  Contents c;
  const std::string bytes = small_file(s, p, folder, c);
  const std::string path = folder.file("small" + p.extension);
  const auto refused = [&](const char* what, const std::function<void(tn_format_limits&)>& set) {
    tn_format_limits l = no_limits(false);
    set(l);
    expect(!Opened(s, path, l).ok(), std::string("a file over ") + what + " opens", "an error");
  };
  refused("max_tensors", [](tn_format_limits& l) { l.max_tensors = 2; });
  refused("max_bytes", [&](tn_format_limits& l) { l.max_bytes = bytes.size() - 1; });
  refused("max_name_bytes", [](tn_format_limits& l) { l.max_name_bytes = 2; });
  tn_format_limits l = no_limits(false);
  l.max_tensors = 3, l.max_bytes = bytes.size(), l.max_name_bytes = 64;
  Opened file(s, path, l);
  expect(file.ok(), "a file just within the limits is refused: " + file.result.message,
         "that it opens");
}

// The beginning of a file of another format.
struct Alien {
  const char* what;
  std::string_view head;
  const char* extensions;
  size_t mark, mark_bytes;  // where its signature is
  bool is_like(const std::string& file) const {
    return mark_bytes > 0 && file.size() >= mark + mark_bytes &&
           std::string_view(file).substr(mark, mark_bytes) == head.substr(mark, mark_bytes);
  }
  // Whether the plugin says that it reads such files as well.
  bool named_in(const std::string& list) const {
    std::istringstream all(list), own(extensions);
    const std::set<std::string> names{std::istream_iterator<std::string>(all), {}};
    return std::any_of(std::istream_iterator<std::string>(own), {},
                       [&](const std::string& e) { return names.count(e) != 0; });
  }
};
using std::literals::operator""sv;
constexpr Alien kAliens[] = {
    {"a safetensors file",
     "\x40\0\0\0\0\0\0\0{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}        "sv,
     ".safetensors", 8, 1},
    {"a GGUF file", "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv, ".gguf", 0, 4},
    {"a NumPy file", "\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"sv,
     ".npy", 0, 6},
    {"an HDF5 file", "\x89HDF\r\n\x1a\n\0\0\0\0\0\10\10\0"sv, ".h5 .hdf5", 0, 8},
    {"a zip archive", "PK\3\4\24\0\0\0\0\0"sv, ".npz .zip .pt .pth", 0, 4},
    {"an ELF library",
     "\x7f"
     "ELF\2\1\1\0\0\0\0\0"sv,
     ".so", 0, 4},
    {"a plain text", "plain text, and nothing else\n"sv, ".txt", 0, 0},
    {"a file of zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv, ".raw", 0, 0},
};

void check_probe(const Profile& p, Reporter&) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  Contents c;
  const std::string bytes = small_file(s, p, folder, c);
  const auto probe = [&](const std::string& head) {
    const int32_t sure = call("probe", [&] {
      return s.v->probe(s.plugin.state, head.data(), std::min<size_t>(head.size(), 4096),
                        head.size());
    });
    expect(sure >= 0 && sure <= 100, "probe gives " + std::to_string(sure), "0 to 100");
    return sure;
  };
  const int32_t own = probe(bytes);
  expect(own > 0, "probe gives 0 for its own file", "how sure it is");
  const auto says = [](int32_t sure, const std::string& what) {
    return "probe gives " + std::to_string(sure) + " for " + what;
  };
  expect(probe("") == 0, says(probe(""), "a file of no bytes"), "0");
  for (const Alien& a : kAliens) {
    const std::string head(a.head.data(), a.head.size());
    if (a.is_like(bytes) || a.named_in(text_of(s.v->extensions))) continue;
    const int32_t sure = probe(head + std::string(64, ' '));
    expect(sure < own, says(sure, std::string("the head of ") + a.what),
           "less than the " + std::to_string(own) + " for its own file");
  }
  // A signature of one byte takes a random head for its own now and then; one that takes many knows nothing of its files.
  Rng rng(77);
  constexpr int kHeads = 64, kByChance = 8;
  int claimed = 0;
  int32_t surest = 0;
  for (int k = 0; k < kHeads; ++k) {
    std::string head(static_cast<size_t>(1 + rng.below(4096)), '\0');
    for (char& byte : head) byte = static_cast<char>(rng.next());
    const int32_t sure = probe(head);
    claimed += sure > 0;
    surest = std::max(surest, sure);
  }
  expect(claimed < kByChance && surest < own,
         says(surest, "random bytes (" + std::to_string(claimed) + " of " + std::to_string(kHeads) +
                          " heads are claimed)"),
         "0");
}

// One name for two tensors, by an exchange of bytes in a saved file.
void check_names(const Profile& p, Reporter& r) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  const std::string first = "twin_of_rome", second = "twin_of_alba";
  Contents c;
  for (const std::string& name : {first, second})
    c.tensors[name] = item(name, TN_DTYPE_F32, {3}, 9);
  const std::string path = folder.file("twins" + p.extension);
  const auto saved = s.save(path, c);
  expect(saved.code == TN_OK, "save fails: " + saved.message, "that it writes the file");
  std::string bytes = read_file(path);
  const size_t before = bytes.find(second);
  if (before == std::string::npos) {
    r.unsupported("no name stands in the file as it is", "a name that is there twice");
    return;
  }
  for (size_t at = before; at != std::string::npos; at = bytes.find(second, at))
    bytes.replace(at, second.size(), first);
  write_file(path, bytes);
  for (const bool copy : {false, true}) {
    Opened file(s, path, no_limits(copy));
    expect(!file.ok(), "a file with two tensors named \"" + first + "\" opens", "DATA_LOSS");
    expect_code(file.result, "with a name that is there twice", {TN_DATA_LOSS});
  }
}

// While it lives no file of this process grows beyond `bytes`: a write fails with EFBIG, as on a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(uint64_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    expect(setrlimit(RLIMIT_FSIZE, &small) == 0, "the size of files cannot be limited", "that");
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit old_{};
  void (*handler_)(int);
};

void check_failed_save(const Profile& p, Reporter&) {
  Subject s(p);
  need_save(s);
  const Folder folder;
  Contents before, after;
  const std::string old = small_file(s, p, folder, before);
  const std::string path = folder.file("small" + p.extension);
  const std::string large = folder.file("large" + p.extension);
  after.tensors["large"] = item("large", TN_DTYPE_F32, {300, 1000}, 4);
  after.tensors["last"] = item("last", TN_DTYPE_F32, {3}, 6);
  expect(s.save(large, after).code == TN_OK, "a larger file cannot be saved", "that it works");
  const uint64_t bytes = fs::file_size(large);
  const size_t files = folder.entries();
  for (const uint64_t room : {uint64_t{0}, uint64_t{100}, bytes / 2, bytes - 1}) {
    const auto result = [&] {
      const FullDisk full(room);
      return s.save(path, after);
    }();
    const std::string when =
        "with room for " + std::to_string(room) + " of " + std::to_string(bytes) + " bytes ";
    expect(result.code != TN_OK, when + "save gives no error", "IO");
    expect(fs::exists(path), when + "save fails, and the old file is gone", "it, whole");
    const std::string now = read_file(path);
    expect(now == old,
           when + "save fails, and of the old file's " + std::to_string(old.size()) +
               " bytes it left " + std::to_string(now.size()) + " that are not the same",
           "the old file, whole");
    expect(folder.entries() == files, when + "save fails and leaves a temporary file", "none");
  }
  expect(s.host.live_errors() == 0, "errors are left", "that each is returned or released");
}

void check_missing(const Profile& p, Reporter&) {
  Subject s(p);
  const Folder folder;
  const std::string path = folder.file("empty" + p.extension);
  write_file(path, "");
  for (const std::string& bad : {folder.file("nothing" + p.extension), folder.file("."), path})
    for (const bool copy : {false, true})
      expect(!Opened(s, bad, no_limits(copy)).ok(), "\"" + bad + "\" opens",
             "an error: there is no such file, a folder, or nothing in it");
}

constexpr const char* kUntrusted =
    "check every length against the file and the limits before it is used";

}  // namespace

const std::vector<Check> kFormatChecks = {
    {"format.round_trip", 1, Kind::format, "what is saved reads back: dtypes, shapes, metadata",
     "compare the file with its specification, byte by byte", check_round_trip},
    {"format.truncation", 1, Kind::format, "a file cut off at any byte is an error", kUntrusted,
     check_truncation},
    {"format.mutation", 1, Kind::format, "6,000 spoilt files do no harm", kUntrusted,
     check_mutation},
    {"format.names", 1, Kind::format, "a file with two tensors of one name is an error",
     "keep the names that were read in a set", check_names},
    {"format.failed_save", 1, Kind::format, "a save that fails leaves the old file whole",
     "write to another file in the same folder, and rename it at the end", check_failed_save},
    {"format.limits", 1, Kind::format, "limits of the call are kept", kUntrusted, check_limits},
    {"format.probe", 1, Kind::format, "probe knows its own files and is not sure of others",
     "look at a signature, or at the form of the header", check_probe},
    {"format.missing", 1, Kind::format, "no file, a folder, an empty file: errors",
     "NOT_FOUND, IO or DATA_LOSS with the path", check_missing},
};

}  // namespace tenon::conformance
