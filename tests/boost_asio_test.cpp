#include <navette/boost_asio.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>

namespace net     = ::boost::asio;
namespace adapter = ::navette::boost_asio;

#include "support/asio_stream_cases.hpp"
