#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/sync/source/source.h"

namespace ipnscast::sync::push {

// What push servers say, and what they are told (S0-42). Two dialects are in use over WebSocket:
//   many  {"action":"subscribe","names":[...]}, answered by {"type":"subscribed"}; then
//         {"type":"update","name","sequence","cid","timestamp"}
//   one   {"type":"subscribe","ipnsName"}, not answered; then {"type":"ipns-update","ipnsName",
//         "cid"}
// w3name says {"key","value","record"}. Event streams carry the same members as an update. Members
// that a dialect does not know are read all the same: a record saves the way to the gateways. Pure.
enum class Dialect { many, one };

inline constexpr size_t kMaxFrame = 64 * 1024;  // of what is read

struct Update {
  std::optional<IpnsName> name;  // nothing: it is not said, as on a stream of one name
  std::optional<Cid> cid;        // as version 1
  std::optional<Sequence> sequence;
  Bytes record;  // not verified; empty: none
};
struct Subscribed {};
struct Fault {
  std::string text;  // as the server said it
};
struct Other {};  // pong, hello, unsubscribed and what is not known
using Word = std::variant<Update, Subscribed, Fault, Other>;

// One frame. Errc::parse, Errc::too_large; also for an update with neither CID nor record.
Result<Word> read_word(std::string_view frame);
// The same for a text that can only be an update. Errc::parse, Errc::too_large.
Result<Update> read_update(std::string_view json);

// What an update is worth: a record that holds for `name` is one, else it is a stranger's claim.
// Nothing when there is neither a CID nor a record that holds.
std::optional<SourceWord> news_of(const Update& update, const IpnsName& name, SourceId source,
                                  Now now);

// Frames that ask for these names, or no longer.
std::vector<std::string> subscribe_frames(Dialect dialect, const std::vector<IpnsName>& names);
std::vector<std::string> unsubscribe_frames(Dialect dialect, const std::vector<IpnsName>& names);

}  // namespace ipnscast::sync::push
