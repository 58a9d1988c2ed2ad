#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/event/filter_set.h"
#include "ipnscast/nostr/event/message.h"

namespace ipnscast::nostr {

// Gets everything that one relay has stored for one subscription, on the first request and after
// every reconnect, although relays cut their answers short: what is missing behind the oldest event
// of an answer is asked for in pages (`until`), newest first, beside the subscription that is live
// already. Only when the last page has come does the mark move, from which the next connection
// resumes; so a connection that breaks in between leaves no gap. Pure.
//
// A page cannot lead past a second of which the relay may have more events than it sends at once.
// Such a crowded second is settled after the pages: the relay names all its events (NIP-77), or is
// asked for it in pieces, by fewer authors, kinds or values of tags at a time. When neither helps,
// the catch-up ends as given up, and the mark stays.
class CatchUp {
 public:
  struct Options {
    // Asked again before the newest verified event, for publishers whose clocks are slow.
    Seconds overlap{600};
    // The same, on the first connection of a day: for events that reached the relay long after they
    // were signed, as from a publisher that was offline.
    Seconds deep_overlap{7 * 86'400};
    // An answer with fewer events and fewer bytes was not cut short: relays stop at a number of
    // events or at a size. A relay's own claim (NIP-11) may lower the number, and never raises it,
    // as the same relay may stop at a size it does not tell.
    size_t least_limit = 10;
    size_t least_bytes = 256 * 1024;
    // Of one catch-up: a relay that always has more is lying.
    size_t max_pages = 10'000;
    // One after the other without a single event that verifies and matches.
    size_t max_empty_pages = 20;
  };

  // One subscription has the same filters at every relay, which share them.
  using Filters = std::shared_ptr<const FilterSet>;
  static Filters share(std::vector<Filter> filters) {
    return std::make_shared<const FilterSet>(std::move(filters));
  }
  // `covered` as an earlier life of this subscription at this relay knew it. `options` outlives it.
  CatchUp(Filters filters, const Options& options, std::optional<UnixSeconds> covered)
      : filters_(std::move(filters)),
        options_(&options),
        limit_(options.least_limit),
        covered_(covered) {}

  const std::vector<Filter>& filters() const { return filters_->list(); }
  bool matches(const Event& event) const { return filters_->matches(event); }
  // The relay gives `limit` events for one filter, it says, and `at_most` when it is asked for as
  // many.
  void relay_claims(std::optional<uint64_t> limit, std::optional<uint64_t> at_most = {});

  // What to ask now, on a new connection or when a refused request is made again.
  std::vector<Filter> begin(UnixSeconds now);
  // The same where the stored events are brought in another way (NIP-77): asks for what comes from
  // now on. Ends with reconciled(), or with begin() when that way failed.
  std::vector<Filter> begin_reconciling(UnixSeconds now);
  void reconciled(UnixSeconds now);
  // NIP-77 is under way, for all that is stored or for a crowded second.
  bool reconciling() const { return phase_ == Phase::reconciling || naming(); }

  // An event came for the request, or for the page that was asked for last. `bytes` is its frame's
  // length; `now` bounds what an event from the future does to the mark.
  void took(UnixSeconds created_at, size_t bytes, UnixSeconds now, bool in_page);
  // The same of an event that does not verify or that was not asked for: the relay counts it among
  // its answer. `claimed` is its created_at if that could be read; it leads on where nothing else
  // does.
  void dropped(std::optional<UnixSeconds> claimed, size_t bytes, bool in_page);
  // The end of the stored events of the request, or of a page. What to ask next, if anything: one
  // page at a time.
  // `hint` is what the relay said of it.
  std::optional<Filter> ended(bool in_page, UnixSeconds now, EoseHint hint = EoseHint::none);
  // The last page once more, after it was refused or had no end; nothing when none is missing.
  std::optional<Filter> same_page();

  // After the last page: the crowded second that is settled next, until that is begun.
  const Filter* crowded() const;
  // The relay shall name what it has of it. named() follows: how many it named, all of which have
  // come; nothing when that failed. True when that has settled it.
  Filter begin_naming();
  bool naming() const { return phase_ == Phase::naming; }
  bool named(std::optional<size_t> count, UnixSeconds now);
  // The first piece of it, or nothing when there is no asking for less at a time.
  std::optional<Filter> begin_pieces(UnixSeconds now);

  // All that the relay had stored has come.
  bool complete() const { return phase_ == Phase::complete; }
  // Why the rest will not be asked for on this connection, and the mark stays; else empty.
  std::string given_up_for() const { return attempt_ ? attempt_->given_up_for : std::string(); }
  // Every event created up to here, less the overlap, that the relay had has come. Nothing before
  // the first catch-up is complete, 0 when that found no event.
  std::optional<UnixSeconds> covered() const { return covered_; }

 private:
  enum class Phase {
    idle,
    requested,
    paging,
    reconciling,
    settling,  // crowded seconds
    naming,    // one of these is named
    complete,
    given_up
  };
  struct Crowd {
    Filter second;
    size_t came = 0;       // at once
    bool in_part = false;  // there may be more
  };

  // The answer to the request, or to a page.
  struct Answer {
    std::optional<UnixSeconds> oldest;
    std::optional<UnixSeconds> oldest_dropped;
    size_t count = 0;
    size_t at_oldest = 0;  // of these
    size_t dropped = 0;
    size_t bytes = 0;
  };
  // What one connection has brought so far.
  struct Attempt {
    std::vector<Filter> asked;
    std::optional<UnixSeconds> newest;
    size_t page_filter = 0;  // index in asked
    size_t pages = 0;
    size_t empty_pages = 0;            // since one with an event
    std::optional<UnixSeconds> until;  // of the last page
    size_t got = 0;                    // of this filter, above the last page
    std::optional<size_t> before;      // events of the answer that the page goes on from
    std::optional<size_t> stopped_at;  // the least number that an answer was cut short at
    std::vector<Crowd> crowds;
    std::vector<Filter> pieces;             // of the first one; the last of them is asked for
    std::optional<UnixSeconds> in_part_at;  // the latest second that has more than came
    std::string given_up_for;
    Answer answer;  // the last one
  };

  bool by_pages() const { return phase_ == Phase::paging || phase_ == Phase::settling; }
  std::optional<Filter> next_page(UnixSeconds now);
  void next_filter();
  void begin_answer();
  bool cut_short(EoseHint hint) const;
  // Of the answer to the page or to the only filter.
  size_t wanted() const;
  void note_stop();
  void note_crowd(const Filter& filter, UnixSeconds second);
  std::optional<Filter> piece_ended(UnixSeconds now, EoseHint hint);
  bool is_whole(const Filter& piece, EoseHint hint) const;
  void crowd_over(UnixSeconds now);
  std::optional<Filter> give_up(std::string why);
  void finish(UnixSeconds now);

  Filters filters_;
  const Options* options_;
  size_t limit_ = 0;    // fewer events than this were not cut short
  size_t at_most_ = 0;  // the relay's claim of how many it sends when asked for as many, or 0
  std::optional<UnixSeconds> covered_;
  std::optional<UnixSeconds> deep_at_;  // when the last deep catch-up was complete
  bool deep_ = false;                   // this one is

  Phase phase_ = Phase::idle;
  // Until all has come: one that is complete needs none of it, and there may be hundreds of
  // thousands.
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace ipnscast::nostr
