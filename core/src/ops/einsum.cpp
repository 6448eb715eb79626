// einsum: sums of products named by an equation, in the language of numpy. The operands are taken
// together from left to right; what the rest does not need is summed as early as it can be.
#include <algorithm>
#include <vector>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {
namespace {

// ---- the equation

// A label is a number: letters in the order of their codes, then the axes of an ellipsis, of which
// the last one is the last label.
constexpr uint32_t kLetters = 52, kLabels = kLetters + TN_MAX_RANK;
constexpr size_t kShown = 120;  // of an equation in an error
using Labels = Dims;            // one per axis

uint64_t bit(int64_t label) { return uint64_t{1} << label; }
uint64_t set_of(const Labels& labels) {
  uint64_t set = 0;
  for (const int64_t l : labels) set |= bit(l);
  return set;
}
int64_t label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}
std::string name_of(int64_t label) {
  if (label >= kLetters) return fmt::format("axis {} of '...'", label - int64_t{kLabels});
  return fmt::format("'{}'", static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26));
}

// What stands between commas: letters, and where the ellipsis is among them.
struct Term {
  Labels letters;
  int64_t ellipsis = -1;
  size_t place = 0;  // in the equation
};

struct Equation {
  std::vector<Labels> inputs;
  Labels output;
};

class Parser {
 public:
  Parser(std::string_view text, std::span<const uint32_t> ranks) : text_(text), ranks_(ranks) {}

  // False: `fault` says what is wrong, and where.
  bool parse(Equation* out) {
    if (!read()) return false;
    const size_t operands = terms_.size() - (arrow_ ? 1 : 0);
    if (operands != ranks_.size())
      return wrong(text_.size(),
                   fmt::format("it names {} operands, {} are given", operands, ranks_.size()));
    uint32_t widest = 0;  // of what ellipses stand for
    bool any = false;
    for (size_t i = 0; i < operands; ++i) {
      const Term& t = terms_[i];
      if (t.ellipsis < 0 ? t.letters.n != ranks_[i] : t.letters.n > ranks_[i])
        return wrong(t.place, fmt::format("{} labels for operand {}, which has rank {}",
                                          t.letters.n, i, ranks_[i]));
      const uint32_t axes = ranks_[i] - t.letters.n;
      any = any || t.ellipsis >= 0;
      widest = std::max(widest, axes);
      out->inputs.push_back(expanded(t, axes));
    }
    return arrow_ ? named(widest, *out) : implied(any ? widest : 0, *out);
  }
  const std::string& fault() const { return fault_; }

 private:
  bool wrong(size_t place, const std::string& what) {
    fault_ = fmt::format("equation '{}', at {}: {}", text_.substr(0, kShown), place, what);
    return false;
  }

  bool read() {
    terms_.emplace_back();
    for (size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      Term& t = terms_.back();
      if (c == ' ') continue;
      if (c == ',' && !arrow_) {
        terms_.emplace_back().place = i + 1;
      } else if (c == '-' && !arrow_ && text_.substr(i, 2) == "->") {
        arrow_ = true;
        terms_.emplace_back().place = ++i + 1;
      } else if (c == '.' && t.ellipsis < 0 && text_.substr(i, 3) == "...") {
        t.ellipsis = t.letters.n;
        i += 2;
      } else if (label_of(c) >= 0) {
        if (t.letters.n == TN_MAX_RANK)
          return wrong(i, fmt::format("more than {} labels in one term", TN_MAX_RANK));
        t.letters.push(label_of(c));
      } else {
        return wrong(i, fmt::format("'{}' has no meaning here", c));
      }
    }
    return true;
  }

  static Labels expanded(const Term& t, uint32_t axes) {
    Labels out;
    for (uint32_t k = 0; k <= t.letters.n; ++k) {
      if (k == t.ellipsis)
        for (uint32_t a = 0; a < axes; ++a) out.push(kLabels - axes + a);
      if (k < t.letters.n) out.push(t.letters[k]);
    }
    return out;
  }

