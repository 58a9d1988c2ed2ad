#include "ipnscast/nostr/signer/nip46.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

namespace {

const std::string kKey = "fa984bd7dbb282f07e16e7ae87b26a2a7b9b90b7246a44771f0cf5ae58018f52";

SecretText secret(std::string text) { return SecretText::take(text); }

}  // namespace

TEST_CASE("a bunker address is read as other clients read it") {
  const auto uri =
      parse_bunker_uri("bunker://" + kKey +
                       "?relay=wss%3A%2F%2Frelay.example%2Fa%3Fb%3D1&relay=ws://127.0.0.1:7777"
                       "&secret=a%20b+c%26&unknown=1&relay=wss://relay.example/a?b=1");
  REQUIRE(uri);
  CHECK(to_hex(uri->signer.view()) == kKey);
  REQUIRE(uri->relays.size() == 2);  // the third is the first again
  CHECK(uri->relays[0].text() == "wss://relay.example/a?b=1");
  CHECK(uri->relays[1].text() == "ws://127.0.0.1:7777");
  CHECK(uri->secret.view() == "a b c&");

  const auto again = parse_bunker_uri(to_text(*uri));
  REQUIRE(again);
  CHECK(again->signer == uri->signer);
  CHECK(again->relays == uri->relays);
  CHECK(again->secret.view() == uri->secret.view());
  CHECK(parse_bunker_uri("bunker://" + kKey + "?relay=wss://r.example")->secret.view().empty());
}

TEST_CASE("a nostrconnect address carries all that the signer has to know") {
  NostrConnectUri uri;
  uri.client = PublicKey::from(*from_hex(kKey));
  uri.relays = {*RelayUrl::parse("wss://relay.example")};
  uri.secret = secret("0s8j2djs");
  uri.perms = {"nip44_encrypt", "sign_event:30078"};
  uri.name = "ipns & cast";
  uri.url = "https://example.com/?a=b";
  const std::string text = to_text(uri);
  CHECK(text ==
        "nostrconnect://" + kKey +
            "?secret=0s8j2djs&relay=wss%3a%2f%2frelay.example&perms=nip44_encrypt%2csign_"
            "event%3a30078&name=ipns%20%26%20cast&url=https%3a%2f%2fexample.com%2f%3fa%3db");
  const auto read = parse_nostr_connect_uri(text);
  REQUIRE(read);
  CHECK(read->client == uri.client);
  CHECK(read->relays == uri.relays);
  CHECK(read->secret.view() == "0s8j2djs");
  CHECK(read->perms == uri.perms);
  CHECK(read->name == uri.name);
  CHECK(read->url == uri.url);
  CHECK(read->image.empty());
}

TEST_CASE("addresses that make no sense are refused") {
  const std::string good = "bunker://" + kKey + "?relay=wss://r.example";
  REQUIRE(parse_bunker_uri(good));
  for (const std::string& text :
       {std::string(), std::string("bunker://"), "bunker://" + kKey,
        "bunker://" + kKey + "?relay=", "bunker://" + kKey.substr(1) + "?relay=wss://r.example",
        good + "&relay=http://r.example", good + "&secret=%", good + "&secret=%0",
        good + "&secret=%zz", good + "&secret=%ff", good + "&secret=a&secret=b",
        "nostrconnect://" + kKey + "?relay=wss://r.example&secret=x"}) {
    INFO(text);
    CHECK(parse_bunker_uri(text).error().code == Errc::parse);
  }
  CHECK(parse_bunker_uri(good + "&x=" + std::string(4096, 'x')).error().code == Errc::too_large);
  std::string many = good;
  for (int i = 0; i < 20; ++i) many += "&relay=wss://r" + std::to_string(i) + ".example";
  CHECK(parse_bunker_uri(many).error().code == Errc::too_large);
  // The signer would have nothing to show.
  CHECK(parse_nostr_connect_uri("nostrconnect://" + kKey + "?relay=wss://r.example").error().code ==
        Errc::parse);
}

