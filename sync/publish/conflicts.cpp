// What a program decides about a publish that was displaced.
#include "ipnscast/sync/publish/publisher.h"

namespace ipnscast::sync {

using Choice = writer_input::Resolved::Choice;

Status Publisher::settle(const IpnsName& name, const writer_action::AskResolution& about,
                         const std::optional<Resolution>& resolution, std::stop_token stop) {
  writer_input::Resolved answer{about.job, Choice::later};
  const auto say = [&](Choice choice) {
    answer.choice = choice;
    writers_.tell(name, answer);
  };
  if (!resolution) {
    say(Choice::later);
    return {};
  }
  if (resolution->choice == Resolution::Choice::theirs) {
    say(Choice::theirs);
    return {};
  }
  if (resolution->choice == Resolution::Choice::wait) {
    say(Choice::wait);
    return {};
  }
  const auto key = key_of(name);
  if (!key) {
    say(Choice::wait);
    return fail(Errc::refused, "the key of " + name.to_string() + " is not at hand");
  }
  const bool republish = resolution->choice == Resolution::Choice::ours;
  answer.choice = republish ? Choice::ours : Choice::merged;
  PublishOptions options;
  options.queue = true;
  options.stop = std::move(stop);
  const auto published = [&]() -> Result<Outcome> {
    if (resolution->choice == Resolution::Choice::path)
      return publish_path(*key, resolution->path, options, answer);
    const auto root = republish ? root_of(about.ours.value()) : resolution->cid;
    if (!root) return fail(Errc::invalid, "a resolution by CID has none");
    return publish_root(*key, *root, republish ? Origin::packed : Origin::elsewhere, options,
                        answer);
  }();
  if (published) return {};
  // It may have failed before the writer heard of it; otherwise this says nothing new to it.
  say(Choice::later);
  return fail(published.error());
}

}  // namespace ipnscast::sync
