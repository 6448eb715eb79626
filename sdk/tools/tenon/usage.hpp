// What is wrong with a command line, in the words of this command.
#pragma once
#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace tenon::cli {

// Of an error that `app` gave while it parsed, the help asked for apart.
Usage usage_of(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tenon::cli
