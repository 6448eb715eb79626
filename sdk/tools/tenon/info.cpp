// tenon info FILE.
#include <cstdio>

#include "explain.hpp"
#include "table.hpp"

namespace tenon::cli {
namespace {

std::string dims_text(const tn_model_entry& e) {
  std::string text = "[";
  for (uint32_t i = 0; i < e.rank; ++i) text += (i ? ", " : "") + std::to_string(e.dims[i]);
  return text + "]";
}

Json to_json(const Model& model) {
  Json tensors = Json::array(), metadata = Json::object();
  for (const tn_model_entry& e : model.entries())
    tensors.push_back({{"name", to_view(e.name)},
                       {"dtype", tn_dtype_name(e.dtype)},
                       {"dims", std::vector<int64_t>(e.dims, e.dims + e.rank)},
                       {"bytes", e.bytes}});
  for (const auto& [key, value] : model.metadata()) metadata[std::string(key)] = value;
  return {{"format", model.format()}, {"tensors", tensors}, {"metadata", metadata}};
}

}  // namespace

int info(const Runtime& runtime, const std::string& file, bool json) {
  const Model model(runtime, file);
  if (json) {
    const Json list = Json::array({to_json(model)});
    std::puts(list.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return 0;
  }
  uint64_t bytes = 0;
  Table tensors({"tensor", "dtype", "dims", "bytes"});
  for (const tn_model_entry& e : model.entries()) {
    bytes += e.bytes;
    tensors.add({{printable(to_view(e.name)), Style::bold},
                 {tn_dtype_name(e.dtype)},
                 {dims_text(e)},
                 {std::to_string(e.bytes)}});
  }
  std::string title = printable(file) + ": " + printable(model.format()) + ", " +
                      std::to_string(model.entries().size()) +
                      (model.entries().size() == 1 ? " tensor, " : " tensors, ") +
                      bytes_text(bytes);
  for (const std::string& line : wrap(title, terminal_width())) std::puts(line.c_str());
  std::fputs(tensors.text().c_str(), stdout);
  constexpr size_t kShown = 160;  // of a long value
  Table metadata({"metadata", "value"});
  for (const auto& [key, value] : model.metadata())
    metadata.add({{printable(key)},
                  {printable(value.substr(0, kShown)) + (value.size() > kShown ? " ..." : "")}});
  if (!model.metadata().empty()) std::printf("\n%s", metadata.text().c_str());
  return 0;
}

}  // namespace tenon::cli
