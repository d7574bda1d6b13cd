// An async_connection and the test that is its peer, on one loop: what the peer says is written as unmasked hex, what it
// hears is unmasked, so that one case serves both roles.
#pragma once

#include "support/async_memory.hpp"
#include "support/endpoint.hpp"

#include <navette/stream/async_connection.hpp>

#include <functional>
#include <memory>

template <navette::role R>
struct async_pair {
    using connection = navette::async_connection<R, async_memory>;
    using protocol   = navette::protocol<R>;

    test_loop                   loop;
    async_peer                  peer{loop};
    std::weak_ptr<void>         probe;            // expired once nothing holds the stream
    std::function<void()>       cancel_read;
    std::unique_ptr<connection> ws;
    byte_vector                 undelivered{};    // a part of a frame

    explicit async_pair(const navette::timeouts& times = {}, const navette::limits& bounds = navette::default_limits,
                        const navette::agreement& agreed = {}, std::string_view already_read = {}, navette::entropy source = {}) {
        async_memory stream = peer.stream();
        probe               = stream.probe();
        cancel_read         = stream.read_canceller();
        auto made = connection::open(std::move(stream), agreed, bounds, times, from_peer<protocol>(bytes(already_read)), source);
        if (!made) throw std::system_error(made.error());
        ws = std::make_unique<connection>(*std::move(made));
        loop.run();
    }

    void says(std::string_view unmasked_hex) { says(bytes(unmasked_hex)); }
    void says(const byte_vector& unmasked) { peer.say(from_peer<protocol>(unmasked)); }

    // The whole frames that have come, unmasked.
    byte_vector hears() {
        byte_vector unmasked;
        for (const wire_frame& f : frames_of(peer.hear())) {
            if (f.masked != (R == navette::role::client)) throw std::runtime_error("masked against the role");
            unmasked = concat(unmasked, frame(f.first, f.payload));
        }
        return unmasked;
    }
};

// What a read brought, as text.
inline std::string told(const navette::io_result<navette::message>& got) {
    if (!got) return "error: " + got.error().message();
    return (got->type == navette::opcode::text ? "text " : "binary ") + std::string(navette::as_text(got->data));
}
inline std::string told(const navette::io_result<navette::message_piece>& got) {
    if (!got) return "error: " + got.error().message();
    return std::string(got->type == navette::opcode::text ? "text" : "binary") +
           (got->first && got->last ? "" : got->first ? "(first)" : got->last ? "(last)" : "(middle)") + " " +
           std::string(navette::as_text(got->data));
}
