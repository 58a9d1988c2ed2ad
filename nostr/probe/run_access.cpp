// Who may write the hint kinds, and who may read them.
#include "ipnscast/nostr/probe/run.h"

namespace ipnscast::nostr::probe {
namespace {

Access allowed(bool authenticated) { return authenticated ? Access::with_auth : Access::yes; }

}  // namespace

void Run::try_kind(KindAccess& access) {
  // What one connection has proved would make the other kind look open.
  if ((!author_.is_open() || author_.authenticated()) && !author_.open(work_end_)) return;
  if ((!stranger_.is_open() || stranger_.authenticated()) && !stranger_.open(work_end_)) return;
  const Event event = next_version({access.kind, d_});
  const PublishAnswer answer = author_.publish(event, work_end_);
  access.reason = answer.reason;
  if (answer.state == PublishAnswer::State::refused) {
    access.accepted = Access::no;
    return;
  }
  std::string reason;
  access.to_author = served(author_, event, reason);
  // One that serves it took it, and only did not say so.
  if (answer.accepted() || access.to_author == Access::yes ||
      access.to_author == Access::with_auth) {
    access.accepted = allowed(answer.authenticated);
  }
  access.to_stranger = served(stranger_, event, reason);
  if (access.reason.empty()) access.reason = reason;
}

Access Run::served(Conversation& conversation, const Event& event, std::string& reason) {
  const Filter filter = filter_of({event.kind, d_});
  const Reading reading = read_own(conversation, filter, event);
  if (reading.has(event)) return allowed(reading.authenticated);
  if (reason.empty()) reason = reading.reason;
  const bool answered = reading.complete() || reading.state == Reading::State::refused;
  return answered ? Access::no : Access::unknown;
}

// The first kind with which the rest can be tried.
void Run::choose_kind() {
  for (const KindAccess& access : report_.kinds) {
    const bool accepted = access.accepted == Access::yes || access.accepted == Access::with_auth;
    const bool readable = access.to_author == Access::yes || access.to_author == Access::with_auth;
    if (!accepted || !readable) continue;
    report_.kind = access.kind;
    place_ = {access.kind, d_};
    return;
  }
}

}  // namespace ipnscast::nostr::probe
