#include "ipnscast/nostr/net/deflate_extension.h"

#include "ipnscast/nostr/net/client_socket.h"

namespace ipnscast::nostr::net {
namespace {

constexpr int kGoOn = 0;  // as if there were no extension
constexpr int kRefused = -1;

// What a peer may ask for. All of it suits us: Inflater takes any window with or without takeover,
// and what we send stands alone. RFC 7692 section 7.1
const lws_ext_options kOptions[] = {{"server_no_context_takeover", EXTARG_NONE},
                                    {"client_no_context_takeover", EXTARG_NONE},
                                    {"server_max_window_bits", EXTARG_OPT_DEC},
                                    {"client_max_window_bits", EXTARG_OPT_DEC},
                                    {nullptr, EXTARG_NONE}};

int on_client(lws_context* /*context*/, const lws_extension* /*extension*/, lws* wsi,
              lws_extension_callback_reasons reason, void* /*user*/, void* in, size_t /*size*/) {
  if (reason != LWS_EXT_CB_CLIENT_CONSTRUCT) return kGoOn;
  // A relay may name it many times over; lws 4.1.6 has room for one, and counts those it gets.
  auto* socket = static_cast<ClientSocket*>(lws_get_opaque_user_data(wsi));
  if (socket == nullptr || !socket->agree_on_deflate()) return kRefused;
  *static_cast<const lws_ext_options**>(in) = kOptions;
  return kGoOn;
}

}  // namespace

const lws_extension kClientExtensions[2] = {
    {"permessage-deflate", on_client,
     "permessage-deflate; client_no_context_takeover; client_max_window_bits"},
    {nullptr, nullptr, nullptr}};

MessageReader::Part part_of(lws* wsi, const void* in, size_t size) {
  MessageReader::Part out;
  out.bytes = {static_cast<const char*>(in), size};
  out.first = lws_is_first_fragment(wsi) != 0;
  out.last = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
  out.reserved = lws_get_reserved_bits(wsi);
  return out;
}

}  // namespace ipnscast::nostr::net
