#include "reader.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tenon/sdk/guard.hpp>
#include <utility>

#include "json.hpp"
#include "os.hpp"

namespace tenon::safetensors {
namespace {

using sdk::fail;

constexpr uint64_t kPrefix = 8;  // the length of the header, little-endian

uint64_t little_endian(const unsigned char* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

void read_at(int fd, void* to, uint64_t bytes, uint64_t offset) {
  auto* p = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n =
        pread(fd, p, std::min<uint64_t>(bytes, kMaxTransfer), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system("cannot be read");
    if (n == 0) fail(TN_DATA_LOSS, "ends at byte ", offset, ", before its data do.");
    p += n;
    bytes -= static_cast<uint64_t>(n);
    offset += static_cast<uint64_t>(n);
  }
}

Mapping map(void* address, uint64_t bytes) {
  if (address == MAP_FAILED) fail_system("cannot be mapped into memory");
  return {address, bytes};
}

// Opened without waiting: a pipe of that name must not block.
Descriptor open_regular(const std::string& path, uint64_t* out_bytes) {
  if (path.find('\0') != std::string::npos) fail(TN_INVALID_ARGUMENT, "a path has no NUL byte.");
  Descriptor fd(retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); }));
  if (fd.get() < 0) fail_system("cannot be opened");
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) fail_system("cannot be examined");
  if (!S_ISREG(status.st_mode)) fail(TN_INVALID_ARGUMENT, "is no regular file.");
  *out_bytes = static_cast<uint64_t>(status.st_size);
  return fd;
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

File::File(const std::string& path, const Limits& limits) : path_(path) {
  try {
    load(path, limits);
  } catch (const sdk::Error& e) {
    std::string message = path + ": " + e.what();
    if (e.code() == TN_DATA_LOSS) {
      message += " The file is cut off or damaged; nothing was loaded.";
    }
    throw sdk::Error(e.code(), std::move(message));
  }
}

void File::load(const std::string& path, const Limits& limits) {
  uint64_t file_bytes = 0;
  const Descriptor fd = open_regular(path, &file_bytes);
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
      fail(TN_DATA_LOSS, path_, ": tensor ", quoted(t.name), " is BOOL, but its element ",
           wrong - bytes, " is ", static_cast<unsigned>(static_cast<unsigned char>(*wrong)),
           ". The file is damaged.");
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
