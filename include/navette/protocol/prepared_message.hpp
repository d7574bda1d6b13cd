// One message for many connections: framed once, and transformed once for each variant of the extension that they
// agreed (RFC 6455, 5.2; RFC 7692, 7.2.1). For servers: what a client sends is masked anew for each frame.
#pragma once

#include <navette/protocol/protocol.hpp>


namespace navette {

/// A whole message, ready for the wire. One thread at a time, since variants are made at first use.
///
///     prepared_message news(opcode::text, as_bytes(text));
///     for (auto& ws : subscribers)
///         if (auto bytes = news.wire(ws)) write(ws, *bytes);   // a gather write: nothing is copied
class prepared_message {
    struct variant {
        const extension_factory* extension = nullptr;
        std::uint8_t             number    = 0;
        buffer                   frame;
    };
    static constexpr std::size_t max_variants = 8;  // windows of 8 to 15 bits

    buffer                            plain_;
    std::size_t                       payload_size_ = 0;
    opcode                            op_;
    errc                              error_{};
    compress                          compress_;
    variant                           variants_[max_variants]{};

public:
    /// Frames a copy of `payload`; `op` is text, which must be valid UTF-8, or binary. What is wrong, wire says.
    prepared_message(opcode op, const_byte_span payload, compress how = compress::automatic) noexcept
        : payload_size_(payload.size()), op_(op), compress_(how) {
        if (op != opcode::text && op != opcode::binary)
            error_ = errc::misuse;
        else if (op == opcode::text && !is_valid_utf8(payload))
            error_ = errc::unsendable_text;                                          // 6.1
        else
            error_ = append_frame({.op = op}, payload, nullptr, plain_);
    }

    /// The bytes to send on this connection, whole frames; borrowed from this object for its lifetime. The message
    /// counts as sent: its bytes must follow what is in the connection's output already. Errors: `not_open`,
    /// `frame_open`, `message_in_progress` (RFC 6455, 5.4), `misuse`, `unsendable_text`, `out_of_memory`.
    [[nodiscard]] result<const_byte_span> wire(server_protocol& ws) noexcept {
        if (error_ != errc{}) return error_;
        const buffer* const coded = wants(ws.extension()) ? coded_for(ws) : nullptr;
        if (const errc e = ws.send_prepared(coded != nullptr); e != errc{}) return e;
        return coded != nullptr ? coded->data() : std::as_const(plain_).data();
    }

private:
    bool wants(const extension_factory* extension) const noexcept {
        return extension != nullptr && (compress_ == compress::always ||
                                        (compress_ == compress::automatic && payload_size_ >= extension->threshold));
    }

    // Null if there is no memory for it, or no place: the plain form is right for everybody.
    const buffer* coded_for(const server_protocol& ws) noexcept {
        const std::uint8_t number = ws.extension_variant();
        for (variant& v : variants_) {
            if (v.extension == nullptr && !make(v, *ws.extension(), number)) return nullptr;
            if (v.extension == ws.extension() && v.number == number) return &v.frame;
        }
        return nullptr;
    }

    bool make(variant& v, const extension_factory& extension, std::uint8_t number) noexcept {
        buffer                coded;
        const const_byte_span payload = std::as_const(plain_).data().last(payload_size_);
        if (extension.deflate_once(extension.self, number, payload, coded) != errc{}) return false;
        buffer frame;
        if (append_frame({.op = op_, .rsv = extension.rsv}, coded.data(), nullptr, frame) != errc{}) return false;
        v = {&extension, number, std::move(frame)};
        return true;
    }
};

} // namespace navette
