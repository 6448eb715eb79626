#include "writer.hpp"

#include <algorithm>
#include <string_view>
#include <tenon/sdk/files.hpp>
#include <vector>

#include "dtypes.hpp"
#include "header.hpp"
#include "json.hpp"

namespace tenon::safetensors {
namespace {

using sdk::fail;
using sdk::view_of;

// ---- what goes into the file --------------------------------------------------------------------

struct Piece {
  const tn_format_item* item;
  const Dtype* dtype;
};

// Checks an item; its bytes must be those of its shape.
Piece piece_of(const tn_format_item& item) {
  const std::string_view name = view_of(item.name);
  if (name == "__metadata__") {
    fail(TN_INVALID_ARGUMENT, "a tensor cannot be named \"__metadata__\" in this format.");
  }
  if (!valid_utf8(name)) fail(TN_INVALID_ARGUMENT, "tensor name ", quoted(name), " is not UTF-8.");
  const Dtype* dtype = find_dtype(item.dtype);
  if (!dtype) {
    fail(TN_UNIMPLEMENTED, "tensor ", quoted(name), " has dtype code ", TN_DTYPE_CODE(item.dtype),
         " of ", TN_DTYPE_BITS(item.dtype), " bits, which the format does not have.");
  }
  uint64_t bytes = dtype->bytes;
  bool wrong = item.rank > TN_MAX_RANK;
  for (uint32_t i = 0; !wrong && i < item.rank; ++i) {
    wrong = item.dims[i] < 0 ||
            __builtin_mul_overflow(bytes, static_cast<uint64_t>(item.dims[i]), &bytes);
  }
  if (wrong || bytes != item.bytes || (bytes > 0 && !item.data)) {
    fail(TN_INVALID_ARGUMENT, "tensor ", quoted(name), " comes with ", item.bytes,
         " bytes, which is not the size of its shape.");
  }
  return {&item, dtype};
}

// In the order of the file: element sizes fall, so that every tensor is aligned to its own; then by name.
std::vector<Piece> pieces_of(std::span<const tn_format_item> items) {
  std::vector<Piece> pieces;
  pieces.reserve(items.size());
  for (const tn_format_item& item : items) pieces.push_back(piece_of(item));
  const auto name = [](const Piece& p) { return view_of(p.item->name); };
  std::sort(pieces.begin(), pieces.end(),
            [&](const Piece& a, const Piece& b) { return name(a) < name(b); });
  const auto twice =
      std::adjacent_find(pieces.begin(), pieces.end(),
                         [&](const Piece& a, const Piece& b) { return name(a) == name(b); });
  if (twice != pieces.end()) {
    fail(TN_INVALID_ARGUMENT, "two tensors are named ", quoted(name(*twice)), ".");
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.dtype->order > b.dtype->order; });
  return pieces;
}

void append_metadata(std::string& json, std::span<const tn_metadata> metadata) {
  std::vector<std::string_view> keys;
  json += "\"__metadata__\":{";
  for (const tn_metadata& m : metadata) {
    const std::string_view key = view_of(m.key);
    const std::string_view value = view_of(m.value);
    if (!valid_utf8(key) || !valid_utf8(value)) {
      fail(TN_INVALID_ARGUMENT, "metadata ", quoted(key), " is not UTF-8.");
    }
    if (!keys.empty()) json += ',';
    append_json(json, key);
    json += ':';
    append_json(json, value);
    keys.push_back(key);
  }
  json += '}';
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end())
    fail(TN_INVALID_ARGUMENT, "two metadata are named ", quoted(*twice), ".");
}

// The length and the JSON, padded with spaces to a multiple of 8 bytes.
std::string header_of(const std::vector<Piece>& pieces, std::span<const tn_metadata> metadata) {
  std::string json(8, '\0');
  json += '{';
  if (!metadata.empty()) append_metadata(json, metadata);
  uint64_t offset = 0;
  for (const Piece& p : pieces) {
    if (json.back() != '{') json += ',';
    append_json(json, view_of(p.item->name));
    json += ":{\"dtype\":\"";
    json += p.dtype->name;
    json += "\",\"shape\":[";
    for (uint32_t i = 0; i < p.item->rank; ++i) {
      if (i) json += ',';
      json += std::to_string(p.item->dims[i]);
    }
    uint64_t end = 0;
    if (__builtin_add_overflow(offset, p.item->bytes, &end)) {
      fail(TN_OUT_OF_RANGE, "the tensors together have more than 2^64 bytes.");
    }
    json += sdk::text("],\"data_offsets\":[", offset, ',', end, "]}");
    offset = end;
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  const uint64_t length = json.size() - 8;
  if (length > kMaxHeaderBytes) {
    fail(TN_OUT_OF_RANGE, "the header would have ", length, " bytes, the format's limit is ",
         kMaxHeaderBytes, ".");
  }
  for (int i = 0; i < 8; ++i) json[static_cast<size_t>(i)] = static_cast<char>(length >> (8 * i));
  return json;
}

}  // namespace

void save(const std::string& path, std::span<const tn_format_item> items,
          std::span<const tn_metadata> metadata) {
  const std::vector<Piece> pieces = pieces_of(items);
  const std::string header = header_of(pieces, metadata);
  sdk::write_atomically(path, [&](sdk::Output& out) {
    out.append(header.data(), header.size());
    for (const Piece& p : pieces) out.append(p.item->data, p.item->bytes);
  });
}

}  // namespace tenon::safetensors
