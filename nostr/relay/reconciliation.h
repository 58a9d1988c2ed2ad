#pragma once

#include <set>
#include <variant>
#include <vector>

#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/nostr/nip/negentropy.h"

namespace ipnscast::nostr {

// One catch-up with a relay by NIP-77: for each filter the ids that we lack are found out, then
// fetched by id in batches. Gives one step at a time; pure.
class Reconciliation {
 public:
  struct Open {  // NEG-OPEN
    Filter filter;
    Bytes message;
  };
  struct Reply {  // NEG-MSG
    Bytes message;
  };
  struct Fetch {  // NEG-CLOSE, when one is open, then REQ for these
    Filter ids;
  };
  struct Over {};  // all that the relay named was asked for
  using Step = std::variant<Open, Reply, Fetch, Over>;

  // `known[i]` holds all that we have of filter i, which goes without its limit; those that are
  // left out are empty.
  Reconciliation(std::vector<Filter> filters, std::vector<NegentropySet> known);

  Step start() { return open_next(); }
  // The relay's NEG-MSG. After an error the reconciliation is of no use.
  Result<Step> answered(ByteView message);
  // An event of the last Fetch, or any other of the subscription.
  void came(const EventId& id);
  // The stored events of the last Fetch have come. A relay that stops at a size is asked for the
  // rest, for as long as something comes; what it does not give at all is left.
  Step fetched();

  // How many the relay named that we did not have, and whether all of them came. Of no use before
  // the end.
  size_t named() const { return needed_.size(); }
  bool gave_all() const { return not_given_ == 0; }
  // The relay named this id, or we had it: what else it has for these filters, it kept back.
  bool accounts_for(const EventId& id) const;

 private:
  static constexpr size_t kBatch = 200;        // ids in one REQ
  static constexpr size_t kMaxNeed = 100'000;  // ids to fetch, beyond which plain pages are better

  Step open_next();
  Step fetch_next();

  // constant after construction
  const std::vector<Filter> filters_;
  const std::vector<NegentropySet> known_;  // of each filter
  std::set<EventId> known_ids_;

  std::optional<NegentropyInitiator> initiator_;
  size_t next_filter_ = 0;
  std::set<EventId> needed_;  // of all filters
  std::vector<EventId> to_fetch_;
  std::set<EventId> missing_;  // of the last Fetch
  size_t asked_for_ = 0;       // in the last Fetch
  size_t not_given_ = 0;
};

}  // namespace ipnscast::nostr
