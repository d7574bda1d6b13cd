// What every HTTP request must be, whether it asks for an upgrade or not: its target (RFC 9112, 3.2), its Host, and a
// body whose length is beyond doubt (RFC 9112, 6). Knows nothing of WebSocket.
#pragma once

#include <navette/base/config.hpp>
#include <navette/base/errc.hpp>
#include <navette/handshake/known_fields.hpp>

namespace navette {

/// Checks a request whose method, target, version and fields are known, and fills in path, query, host and origin. Of
/// HTTP/2 and HTTP/3, `host` must be given and takes the place of Host. Errors: `errc::http_version_not_supported`,
/// `errc::bad_target`, `errc::bad_host`, `errc::unexpected_body`: the body's length is malformed or ambiguous.
/// `fields` are those of the request.
[[nodiscard]] errc interpret(request_view& request, const known_fields& fields) noexcept;
[[nodiscard]] inline errc interpret(request_view& request) noexcept {
    return interpret(request, known_fields(request.fields));
}

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/http_request.ipp>
#endif
