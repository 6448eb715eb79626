#include "plugin/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "base/heap_sort.hpp"

namespace tenon {
namespace {

std::string system_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);  // the GNU form, which is safe in threads
}

}  // namespace

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(realpath(path.c_str(), nullptr),
                                                          &std::free);
  if (!found && errno == ENOMEM) throw std::bad_alloc();
  return found ? std::string(found.get()) : std::string();
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string_view file_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

std::string_view without_extension(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == path.npos || dot < path.size() - file_name(path).size() ? path
                                                                        : path.substr(0, dot);
}

std::optional<Listing> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), &closedir);
  if (!folder && errno == ENOMEM) throw std::bad_alloc();
  if (!folder) return std::nullopt;
  Listing listing;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.')) continue;
    if (name.ends_with(".json")) listing.manifests.emplace_back(name);
    if (name.ends_with(".so")) listing.libraries.emplace_back(name);
  }
  heap_sort(listing.manifests);
  heap_sort(listing.libraries);
  return listing;
}

File::File(const std::string& path) : path_(real_path(path)) {
  if (path_.empty()) fail(TN_NOT_FOUND, "no such file");
  fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd_ < 0) {
    const int error = errno;
    fail(error == EACCES ? TN_PERMISSION_DENIED : TN_IO, "cannot be opened: {}",
         system_text(error));
  }
  const bool known = fstat(fd_, &status_) == 0;
  if (!known || !S_ISREG(status_.st_mode)) {
    close(fd_);
    fail(TN_INVALID_ARGUMENT, "is not a regular file");
  }
}

File::~File() { close(fd_); }

size_t File::read(void* to, size_t bytes, uint64_t offset) const {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t n =
        pread(fd_, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(TN_IO, "cannot be read: {}", system_text(errno));
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

std::string File::text(uint64_t limit) const {
  if (size() > limit) fail(TN_OUT_OF_RANGE, "has {} bytes, the limit is {}", size(), limit);
  std::string text(size(), '\0');
  text.resize(read(text.data(), text.size(), 0));
  return text;
}

}  // namespace tenon
