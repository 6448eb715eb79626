// einsum by its definition: a sum over all values of all labels.
#include <algorithm>
#include <cmath>
#include <map>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

// One character per axis. The axes of an ellipsis are called '0' to '7', the last one '7'.
std::string labels_of(std::string term, size_t rank) {
  const size_t dots = term.find("...");
  if (dots == std::string::npos) return term;
  std::string axes;
  for (size_t k = term.size() - 3; k < rank; ++k) axes += static_cast<char>('0' + 8 - (rank - k));
  return term.replace(dots, 3, axes);
}

struct Labelled {
  std::vector<std::string> operands;
  std::string result;
};
Labelled labelled(const Call& call) {
  std::string text = call.attrs.text(TN_EINSUM_EQUATION, "");
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  Labelled out;
  std::string left = text.substr(0, arrow) + ",";
  for (size_t k = 0; k < call.inputs.size(); ++k) {
    out.operands.push_back(labels_of(left.substr(0, left.find(',')), call.in(k).rank()));
    left.erase(0, left.find(',') + 1);
  }
  std::string axes;
  std::map<char, int> times;
  for (const std::string& o : out.operands)
    for (const char c : o) ++times[c];
  for (const auto& [c, n] : times)
    if (c <= '7') axes += c;
  if (arrow != std::string::npos) {
    out.result = text.substr(arrow + 2);
    if (const size_t dots = out.result.find("..."); dots != std::string::npos)
      out.result.replace(dots, 3, axes);
    return out;
  }
  out.result = axes;
  for (const auto& [c, n] : times)
    if (c > '7' && n == 1) out.result += c;
  return out;
}

std::vector<Array> einsum(const Call& call) {
  const Labelled l = labelled(call);
  std::map<char, int64_t> sizes;
  for (size_t k = 0; k < call.inputs.size(); ++k)
    for (size_t a = 0; a < l.operands[k].size(); ++a) {
      int64_t& size = sizes.emplace(l.operands[k][a], 1).first->second;
      if (size == 1) size = call.in(k).dims[a];
    }
  std::string all = l.result;  // the result's labels, then those that are summed over
  for (const auto& [c, n] : sizes)
    if (all.find(c) == std::string::npos) all += c;
  Dims dims, to;
  for (const char c : all) dims.push_back(sizes[c]);
  to.assign(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(l.result.size()));
  Array y(common_dtype(call), to);
  if (y.floating()) y.scale.resize(y.f.size());
  y.terms = std::max<int64_t>(count_of(to) == 0 ? 1 : count_of(dims) / count_of(to), 1);
  const Dims strides = strides_of(to);
  for_each(dims, [&](const Dims& index) {
    double product = 1;
    uint64_t whole = 1;
    for (size_t k = 0; k < call.inputs.size(); ++k) {
      const Array& x = call.in(k);
      Dims at;
      for (size_t a = 0; a < x.rank(); ++a)
        at.push_back(x.dims[a] == 1 ? 0 : index[all.find(l.operands[k][a])]);
      const int64_t place = offset_of(at, strides_of(x.dims));
      if (y.floating())
        product *= x.real(place);
      else
        whole *= static_cast<uint64_t>(x.integer(place));
    }
    const int64_t place = offset_of(
        Dims(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(to.size())), strides);
    if (y.floating()) {
      y.f[static_cast<size_t>(place)] += product;
      y.scale[static_cast<size_t>(place)] += std::fabs(product);
    } else {
      y.set(place, static_cast<int64_t>(static_cast<uint64_t>(y.integer(place)) + whole));
    }
  });
  return {y};
}

}  // namespace

void add_einsum(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_EINSUM, "einsum");
  s.on(kNumbers).gives(einsum, kComposite).gradient(Grad::yes);
  const Fill any = uniform(-2, 2);
  const auto make = [&](const std::string& equation, const std::vector<Dims>& dims) {
    std::vector<Input> inputs;
    for (const Dims& d : dims) inputs.push_back(in(d, any));
    return Case{"'" + equation + "'", inputs, {text(TN_EINSUM_EQUATION, equation)}};
  };
  const auto add = [&](const std::string& equation, const std::vector<Dims>& dims) {
    s.add(make(equation, dims));
  };
  add("ij,jk->ik", {{3, 4}, {4, 2}});
  add("ij,jk", {{3, 4}, {4, 2}});
  add("ji,jk->ki", {{4, 3}, {4, 2}});
  add("ba", {{3, 4}});
  add("ij->", {{3, 4}});
  add("iji->j", {{3, 4, 3}});
  add("ii", {{4, 4}});
  add("iii->i", {{3, 3, 3}});
  add("i,i", {{5}, {5}});
  add("i,j->ji", {{3}, {4}});
  add("ij,ij->ij", {{3, 4}, {3, 4}});
  add("bij,bjk->bik", {{2, 3, 4}, {2, 4, 2}});
  add("abij,bajk->iakb", {{2, 3, 2, 2}, {3, 2, 2, 3}});
  add("ijk,lk->il", {{2, 3, 4}, {2, 4}});
  add("ij,kj,ki->k", {{2, 3}, {4, 3}, {4, 2}});
  add("a,b,c,d->dcba", {{2}, {3}, {2}, {2}});
  add("...ij,...jk->...ik", {{2, 1, 2, 3}, {4, 3, 2}});
  add("...,...", {{2, 3}, {3}});
  add("i...,...i", {{3, 2}, {2, 3}});
  add("...ii->i...", {{2, 3, 3}});
  add(" a b , b -> a ", {{2, 3}, {3}});
  add("aB,Ba", {{2, 3}, {3, 2}});
  add("cA", {{2, 3}});
  add("ij,ij->j", {{1, 4}, {3, 4}});
  add("ij,jk->ik", {{3, 1}, {4, 2}});
  add(",ij->ji", {{}, {2, 3}});
  add("", {{}});
  add("i,i->", {{0}, {0}});
  add("ij,jk->ik", {{0, 3}, {3, 2}});
  s.add(make("ij,jk,kl->il", {{40, 50}, {50, 60}, {60, 30}}).large());
  const auto refuse = [&](const std::string& equation, const std::vector<Dims>& dims,
                          tn_code code = TN_INVALID_ARGUMENT) {
    s.add(make(equation, dims).refused(code).only({TN_DTYPE_F32}));
  };
  refuse("ij,jk", {{3, 4}, {5, 2}});
  refuse("ii", {{3, 1}});
  refuse("ij->ik", {{3, 4}});
  refuse("ij->ii", {{3, 4}});
  refuse("ijk", {{3, 4}});
  refuse("ij", {{3, 4}, {3, 4}});
  refuse("ij,jk", {{3, 4}});
  refuse("i1", {{3, 4}});
  refuse("i.j", {{3, 4}});
  refuse("i....", {{3, 4}});
  refuse("ij>i", {{3, 4}});
  refuse("ij->i->j", {{3, 4}});
  refuse("...i->i", {{3, 4}});
  refuse("abcdefgha", {{2}});
  refuse("abcde,fghij", {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}});
  refuse("abcde,fghij,abcdefghij", {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1}});
  refuse("abcde,fghij,abcdfghi->j", {Dims(5, 1), Dims(5, 1), Dims(8, 1)}, TN_UNIMPLEMENTED);
}

}  // namespace tenon::conformance
