// navette over Boost.Asio, of Boost 1.74 or newer: asynchronous connections whose coroutines are boost::asio::awaitable,
// over its sockets, timers and executors. asio.hpp is the same over standalone Asio; two Asios
// as old as these do not go into one translation unit.
#pragma once

#include <utility>   // an Asio as old needs it in C++20, and does not include it

#include <boost/asio/detail/config.hpp>
#if !defined(BOOST_ASIO_HAS_CO_AWAIT) || !defined(BOOST_ASIO_HAS_STD_COROUTINE)
#  error "navette/boost_asio.hpp needs Asio's coroutines: C++20, and with clang -DBOOST_ASIO_HAS_CO_AWAIT -DBOOST_ASIO_HAS_STD_COROUTINE"
#endif
#include <boost/version.hpp>
#if BOOST_VERSION < 107400
#  error "navette/boost_asio.hpp needs Boost 1.74 or newer"
#endif

#include <navette/base/buffer.hpp>
#include <navette/base/timeouts.hpp>
#include <navette/stream/async_connect.hpp>
#include <navette/stream/async_connection.hpp>
#include <navette/stream/async_opening_handshake.hpp>
#include <navette/stream/async_stream.hpp>
#include <navette/stream/stream.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#define NAVETTE_ASIO_HAS_SLOTS (BOOST_VERSION >= 107700)

namespace navette::boost_asio {

namespace net = ::boost::asio;
using error_code = ::boost::system::error_code;

#include <navette/asio_stream.inc>
#include <navette/asio_connect.inc>

} // namespace navette::boost_asio

#undef NAVETTE_ASIO_HAS_SLOTS
