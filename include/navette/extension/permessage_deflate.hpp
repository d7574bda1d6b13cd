// The negotiation of permessage-deflate (RFC 7692, 5 and 7.1): what the application wants, the offers and answers that
// say it, and what was agreed. Holds no state and knows no compression library: the codec is in deflate.hpp.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/config.hpp>
#include <navette/base/role.hpp>
#include <navette/extension/agreement.hpp>

namespace navette {

/// The registered name of the extension (RFC 7692, 9.1).
inline constexpr std::string_view permessage_deflate_name = "permessage-deflate";

/// When a connection's memory for compression is taken.
enum class allocate : std::uint8_t {
    lazily,   ///< in each direction at its first compressed message; messages without a context share
    eagerly,  ///< all of it, windows included, with the connection, and released with it: nothing is shared
};

/// Where memory for compression comes from; by default malloc and free. Both functions or neither; called by all threads
/// that use the extension.
struct deflate_allocator {
    /// Memory aligned as malloc's, or null.
    void* (*take)(void* self, std::size_t bytes) noexcept = nullptr;
    /// Takes back what `take` returned for that many bytes.
    void (*give)(void* self, void* memory, std::size_t bytes) noexcept = nullptr;
    void* self = nullptr;
};

/// What an application wants of permessage-deflate. `send` is the direction from this side to the peer, whatever its role.
struct deflate_options {
    /// Window bits, 8 to 15: no message refers to what lies more than 2^bits bytes back. The peer may ask for less.
    std::uint8_t send_window_bits    = 15;
    std::uint8_t receive_window_bits = 15;

    /// No message refers to an earlier one: it costs no memory between messages, and compresses less.
    bool send_no_context_takeover    = false;
    bool receive_no_context_takeover = false;

    /// Takes compression also from a peer that does not grant what `receive_...` asks for; else it is not agreed.
    bool fall_back = false;

    std::uint8_t level        = 6;  ///< 0 (stored) to 9 (smallest)
    std::uint8_t memory_level = 8;  ///< 1 to 9: the compressor takes 2^(send bits + 2) + 2^(memory level + 9) bytes

    /// Bytes that a message must have for `compress::automatic` to compress it: shorter ones gain little.
    std::size_t threshold = 64;

    allocate allocation = allocate::lazily;

    /// Releases after each message what the next can do without; see protocol_core::release_when_idle.
    bool release_when_idle = false;

    /// Where messages are inflated to: if not empty, borrowed, and then a payload lives until the next receive of any
    /// connection that uses the extension, all of one thread; else `window_size` bytes of each connection's own. A
    /// message that fits is delivered as one view.
    byte_span   window{};
    std::size_t window_size = 16 * 1024;

    /// Bytes of memory for all connections together. Once they are in use, new connections agree to no context takeover
    /// in either direction, and those that agreed to it before send without; what they receive may still exceed it.
    std::size_t max_memory = static_cast<std::size_t>(-1);

    /// Compressors and decompressors that are kept for the next message once no message uses them, of each window size.
    std::size_t max_idle = 16;

    deflate_allocator allocator{};
};

/// Whether all values are in their ranges; `errc::misuse`. With others nothing is offered or accepted.
[[nodiscard]] errc check_deflate_options(const deflate_options& options) noexcept;

/// What both sides have agreed (RFC 7692, 7.1). False: they have not agreed to permessage-deflate.
struct deflate_agreement {
    std::uint8_t send_window_bits            = 0;  ///< 8 to 15
    std::uint8_t receive_window_bits         = 0;
    bool         send_no_context_takeover    = false;
    bool         receive_no_context_takeover = false;

    constexpr explicit operator bool() const noexcept { return send_window_bits != 0; }
    friend constexpr bool operator==(const deflate_agreement&, const deflate_agreement&) noexcept = default;
};

/// How an agreement is carried from the handshake to the protocol, and back.
constexpr extension_parameters to_parameters(const deflate_agreement& agreed) noexcept {
    extension_parameters parameters;
    parameters.values[0] = agreed.send_window_bits;
    parameters.values[1] = agreed.receive_window_bits;
    parameters.values[2] = agreed.send_no_context_takeover;
    parameters.values[3] = agreed.receive_no_context_takeover;
    return parameters;
}
constexpr deflate_agreement to_deflate_agreement(const extension_parameters& parameters) noexcept {
    return {.send_window_bits            = parameters.values[0],
            .receive_window_bits         = parameters.values[1],
            .send_no_context_takeover    = parameters.values[2] != 0,
            .receive_no_context_takeover = parameters.values[3] != 0};
}

/// What a handshake agreed of permessage-deflate.
///
///     if (const auto deflate = agreed_deflate(ws.agreed())) log(deflate.send_window_bits);
constexpr deflate_agreement agreed_deflate(const agreement& agreed) noexcept {
    const bool is_deflate = agreed.extension != nullptr && agreed.extension->name == permessage_deflate_name;
    return is_deflate ? to_deflate_agreement(agreed.parameters) : deflate_agreement{};
}

/// A client's offers, the one preferred most first: `out` gets one element, or two if options.fall_back gives up what
/// the first demands (RFC 7692, 7.1). Errors: `misuse`, `out_of_memory`.
[[nodiscard]] errc append_deflate_offers(const deflate_options& options, buffer& out) noexcept;

/// Judges one element. A server appends its answer; `errc::extension_refused` declines the offer. A client checks the
/// server's answer against what it has offered, and then fails the connection (RFC 7692, 5.1 and 7.1). Other errors:
/// `misuse`, `out_of_memory`.
[[nodiscard]] errc negotiate_deflate(const deflate_options& options, role r, const extension_offer& element,
                                     deflate_agreement& agreed, buffer& answer) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/extension/permessage_deflate.ipp>
#endif
