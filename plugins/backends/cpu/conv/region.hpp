// A region over what a convolution gives, computed of each part of it as soon as that is complete, in its place.
#ifndef TENON_CPU_CONV_REGION_HPP_
#define TENON_CPU_CONV_REGION_HPP_
#include <memory>

#include "matmul/region_rows.hpp"

namespace tenon::cpu::CPU_ISA {

struct ConvRegion {
  Epilogue then;
  bool biased = false;  // the convolution has a bias
};
using ConvRegionPtr = std::shared_ptr<const ConvRegion>;  // null: the convolution alone

// The arguments of a run of conv2d, or of conv2d_region.
template <class T>
struct ConvCall {
  ConvCall(const ConvRegionPtr& region, const tn_view* const* args)
      : result_(region ? region->then.result : 3),
        x(input<T>(args[0])),
        w(input<T>(args[1])),
        bias((region ? region->biased : !absent(args[2])) ? input<T>(args[2]) : nullptr),
        y(output<T>(args[result_])),
        workspace(output<char>(args[result_ + 1])),
        done_{region_of_rows<T>, region ? &region->then : nullptr, args} {}
  // What to do with complete rows, or null.
  const RowsDone* done() const { return done_.data ? &done_ : nullptr; }

 private:
  int result_;

 public:
  const T *x, *w, *bias;
  T* y;
  char* workspace;

 private:
  RowsDone done_;
};

}  // namespace tenon::cpu::CPU_ISA
#endif
