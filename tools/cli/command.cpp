#include "ipnscast/tools/cli/command.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/text/shown_text.h"

namespace ipnscast::tools {
namespace {

void print_error(const Context& context, std::string_view code, std::string_view message) {
  std::string line;
  if (context.json) {
    nlohmann::ordered_json object = {
        {"error", {{"code", code}, {"message", without_secrets(message)}}}};
    if (context.displaced > 0) object["displaced"] = context.displaced;
    line =
        shown_text(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    line = "ipnscast: " + shown_text(without_secrets(message));
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

void print_note(std::string_view text) {
  std::fflush(stdout);
  std::fprintf(stderr, "ipnscast: %s\n", shown_text(text).c_str());
}

void print_line(std::string_view line) { print_lines(shown_text(line)); }

void print_lines(std::string_view shown) {
  ::flockfile(stdout);  // handlers of several names print side by side
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
  ::funlockfile(stdout);
}

}  // namespace ipnscast::tools
