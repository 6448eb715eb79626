/* Tenon: base types of the C ABI: dtypes, strings, errors, attributes, views.
 * Part of the application tier; include <tenon/tenon.h>.
 *
 * Rules that hold for every function of this ABI, stated here once:
 *  - A fallible function returns tn_error*; NULL means success. On failure no out-parameter is touched.
 *    The caller owns the error and frees it with tn_error_release.
 *  - Ownership is in the verb: create / retain / take give a reference that the caller must release;
 *    get lends (valid as long as the object it came from); find lends and may give NULL without error.
 *  - Strings go in as pointer + length (tn_str, UTF-8) and are copied by the receiver.
 *  - release functions accept NULL, never fail, never block, and work from any thread.
 *  - No other pointer may be NULL unless its function says so; a fallible function answers with INVALID_ARGUMENT. An array
 *    may be NULL where its count (n, rank, bytes, capacity) is 0, the data of a tn_str where its size is.
 */
#ifndef TENON_BASE_H_
#define TENON_BASE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define TN_EXTERN_C_BEGIN extern "C" {
#define TN_EXTERN_C_END }
#else
#define TN_EXTERN_C_BEGIN
#define TN_EXTERN_C_END
#endif

#if defined(_WIN32)
#define TN_CALL __cdecl
#if defined(TENON_BUILDING)
#define TN_API __declspec(dllexport)
#else
#define TN_API __declspec(dllimport)
#endif
#else
#define TN_CALL
#define TN_API __attribute__((visibility("default")))
#endif

#if defined(__GNUC__)
#define TN_INLINE static inline __attribute__((unused))
#else
#define TN_INLINE static inline
#endif

/* The version a program was written for. Define it before including to hide newer declarations. */
#define TN_VERSION_MAKE(major, minor, patch) \
  (((uint32_t)(major) << 22) | ((uint32_t)(minor) << 12) | (uint32_t)(patch))
#define TENON_VERSION TN_VERSION_MAKE(0, 1, 0)
#ifndef TENON_TARGET_VERSION
#define TENON_TARGET_VERSION TENON_VERSION
#endif

TN_EXTERN_C_BEGIN

/* ---- strings ---------------------------------------------------------------------------------- */

/* A borrowed run of UTF-8 bytes, not necessarily NUL-terminated. Frozen. */
typedef struct tn_str {
  const char* data;
  uint64_t size;
} tn_str;

/* A tn_str over a NUL-terminated string; NULL gives the empty string. */
TN_INLINE tn_str tn_string(const char* text) {
  tn_str s;
  s.data = text;
  s.size = 0;
  if (text) {
    while (text[s.size]) ++s.size;
  }
  return s;
}

/* ---- dtypes ----------------------------------------------------------------------------------- */

/* Element type as one number: code | bits << 8 | lanes << 16 (codes as in DLPack). Frozen. */
typedef uint32_t tn_dtype;

#define TN_DTYPE_MAKE(code, bits, lanes) \
  ((tn_dtype)((uint32_t)(code) | ((uint32_t)(bits) << 8) | ((uint32_t)(lanes) << 16)))
#define TN_DTYPE_CODE(t) ((t)&0xffu)
#define TN_DTYPE_BITS(t) (((t) >> 8) & 0xffu)
#define TN_DTYPE_LANES(t) ((t) >> 16)

