// navette over standalone Asio, 1.22 or newer: asynchronous connections whose coroutines are asio::awaitable, over its
// sockets, timers and executors. boost_asio.hpp is the same over Boost's. Where a program says `using
// namespace navette`, Asio's own namespace is ::asio.
#pragma once

#include <utility>   // Asio 1.22 needs it in C++20, and does not include it

#include <asio/detail/config.hpp>
#if !defined(ASIO_HAS_CO_AWAIT) || !defined(ASIO_HAS_STD_COROUTINE)
#  error "navette/asio.hpp needs Asio's coroutines: C++20, and with clang -DASIO_HAS_CO_AWAIT -DASIO_HAS_STD_COROUTINE"
#endif
#include <asio/version.hpp>
#if ASIO_VERSION < 102200
#  error "navette/asio.hpp needs Asio 1.22 or newer"
#endif

#include <navette/base/buffer.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/stream/async_connect.hpp>
#include <navette/stream/async_connection.hpp>
#include <navette/stream/async_opening_handshake.hpp>
#include <navette/stream/async_stream.hpp>
#include <navette/stream/stream.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#define NAVETTE_ASIO_HAS_SLOTS 1

namespace navette::asio {

namespace net = ::asio;
using error_code = ::asio::error_code;

#include <navette/asio_stream.inc>
#include <navette/asio_connect.inc>

} // namespace navette::asio

#undef NAVETTE_ASIO_HAS_SLOTS
