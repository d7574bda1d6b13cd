// What the guides' code for navette stands on, in both guides.
#include <navette/boost_asio.hpp>
#include <navette/tls.hpp>
#include <navette/websocket.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <iostream>
#include <set>
#include <string>

namespace net     = boost::asio;
namespace adapter = navette::boost_asio;
using tcp         = net::ip::tcp;