#define TN_DTYPE_NONE ((tn_dtype)0)
#define TN_DTYPE_I8 TN_DTYPE_MAKE(0, 8, 1)
#define TN_DTYPE_I16 TN_DTYPE_MAKE(0, 16, 1)
#define TN_DTYPE_I32 TN_DTYPE_MAKE(0, 32, 1)
#define TN_DTYPE_I64 TN_DTYPE_MAKE(0, 64, 1)
#define TN_DTYPE_U8 TN_DTYPE_MAKE(1, 8, 1)
#define TN_DTYPE_U16 TN_DTYPE_MAKE(1, 16, 1)
#define TN_DTYPE_U32 TN_DTYPE_MAKE(1, 32, 1)
#define TN_DTYPE_U64 TN_DTYPE_MAKE(1, 64, 1)
#define TN_DTYPE_F16 TN_DTYPE_MAKE(2, 16, 1)
#define TN_DTYPE_F32 TN_DTYPE_MAKE(2, 32, 1)
#define TN_DTYPE_F64 TN_DTYPE_MAKE(2, 64, 1)
#define TN_DTYPE_BF16 TN_DTYPE_MAKE(4, 16, 1)
#define TN_DTYPE_C64 TN_DTYPE_MAKE(5, 64, 1)
#define TN_DTYPE_C128 TN_DTYPE_MAKE(5, 128, 1)
#define TN_DTYPE_BOOL TN_DTYPE_MAKE(6, 8, 1)
/* Stored, copied, cast and exchanged; not computed on. */
#define TN_DTYPE_F8E4M3 TN_DTYPE_MAKE(10, 8, 1)
#define TN_DTYPE_F8E5M2 TN_DTYPE_MAKE(12, 8, 1)
/* The same, two to a byte, the first in the low half; always dense, as one whole. */
#define TN_DTYPE_I4 TN_DTYPE_MAKE(0, 4, 1)
#define TN_DTYPE_U4 TN_DTYPE_MAKE(1, 4, 1)

/* Bytes of `count` densely packed elements. */
TN_INLINE uint64_t tn_dtype_bytes(tn_dtype dtype, uint64_t count) {
  return (TN_DTYPE_BITS(dtype) * TN_DTYPE_LANES(dtype) * count + 7u) / 8u;
}

#define TN_MAX_RANK 8

/* ---- views ------------------------------------------------------------------------------------ */

/* What a kernel sees of a tensor. Frozen at 48 bytes (64-bit targets).
 * Element (i0, i1, ...) lies at byte offset + (i0*strides[0] + i1*strides[1] + ...) * element size from mem.
 * A stride is in elements and may be 0 (broadcast) or negative (flip). */
typedef struct tn_view {
  uint64_t mem;           /* address on addressable host memory, else the device's opaque handle */
  uint64_t offset;        /* bytes from mem to element (0, 0, ...) */
  const int64_t* dims;    /* rank entries */
  const int64_t* strides; /* rank entries, in elements */
  int64_t count;          /* product of dims */
  tn_dtype dtype;
  uint8_t rank;
  uint8_t flags;     /* TN_VIEW_... */
  uint16_t reserved; /* 0 */
} tn_view;

#define TN_VIEW_CONTIGUOUS 1u /* dense row-major */
#define TN_VIEW_IMMEDIATE \
  2u /* a host scalar: the element's bytes are the first bytes of `mem` itself */
#define TN_VIEW_ABSENT 4u /* an optional input that was not given: read nothing else */
#define TN_VIEW_WEAK 8u   /* weakly typed scalar: takes part in promotion by kind only */

/* ---- attributes ------------------------------------------------------------------------------- */

#define TN_ATTR_I64 1u
#define TN_ATTR_F64 2u
#define TN_ATTR_BOOL 3u
#define TN_ATTR_STRING 4u
#define TN_ATTR_BYTES 5u
#define TN_ATTR_DTYPE 6u
#define TN_ATTR_I64S 7u
#define TN_ATTR_F64S 8u
#define TN_ATTR_TENSOR 9u
#define TN_ATTR_PROGRAM 10u
#define TN_ATTR_HANDLE 11u

/* One attribute of an op call. Frozen. `key` is the attribute's ordinal in the op's schema; a call's
 * attributes are sorted by key; an absent one has its default. Scalars live in `bits` (f64: its bit
 * pattern); lists, strings and bytes have their element count in `bits` and their data at `data`. */
