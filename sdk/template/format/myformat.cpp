// The format myformat: tensors as text. A file is lines, words are separated by one space:
//
//   myformat 1
//   meta KEY VALUE
//   tensor NAME DTYPE DIM DIM ...
//   ELEMENT ELEMENT ...                 in row-major order; NaN as x and its bits in hexadecimal
//   end
//
// In names, keys and values %XX stands for a byte that is no printable ASCII character, for % and for the first byte of an empty one.
#include <tenon/sdk/dtype.hpp>
#include <tenon/sdk/files.hpp>
#include <tenon/sdk/format.hpp>

#include <charconv>
#include <deque>
#include <set>

namespace {

namespace sdk = tenon::sdk;
using sdk::fail;

constexpr std::string_view kMagic = "myformat 1\n";
using Dtypes = sdk::Join<sdk::Reals, sdk::Bools>;  // those that the format has
constexpr std::pair<tn_dtype, std::string_view> kNames[] = {
    {TN_DTYPE_BOOL, "bool"}, {TN_DTYPE_I8, "i8"},   {TN_DTYPE_I16, "i16"}, {TN_DTYPE_I32, "i32"},
    {TN_DTYPE_I64, "i64"},   {TN_DTYPE_U8, "u8"},   {TN_DTYPE_U16, "u16"}, {TN_DTYPE_U32, "u32"},
    {TN_DTYPE_U64, "u64"},   {TN_DTYPE_F16, "f16"}, {TN_DTYPE_F32, "f32"}, {TN_DTYPE_F64, "f64"},
    {TN_DTYPE_BF16, "bf16"}};

// An unsigned integer as wide as T, for its bits.
template <class T>
using Bits = std::conditional_t<sizeof(T) == 2, uint16_t,
                                std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
// What text knows: small floats as float, bool as 0 and 1.
template <class T>
using Printed = std::conditional_t<sdk::is_small_float<T>, float,
                                   std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>>;

template <class N>
bool parse_number(std::string_view word, N* out, int base = 10) {
  const char* end = word.data() + word.size();
  std::from_chars_result r{};
  if constexpr (std::is_floating_point_v<N>) r = std::from_chars(word.data(), end, *out);
  if constexpr (std::is_integral_v<N>) r = std::from_chars(word.data(), end, *out, base);
  return r.ec == std::errc() && r.ptr == end;
}

template <class T>
bool parse_element(std::string_view word, T* out) {
  if constexpr (sdk::is_float<T>) {
    Bits<T> bits = 0;
    if (word.starts_with('x')) {
      if (!parse_number(word.substr(1), &bits, 16)) return false;
      *out = std::bit_cast<T>(bits);
      return true;
    }
  }
  Printed<T> number{};
  if (!parse_number(word, &number) || (std::is_same_v<T, bool> && number > 1)) return false;
  *out = static_cast<T>(number);
  return true;
}

template <class T>
void append_element(std::string& out, T value) {
  char text[64];
  char* end = nullptr;
  if constexpr (sdk::is_float<T>) {
    if (value != value) {
      text[0] = 'x';
      end = std::to_chars(text + 1, std::end(text), std::bit_cast<Bits<T>>(value), 16).ptr;
    }
  }
  if (!end) end = std::to_chars(text, std::end(text), static_cast<Printed<T>>(value)).ptr;
  out.append(text, end);
}

std::string escaped(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (c > ' ' && c < 127 && c != '%') {
      out += c;
    } else {
      out += {'%', "0123456789abcdef"[(c >> 4) & 15], "0123456789abcdef"[c & 15]};
    }
  }
  return out.empty() ? "%" : out;
}

std::string unescaped(std::string_view word) {
  std::string out;
  if (word == "%") return out;
  for (size_t i = 0; i < word.size(); ++i) {
    uint8_t byte = static_cast<uint8_t>(word[i]);
    if (byte == '%') {
      if (i + 2 >= word.size() || !parse_number(word.substr(i + 1, 2), &byte, 16)) {
        fail(TN_DATA_LOSS, "a name has a % without two hexadecimal digits.");
      }
      i += 2;
    }
    out += static_cast<char>(byte);
  }
  return out;
}

