// What the differential tests ask of a WebSocket implementation: it gets the bytes of a peer, cut in pieces, and says how
// that ended, what it delivered and what it wrote. C++17, because websocketpp is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace differential {

/// Whom the bytes are for: a server or a client whose connection is open, with no extension agreed, or a server that
/// waits for an upgrade request, behind which frames may come.
enum class receiver : char { server = 's', client = 'c', handshake = 'h' };

struct input {
    receiver to = receiver::server;
    std::string bytes;
    std::vector<std::size_t> cuts{}; ///< ascending offsets at which a new piece begins

    /// `take(piece)` for each piece, until it returns false.
    template <class Take>
    void each_piece(Take take) const {
        std::size_t begin = 0;
        for (std::size_t i = 0; i <= cuts.size(); ++i) {
            const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
            if (end > begin && !take(std::string_view(bytes).substr(begin, end - begin))) return;
            begin = end;
        }
    }
};

enum class ending {
    waits,   ///< all was taken, more may come
    closed,  ///< the peer's Close was taken
    failed,  ///< the connection was failed for what the peer did
    refused, ///< the request opened no connection
};

struct outcome {
    ending end = ending::waits;
    std::vector<std::string> messages{}; ///< whole ones: 't' or 'b', then the payload
    std::vector<std::string> pongs{};    ///< payloads of the Pongs that were written
    unsigned close = 0;                  ///< code of the Close that was written: 1005 for one without, 0 for none
    std::string reason{};                ///< of that Close
    std::string behind_close{};          ///< what was written behind it, which is wrong
    std::string accept{};                ///< Sec-WebSocket-Accept of a 101
    std::string why{};                   ///< of a failure or refusal: navette's errc, or the partner's own words
    std::string broken_by{};             ///< navette's alone: the bytes that broke the rule
};

/// A message longer than this is too big, for all who can be told.
inline constexpr std::size_t longest_message = 66'000;

struct partner {
    std::string_view name, version;
    bool has_handshake, in_process;
    outcome (*receive)(const input&);
};

extern const partner navette_itself, wslay, beast, websocketpp_, wsproto;

/// A request that everybody takes, for those who cannot begin with an open connection.
inline constexpr std::string_view plain_request =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The answer that opens a connection, to what a client wrote.
std::string answer_to(std::string_view request);

/// Reads what was written: the head of an answer, if there has to be one, and frames. Fills in `pongs`,
/// `close` and what belongs to it, and `accept`. Throws std::runtime_error if those are no whole frames of the role.
void read_output(std::string_view written, bool has_head, bool masked, outcome&);

} // namespace differential
