# Every dependency comes from a Debian package (see ./dev for their names).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(ngtcp2 REQUIRED IMPORTED_TARGET libngtcp2>=1.11 libngtcp2_crypto_gnutls>=1.11)
pkg_check_modules(gnutls REQUIRED IMPORTED_TARGET gnutls>=3.7.9)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)

# Asio is headers only and ships no CMake package.
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(asio INTERFACE)
target_include_directories(asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
# A loop is one thread and never locks, so Asio's fences around completions order nothing (and TSan knows no fences).
# Asio before 1.24 does not know that clang, and so clang-tidy, has coroutines.
target_compile_definitions(asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_DISABLE_FENCED_BLOCK
  ASIO_HAS_CO_AWAIT=1)
target_link_libraries(asio INTERFACE Threads::Threads)
