// The one place that names Catch2: serves version 2.13 (one header) and version 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#  include <catch2/catch_all.hpp>
#else
#  define CATCH_CONFIG_FAST_COMPILE
#  include <catch2/catch.hpp>
#endif
