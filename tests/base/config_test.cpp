#include <navette/base/config.hpp>

#include "support/catch.hpp"

#include <string_view>

#define NAMED(x) #x
#define VALUE(x) NAMED(x)

TEST_CASE("bodies are inline unless they are compiled separately", "[config]") {
#if defined(NAVETTE_SEPARATE_COMPILATION)
    CHECK(std::string_view(VALUE(NAVETTE_INLINE)).empty());
#else
    CHECK(std::string_view(VALUE(NAVETTE_INLINE)) == "inline");
#endif
}
