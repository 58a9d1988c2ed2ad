#include "ipnscast/nostr/nip/nip49.h"

#include <openssl/evp.h>
#include <utf8proc.h>

#include <vector>

#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/event/bech32.h"
#include "ipnscast/nostr/nip/xchacha20_poly1305.h"

namespace ipnscast::nostr {
namespace {

// ncryptsec = bech32(version log-n salt nonce security sealed)
// version   = %x02
// log-n     = 1 byte
// salt      = 16 bytes
// nonce     = 24 bytes
// security  = %x00-02           also the associated data
// sealed    = 32 bytes of key, encrypted, and 16 bytes of tag
constexpr std::string_view kPrefix = "ncryptsec";
constexpr uint8_t kNip49Version = 2;
constexpr size_t kSalt = 16;
constexpr size_t kNip49Nonce = 24;
constexpr size_t kSecret = 32;
constexpr size_t kSize = 91;
constexpr size_t kMaxEncryptedKeyText = 200;
constexpr size_t kMaxPassword = 4096;
constexpr uint64_t kScryptR = 8;

// The decomposed code points, on their way to be composed again.
struct CodePoints {
  std::vector<utf8proc_int32_t> points;
  ~CodePoints() {
    wipe({reinterpret_cast<uint8_t*>(points.data()), points.size() * sizeof(points[0])});
  }
};

Result<SecretBytes<32>> stretch(std::string_view password, ByteView salt, uint8_t log_n) {
  auto normal = nip49_normal_password(password);
  if (!normal) return fail(std::move(normal.error()));
  const uint64_t n = uint64_t{1} << log_n;
  // scrypt's large table, its block, and room for two more of its rows.
  const uint64_t memory = 128 * kScryptR * (n + 4);
  SecretBytes<32> key;
  if (EVP_PBE_scrypt(normal->view().data(), normal->view().size(), salt.data(), salt.size(), n,
                     kScryptR, 1, memory, key.mutable_view().data(), 32) != 1) {
    return fail(Errc::too_large, "encrypted key: its password check needs " +
                                     std::to_string(n >> 10) +
                                     " MiB of memory, which cannot be had here");
  }
  return key;
}

Status check_log_n(uint8_t log_n, uint8_t max_log_n, Errc code) {
  if (log_n >= 1 && log_n <= max_log_n) return {};
  return fail(code, "encrypted key: log_n is " + std::to_string(log_n) + ", want 1 to " +
                        std::to_string(max_log_n) + " (" + std::to_string(1 << max_log_n >> 10) +
                        " MiB of memory)");
}

}  // namespace

bool is_ncryptsec(std::string_view text) {
  return text.starts_with("ncryptsec1") || text.starts_with("NCRYPTSEC1");
}

Result<SecretText> nip49_normal_password(std::string_view password) {
  if (password.size() > kMaxPassword) return fail(Errc::invalid, "password: too long");
  constexpr auto kNfkc =
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
  const auto* const text = reinterpret_cast<const utf8proc_uint8_t*>(password.data());
  const auto size = static_cast<utf8proc_ssize_t>(password.size());
  const auto wrong = [] { return fail(Errc::invalid, "password: want UTF-8"); };
  const utf8proc_ssize_t count = utf8proc_decompose(text, size, nullptr, 0, kNfkc);
  if (count < 0) return wrong();
  CodePoints buffer{std::vector<utf8proc_int32_t>(static_cast<size_t>(count) + 1)};
  if (utf8proc_decompose(text, size, buffer.points.data(), count, kNfkc) != count) return wrong();
  // Composes, and writes UTF-8 over the code points.
  const utf8proc_ssize_t bytes = utf8proc_reencode(buffer.points.data(), count, kNfkc);
  if (bytes < 0) return wrong();
  std::string normal(reinterpret_cast<const char*>(buffer.points.data()),
                     static_cast<size_t>(bytes));
  return SecretText::take(normal);
}

Result<std::string> nip49_encrypt(ByteView secret32, std::string_view password,
                                  const Nip49Options& options) {
  const Bytes random = random_bytes(kSalt + kNip49Nonce);
  const ByteView view = random;
  return nip49_encrypt_with(secret32, password, options, view.first(kSalt), view.subspan(kSalt));
}

Result<std::string> nip49_encrypt_with(ByteView secret32, std::string_view password,
                                       const Nip49Options& options, ByteView salt16,
                                       ByteView nonce24) {
  if (secret32.size() != kSecret || salt16.size() != kSalt || nonce24.size() != kNip49Nonce)
    return fail(Errc::invalid, "encrypted key: want 32 bytes of key, 16 of salt, 24 of nonce");
  if (password.empty()) return fail(Errc::invalid, "password: empty");
  if (auto ok = check_log_n(options.log_n, kNip49MaxLogN, Errc::invalid); !ok)
    return fail(std::move(ok.error()));
  const auto key = stretch(password, salt16, options.log_n);
  if (!key) return fail(key.error());
  Bytes out{kNip49Version, options.log_n};
  append(out, salt16);
  append(out, nonce24);
  out.push_back(static_cast<uint8_t>(options.security));
  append(out, xchacha20_poly1305_seal(key->view(), nonce24, ByteView(out).last(1), secret32));
  return encode_bech32(kPrefix, out);
}

Result<Nip49Key> nip49_decrypt(std::string_view ncryptsec, std::string_view password,
                               uint8_t max_log_n) {
  const auto decoded = decode_bech32(ncryptsec, kMaxEncryptedKeyText);
  if (!decoded) return fail(decoded.error().within("encrypted key"));
  const ByteView data = decoded->data;
  if (decoded->prefix != kPrefix || data.empty())
    return fail(Errc::parse, "encrypted key: want ncryptsec1...");
  if (data[0] != kNip49Version) return fail(Errc::unsupported, "encrypted key: unknown version");
  if (data.size() != kSize) return fail(Errc::parse, "encrypted key: want 91 bytes");
  Nip49Key out;
  out.log_n = data[1];
  if (out.log_n == 0) return fail(Errc::parse, "encrypted key: log_n is 0");
  if (auto ok = check_log_n(out.log_n, std::min(max_log_n, kNip49MaxLogN), Errc::too_large); !ok)
    return fail(std::move(ok.error()));
  const ByteView salt = data.subspan(2, kSalt);
  const ByteView nonce = data.subspan(2 + kSalt, kNip49Nonce);
  const ByteView security = data.subspan(2 + kSalt + kNip49Nonce, 1);
  if (security[0] > static_cast<uint8_t>(KeySecurity::untracked))
    return fail(Errc::parse, "encrypted key: unknown key-security byte");
  out.security = static_cast<KeySecurity>(security[0]);
  const auto key = stretch(password, salt, out.log_n);
  if (!key) return fail(key.error());
  auto secret = xchacha20_poly1305_open(key->view(), nonce, security,
                                        data.subspan(2 + kSalt + kNip49Nonce + 1));
  if (!secret)
    return fail(Errc::signature, "encrypted key: wrong password, or the text was altered");
  out.secret = SecretBytes<32>::from(*secret);
  wipe(*secret);
  return out;
}

}  // namespace ipnscast::nostr
