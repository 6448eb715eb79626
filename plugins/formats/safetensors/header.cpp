#include "header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <tenon/sdk/format.hpp>
#include <tuple>
#include <utility>

#include "json.hpp"

namespace tenon::safetensors {
namespace {

using sdk::fail;

// "4096..8192"
std::string range(uint64_t begin, uint64_t end) { return sdk::text(begin, "..", end); }

class Parser {
 public:
  Parser(Header& header, const Limits& limits)
      : header_(header), limits_(limits), json_(header.text) {}

  void parse() {
    if (!header_.text.empty() &&
        std::string_view(" \t\r\n").find(header_.text[0]) != std::string_view::npos)
      fail(TN_DATA_LOSS, "the header begins with a blank; the format demands {.");
    json_.expect('{', "at the start");
    bool has_metadata = false;
    if (!json_.accept('}')) {
      do {
        const std::string_view name = key("a tensor's name");
        if (name == "__metadata__") {
          if (has_metadata) fail(TN_DATA_LOSS, "__metadata__ stands twice in the header.");
          has_metadata = true;
          metadata();
        } else {
          if (header_.tensors.size() >= limits_.max_tensors) {
            fail(TN_OUT_OF_RANGE, "more than ", limits_.max_tensors,
                 " tensors, the limit of this call (max_tensors).");
          }
          header_.tensors.push_back(tensor(name));
        }
      } while (json_.accept(','));
      json_.expect('}', "or ',' after a tensor");
    }
    json_.end();
  }

 private:
  std::string_view key(const char* what) {
    const std::string_view text = json_.string(what);
    if (text.size() > limits_.max_name_bytes) {
      fail(TN_OUT_OF_RANGE, what, " has ", text.size(), " bytes, the limit of this call is ",
           limits_.max_name_bytes, ": ", quoted(text), ".");
    }
    json_.expect(':', "after a key");
    return text;
  }

  void metadata() {
    json_.expect('{', "after __metadata__");
    if (json_.accept('}')) return;
    do {
      const std::string_view name = key("a key of __metadata__");
      const std::string_view value = json_.string("a value of __metadata__");
      header_.metadata.push_back({sdk::str(name), sdk::str(value)});
    } while (json_.accept(','));
    json_.expect('}', "or ',' after a pair of __metadata__");
  }

  Tensor tensor(std::string_view name) {
    constexpr unsigned kDtype = 1, kShape = 2, kOffsets = 4;
    Tensor t{name, nullptr, 0, 0, 0, 0};
    unsigned seen = 0;
    json_.expect('{', "after a tensor's name");
    if (!json_.accept('}')) {
      do {
        const std::string_view field = key("a key of a tensor");
        const unsigned bit = field == "dtype"          ? kDtype
                             : field == "shape"        ? kShape
                             : field == "data_offsets" ? kOffsets
                                                       : 0u;
        if (bit == 0) {
          fail(TN_DATA_LOSS, "tensor ", quoted(name), " has a key ", quoted(field),
               "; the format has dtype, shape and data_offsets.");
        }
        if (seen & bit) {
          fail(TN_DATA_LOSS, "tensor ", quoted(name), " has ", quoted(field), " twice.");
        }
        seen |= bit;
        if (bit == kDtype) read_dtype(t);
        if (bit == kShape) read_shape(t);
        if (bit == kOffsets) read_offsets(t);
      } while (json_.accept(','));
      json_.expect('}', "or ',' after a value of a tensor");
    }
    for (const auto& [bit, what] :
         {std::pair{kDtype, "dtype"}, {kShape, "shape"}, {kOffsets, "data_offsets"}}) {
      if (!(seen & bit)) fail(TN_DATA_LOSS, "tensor ", quoted(name), " has no ", what, ".");
    }
    return t;
  }

  void read_dtype(Tensor& t) {
    const std::string_view text = json_.string("a dtype");
    t.dtype = find_dtype(text);
    if (!t.dtype) {
      fail(TN_UNIMPLEMENTED, "tensor ", quoted(t.name), " has dtype ", quoted(text),
           ", which Tenon does not read.");
    }
  }

  void read_shape(Tensor& t) {
    json_.expect('[', "after \"shape\"");
    t.first_dim = static_cast<uint32_t>(header_.dims.size());
    if (json_.accept(']')) return;
    do {
      const uint64_t dim = json_.number("a dim");
      if (dim > INT64_MAX)
        fail(TN_DATA_LOSS, "tensor ", quoted(t.name), " has a dim of ", dim, ".");
      if (t.rank == TN_MAX_RANK) {
        fail(TN_OUT_OF_RANGE, "tensor ", quoted(t.name), " has more than ", TN_MAX_RANK,
             " dims, Tenon's limit.");
      }
      header_.dims.push_back(static_cast<int64_t>(dim));
      ++t.rank;
    } while (json_.accept(','));
    json_.expect(']', "or ',' after a dim");
  }

