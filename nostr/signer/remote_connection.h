#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/relay_url.h"

namespace ipnscast::nostr {

// What we keep of a connection to a remote signer. Private to this layer.
struct RemoteConnection {
  SecretKey client;
  bool connected = false;
  std::optional<PublicKey> user;
  std::vector<RelayUrl> relays;  // where it moved to; empty: those of its address
  bool kept = true;              // from an earlier run; false: just made
};

// Errc::not_found when there is none; Errc::parse; else as read_secret_file().
Result<RemoteConnection> load_remote_connection(const std::filesystem::path& file);
// Whole or not at all, in the place of what is there.
Status save_remote_connection(const std::filesystem::path& file,
                              const RemoteConnection& connection);

}  // namespace ipnscast::nostr
