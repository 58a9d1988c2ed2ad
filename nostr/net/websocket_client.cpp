#include "ipnscast/nostr/net/websocket_client.h"

#include <array>

#include "ipnscast/nostr/net/client_socket.h"
#include "ipnscast/nostr/net/deflate_extension.h"
#include "ipnscast/nostr/net/http/http_refusal.h"

namespace ipnscast::nostr::net {
namespace {

int http_status_of(lws* wsi) { return static_cast<int>(lws_http_client_http_response(wsi)); }

Milliseconds retry_after_of(lws* wsi) {
  std::array<char, 64> text{};
  const int size =
      lws_hdr_copy(wsi, text.data(), static_cast<int>(text.size()), WSI_TOKEN_HTTP_RETRY_AFTER);
  if (size <= 0) return Milliseconds(0);
  return retry_after({text.data(), static_cast<size_t>(size)}, system_now().wall);
}

// Of the answer that accepts us. lws drops it before LWS_CALLBACK_CLIENT_ESTABLISHED.
std::string date_of(lws* wsi) {
  std::array<char, 64> text{};
  const int size =
      lws_hdr_copy(wsi, text.data(), static_cast<int>(text.size()), WSI_TOKEN_HTTP_DATE);
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<size_t>(size));
}

int dispatch(ClientSocket* socket, lws* wsi, lws_callback_reasons reason, void* in, size_t size) {
  switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: {
      const std::string why(static_cast<const char*>(in), in == nullptr ? 0 : size);
      const int status = why.rfind("HS:", 0) == 0 ? http_status_of(wsi) : 0;
      const Milliseconds wait = status == 0 ? Milliseconds(0) : retry_after_of(wsi);
      lws_set_opaque_user_data(wsi, nullptr);
      socket->connection_error(why, status, wait);
      return 0;
    }
    case LWS_CALLBACK_WSI_CREATE:
      socket->created(wsi);
      return 0;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
      socket->accepted(date_of(wsi));
      return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      return socket->established();
    case LWS_CALLBACK_CLIENT_RECEIVE:
      // NIP-01 has text frames only. One bad event must not cut us off from all others, at each
      // reconnect: this one is passed over, as is text that is not UTF-8 where it is parsed.
      if (lws_frame_is_binary(wsi)) return 0;
      return socket->received(part_of(wsi, in, size));
    case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
      return socket->offers_deflate() ? 0 : 1;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
      return socket->pong();
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return socket->writable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      socket->peer_closing({static_cast<const char*>(in), size});
      return 0;
    case LWS_CALLBACK_WS_CLIENT_DROP_PROTOCOL:
      socket->closing();
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
      lws_set_opaque_user_data(wsi, nullptr);
      socket->closed();
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      // lws 4.1.6 frees a socket without another word when its request cannot be written.
      lws_set_opaque_user_data(wsi, nullptr);
      if (socket->wsi() == wsi) socket->destroyed();
      return 0;
    default:
      return 0;
  }
}

}  // namespace

// Returning -1 from a receive callback makes lws 4.1.6 free the socket's buffers twice when more of
// a frame is waiting, so a socket that was let go of is closed when it can be written to, or by its
// timeout (see ClientSocket::drop_wsi), and deaf until then.
int on_client_event(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, size_t size) {
  auto* socket = static_cast<ClientSocket*>(lws_get_opaque_user_data(wsi));
  if (socket == nullptr) return reason == LWS_CALLBACK_CLIENT_WRITEABLE ? -1 : 0;
  return dispatch(socket, wsi, reason, in, size);
}

std::unique_ptr<WebSocketClient> connect(Loop& loop, const RelayUrl& url, ClientOptions options,
                                         ClientHandlers handlers) {
  return std::make_unique<ClientSocket>(loop.impl(), url, std::move(options), std::move(handlers));
}

}  // namespace ipnscast::nostr::net
