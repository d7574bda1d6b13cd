// Which proxies this process is told to use, by the environment variables that most clients read.
// Which of them for which URI decides handshake/proxy_choice.hpp.
#pragma once

#include <navette/base/config.hpp>
#include <navette/handshake/uri.hpp>

#include <string_view>

namespace navette {

/// Which proxies the environment has for a URI: proxy_for and bypasses_proxy over http_proxy, https_proxy, all_proxy,
/// ws_proxy, wss_proxy and no_proxy, each in lower case or else in capitals, but not HTTP_PROXY within a CGI program. None
/// for loopback: localhost, names below it, 127.0.0.0/8 and ::1. A view into the environment.
std::string_view proxies_from_environment(const uri& to) noexcept;

} // namespace navette

#if !defined(NAVETTE_SEPARATE_COMPILATION)
#  include <navette/stream/proxies_from_environment.ipp>
#endif
