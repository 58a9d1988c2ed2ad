#include "ipnscast/tools/cli/command.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace ipnscast::tools {
namespace {

void print_error(const Context& context, std::string_view code, std::string_view message) {
  std::string line;
  if (context.json) {
    nlohmann::ordered_json object = {{"error", {{"code", code}, {"message", message}}}};
    if (context.displaced > 0) object["displaced"] = context.displaced;
    line = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  } else {
    line = "ipnscast: " + std::string(message);
  }
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

Exit exit_for(const Error& error) {
  switch (error.code) {
    case Errc::invalid:
      return Exit::usage;
    case Errc::timeout:
      return Exit::deadline;
    case Errc::unreachable:
    case Errc::busy:
      return Exit::unreachable;
    default:
      return Exit::no;
  }
}

void report(Context& context, const Error& error) {
  print_error(context, to_string(error.code), error.message);
  context.exit = exit_for(error);
}

void report_usage(Context& context, std::string_view message) {
  // CLI11 may put several lines into one message.
  std::string line(message);
  std::replace(line.begin(), line.end(), '\n', ' ');
  print_error(context, "usage", line);
  context.exit = Exit::usage;
}

void print_line(std::string_view line) {
  ::flockfile(stdout);  // handlers of several names print side by side
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
  ::funlockfile(stdout);
}

}  // namespace ipnscast::tools
