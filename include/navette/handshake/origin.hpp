// Which origins a server lets in (RFC 6455, 10.2; RFC 6454): what keeps a web page of somebody else's from using a
// visitor's cookies. Says nothing of clients that are no browsers: they can claim any origin.
#pragma once

#include <navette/base/config.hpp>
#include <navette/handshake/known_fields.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace navette {

/// A server's rule for the Origin of an upgrade request. There is no default: a server states one.
///
///     static constexpr std::string_view ours[] = {"https://example.com", "http://localhost:3000"};
///     server_options options{.origins = origin_policy::list(ours)};
///
/// Origins are compared by scheme, host and port, the port being the scheme's if it is left out, in any case. A request
/// without an Origin comes from no browser and passes, unless the policy is `required`. One with several Origin fields
/// never passes.
class origin_policy {
    enum class kind : std::uint8_t { any, same_origin, list };

    kind kind_;
    bool required_ = false;
    std::string_view scheme_{};
    std::span<const std::string_view> listed_{};

    explicit constexpr origin_policy(kind k) noexcept : kind_(k) {}

public:
    /// Every origin; for data that is public, or a server that checks who asks by other means than cookies.
    static constexpr origin_policy any() noexcept { return origin_policy(kind::any); }

    /// Only the request's own host and port. A server behind a proxy does not see whether the page came by http or
    /// https: pass `scheme`, "https", to demand it. Borrows it.
    static constexpr origin_policy same_origin(std::string_view scheme = {}) noexcept {
        origin_policy policy(kind::same_origin);
        policy.scheme_ = scheme;
        return policy;
    }

    /// Only those in `origins`, each `scheme://host` or `scheme://host:port`, without a path. "null", which sandboxed
    /// pages and local files send, passes only if it is listed. Borrows the list.
    static constexpr origin_policy list(std::span<const std::string_view> origins) noexcept {
        origin_policy policy(kind::list);
        policy.listed_ = origins;
        return policy;
    }

    /// The same policy, which also refuses a request without an Origin.
    constexpr origin_policy required() const noexcept {
        origin_policy policy = *this;
        policy.required_ = true;
        return policy;
    }

    /// Whether `request` may be let in. Reads its fields and its host.
    bool admits(const request_view& request) const noexcept { return admits(request, known_fields(request.fields)); }

    /// The same; `fields` are those of the request.
    bool admits(const request_view& request, const known_fields& fields) const noexcept;
};

/// Whether two serialised origins are the same (RFC 6454, 4 to 6), default ports filled in. "null" is the same as
/// itself.
bool is_same_origin(std::string_view a, std::string_view b) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/handshake/origin.ipp>
#endif
