// simdjson's rows: validate_utf8, the best published validator, chosen at run time for the machine. A yardstick and no
// peer: it takes whole texts, and a WebSocket's come in pieces.
#include "corpus.hpp"
#include "peer.hpp"

#include <simdjson.h>

namespace bench {

namespace {

struct validate {
    texts all;

    validate(script s, std::size_t size) : all(s, size) {}

    template <class Sink>
    void operator()(Sink& sink) {
        for (std::size_t i = 0; i < all.count(); ++i) {
            const void* const at = all[i];
            const bool valid = simdjson::validate_utf8(static_cast<const char*>(at), all.size());
            sink(&valid, 1);
        }
    }
};

} // namespace

void add_simdjson(suite& all) {
    add_texts(all, "utf8", "simdjson",
              [](script s, std::size_t size) { return validate(s, size); });
}

} // namespace bench
