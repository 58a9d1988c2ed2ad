#include "ipnscast/nostr/net/stream/tls_client.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "ipnscast/nostr/net/stream/name_lookup.h"

namespace ipnscast::nostr::net {
namespace {

constexpr size_t kShownNames = 4;

struct Finder {
  TlsPeerOf peer_of = nullptr;
  void* argument = nullptr;
};

void free_finder(void* /*parent*/, void* finder, CRYPTO_EX_DATA* /*ad*/, int /*index*/,
                 long /*argl*/, void* /*argp*/) {
  delete static_cast<Finder*>(finder);
}

int finder_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_finder);
  return index;
}

TlsPeerCheck* peer_behind(const SSL* ssl) {
  const auto* finder =
      static_cast<Finder*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), finder_index()));
  return finder == nullptr ? nullptr : finder->peer_of(finder->argument, const_cast<SSL*>(ssl));
}

KeyPin pin_of(X509* certificate) {
  KeyPin out;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size > 0) SHA256(der, static_cast<size_t>(size), out.bytes.data());
  OPENSSL_free(der);
  return out;
}

std::string date_text(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

// Foreign text for people and logs: printable and short.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, 100));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// The names that a certificate is for: "a.example, b.example".
std::string names_of(X509* certificate) {
  std::string out;
  size_t count = 0;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    if (++count > kShownNames) break;
    out += (out.empty() ? "" : ", ") +
           shown({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<size_t>(ASN1_STRING_length(name->d.dNSName))});
  }
  GENERAL_NAMES_free(names);
  if (count > kShownNames) out += " and others";
  return out.empty() ? "another host" : out;
}

std::string problem_text(int error, X509* leaf, const std::string& host) {
  const std::string or_pin = "or pin its key in relays.pins: " + to_text(pin_of(leaf));
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate expired on " + date_text(X509_get0_notAfter(leaf)) +
             ": its operator has to renew it (or is the clock of this machine wrong?)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is valid from " + date_text(X509_get0_notBefore(leaf)) +
             " on: is the clock of this machine right?";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "its certificate is self-signed: put it into relays.ca_file, " + or_pin;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "its certificate is from an authority that is unknown here: put that into "
             "relays.ca_file, " +
             or_pin;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "its certificate is for " + names_of(leaf) + ", not for " + host +
             ": check the relay's URL";
    default:
      return std::string("its certificate: ") + X509_verify_cert_error_string(error);
  }
}

bool check_pins(X509_STORE_CTX* store, TlsPeerCheck& peer) {
  const KeyPin shown_pin = pin_of(X509_STORE_CTX_get0_cert(store));
  const std::vector<KeyPin>& pins = peer.tls_pins();
  const bool pinned = std::find(pins.begin(), pins.end(), shown_pin) != pins.end();
  X509_STORE_CTX_set_error(store, pinned ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  if (!pinned) {
    peer.tls_failed("it shows the key " + to_text(shown_pin) +
                    ", which is not the pinned one: if its operator has changed it, change "
                    "relays.pins, else somebody is in between");
  }
  return pinned;
}

bool check_chain(X509_STORE_CTX* store, TlsPeerCheck& peer) {
  const std::string& host = peer.tls_host();
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(store);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool named = NameLookup::is_address(host)
                         ? X509_VERIFY_PARAM_set1_host(wanted, nullptr, 0) == 1 &&
                               X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1;
  X509_STORE_CTX_set_verify_cb(store, [](int ok, X509_STORE_CTX*) { return ok; });
  if (named && X509_verify_cert(store) == 1) return true;
  const int error = X509_STORE_CTX_get_error(store);
  peer.tls_failed(problem_text(error, X509_STORE_CTX_get0_cert(store), host));
  return false;
}

int verify(X509_STORE_CTX* store, void* /*argument*/) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsPeerCheck* peer = peer_behind(ssl);
  if (peer == nullptr || X509_STORE_CTX_get0_cert(store) == nullptr) return 0;
  return (peer->tls_pins().empty() ? check_chain(store, *peer) : check_pins(store, *peer)) ? 1 : 0;
}

void on_info(const SSL* ssl, int where, int value) {
  TlsPeerCheck* peer = peer_behind(ssl);
  if (peer == nullptr) return;
  if ((where & SSL_CB_HANDSHAKE_START) != 0 && !SSL_is_init_finished(ssl)) {
    // RFC 6066 section 3: names only. lws 4.1.6 sends addresses too, and cuts names at 127 bytes.
    const std::string& host = peer->tls_host();
    SSL_ctrl(const_cast<SSL*>(ssl), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             NameLookup::is_address(host) ? nullptr : const_cast<char*>(host.c_str()));
  }
  if ((where & SSL_CB_HANDSHAKE_DONE) != 0) peer->tls_done();
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL) {
    peer->tls_failed(std::string("it ended the TLS handshake: ") +
                     SSL_alert_desc_string_long(value));
  }
}

}  // namespace

void TlsContextFree::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> make_tls_context(const std::string& ca_file, TlsPeerOf peer_of_ssl,
                                    void* finder) {
  ERR_clear_error();
  TlsContext out(SSL_CTX_new(TLS_client_method()));
  if (!out) return fail(Errc::io, "cannot set up TLS");
  SSL_CTX* context = out.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A resumed session would skip the check of the certificate.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  if (!loaded) {
    const char* why = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return fail(Errc::invalid, "cannot use the CA file " + ca_file + ": " +
                                   (why == nullptr ? "no certificate in it" : why));
  }
  SSL_CTX_set_ex_data(context, finder_index(), new Finder{peer_of_ssl, finder});
  SSL_CTX_set_cert_verify_callback(context, verify, nullptr);
  SSL_CTX_set_info_callback(context, on_info);
  return out;
}

}  // namespace ipnscast::nostr::net
