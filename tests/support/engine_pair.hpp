// Two transport engines back to back, without streams or threads: what one appends is given to the other, so many bytes at
// a time, each in memory of its own that is overwritten after the call.
#pragma once

#include <navette/stream/transport_engine.hpp>

#include <algorithm>
#include <string>
#include <vector>

struct engine_side {
    navette::transport_engine engine{};
    navette::buffer           out{};       // owed to the other
    std::string               plain{};     // received
    std::error_code           error{};
    bool                      ended = false, open = false;

    // Gives `cipher` to the engine, and takes what it makes of it.
    void receive(navette::const_byte_span cipher, std::size_t room = 100) {
        std::vector<std::byte> copy(cipher.begin(), cipher.end()), place(room);
        navette::byte_span     in(copy);
        while (!error && !ended) {
            const auto step = engine.receive(in, place, out);
            plain += navette::as_text(navette::const_byte_span(place).first(step.produced));
            error = step.error;
            ended = step.ended;
            if (step.produced == 0 && in.empty()) break;
        }
        std::fill(copy.begin(), copy.end(), std::byte{0xdd});
    }
    // Sends as much of `text` as it can now; how much that was.
    std::size_t send(std::string_view text) {
        std::size_t sent = 0;
        while (!error) {
            navette::const_byte_span rest = navette::as_bytes(text.substr(sent));
            const auto               step = engine.send(rest, out);
            const std::size_t        took = text.size() - sent - rest.size();
            error = step.error;
            open  = step.open;
            sent += took;
            if (took == 0 || sent == text.size()) break;
        }
        return sent;
    }
    std::error_code shut_down() { return engine.shutdown(out).error; }
};

struct engine_pair {
    engine_side client{}, server{};

    // Carries what is owed, both ways, until nothing is, `piece` bytes at a time.
    void carry(std::size_t piece = static_cast<std::size_t>(-1)) {
        while (!client.out.empty() || !server.out.empty()) {
            carry(client, server, piece);
            carry(server, client, piece);
        }
    }
    // Shakes hands; true if both sides are open then.
    bool shake_hands(std::size_t piece = static_cast<std::size_t>(-1)) {
        client.send({});
        carry(piece);
        client.send({});
        server.send({});
        carry(piece);
        return client.open && server.open && !client.error && !server.error;
    }

private:
    static void carry(engine_side& from, engine_side& to, std::size_t piece) {
        while (!from.out.empty()) {
            const auto next = from.out.data().first(std::min(piece, from.out.size()));
            if (to.engine) to.receive(next);
            from.out.consume(next.size());
        }
    }
};
