#include "ipnscast/nostr/net/deflate_extension.h"

#include <array>

#include "ipnscast/nostr/net/client_socket.h"
#include "ipnscast/nostr/net/server_socket.h"

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

int on_server(lws_context* /*context*/, const lws_extension* /*extension*/, lws* wsi,
              lws_extension_callback_reasons reason, void* /*user*/, void* in, size_t /*size*/) {
  auto* connection = static_cast<ServerConnection*>(lws_get_opaque_user_data(wsi));
  if (reason == LWS_EXT_CB_CONSTRUCT) {
    if (connection == nullptr) return kRefused;
    connection->reader->agree_on_deflate();
    *static_cast<const lws_ext_options**>(in) = kOptions;
  }
  if (reason == LWS_EXT_CB_PACKET_TX_PRESEND && connection != nullptr &&
      connection->writing_compressed) {
    auto* const frame = static_cast<lws_tokens*>(in);
    if (frame->token != nullptr && frame->len > 0) frame->token[0] |= kCompressedBit;
  }
  return kGoOn;
}

}  // namespace

const lws_extension kClientExtensions[2] = {
    {"permessage-deflate", on_client,
     "permessage-deflate; client_no_context_takeover; client_max_window_bits"},
    {nullptr, nullptr, nullptr}};

const lws_extension kServerExtensions[2] = {{"permessage-deflate", on_server, nullptr},
                                            {nullptr, nullptr, nullptr}};

MessageReader::Part part_of(lws* wsi, const void* in, size_t size) {
  MessageReader::Part out;
  out.bytes = {static_cast<const char*>(in), size};
  out.first = lws_is_first_fragment(wsi) != 0;
  out.last = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
  out.reserved = lws_get_reserved_bits(wsi);
  return out;
}

bool deflate_offer_fits(lws* wsi) {
  std::array<char, 512> offer{};
  const int size =
      lws_hdr_copy(wsi, offer.data(), static_cast<int>(offer.size()), WSI_TOKEN_EXTENSIONS);
  if (size < 0) return false;
  return std::string_view(offer.data(), static_cast<size_t>(size)).find("server_max_window_bits") ==
         std::string_view::npos;
}

}  // namespace ipnscast::nostr::net
