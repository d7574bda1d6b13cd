// What an extension is to the library: how it is offered and negotiated (RFC 6455, 9.1), and how its codec is made.
// The handshakes take a list of these; the application states its wishes in the object behind `self`.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/role.hpp>
#include <navette/extension/extension_offer.hpp>
#include <navette/extension/message_codec.hpp>
#include <navette/frame/frame_header.hpp>

#include <array>
#include <string_view>

namespace navette {

/// What was agreed for one extension, in a form that only the extension reads; copied freely.
struct extension_parameters {
    std::array<std::uint8_t, 8> values{};
    friend constexpr bool operator==(const extension_parameters&, const extension_parameters&) noexcept = default;
};

/// An extension that transforms whole messages and marks the first frame of each with one reserved bit, as per-message
/// compression does (RFC 7692, 5 and 6). Outlives the options, handshakes and protocols that name it.
struct extension_factory {
    std::string_view name;                  ///< the registered token
    rsv_bits         rsv  = rsv_bits::rsv1; ///< the bit that marks a transformed message
    const void*      self = nullptr;        ///< passed to the functions that take it

    /// Bytes that a message must have at least for `compress::automatic` to transform it.
    std::size_t threshold = 0;
    /// Make the codec with the protocol, not at its first transformed message.
    bool eager = false;

    /// Client: appends the offers, one or several with commas between, to `out`.
    errc (*offer)(const void* self, buffer& out) noexcept;

    /// Server: `offered` is one offer of the client. Acceptable: fills `agreed` and appends the element that answers it.
    /// Any error declines this offer; the next is tried. Client: `offered` is what the server answered, `answer` stays
    /// empty; an error fails the connection (`errc::extension_refused` is the usual one).
    errc (*negotiate)(const void* self, role, const extension_offer& offered, extension_parameters& agreed,
                      buffer& answer) noexcept;

    /// Makes the codec of a connection in `role`; `errc::out_of_memory` if it cannot.
    errc (*make)(const void* self, const extension_parameters&, role, message_codec& made) noexcept;

    /// Messages deflated apart from any connection are the same for all connections of one variant (of permessage-deflate:
    /// the window of the direction in which this role sends).
    std::uint8_t (*variant)(const extension_parameters&, role) noexcept;

    /// Appends a whole message's transformed payload to `out`, from an empty context.
    errc (*deflate_once)(const void* self, std::uint8_t variant, const_byte_span message, buffer& out) noexcept;
};

} // namespace navette
