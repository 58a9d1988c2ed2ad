#include "ipnscast/nostr/signer/remote_signer.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/nostr/signer/remote_signer_thread.h"

namespace ipnscast::nostr {
namespace {

constexpr Milliseconds kLogoutTimeout{5'000};

Result<RemoteConnection> past_connection(const std::filesystem::path& file) {
  auto past = file.empty() ? fail(Errc::not_found, "") : load_remote_connection(file);
  if (past || past.error().code != Errc::not_found) return past;
  RemoteConnection fresh{SecretKey::generate(), false, std::nullopt, {}, false};
  if (file.empty()) return fresh;
  // Before the secret is spent on this key.
  if (auto saved = save_remote_connection(file, fresh); !saved) return fail(saved.error());
  return fresh;
}

}  // namespace

// The caller's side. The thread holds the other end and may outlast this object, when a callback on
// it drops the last reference.
struct RemoteSigner::Impl {
  std::shared_ptr<RemoteSignerThread> core;
  std::thread thread;
  PublicKey user;

  ~Impl() {
    core->close();
    if (!thread.joinable()) return;
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else {
      thread.join();
    }
  }
};

Result<std::shared_ptr<RemoteSigner>> RemoteSigner::open(BunkerUri uri,
                                                         RemoteSignerOptions options) {
  auto connection = past_connection(options.state_file);
  if (!connection) return fail(std::move(connection.error()));
  const std::optional<PublicKey> known = connection->user;
  auto core = RemoteSignerThread::make(std::move(uri), std::move(*connection), std::move(options));
  if (!core) return fail(core.error());
  auto impl = std::make_shared<Impl>();
  impl->core = std::move(*core);
  impl->thread = std::thread([core = impl->core] { core->serve(); });
  if (known) {
    impl->user = *known;
  } else {
    const auto user = impl->core->wait_ready();
    if (!user) return fail(user.error());
    impl->user = *user;
  }
  return std::shared_ptr<RemoteSigner>(new RemoteSigner(std::move(impl)));
}

RemoteSigner::~RemoteSigner() = default;

PublicKey RemoteSigner::public_key() const { return impl_->user; }

void RemoteSigner::sign(UnsignedEvent event, SignCallback done) {
  if (auto ok = check_publishable(event); !ok) return done(fail(std::move(ok.error())));
  std::string text = to_json(event, impl_->user);
  impl_->core->call("sign_event", {std::move(text)},
                    [event = std::move(event), user = impl_->user,
                     done = std::move(done)](Result<std::string> result) {
                      if (!result) return done(fail(std::move(result.error())));
                      auto got = parse_event(*result);
                      if (!got) return done(fail(got.error().within("remote signer")));
                      if (auto ok = check_signed_as_asked(event, user, *got); !ok)
                        return done(fail(std::move(ok.error())));
                      done(std::move(*got));
                    });
}

void RemoteSigner::nip44_encrypt(std::string plaintext, PublicKey peer, TextCallback done) {
  impl_->core->call("nip44_encrypt", {to_hex(peer.view()), std::move(plaintext)}, std::move(done));
}

void RemoteSigner::nip44_decrypt(std::string payload, PublicKey peer, TextCallback done) {
  impl_->core->call("nip44_decrypt", {to_hex(peer.view()), std::move(payload)}, std::move(done));
}

void RemoteSigner::ping(std::function<void(Status)> done) {
  impl_->core->call("ping", {}, [done = std::move(done)](Result<std::string> result) {
    if (!result) return done(fail(std::move(result.error())));
    if (*result != "pong") return done(fail(Errc::mismatch, "remote signer: no pong"));
    done({});
  });
}

Status RemoteSigner::logout() {
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Status> status;  // guarded by mutex
  };
  const auto answer = std::make_shared<Answer>();
  impl_->core->call("logout", {}, [answer](const Result<std::string>& result) {
    std::lock_guard lock(answer->mutex);
    answer->status = result ? Status{} : fail(result.error());
    answer->came.notify_all();
  });
  Status out = fail(Errc::timeout, "remote signer: did not answer the logout");
  {
    std::unique_lock lock(answer->mutex);
    if (answer->came.wait_for(lock, kLogoutTimeout, [&] { return answer->status.has_value(); }))
      out = *answer->status;
  }
  impl_->core->forget();
  return out;
}

std::filesystem::path remote_signer_file(const std::filesystem::path& state_dir,
                                         const BunkerUri& uri) {
  const Digest32 digest = sha256({uri.signer.view(), as_bytes(uri.secret.view())});
  return state_dir / "remote-signers" / to_hex(ByteView(digest).first(8));
}

}  // namespace ipnscast::nostr
