// Symbolic dims: interned expressions over named sizes. A dim is an int64: >= 0 concrete, far below -2^62 the id of an
// expression here. So far below 0, no axis and no "from the end" is taken for one.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace tenon {

constexpr int64_t kFirstSymbol = -(int64_t{1} << 62) - 0x7e1075a11ed;
// Of what is far below even them, such as INT64_MIN, no more is a symbol.
inline bool is_symbolic(int64_t dim) {
  return dim <= kFirstSymbol && dim > kFirstSymbol - (int64_t{1} << 52);
}

class SymTable {
 public:
  enum class Kind : uint8_t { kSymbol, kAdd, kSub, kMul, kFloorDiv, kCeilDiv, kMax, kMin };

  int64_t symbol(std::string name);
  // Folds what is concrete, and the identities x+0, x-0, x-x, x*1, x*0, x/1, max(x,x), min(x,x).
  int64_t make(Kind kind, int64_t a, int64_t b);
  // 1 equal, 0 different, -1 unknown. Equal ids are equal; two different expressions may still be equal.
  int equal(int64_t a, int64_t b) const;
  void assume_equal(int64_t a, int64_t b, std::string_view by) { assumed_.emplace_back(a, b, by); }
  void forget_assumed(size_t from) { assumed_.resize(from); }
  const auto& assumed() const { return assumed_; }
  // The values of dims when symbol i (in order of creation) has symbols[i]; these may be symbols of `to`. Each is computed once.
  class Values {
   public:
    Values(const SymTable& table, const std::vector<int64_t>& symbols, SymTable* to)
        : table_(table), symbols_(symbols), to_(to) {}
    int64_t operator()(int64_t dim);

   private:
    const SymTable& table_;
    const std::vector<int64_t>& symbols_;
    SymTable* to_;
    std::vector<int64_t> known_;  // by index; INT64_MIN: not yet
  };
  // Different dims have different texts; of a long one the begin and a number.
  std::string text(int64_t dim) const;
  size_t count() const { return names_.size(); }  // of symbols
  // Is it the id of one here? What is only a large number is not.
  bool has(int64_t dim) const {
    return is_symbolic(dim) && static_cast<uint64_t>(first_ - dim) < exprs_.size();
  }
  // Of a dim that is a symbol itself: its number in order of creation.
  size_t symbol_of(int64_t dim) const { return static_cast<size_t>(exprs_[index(dim)].a); }

 private:
  struct Expr {
    Kind kind;
    int64_t a, b;  // kSymbol: a is the index in names_
  };
  static constexpr size_t kMostText = 120;
  int64_t intern(Expr e);
  size_t index(int64_t dim) const { return static_cast<size_t>(first_ - dim); }
  void append_text(std::string& out, int64_t dim) const;

  // No token of another table is one of this.
  static inline std::atomic<uint32_t> tables_{0};
  int64_t first_ = kFirstSymbol - (int64_t{tables_++} << 20);
  std::vector<Expr> exprs_;
  std::map<std::tuple<Kind, int64_t, int64_t>, int64_t> index_;
  std::vector<std::string> names_;
  std::vector<std::tuple<int64_t, int64_t, std::string_view>> assumed_;  // a, b, by
};

// While it lives, dim_name knows the symbols of a table on this thread.
class SymbolNames {
 public:
  explicit SymbolNames(const SymTable* table);
  ~SymbolNames();
  SymbolNames(const SymbolNames&) = delete;

 private:
  const SymTable* before_;
};
// A number, the text of a symbol, or "?" for one of an unknown table.
std::string dim_name(int64_t dim);

// The same arithmetic on concrete dims; throws OUT_OF_RANGE on overflow and division by zero.
int64_t dim_apply(SymTable::Kind kind, int64_t a, int64_t b);

}  // namespace tenon
