// What two made of the same input, and in which rule they differ. Knows nothing of single partners.
#pragma once

#include "partner.hpp"

#include <string>

namespace differential {

/// How navette and a partner differ over one input; empty if they agree. `navette: ...` names what navette says and by
/// which of its errors, `theirs` what the partner says of the same violation and nothing else:
///
///     failed:reserved_bits    waits                    // no complaint
///     failed:length_overflow  failed:1009 ...          // another code, and the partner's words
///     closed                  failed:1002 ...          // a complaint of the partner's own
///     closed                  Close 1000 instead of 1005
struct difference {
    std::string navette, theirs;
    std::string about{};     ///< the bytes that navette complains of, or the code of the Close that it answers

    std::string delivered{}; ///< the last message that the partner delivers although navette complains

    explicit operator bool() const { return !navette.empty(); }
};

difference compare(const input&, const partner&);

} // namespace differential
