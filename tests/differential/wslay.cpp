// wslay in the differential tests: its event API, which has no opening handshake.
#include "partner.hpp"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

namespace differential {

namespace {

struct connection {
    std::string_view input{};
    std::string written{};
    outcome result{};
    wslay_event_context_ptr context = nullptr;

    static ssize_t read(wslay_event_context_ptr ws, std::uint8_t* to, std::size_t size, int,
                        void* self) {
        std::string_view& left = static_cast<connection*>(self)->input;
        const std::size_t n    = std::min(size, left.size());
        if (n == 0) {
            wslay_event_set_error(ws, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        std::memcpy(to, left.data(), n);
        left.remove_prefix(n);
        return static_cast<ssize_t>(n);
    }
    static ssize_t write(wslay_event_context_ptr, const std::uint8_t* data, std::size_t size, int,
                         void* self) {
        static_cast<connection*>(self)->written.append(data, data + size);
        return static_cast<ssize_t>(size);
    }
    static int make_key(wslay_event_context_ptr, std::uint8_t* key, std::size_t size, void*) {
        std::memset(key, 0, size);
        return 0;
    }
    // It writes when it is told to, and drops the Pongs that are still queued once a Close is.
    static void on_message(wslay_event_context_ptr ws, const wslay_event_on_msg_recv_arg* message,
                           void* self) {
        if (wslay_event_send(ws) != 0) throw std::runtime_error("wslay could not write");
        if (wslay_is_ctrl_frame(message->opcode)) return;
        std::string whole(1, message->opcode == WSLAY_TEXT_FRAME ? 't' : 'b');
        whole.append(message->msg, message->msg + message->msg_length);
        static_cast<connection*>(self)->result.messages.push_back(std::move(whole));
    }

    explicit connection(bool is_server) {
        const wslay_event_callbacks callbacks{read,    write,   make_key,  nullptr,
                                              nullptr, nullptr, on_message};
        const auto init = is_server ? wslay_event_context_server_init : wslay_event_context_client_init;
        if (init(&context, &callbacks, this) != 0) throw std::bad_alloc();
        wslay_event_config_set_max_recv_msg_length(context, longest_message);
    }
    connection(const connection&)            = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { wslay_event_context_free(context); }

    bool receive(std::string_view piece) {
        input            = piece;
        const int status = wslay_event_recv(context);
        if (wslay_event_send(context) != 0) throw std::runtime_error("wslay could not write");
        if (wslay_event_get_close_received(context)) result.end = ending::closed;
        else if (status != 0 || wslay_event_get_read_enabled(context) == 0) result.end = ending::failed;
        if (status != 0) result.why = "error " + std::to_string(status);
        return result.end == ending::waits;
    }
};

outcome receive(const input& from) {
    connection ws(from.to == receiver::server);
    from.each_piece([&](std::string_view piece) { return ws.receive(piece); });
    read_output(ws.written, false, from.to == receiver::client, ws.result);
    return ws.result;
}

} // namespace

// Its header still names an older version.
const partner wslay{"wslay", "1.1.1", false, true, receive};

} // namespace differential
