#include "case.hpp"

#include <fstream>
#include <iterator>
#include <map>

#include "compare.hpp"
#include "mapping.hpp"

namespace tenon::onnx {
namespace {

namespace fs = std::filesystem;
using Values = std::map<std::string, Tensor>;

std::vector<uint8_t> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(in)), {});
  if (!in) throw Malformed(path.filename().string() + ": cannot be read");
  return bytes;
}

// How many files input_0.pb, input_1.pb ... there are.
size_t count_files(const fs::path& folder, const std::string& kind) {
  size_t n = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(folder))
    n += file.path().filename().string().starts_with(kind + "_");
  return n;
}

// A tensor as the model declares it. bf16 is kept in these files as its bits, u16.
Array read_array(const fs::path& path, const Value& value) {
  Array a = read_tensor(read_file(path), path.filename().string());
  if (value.dtype == TN_DTYPE_BF16 && a.dtype == TN_DTYPE_U16) a.dtype = TN_DTYPE_BF16;
  if (a.dtype != value.dtype)
    throw Malformed(path.filename().string() + ": " + tn_dtype_name(a.dtype) +
                    ", but the model says " + tn_dtype_name(value.dtype));
  return a;
}

std::vector<Array> read_arrays(const fs::path& folder, const std::string& kind,
                               const std::vector<Value>& values) {
  std::vector<Array> arrays;
  if (count_files(folder, kind) != values.size())
    throw Malformed(folder.filename().string() + ": not one file for each " + kind);
  for (size_t k = 0; k < values.size(); ++k) {
    if (!values[k].kind.empty()) throw NotApplicable(values[k].kind + " as " + kind);
    arrays.push_back(read_array(folder / (kind + "_" + std::to_string(k) + ".pb"), values[k]));
  }
  return arrays;
}

void run_node(const Context& cx, const Model& model, const Node& node, Values& values) {
  const Mapping* mapping = find_mapping(node.op);
  if (!mapping) throw NotApplicable("op " + node.op + " has no mapping");
  const auto opset = model.opsets.find(node.domain);
  if (opset == model.opsets.end()) throw Malformed("no opset for domain '" + node.domain + "'");
  std::vector<Tensor> inputs;
  for (const std::string& name : node.inputs)
    inputs.push_back(name.empty() ? Tensor() : values.at(name));
  const Call call(cx, node, opset->second, std::move(inputs));
  const Results results = mapping->map(call);
  for (const std::string& name : call.overlooked())
    throw Malformed(node.op + ": the mapping does not look at attribute " + name);
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    if (node.outputs[k].empty()) continue;
    if (k >= results.size() || results[k].empty())
      throw Malformed(node.op + ": the mapping gives no output " + std::to_string(k));
    values[node.outputs[k]] = results[k];
  }
}

Array to_host(const Tensor& t) {
  Array a;
  a.dtype = t.dtype(), a.dims = dims_of(t);
  a.bytes.resize(tn_tensor_bytes(t.get()));
  check(tn_tensor_read(t.context(), t.get(), a.bytes.data(), a.bytes.size()));
  return a;
}

void run_data_set(const Context& cx, const Model& model, const fs::path& folder, Outcome& o) {
  const std::vector<Array> inputs = read_arrays(folder, "input", model.graph.inputs);
  const std::vector<Array> expected = read_arrays(folder, "output", model.graph.outputs);
  Values values;
  for (const auto& [name, array] : model.graph.initializers) values[name] = to_device(cx, array);
  for (size_t k = 0; k < inputs.size(); ++k)
    values[model.graph.inputs[k].name] = to_device(cx, inputs[k]);
  for (const Node& node : model.graph.nodes) run_node(cx, model, node, values);
  for (size_t k = 0; k < expected.size(); ++k) {
    const auto found = values.find(model.graph.outputs[k].name);
    if (found == values.end()) throw Malformed("no node gives output " + std::to_string(k));
    const std::string fault = difference(to_host(found->second), expected[k], o.only_op);
    if (!fault.empty()) throw Malformed("output " + std::to_string(k) + ": " + fault);
    ++o.compared;
  }
}

void run_data_sets(const Context& cx, const fs::path& folder, Outcome& o) {
  const Model model = read_model(read_file(folder / "model.onnx"));
  for (const Node& node : model.graph.nodes) o.ops.insert(node.op);
  if (model.graph.nodes.size() == 1) o.only_op = model.graph.nodes[0].op;
  if (model.graph.outputs.empty()) throw Malformed("the model has no outputs");
  for (size_t k = 0;; ++k) {
    const fs::path set = folder / ("test_data_set_" + std::to_string(k));
    if (!fs::is_directory(set)) {
      if (k == 0) throw Malformed("no test_data_set_0");
      break;
    }
    run_data_set(cx, model, set, o);
  }
}

}  // namespace

Outcome run_case(const Context& cx, const fs::path& folder) {
  Outcome o;
  try {
    run_data_sets(cx, folder, o);
    o.verdict = Verdict::pass;
  } catch (const NotApplicable& reason) {
    o.verdict = Verdict::not_applicable, o.why = reason.what();
  } catch (const std::exception& error) {
    o.why = error.what();
  }
  return o;
}

}  // namespace tenon::onnx
