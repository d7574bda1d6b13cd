#include <navette/boost_asio.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>

#define NAVETTE_TEST_HAS_SLOTS (BOOST_VERSION >= 107700)

namespace net     = ::boost::asio;
namespace adapter = ::navette::boost_asio;

#include "support/asio_connection_cases.hpp"
