#pragma once

// Private to nostr/net.
#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/message/message_reader.h"

namespace ipnscast::nostr::net {

// permessage-deflate (RFC 7692) of outgoing connections as far as lws is concerned: it negotiates,
// lets the bit of compressed messages pass, and hands their bytes on as they came; MessageReader
// does the rest. The extension that comes with lws 4.1.6 will not do: Debian's build ends the
// process by an assertion when the text of a message fills its buffer to the byte ("RX trailer" in
// extension-permessage-deflate.c), which any relay can bring about.
//
// We read compressed messages and send none as a client: what a client sends is short.
extern const lws_extension kClientExtensions[2];

// What a receive callback of lws was given.
MessageReader::Part part_of(lws* wsi, const void* in, size_t size);

}  // namespace ipnscast::nostr::net
