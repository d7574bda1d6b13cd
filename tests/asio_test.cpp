#include <navette/asio.hpp>

#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/ssl.hpp>

namespace net     = ::asio;
namespace adapter = ::navette::asio;

#include "support/asio_stream_cases.hpp"