  // Behind an arrow.
  bool named(uint32_t widest, Equation& out) {
    const Term& t = terms_.back();
    uint64_t known = 0, seen = 0;
    for (const Labels& labels : out.inputs) known |= set_of(labels);
    for (const int64_t l : t.letters) {
      if (!(known & bit(l)))
        return wrong(t.place, fmt::format("{} stands in no operand", name_of(l)));
      if (seen & bit(l))
        return wrong(t.place, fmt::format("{} stands twice in the result", name_of(l)));
      seen |= bit(l);
    }
    if (widest > 0 && t.ellipsis < 0)
      return wrong(t.place, "the result needs '...' for the axes that it stands for");
    return fits(t.place, t.letters.n + widest, expanded(t, widest), out);
  }
  // Without one: the axes of ellipses, then the letters that stand once, in order.
  bool implied(uint32_t widest, Equation& out) {
    uint64_t once = 0, more = 0;
    for (const Labels& labels : out.inputs)
      for (const int64_t l : labels) {
        more |= once & bit(l);
        once |= bit(l);
      }
    Labels result;
    uint32_t n = widest;
    for (uint32_t a = 0; a < widest; ++a) result.push(kLabels - widest + a);
    for (uint32_t l = 0; l < kLetters; ++l)
      if (once & ~more & bit(l)) result.push(l), ++n;
    return fits(text_.size(), n, result, out);
  }
  bool fits(size_t place, uint32_t n, const Labels& labels, Equation& out) {
    if (n > TN_MAX_RANK)
      return wrong(place,
                   fmt::format("a result of rank {}; at most {} is possible", n, TN_MAX_RANK));
    out.output = labels;
    return true;
  }

  std::string_view text_;
  std::span<const uint32_t> ranks_;
  std::vector<Term> terms_;
  bool arrow_ = false;
  std::string fault_;
};

// ---- dtype and shape rule

tn_error* einsum_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(c.common_all(kNumber, &t));
  std::vector<uint32_t> ranks;
  for (uint32_t i = 0; i < c.count(); ++i) ranks.push_back(c.rank(i));
  const std::string_view text = c.string(TN_EINSUM_EQUATION);
  Parser parser(text, ranks);
  Equation e;
  if (!parser.parse(&e)) return c.error("{}", parser.fault());
  int64_t sizes[kLabels], own[kLabels];  // of all operands, of one
  std::fill_n(sizes, kLabels, 1);
  for (uint32_t i = 0; i < c.count(); ++i) {
    uint64_t seen = 0;
    for (uint32_t a = 0; a < c.rank(i); ++a) {
      const int64_t l = e.inputs[i][a], size = c.dim(i, a), before = sizes[l];
      const bool again = (seen & bit(l)) != 0, fits = !again || !c.differ(own[l], size);
      sizes[l] = fits ? c.broadcast_dim(again ? own[l] : before, size) : -1;
      if (again && fits) sizes[l] = before;
      if (sizes[l] == -1)
        return c.error("equation '{}': {} is {} along axis {} of operand {}, {}, and {} before",
                       text.substr(0, kShown), name_of(l), dim_text(size), a, i, c.text(i),
                       dim_text(before));
      own[l] = size;
      seen |= bit(l);
    }
  }
  Dims to;
  for (const int64_t l : e.output) to.push(sizes[l]);
  TN_TRY(c.check_count(to));
  return c.out(0, t, to);
}

// ---- decomposition

// An operand, or the product of some: no label stands twice.
struct Part {
  Value v;
  Labels labels;
};

uint32_t place_of(const Labels& labels, int64_t label) {
  uint32_t a = 0;
  while (a < labels.n && labels[a] != label) ++a;
  return a;
}
// Those of `labels` that are in `set`, behind what is in `out`.
void append(Labels& out, const Labels& labels, uint64_t set) {
  for (const int64_t l : labels)
    if (set & bit(l)) out.push(l);
}

Value moved(const Part& p, const Labels& order) {
  Dims perm;
  bool same = true;
  for (const int64_t l : order) {
    perm.push(place_of(p.labels, l));
    same = same && perm[perm.n - 1] == perm.n - 1;
  }
  return same ? p.v : transpose(p.v, perm);
}

Part with_diagonals(Part p) {
  for (uint32_t i = 0; i < p.labels.n; ++i) {
    uint32_t k = i + 1;
    while (k < p.labels.n && p.labels[k] != p.labels[i]) ++k;
    if (k == p.labels.n) continue;
    Labels rest;
    Dims perm;
    for (uint32_t a = 0; a < p.labels.n; ++a)
      if (a != i && a != k) perm.push(a), rest.push(p.labels[a]);
    rest.push(p.labels[i]);
    perm.push(i);
    perm.push(k);
    const Value last = transpose(p.v, perm);
    p = {{last.b(), tn_b_diagonal(last.b(), last.v(), 0)}, rest};
    i = UINT32_MAX;  // from the front again
  }
  return p;
}

// Without the labels that are not in `keep`.
Part summed(const Part& p, uint64_t keep) {
  uint32_t axes = 0;
  Labels rest;
  for (uint32_t a = 0; a < p.labels.n; ++a) {
    if (keep & bit(p.labels[a])) {
      rest.push(p.labels[a]);
    } else {
      axes |= 1u << a;
    }
  }
  if (axes == 0) return p;
  const Value v = wide(p.v);
  return {cast(sum(v, axes, false), v.dtype()), rest};
}

