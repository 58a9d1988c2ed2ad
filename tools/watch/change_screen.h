#pragma once

#include <string>
#include <vector>

#include "ipnscast/tools/cli/screen.h"
#include "ipnscast/tools/reports/short_text.h"
#include "ipnscast/tools/watch/change_text.h"

namespace ipnscast::tools {

// Changes as somebody before a terminal reads them: short names, times, and no line of a change
// beyond 100 columns. Any thread.
class ChangeScreen {
 public:
  // `names`: that are told apart.
  ChangeScreen(Screen screen, const std::vector<sync::IpnsName>& names)
      : screen_(screen), names_(names) {}

  // As change_lines(), for print_lines().
  std::string lines(const sync::Change& change, const Applied& applied) const;

 private:
  std::string lost(const sync::Change& change) const;
  struct Beginning {
    std::string text;
    size_t columns;  // without what paints it
  };
  Beginning begin(const sync::Change& change) const;

  const Screen screen_;
  const ShortNames names_;
};

}  // namespace ipnscast::tools