TEST_CASE("what signers answer is read in all the ways that they write it") {
  const auto read = [](const char* json) { return parse_signer_response(json); };
  CHECK(read(R"({"id":"a","result":"pong"})")->result == "pong");
  CHECK(read(R"({"id":"a","result":"pong","error":null})")->error.empty());
  CHECK(read(R"({"id":"a","result":null,"error":"no"})")->error == "no");
  CHECK(read(R"({"id":"a","error":"no","more":[1]})")->result.empty());
  for (const char* json :
       {R"({"result":"pong"})", R"({"id":"","result":"pong"})", R"({"id":1,"result":"pong"})",
        R"({"id":"a","result":{"a":1}})", R"({"id":"a","result":["x"]})", R"({"id":"a","error":7})",
        "[]", "", "x"}) {
    INFO(json);
    CHECK(read(json).error().code == Errc::parse);
  }
  CHECK(read((R"({"id":")" + std::string(65, 'a') + R"("})").c_str()).error().code ==
        Errc::too_large);
  CHECK(parse_signer_response("{}", {.max_bytes = 1}).error().code == Errc::too_large);

  const SignerResponse said{"x\"1", "a\nb", ""};
  CHECK(parse_signer_response(to_json(said))->result == said.result);
  CHECK(to_json(SignerResponse{"1", "error", "no"}) ==
        R"({"id":"1","result":"error","error":"no"})");
}

TEST_CASE("requests to a signer are what NIP-46 says, and are read back") {
  const SignerRequest request{"1", "connect", {kKey, "se\"cret"}};
  CHECK(to_json(request) ==
        R"({"id":"1","method":"connect","params":[")" + kKey + R"(","se\"cret"]})");
  const auto read = parse_signer_request(to_json(request));
  REQUIRE(read);
  CHECK(read->method == "connect");
  CHECK(read->params == request.params);
  CHECK(parse_signer_request(R"({"id":"1","method":"ping"})")->params.empty());
  CHECK_FALSE(parse_signer_request(R"({"id":"1","method":"ping","params":[1]})"));
  CHECK_FALSE(parse_signer_request(R"({"id":"1","method":"ping","params":"x"})"));
  CHECK_FALSE(parse_signer_request(R"({"id":"1","params":[]})"));
  CHECK(parse_signer_request(R"({"id":"1","method":"m","params":["a","b"]})", {.max_params = 1})
            .error()
            .code == Errc::too_large);

  const UnsignedEvent event{
      .created_at = {7}, .kind = 30078, .tags = {{"d", "x"}}, .content = "a\"b"};
  CHECK(to_json(event, PublicKey::from(*from_hex(kKey))) ==
        R"({"kind":30078,"content":"a\"b","tags":[["d","x"]],"created_at":7,"pubkey":")" + kKey +
            "\"}");
}

TEST_CASE("only web pages that a person may open are shown") {
  for (const char* good : {"https://signer.example/auth?x=1", "http://127.0.0.1:8080/a",
                           "http://localhost/", "http://[::1]:1"}) {
    CHECK(is_auth_url(good));
  }
  for (const char* bad :
       {"", "https://", "http://signer.example", "http://localhost.evil.example", "javascript:x",
        "file:///etc/passwd", "https://a b", "https://a\x1b[2J", "https://a\nb", "HTTPS"}) {
    CHECK_FALSE(is_auth_url(bad));
  }
  CHECK_FALSE(is_auth_url("https://" + std::string(2048, 'x')));
}

TEST_CASE("an event that a signer altered anywhere is not taken") {
  const SecretKey user = SecretKey::generate();
  const UnsignedEvent asked{
      .created_at = {1'700'000'000}, .kind = 30078, .tags = {{"d", "x"}}, .content = "c"};
  const Event good = sign_event(user, asked);
  CHECK(check_signed_as_asked(asked, user.public_key(), good));

  const auto code = [&](const UnsignedEvent& other, const SecretKey& key) {
    return check_signed_as_asked(asked, user.public_key(), sign_event(key, other)).error().code;
  };
  UnsignedEvent other = asked;
  other.kind = 1;
  CHECK(code(other, user) == Errc::mismatch);
  other = asked;
  other.created_at.value += 1;
  CHECK(code(other, user) == Errc::mismatch);
  other = asked;
  other.tags.push_back({"client", "evil"});
  CHECK(code(other, user) == Errc::mismatch);
  other = asked;
  other.content += " ";
  CHECK(code(other, user) == Errc::mismatch);
  CHECK(code(asked, SecretKey::generate()) == Errc::mismatch);
  Event forged = good;
  forged.sig.bytes[3] ^= 1;
  CHECK(check_signed_as_asked(asked, user.public_key(), forged).error().code == Errc::signature);
  forged = good;
  forged.id.bytes[3] ^= 1;
  CHECK(check_signed_as_asked(asked, user.public_key(), forged).error().code == Errc::signature);
}
