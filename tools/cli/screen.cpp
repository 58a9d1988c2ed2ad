#include "ipnscast/tools/cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace ipnscast::tools {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::red:
      return "31";
    case Colour::green:
      return "32";
    case Colour::yellow:
      return "33";
    case Colour::cyan:
      return "36";
    case Colour::dim:
      return "2";
    case Colour::none:
      break;
  }
  return {};
}

}  // namespace

bool colours_unwanted() { return !variable("NO_COLOR").empty() || variable("TERM") == "dumb"; }

Screen Screen::of(int descriptor) {
  Screen out;
  out.terminal = ::isatty(descriptor) == 1;
  if (!out.terminal) return out;
  out.colour = !colours_unwanted();
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) out.width = size.ws_col;
  return out;
}

std::string Screen::painted(Colour with, std::string_view text) const {
  const std::string_view code = code_of(with);
  if (!colour || code.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace ipnscast::tools
