#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include "base/error.hpp"
#include "tensor.hpp"

namespace tenon {

void Shape::set_dense() {
  if (count() < 0) {
    std::fill_n(strides, TN_MAX_RANK, 0);
    return;
  }
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[i] = step;
    step *= dims[i] > 0 ? dims[i] : 1;
  }
}

// Symbolic sizes come with strides of 0, and so are not. Nothing and single elements are dense whatever their strides: kernels see it the same way, and the flag is part of plan keys.
bool dense_strides(int rank, const int64_t* dims, const int64_t* strides) {
  for (int i = 0; i < rank; ++i)
    if (dims[i] == 0) return true;
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; --i) {
    if (dims[i] != 1 && strides[i] != step) return false;
    step *= dims[i];
  }
  return true;
}

bool Shape::dense() const { return dense_strides(rank, dims, strides); }

Shape shape_of(const tn_view& v) {
  Shape s;
  s.dtype = v.dtype;
  s.rank = v.rank;
  for (int i = 0; i < v.rank; ++i) s.dims[i] = v.dims[i], s.strides[i] = v.strides[i];
  return s;
}

Shape dense_shape(tn_dtype dtype, uint32_t rank, const int64_t* dims) {
  Shape s;
  s.dtype = dtype;
  s.rank = static_cast<uint8_t>(rank);
  for (uint32_t i = 0; i < rank; ++i) s.dims[i] = dims[i];
  s.set_dense();
  return s;
}

tn_view view_of(const Shape& s, const void* data) {
  const uint8_t flags = s.dense() ? TN_VIEW_CONTIGUOUS : 0;
  return {reinterpret_cast<uintptr_t>(data),
          0,
          s.dims,
          s.strides,
          s.count(),
          s.dtype,
          s.rank,
          flags,
          0};
}

std::string shape_text(tn_dtype dtype, int rank, const int64_t* dims) {
  std::string out = tn_dtype_name(dtype);
  out += '[';
  for (int i = 0; i < rank; ++i) {
    if (i) out += ", ";
    out += dims[i] < 0 ? "?" : fmt::format("{}", dims[i]);
  }
  return out += ']';
}

void check_dims(const char* what, tn_dtype dtype, uint32_t rank, const int64_t* dims) {
  if (!dtype_known(dtype)) fail(TN_INVALID_ARGUMENT, "{}: {:#x} is not a dtype", what, dtype);
  if (rank > TN_MAX_RANK)
    fail(TN_INVALID_ARGUMENT, "{}: rank {} is above the limit of {}", what, rank, TN_MAX_RANK);
  if (rank && !dims) fail(TN_INVALID_ARGUMENT, "{}: dims is NULL but rank is {}", what, rank);
  uint64_t bytes = dtype_size(dtype);
  bool empty = false;
  for (uint32_t i = 0; i < rank; ++i) {
    if (dims[i] < 0)
      fail(TN_INVALID_ARGUMENT, "{}: dim {} is {}; a size cannot be negative", what, i, dims[i]);
    if (dims[i] == 0) empty = true;
  }
  for (uint32_t i = 0; i < rank && !empty; ++i) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dims[i]), &bytes) || bytes >> 48)
      fail(TN_OUT_OF_RANGE, "{}: {} has more than 2^48 bytes", what,
           shape_text(dtype, static_cast<int>(rank), dims));
  }
}

namespace {
constexpr size_t kSlots = 1 << 14;
constexpr size_t kWays = 4;
}  // namespace

ShapeTable::ShapeTable() {
  static std::atomic<uint64_t> tables{0};
  next_ = (tables.fetch_add(1, std::memory_order_relaxed) << 40) + 1;
}
ShapeTable::~ShapeTable() { std::free(slots_); }

uint64_t ShapeTable::intern(const tn_device* device, const Shape& s, uint32_t flags) {
  uint64_t h = (static_cast<uint64_t>(s.dtype) << 8 | s.rank) * 0x9e3779b97f4a7c15u ^
               reinterpret_cast<uintptr_t>(device) ^ (static_cast<uint64_t>(flags) << 56);
  for (int i = 0; i < s.rank; ++i) {
    h = (h ^ static_cast<uint64_t>(s.dims[i])) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 32) ^ static_cast<uint64_t>(s.strides[i])) * 0xc4ceb9fe1a85ec53u;
  }
  h ^= h >> 29;
  std::lock_guard lock(mutex_);
  if (!slots_) {
    // Pages of zeros, which cost nothing until they are used: to write them all was half of a start.
    static_assert(TN_DTYPE_NONE == 0 && std::is_trivially_copyable_v<Slot>);
    slots_ = static_cast<Slot*>(std::calloc(kSlots, sizeof(Slot)));
    if (!slots_) throw std::bad_alloc();
  }
  Slot* set = slots_ + (h & (kSlots / kWays - 1)) * kWays;
  Slot* victim = set;
  for (size_t w = 0; w < kWays; ++w) {
    Slot& e = set[w];
    if (e.id && e.hash == h && e.device == device && e.flags == flags && same_layout(e.shape, s))
      return e.id;
    if (e.id < victim->id) victim = &e;
  }
  *victim = Slot{h, next_++, device, s, flags};
  return victim->id;
}

}  // namespace tenon
