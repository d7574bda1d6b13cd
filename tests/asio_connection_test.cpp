#include <navette/asio.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/ssl.hpp>
#include <asio/strand.hpp>
#include <asio/write.hpp>

#define NAVETTE_TEST_HAS_SLOTS (1)

namespace net     = ::asio;
namespace adapter = ::navette::asio;

#include "support/asio_connection_cases.hpp"
