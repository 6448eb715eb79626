// The half of fmt that runs, as far as the core's texts need it: a tenth of the library's own. Everybody includes <fmt/core.h>, whose
// other half checks formats while compiling. Understood are {}, {:#x}, {:03} and {:.8g}.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.hpp"

namespace tenon {
namespace {

template <class T>
std::string real_text(T value, int digits) {
  char text[1200];  // a double has no more digits than 767, nor than 324 zeros before them
  char* const end = std::end(text);
  const T size = std::abs(value);
  if (digits > 0)
    return {text,
            std::to_chars(text, end, value, std::chars_format::general, std::min(digits, 800)).ptr};
  const bool fixed = size == 0 || (size >= T(1e-4) && size < T(1e16));
  return {text, std::to_chars(text, end, value,
                              fixed ? std::chars_format::fixed : std::chars_format::scientific)
                    .ptr};
}

struct Writer {
  std::string& out;
  std::string_view spec;

  template <class T>
  void operator()(T value) const {
    if constexpr (std::is_same_v<T, bool>) {
      out += value ? "true" : "false";
    } else if constexpr (std::is_same_v<T, char> || std::is_same_v<T, const char*>) {
      out += value;
    } else if constexpr (std::is_same_v<T, fmt::string_view>) {
      out.append(value.data(), value.size());
    } else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, float>) {
      out += real_text(value, spec.empty() ? 0 : 8);
    } else if constexpr (std::is_same_v<T, int> || std::is_same_v<T, long long>) {
      integer(static_cast<long long>(value));
    } else if constexpr (std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>) {
      integer(static_cast<unsigned long long>(value));
    } else {
      assert_failed("no text has such a value", __FILE__, __LINE__);
    }
  }
  template <class T>
  void integer(T value) const {
    char text[20];
    const char* const end = std::to_chars(text, std::end(text), value, spec == "#x" ? 16 : 10).ptr;
    const auto n = static_cast<size_t>(end - text);
    if (spec == "#x") out += "0x";
    if (spec == "03" && n < 3) out.append(3 - n, '0');
    out.append(text, n);
  }
};

}  // namespace

std::string number_text(double value, int digits) { return real_text(value, digits); }

}  // namespace tenon

FMT_BEGIN_NAMESPACE
std::string vformat(string_view format, format_args args) {
  std::string out;
  std::string_view rest(format.data(), format.size());
  for (int next = 0; !rest.empty();) {
    const size_t plain = std::min(rest.find_first_of("{}"), rest.size());
    out.append(rest.substr(0, plain));
    rest.remove_prefix(plain);
    if (rest.size() < 2) break;
    if (rest[0] == rest[1]) {  // of "{{" and "}}" one stays
      out += rest[0];
      rest.remove_prefix(2);
      continue;
    }
    const size_t end = rest.find('}');
    const size_t colon = rest[1] == ':' ? 2 : 1;
    const std::string_view spec = rest.substr(colon, end - colon);
    TENON_ASSERT(spec.empty() || spec == "#x" || spec == "03" || spec == ".8g");
    visit_format_arg(tenon::Writer{out, spec}, args.get(next++));
    rest.remove_prefix(end + 1);
  }
  return out;
}
FMT_END_NAMESPACE
