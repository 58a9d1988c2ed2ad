#pragma once

// Private to nostr/net.
#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/message/message_reader.h"

namespace ipnscast::nostr::net {

// permessage-deflate (RFC 7692) as far as lws is concerned: it negotiates, lets the bit of
// compressed messages pass, and hands their bytes on as they came; MessageReader and Deflater do
// the rest. The extension that comes with lws 4.1.6 will not do: Debian's build ends the process by
// an assertion when the text of a message fills its buffer to the byte ("RX trailer" in
// extension-permessage-deflate.c), which any relay can bring about.
//
// We read compressed messages and send none as a client (what a client sends is short); a server
// of ours sends messages that each stand alone.
extern const lws_extension kClientExtensions[2];
extern const lws_extension kServerExtensions[2];

// Whether a server can do what the client's offer (Sec-WebSocket-Extensions) asks for: no smaller
// window than the full one.
bool deflate_offer_fits(lws* wsi);

// What a receive callback of lws was given.
MessageReader::Part part_of(lws* wsi, const void* in, size_t size);

}  // namespace ipnscast::nostr::net
