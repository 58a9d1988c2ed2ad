// `watch --webhook`: changes posted as Standard Webhooks say, and lost by nobody.
#include <csignal>
#include <mutex>
#include <set>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/tests/integration/cli/cli_stack.h"
#include "ipnscast/tests/support/gateways/scripted_http_server.h"
#include "ipnscast/tools/watch/webhook_signature.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

const std::string kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Whoever gets the posts: what it answers can be changed, and it knows what it took.
class Receiver {
 public:
  std::string url() const { return server_.url() + "/hook"; }
  void answer_with(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  // Sequences that it answered 2xx, in their order, each message once.
  std::vector<std::string> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  size_t posts() const { return server_.count("/hook"); }
  std::vector<ScriptedRequest> requests() const { return server_.requests(); }
  bool wait_for(const std::function<bool()>& what) const {
    const auto end = std::chrono::steady_clock::now() + kSoon;
    while (!what() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(Milliseconds(10));
    return what();
  }

 private:
  ScriptedAnswer take(const ScriptedRequest& request) {
    const std::lock_guard lock(mutex_);
    if (status_ / 100 == 2 && ids_.insert(request.headers.at("webhook-id")).second)
      taken_.push_back(json::parse(request.body).at("sequence"));
    return {.status = status_, .headers = {{"Location", "/elsewhere"}}, .body = "words of it"};
  }

  mutable std::mutex mutex_;
  // guarded by mutex_
  int status_ = 200;
  std::set<std::string> ids_;
  std::vector<std::string> taken_;

  ScriptedHttpServer server_{[this](const ScriptedRequest& request) { return take(request); }};
};

// Independent of what the program uses to sign.
std::string signature_of(const ScriptedRequest& request) {
  const auto key = from_base64(kSecret.substr(6), 64);
  const std::string signed_text = request.headers.at("webhook-id") + "." +
                                  request.headers.at("webhook-timestamp") + "." + request.body;
  return "v1," + to_base64(hmac_sha256(*key, {as_bytes(signed_text)}));
}

struct HookStack {
  Stack stack;
  const json ann = stack.init("ann");
  const std::string name = ann.at("name");

  HookStack() { stack.init("bob"); }
  void publish(const std::string& text) const {
    write(stack.folder() / "ann/site/index.html", text);
    const Ran ran = stack.run("ann", {"publish", "self", "site"});
    INFO(ran.err);
    REQUIRE(ran.exit == 0);
  }
  Command watch(const std::string& url, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"watch",        name,        "--trust",
                                          ann.at("npub"), "--webhook", url};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Command out = stack.command("bob", std::move(arguments));
    out.environment["IPNSCAST_WEBHOOK_SECRET"] = kSecret;
    return out;
  }
};

}  // namespace

