// An opened file: its header, and its data part mapped or read into memory.
#pragma once
#include <string>

#include "header.hpp"

namespace tenon::safetensors {

// Memory from mmap, given back at the end.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, uint64_t bytes) : address_(address), bytes_(bytes) {}
  Mapping(Mapping&& o) noexcept;
  Mapping& operator=(Mapping&& o) noexcept;
  ~Mapping();
  char* address() const { return static_cast<char*>(address_); }

 private:
  void* address_ = nullptr;
  uint64_t bytes_ = 0;
};

// Immutable; any thread. Depends on nothing of the plugin's state, so it may outlive that.
class File {
 public:
  // Throws sdk::Error without the path: NOT_FOUND, PERMISSION_DENIED, IO, and what parse_header throws.
  File(const std::string& path, const Limits& limits);

  const Header& header() const { return header_; }
  // Where the data part begins in the file.
  uint64_t data_offset() const { return data_offset_; }
  // Elements of a tensor, aligned to 1 byte. Throws DATA_LOSS if a BOOL tensor holds anything but 0 and 1.
  const void* data(const Tensor& t) const;

 private:
  Header header_;
  Mapping mapping_;
  const char* data_ = nullptr;
  uint64_t data_offset_ = 0;
};

// 0..100: how much the first bytes of a file look like this format.
int32_t probe(const void* head, uint64_t bytes, uint64_t file_bytes);

}  // namespace tenon::safetensors
