#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/nostr/base/workers.h"
#include "ipnscast/nostr/event/relay_url.h"
#include "ipnscast/nostr/net/stream/relay_stream.h"
#include "ipnscast/nostr/nip/nip11.h"

// Private to nostr.
namespace ipnscast::nostr::net {

class Loop;

// Asks for a relay's information document on an open stream. NIP-11. Errc::refused for another
// status than 200, what http_get() and parse_relay_information() say.
// `witness` is told the answer's date; null: none.
Result<RelayInformation> ask_for_information(RawStream& stream, const RelayUrl& url,
                                             const Patience& patience,
                                             ClockWitness* witness = nullptr);

// The thread nip11: fetches information documents, one after the other, each from a connection of
// its own. A relay that has none costs nothing but the try.
class InformationFetcher {
 public:
  // Called on the net thread, once for each ask(). Errors: as the name's look-up, the connection
  // and ask_for_information(); Errc::busy when very many wait.
  using Done = std::function<void(const RelayUrl&, Result<RelayInformation>)>;

  // The loop outlives it. `witness`: is told what relays of the configuration say the time is; may
  // be null.
  InformationFetcher(Loop& loop, Access access, Done done,
                     std::shared_ptr<ClockWitness> witness = nullptr);
  // Cancels what is under way. `done` is not called afterwards by what runs on the net thread
  // later.
  ~InformationFetcher();

  // Net thread.
  void ask(const RelayUrl& url);

 private:
  struct Question {
    RelayUrl url;
    std::vector<std::string> addresses;
  };
  static void answer(Loop& loop, const std::shared_ptr<Done>& done, const RelayUrl& url,
                     Result<RelayInformation> information);
  Result<RelayInformation> fetch(const Question& question) const;

  Loop& loop_;
  const Access access_;
  const std::shared_ptr<ClockWitness> witness_;
  const std::shared_ptr<Done> done_;
  std::atomic<bool> cancelled_ = false;
  // Shared with look-ups, which may outlive us.
  const std::shared_ptr<Workers<Question>> workers_;
};

}  // namespace ipnscast::nostr::net