// The text, word by word. What is asked for and is not there is DATA_LOSS.
class Text {
 public:
  explicit Text(std::string_view rest) : rest_(rest) {}
  bool at_end() const { return rest_.empty(); }
  // How many words the line can still have, at most.
  uint64_t room() const { return (rest_.substr(0, rest_.find('\n')).size() + 1) / 2; }
  // The next word; `last` becomes true at the end of a line.
  std::string_view word(bool* last) {
    const size_t end = rest_.find_first_of(" \n");
    if (end == std::string_view::npos) fail(TN_DATA_LOSS, "ends in the middle of a line.");
    const std::string_view w = rest_.substr(0, end);
    *last = rest_[end] == '\n';
    rest_.remove_prefix(end + 1);
    return w;
  }

 private:
  std::string_view rest_;
};

struct Tensor {
  std::string name;
  tn_dtype dtype = TN_DTYPE_NONE;
  std::vector<int64_t> dims;
  std::vector<char> data;
};

struct TextFile {
  static constexpr std::string_view name = "myformat", extensions = ".myformat";

  static int32_t probe(std::string_view head, uint64_t) {
    return head.starts_with(kMagic) ? 90 : 0;
  }

  TextFile(const std::string& path, const tn_format_limits& limits) : limits_(limits) {
    const std::vector<char> bytes = sdk::read_file(path, limits.max_bytes);
    const std::string_view all(bytes.data(), bytes.size());
    if (!all.starts_with(kMagic)) fail(TN_DATA_LOSS, "does not begin with \"myformat 1\".");
    Text text(all.substr(kMagic.size()));
    for (bool last = false;;) {
      const std::string_view word = text.word(&last);
      if (word == "end" && last && text.at_end()) break;
      if (word == "meta" && !last) {
        read_metadata(text);
      } else if (word == "tensor" && !last) {
        read_tensor(text);
      } else {
        fail(TN_DATA_LOSS, "has a line that begins with none of meta, tensor and end.");
      }
    }
    for (const auto& [key, value] : strings_) metadata_.push_back({sdk::str(key), sdk::str(value)});
  }

  uint32_t count() const { return static_cast<uint32_t>(tensors_.size()); }
  tn_model_entry entry(uint32_t index) const {
    const Tensor& t = tensors_[index];
    tn_model_entry e = tn_model_entry_init();
    e.dtype = t.dtype;
    e.name = sdk::str(t.name);
    e.dims = t.dims.data();
    e.bytes = t.data.size();
    e.rank = static_cast<uint32_t>(t.dims.size());
    return e;
  }
  const void* data(uint32_t index) const { return tensors_[index].data.data(); }
  std::span<const tn_metadata> metadata() const { return metadata_; }

  static void save(const std::string& path, std::span<const tn_format_item> items,
                   std::span<const tn_metadata> metadata);

 private:
  std::string checked_name(std::string_view word) const {
    std::string text = unescaped(word);
    if (text.size() > limits_.max_name_bytes) {
      fail(TN_OUT_OF_RANGE, "has a name of ", text.size(), " bytes, the limit is ",
           limits_.max_name_bytes, " (max_name_bytes).");
    }
    return text;
  }
  void read_metadata(Text& text) {
    bool last = false;
    std::string key = checked_name(text.word(&last));
    if (last) fail(TN_DATA_LOSS, "metadata \"", key, "\" has no value.");
    std::string value = unescaped(text.word(&last));
    if (!last) fail(TN_DATA_LOSS, "metadata \"", key, "\" has more than one value.");
    if (!keys_.insert(key).second) fail(TN_DATA_LOSS, "two metadata are named \"", key, "\".");
    strings_.emplace_back(std::move(key), std::move(value));
  }
  void read_tensor(Text& text);

