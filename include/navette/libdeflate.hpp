// permessage-deflate (RFC 7692) with libdeflate for whole messages that leave without context takeover, zlib for the rest.
// The only file that includes <libdeflate.h>: link both (-ldeflate -lz). libdeflate takes its memory from malloc.
#pragma once

#include <navette/deflate.hpp>

#include <libdeflate.h>

namespace navette {

/// libdeflate, as deflate_backend has it: faster than zlib on a whole message. What comes is not whole, as a rule, and of
/// messages of a few kilobytes zlib is the faster reader: it keeps that part.
class libdeflate_whole {
    ::libdeflate_compressor* compressor_ = nullptr;

public:
    libdeflate_whole() noexcept                          = default;
    libdeflate_whole(const libdeflate_whole&)            = delete;
    libdeflate_whole& operator=(const libdeflate_whole&) = delete;
    ~libdeflate_whole() {
        if (compressor_ != nullptr) ::libdeflate_free_compressor(compressor_);
    }

    errc begin(const deflate_options& options) noexcept {
        compressor_ = ::libdeflate_alloc_compressor(options.level);
        return compressor_ != nullptr ? errc{} : errc::out_of_memory;
    }

    /// The most bytes that `compress` makes of `size`.
    std::size_t bound(std::size_t size) noexcept { return ::libdeflate_deflate_compress_bound(compressor_, size); }

    /// Bytes written; 0: they did not fit.
    std::size_t compress(const_byte_span message, byte_span out) noexcept {
        return ::libdeflate_deflate_compress(compressor_, message.data(), message.size(), out.data(), out.size());
    }
};

/// zlib, and libdeflate for what it can do.
struct libdeflate_backend {
    using compressor   = zlib_compressor;
    using decompressor = zlib_decompressor;
    using whole        = libdeflate_whole;
};

/// permessage-deflate over both. libdeflate compresses a whole message if no context is kept and, since it looks back as
/// far as DEFLATE can, a window of 15 bits was agreed or the message is no longer than the window.
using permessage_libdeflate = basic_permessage_deflate<libdeflate_backend>;

} // namespace navette
