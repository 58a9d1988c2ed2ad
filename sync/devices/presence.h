#pragma once

#include <memory>
#include <mutex>

#include "ipnscast/nostr/base/secret/secret_bytes.h"
#include "ipnscast/nostr/base/store/writer.h"
#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/outbox/sender.h"
#include "ipnscast/sync/devices/device.h"

namespace ipnscast::sync {

// Tells our other devices of this one: at start, when its application has taken something in (at
// once, then every `pause` at most), and every `again`. What it tells goes by the outbox, so that
// relays that are away get the latest when they are back. Thread-safe; does not wait.
class Presence : public std::enable_shared_from_this<Presence> {
 public:
  struct Parts {  // they outlive close()
    nostr::net::Loop& loop;
    store::Writer& writer;
    nostr::OutboxSender& outbox;
    std::shared_ptr<nostr::Signer> signer;
  };
  struct Options {
    std::vector<nostr::RelayUrl> relays;
    nostr::OutboxLimits limits;
    Milliseconds pause{2'000};
    Milliseconds again{std::chrono::hours(12)};
    Milliseconds retry{60'000};  // when the signer or the store failed
  };

  // `self` with what it has taken in before, as far as that is known. Waits for the store.
  static std::shared_ptr<Presence> start(Parts parts, Options options, SecretBytes<32> secret,
                                         Device self);
  void applied(const IpnsName& name, const Version& version);
  // This device goes by another id from now on; the old one is another device's.
  void renamed(std::string id);
  // Nothing is told any more. Idempotent.
  void close();

 private:
  Presence(Parts parts, Options options, SecretBytes<32> secret, Device self);

  // Of the caller: mutex_ is held.
  void wake_at(Instant when);
  void tell();
  void over(bool told);

  void woken();
  void encrypted(Result<std::string> payload);
  void is_signed(Result<nostr::Event> event);
  UnixSeconds next_created_at();
  nostr::Address address() const;

  // constant after construction
  const Parts parts_;
  const Options options_;
  const SecretBytes<32> secret_;

  std::mutex mutex_;
  // guarded by mutex_
  Device self_;
  bool changed_ = true;  // since it was told last
  bool telling_ = false;
  bool closed_ = false;
  Instant next_{};  // it is not told before
  UnixSeconds last_created_at_{};
};

}  // namespace ipnscast::sync
