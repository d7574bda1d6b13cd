// libwebsockets as an echo server: one thread, its poll loop, no extensions; each message is assembled, and sent when the
// library says that the connection is writable, as it demands: one message for each such callback.
#include <libwebsockets.h>

#include "descriptors.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <vector>

namespace {

struct message {
    std::vector<unsigned char> bytes = std::vector<unsigned char>(LWS_PRE); // room for the header in front
    bool text                        = false;
};

struct connection {
    std::deque<message> waiting;
    message incoming;
};

int serve(lws* at, lws_callback_reasons why, void* user, void* in, size_t size) {
    auto* const self = static_cast<connection*>(user);
    switch (why) {
    case LWS_CALLBACK_ESTABLISHED: new (user) connection; break;
    case LWS_CALLBACK_CLOSED: self->~connection(); break;
    case LWS_CALLBACK_RECEIVE: {
        const auto* const from = static_cast<const unsigned char*>(in);
        self->incoming.bytes.insert(self->incoming.bytes.end(), from, from + size);
        if (!lws_is_final_fragment(at) || lws_remaining_packet_payload(at) != 0) break;
        self->incoming.text = lws_frame_is_binary(at) == 0;
        self->waiting.push_back(std::move(self->incoming));
        self->incoming = {};
        lws_callback_on_writable(at);
        break;
    }
    case LWS_CALLBACK_SERVER_WRITEABLE: {
        if (self->waiting.empty()) break;
        message& next      = self->waiting.front();
        const size_t bytes = next.bytes.size() - LWS_PRE;
        if (lws_write(at, next.bytes.data() + LWS_PRE, bytes, next.text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY) < 0) return -1;
        self->waiting.pop_front();
        if (!self->waiting.empty()) lws_callback_on_writable(at);
        break;
    }
    default: break;
    }
    return 0;
}

} // namespace

int main(int, char** argv) {
    bench::allow_descriptors();
    lws_set_log_level(LLL_ERR, nullptr);
    static const lws_protocols protocols[] = {{"echo", serve, sizeof(connection), 64 * 1024, 0, nullptr, 0},
                                              {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
    lws_context_creation_info info{};
    info.port      = std::atoi(argv[1]);
    info.iface     = "127.0.0.1";
    info.protocols = protocols;
    info.gid       = static_cast<gid_t>(-1);
    info.uid       = static_cast<uid_t>(-1);
    info.options   = LWS_SERVER_OPTION_DISABLE_IPV6;
    lws_context* const context = lws_create_context(&info);
    if (context == nullptr) return std::fputs("libwebsockets gives no context\n", stderr), 1;
    const int port = lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default"));
    std::printf("listening on ws://127.0.0.1:%d/\n", port);
    std::fflush(stdout);
    while (lws_service(context, 0) >= 0) {}
}
