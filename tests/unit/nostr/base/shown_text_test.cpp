#include "ipnscast/nostr/base/text/shown_text.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;

TEST_CASE("nothing that a stranger wrote steers a terminal or begins a line of its own (C4)") {
  CHECK(shown_text("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f") ==
        "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f");
  CHECK(shown_text("\x1b[2J") == "\\u001b[2J");
  CHECK(shown_text("one\r\ntwo\tthree\x7f") == "one\\u000d\\u000atwo\\u0009three\\u007f");
  CHECK(shown_text(std::string_view("a\0b", 3)) == "a\\u0000b");
  CHECK(shown_text("\xc2\x9b"
                   "31m") == "\\u009b31m");
  CHECK(shown_text("\xc2\x80\xc2\x9f\xc2\xa0") == "\\u0080\\u009f\xc2\xa0");
  CHECK(shown_text("gpj\xe2\x80\xae.exe") == "gpj\\u202e.exe");
  CHECK(shown_text("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa") ==
        "\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a");
  CHECK(shown_text("\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa") == "\\u2066\\u2069\xe2\x81\xaa");
}

TEST_CASE("bytes that are no text are shown as such, the text beside them as it is (C4)") {
  const std::string none = "\xef\xbf\xbd";
  CHECK(shown_text("caf\xe9!") == "caf" + none + "!");
  CHECK(shown_text("\x9b") == none);
  CHECK(shown_text("\xc0\x9b") == none + none);             // an overlong ESC stays none
  CHECK(shown_text("\xe0\x80\x9b") == none + none + none);  // the same in three bytes
  CHECK(shown_text("\xf0\x80\x80\x9b") == none + none + none + none);
  CHECK(shown_text("\xed\xa0\x80") == none + none + none);  // a surrogate
  CHECK(shown_text("\xf4\x90\x80\x80") == none + none + none + none);
  CHECK(shown_text("\xe2\x80") == none + none);  // cut
  CHECK(shown_text("\xe2\x1b[") == none + "\\u001b[");
}

TEST_CASE("a message keeps of a secret only how it begins (C9)") {
  const std::string key(58, 'q');
  CHECK(without_secrets("\"nsec1" + key + "\": no target") == "\"nsec1...\": no target");
  CHECK(without_secrets("NSEC1" + key) == "NSEC1...");
  CHECK(without_secrets("nostr:nsec1" + key + "/x") == "nostr:nsec1.../x");
  CHECK(without_secrets("ncryptsec1" + key) == "ncryptsec1...");
  CHECK(without_secrets("bunker://ab?relay=wss://a.b&secret=hush&x=1") ==
        "bunker://ab?relay=wss://a.b&secret=...&x=1");
  CHECK(without_secrets("http://me:hush@gate.way/ipfs and https://gate.way/@x") ==
        "http://...@gate.way/ipfs and https://gate.way/@x");
  for (const std::string& text :
       {std::string("nsec1"), "npub1" + key, std::string("a?secret="), std::string()}) {
    CHECK(without_secrets(text) == text);
    CHECK_FALSE(holds_secret(text));
  }
  CHECK(holds_secret("x nsec1" + key));
  CHECK(holds_secret("socks5://u:p@h:1"));
}
