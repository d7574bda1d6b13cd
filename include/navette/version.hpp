// The version of the library, for the preprocessor; CMakeLists.txt reads it from here.
// Versions are semantic (semver.org): before 1.0.0 a new minor version may change what it likes.
#pragma once

#define NAVETTE_VERSION_MAJOR 0
#define NAVETTE_VERSION_MINOR 1
#define NAVETTE_VERSION_PATCH 0
#define NAVETTE_VERSION "0.1.0"
