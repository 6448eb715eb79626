// What the host lends to a plugin (tn_host), as a C++ value. Part of the SDK for plugin authors.
#ifndef TENON_SDK_HOST_HPP_
#define TENON_SDK_HOST_HPP_
#include <tenon/plugin/entry.h>

#include <cstdint>
#include <exception>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenon::sdk {

// A tn_str of any text; constexpr, so that tables of names are constant data.
constexpr tn_str str(std::string_view text) { return {text.data(), text.size()}; }
// The text of a tn_str; valid as long as the tn_str is.
constexpr std::string_view view_of(tn_str s) { return {s.data, static_cast<size_t>(s.size)}; }

// A borrowed tn_host: a pointer, passed by value. Valid until the plugin's close returns. [any]
class Host {
 public:
  constexpr Host() = default;
  constexpr explicit Host(const tn_host* raw) : raw_(raw) {}

  const tn_host* raw() const { return raw_; }

  // A new error, owned by whoever receives it. Never null.
  tn_error* error(tn_code code, std::string_view message) const {
    return raw_->error(raw_, code, str(message));
  }
  // level: TN_LOG_...
  void log(uint32_t level, std::string_view message) const { raw_->log(raw_, level, str(message)); }

  // The value of TENON_<name>, or "".
  std::string_view environment(std::string_view name) const {
    return view_of(raw_->environment(raw_, str(name)));
  }

  // Memory of the embedder's allocator; null when there is none left.
  void* allocate(uint64_t bytes, uint64_t alignment) const {
    return raw_->allocate(raw_, bytes, alignment);
  }
  void free(void* memory, uint64_t bytes) const { raw_->free(raw_, memory, bytes); }

  int32_t thread_count() const { return raw_->thread_count(raw_); }

  // body(begin, end) over disjoint parts of 0..n, each a multiple of `grain` long but for the last, on the lent pool and the
  // calling thread. Returns when all are done. The first exception of a part is thrown on here, when the other parts have ended.
  template <class Body>
  void parallel_for(int64_t n, int64_t grain, Body&& body) const {
    struct Shared {
      std::remove_reference_t<Body>* body;
      std::exception_ptr thrown;
      std::mutex mutex;
    } shared{&body, nullptr, {}};
    raw_->parallel_for(
        raw_, n, grain,
        [](void* user, int64_t begin, int64_t end) {
          auto* s = static_cast<Shared*>(user);
          try {
            (*s->body)(begin, end);
          } catch (...) {
            const std::lock_guard lock(s->mutex);
            if (!s->thrown) s->thrown = std::current_exception();
          }
        },
        &shared);
    if (shared.thrown) std::rethrow_exception(shared.thrown);
  }

  // A command of a queue failed: takes `error` over. See tn_host.fail.
  void fail(tn_timeline* timeline, uint64_t value, tn_error* error) const {
    raw_->fail(raw_, timeline, value, error);
  }
  void fail_like(tn_timeline* timeline, uint64_t value, const tn_timeline* cause) const {
    raw_->fail_like(raw_, timeline, value, cause);
  }

 private:
  const tn_host* raw_ = nullptr;
};

}  // namespace tenon::sdk
#endif
