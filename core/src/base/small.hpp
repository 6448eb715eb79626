// An array whose first N elements need no allocation.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>

namespace tenon {

template <class T, size_t N>
class Small {
 public:
  explicit Small(size_t n) : Small(n, nullptr) { std::fill_n(data_, n, T()); }
  // Begins with n elements of `from`; beyond them, up to `all`, blank ones.
  Small(const T* from, size_t n, size_t all) : Small(all, nullptr) {
    std::fill(std::copy_n(from, n, data_), data_ + all, T());
  }
  Small(const T* from, size_t n) : Small(from, n, n) {}
  Small(const Small&) = delete;
  T& operator[](size_t i) { return data_[i]; }
  T* data() { return data_; }
  size_t size() const { return size_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  Small(size_t n, std::nullptr_t) : size_(n), data_(inline_) {
    if (n > N) {
      heap_.reset(new T[n]);
      data_ = heap_.get();
    }
  }

  size_t size_;
  T* data_;
  T inline_[N];
  std::unique_ptr<T[]> heap_;
};

}  // namespace tenon
