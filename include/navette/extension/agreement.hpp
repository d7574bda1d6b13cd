// What the opening handshake agreed and the protocol needs to know;
// the only thing that passes between the two.
#pragma once

#include <navette/extension/extension_factory.hpp>

#include <string_view>

namespace navette {

/// The outcome of an opening handshake (RFC 6455, 4.1 and 4.2.2). A default one is the plain protocol. Copyable.
struct agreement {
    /// The subprotocol; empty: none. Borrows from the options, or from what was passed to accept.
    std::string_view subprotocol{};

    /// The extension; null: none. Borrowed. At most one is agreed.
    const extension_factory* extension = nullptr;
    extension_parameters     parameters{};

    /// The reserved bits that a frame may have set.
    constexpr rsv_bits allowed_rsv() const noexcept { return extension == nullptr ? rsv_bits::none : extension->rsv; }
};

} // namespace navette
