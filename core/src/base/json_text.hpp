// Writing JSON strings. Reading JSON is the manifest's business alone.
#pragma once
#include <string>
#include <string_view>

namespace tenon {

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 (paths may hold any) become U+FFFD, so that the
// document as a whole is always valid.
std::string json_string(std::string_view text);

}  // namespace tenon
