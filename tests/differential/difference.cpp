// Where navette fails, what comes later is not compared: over a difference the partner is asked again with an input that
// ends with the frame that navette fails for, so that what it says of something behind that is not taken for an answer.
// Nor does it matter at which byte of a frame or a head somebody fails: if one complains while the other waits, both are
// asked again with the frame or the head completed.
#include "difference.hpp"

#include <algorithm>

namespace differential {

namespace {

bool is_prefix(const std::vector<std::string>& of, const std::vector<std::string>& shorter) {
    return shorter.size() <= of.size() && std::equal(shorter.begin(), shorter.end(), of.begin());
}
input first_bytes(const input& whole, std::size_t size) {
    input made{whole.to, whole.bytes.substr(0, size)};
    for (const std::size_t cut : whole.cuts)
        if (cut < size) made.cuts.push_back(cut);
    return made;
}

// The least number of bytes with which navette says what it says of all.
std::size_t bytes_needed(const input& whole) {
    std::size_t low = 0, high = whole.bytes.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (navette_itself.receive(first_bytes(whole, middle)).end == ending::waits) low = middle + 1;
        else high = middle;
    }
    return high;
}

std::size_t end_of_head(std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n", 2);
    return end == std::string_view::npos ? bytes.size() : end + 4;
}

// The input up to the end of the frame in which byte `last` stands, with whatever is missing of it; and if the frame
// belongs to a message that goes on, with an end of that message.
input up_to_whole_frame(const input& from, std::size_t last) {
    constexpr std::uint64_t too_much = 4 * longest_message;
    const bool masked                = from.to != receiver::client;
    input made        = from;
    std::size_t at    = from.to == receiver::handshake ? end_of_head(from.bytes) : 0;
    bool in_a_message = false;
    const auto byte   = [&](std::size_t i) {
        while (i >= made.bytes.size()) made.bytes += '\0';
        return static_cast<unsigned char>(made.bytes[i]);
    };
    const auto is_there = [&](std::size_t i) { return i < made.bytes.size(); };
    while (at <= last) {
        const unsigned first = byte(at), opcode = first & 15;
        if (!is_there(at + 1)) made.bytes += masked ? '\x80' : '\0';
        const unsigned second = byte(at + 1);
        std::uint64_t length  = second & 0x7f;
        std::size_t header    = 2;
        if (length >= 126) {
            const std::size_t n = length == 126 ? 2 : 8;
            const bool whole    = is_there(at + 1 + n);
            length              = 0;
            for (std::size_t i = 0; i < n; ++i) {
                if (!whole && !is_there(at + 2 + i) && i == (n == 2 ? 1 : 5)) made.bytes += '\x7e';
                length = length << 8 | byte(at + 2 + i);
            }
            header += n;
        }
        if (second >= 0x80) header += 4;
        byte(at + header - 1);
        const std::size_t begin = at + header;
        if (length > too_much) { // some of it will do
            byte(begin + 100);
            at = made.bytes.size();
            break;
        }
        at = begin + static_cast<std::size_t>(length);
        if (at > begin) byte(at - 1);
        if (opcode < 8) in_a_message = first < 0x80;
    }
    made = first_bytes(made, std::min(at, made.bytes.size()));
    if (in_a_message) made.bytes += masked ? std::string("\x80\x80\0\0\0\0", 6) : std::string("\x80\0", 2);
    return made;
}

input completed(const input& from, bool is_open) {
    if (from.to == receiver::handshake && !is_open) {
        input made = from;
        made.bytes += "\r\n\r\n";
        return first_bytes(made, end_of_head(made.bytes));
    }
    return up_to_whole_frame(from, from.bytes.empty() ? 0 : from.bytes.size() - 1);
}

bool is_open(const input& from, const outcome& o) {
    return from.to != receiver::handshake || !o.accept.empty();
}

std::string verdict(const input& from, const outcome& o) {
    if (from.to == receiver::handshake && is_open(from, o) && o.end != ending::failed) return "open";
    switch (o.end) {
    case ending::waits: return "waits";
    case ending::closed: return "closed";
    case ending::failed: break;
    case ending::refused: return "refused:" + o.why;
    }
    return "failed:" + (o.close == 0 ? std::string("silently") : std::to_string(o.close)) +
           (o.why.empty() ? "" : " " + o.why);
}

std::string own_verdict(const input& from, const outcome& ours) {
    return ours.end == ending::failed ? "failed:" + ours.why : verdict(from, ours);
}

std::string about(const outcome& ours) {
    if (ours.end != ending::closed) return ours.broken_by;
    return {static_cast<char>(ours.close >> 8), static_cast<char>(ours.close & 0xff)};
}

difference only_in_what_was_said(const std::string& navette, const outcome& ours, const outcome& theirs) {
    std::string what;
    if (ours.behind_close != theirs.behind_close) what = "writes behind its Close";
    else if (ours.accept != theirs.accept) what = "another accept";
    else if (ours.messages != theirs.messages) what = "other messages";
    else if (ours.pongs != theirs.pongs) what = is_prefix(ours.pongs, theirs.pongs) ? "fewer pongs" : "other pongs";
    else if (ours.close != theirs.close)
        what = "Close " + std::to_string(theirs.close) + " instead of " + std::to_string(ours.close);
    if (what.empty()) return {};
    return {navette, what, about(ours)};
}

bool same_end(const outcome& a, const outcome& b) { return a.end == b.end && a.messages == b.messages; }

// navette failed the connection or refused the request.
difference over_our_complaint(const input& from, const outcome& ours, const partner& other,
                              const outcome& theirs) {
    const std::string navette = own_verdict(from, ours);
    if (ours.end == ending::refused) {
        if (theirs.end == ending::refused) return {};
        outcome again = theirs;
        if (!is_open(from, theirs)) { // it waits for a body, or for an end of the head of its own kind
            input more = from;
            for (std::size_t n = longest_message; n-- > 0;) more.bytes += "\r\n";
            again = other.receive(more);
        }
        if (again.end == ending::refused) return {};
        return {navette, is_open(from, again) ? "open" : verdict(from, again), about(ours)};
    }
    const bool same = ours.end == theirs.end && ours.close == theirs.close;
    if (same)
        if (const auto said = only_in_what_was_said(navette, ours, theirs); !said) return {};
    const outcome again = other.receive(up_to_whole_frame(from, bytes_needed(from) - 1));
    if (again.end != ending::failed || again.close != ours.close)
        return {navette, verdict(from, again), about(ours),
                again.messages.size() > ours.messages.size() ? again.messages.back() : std::string()};
    if (const auto said = only_in_what_was_said(navette, ours, again)) return said;
    if (same && theirs.behind_close != ours.behind_close) return only_in_what_was_said(navette, ours, theirs);
    return {navette, "goes on for a while", about(ours)};
}

} // namespace

