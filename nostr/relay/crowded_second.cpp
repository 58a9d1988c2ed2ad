// The seconds of which a relay may have more events than it sends at once.
#include <algorithm>

#include "ipnscast/nostr/relay/catch_up.h"
#include "ipnscast/nostr/relay/split_filters.h"

namespace ipnscast::nostr {

// The page that ends with this second held nothing else, and was cut short.
void CatchUp::note_crowd(const Filter& filter, UnixSeconds second) {
  Crowd crowd{filter, count_ + dropped_};
  crowd.second.since = crowd.second.until = second;
  crowd.second.limit.reset();
  crowds_.push_back(std::move(crowd));
}

const Filter* CatchUp::crowded() const {
  if (phase_ != Phase::settling || !pieces_.empty()) return nullptr;
  return &crowds_.front().second;
}

Filter CatchUp::begin_naming() {
  phase_ = Phase::naming;
  return crowds_.front().second;
}

// One that names fewer than it sent has named a part.
bool CatchUp::named(std::optional<size_t> count, UnixSeconds now) {
  phase_ = Phase::settling;
  if (!count || *count < crowds_.front().came) return false;
  crowd_over(now);
  return true;
}

std::optional<Filter> CatchUp::begin_pieces(UnixSeconds now) {
  Crowd& crowd = crowds_.front();
  if (at_most_ > crowd.came) {
    pieces_.push_back(crowd.second);
    pieces_.back().limit = static_cast<uint32_t>(at_most_);
  } else {
    pieces_ = halves(crowd.second);
  }
  pages_ += pieces_.size();
  if (!pieces_.empty() && pages_ <= options_->max_pages) return same_page();
  crowd.in_part = true;
  crowd_over(now);
  return std::nullopt;
}

// Where the relay was asked for as many as it claims to send, fewer are all; unless it was seen to
// stop at fewer, or may have stopped at a size.
bool CatchUp::is_whole(const Filter& piece, EoseHint hint) const {
  if (!cut_short(hint)) return true;
  if (hint == EoseHint::more || !piece.limit || bytes_ >= options_->least_bytes) return false;
  const size_t count = count_ + dropped_;
  return count < *piece.limit && (!stopped_at_ || count < *stopped_at_);
}

std::optional<Filter> CatchUp::piece_ended(UnixSeconds now, EoseHint hint) {
  if (pieces_.empty()) return std::nullopt;
  const Filter piece = std::move(pieces_.back());
  pieces_.pop_back();
  if (!is_whole(piece, hint)) {
    auto two = halves(piece);
    pages_ += two.size();
    if (two.empty() || pages_ > options_->max_pages) {
      crowds_.front().in_part = true;
    } else {
      std::move(two.begin(), two.end(), std::back_inserter(pieces_));
    }
  }
  if (!pieces_.empty()) return same_page();
  crowd_over(now);
  return std::nullopt;
}

void CatchUp::crowd_over(UnixSeconds now) {
  pieces_.clear();
  if (crowds_.front().in_part)
    in_part_at_ = std::max(in_part_at_.value_or(UnixSeconds{0}), *crowds_.front().second.until);
  crowds_.erase(crowds_.begin());
  if (!crowds_.empty()) return;
  if (!in_part_at_) return finish(now);
  give_up(
      "the relay may have more events of one second (created_at " +
      std::to_string(in_part_at_->value) +
      ") than it sends at once; ask for fewer authors, kinds or tags at a time, or another relay");
}

}  // namespace ipnscast::nostr
