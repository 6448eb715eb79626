#include "reader.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <tenon/sdk/files.hpp>
#include <utility>

#include "json.hpp"

namespace tenon::safetensors {
namespace {

using sdk::Descriptor;
using sdk::fail;
using sdk::read_at;

constexpr uint64_t kPrefix = 8;  // the length of the header, little-endian

uint64_t little_endian(const unsigned char* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

Mapping map(void* address, uint64_t bytes) {
  if (address == MAP_FAILED) sdk::fail_system("cannot be mapped into memory");
  return {address, bytes};
}

std::vector<char> read_header(int fd, uint64_t file_bytes, const Limits& limits) {
  if (file_bytes > limits.max_bytes) {
    fail(TN_OUT_OF_RANGE, "has ", file_bytes, " bytes, the limit of this call is ",
         limits.max_bytes, " (max_bytes).");
  }
  if (file_bytes < kPrefix) {
    fail(TN_DATA_LOSS, "has ", file_bytes,
         " bytes; a safetensors file begins with 8 that give the length of its header.");
  }
  unsigned char prefix[kPrefix];
  read_at(fd, prefix, kPrefix, 0);
  const uint64_t header_bytes = little_endian(prefix);
  if (header_bytes > file_bytes - kPrefix) {
    fail(TN_DATA_LOSS, "the header claims ", header_bytes, " bytes of a file that has ",
         file_bytes - kPrefix, " after its length.");
  }
  if (header_bytes > limits.max_header_bytes) {
    fail(TN_OUT_OF_RANGE, "the header has ", header_bytes, " bytes, the limit is ",
         limits.max_header_bytes, ".");
  }
  std::vector<char> text(header_bytes);
  read_at(fd, text.data(), header_bytes, kPrefix);
  return text;
}

}  // namespace

Mapping::Mapping(Mapping&& o) noexcept
    : address_(std::exchange(o.address_, nullptr)), bytes_(std::exchange(o.bytes_, 0)) {}
Mapping& Mapping::operator=(Mapping&& o) noexcept {
  std::swap(address_, o.address_);
  std::swap(bytes_, o.bytes_);
  return *this;
}
Mapping::~Mapping() {
  if (address_) munmap(address_, bytes_);
}

File::File(const std::string& path, const Limits& limits) {
  uint64_t file_bytes = 0;
  const Descriptor fd = sdk::open_regular(path, &file_bytes);
  std::vector<char> text = read_header(fd.get(), file_bytes, limits);
  data_offset_ = kPrefix + text.size();
  const uint64_t data_bytes = file_bytes - data_offset_;
  header_ = parse_header(std::move(text), data_bytes, limits);
  if (data_bytes == 0) return;
  if (limits.copy) {
    mapping_ =
        map(mmap(nullptr, data_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            data_bytes);
    read_at(fd.get(), mapping_.address(), data_bytes, data_offset_);
    data_ = mapping_.address();
  } else {
    mapping_ = map(mmap(nullptr, file_bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0), file_bytes);
    data_ = mapping_.address() + data_offset_;
  }
}

const void* File::data(const Tensor& t) const {
  if (t.begin == t.end) return "";
  const char* bytes = data_ + t.begin;
  if (t.dtype->dtype == TN_DTYPE_BOOL) {
    const char* end = data_ + t.end;
    const char* wrong =
        std::find_if(bytes, end, [](char c) { return static_cast<unsigned char>(c) > 1; });
    if (wrong != end) {
      fail(TN_DATA_LOSS, "tensor ", quoted(t.name), " is BOOL, but its element ", wrong - bytes,
           " is ", static_cast<unsigned>(static_cast<unsigned char>(*wrong)), ".");
    }
  }
  return bytes;
}

int32_t probe(const void* head, uint64_t bytes, uint64_t file_bytes) {
  const auto* p = static_cast<const unsigned char*>(head);
  if (bytes <= kPrefix || p[kPrefix] != '{') return 0;
  // A cut-off file is still one of ours: opening it says what is wrong.
  return little_endian(p) <= file_bytes - kPrefix ? 90 : 40;
}

}  // namespace tenon::safetensors