difference compare(const input& whole, const partner& other) {
    input from      = whole;
    outcome ours    = navette_itself.receive(from);
    outcome theirs  = other.receive(from);
    const bool both_open   = is_open(from, ours) && is_open(from, theirs);
    const auto is_not_done = [&](const outcome& o) {
        return o.end == ending::waits && is_open(from, o) == both_open;
    };
    if (is_not_done(ours) != is_not_done(theirs)) {
        from   = completed(from, both_open);
        ours   = navette_itself.receive(from);
        theirs = other.receive(from);
    }
    if (is_open(from, ours) && !is_open(from, theirs)) return {"open", verdict(from, theirs), {}};
    if (from.to == receiver::handshake && both_open && !same_end(ours, theirs)) {
        input apart = from;
        apart.cuts.assign(1, end_of_head(from.bytes));
        const outcome again = other.receive(apart);
        if (same_end(ours, again) && !only_in_what_was_said({}, ours, again))
            return {"open", "loses what comes with the head", {}};
    }
    if (ours.end == ending::failed || ours.end == ending::refused)
        return over_our_complaint(from, ours, other, theirs);
    const std::string navette = own_verdict(from, ours);
    if (ours.end != theirs.end || is_open(from, ours) != is_open(from, theirs))
        return {navette, verdict(from, theirs), about(ours)};
    return only_in_what_was_said(navette, ours, theirs);
}

} // namespace differential
