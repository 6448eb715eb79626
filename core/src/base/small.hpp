// An array whose first N elements need no allocation.
#pragma once
#include <cstddef>
#include <memory>

namespace tenon {

template <class T, size_t N>
class Small {
 public:
  explicit Small(size_t n) : size_(n), data_(inline_) {
    if (n > N) {
      heap_.reset(new T[n]());
      data_ = heap_.get();
    } else {
      for (size_t i = 0; i < n; ++i) inline_[i] = T();
    }
  }
  Small(const Small&) = delete;
  T& operator[](size_t i) { return data_[i]; }
  T* data() { return data_; }
  size_t size() const { return size_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  size_t size_;
  T* data_;
  T inline_[N];
  std::unique_ptr<T[]> heap_;
};

}  // namespace tenon
