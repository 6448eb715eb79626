// Files and folders as plugin search, trust and loading see them.
#pragma once
#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

// The absolute path without links, "" if nothing is there.
std::string real_path(const std::string& path);
bool is_folder(const std::string& path);

std::string_view file_name(std::string_view path);
std::string folder_of(std::string_view path);  // "." where `path` has no slash
// "a/b.so" -> "a/b"
std::string_view without_extension(std::string_view path);

// Names in a folder that end in `.json` and in `.so`, each sorted. Nothing if the folder cannot be read.
struct Listing {
  std::vector<std::string> manifests, libraries;
};
std::optional<Listing> list_folder(const std::string& path);

// An opened regular file. Checks look at the descriptor, so that they speak of the same file.
class File {
 public:
  // Throws NOT_FOUND, IO, or INVALID_ARGUMENT for a folder, a pipe and the like.
  explicit File(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }  // real path
  const struct stat& status() const { return status_; }
  uint64_t size() const { return static_cast<uint64_t>(status_.st_size); }
  // At most `bytes` from `offset`; fewer only at the end of the file. Throws IO.
  size_t read(void* to, size_t bytes, uint64_t offset) const;
  // All of it. Throws OUT_OF_RANGE if it is larger than `limit`.
  std::string text(uint64_t limit) const;

 private:
  std::string path_;
  struct stat status_ {};
  int fd_ = -1;
};

}  // namespace tenon
