// A host for plugins that are tested without libtenon: services that do the obvious in the calling thread, and errors as plain
// structs. Include it in one source of a program that does not link Tenon::tenon.
#pragma once
#include <tenon/plugin/entry.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

struct tn_error {
  tn_code code;
  std::string message;
};

namespace tenon::test {

inline std::string_view view_of(tn_str s) { return {s.data ? s.data : "", s.data ? s.size : 0}; }

inline tn_error* TN_CALL mock_error(const tn_host*, tn_code code, tn_str message) {
  return new tn_error{code, std::string(view_of(message))};
}

inline tn_host mock_host() {
  tn_host h{};
  h.struct_size = sizeof h;
  h.version = TENON_VERSION;
  h.error = mock_error;
  h.error_release = [](tn_error* e) { delete e; };
  h.error_code = [](const tn_error* e) { return e->code; };
  h.error_message = [](const tn_error* e) { return e->message.c_str(); };
  h.allocate = [](const tn_host*, uint64_t bytes, uint64_t alignment) {
    return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  };
  h.free = [](const tn_host*, void* memory, uint64_t) { std::free(memory); };
  h.log = [](const tn_host*, uint32_t, tn_str) {};
  h.parallel_for = [](const tn_host*, int64_t n, int64_t,
                      void(TN_CALL * body)(void*, int64_t, int64_t), void* user) {
    if (n > 0) body(user, 0, n);
  };
  h.thread_count = [](const tn_host*) -> int32_t { return 1; };
  h.environment = [](const tn_host*, tn_str) { return tn_str{"", 0}; };
  h.find_op = [](const tn_host* host, tn_str, uint32_t, tn_op*) {
    return mock_error(host, TN_NOT_FOUND, {"no op", 5});
  };
  h.fail = [](const tn_host*, tn_timeline*, uint64_t, tn_error* e) { delete e; };
  h.fail_like = [](const tn_host*, tn_timeline*, uint64_t, const tn_timeline*) {};
  return h;
}

// What a call gave back, by value: code TN_OK for success.
struct Outcome {
  tn_code code = TN_OK;
  std::string message;
};
inline Outcome outcome(tn_error* error) {
  if (!error) return {};
  Outcome o{error->code, std::move(error->message)};
  delete error;
  return o;
}

}  // namespace tenon::test