typedef struct tn_attr {
  uint32_t key;
  uint32_t tag;
  uint64_t bits;
  const void* data;
} tn_attr;

TN_INLINE tn_attr tn_attr_i64(uint32_t key, int64_t value) {
  tn_attr a;
  a.key = key, a.tag = TN_ATTR_I64, a.bits = (uint64_t)value, a.data = NULL;
  return a;
}
TN_INLINE tn_attr tn_attr_bool(uint32_t key, int32_t value) {
  tn_attr a;
  a.key = key, a.tag = TN_ATTR_BOOL, a.bits = value ? 1u : 0u, a.data = NULL;
  return a;
}
TN_INLINE tn_attr tn_attr_dtype(uint32_t key, tn_dtype value) {
  tn_attr a;
  a.key = key, a.tag = TN_ATTR_DTYPE, a.bits = value, a.data = NULL;
  return a;
}
TN_INLINE tn_attr tn_attr_f64(uint32_t key, double value) {
  tn_attr a;
  uint64_t bits = 0;
  const unsigned char* from = (const unsigned char*)&value;
  unsigned char* to = (unsigned char*)&bits;
  for (int i = 0; i < 8; ++i) to[i] = from[i];
  a.key = key, a.tag = TN_ATTR_F64, a.bits = bits, a.data = NULL;
  return a;
}
TN_INLINE tn_attr tn_attr_i64s(uint32_t key, const int64_t* values, uint64_t n) {
  tn_attr a;
  a.key = key, a.tag = TN_ATTR_I64S, a.bits = n, a.data = values;
  return a;
}
TN_INLINE tn_attr tn_attr_f64s(uint32_t key, const double* values, uint64_t n) {
  tn_attr a;
  a.key = key, a.tag = TN_ATTR_F64S, a.bits = n, a.data = values;
  return a;
}
TN_INLINE tn_attr tn_attr_string(uint32_t key, tn_str value) {
  tn_attr a;
  a.key = key, a.tag = TN_ATTR_STRING, a.bits = value.size, a.data = value.data;
  return a;
}
/* The value of a TN_ATTR_F64 attribute. */
TN_INLINE double tn_attr_get_f64(const tn_attr* a) {
  double value = 0;
  const unsigned char* from = (const unsigned char*)&a->bits;
  unsigned char* to = (unsigned char*)&value;
  for (int i = 0; i < 8; ++i) to[i] = from[i];
  return value;
}

/* A named option: what optimizers, schedules, formats, plugins and devices are configured with. Frozen.
 * `value.key` is ignored. */
typedef struct tn_option {
  tn_str name;
  tn_attr value;
} tn_option;

TN_INLINE tn_option tn_option_f64(const char* name, double value) {
  tn_option o;
  o.name = tn_string(name), o.value = tn_attr_f64(0, value);
  return o;
}
TN_INLINE tn_option tn_option_i64(const char* name, int64_t value) {
  tn_option o;
  o.name = tn_string(name), o.value = tn_attr_i64(0, value);
  return o;
}
TN_INLINE tn_option tn_option_bool(const char* name, int32_t value) {
  tn_option o;
  o.name = tn_string(name), o.value = tn_attr_bool(0, value);
  return o;
}
TN_INLINE tn_option tn_option_string(const char* name, const char* value) {
  tn_option o;
  o.name = tn_string(name), o.value = tn_attr_string(0, tn_string(value));
  return o;
}

/* How exactly products of f32 are computed: matmul, convolutions, attention, recurrent layers and their gradients. Sums are f32 or
 * better in each. */
typedef uint32_t tn_precision;
#define TN_PRECISION_HIGHEST 0u /* as products of f32 (the default) */
#define TN_PRECISION_HIGH \
  1u /* about 1e-5 of a product: operands as sums of two bf16 numbers, say */
#define TN_PRECISION_MEDIUM 2u /* about 4e-3 of a product: operands rounded to bf16, say */

