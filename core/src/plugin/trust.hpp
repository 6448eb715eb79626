// Which plugin files may be opened: TN_TRUST_... of tenon/runtime.h.
#pragma once
#include <string>

#include "plugin/file.hpp"

namespace tenon {

struct TrustPolicy {
  uint32_t kind;          // TN_TRUST_...
  std::string lock_file;  // of TN_TRUST_PINNED: lines "<SHA-256> <file>", # begins a comment
};

// Throws PERMISSION_DENIED, with what to do about it, unless the policy lets `library` in.
//  - safe-owner: the file, its folder and all folders above (after links are followed) belong to root or the effective user, and
//    neither group nor others may write to them. A sticky folder such as /tmp is safe as a folder above, not as the file's own.
//  - pinned: the lock file lists the hash of the file under its name (or a path relative to the lock file). Only where
//    `with_hash`, as it costs a pass over the file.
// The check speaks of an opened file and the loader opens it anew by name: whoever may write to the file or rename in the folder
// in between can still interfere. Safe-owner excludes that; pinned files belong in folders that others cannot write to.
void check_trust(const TrustPolicy& policy, const File& library, bool with_hash);

}  // namespace tenon