  void read_offsets(Tensor& t) {
    json_.expect('[', "after \"data_offsets\"");
    t.begin = json_.number("a data offset");
    json_.expect(',', "after the first data offset");
    t.end = json_.number("a data offset");
    json_.expect(']', "after the second data offset");
  }

  Header& header_;
  const Limits& limits_;
  JsonReader json_;
};

std::string shape_text(const Header& h, const Tensor& t) {
  std::string out(t.dtype->name);
  out += '[';
  for (uint32_t i = 0; i < t.rank; ++i) {
    if (i) out += ", ";
    out += std::to_string(h.dims[t.first_dim + i]);
  }
  return out + "]";
}

// The tensor alone: its range lies in the file and is as long as its shape asks for.
void check_tensor(const Header& h, const Tensor& t, uint64_t data_bytes) {
  if (t.begin > t.end) {
    fail(TN_DATA_LOSS, "tensor ", quoted(t.name), " claims bytes ", range(t.begin, t.end),
         ", which end before they begin.");
  }
  if (t.end > data_bytes) {
    fail(TN_DATA_LOSS, "tensor ", quoted(t.name), " claims bytes ", range(t.begin, t.end),
         " of a data part that has ", data_bytes, ".");
  }
  uint64_t bytes = t.dtype->bytes;
  bool overflow = false;
  for (uint32_t i = 0; i < t.rank; ++i) {
    const auto dim = static_cast<uint64_t>(h.dims[t.first_dim + i]);
    overflow |= __builtin_mul_overflow(bytes, dim, &bytes);
  }
  if (overflow) {
    fail(TN_DATA_LOSS, "tensor ", quoted(t.name), " is ", shape_text(h, t),
         ", more than 2^64 bytes.");
  }
  if (bytes != t.end - t.begin) {
    fail(TN_DATA_LOSS, "tensor ", quoted(t.name), " is ", shape_text(h, t), ", ", bytes,
         " bytes, but claims bytes ", range(t.begin, t.end), ".");
  }
}

// All together: in the order of their data they cover the data part without overlap or gap.
void check_cover(const std::vector<Tensor>& tensors, uint64_t data_bytes) {
  uint64_t covered = 0;
  const Tensor* before = nullptr;
  for (const Tensor& t : tensors) {
    if (t.begin < covered) {
      fail(TN_DATA_LOSS, "tensors ", quoted(before->name), " (bytes ",
           range(before->begin, before->end), ") and ", quoted(t.name), " (bytes ",
           range(t.begin, t.end), ") overlap.");
    }
    if (t.begin > covered) {
      fail(TN_DATA_LOSS, "bytes ", range(covered, t.begin),
           " of the data part belong to no tensor.");
    }
    if (t.end > t.begin) before = &t;
    covered = t.end;
  }
  if (covered != data_bytes) {
    fail(TN_DATA_LOSS, "bytes ", range(covered, data_bytes),
         " of the data part belong to no tensor.");
  }
}

template <class List, class Name>
void check_unique(const char* what, const List& list, Name&& name_of) {
  std::vector<std::string_view> names;
  names.reserve(list.size());
  for (const auto& item : list) names.push_back(name_of(item));
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    fail(TN_DATA_LOSS, what, quoted(*twice), " stands twice in the header.");
}

}  // namespace

Limits effective(const tn_format_limits* given) {
  const tn_format_limits l = sdk::complete_limits(given);
  return {l.max_bytes, l.max_tensors, l.max_name_bytes,
          std::min(l.max_header_bytes, kMaxHeaderBytes), l.copy != 0};
}

Header parse_header(std::vector<char> text, uint64_t data_bytes, const Limits& limits) {
  Header header;
  header.text = std::move(text);
  Parser(header, limits).parse();
  check_unique("tensor ", header.tensors, [](const Tensor& t) { return t.name; });
  check_unique("the key of __metadata__ ", header.metadata,
               [](const tn_metadata& m) { return sdk::view_of(m.key); });
  for (const Tensor& t : header.tensors) check_tensor(header, t, data_bytes);
  std::sort(header.tensors.begin(), header.tensors.end(), [](const Tensor& a, const Tensor& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_cover(header.tensors, data_bytes);
  return header;
}

}  // namespace tenon::safetensors
