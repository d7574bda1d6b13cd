// Offers of extensions, and the negotiation of permessage-deflate.
// Input: twice two bytes of options, ours and a peer's; a field value.
// covers: extension/extension_offer.hpp extension/permessage_deflate.hpp extension/permessage_deflate.ipp
// small: at most 160 bytes
#include "bodies/extension_offer.hpp"

bool fuzz_one(fuzz::input in) { return fuzz::extension_offers(in); }
