// TENON_DUMP=DIR: the graph of each program before and after each pass that changed it, as text and for Graphviz:
// DIR/NAME-1-0-captured.txt and .dot, DIR/NAME-1-1-simplify.txt ...; the first number counts what was prepared in this process (a set
// of sizes, the body of a loop, an attempt to stay within a memory budget), the second the files of one. The last, DIR/NAME-1-9-memory.txt,
// has what is overwritten in place and where the rest lies in the arena.
#pragma once
#include <string>

#include "pass.hpp"

namespace tenon {

class Dump {
 public:
  Dump(const PassContext& c, std::string_view program);
  // A file that cannot be written is told once in the log; the program runs all the same.
  void write(const Graph& graph, std::string_view stage);
  void write_memory(const struct Lowered& l, const struct Program& p);

 private:
  std::string next(std::string_view stage);
  void put(const std::string& path, const std::string& text);
  std::string input_text(size_t i) const;
  std::string text_of(const Graph& graph) const;
  std::string dot_of(const Graph& graph) const;
  tn_runtime* runtime_;
  std::string (*input_text_)(const tn_program& p, size_t input);  // may be null
  const tn_program* of_;
  const std::vector<std::string>* notes_;  // of the passes so far; may be null
  std::string program_, device_;
  std::string prefix_;  // empty: not wanted
  int stage_ = 0;
};

}  // namespace tenon
