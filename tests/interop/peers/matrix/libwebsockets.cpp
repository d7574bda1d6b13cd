// libwebsockets as a peer.
#include "echo.hpp"

#include <libwebsockets.h>

#include <deque>

namespace {

struct frame {
    std::string payload;
    int protocol; // an lws_write_protocol, with its flags
};

struct conversation {
    echo said{};
    std::string come{};
    std::deque<frame> owed{};
    unsigned code = 1006, closing = 0;
    std::string reason{}, farewell{};
    std::string leaving{}; // a compressed payload is read until the next callback
    bool is_closing = false, is_cut = false;
};

bool is_done = false; // a client's connection

void obey(conversation& it, const echo::order& order) {
    if (order.what == "/pings") {
        for (unsigned i = 0; i < order.number; ++i) it.owed.push_back({std::to_string(i), LWS_WRITE_PING});
    } else if (order.what == "/close") {
        it.is_closing = true;
        it.closing = order.number;
        it.farewell = order.rest;
    } else if (order.what == "/cut") {
        it.is_cut = true;
    }
}

void take(lws* wsi, conversation& it, const void* in, std::size_t size) {
    it.come.append(static_cast<const char*>(in), size);
    if (lws_remaining_packet_payload(wsi) != 0 || !lws_is_final_fragment(wsi)) return;
    const bool binary = lws_frame_is_binary(wsi) != 0;
    const echo::order order = it.said.take(it.come, !binary);
    if (order.what.empty()) {
        const auto pieces = it.said.pieces(it.come);
        for (std::size_t i = 0; i < pieces.size(); ++i)
            it.owed.push_back({pieces[i], lws_write_ws_flags(binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, i == 0,
                                                             i + 1 == pieces.size())});
    } else {
        obey(it, order);
    }
    it.come.clear();
    lws_callback_on_writable(wsi);
}

int give(lws* wsi, conversation& it) {
    if (it.is_cut) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        return 0;
    }
    if (it.owed.empty()) {
        if (!it.is_closing) return 0;
        auto* reason = reinterpret_cast<unsigned char*>(it.farewell.data());
        if (it.closing != 0) lws_close_reason(wsi, static_cast<lws_close_status>(it.closing), reason, it.farewell.size());
        return -1;
    }
    frame next = std::move(it.owed.front());
    it.owed.pop_front();
    it.leaving = std::string(LWS_PRE, '\0') + next.payload;
    auto* payload = reinterpret_cast<unsigned char*>(it.leaving.data()) + LWS_PRE;
    if (lws_write(wsi, payload, next.payload.size(), static_cast<lws_write_protocol>(next.protocol)) < 0) return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

int callback(lws* wsi, lws_callback_reasons why, void* user, void* in, std::size_t size) {
    auto** it = static_cast<conversation**>(user);
    switch (why) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_ESTABLISHED: *it = new conversation; break;
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE: take(wsi, **it, in, size); break;
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG: ++(*it)->said.pongs; break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE: return give(wsi, **it);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: {
        const auto* bytes = static_cast<const unsigned char*>(in);
        (*it)->code = size < 2 ? 1005 : static_cast<unsigned>(bytes[0] << 8 | bytes[1]);
        if (size > 2) (*it)->reason.assign(reinterpret_cast<const char*>(bytes) + 2, size - 2);
        break;
    }
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        not_opened(in != nullptr ? static_cast<const char*>(in) : "no reason");
        is_done = true;
        break;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
        // The answer to a Close of its own is kept from us.
        (*it)->said.report((*it)->is_closing ? echo::unknown : (*it)->code, (*it)->reason);
        delete *it;
        is_done = true;
        break;
    default: break;
    }
    return 0;
}

const lws_protocols protocols[] = {{"echo", callback, sizeof(conversation*), 65536, 0, nullptr, 0},
                                   {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
const lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate; client_max_window_bits"},
    {nullptr, nullptr, nullptr}};

lws_context* context(int port) {
    lws_set_log_level(0, nullptr);
    lws_context_creation_info info{};
    info.port = port;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.extensions = extensions;
    info.gid = info.uid = static_cast<decltype(info.uid)>(-1);
    return lws_create_context(&info);
}

void call(const std::string& url) {
    const address to(url);
    lws_context* all = context(CONTEXT_PORT_NO_LISTEN);
    lws_client_connect_info info{};
    info.context = all;
    info.address = info.host = "127.0.0.1";
    info.port = to.port;
    info.path = to.path.c_str();
    info.protocol = info.local_protocol_name = "echo";
    is_done = false;
    if (lws_client_connect_via_info(&info) == nullptr && !is_done) not_opened("no connection");
    while (!is_done && lws_service(all, 0) >= 0) {}
    lws_context_destroy(all);
}

} // namespace

int main(int argc, char** argv) {
    if (std::string(argv[1]) == "server") {
        lws_context* all = context(0);
        listening(static_cast<unsigned>(lws_get_vhost_listen_port(lws_get_vhost_by_name(all, "default"))));
        while (lws_service(all, 0) >= 0) {}
    }
    for (int i = 2; i < argc; ++i) call(argv[i]);
}
