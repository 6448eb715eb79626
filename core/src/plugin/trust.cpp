#include "plugin/trust.hpp"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "plugin/sha256.hpp"
#include "tenon/runtime.h"

namespace tenon {
namespace {

constexpr uint64_t kLockFileLimit = 1 << 20;

// `sticky_counts`: a sticky folder is as good as one that others cannot write to.
void check_owner(const char* what, const std::string& path, const struct stat& status,
                 bool sticky_counts = false) {
  const uid_t user = geteuid();
  if (status.st_uid != 0 && status.st_uid != user) {
    fail(TN_PERMISSION_DENIED,
         "the {} {} belongs to user {}, not to root or to user {}, who runs this program (trust "
         "policy safe-owner)",
         what, path, status.st_uid, user);
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !(sticky_counts && (status.st_mode & S_ISVTX))) {
    fail(TN_PERMISSION_DENIED,
         "the {} {} is writable by {} (trust policy safe-owner; chmod go-w would settle it)", what,
         path, status.st_mode & S_IWOTH ? "others" : "its group");
  }
}

// The folder of a file and all above it, up to "/". In a sticky folder only its owner and a name's owner may move that name
// away, and the owner of what is below has been checked; but the first folder must not let others add files either.
void check_folders(const std::string& file) {
  for (std::string below = file, folder; folder != "/"; below = folder) {
    const bool first = folder.empty();
    folder = folder_of(below);
    struct stat status {};
    if (stat(folder.c_str(), &status) != 0)
      fail(TN_PERMISSION_DENIED, "the folder {} cannot be examined", folder);
    check_owner("folder", folder, status, !first);
  }
}

struct Pin {
  std::string hash, file;
};

std::vector<Pin> read_pins(const std::string& path) {
  std::string text;
  try {
    text = File(path).text(kLockFileLimit);
  } catch (const Error& e) {
    if (e.code() == TN_OUT_OF_MEMORY) throw;
    fail(TN_PERMISSION_DENIED, "the lock file {}: {} (trust policy pinned)", path, e.message());
  }
  std::vector<Pin> pins;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1, ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    const std::string hash(line.substr(0, 64));
    const size_t name = line.find_first_not_of(" *", 64);  // as sha256sum writes it
    if (hash.find_first_not_of("0123456789abcdef") != hash.npos || line.size() < 66 ||
        line[64] != ' ' || name == line.npos) {
      fail(TN_PERMISSION_DENIED,
           "the lock file {}, line {}: not \"<SHA-256> <file>\" (trust policy pinned)", path,
           number);
    }
    pins.push_back({hash, std::string(line.substr(name))});
  }
  return pins;
}

std::string hash_of(const File& file) {
  Sha256 hash;
  std::vector<char> chunk(1 << 16);
  uint64_t at = 0;
  while (const size_t n = file.read(chunk.data(), chunk.size(), at))
    hash.add(chunk.data(), n), at += n;
  return hash.finish();
}

void check_pin(const std::string& lock_file, const File& library) {
  if (lock_file.empty()) fail(TN_PERMISSION_DENIED, "no lock file was given (trust policy pinned)");
  const std::string folder = folder_of(real_path(lock_file));
  std::string hash;
  for (const Pin& pin : read_pins(lock_file)) {
    const bool by_name = pin.file.find('/') == pin.file.npos;
    if (by_name ? pin.file != file_name(library.path())
                : real_path(pin.file[0] == '/' ? pin.file : folder + '/' + pin.file) !=
                      library.path()) {
      continue;
    }
    if (hash.empty()) hash = hash_of(library);
    if (hash == pin.hash) return;
  }
  if (hash.empty())
    fail(TN_PERMISSION_DENIED, "is not listed in {} (trust policy pinned)", lock_file);
  fail(TN_PERMISSION_DENIED, "its SHA-256 is {}, which is not the one in {} (trust policy pinned)",
       hash, lock_file);
}

}  // namespace

void check_trust(const TrustPolicy& policy, const File& library, bool with_hash) {
  if (policy.kind == TN_TRUST_SAFE_OWNER) {
    check_owner("file", library.path(), library.status());
    check_folders(library.path());
  }
  if (policy.kind == TN_TRUST_PINNED && with_hash) check_pin(policy.lock_file, library);
  if (policy.kind == TN_TRUST_NONE)
    fail(TN_PERMISSION_DENIED, "plugin files are not opened at all (trust policy none)");
}

}  // namespace tenon
