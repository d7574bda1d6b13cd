// The component asio: standalone Asio.
#include <navette/asio.hpp>

namespace net     = ::asio;
namespace adapter = ::navette::asio;

#include "asynchronous.hpp"
