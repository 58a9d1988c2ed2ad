// The seconds of which a relay may have more events than it sends at once.
#include <algorithm>

#include "ipnscast/nostr/relay/catch_up.h"
#include "ipnscast/nostr/relay/split_filters.h"

namespace ipnscast::nostr {

// The page that ends with this second held nothing else, and was cut short.
void CatchUp::note_crowd(const Filter& filter, UnixSeconds second) {
  Answer& answer = attempt_->answer;
  Crowd crowd{filter, answer.count + answer.dropped};
  crowd.second.since = crowd.second.until = second;
  crowd.second.limit.reset();
  attempt_->crowds.push_back(std::move(crowd));
}

const Filter* CatchUp::crowded() const {
  if (phase_ != Phase::settling || !attempt_->pieces.empty()) return nullptr;
  return &attempt_->crowds.front().second;
}

Filter CatchUp::begin_naming() {
  phase_ = Phase::naming;
  return attempt_->crowds.front().second;
}

// One that names fewer than it sent has named a part.
bool CatchUp::named(std::optional<size_t> count, UnixSeconds now) {
  phase_ = Phase::settling;
  if (!count || *count < attempt_->crowds.front().came) return false;
  crowd_over(now);
  return true;
}

std::optional<Filter> CatchUp::begin_pieces(UnixSeconds now) {
  Attempt& attempt = *attempt_;
  Crowd& crowd = attempt.crowds.front();
  if (at_most_ > crowd.came) {
    attempt.pieces.push_back(crowd.second);
    attempt.pieces.back().limit = static_cast<uint32_t>(at_most_);
  } else {
    attempt.pieces = halves(crowd.second);
  }
  attempt.pages += attempt.pieces.size();
  if (!attempt.pieces.empty() && attempt.pages <= options_->max_pages) return same_page();
  crowd.in_part = true;
  crowd_over(now);
  return std::nullopt;
}

// Where the relay was asked for as many as it claims to send, fewer are all; unless it was seen to
// stop at fewer, or may have stopped at a size.
bool CatchUp::is_whole(const Filter& piece, EoseHint hint) const {
  const Attempt& attempt = *attempt_;
  const Answer& answer = attempt_->answer;
  if (!cut_short(hint)) return true;
  if (hint == EoseHint::more || !piece.limit || answer.bytes >= options_->least_bytes) return false;
  const size_t count = answer.count + answer.dropped;
  return count < *piece.limit && (!attempt.stopped_at || count < *attempt.stopped_at);
}

std::optional<Filter> CatchUp::piece_ended(UnixSeconds now, EoseHint hint) {
  Attempt& attempt = *attempt_;
  if (attempt.pieces.empty()) return std::nullopt;
  const Filter piece = std::move(attempt.pieces.back());
  attempt.pieces.pop_back();
  if (!is_whole(piece, hint)) {
    auto two = halves(piece);
    attempt.pages += two.size();
    if (two.empty() || attempt.pages > options_->max_pages) {
      attempt.crowds.front().in_part = true;
    } else {
      std::move(two.begin(), two.end(), std::back_inserter(attempt.pieces));
    }
  }
  if (!attempt.pieces.empty()) return same_page();
  crowd_over(now);
  return std::nullopt;
}

void CatchUp::crowd_over(UnixSeconds now) {
  Attempt& attempt = *attempt_;
  attempt.pieces.clear();
  if (attempt.crowds.front().in_part)
    attempt.in_part_at =
        std::max(attempt.in_part_at.value_or(UnixSeconds{0}), *attempt.crowds.front().second.until);
  attempt.crowds.erase(attempt.crowds.begin());
  if (!attempt.crowds.empty()) return;
  if (!attempt.in_part_at) return finish(now);
  give_up(
      "the relay may have more events of one second (created_at " +
      std::to_string(attempt.in_part_at->value) +
      ") than it sends at once; ask for fewer authors, kinds or tags at a time, or another relay");
}

}  // namespace ipnscast::nostr
