#pragma once

#include <string>
#include <string_view>

#include "ipnscast/nostr/event/event.h"

// How we write JSON on the wire: the escapes of NIP-01's canonical form, which every JSON reader
// takes as well. Private to this layer.
namespace ipnscast::nostr {

// Appends `text` in quotes: \n \" \\ \r \t \b \f, other characters below 0x20 as \u00xx in lower
// case, everything else as it is. `text` is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

void append_number(std::string& out, int64_t number);

// "<hex>", in quotes.
void append_hex_string(std::string& out, ByteView bytes);

// [["d","x"],...]
void append_tags(std::string& out, const std::vector<Tag>& tags);

// The event object with its seven members.
void append_event(std::string& out, const Event& event);

// [0,pubkey,created_at,kind,tags,content]. NIP-01.
void append_canonical(std::string& out, const PublicKey& pubkey, UnixSeconds created_at, int kind,
                      const std::vector<Tag>& tags, std::string_view content);

bool valid_utf8(std::string_view text);

// The number of characters (code points) of valid UTF-8.
size_t count_characters(std::string_view text);

}  // namespace ipnscast::nostr