/* ---- errors ----------------------------------------------------------------------------------- */

typedef uint32_t tn_code;
#define TN_OK 0u
#define TN_INVALID_ARGUMENT 1u /* wrong dtype, rank, shape, attribute, pointer */
#define TN_NOT_FOUND 2u        /* no such device, op, plugin, file, name */
#define TN_ALREADY_EXISTS 3u   /* duplicate id or name */
#define TN_OUT_OF_MEMORY \
  4u /* host or device; the message says which, how much, and what is in use */
#define TN_UNIMPLEMENTED 5u       /* no kernel, or an optional slot that the plugin leaves out */
#define TN_FAILED_PRECONDITION 6u /* right call at the wrong time (tape freed, wrong context) */
#define TN_OUT_OF_RANGE 7u        /* index or size outside its bounds, integer overflow */
#define TN_PERMISSION_DENIED 8u   /* trust policy, file permissions */
#define TN_DATA_LOSS 9u           /* damaged or truncated file */
#define TN_DEVICE_FAILED 10u /* execution failed; the timeline is poisoned until tn_ctx_recover */
#define TN_DEADLINE_EXCEEDED 11u
#define TN_CANCELLED 12u
#define TN_SHUTDOWN 13u     /* the runtime was shut down */
#define TN_FORKED 14u       /* called in a forked child */
#define TN_INCOMPATIBLE 15u /* versions or layouts do not fit */
#define TN_IO 16u           /* the operating system refused a read, write, open, map */
#define TN_INTERNAL 17u     /* a bug in Tenon or in a plugin */

/* Immutable; may be read from any thread. Allocated by the host, so it outlives the plugin it came from. */
typedef struct tn_error tn_error;

/* Makes an error, for callbacks of an application. `message` is copied. Never NULL: without memory it is the
 * static out-of-memory error. */
TN_API tn_error* TN_CALL tn_error_create(tn_code code, tn_str message);
TN_API void TN_CALL tn_error_release(tn_error* error);
TN_API tn_code TN_CALL tn_error_code(const tn_error* error);
/* Borrowed, NUL-terminated, valid until the error is released; "" where there is none. */
TN_API const char* TN_CALL tn_error_message(const tn_error* error);
TN_API const char* TN_CALL tn_error_op(const tn_error* error);
TN_API const char* TN_CALL tn_error_device(const tn_error* error);
TN_API const char* TN_CALL tn_error_plugin(const tn_error* error);
/* The error that led to this one, borrowed, or NULL. */
TN_API const tn_error* TN_CALL tn_error_get_cause(const tn_error* error);
/* 1 when the same call may succeed later without a change (memory pressure, deadline). */
TN_API int32_t TN_CALL tn_error_retryable(const tn_error* error);
/* "INVALID_ARGUMENT" and the like; static. */
TN_API const char* TN_CALL tn_code_name(tn_code code);

/* Returns the error of a failing call from the enclosing function. */
#define TN_TRY(call)                         \
  do {                                       \
    tn_error* tn_try_error_ = (call);        \
    if (tn_try_error_) return tn_try_error_; \
  } while (0)

/* "f32" and the like; static; "?" for an unknown dtype. */
TN_API const char* TN_CALL tn_dtype_name(tn_dtype dtype);
/* The dtype of a name as tn_dtype_name gives it, TN_DTYPE_NONE if there is none. */
TN_API tn_dtype TN_CALL tn_dtype_find(tn_str name);

/* Version of the library that runs (TN_VERSION_MAKE), which may be newer than TENON_VERSION. */
TN_API uint32_t TN_CALL tn_version(void);

/* Texts come back into a buffer of the caller, NUL-terminated and cut to `capacity`; *out_size, where not NULL,
 * receives the full size without the NUL. With capacity 0, `buffer` may be NULL. */

TN_EXTERN_C_END
#endif
