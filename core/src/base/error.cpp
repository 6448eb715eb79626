#include "error.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace tenon {
namespace {

struct OutOfMemory : tn_error {
  OutOfMemory() {
    code = TN_OUT_OF_MEMORY;
    is_static = true;
    retryable = true;
  }
};

// Storage without a constructor or destructor at load or exit; the object is made on first use and never destroyed. Its message
// fits the small-string buffer of no library for certain, so it is kept apart.
alignas(OutOfMemory) unsigned char oom_storage[sizeof(OutOfMemory)];
std::atomic<int> oom_state{0};  // 0 not made, 1 in making, 2 made
constexpr const char kOutOfMemory[] = "out of host memory";

}  // namespace

tn_error* error_out_of_memory() noexcept {
  int expected = 0;
  if (oom_state.compare_exchange_strong(expected, 1)) {
    new (oom_storage) OutOfMemory();
    oom_state.store(2, std::memory_order_release);
  }
  while (oom_state.load(std::memory_order_acquire) != 2) {
  }
  return reinterpret_cast<tn_error*>(oom_storage);
}

tn_error* error_make(tn_code code, std::string message) noexcept {
  auto* e = new (std::nothrow) tn_error;
  if (!e) return error_out_of_memory();
  e->code = code;
  e->retryable = code == TN_OUT_OF_MEMORY || code == TN_DEADLINE_EXCEEDED || code == TN_CANCELLED;
  e->message = std::move(message);
  return e;
}

tn_error* error_retain(tn_error* e) noexcept {
  if (e && !e->is_static) e->refs.fetch_add(1, std::memory_order_relaxed);
  return e;
}

void error_release(tn_error* e) noexcept {
  while (e && !e->is_static && e->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    tn_error* cause = e->cause;
    delete e;
    e = cause;
  }
}

static tn_error* error_internal(const char* message) noexcept {
  try {
    return error_make(TN_INTERNAL, message);
  } catch (...) {
    return error_out_of_memory();
  }
}

void rethrow_from_plugin(const char* function) {
  try {
    throw;
  } catch (const Error&) {  // which a plugin cannot throw
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    fail(TN_INTERNAL, "threw an exception in {}: {}", function, e.what());
  } catch (...) {
    fail(TN_INTERNAL, "threw an exception in {}", function);
  }
}

tn_error* error_from_exception() noexcept {
  try {
    throw;
  } catch (Error& e) {
    return e.release();
  } catch (const std::bad_alloc&) {
    return error_out_of_memory();
  } catch (const std::exception& e) {
    return error_internal(e.what());
  } catch (...) {
    return error_internal("an unknown exception reached the edge of the library");
  }
}

void fail_with(tn_code code, fmt::string_view format, fmt::format_args args) {
  throw Error(code, fmt::vformat(format, args));
}

void assert_failed(const char* what, const char* file, int line) {
  fail(TN_INTERNAL, "broken invariant: {} ({}:{}). This is a bug in Tenon; please report it.", what,
       file, line);
}

}  // namespace tenon

using namespace tenon;

extern "C" {

tn_error* tn_error_create(tn_code code, tn_str message) {
  try {
    return error_make(code == TN_OK ? TN_INTERNAL : code,
                      std::string(message.data ? message.data : "", message.size));
  } catch (...) {
    return error_out_of_memory();
  }
}
void tn_error_release(tn_error* error) { error_release(error); }
tn_code tn_error_code(const tn_error* e) { return e ? e->code : TN_OK; }
const char* tn_error_message(const tn_error* e) {
  if (!e) return "";
  return e->is_static ? kOutOfMemory : e->message.c_str();
}
const char* tn_error_op(const tn_error* e) { return e ? e->op.c_str() : ""; }
const char* tn_error_device(const tn_error* e) { return e ? e->device.c_str() : ""; }
const char* tn_error_plugin(const tn_error* e) { return e ? e->plugin.c_str() : ""; }
const tn_error* tn_error_get_cause(const tn_error* e) { return e ? e->cause : nullptr; }
int32_t tn_error_retryable(const tn_error* e) { return e && e->retryable; }

const char* tn_code_name(tn_code code) {
  const char* name =
      "OK\0INVALID_ARGUMENT\0NOT_FOUND\0ALREADY_EXISTS\0OUT_OF_MEMORY\0UNIMPLEMENTED\0"
      "FAILED_PRECONDITION\0OUT_OF_RANGE\0PERMISSION_DENIED\0DATA_LOSS\0DEVICE_FAILED\0"
      "DEADLINE_EXCEEDED\0CANCELLED\0SHUTDOWN\0FORKED\0INCOMPATIBLE\0IO\0INTERNAL\0UNKNOWN";
  for (tn_code i = 0; i < std::min<tn_code>(code, TN_INTERNAL + 1); ++i)
    name += std::strlen(name) + 1;
  return name;
}

uint32_t tn_version(void) { return TENON_VERSION; }

}  // extern "C"
