// simdjson's rows: validate_utf8, the best published validator, chosen at run time for the machine. A yardstick and no
// peer: it takes whole texts, and a WebSocket's come in pieces.
#include "corpus.hpp"
#include "peer.hpp"

#include <simdjson.h>

namespace bench {

namespace {

bool validate(unsigned char* at, std::size_t size) {
    const void* const text = at;
    return simdjson::validate_utf8(static_cast<const char*>(text), size);
}

} // namespace

void add_simdjson(suite& all) {
    add_utf8(all, "simdjson", [](unsigned char* at, std::size_t size) { return validate(at, size); });
}

} // namespace bench
