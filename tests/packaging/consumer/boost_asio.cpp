// The component boost_asio: Boost.Asio.
#include <navette/boost_asio.hpp>

namespace net     = ::boost::asio;
namespace adapter = ::navette::boost_asio;

#include "asynchronous.hpp"