// x without the axes of one element where y has more: there it is the same for all.
Part unstretched(const Recipe& b, const Part& x, const Part& y) {
  uint32_t axes = 0;
  Labels rest;
  for (uint32_t a = 0; a < x.labels.n; ++a) {
    const uint32_t k = place_of(y.labels, x.labels[a]);
    if (k < y.labels.n && b.same(x.v.dim(a), 1) && !b.same(y.v.dim(k), 1)) {
      axes |= 1u << a;
    } else {
      rest.push(x.labels[a]);
    }
  }
  return {squeeze(x.v, axes), rest};
}

Part multiplied(const Part& x, const Part& y, const Labels& labels) {
  const auto spread = [&](const Part& p) {
    Labels order;
    append(order, labels, set_of(p.labels));
    uint32_t missing = 0;
    for (uint32_t a = 0; a < labels.n; ++a)
      if (place_of(p.labels, labels[a]) == p.labels.n) missing |= 1u << a;
    return unsqueeze(moved(p, order), missing);
  };
  return {spread(x) * spread(y), labels};
}

// x y, summed over the labels of both that are not in `keep`.
Part contracted(const Recipe& b, Part x, Part y, uint64_t keep) {
  const Part narrow = unstretched(b, x, y);
  y = unstretched(b, y, x);
  x = summed(narrow, keep | set_of(y.labels));
  y = summed(y, keep | set_of(x.labels));
  const uint64_t in_x = set_of(x.labels), in_y = set_of(y.labels), inner = in_x & in_y & ~keep;
  Labels batch, sums, rows, columns, result;
  append(batch, x.labels, in_y & keep);
  append(sums, x.labels, inner);
  append(rows, x.labels, ~in_y);
  append(columns, y.labels, ~in_x);
  if (batch.n + rows.n + columns.n > TN_MAX_RANK) {
    b.fail(TN_UNIMPLEMENTED,
           fmt::format("the product of operands has {} axes on the way; at most {} are possible",
                       batch.n + rows.n + columns.n, TN_MAX_RANK));
    return x;
  }
  for (const Labels* l : {&batch, &rows, &columns}) append(result, *l, ~uint64_t{0});
  if (inner == 0) return multiplied(x, y, result);
  Dims to;
  const auto size = [&](const Part& p, const Labels& labels) {
    Dims dims;
    for (const int64_t l : labels) dims.push(p.v.dim(place_of(p.labels, l)));
    return dims;
  };
  // As [batch, first, second].
  const auto matrix = [&](const Part& p, const Labels& first, const Labels& second) {
    Labels order;
    Dims dims;
    const auto group = [&](const Labels& labels) {
      append(order, labels, ~uint64_t{0});
      dims.push(b.product(size(p, labels).span()));
    };
    if (batch.n > 0) group(batch);
    group(first);
    group(second);
    return reshape(moved(p, order), dims);
  };
  for (const int64_t d : size(x, batch)) to.push(d);
  for (const int64_t d : size(x, rows)) to.push(d);
  for (const int64_t d : size(y, columns)) to.push(d);
  return {reshape(matmul(matrix(x, rows, sums), matrix(y, sums, columns)), to), result};
}

void einsum_of_base(Recipe& b) {
  std::vector<uint32_t> ranks;
  for (uint32_t i = 0; i < b.count(); ++i) ranks.push_back(b.in(i).rank());
  Parser parser(b.string(TN_EINSUM_EQUATION), ranks);
  Equation e;
  if (!parser.parse(&e)) return b.fail(TN_INVALID_ARGUMENT, parser.fault());
  const size_t n = e.inputs.size();
  std::vector<uint64_t> keep(n, set_of(e.output));  // [i]: what is needed after operand i
  for (size_t i = n; i-- > 1;) keep[i - 1] = keep[i] | set_of(e.inputs[i]);
  const tn_dtype t = b.in(0).dtype();
  bool same = true;  // dtypes; they may differ where the gradient is taken
  Part all;
  for (uint32_t i = 0; i < n; ++i) {
    same = same && b.in(i).dtype() == t;
    const Part next = with_diagonals({n > 2 ? wide(b.in(i)) : b.in(i), e.inputs[i]});
    all = i == 0 ? next : contracted(b, all, next, keep[i]);
  }
  const Value y = moved(summed(all, keep[n - 1]), e.output);
  b.set(0, same ? cast(y, t) : y);
}

}  // namespace

const OpRules rules_einsum = {TN_OP_EINSUM, rule<einsum_rule>, recipe<einsum_of_base>, nullptr,
                              nullptr};

}  // namespace tenon::ops
