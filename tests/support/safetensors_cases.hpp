// Safetensors files that a reader must refuse, each with what its message must say.
#pragma once
#include <tenon/base.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tenon::test {

// A file of the format: length, header, data.
inline std::string safetensors(const std::string& header, size_t data_bytes) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> (8 * i));
  file += header;
  for (size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i % 251);
  return file;
}

struct BadFile {
  const char* what;
  std::string bytes;
  tn_code code;
  const char* says;  // part of the message
};

// One F32 tensor "a" of two elements with another dtype, shape or place.
inline std::string one_tensor(const std::string& dtype, const std::string& shape,
                              const std::string& offsets) {
  return R"({"a":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

inline std::vector<BadFile> bad_files() {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const std::string u8 = R"("dtype":"U8","shape":[4],"data_offsets":)";
  const auto file = [](const std::string& header, size_t n = 8) { return safetensors(header, n); };
  std::string huge = file("{}", 0);
  huge[7] = '\x7f';
  return {
      // Lengths.
      {"an empty file", "", TN_DATA_LOSS, "has 0 bytes; a safetensors file begins with 8"},
      {"half a length", "\x10\0\0\0", TN_DATA_LOSS, "bytes; a safetensors file begins with 8"},
      {"no header", std::string(8, '\0'), TN_DATA_LOSS,
       "expected '{' at the start, but the header ends"},
      {"a header that claims 2^63 bytes", huge, TN_DATA_LOSS,
       "the header claims 9151314442816847874 bytes of a file that has 2 after its length"},
      {"a header cut off", file("{" + a + "}").substr(0, 30), TN_DATA_LOSS,
       "bytes of a file that has 22"},
      {"data cut off", file("{" + a + "}", 7), TN_DATA_LOSS,
       R"(tensor "a" claims bytes 0..8 of a data part that has 7)"},
      {"data too long", file("{" + a + "}", 9), TN_DATA_LOSS,
       "bytes 8..9 of the data part belong to no tensor"},
      {"data without tensors", file("{}", 8), TN_DATA_LOSS,
       "bytes 0..8 of the data part belong to no tensor"},
      // JSON.
      {"no object", file("[]", 0), TN_DATA_LOSS,
       "byte 0 of the header: expected '{' at the start, but '[' is there"},
      {"no JSON", file("hello", 0), TN_DATA_LOSS, "expected '{' at the start, but 'h' is there"},
      {"an open object", file("{", 0), TN_DATA_LOSS,
       "expected a tensor's name in quotes, but the header ends"},
      {"a comma at the end", file("{" + a + ",}"), TN_DATA_LOSS,
       "expected a tensor's name in quotes, but '}' is there"},
      {"no comma", file("{" + a + a + "}"), TN_DATA_LOSS,
       "expected '}' or ',' after a tensor, but '\"' is there"},
      {"no colon", file(R"({"a"})", 0), TN_DATA_LOSS, "expected ':' after a key"},
      {"an open string", file(R"({"a)", 0), TN_DATA_LOSS, "a tensor's name has no end"},
      {"something after it", file("{" + a + "}x"), TN_DATA_LOSS,
       "the header should be over, but 'x' is there"},
      {"two objects", file("{" + a + "}{}"), TN_DATA_LOSS,
       "the header should be over, but '{' is there"},
      {"zeros after it", file("{" + a + "}" + std::string(4, '\0')), TN_DATA_LOSS,
       "the header should be over"},
      {"deep nesting", file(std::string(100000, '[') + std::string(100000, ']'), 0), TN_DATA_LOSS,
       "expected '{' at the start"},
      {"nesting in a tensor", file(R"({"a":{"dtype":{"x":1}}})", 0), TN_DATA_LOSS,
       "expected a dtype in quotes, but '{' is there"},
      {"a tensor that is null", file(R"({"a":null})", 0), TN_DATA_LOSS,
       "expected '{' after a tensor's name, but 'n' is there"},
      // Strings.
      {"a byte that is not UTF-8", file("{\"a\xff\":{}}", 0), TN_DATA_LOSS,
       "byte 3 of the header: not UTF-8"},
      {"an overlong form", file("{\"\xc0\xaf\":{}}", 0), TN_DATA_LOSS, "not UTF-8"},
      {"a surrogate in UTF-8", file("{\"\xed\xa0\x80\":{}}", 0), TN_DATA_LOSS, "not UTF-8"},
      {"above U+10FFFF", file("{\"\xf4\x90\x80\x80\":{}}", 0), TN_DATA_LOSS, "not UTF-8"},
      {"a sequence cut off", file("{\"\xe2\x82", 0), TN_DATA_LOSS, "not UTF-8"},
      {"a raw control character", file("{\"a\nb\":{}}", 0), TN_DATA_LOSS,
       "a control character within a string"},
      {"an unknown escape", file(R"({"\x":{}})", 0), TN_DATA_LOSS,
       "an escape that JSON does not have"},
      {"an escape cut off", file("{\"\\", 0), TN_DATA_LOSS, "an escape that JSON does not have"},
      {"a short \\u", file(R"({"\u12":{}})", 0), TN_DATA_LOSS, "\\u wants four hexadecimal digits"},
      {"half a surrogate pair", file(R"({"\ud800":{}})", 0), TN_DATA_LOSS, "half a surrogate pair"},
      {"the wrong half first", file(R"({"\udc00\ud800":{}})", 0), TN_DATA_LOSS,
       "half a surrogate pair"},
      {"two first halves", file(R"({"\ud800\ud800":{}})", 0), TN_DATA_LOSS,
       "half a surrogate pair"},
      // Keys.
      {"a tensor twice", file("{" + a + "," + a + "}"), TN_DATA_LOSS,
       R"(tensor "a" stands twice in the header)"},
      {"a tensor twice by an escape",
       file("{" + a + R"(,"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
       TN_DATA_LOSS, R"(tensor "a" stands twice in the header)"},
      {"a key twice", file(R"({"a":{"dtype":"F32","dtype":"F32"}})", 0), TN_DATA_LOSS,
       R"(tensor "a" has "dtype" twice)"},
      {"an unknown key", file(R"({"a":{"dtype":"F32","stride":[1]}})", 0), TN_DATA_LOSS,
       R"(tensor "a" has a key "stride"; the format has dtype, shape and data_offsets)"},
      {"no dtype", file(R"({"a":{"shape":[2],"data_offsets":[0,8]}})"), TN_DATA_LOSS,
       R"(tensor "a" has no dtype)"},
      {"no shape", file(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})"), TN_DATA_LOSS,
       R"(tensor "a" has no shape)"},
      {"no offsets", file(R"({"a":{"dtype":"F32","shape":[2]}})"), TN_DATA_LOSS,
       R"(tensor "a" has no data_offsets)"},
      {"an empty tensor object", file(R"({"a":{}})", 0), TN_DATA_LOSS,
       R"(tensor "a" has no dtype)"},
      // Metadata.
      {"metadata that is no object", file(R"({"__metadata__":[]})", 0), TN_DATA_LOSS,
       "expected '{' after __metadata__"},
      {"a metadata number", file(R"({"__metadata__":{"k":1}})", 0), TN_DATA_LOSS,
       "expected a value of __metadata__ in quotes, but '1' is there"},
      {"a metadata key twice", file(R"({"__metadata__":{"k":"1","k":"2"}})", 0), TN_DATA_LOSS,
       R"(the key of __metadata__ "k" stands twice)"},
      {"metadata twice", file(R"({"__metadata__":{},"__metadata__":{}})", 0), TN_DATA_LOSS,
       "__metadata__ stands twice in the header"},
      // Dtypes and shapes.
      {"an unknown dtype", file(one_tensor("\"F24\"", "[2]", "[0,8]")), TN_UNIMPLEMENTED,
       R"(tensor "a" has dtype "F24", which Tenon does not read)"},
      {"a dtype in small letters", file(one_tensor("\"f32\"", "[2]", "[0,8]")), TN_UNIMPLEMENTED,
       R"(dtype "f32")"},
      {"a dtype that is a number", file(one_tensor("32", "[2]", "[0,8]")), TN_DATA_LOSS,
       "expected a dtype in quotes, but '3' is there"},
      {"a shape that is a number", file(one_tensor("\"F32\"", "2", "[0,8]")), TN_DATA_LOSS,
       "expected '[' after \"shape\""},
      {"a negative dim", file(one_tensor("\"F32\"", "[-2]", "[0,8]")), TN_DATA_LOSS,
       "a dim must be a whole number, 0 or above, but '-' is there"},
      {"a fraction", file(one_tensor("\"F32\"", "[2.0]", "[0,8]")), TN_DATA_LOSS,
       "a dim must be a whole number"},
      {"an exponent", file(one_tensor("\"F32\"", "[2e0]", "[0,8]")), TN_DATA_LOSS,
       "a dim must be a whole number"},
      {"a leading zero", file(one_tensor("\"F32\"", "[02]", "[0,8]")), TN_DATA_LOSS,
       "a dim begins with 0"},
      {"a dim above 2^64", file(one_tensor("\"F32\"", "[18446744073709551616]", "[0,8]")),
       TN_DATA_LOSS, "a dim is above 2^64 - 1"},
      {"a dim above 2^63", file(one_tensor("\"F32\"", "[9223372036854775808]", "[0,8]")),
       TN_DATA_LOSS, "has a dim of 9223372036854775808"},
      {"a shape that overflows", file(one_tensor("\"F32\"", "[4294967296,4294967296]", "[0,8]")),
       TN_DATA_LOSS, R"(tensor "a" is F32[4294967296, 4294967296], more than 2^64 bytes)"},
      {"a shape that overflows to its size",
       file(one_tensor("\"F32\"", "[4611686018427387906]", "[0,8]")), TN_DATA_LOSS,
       "more than 2^64 bytes"},
      {"too many dims", file(one_tensor("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]")),
       TN_OUT_OF_RANGE, R"(tensor "a" has more than 8 dims)"},
      {"a comma too many", file(one_tensor("\"F32\"", "[2,]", "[0,8]")), TN_DATA_LOSS,
       "a dim must be a whole number"},
      // Places.
      {"one offset", file(one_tensor("\"F32\"", "[2]", "[8]")), TN_DATA_LOSS,
       "expected ',' after the first data offset"},
      {"three offsets", file(one_tensor("\"F32\"", "[2]", "[0,8,8]")), TN_DATA_LOSS,
       "expected ']' after the second data offset"},
      {"a negative offset", file(one_tensor("\"F32\"", "[2]", "[-8,0]")), TN_DATA_LOSS,
       "a data offset must be a whole number"},
      {"offsets the wrong way", file(one_tensor("\"F32\"", "[2]", "[8,0]")), TN_DATA_LOSS,
       R"(tensor "a" claims bytes 8..0, which end before they begin)"},
      {"an offset past the end",
       file(one_tensor("\"F32\"", "[2]", "[18446744073709551607,18446744073709551615]")),
       TN_DATA_LOSS, "of a data part that has 8"},
      {"too few bytes for the shape", file(one_tensor("\"F32\"", "[3]", "[0,8]")), TN_DATA_LOSS,
       R"(tensor "a" is F32[3], 12 bytes, but claims bytes 0..8)"},
      {"too many bytes for the shape", file(one_tensor("\"F16\"", "[2]", "[0,8]")), TN_DATA_LOSS,
       R"(tensor "a" is F16[2], 4 bytes, but claims bytes 0..8)"},
      {"bytes for an empty tensor", file(one_tensor("\"F32\"", "[2,0]", "[0,8]")), TN_DATA_LOSS,
       R"(tensor "a" is F32[2, 0], 0 bytes)"},
      {"a start after 0", file(one_tensor("\"F32\"", "[1]", "[4,8]")), TN_DATA_LOSS,
       "bytes 0..4 of the data part belong to no tensor"},
      {"an overlap", file("{\"a\":{" + u8 + "[0,4]},\"b\":{" + u8 + "[3,7]}}", 7), TN_DATA_LOSS,
       R"(tensors "a" (bytes 0..4) and "b" (bytes 3..7) overlap)"},
      {"the same place twice", file("{\"a\":{" + u8 + "[0,4]},\"b\":{" + u8 + "[0,4]}}", 4),
       TN_DATA_LOSS, "overlap"},
      {"an empty tensor inside another",
       file("{\"a\":{" + u8 + R"([0,4]},"e":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", 4),
       TN_DATA_LOSS, R"(and "e" (bytes 2..2) overlap)"},
      {"a gap", file("{\"b\":{" + u8 + "[5,9]},\"a\":{" + u8 + "[0,4]}}", 9), TN_DATA_LOSS,
       "bytes 4..5 of the data part belong to no tensor"},
  };
}

}  // namespace tenon::test
