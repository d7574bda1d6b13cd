// The state of a client in front of a proxy, printed by name.
#pragma once

#include "support/catch.hpp"

#include <navette/handshake/proxy.hpp>

#include <cstddef>
#include <string>

namespace Catch {

template <>
struct StringMaker<navette::proxy_status> {
    static std::string convert(navette::proxy_status status) {
        constexpr const char* names[] = {"need_more", "tunnel", "authenticate_here", "reconnect_and_authenticate", "refused"};
        return names[static_cast<std::size_t>(status)];
    }
};

} // namespace Catch
