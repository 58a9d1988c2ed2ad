#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/secret/secret_text.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/relay_url.h"

// NIP-46: a key that signs for us from somewhere else. The texts of both sides; remote_signer.h
// speaks them over relays.
namespace ipnscast::nostr {

constexpr int kRemoteSignerKind = 24133;

// bunker://<signer>?relay=...&secret=...: how to reach a remote signer. `signer` is the key it
// speaks with, which need not be the key it signs with.
struct BunkerUri {
  PublicKey signer;
  std::vector<RelayUrl> relays;  // 1 to 20
  SecretText secret;             // for the first connection; may be empty
};

// nostrconnect://<client>?relay=...&secret=...: a client that waits for a signer to speak first.
struct NostrConnectUri {
  PublicKey client;
  std::vector<RelayUrl> relays;    // 1 to 20
  SecretText secret;               // never empty: what the signer has to show
  std::vector<std::string> perms;  // "sign_event:30078", "nip44_encrypt", ...
  std::string name;                // of the client, for a person; the next two as well
  std::string url;
  std::string image;
};

// Query values are percent-decoded, '+' is a space, unknown parameters are ignored. Errc::parse for
// another scheme, a key that is not 64 hex digits, no relay or one that is none, a parameter twice
// that stands once; Errc::too_large beyond 4096 characters or 20 relays. The caller wipes `text`.
Result<BunkerUri> parse_bunker_uri(std::string_view text);
Result<NostrConnectUri> parse_nostr_connect_uri(std::string_view text);
// The caller wipes what comes back.
std::string to_text(const BunkerUri& uri);
std::string to_text(const NostrConnectUri& uri);

// {"id","method","params"}
struct SignerRequest {
  std::string id;
  std::string method;
  std::vector<std::string> params;
};

// {"id","result","error"}. One with the result "auth_url" is no answer yet: `error` is a page where
// a person has to agree first.
struct SignerResponse {
  std::string id;
  std::string result;
  std::string error;  // empty: it went well
};

// Bounds on one message from outside.
struct SignerMessageLimits {
  size_t max_bytes = 1024 * 1024;
  size_t max_params = 16;
  size_t max_id = 64;  // an id of ours has 32 characters
};

// Strict about the types, lenient about what is missing: result and error may be absent or null.
// Errc::parse, Errc::too_large.
Result<SignerRequest> parse_signer_request(std::string_view json,
                                           const SignerMessageLimits& limits = {});
Result<SignerResponse> parse_signer_response(std::string_view json,
                                             const SignerMessageLimits& limits = {});
// Texts are valid UTF-8.
std::string to_json(const SignerRequest& request);
std::string to_json(const SignerResponse& response);

// {"kind","content","tags","created_at","pubkey"}: the parameter of sign_event. `user` is who is to
// sign; some signers want it there.
std::string to_json(const UnsignedEvent& event, const PublicKey& user);

// A page to open: https, or http on this machine; printable, at most 2048 characters.
bool is_auth_url(std::string_view text);

// The event that a signer gave back is the one that it was asked for, signed by `user`: each member
// is compared, then id and signature are verified. Errc::mismatch, Errc::signature.
Status check_signed_as_asked(const UnsignedEvent& asked, const PublicKey& user, const Event& got);

}  // namespace ipnscast::nostr
