#pragma once

#include <string>
#include <string_view>

namespace ipnscast {

// What somebody else wrote (a relay, a gateway, a file name, a record), as it may stand in one line
// of a terminal or a log: whatever steers a terminal, reverses the writing or ends the line comes
// as an escape, \u001b, and bytes that are no UTF-8 as U+FFFD. Control characters, DEL, C1,
// U+2028, U+2029 and the marks of the bidirectional algorithm. A line of JSON keeps its meaning.
std::string shown_text(std::string_view text);

// The same text without what opens something: of nsec1..., ncryptsec1..., the secret of a bunker
// URI and the user and password of a URL only the beginning is left. For messages: an argument that
// is shown to whoever typed it also reaches a log.
std::string without_secrets(std::string_view text);

// True when without_secrets() takes something out.
bool holds_secret(std::string_view text);

}  // namespace ipnscast