TEST_CASE("the signature is the one of the Standard Webhooks libraries") {
  std::string text = kSecret;
  const auto secret = tools::read_webhook_secret(SecretText::take(text));
  REQUIRE(secret);
  CHECK(tools::webhook_signature(secret->view(), "msg_p5jXN8AQM9LWM0D4loKWxJek", {1614265330},
                                 "{\"test\": 2432232314}") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  for (std::string wrong : {"", "whsec_", "whsec_AAAA", "not base64 at all"}) {
    INFO(wrong);
    CHECK_FALSE(tools::read_webhook_secret(SecretText::take(wrong)));
  }
}

TEST_CASE("a webhook gets each change in order, signed, as JSON") {
  const HookStack hook;
  Receiver receiver;
  hook.publish("one");
  test::Process watch(hook.watch(receiver.url()));
  REQUIRE(receiver.wait_for([&] { return receiver.taken().size() == 1; }));
  for (const std::string text : {"two", "three"}) {
    const size_t before = receiver.taken().size();
    hook.publish(text);
    REQUIRE(receiver.wait_for([&] { return receiver.taken().size() > before; }));
  }
  CHECK(receiver.taken() == std::vector<std::string>{"1", "2", "3"});
  for (const ScriptedRequest& request : receiver.requests()) {
    INFO(request.body);
    CHECK(request.method == "POST");
    CHECK(request.headers.at("content-type") == "application/json");
    CHECK(request.headers.at("webhook-id").starts_with("msg_"));
    CHECK(request.headers.at("webhook-signature") == signature_of(request));
    const json body = json::parse(request.body);
    CHECK(body.at("event") == "change");
    CHECK(body.at("name") == hook.name);
  }
  watch.signal(SIGTERM);
  const auto ended = watch.wait(kSoon);
  REQUIRE(ended);
  CHECK(ended->exit == 0);
}

TEST_CASE("what a webhook answers with 500 is posted again under the same id until it is taken") {
  const HookStack hook;
  Receiver receiver;
  receiver.answer_with(500);
  hook.publish("one");
  test::Process watch(hook.watch(receiver.url(), {"--exec", "echo ran >> log"}));
  REQUIRE(receiver.wait_for([&] { return receiver.posts() >= 2; }));
  const auto told = watch.wait_for_line("answers 500: \"words of it\"", kSoon);
  INFO(watch.output());
  REQUIRE(told);
  CHECK(has(*told, "it is posted again"));
  CHECK(receiver.taken().empty());
  receiver.answer_with(204);
  REQUIRE(receiver.wait_for([&] { return receiver.taken().size() == 1; }));
  CHECK(watch.wait_for_line("change", kSoon));
  std::set<std::string> ids;
  for (const ScriptedRequest& request : receiver.requests())
    ids.insert(request.headers.at("webhook-id"));
  CHECK(ids.size() == 1);
  // The command before it had worked, and is not run again for the webhook's sake.
  CHECK(read(hook.stack.folder() / "bob/log") == "ran\n");
}

TEST_CASE("a change that was not taken when watch was killed is posted by the next one") {
  const HookStack hook;
  Receiver receiver;
  receiver.answer_with(503);
  hook.publish("one");
  std::string id;
  {
    test::Process watch(hook.watch(receiver.url()));
    REQUIRE(receiver.wait_for([&] { return receiver.posts() >= 1; }));
    id = receiver.requests().front().headers.at("webhook-id");
    watch.signal(SIGKILL);
    REQUIRE(watch.wait(kSoon));
  }
  receiver.answer_with(200);
  test::Process watch(hook.watch(receiver.url()));
  REQUIRE(receiver.wait_for([&] { return receiver.taken().size() == 1; }));
  CHECK(receiver.requests().back().headers.at("webhook-id") == id);
  hook.publish("two");
  REQUIRE(receiver.wait_for([&] { return receiver.taken().size() == 2; }));
  CHECK(receiver.taken() == std::vector<std::string>{"1", "2"});
}

TEST_CASE("a webhook that is gone is told once, and a redirect leads nowhere") {
  const HookStack hook;
  Receiver receiver;
  receiver.answer_with(410);
  hook.publish("one");
  test::Process watch(hook.watch(receiver.url()));
  const auto gone = watch.wait_for_line("410", kSoon);
  INFO(watch.output());
  REQUIRE(gone);
  CHECK(watch.wait_for_line("sequence 1 ", kSoon));
  receiver.answer_with(307);
  hook.publish("two");
  CHECK(watch.wait_for_line("redirect (307), which is not followed", kSoon));
  receiver.answer_with(200);
  REQUIRE(receiver.wait_for([&] { return receiver.taken().size() == 1; }));
  CHECK(receiver.taken() == std::vector<std::string>{"2"});
  for (const ScriptedRequest& request : receiver.requests()) CHECK(request.target == "/hook");
}

TEST_CASE("a webhook without a secret, or in the clear to another machine, is refused") {
  const HookStack hook;
  Command none = hook.watch("http://127.0.0.1:9/hook");
  none.environment["IPNSCAST_WEBHOOK_SECRET"] = "";
  const Ran unsigned_ = run(none, kSoon);
  CHECK(unsigned_.exit == 2);
  CHECK(has(unsigned_.err, "--webhook-secret-file FILE"));
  const Ran clear = run(hook.watch("http://hooks.example/in?token=hush"), kSoon);
  CHECK(clear.exit == 2);
  CHECK(has(clear.err, "--webhook-http"));
  // A name that only looks like this machine's.
  CHECK(has(run(hook.watch("http://127.0.0.1.hooks.example/in"), kSoon).err, "--webhook-http"));
  CHECK_FALSE(has(clear.err, "hush"));
  Command wrong = hook.watch("http://127.0.0.1:9/hook");
  wrong.environment["IPNSCAST_WEBHOOK_SECRET"] = "hushhush";
  const Ran bad = run(wrong, kSoon);
  CHECK(bad.exit == 2);
  CHECK_FALSE(has(bad.err, "hushhush"));
  const fs::path open_file = hook.stack.folder() / "bob/secret";
  write(open_file, kSecret + "\n");
  fs::permissions(open_file, fs::perms::others_read, fs::perm_options::add);
  const Ran readable =
      run(hook.watch("http://127.0.0.1:9/hook", {"--webhook-secret-file", "secret"}), kSoon);
  CHECK(readable.exit != 0);
  CHECK(has(readable.err, "--webhook-secret-file"));
}