  tn_format_limits limits_;
  std::vector<Tensor> tensors_;
  std::set<std::string> names_, keys_;
  std::deque<std::pair<std::string, std::string>> strings_;
  std::vector<tn_metadata> metadata_;
};

void TextFile::read_tensor(Text& text) {
  if (tensors_.size() >= limits_.max_tensors) {
    fail(TN_OUT_OF_RANGE, "has more than ", limits_.max_tensors, " tensors (max_tensors).");
  }
  Tensor t;
  bool last = false;
  t.name = checked_name(text.word(&last));
  const auto bad = [&](const char* what) { fail(TN_DATA_LOSS, "tensor \"", t.name, "\" ", what); };
  if (!names_.insert(t.name).second) bad("is there twice.");
  if (last) bad("has no dtype.");
  const std::string_view dtype = text.word(&last);
  for (const auto& [code, word] : kNames) {
    if (word == dtype) t.dtype = code;
  }
  if (t.dtype == TN_DTYPE_NONE) bad("has a dtype that the format does not have.");
  uint64_t count = 1;
  while (!last) {
    int64_t dim = 0;
    if (!parse_number(text.word(&last), &dim) || dim < 0) bad("has a dim that is no size.");
    if (t.dims.size() == TN_MAX_RANK) bad("has more than 8 dims.");
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count)) bad("is too large.");
    t.dims.push_back(dim);
  }
  // Before anything of that size is allocated: an element takes at least a character and a space.
  if (count > text.room()) bad("has fewer elements than its dims say.");
  t.data.resize(tn_dtype_bytes(t.dtype, count));
  sdk::visit_dtype<Dtypes>(t.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    for (uint64_t i = 0; i < count; ++i) {
      T value{};
      if (i > 0 && last) bad("has fewer elements than its dims say.");
      if (!parse_element(text.word(&last), &value)) bad("has an element that is no number.");
      std::memcpy(t.data.data() + i * sizeof value, &value, sizeof value);
    }
  });
  if (count == 0 && !text.word(&last).empty()) bad("has elements, but no room for them.");
  if (!last) bad("has more elements than its dims say.");
  tensors_.push_back(std::move(t));
}

void TextFile::save(const std::string& path, std::span<const tn_format_item> items,
                    std::span<const tn_metadata> metadata) {
  std::string text(kMagic);
  for (const tn_metadata& m : metadata) {
    text += "meta " + escaped(sdk::view_of(m.key)) + ' ' + escaped(sdk::view_of(m.value)) + '\n';
  }
  std::set<std::string_view> names;
  for (const tn_format_item& item : items) {
    const std::string_view id = sdk::view_of(item.name);
    if (!names.insert(id).second) fail(TN_INVALID_ARGUMENT, "two tensors are named ", id, ".");
    text += "tensor " + escaped(id);
    const auto* dtype = std::find_if(std::begin(kNames), std::end(kNames),
                                     [&](const auto& n) { return n.first == item.dtype; });
    if (dtype == std::end(kNames)) {
      fail(TN_UNIMPLEMENTED, "tensor ", id, " has a dtype that the format does not have.");
    }
    text += ' ' + std::string(dtype->second);
    for (uint32_t i = 0; i < item.rank; ++i) text += ' ' + std::to_string(item.dims[i]);
    char separator = '\n';
    sdk::visit_dtype<Dtypes>(item.dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      for (uint64_t at = 0; at < item.bytes; at += sizeof(T)) {
        T value{};
        std::memcpy(&value, static_cast<const char*>(item.data) + at, sizeof value);
        text += separator, separator = ' ';
        append_element(text, value);
      }
    });
    text += item.bytes == 0 ? "\n\n" : "\n";
  }
  text += "end\n";
  sdk::write_atomically(path, [&](sdk::Output& out) { out.append(text.data(), text.size()); });
}

constexpr tn_interface kInterfaces[] = {TENON_INTERFACE(FORMAT, sdk::format_table<TextFile>)};

}  // namespace

TENON_PLUGIN("com.example.myformat", "0.1.0", tenon::sdk::Plugin, kInterfaces);
