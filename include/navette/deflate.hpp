// permessage-deflate (RFC 7692) over zlib: include this, give its object to the handshakes, and link zlib (-lz).
// The only file that includes <zlib.h>, of which it uses the documented functions alone.
#pragma once

#include <navette/deflate_codec.hpp>

#include <zlib.h>

#if !defined(ZLIB_VERNUM) || ZLIB_VERNUM < 0x12b0
#  error "navette needs zlib 1.2.11 or newer, and advises 1.2.13: older ones have known holes"
#endif

namespace navette {

namespace detail {

// zlib counts in unsigned int.
inline ::uInt zlib_size(std::size_t n) noexcept { return static_cast<::uInt>(lesser<std::size_t>(n, 1u << 30)); }

// Whether zlib was compiled with ZLIB_CONST or not. It does not write to its input.
inline ::Bytef* zlib_bytes(const std::byte* p) noexcept {
    return static_cast<::Bytef*>(const_cast<void*>(static_cast<const void*>(p)));
}

inline void use_memory(::z_stream& stream, deflate_memory& memory) noexcept {
    stream.opaque = &memory;
    stream.zalloc = [](::voidpf self, ::uInt items, ::uInt size) noexcept -> ::voidpf {
        if (size != 0 && items > static_cast<std::size_t>(-1) / size) return nullptr;
        return static_cast<deflate_memory*>(self)->take(static_cast<std::size_t>(items) * size);
    };
    stream.zfree = [](::voidpf self, ::voidpf taken) noexcept {
        static_cast<deflate_memory*>(self)->give(taken);
    };
}

// Calls `function`, which is deflate or inflate, and leaves no pointer of the caller's in the stream.
inline int zlib_step(int (*function)(::z_streamp, int), ::z_stream& stream, const_byte_span in,
                     byte_span out, deflate_progress& made) noexcept {
    stream.next_in   = zlib_bytes(in.data());
    stream.avail_in  = zlib_size(in.size());
    stream.next_out  = zlib_bytes(out.data());
    stream.avail_out = zlib_size(out.size());
    const int result = function(&stream, Z_SYNC_FLUSH);
    made.consumed    = zlib_size(in.size()) - stream.avail_in;
    made.produced    = zlib_size(out.size()) - stream.avail_out;
    stream.next_in   = nullptr;
    stream.next_out  = nullptr;
    stream.avail_in  = 0;
    stream.avail_out = 0;
    return result;
}

} // namespace detail

/// zlib as a deflate_compressor.
class zlib_compressor {
    ::z_stream stream_{};

public:
    zlib_compressor() noexcept                         = default;
    zlib_compressor(const zlib_compressor&)            = delete;
    zlib_compressor& operator=(const zlib_compressor&) = delete;
    ~zlib_compressor() { ::deflateEnd(&stream_); }

    errc begin(const deflate_options& options, std::uint8_t window_bits, deflate_memory& memory) noexcept {
        detail::use_memory(stream_, memory);
        // Raw zlib refuses 8. With 9 it looks back at most 2^9 - 262 = 250 bytes, which 2^8 has room for.
        const int bits   = window_bits == 8 ? 9 : window_bits;
        const int result = deflateInit2(&stream_, options.level, Z_DEFLATED, -bits,
                                        options.memory_level, Z_DEFAULT_STRATEGY);
        return result == Z_OK ? errc{} : result == Z_MEM_ERROR ? errc::out_of_memory : errc::misuse;
    }

    deflate_progress step(const_byte_span in, byte_span out) noexcept {
        deflate_progress made;
        const int result = detail::zlib_step(&::deflate, stream_, in, out, made);
        if (result != Z_OK && result != Z_BUF_ERROR) made.error = errc::misuse;
        return made;
    }

    void reset() noexcept { ::deflateReset(&stream_); }
};

/// zlib as a deflate_decompressor.
class zlib_decompressor {
    ::z_stream stream_{};

public:
    zlib_decompressor() noexcept                           = default;
    zlib_decompressor(const zlib_decompressor&)            = delete;
    zlib_decompressor& operator=(const zlib_decompressor&) = delete;
    ~zlib_decompressor() { ::inflateEnd(&stream_); }

    errc begin(std::uint8_t window_bits, bool whole, deflate_memory& memory) noexcept {
        detail::use_memory(stream_, memory);
        const int result = inflateInit2(&stream_, -int{window_bits});
        if (result != Z_OK) return result == Z_MEM_ERROR ? errc::out_of_memory : errc::misuse;
        if (!whole) return {};
        // A dictionary is what makes zlib take its window before there is anything to put into it.
        const std::byte nothing{};
        if (::inflateSetDictionary(&stream_, detail::zlib_bytes(&nothing), 0) != Z_OK) return errc::out_of_memory;
        reset();
        return {};
    }

    deflate_progress step(const_byte_span in, byte_span out) noexcept {
        deflate_progress made;
        const int result = detail::zlib_step(&::inflate, stream_, in, out, made);
        switch (result) {
        case Z_OK:
        case Z_BUF_ERROR:  break;
        case Z_STREAM_END: made.ended = true; break;
        case Z_MEM_ERROR:  made.error = errc::out_of_memory; break;
        default:           made.error = errc::invalid_compressed_data; break;
        }
        constexpr int unused_bits = 63, block_ended = 128;  // as zlib.h says of inflate
        made.aligned = (stream_.data_type & (unused_bits | block_ended)) == block_ended;
        return made;
    }

    /// zlib forgets its history with its state.
    errc restart() noexcept {
        std::byte       kept[32 * 1024];
        const byte_span history = byte_span(kept).first(history_size());
        copy_history(history);
        reset();
        return history.empty() ? errc{} : set_history(history);
    }

    void reset() noexcept { ::inflateReset(&stream_); }

    std::size_t history_size() noexcept {
        ::uInt size = 0;
        ::inflateGetDictionary(&stream_, nullptr, &size);
        return size;
    }
    void copy_history(byte_span to) noexcept {
        ::inflateGetDictionary(&stream_, detail::zlib_bytes(to.data()), nullptr);
    }

    errc set_history(const_byte_span history) noexcept {
        const int result =
            ::inflateSetDictionary(&stream_, detail::zlib_bytes(history.data()), detail::zlib_size(history.size()));
        return result == Z_OK ? errc{} : errc::out_of_memory;
    }
};

/// zlib, for everything.
struct zlib_backend {
    using compressor   = zlib_compressor;
    using decompressor = zlib_decompressor;
    using whole        = void;
};

/// permessage-deflate over zlib.
using permessage_deflate = basic_permessage_deflate<zlib_backend>;

} // namespace navette
