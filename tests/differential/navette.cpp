// navette in the differential tests, and the two functions that stand on it: the answer to a client, and the reader of
// what was written.
#include "partner.hpp"

#include <navette/handshake/accept_key.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/protocol/protocol.hpp>
#include <navette/version.hpp>

#include <algorithm>
#include <stdexcept>

namespace differential {

namespace {

using namespace navette;

constexpr limits bounds{.max_message_size = longest_message};

template <class Protocol>
class conversation {
    Protocol ws_{agreement{}, bounds, repeatable()};
    std::string message_;
    outcome& result_;

    // Masks of zeros: what a client writes is compared, and must not depend on chance.
    static entropy repeatable() {
        return {[](void*, byte_span out) noexcept {
                    std::fill(out.begin(), out.end(), std::byte{0});
                    return true;
                },
                nullptr};
    }

public:
    explicit conversation(outcome& result) : result_(result) {}

    bool receive(byte_span in, buffer& out) {
        while (const event e = ws_.receive(in, out)) {
            if (e.is_message()) {
                if (e.first) message_ = e.type == event_type::text ? "t" : "b";
                message_ += e.text();
                if (e.last) result_.messages.push_back(message_);
            } else if (e.type == event_type::close) {
                result_.end = ending::closed;
                return false;
            } else if (e.type == event_type::failed) {
                result_.end       = ending::failed;
                result_.why       = facts(e.error).name;
                result_.broken_by = e.text();
                return false;
            }
        }
        return true;
    }
};

template <class Protocol>
void converse(const input& from, outcome& result, buffer& out) {
    conversation<Protocol> talk(result);
    from.each_piece([&](std::string_view piece) {
        std::string copy(piece);
        return talk.receive(std::as_writable_bytes(std::span(copy)), out);
    });
}

void shake_hands(const input& from, outcome& result, buffer& out) {
    const server_options options{.origins = origin_policy::any()};
    buffer head;
    server_handshake handshake(options, head);
    conversation<server_protocol> talk(result);
    bool is_open = false;
    from.each_piece([&](std::string_view piece) {
        std::string copy(piece);
        byte_span in = std::as_writable_bytes(std::span(copy));
        if (!is_open) {
            switch (handshake.receive(in, out)) {
            case handshake_status::need_more: return true;
            case handshake_status::refused:
                result.end       = ending::refused;
                result.why       = facts(handshake.error()).name;
                result.broken_by = handshake.broken_by();
                return false;
            case handshake_status::plain_request:
                result.end = ending::refused;
                result.why = "plain_request";
                return false;
            case handshake_status::upgrade: break;
            }
            if (!handshake.accept() || append_http1(handshake.response(), out) != errc{})
                throw std::runtime_error("an upgrade was not accepted");
            is_open = true;
        }
        return talk.receive(in, out);
    });
}

outcome receive(const input& from) {
    outcome result;
    buffer out;
    switch (from.to) {
    case receiver::server: converse<server_protocol>(from, result, out); break;
    case receiver::client: converse<client_protocol>(from, result, out); break;
    case receiver::handshake: shake_hands(from, result, out); break;
    }
    read_output(as_text(out.data()), from.to == receiver::handshake, from.to == receiver::client,
                result);
    return result;
}

// The value of the first field of that name; the head is one that was made here.
std::string_view value_of(std::string_view head, std::string_view field) {
    const std::size_t at = head.find(field);
    if (at == std::string_view::npos) return {};
    const std::size_t begin = head.find_first_not_of(' ', at + field.size());
    return head.substr(begin, head.find('\r', begin) - begin);
}

} // namespace

const partner navette_itself{"navette", NAVETTE_VERSION, true, true, receive};

std::string answer_to(std::string_view request) {
    const auto key = accept_key(value_of(request, "Sec-WebSocket-Key:"));
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           std::string(key.data(), key.size()) + "\r\n\r\n";
}

// Written for frames that are known to be short and whole; it shares nothing with the library's own reader.
void read_output(std::string_view written, bool has_head, bool masked, outcome& result) {
    const auto refuse = [](const char* why) { throw std::runtime_error(why); };
    while (has_head) {
        const std::size_t end = written.find("\r\n\r\n");
        if (end == std::string_view::npos) return;
        const std::string_view head = written.substr(0, end + 2);
        written.remove_prefix(end + 4);
        if (head.substr(0, 12) == "HTTP/1.1 100") continue;
        if (head.substr(0, 12) != "HTTP/1.1 101") return; // what follows is the body of a refusal
        result.accept = value_of(head, "Sec-WebSocket-Accept:");
        break;
    }
    while (!written.empty()) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(written[i]); };
        if (written.size() < 2) refuse("half a header was written");
        const std::size_t size = byte(1) & 0x7f, header = masked ? 6 : 2;
        if (size > 125 || (byte(1) >> 7 != 0) != masked || written.size() < header + size)
            refuse("what was written is no control frame");
        std::string payload(written.substr(header, size));
        for (std::size_t i = 0; masked && i < size; ++i) payload[i] ^= written[2 + i % 4];
        switch (byte(0)) {
        case 0x8a: result.pongs.push_back(payload); break;
        case 0x88:
            if (size == 1) refuse("a Close of one byte was written");
            result.close = size == 0 ? 1005
                                     : static_cast<unsigned char>(payload[0]) * 256u +
                                           static_cast<unsigned char>(payload[1]);
            result.reason = payload.substr(size == 0 ? 0 : 2);
            break;
        default: refuse("neither a Pong nor a Close was written");
        }
        written.remove_prefix(header + size);
        if (result.close != 0) {
            result.behind_close = std::string(written);
            return;
        }
    }
}

} // namespace differential
