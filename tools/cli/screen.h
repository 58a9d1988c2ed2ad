#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ipnscast::tools {

enum class Colour { none, red, green, yellow, cyan, dim };

// What a stream of ours ends in: a terminal with somebody before it, or a pipe or file that a
// program reads.
struct Screen {
  bool terminal = false;
  bool colour = false;  // never in a pipe, with NO_COLOR (https://no-color.org) or TERM=dumb
  size_t width = 80;    // columns

  // Of an open descriptor, such as STDOUT_FILENO.
  static Screen of(int descriptor);

  // The text in this colour, or as it is where there are no colours.
  std::string painted(Colour with, std::string_view text) const;
};

// Whether the person wants no colours anywhere.
bool colours_unwanted();

}  // namespace ipnscast::tools
