// Regions: elementwise ops in one, run block by block so that what lies between them stays in L1; reductions read it there.
#ifndef TENON_CPU_REGION_HPP_
#define TENON_CPU_REGION_HPP_
#include <vector>

#include "reduce.hpp"
#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {

inline constexpr int kRegionInputs = 24;
inline constexpr int64_t kRegionScratch = 64 << 10;  // bytes of a thread for blocks
inline constexpr int64_t kRegionItems = 64 << 10;    // and for what reductions read
inline constexpr int64_t kRegionRun = 4096;          // elements that they read at a time, at least
inline constexpr int kRegionFolds = 4;
inline constexpr size_t kRegionValues = 256;

// Where a value is while a block is computed.
enum class Lies : uint8_t {
  kUniform,  // one element, the same for the whole part: an input's, a constant or computed
  kDense,    // an input that lies as the outputs do
  kGather,   // an input that is gathered into a block
  kBlock,    // a block of the thread's scratch
  kOutput,   // straight in the output
  kItems,    // a run of elements in the thread's scratch, for reductions
};

struct RegionValue {
  Lies where = Lies::kUniform;
  tn_dtype dtype = TN_DTYPE_F32;
  int32_t bytes = 0;   // of an element
  int32_t input = -1;  // of the kernel, or output
  int32_t output = -1;
  int64_t scratch = -1;  // offset in the thread's scratch
  uint64_t bits = 0;     // of a constant
  bool constant = false;
};

// One op on n elements, or on one where it is uniform.
struct RegionStep {
  tn_op op;
  Elementwise kernel;
  int32_t args[3] = {0, 0, 0};  // those that it has not: any
  int32_t value;                // that it makes
  uint32_t scalars;
  bool converts;
};

// Of a chain (region_chain.cpp): takes four vectors of elements from i on, and calls the next link with what it made of them.
struct RegionLink;
using LinkFunction = void (*)(const RegionLink* link, char* const* at, int64_t i, F32, F32, F32,
                              F32);
struct RegionLink {
  LinkFunction run;
  int32_t value;  // the operand in memory
};
// Steps begin .. end: a chain of links from `link` on, or one by one where that is -1.
struct RegionStretch {
  int32_t begin, end, link;
};

// A reduction of a value into an output.
struct RegionFold {
  const Reduction* kernel;
  int32_t value, output;
};

struct RegionPlan {
  explicit RegionPlan(const Device& d) : device(d) {}
  const Device& device;
  int n_inputs = 0, n_outputs = 0;
  int64_t n = 0;
  int64_t block = 0, block_bytes = 0;  // elements; room for them in the widest dtype
  float ns = 0;                        // of one
  std::vector<RegionValue> values;
  std::vector<RegionStep> uniform, steps;
  std::vector<RegionStretch> stretches;  // of steps; none: one by one
  std::vector<RegionLink> links;
  std::vector<int> moving;   // values whose place changes from block to block
  std::vector<int> outputs;  // values that are outputs
  std::vector<int> items;    // values that reductions alone read
  std::vector<RegionFold> folds;
  // The dims, row-major, as three axes; folded are the first and the last, or (columns) the middle one.
  int64_t outer = 1, middle = 1, inner = 1;
  bool columns = false;
  int64_t room = 0;       // for elements of each value that reductions alone read
  int64_t converted = 0;  // offset of four blocks for conversions
  bool rows = false;      // row by row along the innermost axis
  Walk<kRegionInputs> walk;
};

// The steps of a code, with a place for each value. Not null: why not, a literal.
const char* plan_region(const tn_signature& sig, RegionPlan& plan);

// What one thread does of a run.
class RegionPart {
 public:
  // scratch: kRegionScratch bytes, and kRegionItems more where there are reductions.
  RegionPart(const RegionPlan& p, const tn_view* const* args, bool stream, char* scratch);
  // What is the same for all elements.
  void uniform();
  // Elements begin..end of a row; of all outputs where row is -1.
  void run(int64_t begin, int64_t end, int64_t row);
  void row(int64_t row);
  // Elements first..first + n of all; what reductions read of the first of them lies at `at` in the runs for them.
  void span(int64_t first, int64_t n, int64_t at);
  // Elements first .. first + n of all outputs, with value 0 at `made`.
  void piece(int64_t first, int64_t n, const char* made);
  // Element `first`, at the begin of the runs, of what a reduction reads.
  const char* items(const RegionFold& f, int64_t first) const;

 private:
  void block(int64_t i, int64_t n, int64_t row);
  void steps(int64_t n);
  char* place(int value, int64_t first) const;

  const RegionPlan& p_;
  const tn_view* const* args_;
  bool stream_;
  char* scratch_;
  int64_t first_item_ = 0;
  char* at_[kRegionValues];  // where each value is now
  char* start_[kRegionInputs];
  int64_t row_ = -1;
  const char* made_ = nullptr;  // value 0 of element made_first_ of the row
  int64_t made_first_ = 0;
};

// A run of a plan with reductions.
tn_error* run_folds(const RegionPlan& p, const tn_view* const* args);

// A region over what another kernel makes, piece by piece: value 0 is what that makes, of the dims of the output.
struct Epilogue {
  explicit Epilogue(const Device& device) : region(device) {}
  RegionPlan region;
  int first = 0,
      result = 0;  // the region's other inputs and its output among the kernel's arguments
};

// Of an op whose inputs from `first` on are the region's, and which makes `dtype`. Not null: why not, a literal.
const char* plan_epilogue(const tn_signature& sig, uint32_t first, tn_dtype dtype, Epilogue& out);

// Output elements `at` .. `at + n` in rows `row` elements apart, from rows of values 0 that are `from_row` apart. `from` may be the output
// itself where the dtypes are the same.
struct Piece {
  const char* from;
  int64_t from_row;
  int64_t at, row;
  int64_t rows, n;
};
void run_epilogue(const Epilogue& e, const tn_view* const* args, const Piece& piece);

}  // namespace tenon::cpu::CPU_ISA

#endif
