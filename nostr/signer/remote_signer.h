#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "ipnscast/nostr/event/signer.h"
#include "ipnscast/nostr/net/loop.h"
#include "ipnscast/nostr/net/stream/access.h"
#include "ipnscast/nostr/signer/remote_session.h"

namespace ipnscast::nostr {

struct RemoteSignerOptions {
  // Keeps our side of the connection over restarts: the client key, whom the signer signs for, the
  // relays it moved to. Mode 0600. Empty: a new connection each time.
  std::filesystem::path state_file;
  RemoteSession::Options session;
  net::Access access;  // to the signer's relays
  // Called on the signer's thread when a person has to agree on a web page; must not block. Without
  // it the page is logged as a warning.
  std::function<void(const std::string& url)> on_auth_url;
  // New relays that the signer names have this long to answer, else the old ones are kept. They
  // have to be at public addresses, unless the address that we were given names them.
  Milliseconds switch_timeout{10'000};
  net::Loop* loop = nullptr;  // outlives the signer; null: one of its own
};

// A Signer whose key is somewhere else (NIP-46): requests travel over relays, encrypted, and each
// answer is checked against what was asked before anybody gets it. Reconnects by itself, for years.
// Thread-safe; callbacks come on the signer's thread. After its end, what still waited gets
// Errc::closed.
class RemoteSigner final : public Signer {
 public:
  // A signer that we were connected to before (state_file) is there at once, and is asked for its
  // user in the background; a signer who then names another user fails every request
  // (Errc::conflict). The first time this waits until it is connected: Errc::timeout,
  // Errc::refused with the signer's words, Errc::mismatch for a signer that shows a wrong secret;
  // Errc::io, Errc::parse for the state file.
  static Result<std::shared_ptr<RemoteSigner>> open(BunkerUri uri, RemoteSignerOptions options);
  ~RemoteSigner() override;

  PublicKey public_key() const override;
  // Errc::timeout, Errc::refused; Errc::mismatch or Errc::signature when the event that came back
  // is not the one that was asked for; Errc::busy, Errc::closed.
  void sign(UnsignedEvent event, SignCallback done) override;
  void nip44_encrypt(std::string plaintext, PublicKey peer, TextCallback done) override;
  void nip44_decrypt(std::string payload, PublicKey peer, TextCallback done) override;

  // Whether it answers.
  void ping(std::function<void(Status)> done);
  // Ends the connection at the signer and removes the state file, which happens also when the
  // signer does not answer. Waits. Afterwards every request fails.
  Status logout();

 private:
  struct Impl;
  explicit RemoteSigner(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// Where the connection to this signer is kept below a state directory: another signer or another
// secret is another file.
std::filesystem::path remote_signer_file(const std::filesystem::path& state_dir,
                                         const BunkerUri& uri);

}  // namespace ipnscast::nostr
